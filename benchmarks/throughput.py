"""How many accepted sends a second the endpoint makes, by GET and by JSON POST, against a bare Starlette JSON route.

Both servers run on one core, wrk on another, and the servers are loaded in turn, many times for a short while: what else
the machine does then slows neighbours alike, and the ratio is the median of those of neighbours. Numbers and texts differ
from one send to the next. The sandbox keeps what it is sent, and drops the oldest when it has its fill, as it does for a
user. A round in which the server's core was not busy says nothing, and is marked. Needs wrk and taskset.

    python benchmarks/throughput.py [--quick] [--rounds 11] [--seconds 2]
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_least, sizes
from load import BUSY, Round, measure, sends, warm_up
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
    theirs = rounds["starlette", "POST"]
    reached = [_compared(method, rounds["sandbox", method], theirs) for method in scripts]
    return 0 if all(reached) else 1


def _compared(method: str, ours: list[Round], theirs: list[Round]) -> bool:
    """Print what the rounds make against those beside them, and say whether it reaches the goal."""
    pairs = [
        (own, other) for own, other in zip(ours, theirs, strict=True) if min(own.busy, other.busy) >= BUSY
    ]
    if not pairs:
        print(f"{method}: no round counts, as the servers' core was never busy", flush=True)
        return False
    ratios = sorted(own.rate / other.rate for own, other in pairs)
    cpu = statistics.median(own.cpu_us / other.cpu_us for own, other in pairs)
    what = (
        f"{method}: requests a second, sandbox / bare Starlette, {ratios[0]:.2f} to {ratios[-1]:.2f} "
        f"in {len(pairs)} rounds; CPU each {cpu:.2f}; median"
    )
    return at_least(GOAL, statistics.median(ratios), what)


if __name__ == "__main__":
    sys.exit(main())
