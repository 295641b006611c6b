import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.carrier import HeldBack, Lost
from sandbox.clock import VirtualClock
from sandbox.core.match import Exact, Prefix, When
from sandbox.core.model import Account, Barred, Call, CallbackState, RateLimit, RequestRecord, Value
from sandbox.core.scenario import Respond, Rule, Scenario, Step
from tests import strategies
from tests.worlds import (
    DESTINATION,
    NOON,
    RECEIVER,
    REPORTED,
    USER,
    VALID,
    FakeCarrier,
    World,
    at,
    get,
    step,
    turns,
    world,
)

pytestmark = pytest.mark.anyio


def holder(**terms: Any) -> Account:
    """Return the account that VALID requests are of, on such terms."""
    return Account(user=USER, api_key="key", **terms)


def scenario(*rules: Rule, timeline: tuple[Step, ...] = (step(1, "delivered"),)) -> Scenario:
    return Scenario(name="test", rules=rules, timeline=timeline)


def rule(
    name: str = "rule",
    when: When | None = None,
    *,
    error: int | None = None,
    submit: bool = False,
    **more: Any,
) -> Rule:
    respond = None if error is None else Respond(error=error)
    return Rule(name, when or When(), respond=respond, submit=submit, **more)


def bodies(world: World) -> list[dict[str, Any]]:
    return [json.loads(body) for body in world.carrier.bodies if body is not None]


def statuses(world: World) -> list[str]:
    return [body["status"] for body in bodies(world)]


# -- requests and their records -------------------------------------------------------------------------


async def test_an_accepted_request_leaves_a_request_and_a_message() -> None:
    here = world()
    record = here.send()
    assert (record.number, record.at, record.error, record.reason, record.message_number) == (
        1,
        NOON,
        None,
        None,
        1,
    )
    assert record.answer.body == "OK_1000001"
    message = here.engine.store.message(1)
    assert message is not None
    assert (message.request_number, message.transaction_id, message.received_at) == (1, "1000001", NOON)
    assert here.engine.store.request(1) is record


async def test_a_refused_request_leaves_only_a_request() -> None:
    here = world()
    record = here.send(to="recipient")
    assert (record.error, record.answer.body, record.message_number) == (5, "ERROR_5", None)
    assert here.engine.store.counts() == {"messages": 0, "requests": 1, "callbacks": 0}


@pytest.mark.parametrize("method", ["HEAD", "PUT", "get", ""])
async def test_another_method_leaves_a_request_and_counts_nowhere(method: str) -> None:
    here = world(holder(rate_limit=RateLimit(1, 60.0)))
    record = here.engine.handle(Call(method, "/sendMtSms.php", VALID))
    assert (record.answer.status, record.error, record.message_number) == (405, None, None)
    assert here.send().error is None


async def test_a_body_over_the_limit_is_8_with_413() -> None:
    here = world(error_http_status="4xx")
    record = here.engine.handle(get(VALID)._replace(too_large=True))
    assert (record.answer.status, record.answer.body, record.error) == (413, "ERROR_8", 8)


async def test_a_body_that_cannot_be_read_is_8_before_the_checks() -> None:
    here = world()
    record = here.engine.handle(get({})._replace(unreadable_body="the body cannot be read"))
    assert (record.answer.body, record.reason) == ("ERROR_8", "the body cannot be read")


async def test_every_request_is_told_of() -> None:
    told: list[RequestRecord] = []
    here = world()
    here.engine._on_request = told.append  # noqa: SLF001 - given at construction otherwise
    records = [here.send(), here.send(to="")]
    assert told == records


async def test_hints_of_reading_and_of_the_checks_stand_together() -> None:
    here = world()
    record = here.engine.handle(get({**VALID, "dcs": "", "responseType": "yaml"})._replace(hints=("odd",)))
    assert record.hints == (
        "odd",
        "responseType yaml counts as absent: it is json or xml",
        "dcs is empty and counts as absent",
    )
    assert here.engine.handle(get({**VALID, "to": "", "dcs": ""})._replace(hints=("odd",))).hints == (
        "odd",
        "dcs is empty and counts as absent",
    )


