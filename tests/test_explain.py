"""What an explanation says of a request, and that asking for one leaves no trace."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app import build_engine
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.checks import CHECKS
from sandbox.core.match import When
from sandbox.core.model import Account, Accounts, Call, RateLimit
from sandbox.core.scenario import Respond, Rule, Scenario
from sandbox.engine import Engine
from sandbox.explain import Explanation, Verdict, explanation

VALID = {"user": "you@example.com", "apiKey": "secret", "to": "+1222333444", "message": "Hello"}


def engine(scenario: Scenario | None = None, **readings: str) -> Engine:
    clock = VirtualClock(datetime(2024, 1, 15, 10, 30, 45, tzinfo=UTC))
    return build_engine(Config(readings=readings), scenario=scenario or Scenario(name="plain"), clock=clock)


def explain(world: Engine, call: Call) -> Explanation:
    return explanation(call, *world.preview(call), world.readings)


def post(**parameters: str) -> Call:
    return Call("POST", "/sendMtSms.php", {**VALID, **parameters})


def verdicts(explained: Explanation) -> list[Verdict]:
    return [row.verdict for row in explained.checks]


def test_an_accepted_message_passed_every_check() -> None:
    explained = explain(engine(), post())
    assert explained.accepted
    assert (explained.error, explained.rule) == (None, None)
    assert set(verdicts(explained)) == {Verdict.PASSED}
    assert explained.answer.body == "OK_1000001"


def test_the_checks_stand_in_the_order_in_which_they_are_made() -> None:
    explained = explain(engine(), post())
    assert [(row.about, row.code) for row in explained.checks] == [
        (check.about, check.code) for check in CHECKS
    ]


@pytest.mark.parametrize(
    ("parameters", "about", "code"),
    [
        ({"user": ""}, "user", 1),
        ({"apiKey": ""}, "apiKey", 2),
        ({"senderId": "ABCDEFGHIJKL"}, "senderId", 4),
        ({"to": "recipient"}, "to", 5),
        ({"dcs": "5"}, "dcs", 14),
        ({"udh": "05"}, "udh", 10),
        ({"message": "€"}, "message", 8),
        ({"message": "a" * 161}, "length", 13),
        ({"validityPeriod": "soon"}, "times", 12),
    ],
)
def test_a_refusal_names_its_check_and_leaves_those_after_it_unreached(
    parameters: dict[str, str], about: str, code: int
) -> None:
    explained = explain(engine(), post(**parameters))
    assert not explained.accepted
    assert explained.error == code
    failed = [row for row in explained.checks if row.verdict is Verdict.FAILED]
    assert [(row.about, row.code) for row in failed] == [(about, code)]
    assert failed[0].reason == explained.reason
    position = explained.checks.index(failed[0])
    assert set(verdicts(explained)[:position]) <= {Verdict.PASSED}
    assert set(verdicts(explained)[position + 1 :]) <= {Verdict.NOT_REACHED}
    assert explained.answer.body == f"ERROR_{code}"


def test_a_check_that_a_reading_has_refuse_with_another_code_shows_that_code() -> None:
    explained = explain(engine(validity_error="8"), post(validityPeriod="soon"))
    failed = [(row.about, row.code) for row in explained.checks if row.verdict is Verdict.FAILED]
    assert failed == [("times", 8)]


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", "/sendMtSms.php", VALID, too_large=True),
        Call("POST", "/sendMtSms.php", VALID, unreadable_body="the body is not JSON"),
    ],
)
def test_a_body_that_cannot_be_read_reaches_no_check(call: Call) -> None:
    explained = explain(engine(), call)
    assert explained.error == 8
    assert set(verdicts(explained)) == {Verdict.NOT_REACHED}


@pytest.mark.parametrize(
    ("before_checks", "submit", "verdict"),
    [
        (True, False, Verdict.NOT_REACHED),
        (True, True, Verdict.PASSED),
        (False, False, Verdict.PASSED),
        (False, True, Verdict.PASSED),
    ],
)
def test_a_rule_decides_before_the_checks_or_after_them(
    *, before_checks: bool, submit: bool, verdict: Verdict
) -> None:
    rule = Rule("roaming", When(), respond=Respond(error=3), submit=submit, before_checks=before_checks)
    explained = explain(engine(Scenario(name="one-rule", rules=(rule,))), post())
    assert (explained.rule, explained.error, explained.accepted) == ("roaming", 3, submit)
    assert set(verdicts(explained)) == {verdict}


@pytest.mark.parametrize(
    ("parameters", "facts"),
    [
        ({}, ("GSM7", 5, 160, None)),
        ({"message": "Código"}, ("UCS2", 6, 70, None)),
        ({"message": "a€", "dcs": "1"}, ("GSM7", 3, 160, "U+20AC at position 2 costs 2")),
        ({"message": "a😀", "dcs": "8"}, ("UCS2", 3, 70, "U+1F600 at position 2 costs 2")),
        ({"message": "C3A9", "dcs": "4"}, ("OCTETS", 2, 140, None)),
        ({"udh": "050003CC0201"}, ("GSM7", 5, 153, None)),
        ({"udh": ""}, ("GSM7", 5, 160, None)),
        ({"message": "a" * 161}, ("GSM7", 161, 160, None)),
        ({"to": "recipient"}, ("GSM7", 5, 160, None)),
        ({"transactionId": "\n"}, ("GSM7", 5, 160, None)),
    ],
)
def test_the_encoding_is_told_even_where_the_message_is_refused(
    parameters: dict[str, str], facts: tuple[str, int, int, str | None]
) -> None:
    encoding = explain(engine(), post(**parameters)).encoding
    assert encoding is not None
    assert (encoding.encoded.coding, encoding.encoded.used, encoding.room, encoding.dear) == facts


@pytest.mark.parametrize("parameters", [{"message": ""}, {"message": "€"}, {"dcs": "5"}, {"udh": "05"}])
def test_what_cannot_be_encoded_has_no_encoding(parameters: dict[str, str]) -> None:
    assert explain(engine(), post(**parameters)).encoding is None


@pytest.mark.parametrize(
    ("udh", "meanings"),
    [
        ("050003CC0201", ["part 1 of 2, reference 204"]),
        ("0608041234FF0A", ["part 10 of 255, reference 4660"]),
        ("060504158A158B", ["to port 5514, from port 5515"]),
        ("0404020A0B", ["to port 10, from port 11"]),
        ("03700101", ["carried as it is"]),
        ("0100", []),
        ("0904020A0B0003CC0201", ["to port 10, from port 11", "part 1 of 2, reference 204"]),
    ],
)
def test_each_element_of_the_header_is_told(udh: str, meanings: list[str]) -> None:
    shown = explain(engine(), post(udh=udh)).to_json()
    assert shown["error"] is None
    assert [element["meaning"] for element in shown["encoding"]["elements"]] == meanings
    assert shown["encoding"]["flash"] is (udh == "0100")


def test_the_json_form() -> None:
    explained = explain(engine(), post(udh="050003CC0201", responseType="xml"))
    assert explained.to_json() == {
        "accepted": True,
        "error": None,
        "reason": None,
        "hints": [],
        "checks": [
            {"about": check.about, "code": check.code, "verdict": "passed", "reason": None}
            for check in CHECKS
        ],
        "encoding": {
            "coding": "GSM7",
            "used": 5,
            "room": 153,
            "unit": "septets",
            "octets": "050003CC0201906536FB0D",
            "dear": None,
            "flash": False,
            "elements": [{"iei": 0, "data": "CC0201", "meaning": "part 1 of 2, reference 204"}],
        },
        "rule": None,
        "answer": {
            "status": 200,
            "contentType": "application/xml; charset=utf-8",
            "body": "<response><status>OK</status><transactionId>1000001</transactionId></response>",
        },
    }


def test_hints_are_told() -> None:
    assert explain(engine(), post(senderId="")).hints == ("senderId is empty and counts as absent",)


def test_a_preview_leaves_no_trace() -> None:
    """Neither records nor the rate limit, nor what rules count, nor the next transaction id."""
    account = Account("you@example.com", "secret", balance=1, rate_limit=RateLimit(1, 60), queue_limit=1)
    once = Rule("once", When(nth=frozenset({1})), respond=Respond(error=6), submit=False)
    world = engine(
        Scenario(name="tight", accounts=Accounts({"you@example.com": account}, anyone=False), rules=(once,))
    )
    for _ in range(3):
        assert explain(world, post()).rule == "once"
    assert world.store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
    record = world.handle(post())
    assert (record.number, record.rule, record.error) == (1, "once", 6)


parameter = st.sampled_from([*VALID, "dcs", "udh", "senderId", "validityPeriod", "transactionId"])


@given(st.dictionaries(parameter, st.one_of(st.text(max_size=20), st.sampled_from(["0", "8", "0100"]))))
def test_any_parameters_are_explained_as_they_are_answered(parameters: dict[str, str]) -> None:
    call = Call("POST", "/sendMtSms.php", parameters)
    world = engine()
    explained = explain(world, call)
    failed = [row.reason for row in explained.checks if row.verdict is Verdict.FAILED]
    # A message that is accepted goes on the agenda, for which an event loop must run.
    if explained.accepted:
        assert (failed, explained.answer.status) == ([], 200)
        return
    record = world.handle(call)
    assert (explained.error, explained.reason) == (record.error, record.reason)
    assert (explained.answer, explained.hints) == (record.answer, record.hints)
    assert failed == [record.reason]
