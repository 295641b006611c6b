"""How long from process start to the first answer, against a bare Starlette application under the same uvicorn.

The two are started in turn, many times, in one run; the medians are compared. Needs taskset.

    python benchmarks/startup.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import compileall
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from server import BASELINE, HERE, SANDBOX, running

GOAL = 1.6


def main() -> int:
    """Measure, print both medians and their ratio, and say whether it reaches the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
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
    print(
        f"sandbox / bare Starlette = {ratio:.2f}; goal: at most {GOAL}: {'reached' if ratio <= GOAL else 'missed'}"
    )
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