# -- transaction ids ------------------------------------------------------------------------------------


async def test_generated_ids_count_up_and_are_the_same_on_every_run() -> None:
    runs = []
    for _ in range(2):
        here = world()
        requests: list[dict[str, Value]] = [{}, {"to": ""}, {"transactionId": "mine"}, {}]
        runs.append([here.send(VALID, **more).answer.body for more in requests])
    assert runs[0] == runs[1] == ["OK_1000001", "ERROR_5", "OK_mine", "OK_1000002"]


async def test_a_chosen_id_is_echoed_and_need_not_be_unique() -> None:
    here = world()
    assert [here.accept(transactionId="order 1").transaction_id for _ in range(2)] == ["order 1", "order 1"]


async def test_a_generated_id_is_none_that_was_chosen_before() -> None:
    here = world()
    for chosen in ("1000001", "1000002", "1000004", "9" * 255, "٣", "1000005 "):
        here.accept(transactionId=chosen)
    assert [here.accept().transaction_id for _ in range(2)] == ["1000003", "1000005"]


@given(
    st.lists(
        st.none() | st.integers(1_000_000, 1_000_020).map(str) | st.text("0123456789", min_size=1),
        max_size=30,
    )
)
async def test_generated_ids_are_digits_and_no_id_twice(chosen: list[str | None]) -> None:
    here = world()
    seen: set[str] = set()
    for each in chosen:
        asked = VALID if each is None else {**VALID, "transactionId": each}
        transaction_id = here.accept(asked).transaction_id
        if each is None:
            assert transaction_id not in seen
            assert transaction_id.isascii()
            assert transaction_id.isdigit()
        seen.add(transaction_id)


# -- accounts -------------------------------------------------------------------------------------------


async def test_only_listed_accounts_may_send_unless_anyone_may() -> None:
    assert world(holder()).send(user="other").error == 1
    assert world(holder()).send(apiKey="wrong").error == 2
    assert world().send(user="other", apiKey="whatever").error is None
    assert world().send(user="").error == 1


async def test_a_balance_pays_for_accepted_messages_only() -> None:
    here = world(holder(balance=2))
    answers = [here.send(to=to).answer.body for to in (DESTINATION, "x", DESTINATION, DESTINATION)]
    assert answers == ["OK_1000001", "ERROR_5", "OK_1000002", "ERROR_9"]


async def test_the_rate_limit_counts_what_reaches_it_and_is_not_refused_there() -> None:
    here = world(holder(rate_limit=RateLimit(3, 10.0), queue_limit=1))
    errors = [
        here.send(apiKey="wrong").error,  # does not reach it
        here.send().error,
        here.send().error,  # the queue is full, but it counts
        here.send(to="x").error,  # counts, likewise
        here.send().error,
        here.send().error,  # refused here: does not count
    ]
    assert errors == [2, None, 6, 6, 7, 7]
    await here.pass_time(9.9)
    assert here.send().error == 7
    await here.pass_time(0.1)
    assert here.send().error is None


async def test_a_queue_empties_as_messages_come_to_their_end() -> None:
    here = world(
        holder(queue_limit=2), scenario=scenario(timeline=(step(1, "enroute"), step(5, "delivered")))
    )
    errors = [here.send().error for _ in range(3)]
    await here.pass_time(2)
    errors.append(here.send().error)
    await here.pass_time(3)
    errors.append(here.send().error)
    assert errors == [None, None, 6, 6, None]


async def test_a_message_that_never_ends_stays_in_its_queue() -> None:
    here = world(holder(queue_limit=1), scenario=scenario(timeline=()))
    here.accept()
    await here.pass_time(1_000_000)
    assert here.send().error == 6


async def test_forgotten_messages_leave_their_queue() -> None:
    here = world(holder(queue_limit=1, balance=2))
    here.accept()
    await here.engine.forget_messages()
    here.accept()
    assert here.engine.ledger.balance(holder(balance=2)) == 0


