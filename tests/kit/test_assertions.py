"""What `Sandbox` asserts, and what it says where that is not so: what came instead, and in which field it differs."""

import re
from collections.abc import Callable

import pytest

from sandbox import Receiver, Sandbox


def failing(assertion: Callable[..., object], *args: object, **given: object) -> str:
    """Return what an assertion says that does not hold."""
    with pytest.raises(AssertionError) as error:
        assertion(*args, **given)
    return str(error.value)


@pytest.fixture
def busy(sms: Sandbox) -> Sandbox:
    """Two messages to Spain, one of them delivered, one elsewhere, and two requests that were refused."""
    sms.send(to="+34600000001", sender_id="ORDER", message="Código 1234")
    sms.clock.advance("1s")
    sms.send(to="+34600000002", sender_id="VERIFY", message="Code 1")
    sms.send(to="+4470000001", message="Hi")
    sms.send(to="recipient")
    sms.when().respond(error=7, times=1)
    sms.send(to="+34600000003")
    return sms


@pytest.mark.parametrize(
    ("when", "times"),
    [
        ({}, None),
        ({}, 3),
        ({"to": {"prefix": "+34"}}, 2),
        ({"senderId": "ORDER"}, 1),
        ({"sender_id": {"any_of": ("ORDER", "VERIFY")}}, 2),
        ({"message": {"regex": "^C.d"}, "to": {"suffix": "1"}}, 1),
        ({"senderId": {"absent": True}}, 1),
        ({"dcs": 0, "flash": False, "confirmation": False, "method": "POST"}, 3),
    ],
)
def test_messages_that_were_sent_are_found_by_whatever_a_rule_can_ask(
    busy: Sandbox, when: dict[str, object], times: int | None
) -> None:
    busy.assert_sent(**when, times=times)
    with pytest.raises(AssertionError):
        busy.assert_not_sent(**when)


def test_what_was_refused_was_not_sent(busy: Sandbox) -> None:
    busy.assert_not_sent(to="+34600000003")
    busy.assert_not_sent(to="recipient")
    busy.assert_refused(7, to="+34600000003", times=1)
    busy.assert_refused(5)


def test_a_message_accepted_with_error_3_was_sent_and_refused_with_it(sms: Sandbox) -> None:
    sms.send(to="+15005550003")
    sms.assert_sent(to="+15005550003", times=1)
    sms.assert_refused(3, times=1)


def test_none_sent_shows_the_nearest_first_with_the_fields_that_differ(busy: Sandbox) -> None:
    told = failing(busy.assert_sent, to="+34600000001", sender_id="VERIFY", message={"contains": "Code"})
    assert told == (
        "No message with to='+34600000001', senderId='VERIFY', message={'contains': 'Code'} was sent; "
        "expected: at least 1\n"
        "Sent instead, nearest first:\n"
        "  <m2 to +34600000002 from VERIFY: 'Code 1', pending>\n"
        "      to is +34600000002, wanted: is +34600000001\n"
        "  <m1 to +34600000001 from ORDER: 'Código 1234', delivered>\n"
        "      senderId is ORDER, wanted: is VERIFY\n"
        "      message is CU+00F3digo 1234, wanted: contains Code\n"
        "  <m3 to +4470000001: 'Hi', pending>\n"
        "      to is +4470000001, wanted: is +34600000001\n"
        "      senderId is absent, wanted: is VERIFY\n"
        "      message is Hi, wanted: contains Code"
    )


def test_too_few_shows_those_and_what_was_refused_though_it_matched(busy: Sandbox) -> None:
    told = failing(busy.assert_sent, to={"prefix": "+34"}, times=3)
    assert told.startswith(
        "2 messages with to={'prefix': '+34'} were sent; expected: exactly 3\n"
        "These were sent:\n"
        "  <m2 to +34600000002 from VERIFY: 'Code 1', pending>\n"
        "  <m1 to +34600000001 from ORDER: 'Código 1234', delivered>\n"
        "Sent instead, nearest first:\n"
        "  <m3 to +4470000001: 'Hi', pending>\n"
        "      to is +4470000001, wanted: begins with +34\n"
        "Asked for, but not accepted:\n"
        "  <r5 POST to +34600000003: 'Hello', answered 'ERROR_7'>\n"
    )
    assert "rule added-1 of scenario default answers 7" in told


def test_too_many_shows_them_and_nothing_else(busy: Sandbox) -> None:
    assert failing(busy.assert_not_sent, sender_id="ORDER") == (
        "1 message with senderId='ORDER' was sent; expected: none\n"
        "These were sent:\n"
        "  <m1 to +34600000001 from ORDER: 'Código 1234', delivered>"
    )


