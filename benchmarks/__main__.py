"""All benchmarks one after the other, or some: each prints its figures, its goal, and whether that is reached.

    python -m benchmarks                      all of them, a quarter of an hour or more
    python -m benchmarks rules pending        these two
    python -m benchmarks --quick              small sizes: a look, not a measurement

Each can also be run alone, and then takes sizes: python benchmarks/rules.py --help. Compare figures within one run only,
on a machine that does nothing else. Exit code 1 when a goal is missed, or a benchmark breaks off.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "throughput",
    "startup",
    "memory",
    "rules",
    "pending",
    "lateness",
    "clients",
    "fixture",
    "pages",
    "events",
)


def main() -> int:
    """Run what is asked for, each in a process of its own, and say in the end which reached their goals."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="\n".join(["benchmarks:", *(f"  {name:11} {_purpose(name)}" for name in NAMES)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run; all when none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: a look, not a measurement")
    chosen = parser.parse_args()
    for name in chosen.names:
        if name not in NAMES:
            parser.error(f"there is no benchmark {name}: choose from {', '.join(NAMES)}")
    codes = {name: _run(name, is_quick=chosen.quick) for name in chosen.names or NAMES}
    print()
    for name, code in codes.items():
        print(f"{name:11} {'missed' if code else 'reached'}")
    return 1 if any(codes.values()) else 0


def _run(name: str, *, is_quick: bool) -> int:
    print(f"\n== {name}: {_purpose(name)}", flush=True)
    return subprocess.run(
        [sys.executable, HERE / f"{name}.py", *(["--quick"] if is_quick else [])],
        cwd=HERE.parent,
        check=False,
    ).returncode


def _purpose(name: str) -> str:
    """Return the first line of a benchmark's docstring."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text("utf-8"))) or ""
    return docstring.partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