async def test_a_dropped_message_leaves_its_queue() -> None:
    here = world(holder(queue_limit=2), max_messages=1)
    assert [here.send().error for _ in range(4)] == [None] * 4


async def test_a_barred_destination() -> None:
    here = world(holder(barred=(Barred("+1", is_prefix=True),)))
    assert here.send().error == 11


# -- rules ----------------------------------------------------------------------------------------------


async def test_a_rule_answers_in_place_of_the_checks_verdict() -> None:
    here = world(scenario=scenario(rule("full", error=6)))
    record = here.send()
    assert (record.answer.body, record.error, record.rule, record.message_number) == (
        "ERROR_6",
        6,
        "full",
        None,
    )
    assert record.reason is not None
    assert record.reason.startswith("rule full of scenario test answers 6: ")


async def test_a_rule_does_not_see_what_the_checks_refuse() -> None:
    here = world(scenario=scenario(rule("full", error=6)))
    record = here.send(to="x")
    assert (record.error, record.rule) == (5, None)


async def test_code_3_is_answered_and_the_message_is_stored_and_reported_all_the_same() -> None:
    here = world(scenario=scenario(rule("roaming", error=3, submit=True)))
    record = here.send(REPORTED)
    assert (record.answer.body, record.error, record.message_number, record.rule) == (
        "ERROR_3",
        3,
        1,
        "roaming",
    )
    await here.pass_time(1)
    assert statuses(here) == ["delivered"]


async def test_a_rule_s_timeline_replaces_the_default_one() -> None:
    quick = rule("quick", submit=True, timeline=(step(0, "rejected"),))
    here = world(scenario=scenario(quick))
    message = here.accept()
    await here.pass_time()
    assert message.status == "rejected"


async def test_a_rule_before_the_checks_goes_before_them() -> None:
    early = rule("early", When(texts=(("apiKey", Exact("invalid")),)), error=2, before_checks=True)
    here = world(scenario=scenario(early))
    assert here.send({"apiKey": "invalid"}).rule == "early"
    record = here.engine.handle(get({"apiKey": "invalid"})._replace(unreadable_body="no JSON"))
    assert (record.error, record.rule) == (2, "early")
    assert here.send({"apiKey": "valid"}).error == 1


async def test_a_rule_before_the_checks_that_submits_leaves_the_checks_their_say() -> None:
    early = rule("early", error=3, submit=True, before_checks=True)
    here = world(scenario=scenario(early))
    assert (here.send().error, here.send().message_number) == (3, 2)
    refused = here.send(to="x")
    assert (refused.error, refused.rule, refused.message_number) == (5, "early", None)
    unreadable = here.engine.handle(get(VALID)._replace(unreadable_body="no JSON"))
    assert (unreadable.error, unreadable.rule) == (8, "early")


async def test_a_rule_sees_the_destination_after_the_readings() -> None:
    barcelona = rule("spain", When(texts=(("to", Prefix("+34")),)), error=6)
    here = world(scenario=scenario(barcelona), destination_plus="optional")
    assert here.send(to="34600000001").error == 6
    assert here.send(to="44600000001").error is None


async def test_a_rule_that_submits_nothing_and_answers_nothing_answers_an_empty_body() -> None:
    here = world(scenario=scenario(rule("silent")))
    record = here.send()
    assert (record.answer.status, record.answer.body, record.message_number) == (200, "", None)


async def test_what_a_rule_refuses_costs_nothing() -> None:
    here = world(
        holder(balance=1), scenario=replace(scenario(rule("full", When(nth=frozenset({1})), error=6)))
    )
    assert [here.send().error for _ in range(3)] == [6, None, 9]


# -- timelines ------------------------------------------------------------------------------------------


async def test_a_timeline_starts_when_the_message_is_accepted() -> None:
    here = world(scenario=scenario(timeline=(step(1, "enroute"), step(3, "delivered"))))
    message = here.accept()
    seen = [message.status]
    for _ in range(4):
        await here.pass_time(1)
        seen.append(message.status)
    assert seen == ["pending", "enroute", "enroute", "delivered", "delivered"]
    assert (message.done, len(message.timeline)) == (2, 2)


