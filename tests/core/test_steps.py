"""What a step says besides its status: a report before the answer, and a body of its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import contract
from sandbox.core import udh
from sandbox.core.coding import Coding, Encoded
from sandbox.core.model import Change, Message, Submission
from sandbox.core.report import compose
from sandbox.core.scenario import Step
from sandbox.core.timeline import plan

NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)
URL = "http://localhost:9000/dlr"
DESCRIPTIONS = {row.code: row.description for row in contract.error_codes()}
HEADER = udh.parse_hex("0100")
assert isinstance(HEADER, udh.Udh)

PLAIN = Submission(
    user="you@example.com",
    destination="+34600000001",
    sender_id=None,
    dcs=0,
    encoded=Encoded(Coding.GSM7, 4, "Hola"),
    udh=None,
    transaction_id=None,
    confirmation=True,
    callback_url=URL,
    unreported=None,
    scheduled_at=None,
    expires_at=None,
)
FULL = PLAIN._replace(
    sender_id="VERIFY",
    dcs=8,
    udh=HEADER,
    scheduled_at=NOON,
    expires_at=NOON + timedelta(hours=1),
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def step(after_s: float, status: str, *, before_answer: bool = False) -> Step:
    return Step(timedelta(seconds=after_s), status, before_answer=before_answer)


# -- before the answer -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ([step(0, "delivered", before_answer=True)], [(-60, "delivered")]),
        ([step(5, "delivered", before_answer=True)], [(-60, "delivered")]),
        (
            [step(0, "enroute"), step(5, "accepted", before_answer=True), step(9, "delivered")],
            [(-60, "accepted"), (0, "enroute"), (9, "delivered")],
        ),
        (
            [step(1, "accepted", before_answer=True), step(2, "enroute", before_answer=True)],
            [(-60, "accepted"), (-60, "enroute"), (3600, "expired")],
        ),
        ([step(1, "enroute"), step(2, "delivered", before_answer=True)], [(-60, "delivered")]),
    ],
)
def test_a_step_before_the_answer_happens_at_acceptance_and_first(
    steps: list[Step], changes: list[tuple[float, str]]
) -> None:
    planned = plan(steps, start_at=NOON, expires_at=at(3600), accepted_at=at(-60))
    assert [(change.at, change.status) for change in planned] == [(at(s), status) for s, status in changes]
    assert all(change.send_at == change.at for change in planned)


def test_a_message_that_is_not_scheduled_starts_when_it_is_accepted() -> None:
    (change,) = plan([step(5, "delivered", before_answer=True)], start_at=NOON, expires_at=None)
    assert change.at == NOON


# -- a body of its own -----------------------------------------------------------------------------


def body_of(
    template: str,
    submission: Submission = PLAIN,
    *,
    error_code: int | None = None,
    readings: dict[str, str] | None = None,
) -> tuple[str, str | None]:
    """Return the method and the body of a report whose step has *template* as its body."""
    own = replace(step(0, "rejected"), body=template)
    message = Message(
        number=1,
        request_number=1,
        submission=submission,
        transaction_id="order_1",
        received_at=NOON,
        expires_at=None,
        timeline=(),
        status="rejected",
    )
    method, _, body = compose(
        message,
        Change(NOON, own.status, NOON, own, error_code),
        URL,
        readings=contract.readings(readings or {}),
        descriptions=DESCRIPTIONS,
    )
    return method, body


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("", ""),
        ('{"status": ', '{"status": '),
        ("{{ transactionId }}", "order_1"),
        ("{{ status | upper }} {{ destination }}", "REJECTED +34600000001"),
        ("{{ timestamp }}", "2024-01-15T12:00:00Z"),
        ("{{ errorCode }}: {{ errorDescription }}", f"11: {DESCRIPTIONS[11]}"),
        ("{{ to }} {{ senderId }} {{ user }}", "+34600000001 VERIFY you@example.com"),
        ("{{ message }} {{ dcs }} {{ udh }}", "Hola 8 0100"),
        ("{{ confirmation }} {{ callbackUrl }}", f"true {URL}"),
        ("{{ scheduledDeliveryTime }} {{ validityPeriod }}", "2024-01-15T12:00:00Z 2024-01-15T13:00:00Z"),
        ("[{{ apiKey }}{{ responseType }}]", "[]"),
    ],
)
def test_a_body_may_hold_the_report_and_the_message_but_never_the_key(template: str, body: str) -> None:
    assert body_of(template, FULL, error_code=11) == ("POST", body)


def test_what_a_message_or_a_report_does_not_have_is_empty() -> None:
    names = ("senderId", "udh", "scheduledDeliveryTime", "validityPeriod", "errorCode", "errorDescription")
    template = "".join(f"{{{{ {name} }}}}" for name in names)
    assert body_of(f"[{template}]", PLAIN) == ("POST", "[]")
    assert body_of("{{ confirmation }}", PLAIN._replace(confirmation=False)) == ("POST", "false")


@pytest.mark.parametrize(
    ("readings", "template", "sent"),
    [
        ({"dlr_status_case": "upper"}, "{{ status }}", ("POST", "REJECTED")),
        ({"dlr_error_code": "string"}, "{{ errorCode }}", ("POST", "11")),
        ({"dlr_format": "wiki_get"}, "{{ status }}", ("GET", None)),
    ],
)
def test_the_readings_hold_for_it_too(
    readings: dict[str, str], template: str, sent: tuple[str, str | None]
) -> None:
    assert body_of(template, error_code=11, readings=readings) == sent
