"""Records as JSON: whatever an engine can keep reads back equal, and what is no record is a mistake that is told."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.carrier import Arrived, HeldBack, Lost, Outcome
from sandbox.core.decide import Mark
from sandbox.core.match import Absent, Exact, When
from sandbox.core.model import Call, Callback, Message, RequestRecord, Value
from sandbox.core.scenario import Fault, Fixed, Lognormal, Respond, Rule, Scenario, Step, Uniform
from sandbox.sources import builtin
from sandbox.store.rows import DamagedError, callback_from, message_from, request_from, to_json
from tests.strategies import likely_parameters, readable_text
from tests.worlds import NOON, REPORTED, FakeCarrier, a_message, world

Record = RequestRecord | Message | Callback

seconds = st.integers(0, 10**12).map(lambda count: timedelta(microseconds=count))

delays = (
    st.builds(Fixed, st.floats(0, 1e5))
    | st.builds(Uniform, st.floats(0, 1e5), st.floats(0, 1e5))
    | st.builds(Lognormal, st.floats(0, 1e5), st.floats(0, 10))
)

responds = st.builds(
    Respond,
    error=st.none() | st.integers(1, 15),
    status=st.none() | st.integers(100, 599),
    headers=st.dictionaries(readable_text, readable_text, max_size=2),
    body=st.none() | readable_text,
    fault=st.none() | st.sampled_from(Fault),
    delay=st.none() | delays,
)

steps = st.builds(
    Step,
    after=seconds,
    status=st.sampled_from(["enroute", "delivered", "expired"]),
    jitter=seconds,
    error_code=st.none() | st.integers(0, 999),
    repeat=st.integers(1, 2),
    send_after=st.none() | seconds,
    before_answer=st.booleans(),
    body=st.none() | readable_text,
)

marks = st.builds(
    Mark,
    state=readable_text,
    gone=st.frozensets(readable_text, max_size=2),
    counts=st.lists(st.integers(0, 9), max_size=2).map(tuple),
    apart=st.frozensets(readable_text, max_size=2),
)

rules = st.builds(Rule, st.just("odd"), st.just(When()), st.none() | responds, submit=st.booleans())

outcomes: st.SearchStrategy[Outcome] = st.sampled_from(
    [Arrived(200, 1), Arrived(500, 2), Lost("no", 3), HeldBack("a public address")]
)


def kept(call: Call, scenario: Scenario, outcome: Outcome, pass_s: float) -> list[Record]:
    """Return all that an engine keeps of a call, some time later."""

    async def live() -> list[Record]:
        there = world(scenario=scenario, carrier=FakeCarrier(lambda _: outcome))
        there.engine.handle(call)
        await there.pass_time(pass_s)
        store = there.engine.store
        return [*store.requests(), *store.messages(), *store.callbacks()]

    return asyncio.run(live())


def reread(record: Record) -> Record:
    """Return what is read of what was written."""
    text = to_json(record)
    match record:
        case RequestRecord():
            return request_from(text)
        case Message():
            return message_from(text)
        case Callback():
            return callback_from(text, {record.message.number: record.message}.get)


def as_kept(record: Record) -> Record:
    """Return a record without what is not kept: whose group it is in, and in which type names came."""
    if isinstance(record, RequestRecord):
        return record._replace(call=record.call._replace(json_names=tuple(record.call.json_names)))
    return replace(record, group=None) if isinstance(record, Message) else record


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    likely_parameters,
    st.frozensets(readable_text, max_size=2),
    st.lists(steps, max_size=3),
    rules,
    outcomes,
    st.sampled_from([0, 1, 7, 10**5]),
)
def test_whatever_an_engine_keeps_reads_back_equal(
    parameters: Mapping[str, Value],
    json_names: frozenset[str],
    timeline: list[Step],
    rule: Rule,
    outcome: Outcome,
    pass_s: float,
) -> None:
    call = Call("POST", "/sendMtSms.php", parameters, json_names, bool(json_names), ("odd",))
    scenario = Scenario("odd", rules=(rule,), timeline=tuple(timeline))
    for record in kept(call, scenario, outcome, pass_s):
        assert reread(record) == as_kept(record)


@given(st.lists(marks, max_size=2).map(tuple), st.none() | responds)
def test_what_rules_leave_on_a_request_reads_back_equal(
    marks: tuple[Mark, ...], respond: Respond | None
) -> None:
    (record,) = kept(
        Call("PUT", "/sendMtSms.php", {}, unreadable_body="no", too_large=True), Scenario("x"), Lost("", 0), 0
    )
    assert isinstance(record, RequestRecord)
    record = record._replace(marks=marks, respond=respond)
    assert reread(record) == record


def test_the_records_of_every_magic_destination_read_back_equal() -> None:
    scenario = builtin("default").scenario
    for rule in scenario.rules:
        for _, wanted in rule.when.texts:
            to = wanted.text if isinstance(wanted, Exact) else "+34600000001"
            for record in kept(Call("GET", "/", {**REPORTED, "to": to}), scenario, Arrived(200, 1), 200_000):
                assert reread(record) == as_kept(record)


def test_a_row_names_each_field_that_is_not_as_usual() -> None:
    assert json.loads(to_json(a_message(7, status="delivered"))) == {
        "number": 7,
        "request_number": 7,
        "submission": {
            "user": "you@example.com",
            "destination": "+1222333444",
            "sender_id": None,
            "dcs": 0,
            "encoded": {"coding": "GSM7", "used": 1, "text": "a"},
            "udh": None,
            "transaction_id": None,
            "confirmation": True,
            "callback_url": "http://127.0.0.1:9000/dlr",
            "unreported": None,
            "scheduled_at": None,
            "expires_at": None,
        },
        "transaction_id": "t7",
        "received_at": "2024-01-15T12:00:00+00:00",
        "expires_at": None,
        "timeline": [],
        "status": "delivered",
    }


def test_what_many_messages_have_in_common_is_there_once() -> None:
    (_, one), (_, other) = (kept(Call("GET", "/", REPORTED), Scenario("x"), Lost("", 0), 0) for _ in range(2))
    one, other = reread(one), reread(other)
    assert isinstance(one, Message)
    assert isinstance(other, Message)
    assert one.timeline[0].step is other.timeline[0].step is not None


MESSAGE = json.loads(to_json(a_message(1)))
CALLBACK = {"number": 1, "message": 1, "url": "http://127.0.0.1/", "method": "POST", "body": "{}"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"number": "1"}, "number: '1' is no int"),
        ({"number": True}, "number: True is no int"),
        ({"surplus": 1}, "surplus is unknown"),
        ({"submission": {}}, "submission: callback_url is missing"),
        ({"submission": []}, "submission: [] is no dict"),
        ({"received_at": "2024-01-15T12:00:00"}, "received_at: 2024-01-15T12:00:00 names no zone"),
        ({"received_at": "noon"}, "received_at: Invalid isoformat string: 'noon'"),
        ({"expires_at": 5}, "expires_at: 5 is no str"),
        ({"timeline": [{}]}, "timeline: at is missing"),
        ({"timeline": {}}, "timeline: {} is no list"),
        ({"status": []}, "status: [] is no str"),
    ],
)
def test_what_is_no_message_is_told(change: dict[str, Any], why: str) -> None:
    with pytest.raises(DamagedError) as caught:
        message_from(json.dumps({**MESSAGE, **change}))
    assert str(caught.value) == why


@pytest.mark.parametrize("text", [None, b"{}", 5, "", "{", "[]", "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_told(text: object) -> None:
    for read in (message_from, request_from):
        with pytest.raises(DamagedError):
            read(text)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"message": 2}, "there is no message 2"),
        ({"message": None}, "message: None is no int"),
        ({"state": "lost"}, "state: 'lost' is not a valid CallbackState"),
        ({"state": ["waiting"]}, "state: ['waiting'] is not a valid CallbackState"),
        ({"body": 5}, "body: 5 is no str"),
        ({"url": "ftp://x"}, "url ftp://x does not begin with http:// or https://"),
    ],
)
def test_what_is_no_callback_is_told(change: dict[str, Any], why: str) -> None:
    with pytest.raises(DamagedError) as caught:
        callback_from(json.dumps({**CALLBACK, **change}), {1: a_message(1)}.get)
    assert str(caught.value) == why


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["2024-01-15", "0G", "9" * 999]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
def test_a_row_with_anything_in_any_place_is_a_record_or_told(data: st.DataObject) -> None:
    record: Any = data.draw(
        st.sampled_from(
            kept(Call("GET", "/", {**REPORTED, "udh": "050003CC0201"}), SPOILED, Arrived(500, 1), 3)
        )
    )
    document = json.loads(to_json(record))
    place, key = _place(document, data)
    place[key] = data.draw(json_values)
    text = json.dumps(document)
    with suppress(DamagedError):
        match record:
            case RequestRecord():
                request_from(text)
            case Message():
                message_from(text)
            case _:
                callback_from(text, {1: a_message(1)}.get)


SPOILED = Scenario(
    "x",
    rules=(Rule("x", When((("senderId", Absent()),)), Respond(delay=Fixed(1), headers={"a": "b"})),),
    timeline=(
        Step(timedelta(seconds=1), "enroute"),
        Step(timedelta(seconds=2), "delivered", send_after=NOON - NOON),
    ),
)


def _place(document: Any, data: st.DataObject) -> tuple[Any, Any]:
    """Return a place in a document: a container, and a key or an index."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = data.draw(st.sampled_from(keys))
        inner = document[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            return document, key
        document = inner
