"""How many accepted sends a second the endpoint makes, by GET and by JSON POST, against a bare Starlette JSON route.

wrk runs on one core and the server on the other; the two are measured in turn, several times, in one run. A round in
which the server's core was not busy says nothing, and is marked. Needs wrk and taskset.

    python benchmarks/throughput.py [--quick] [--rounds 3] [--seconds 4]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_least, sizes
from load import PARAMETERS, Round, measure, median, warm_up
from server import BASELINE, SANDBOX, running

PATH = "/sendMtSms.php"
BY_GET = (f"{PATH}?{urlencode(PARAMETERS)}", "")
BY_POST = (
    PATH,
    f"wrk.method, wrk.body = 'POST', '{json.dumps(PARAMETERS)}' wrk.headers['Content-Type'] = 'application/json'",
)
MEASURED = (
    ("starlette", "POST", BASELINE, BY_POST),
    ("sandbox", "GET", SANDBOX, BY_GET),
    ("sandbox", "POST", SANDBOX, BY_POST),
)
GOAL = 1.0


def main() -> int:
    """Measure, print a table and the two ratios, and say whether they reach the goal."""
    chosen = sizes(
        __doc__,
        rounds=Size(3, 1, "how often each is measured"),
        seconds=Size(4, 2, "how long each time"),
    )
    rounds: dict[tuple[str, str], list[Round]] = {}
    for _ in range(chosen["rounds"]):
        for name, method, command, load in MEASURED:
            with running(command) as server:
                warm_up(server, *load)
                measured = measure(server, *load, chosen["seconds"])
            rounds.setdefault((name, method), []).append(measured)
            print(f"{name:9} {method:4} {measured}", flush=True)
    theirs = median(rounds["starlette", "POST"])
    reached = True
    for method in ("GET", "POST"):
        ours = median(rounds["sandbox", method])
        what = f"{method}: sandbox / bare Starlette, CPU each {ours.cpu_us / theirs.cpu_us:.2f}, requests a second"
        reached &= at_least(GOAL, ours.rate / theirs.rate, what)
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
