import pytest

from sandbox.core.match import When
from sandbox.core.model import Answer, Unreadable, Value
from sandbox.core.respond import EMPTY, blame, is_replaced, replacement
from sandbox.core.scenario import Fault, Fixed, Respond, Rule

TEXT = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("respond", "answer"),
    [
        (Respond(error=5), None),
        (Respond(delay=Fixed(1)), None),
        (Respond(fault=Fault.RESET), None),
        (Respond(fault=Fault.DRIP), None),
        (Respond(fault=Fault.EMPTY), EMPTY),
        (Respond(status=500), Answer(500, TEXT, "")),
        (Respond(status=500, body="no", delay=Fixed(1)), Answer(500, TEXT, "no")),
        (Respond(status=200, headers={"Content-Type": "text/html"}), Answer(200, "text/html", "")),
        (Respond(status=200, headers={"content-type": "text/html", "A": "b"}), Answer(200, "text/html", "")),
        (Respond(status=200, headers={"A": "b"}), Answer(200, TEXT, "")),
    ],
)
def test_only_a_status_and_emptiness_stand_in_place_of_an_answer(
    respond: Respond, answer: Answer | None
) -> None:
    assert replacement(respond, {}, None) == answer


@pytest.mark.parametrize(
    ("transaction_id", "body"), [("1000001", "+1 1000001 "), (None, "+1 mine ")], ids=["accepted", "not"]
)
def test_a_body_may_hold_the_parameters_and_the_transaction_id(transaction_id: str | None, body: str) -> None:
    respond = Respond(status=200, body="{{ to }} {{ transactionId }} {{ message }}{{ senderId }}")
    parameters: dict[str, Value] = {
        "to": "+1",
        "transactionId": "mine",
        "message": Unreadable("is not UTF-8", b"\xff"),
    }
    assert replacement(respond, parameters, transaction_id) == Answer(200, TEXT, body)


@pytest.mark.parametrize(
    ("respond", "expected"),
    [
        (None, False),
        (Respond(error=5, delay=Fixed(1)), False),
        (Respond(status=200), True),
        (Respond(fault=Fault.DRIP), True),
    ],
)
def test_a_status_or_a_fault_is_no_answer_of_the_api(respond: Respond | None, *, expected: bool) -> None:
    assert is_replaced(respond) == expected


@pytest.mark.parametrize(
    ("respond", "submit", "what"),
    [
        (None, True, None),
        (None, False, "accepts no message"),
        (Respond(delay=Fixed(1)), True, None),
        (Respond(delay=Fixed(1)), False, "accepts no message"),
        (Respond(status=200), True, None),
        (Respond(status=200), False, "answers HTTP 200"),
        (Respond(status=399), True, None),
        (Respond(status=400), True, "answers HTTP 400"),
        (Respond(status=503), False, "answers HTTP 503"),
        (Respond(fault=Fault.DRIP), True, None),
        (Respond(fault=Fault.DRIP), False, "breaks the answer: drip"),
        (Respond(fault=Fault.RESET), True, "breaks the answer: reset"),
        (Respond(fault=Fault.HANG), False, "breaks the answer: hang"),
    ],
)
def test_the_rule_is_named_where_the_client_gets_no_success(
    respond: Respond | None, what: str | None, *, submit: bool
) -> None:
    rule = Rule("r", When(), respond, submit=submit)
    assert blame(rule, "s") == (what and f"rule r of scenario s {what}")
