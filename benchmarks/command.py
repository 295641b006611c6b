"""How a benchmark is asked, and how it says what it has found: its sizes as options, its goals as last lines."""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Size(NamedTuple):
    """A number that can be chosen: what it usually is, and with ``--quick``."""

    usual: int
    quick: int
    help: str


def sizes(doc: str | None, **known: Size) -> dict[str, int]:
    """Return what the command line chooses, by name; *doc* is what ``--help`` says of the benchmark."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: a look, not a measurement")
    for name, size in known.items():
        parser.add_argument(
            f"--{name}", type=int, metavar="N", help=f"{size.help} ({size.usual}; quick: {size.quick})"
        )
    chosen = vars(parser.parse_args())
    return {
        name: chosen[name] or (size.quick if chosen["quick"] else size.usual) for name, size in known.items()
    }


def at_least(goal: float, figure: float, what: str) -> bool:
    """Say whether *figure* reaches a goal that is a lower bound."""
    return _say(f"{what} = {figure:.2f}; goal: at least {goal:.2f}", is_reached=figure >= goal)


def at_most(goal: float, figure: float, what: str) -> bool:
    """Say whether *figure* reaches a goal that is an upper bound."""
    return _say(f"{what} = {figure:.2f}; goal: at most {goal:.2f}", is_reached=figure <= goal)


def _say(sentence: str, *, is_reached: bool) -> bool:
    print(f"{sentence}: {'reached' if is_reached else 'missed'}", flush=True)
    return is_reached
