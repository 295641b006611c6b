"""The states of a scenario: which there are, which rules lead from one to another, and how to lay them out in a column.

Read off the rules; knows nothing of the state that a session is in, nor of how a picture is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.core.decide import START

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.core.scenario import Rule


class Move(NamedTuple):
    """A way from one state to another."""

    source: str | None
    """None: from whichever state there is."""
    target: str
    rules: tuple[str, ...]
    """The names of those that lead there."""


class States(NamedTuple):
    """All states of a scenario, in the order in which they can be reached, and the ways between them."""

    names: tuple[str, ...]
    moves: tuple[Move, ...]
    unreachable: frozenset[str]
    """Those that rules ask for and none leads to: most likely a slip of the pen."""


def states_of(rules: Iterable[Rule]) -> States:
    """Return the states that *rules* lead to or ask for; the first state alone where they know no other."""
    moves: dict[tuple[str | None, str], list[str]] = {}
    asked: list[str] = []
    for rule in rules:
        if rule.when.state is not None:
            asked.append(rule.when.state)
        if rule.set_state is not None and rule.set_state != rule.when.state:
            moves.setdefault((rule.when.state, rule.set_state), []).append(rule.name)
    names = [START]
    for name in names:  # grows as it goes: a walk from the first state on
        for source, target in moves:
            if source in {None, name} and target not in names:
                names.append(target)
    unreachable = [each for each in (*asked, *(target for _, target in moves)) if each not in names]
    return States(
        (*names, *dict.fromkeys(unreachable)),
        tuple(Move(source, target, tuple(by)) for (source, target), by in moves.items()),
        frozenset(unreachable),
    )
