"""How many accepted sends a second the endpoint makes, by GET and by JSON POST, against a bare Starlette JSON route.

wrk runs on one core and the server on the other; the two are measured in turn, several times, in one run. A round in
which the server's core was not busy says nothing, and is marked. Needs wrk and taskset.

    python benchmarks/throughput.py [--rounds 3] [--seconds 4]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))
from server import BASELINE, LOAD_CORE, SANDBOX, Server, running

CONNECTIONS = 64
PARAMETERS = {
    "user": "you@example.com",
    "apiKey": "a-key-of-20-letters.",
    "to": "+34600000001",
    "message": "Your verification code is: 482913",
    "senderId": "VERIFY",
}
MEASURED = (("starlette", BASELINE, "POST"), ("sandbox", SANDBOX, "GET"), ("sandbox", SANDBOX, "POST"))
BUSY = 0.9
"""The share of a core that a server must have used for a round to count."""


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: requests a second, and the server's CPU time for each."""

    rate: float
    cpu_us: float
    busy: float


def main() -> int:
    """Measure, print a table and the two ratios, and say whether they reach the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    arguments = parser.parse_args()
    rounds: dict[tuple[str, str], list[Round]] = {}
    for _ in range(arguments.rounds):
        for name, command, method in MEASURED:
            with running(command) as server:
                measured = _measure(server, method, arguments.seconds)
            rounds.setdefault((name, method), []).append(measured)
            mark = "" if measured.busy >= BUSY else "  (its core was not busy: says nothing)"
            print(
                f"{name:9} {method:4} {measured.rate:8.0f} requests/s  {measured.cpu_us:6.1f} us CPU each"
                f"  core {measured.busy:4.0%}{mark}",
                flush=True,
            )
    theirs = _median(rounds["starlette", "POST"])
    reached = True
    for method in ("GET", "POST"):
        ours = _median(rounds["sandbox", method])
        ratio = ours.rate / theirs.rate
        reached = reached and ratio >= 1.0
        print(
            f"{method}: sandbox / bare Starlette = {ratio:.2f} (CPU each {ours.cpu_us / theirs.cpu_us:.2f})"
        )
    print("goal: at least 1.00 for both:", "reached" if reached else "missed")
    return 0 if reached else 1


def _median(rounds: list[Round]) -> Round:
    """Return the median round of those in which the server was busy."""
    busy = [each for each in rounds if each.busy >= BUSY] or rounds
    return sorted(busy, key=lambda each: each.rate)[len(busy) // 2]


def _measure(server: Server, method: str, seconds: int) -> Round:
    _wrk(server, method, 1)
    before = server.cpu_s()
    requests = _wrk(server, method, seconds)
    used_s = server.cpu_s() - before
    return Round(requests / seconds, used_s / requests * 1_000_000, used_s / seconds)


def _wrk(server: Server, method: str, seconds: int) -> int:
    """Load the server, and return how many requests it answered."""
    url = f"http://127.0.0.1:{server.port}/sendMtSms.php"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if method == "GET":
            url += f"?{urlencode(PARAMETERS)}"
        else:
            body = "{" + ",".join(f'"{name}":"{value}"' for name, value in PARAMETERS.items()) + "}"
            script.write(
                f"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n"
            )
            script.flush()
        output = subprocess.run(
            [
                *("taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"),
                *("-s", script.name, url),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found = re.search(r"([0-9]+) requests in", output)
    if found is None or "Non-2xx" in output:
        raise RuntimeError(output)
    return int(found[1])


if __name__ == "__main__":
    sys.exit(main())
