"""How long from process start to the first answer, against a bare Starlette application under the same uvicorn.

The two are started in turn, many times, in one run; the medians are compared. Needs taskset.

    python benchmarks/startup.py [--quick] [--rounds 15]
"""

from __future__ import annotations

import compileall
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_most, sizes
from server import BASELINE, HERE, SANDBOX, running

GOAL = 1.6


def main() -> int:
    """Measure, print both medians and their ratio, and say whether it reaches the goal."""
    rounds = sizes(__doc__, rounds=Size(15, 5, "how often each is started"))["rounds"]
    # As an installed package is: pip compiles what it installs.
    compileall.compile_dir(HERE.parent / "sandbox", quiet=1)
    taken: dict[str, list[float]] = {"starlette": [], "sandbox": []}
    for _ in range(rounds + 1):
        for name, command in (("starlette", BASELINE), ("sandbox", SANDBOX)):
            began = time.perf_counter()
            with running(command):
                taken[name].append((time.perf_counter() - began) * 1000)
    # The first round reads files that later ones find in memory.
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    for name, median in medians.items():
        print(f"{name:9} {median:6.0f} ms from process start to the first answer (median of {rounds})")
    ratio = medians["sandbox"] / medians["starlette"]
    return 0 if at_most(GOAL, ratio, "sandbox / bare Starlette") else 1


if __name__ == "__main__":
    sys.exit(main())
