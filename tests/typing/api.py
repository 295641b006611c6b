"""The public names as users call them: mypy checks this file, and nobody runs it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import (
    Answer,
    Attempt,
    Callback,
    Message,
    Receiver,
    Report,
    Request,
    Sandbox,
    SandboxError,
    testing,
)


def a_sandbox_of_ones_own(moment: datetime) -> None:
    with Sandbox(scenario="default", clock="virtual") as sms:
        assert_type(sms, Sandbox)
        assert_type(sms.url, str)
        assert_type(sms.send_url, str)
        sms.when(to={"prefix": "+34"}).respond(error=7, times=1)
        sms.when(senderId="ORDER", nth=[1, 2]).respond(status=503, headers={"Retry-After": "2"}, body="later")
        sms.when().respond(fault="reset", submit=True, before_checks=True, set_state="a")
        sms.when().respond(delay=timedelta(seconds=1)).dlr(
            "enroute", {"after": "5s", "status": "delivered"}
        ).remove()
        assert_type(sms.clock.advance("1h"), int)
        assert_type(sms.clock.advance(2.5) + sms.clock.advance(timedelta(days=1)), int)
        assert_type(sms.clock.advance_to(moment) + sms.clock.to_next(), int)
        assert_type(sms.clock.now, datetime)
        assert_type(sms.clock.next_due, datetime | None)
        sms.clock.set("x60", moment)
        sms.play({"rules": []}, readings={"errors": "envelope"})
        sms.reset()


def what_has_happened(sms: Sandbox) -> None:
    assert_type(sms.messages.last, Message)
    assert_type(sms.messages[0].text, str | None)
    assert_type(sms.messages.last.statuses, list[str])
    assert_type(sms.messages.where(status="delivered", text="code", to="+34600000001"), list[Message])
    assert_type(sms.requests.last, Request)
    assert_type(sms.requests.last.error, int | None)
    assert_type(sms.callbacks[0], Callback)
    assert_type(sms.callbacks[0].attempts, list[Attempt])
    assert_type(sms.callbacks[0].attempts[0].at, datetime)


def what_is_expected(sms: Sandbox) -> None:
    assert_type(sms.wait_for(status="delivered"), Message)
    assert_type(sms.wait_for(count=2, status="delivered", timeout=1, to={"prefix": "+34"}), list[Message])
    sms.assert_sent(to="+1222333444", times=1)
    sms.assert_not_sent(sender_id="ORDER")
    sms.assert_refused(5, times=2, to={"absent": True})
    assert_type(sms.send(to="+34600000001", confirmation=True), Answer)
    assert_type(sms.send().error, int | None)


def where_it_runs(path: Path) -> None:
    try:
        with Sandbox.at("http://127.0.0.1:7670", token="secret") as sms:
            assert_type(sms.session("x", clock="virtual"), Sandbox)
    except SandboxError:
        Sandbox.app(path, clock="x60", readings={"errors": "bare"})


def reports() -> None:
    with Receiver() as receiver:
        receiver.respond(500, times=2)
        assert_type(receiver.url, str)
        assert_type(receiver.received, list[Report])
        assert_type(receiver.wait(1, timeout=2)[0].status, str)
        assert_type(receiver.received[0].error_code, int | None)


@pytest.fixture
def fixtures(sms_sandbox: Sandbox, dlr_receiver: Receiver, sms_error_code: int) -> None:
    sms_sandbox.send(callback_url=dlr_receiver.url)
    sms_sandbox.assert_refused(sms_error_code)


@given(testing.valid_requests(), testing.invalid_requests(5), testing.gsm7_text(), st.lists(testing.udhs()))
def strategies(valid: dict[str, str], invalid: dict[str, str], text: str, udhs: list[str]) -> None:
    assert valid != invalid
    assert text not in udhs