async def test_a_scheduled_message_s_timeline_starts_at_its_time() -> None:
    here = world()
    message = here.accept(scheduledDeliveryTime="2024-01-15T13:00Z")
    await here.pass_time(3600)
    assert message.status == "scheduled"
    assert message.expires_at == NOON + timedelta(hours=49)
    await here.pass_time(1)
    assert message.status == "delivered"


async def test_steps_after_the_validity_period_are_dropped_and_the_message_expires() -> None:
    here = world(scenario=scenario(timeline=(step(10, "enroute"), step(100, "delivered"))))
    message = here.accept(REPORTED, validityPeriod="60")
    await here.pass_time(1000)
    assert message.status == "expired"
    assert [(body["status"], body["timestamp"]) for body in bodies(here)] == [
        ("enroute", "2024-01-15T12:00:10Z"),
        ("expired", "2024-01-15T12:01:00Z"),
    ]


async def test_without_a_validity_period_it_is_48_hours() -> None:
    here = world(scenario=scenario(timeline=(step(1, "enroute"),)))
    message = here.accept()
    await here.pass_time(48 * 3600 - 1)
    assert message.status == "enroute"
    await here.pass_time(1)
    assert message.status == "expired"


async def test_an_empty_timeline_stays_pending_and_does_not_expire() -> None:
    here = world(scenario=scenario(timeline=()))
    message = here.accept(REPORTED, validityPeriod="60")
    await here.pass_time(1_000_000)
    assert (message.status, message.expires_at, message.timeline) == ("pending", None, ())
    assert here.carrier.parcels == []


async def test_a_clock_near_the_end_of_the_calendar() -> None:
    here = world(clock_at=datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC))
    message = here.accept(REPORTED)
    assert message.expires_at is None
    await here.pass_time(1)
    assert message.status == "delivered"


async def test_the_first_failed_report_at_the_end_of_the_calendar_is_given_up() -> None:
    here = world(
        clock_at=datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC), carrier=FakeCarrier(lambda _: Lost("no"))
    )
    here.accept(REPORTED)
    await here.pass_time(1)
    (callback,) = here.engine.store.callbacks()
    assert (callback.state, callback.reason) == (CallbackState.FAILED, "gave up after 1 attempt: no")


# -- reports --------------------------------------------------------------------------------------------


async def test_a_report_for_each_change() -> None:
    here = world(scenario=scenario(timeline=(step(1, "accepted"), step(2, "enroute"), step(3, "delivered"))))
    message = here.accept(REPORTED, transactionId="order_1")
    await here.pass_time(10)
    assert bodies(here) == [
        {
            "transactionId": "order_1",
            "status": status,
            "destination": DESTINATION,
            "timestamp": f"2024-01-15T12:00:0{second}Z",
            "errorCode": None,
            "errorDescription": None,
        }
        for second, status in ((1, "accepted"), (2, "enroute"), (3, "delivered"))
    ]
    assert message.callback_numbers == (1, 2, 3)
    assert {parcel.url for parcel in here.carrier.parcels} == {RECEIVER}


@pytest.mark.parametrize("confirmation", [None, "false", "0", "yes"])
async def test_no_report_unless_it_was_asked_for(confirmation: str | None) -> None:
    here = world(callback_url=RECEIVER)
    message = here.accept(VALID if confirmation is None else {**VALID, "confirmation": confirmation})
    await here.pass_time(10)
    assert message.status == "delivered"
    assert here.carrier.parcels == []
    assert list(here.engine.store.callbacks()) == []


async def test_the_request_s_url_goes_before_the_account_s_and_that_before_the_server_s() -> None:
    urls = [f"http://127.0.0.1:{port}/" for port in (1, 2, 3)]
    account = holder(callback_url=urls[1])
    for here, more in (
        (world(account, callback_url=urls[2]), urls[0]),
        (world(account, callback_url=urls[2]), ""),
        (world(holder(), callback_url=urls[2]), ""),
    ):
        here.accept(confirmation="true", callbackUrl=more)
        await here.pass_time(1)
        assert here.carrier.urls == [urls.pop(0)]
    assert urls == []