def test_nothing_sent_at_all_is_a_line(sms: Sandbox) -> None:
    assert failing(sms.assert_sent, times=2) == "No message was sent; expected: exactly 2"
    assert failing(sms.assert_refused, 5) == "No request was refused with code 5; expected: at least 1"


def test_no_more_than_a_few_are_shown(sms: Sandbox) -> None:
    for _ in range(7):
        sms.send()
    told = failing(sms.assert_not_sent)
    assert len(re.findall("<m", told)) == 5
    assert told.endswith("… and 2 more")


def test_none_refused_shows_what_was_answered_instead(busy: Sandbox) -> None:
    told = failing(busy.assert_refused, 6, to="+34600000003")
    assert told.startswith(
        "No request with to='+34600000003' was refused with code 6; expected: at least 1\n"
        "Answered otherwise:\n"
        "  <r5 POST to +34600000003: 'Hello', answered 'ERROR_7'>\n"
    )
    told = failing(busy.assert_refused, 7, to="+34600000009", times=1)
    assert "Asked instead, nearest first:\n  <r5 " in told
    assert "to is +34600000003, wanted: is +34600000009" in told


def test_refused_too_often_shows_those(busy: Sandbox) -> None:
    busy.send(to="nobody")
    told = failing(busy.assert_refused, 5, times=1)
    assert told.startswith("2 requests were refused with code 5; expected: exactly 1\nThese were:\n  <r6 ")


# -- waiting ---------------------------------------------------------------------------------------


def test_waiting_moves_a_virtual_clock_from_one_due_moment_to_the_next(sms: Sandbox, dlr: Receiver) -> None:
    sms.when().dlr("accepted", {"after": "1h", "status": "enroute"}, {"after": "20h", "status": "delivered"})
    sms.send(confirmation=True, callback_url=dlr.url)
    assert sms.wait_for(status="enroute").statuses == ["accepted", "enroute"]
    assert [report.status for report in dlr.received] == ["accepted", "enroute"]
    assert sms.wait_for(status="delivered", to={"prefix": "+1"}, text="ell").id == "m1"


def test_waiting_returns_one_message_or_all_that_were_asked_for(busy: Sandbox) -> None:
    assert busy.wait_for().id == "m3"
    assert [message.id for message in busy.wait_for(count=2, status="delivered", to={"prefix": "+34"})] == [
        "m2",
        "m1",
    ]
    assert [message.id for message in busy.wait_for(count=1, sender_id="ORDER")] == ["m1"]


def test_waiting_ends_when_nothing_more_is_due(busy: Sandbox) -> None:
    told = failing(busy.wait_for, status="expired", sender_id="ORDER")
    assert told.startswith(
        "No message with senderId='ORDER', status='expired' was there and nothing more is due; "
        "expected: at least 1\n"
        "These are there:\n"
        "  <m1 to +34600000001 from ORDER: 'Código 1234', delivered>\n"
        "Asked for, but not accepted:\n"
        "  <r5 "
    )
    told = failing(busy.wait_for, sender_id="NOBODY")
    assert (
        "Sent instead, nearest first:\n  <m3 to +4470000001: 'Hi', delivered>\n      senderId is absent"
        in told
    )


def test_waiting_ends_after_its_time_though_there_is_always_more_to_come(sms: Sandbox) -> None:
    sms.when().dlr(*({"after": f"{number}s", "status": "enroute"} for number in range(1, 100)))
    sms.send()
    assert "within 0 s" in failing(sms.wait_for, status="delivered", timeout=0)


def test_waiting_on_a_clock_that_runs_takes_its_time(server: Sandbox) -> None:
    with server.session("running", clock="x600") as sms:
        sms.send(to="+34600000001")
        assert sms.wait_for(status="delivered", to={"prefix": "+34"}).status == "delivered"
        assert sms.wait_for(count=1, status="delivered")
        told = failing(sms.wait_for, count=2, status="delivered", timeout=0.1)
        assert told.startswith(
            "1 message with status='delivered' was there within 0.1 s; expected: at least 2"
        )


@pytest.mark.parametrize("assertion", ["assert_sent", "assert_not_sent", "wait_for"])
def test_a_condition_that_is_none_is_told_as_such(sms: Sandbox, assertion: str) -> None:
    with pytest.raises(Exception, match='there is no key "senderID" here: did you mean senderId'):
        getattr(sms, assertion)(senderID="A")
