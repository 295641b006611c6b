"""The states of a scenario, as its rules have them."""

import pytest

from sandbox.core.match import When
from sandbox.core.scenario import Rule
from sandbox.core.states import Move, States, states_of


def rule(name: str, asked: str | None = None, to: str | None = None) -> Rule:
    return Rule(name, When(state=asked), set_state=to)


@pytest.mark.parametrize(
    ("rules", "states"),
    [
        ([], States(("start",), (), frozenset())),
        ([rule("a")], States(("start",), (), frozenset())),
        ([rule("a", "start", "start")], States(("start",), (), frozenset())),
        (
            [rule("back", "b", "start"), rule("c", "b", "c"), rule("b", "start", "b")],
            States(
                ("start", "b", "c"),
                (
                    Move("b", "start", ("back",)),
                    Move("b", "c", ("c",)),
                    Move("start", "b", ("b",)),
                ),
                frozenset(),
            ),
        ),
        (
            [rule("one", None, "down"), rule("two", None, "down")],
            States(("start", "down"), (Move(None, "down", ("one", "two")),), frozenset()),
        ),
        ([rule("slip", "dwon")], States(("start", "dwon"), (), frozenset({"dwon"}))),
        (
            [rule("far", "island", "isle")],
            States(
                ("start", "island", "isle"),
                (Move("island", "isle", ("far",)),),
                frozenset({"island", "isle"}),
            ),
        ),
    ],
)
def test_states_come_in_the_order_in_which_they_can_be_reached(rules: list[Rule], states: States) -> None:
    assert states_of(rules) == states
