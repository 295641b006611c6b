"""The magic destinations of the default scenario from outside: what clients and receivers get to see."""

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from sandbox.contract import error_codes
from sandbox.core.model import CallbackState
from sandbox.web import faults
from tests.served import Served, served
from tests.worlds import REPORTED

HOURS_48 = 48 * 3600.0


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Served) -> Served:
    server.start_afresh()
    return server


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no real time pass over an answer, and return how many seconds were to."""
    seconds: list[float] = []

    async def pass_at_once(line: faults.Line, pause_s: float) -> bool:
        assert line.connection is not None
        seconds.append(pause_s)
        return True

    monkeypatch.setattr(faults.Line, "pause", pass_at_once)
    return seconds


def to(number: str) -> dict[str, str]:
    return {**REPORTED, "to": f"+1500555{number}", "transactionId": "order_1"}


def reported(sandbox: Served) -> list[tuple[float, str, float]]:
    """Return each report: when it was sent, what it says, and of when, in seconds after the message came."""
    sent = []
    (message,) = sandbox.messages
    came_at = message.received_at
    for callback in sandbox.callbacks:
        assert callback.state is CallbackState.DELIVERED
        (attempt,) = callback.attempts
        report = json.loads(callback.body or "")
        happened_at = datetime.fromisoformat(report["timestamp"])
        moments_s = ((at - came_at).total_seconds() for at in (attempt.at, happened_at))
        sent.append((next(moments_s), report["status"], next(moments_s)))
    return sorted(sent)


# -- +150055500NN answers ERROR_N ------------------------------------------------------------------


@pytest.mark.parametrize("code", [row.code for row in error_codes()])
def test_a_destination_for_each_error_code(sandbox: Served, code: int) -> None:
    heard = sandbox.call(to(f"{code:04}"))
    sandbox.advance(60)
    assert (heard.status, heard.body) == (200, f"ERROR_{code}")
    assert heard.headers["x-sandbox-error"].startswith(
        f"rule error-{code} of scenario default answers {code}: "
    )
    assert (sandbox.record.error, sandbox.record.rule) == (code, f"error-{code}")
    assert [message.status for message in sandbox.messages] == (["delivered"] if code == 3 else [])
    assert len(sandbox.carrier.parcels) == len(sandbox.messages)


# -- +15005551NNN chooses a delivery ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reports", "status"),
    [
        ("1001", [(0, "delivered", 0)], "delivered"),
        ("1002", [(1, "accepted", 1), (2, "enroute", 2), (3, "delivered", 3)], "delivered"),
        ("1003", [(1, "undeliverable", 1)], "undeliverable"),
        ("1004", [(HOURS_48, "expired", HOURS_48)], "expired"),
        ("1005", [(1, "rejected", 1)], "rejected"),
        ("1006", [], "pending"),
        ("1007", [(1, "delivered", 1), (1, "delivered", 1)], "delivered"),
        ("1008", [(3, "delivered", 3), (4, "accepted", 1), (5, "enroute", 2)], "delivered"),
        ("1009", [(0, "delivered", 0)], "delivered"),
        ("1010", [(60, "delivered", 60)], "delivered"),
        ("1012", [(1, "unknown", 1)], "unknown"),
        ("9999", [(1, "delivered", 1)], "delivered"),
    ],
)
def test_a_destination_for_each_delivery(
    sandbox: Served, number: str, reports: list[tuple[float, str, float]], status: str
) -> None:
    assert sandbox.call(to(number)).body == "OK_order_1"
    sandbox.advance(7 * 86_400)
    assert reported(sandbox) == reports
    (message,) = sandbox.messages
    assert message.status == status


def test_a_message_that_expires_does_so_at_the_end_of_its_validity(sandbox: Served) -> None:
    sandbox.call({**to("1004"), "validityPeriod": "90"})
    assert sandbox.advance(89) == 0
    assert sandbox.advance(1) == 1
    assert reported(sandbox) == [(90, "expired", 90)]


def test_a_report_that_is_no_json(sandbox: Served) -> None:
    sandbox.call(to("1011"))
    assert sandbox.advance(1) == 1
    (parcel,) = sandbox.carrier.parcels
    assert parcel.body == '{"transactionId": "order_1", "status": "delivered", "destination": '
    assert parcel.headers["Content-Type"] == "application/json"


def test_a_report_that_arrives_before_the_answer(sandbox: Served) -> None:
    assert sandbox.call(to("1009")).body == "OK_order_1"
    (callback,) = sandbox.callbacks
    assert callback.state is CallbackState.DELIVERED
    assert sandbox.engine.clock.now() == sandbox.record.at


# -- +15005552NNN breaks the transport -------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "answer", "headers"),
    [
        ("2001", (500, "Internal Server Error"), {"content-type": "text/plain"}),
        ("2002", (503, "Service Unavailable"), {"content-type": "text/plain", "retry-after": "2"}),
        ("2005", (200, ""), {"content-length": "0"}),
        ("2009", (429, "Too Many Requests"), {"content-type": "text/plain", "retry-after": "1"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_destinations_with_another_answer(
    sandbox: Served, method: str, number: str, answer: tuple[int, str], headers: dict[str, str]
) -> None:
    heard = sandbox.call(to(number), method)
    assert ((heard.status, heard.body), heard.is_reset) == (answer, False)
    assert heard.headers.items() >= headers.items()
    assert heard.headers["x-sandbox-request-id"] == "r1"
    assert (sandbox.record.answer.status, sandbox.record.answer.body) == answer
    assert (sandbox.record.error, sandbox.messages) == (None, [])


def test_html_instead_of_the_answer(sandbox: Served) -> None:
    heard = sandbox.call(to("2006"))
    assert (heard.status, heard.headers["content-type"]) == (200, "text/html")
    assert heard.body.startswith("<html>")
    assert heard.body.endswith("</html>")
    assert sandbox.messages == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_reset_before_any_byte(sandbox: Served, method: str) -> None:
    heard = sandbox.call(to("2003"), method)
    assert (heard.octets, heard.is_reset) == (b"", True)
    assert sandbox.messages == []
    assert sandbox.record.rule == "reset"


def test_half_an_answer_then_the_end(sandbox: Served) -> None:
    heard = sandbox.call(to("2004"))
    assert (heard.status, heard.headers["content-length"]) == (200, "10")
    assert (heard.body, heard.is_reset) == ("OK_or", False)
    assert sandbox.messages == []


def test_an_answer_after_half_a_minute_of_real_time(sandbox: Served, pauses: list[float]) -> None:
    heard = sandbox.call(to("2007"))
    assert (heard.body, pauses) == ("OK_order_1", [30.0])
    assert sandbox.engine.clock.now() == sandbox.record.at
    assert len(sandbox.messages) == 1


def test_one_byte_a_second(sandbox: Served, pauses: list[float]) -> None:
    heard = sandbox.call(to("2008"))
    assert (heard.body, heard.headers["content-length"]) == ("OK_order_1", "10")
    assert pauses == [1.0] * 9
    assert "x-sandbox-error" not in heard.headers
    assert len(sandbox.messages) == 1


def test_http_500_twice_for_each_sender_then_it_works(sandbox: Served) -> None:
    answers = [
        sandbox.call({**to("2010"), "senderId": sender}).status
        for sender in ("ONE", "ONE", "TWO", "ONE", "TWO", "TWO", "ONE")
    ]
    assert answers == [500, 500, 500, 200, 500, 200, 200]
    assert len(sandbox.messages) == 3


def test_accepted_and_delivered_but_the_answer_is_lost(sandbox: Served) -> None:
    heard = sandbox.call(to("2011"))
    assert (heard.octets, heard.is_reset) == (b"", True)
    assert sandbox.advance(1) == 1
    (message,) = sandbox.messages
    assert (message.transaction_id, message.status) == ("order_1", "delivered")
    assert (sandbox.record.answer.body, sandbox.record.message_number) == ("OK_order_1", 1)


# -- credentials -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({"apiKey": "invalid"}, "ERROR_2"),
        ({"apiKey": "valid"}, "OK_order_1"),
        ({"user": "disabled@example.com"}, "ERROR_1"),
        ({"user": "disabled@example.com", "apiKey": "invalid"}, "ERROR_1"),
        ({"user": "", "apiKey": "invalid"}, "ERROR_1"),
    ],
)
def test_credentials_that_never_work(sandbox: Served, parameters: dict[str, str], answer: str) -> None:
    assert sandbox.call({**to("9999"), **parameters}).body == answer
