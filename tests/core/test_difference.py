"""What differs between two scenarios, in words."""

from datetime import timedelta

import pytest

from sandbox.core.difference import differences
from sandbox.core.match import Exact, Regex, When
from sandbox.core.model import Accounts
from sandbox.core.scenario import CallbackSettings, Respond, Rule, Scenario, Step


def rule(name: str, error: int = 6, when: When | None = None) -> Rule:
    return Rule(name, when or When(), Respond(error=error))


BEFORE = Scenario("s", rules=(rule("a"), rule("b"), rule("c")))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (BEFORE, ()),
        (Scenario("s", rules=(rule("a"), rule("b", 7), rule("c"))), ("rule b changed",)),
        (Scenario("s", rules=(rule("a"), rule("c"))), ("rule b removed",)),
        (Scenario("s", rules=(rule("x"), rule("a"), rule("b"), rule("c"))), ("rule x added",)),
        (Scenario("s", rules=(rule("b"), rule("a"), rule("c"))), ("rules are in another order",)),
        (Scenario("t", rules=BEFORE.rules, seed=1), ("name changed", "seed changed")),
        (Scenario("s", rules=BEFORE.rules, accounts=Accounts()), ("accounts changed",)),
        (Scenario("s", rules=BEFORE.rules, timeline=(Step(timedelta(), "x"),)), ("default changed",)),
        (Scenario("s", rules=BEFORE.rules, callbacks=CallbackSettings(timeout_s=1)), ("callbacks changed",)),
        (Scenario("s", rules=BEFORE.rules, readings={"errors": "envelope"}), ("readings changed",)),
    ],
)
def test_what_was_changed_is_told(after: Scenario, told: tuple[str, ...]) -> None:
    assert differences(BEFORE, after) == told


def test_the_same_regular_expression_read_twice_is_no_change() -> None:
    def matching(pattern: str) -> Scenario:
        return Scenario("s", rules=(rule("a", when=When(texts=(("to", Regex(pattern, lambda _: True)),))),))

    assert differences(matching("a+"), matching("a+")) == ()
    assert differences(matching("a+"), matching("b+")) == ("rule a changed",)


def test_another_text_is_a_change() -> None:
    one, other = (Scenario("s", rules=(rule("a", when=When(texts=(("to", Exact(to)),))),)) for to in "12")
    assert differences(one, other) == ("rule a changed",)
