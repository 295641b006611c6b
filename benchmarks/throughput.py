"""How many accepted sends a second the endpoint makes, by GET and by JSON POST, against a bare Starlette JSON route.

Both servers run on one core, wrk on another, and the servers are loaded in turn, many times for a short while: what else
the machine does then slows neighbours alike, and the ratio is the median of those of neighbours. Numbers and texts differ
from one send to the next. The sandbox keeps what it is sent, and drops the oldest when it has its fill, as it does for a
user. A round in which the server's core was not busy says nothing, and is marked. Needs wrk and taskset.

    python benchmarks/throughput.py [--quick] [--rounds 11] [--seconds 2]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_least, sizes
from load import Round, compare, measure, sends, warm_up
from server import BASELINE, SANDBOX, running

GOAL = 1.0


def main() -> int:
    """Measure, print a table and the two ratios, and say whether they reach the goal."""
    chosen = sizes(
        __doc__,
        rounds=Size(11, 1, "how often each is measured"),
        seconds=Size(2, 2, "how long each time"),
    )
    scripts = {method: sends(method) for method in ("GET", "POST")}
    rounds: dict[tuple[str, str], list[Round]] = {}
    with running(BASELINE) as bare, running(SANDBOX) as sandbox:
        measured = (("starlette", "POST", bare), ("sandbox", "GET", sandbox), ("sandbox", "POST", sandbox))
        for _, method, server in measured:
            warm_up(server, scripts[method])
        for _ in range(chosen["rounds"]):
            for name, method, server in measured:
                each = measure(server, scripts[method], chosen["seconds"])
                rounds.setdefault((name, method), []).append(each)
                print(f"{name:9} {method:4} {each}", flush=True)
    reached = True
    for method in scripts:
        found = compare(rounds["sandbox", method], rounds["starlette", "POST"])
        reached &= at_least(
            GOAL, found.rate, f"{method}: requests a second, sandbox / bare Starlette, {found}; median"
        )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