async def test_no_url_anywhere_is_a_hint_and_no_report() -> None:
    here = world()
    message = here.accept(confirmation="true")
    await here.pass_time(10)
    assert message.submission.unreported is not None
    assert list(here.engine.store.callbacks()) == []


async def test_an_unusable_url_is_no_report_even_where_the_account_has_one() -> None:
    here = world(holder(callback_url=RECEIVER))
    message = here.accept(confirmation="true", callbackUrl="javascript:alert(1)")
    await here.pass_time(10)
    assert (
        message.submission.unreported
        == "callbackUrl javascript:alert(1) does not begin with http:// or https://"
    )
    assert here.carrier.parcels == []


async def test_a_report_can_go_out_later_than_its_change() -> None:
    late = Step(after=timedelta(seconds=1), status="enroute", send_after=timedelta(seconds=5))
    here = world(scenario=scenario(timeline=(late, step(2, "delivered"))))
    here.accept(REPORTED)
    await here.pass_time(10)
    assert [(body["status"], body["timestamp"]) for body in bodies(here)] == [
        ("delivered", "2024-01-15T12:00:02Z"),
        ("enroute", "2024-01-15T12:00:01Z"),
    ]


async def test_a_report_can_be_repeated() -> None:
    twice = Step(after=timedelta(seconds=1), status="delivered", repeat=2)
    here = world(scenario=scenario(timeline=(twice,)))
    message = here.accept(REPORTED)
    await here.pass_time(10)
    assert statuses(here) == ["delivered", "delivered"]
    assert message.callback_numbers == (1, 2)


async def test_a_step_s_error_code_is_reported_with_its_description() -> None:
    failing = Step(after=timedelta(seconds=1), status="undeliverable", error_code=11)
    here = world(scenario=scenario(timeline=(failing,)))
    here.accept(REPORTED)
    await here.pass_time(10)
    assert bodies(here)[0]["errorCode"] == 11
    assert bodies(here)[0]["errorDescription"] == here.engine.descriptions[11]


@pytest.mark.parametrize(
    ("readings", "reported"),
    [
        ({}, ["enroute", "delivered"]),
        ({"dlr_statuses": "final_only"}, ["delivered"]),
        ({"dlr_status_case": "upper"}, ["ENROUTE", "DELIVERED"]),
        ({"dlr_statuses": "final_only", "dlr_status_case": "upper"}, ["DELIVERED"]),
    ],
)
async def test_readings_of_reports(readings: dict[str, Any], reported: list[str]) -> None:
    here = world(scenario=scenario(timeline=(step(1, "enroute"), step(2, "delivered"))), **readings)
    here.accept(REPORTED)
    await here.pass_time(10)
    assert statuses(here) == reported


async def test_the_wiki_s_callback() -> None:
    here = world(dlr_format="wiki_get")
    here.accept(REPORTED, transactionId="t 1", callbackUrl=f"{RECEIVER}?key=1")
    await here.pass_time(1)
    (parcel,) = here.carrier.parcels
    assert (parcel.method, parcel.body) == ("GET", None)
    assert parcel.url == (
        f"{RECEIVER}?key=1&ID=m1&transactionId=t+1&status=delivered&msisdn=1222333444&date=1501241200"
    )


async def test_a_report_that_is_lost_is_tried_again_by_the_sandbox_s_clock() -> None:
    answers = iter([Lost("connection refused"), Lost("connection refused")])
    here = world(carrier=FakeCarrier(lambda _: next(answers, HeldBack("no"))))
    here.accept(REPORTED)
    await here.pass_time(100)
    (callback,) = here.engine.store.callbacks()
    assert [attempt.at for attempt in callback.attempts] == [at(1), at(2)]
    assert (callback.state, callback.reason) == (CallbackState.REFUSED, "no")


# -- parts ----------------------------------------------------------------------------------------------


