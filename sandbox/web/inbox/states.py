"""The states of a scenario as a picture: a column of boxes, and beside it a lane for each way from one to another.

Geometry alone, in pixels: what is drawn is said in words beside it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.core.states import Move, States

MOST: Final = 24
"""So many states or ways are drawn; more are only told."""

_ROW: Final = 60
_BOX: Final = 38
_LANE: Final = 26
_ROUND: Final = 8
_LONGEST: Final = 20  # characters of a name in a box
_CHARACTER: Final = 7.6


class Box(NamedTuple):
    """One state."""

    name: str
    shown: str
    y: int
    is_now: bool
    is_any: bool
    """It stands for whichever state there is."""


class RuleLink(NamedTuple):
    """A rule that leads somewhere."""

    name: str
    href: str


class Way(NamedTuple):
    """A way from one state to another."""

    number: int
    source: str | None
    target: str
    rules: tuple[RuleLink, ...]
    is_open: bool
    """Whether it begins in the state that the scenario is in."""
    line: str = ""
    """Its path; empty where nothing is drawn."""
    tip: str = ""
    x: float = 0
    y: float = 0
    """Where its number stands."""


class Picture(NamedTuple):
    """States, ways, and the room that they take."""

    now: str
    boxes: tuple[Box, ...]
    """None where there are too many to draw."""
    ways: tuple[Way, ...]
    unreachable: tuple[str, ...]
    width: int
    height: int
    box_width: int
    box_height: int = _BOX


def picture(states: States, now: str, href: Callable[[str], str]) -> Picture | None:
    """Return the picture of *states* while the scenario is in the state *now*; None where there is but one.

    Args:
        states: those of the scenario.
        now: the one that it is in.
        href: returns the link to a rule.
    """
    names = states.names if now in states.names else (*states.names, now)
    if len(names) == 1:
        return None
    ways = tuple(
        Way(
            number,
            move.source,
            move.target,
            tuple(RuleLink(name, href(name)) for name in move.rules),
            move.source in {None, now},
        )
        for number, move in enumerate(states.moves, 1)
    )
    unreachable = tuple(name for name in names if name in states.unreachable)
    if len(names) > MOST or len(ways) > MOST:
        return Picture(now, (), ways, unreachable, 0, 0, 0)
    rows: list[str | None] = [*names]
    if any(way.source is None for way in ways):
        rows.append(None)
    boxes = tuple(
        Box(name or "", _cut(name or "any state"), row * _ROW + 1, name == now, name is None)
        for row, name in enumerate(rows)
    )
    width = round(max(len(box.shown) for box in boxes) * _CHARACTER) + 28
    places = {name: row for row, name in enumerate(rows)}
    lanes = _lanes(states.moves, places)
    ends = _ends(states.moves, places)
    drawn = tuple(
        _drawn(way, ends[way.number, True], ends[way.number, False], lane, width)
        for way, lane in zip(ways, lanes, strict=True)
    )
    return Picture(
        now,
        boxes,
        drawn,
        unreachable,
        width + (max(lanes, default=-1) + 1) * _LANE + 24,
        len(rows) * _ROW - _ROW + _BOX + 2,
        width,
    )


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _lanes(moves: Sequence[Move], places: dict[str | None, int]) -> list[int]:
    """Return the lane of each way, 0 next to the boxes: short ones inside, and none beside another on one stretch."""
    spans = [tuple(sorted((places[move.source], places[move.target]))) for move in moves]
    lanes = [0] * len(moves)
    taken: list[list[tuple[int, ...]]] = []
    for index in sorted(range(len(moves)), key=lambda index: spans[index][1] - spans[index][0]):
        low, high = spans[index]
        lane = next(
            (lane for lane, there in enumerate(taken) if all(high <= a or low >= b for a, b in there)),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes[index] = lane
    return lanes


def _ends(moves: Sequence[Move], places: dict[str | None, int]) -> dict[tuple[int, bool], float]:
    """Return how high each way leaves (True) and arrives (False), by its number, so that few lines cross."""
    at: dict[int, list[tuple[tuple[int, int], int, bool]]] = {}
    for number, move in enumerate(moves, 1):
        for here, there, leaves in ((move.source, move.target, True), (move.target, move.source, False)):
            far = places[there] - places[here]
            at.setdefault(places[here], []).append(((far > 0, -far), number, leaves))
    return {
        (number, leaves): row * _ROW + 1 + _BOX * (position + 1) / (len(there) + 1)
        for row, there in at.items()
        for position, (_, number, leaves) in enumerate(sorted(there))
    }


def _drawn(way: Way, start: float, end: float, lane: int, width: int) -> Way:
    x = width + 20 + lane * _LANE
    bend = _ROUND if end > start else -_ROUND
    line = (
        f"M{width} {start:g}H{x - _ROUND}Q{x} {start:g} {x} {start + bend:g}V{end - bend:g}"
        f"Q{x} {end:g} {x - _ROUND} {end:g}H{width + 6}"
    )
    tip = f"M{width + 1} {end:g}l7 -4v8z"
    return way._replace(line=line, tip=tip, x=x, y=(start + end) / 2)
