"""Why a request that is kept was answered as it was: which check refused it, worked out later."""

from typing import Any

import pytest

from sandbox.core.checks import CHECKS
from sandbox.core.model import Account, Call, RateLimit
from sandbox.explain import Verdict, explain
from sandbox.hindsight import hindsight
from sandbox.sources import written
from tests.worlds import USER, VALID, World, get, world

ACCOUNT = Account(user=USER, api_key="key")
ALL, NONE = len(CHECKS) + 1, 0


def failed_at(of: World, call: Call) -> int:
    """Return the position of the check that refused a call: 0 for none reached, one past the last for all passed."""
    verdicts = [check.verdict for check in hindsight(of.engine, of.engine.handle(call)).checks]
    passed = sum(verdict is Verdict.PASSED for verdict in verdicts)
    failed = [position for position, verdict in enumerate(verdicts, 1) if verdict is Verdict.FAILED]
    rest = verdicts[passed + len(failed) :]
    assert set(rest) <= {Verdict.NOT_REACHED}
    if failed:
        assert failed == [passed + 1]
        return failed[0]
    return ALL if passed == len(CHECKS) else passed


def position_of(about: str) -> int:
    return next(position for position, check in enumerate(CHECKS, 1) if check.about == about)


@pytest.mark.parametrize(
    ("parameters", "about"),
    [
        ({"user": ""}, "user"),
        ({"apiKey": "wrong"}, "apiKey"),
        ({"senderId": "?"}, "senderId"),
        ({"to": "recipient"}, "to"),
        ({"dcs": "9"}, "dcs"),
        ({"udh": "0"}, "udh"),
        ({"message": ""}, "message"),
        ({"transactionId": "x" * 256}, "message"),
        ({"message": "x" * 161}, "length"),
        ({"validityPeriod": "never"}, "times"),
    ],
)
def test_the_check_that_refused_is_found_again(parameters: dict[str, str], about: str) -> None:
    assert failed_at(world(ACCOUNT), get({**VALID, **parameters})) == position_of(about)


@pytest.mark.parametrize(
    ("account", "sends", "about"),
    [
        ({"balance": 1}, 2, "balance"),
        ({"queue_limit": 1}, 2, "queue"),
        ({"rate_limit": RateLimit(1, 60)}, 2, "rate limit"),
        ({"disabled": True}, 1, "user"),
        ({"unsupported": frozenset({"dcs:0"})}, 1, "supported"),
        ({"sender_ids": frozenset({"A"})}, 1, "senderId"),
    ],
)
def test_checks_of_the_account_are_found_again_whatever_it_stands_at_now(
    account: dict[str, Any], sends: int, about: str
) -> None:
    of = world(ACCOUNT._replace(**account))
    for _ in range(sends - 1):
        of.accept(senderId="A")
    assert failed_at(of, get({**VALID, "senderId": "B"})) == position_of(about)


def test_a_reading_that_gives_a_check_another_code_does_not_mislead() -> None:
    of = world(ACCOUNT, validity_error="8")
    assert failed_at(of, get({**VALID, "validityPeriod": "never"})) == position_of("times")
    assert failed_at(of, get({**VALID, "message": ""})) == position_of("message")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (get(VALID), ALL),
        (Call("PUT", "/sendMtSms.php", VALID), NONE),
        (get(VALID)._replace(too_large=True), NONE),
        (get(VALID)._replace(unreadable_body="it is no JSON"), NONE),
    ],
)
def test_all_were_passed_or_none_was_reached(call: Call, expected: int) -> None:
    assert failed_at(world(), call) == expected


@pytest.mark.parametrize(
    ("rule", "parameters", "expected"),
    [
        ("respond: {status: 503}, before_checks: true", {}, NONE),
        ("respond: {error: 7}, before_checks: true", {"to": "x"}, NONE),
        ("respond: {error: 7}", {}, ALL),
        ("respond: {delay: 1ms}, before_checks: true", {}, ALL),
        ("respond: {delay: 1ms}, before_checks: true", {"to": "x"}, 7),
        ("respond: {status: 200}, submit: true, before_checks: true", {"to": "x"}, 7),
        ("respond: {error: 3}", {}, ALL),
    ],
)
def test_a_rule_that_decides_does_not_hide_the_checks(
    rule: str, parameters: dict[str, str], expected: int
) -> None:
    of = world(scenario=written(f"name: x\nrules: [{{name: r, {rule}}}]").scenario)
    assert failed_at(of, get({**VALID, **parameters})) == expected


@pytest.mark.parametrize(
    "parameters", [{}, {"to": "recipient"}, {"user": "down"}, {"to": "+34600000001", "senderId": "MAYBE"}]
)
def test_hindsight_sees_what_an_explanation_foresaw(parameters: dict[str, str]) -> None:
    yaml = """
name: x
rules:
  - {name: down, when: {user: down}, before_checks: true, respond: {status: 503}}
  - {name: third, when: {to: {prefix: "+34"}, nth: 3}, respond: {error: 6}}
  - {name: maybe, when: {senderId: MAYBE, probability: 0.5}, respond: {error: 7}}
"""
    of = world(scenario=written(yaml).scenario)
    call = get({**VALID, **parameters})
    for _ in range(5):
        foreseen = explain(of.engine, call)
        seen = hindsight(of.engine, of.engine.handle(call))
        assert seen.checks == foreseen.checks
        assert seen.rules == foreseen.rules
        assert seen.drawn == foreseen.drawn


def test_the_rules_of_then_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    of = world()
    record = of.send(to="recipient")
    monkeypatch.setattr(of.engine, "decided_by", lambda _: None)
    checks, rules, drawn = hindsight(of.engine, record)
    assert (checks[6].verdict, rules, drawn) == (Verdict.FAILED, None, ())