async def test_parts_are_joined_in_their_sequence() -> None:
    here = world()
    third = here.accept(udh="050003CC0303", message="three")
    first = here.accept(udh="050003CC0301", message="one ")
    assert first.group is not None
    assert first.group.joined is None
    second = here.accept(udh="050003CC0302", message="two ")
    assert {message.group.joined for message in (first, second, third) if message.group} == {"one two three"}


@pytest.mark.parametrize(
    "other",
    [
        {"user": "other"},
        {"to": "+1222333445"},
        {"senderId": "ORDER"},
        {"dcs": "8"},
        {"udh": "050003CD0202"},
        {"udh": "050003CC0302"},
        {"udh": "06080400CC0202"},
    ],
)
async def test_parts_of_different_messages_are_not_joined(other: dict[str, str]) -> None:
    here = world()
    first = here.accept(udh="050003CC0201", message="one ")
    second = here.accept({**VALID, "udh": "050003CC0202", "message": "two", **other})
    assert first.group is not None
    assert second.group is not None
    assert (first.group.joined, second.group.joined) == (None, None)


@pytest.mark.parametrize(
    "parameters", [{}, {"udh": "0100"}, {"udh": "00"}, {"udh": "050003CC0201", "dcs": "4", "message": "00"}]
)
async def test_what_is_no_part_of_a_text_belongs_to_no_group(parameters: dict[str, str]) -> None:
    assert world().accept({**VALID, **parameters}).group is None


async def test_a_part_of_a_dropped_message_is_forgotten() -> None:
    here = world(max_messages=1)
    here.accept(udh="050003CC0201", message="one ")
    second = here.accept(udh="050003CC0202", message="two")
    assert second.group is not None
    third = here.accept(udh="050003CC0202", message="two")
    assert third.group is not None
    assert (second.group.joined, third.group.joined) == ("one two", None)


# -- the cap, forgetting, starting afresh ---------------------------------------------------------------


async def test_the_cap_drops_the_oldest_finished_message_with_its_request_and_callbacks() -> None:
    here = world(max_messages=2, scenario=scenario(timeline=(step(60, "delivered"),)))
    here.accept()
    here.accept(REPORTED, scheduledDeliveryTime="1")
    await here.pass_time(60)
    first = here.engine.store.message(1)
    assert first is not None
    assert first.status == "delivered"
    here.accept()
    assert [message.number for message in here.engine.store.messages()] == [3, 2]
    assert here.engine.store.request(1) is None
    await here.pass_time(2)
    here.accept()
    assert [message.number for message in here.engine.store.messages()] == [4, 3]
    assert list(here.engine.store.callbacks()) == []
    assert here.engine.store.dropped == 2


async def test_a_dropped_message_changes_no_more_and_reports_no_more() -> None:
    here = world(max_messages=1, scenario=scenario(timeline=(step(1, "enroute"), step(2, "delivered"))))
    dropped = here.accept(REPORTED)
    here.accept()
    await here.pass_time(10)
    assert dropped.status == "pending"
    assert here.carrier.parcels == []


async def test_forgetting_messages_keeps_the_counters() -> None:
    here = world(holder(balance=5))
    here.accept(REPORTED)
    await here.engine.forget_messages()
    await here.pass_time(10)
    assert here.carrier.parcels == []
    message = here.accept()
    assert (message.number, message.request_number, message.transaction_id) == (2, 2, "1000002")
    assert here.engine.ledger.balance(holder(balance=5)) == 3


async def test_reset_is_as_just_started() -> None:
    full = rule("first", When(nth=frozenset({1})), error=6)
    here = world(
        holder(balance=2, rate_limit=RateLimit(3, 60.0), queue_limit=3),
        scenario=scenario(full),
        carrier=FakeCarrier(lambda _: Lost("connection refused")),
    )
    runs = []
    for _ in range(2):
        records = [here.send(REPORTED, udh=f"050003CC020{part}") for part in (1, 1, 2, 2)]
        await here.pass_time(3)
        runs.append([(record.number, record.message_number, record.answer.body) for record in records])
        await here.engine.reset()
        assert len(here.engine.agenda) == 0
        assert here.engine.dispatcher.unfinished == 0
        assert here.engine.store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
    assert (
        runs[0]
        == runs[1]
        == [
            (1, None, "ERROR_6"),
            (2, 1, "OK_1000001"),
            (3, 2, "OK_1000002"),
            (4, None, "ERROR_7"),
        ]
    )


async def test_a_request_that_comes_while_attempts_are_broken_off_belongs_to_the_time_after() -> None:
    here = world()
    here.carrier.hold("127.0.0.1")
    here.accept(REPORTED)
    here.clock.move_to(at(1))
    here.engine.agenda.run_due()
    await turns()
    resetting = here.engine.reset()
    resetting.send(None)  # as far as the first wait
    record = here.send(REPORTED)
    assert (record.number, record.message_number, record.answer.body) == (1, 1, "OK_1000001")
    here.carrier.let_go("127.0.0.1")
    await turns()
    with pytest.raises(StopIteration):
        resetting.send(None)
    await here.pass_time(1)
    assert [message.status for message in here.engine.store.messages()] == ["delivered"]
    assert len(here.carrier.parcels) == 2


# -- looking ahead --------------------------------------------------------------------------------------


async def test_reports_due_are_those_of_changes_to_come_and_those_on_their_way() -> None:
    here = world(
        scenario=scenario(timeline=(step(1, "enroute"), replace(step(5, "delivered"), repeat=2))),
        carrier=FakeCarrier(lambda _: Lost("no")),
    )
    here.accept()
    due = [here.engine.timelines.reports_due]
    here.accept(REPORTED)
    due.append(here.engine.timelines.reports_due)
    for seconds in (1, 4):
        await here.pass_time(seconds)
        due.append(here.engine.timelines.reports_due)
    await here.pass_time(10_000)
    due.append(here.engine.timelines.reports_due)
    assert due == [0, 3, 3, 3, 0]


@given(strategies.parameters | strategies.likely_parameters)
async def test_a_preview_is_what_handling_makes_and_leaves_no_trace(parameters: dict[str, Value]) -> None:
    here = world(holder(balance=3, rate_limit=RateLimit(5, 60.0), queue_limit=2))
    for call in (get(VALID), get(parameters), get(parameters)):
        before = here.engine.store.counts(), len(here.engine.agenda)
        seen = here.engine.preview(call)
        assert (here.engine.store.counts(), len(here.engine.agenda)) == before
        record = here.engine.handle(call)
        message = here.engine.store.message(record.message_number or 0)
        assert (seen.answer, seen.request_number, seen.marks) == (record.answer, record.number, record.marks)
        assert (seen.outcome.refusal.code if seen.outcome.refusal else None) == record.error
        assert seen.changes == (() if message is None else message.timeline)


# -- whatever comes -------------------------------------------------------------------------------------


@given(st.lists(strategies.parameters | strategies.likely_parameters, max_size=5))
async def test_whatever_is_sent_every_message_keeps_to_its_timeline(requests: list[dict[str, Value]]) -> None:
    here = world(
        scenario=scenario(timeline=(step(1, "accepted"), step(3600, "enroute"), step(7200, "delivered")))
    )
    for parameters in requests:
        record = here.send(parameters)
        assert (record.error is None) == (record.message_number is not None)
    for message in here.engine.store.messages():
        moments = [change.at for change in message.timeline]
        assert moments == sorted(moments)
        assert message.timeline[-1].status in {"delivered", "expired"}
        assert message.expires_at is not None
        assert all(message.received_at < moment <= message.expires_at for moment in moments)


async def test_the_same_requests_give_the_same_world() -> None:
    worlds = [world(), world()]
    for here in worlds:
        for number in range(3):
            here.accept(REPORTED, message=f"{number}")
        await here.pass_time(2)
    assert worlds[0].carrier.parcels == worlds[1].carrier.parcels
    assert [*map(str, worlds[0].engine.store.requests())] == [*map(str, worlds[1].engine.store.requests())]


async def test_the_clock_is_the_one_it_was_given() -> None:
    here = world(clock_at=at(5))
    assert isinstance(here.engine.clock, VirtualClock)
    assert here.accept().received_at == at(5)
