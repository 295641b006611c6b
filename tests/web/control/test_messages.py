"""Messages: their records, lists, filters and pages, waiting for them, and reports by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from sandbox.clock import RunningClock
from sandbox.config import Config
from sandbox.core.model import Message
from tests.web.control.client import Client, talking
from tests.worlds import RECEIVER, REPORTED, USER, FakeCarrier, turns

pytestmark = pytest.mark.anyio


# -- records -----------------------------------------------------------------------------------------


async def test_the_record_of_a_message(client: Client) -> None:
    await client.submit(**REPORTED, transactionId="order_1", senderId="ORDER")
    await client.world.pass_time(2)
    assert await client.shown("messages/m1") == {
        "id": "m1",
        "transactionId": "order_1",
        "user": USER,
        "to": "+1222333444",
        "senderId": "ORDER",
        "text": "Hello",
        "dcs": 0,
        "encoding": {
            "coding": "GSM7",
            "used": 5,
            "room": 160,
            "unit": "septets",
            "octets": "C8329BFD06",
        },
        "udh": None,
        "flash": False,
        "concatenation": None,
        "joined": None,
        "confirmation": True,
        "callbackUrl": RECEIVER,
        "unreported": None,
        "scheduledAt": None,
        "expiresAt": "2024-01-17T12:00:00Z",
        "receivedAt": "2024-01-15T12:00:00Z",
        "status": "delivered",
        "timeline": [{"at": "2024-01-15T12:00:01Z", "status": "delivered", "errorCode": None, "done": True}],
        "callbacks": ["c1"],
        "hints": [],
        "requestId": "r1",
    }


async def test_the_record_of_a_part(client: Client) -> None:
    await client.submit(udh="050003CC0202", message="world")
    await client.submit(udh="050003CC0201", message="hello ")
    shown = await client.shown("messages/m2")
    assert shown["udh"] == "050003CC0201"
    assert shown["concatenation"] == {"reference": 0xCC, "total": 2, "sequence": 1}
    assert shown["joined"] == "hello world"
    assert shown["encoding"]["room"] == 153
    assert (await client.shown("messages/m1"))["joined"] == "hello world"


async def test_the_record_of_a_flash_message_and_of_a_binary_one(client: Client) -> None:
    await client.submit(udh="0100")
    await client.submit(dcs="4", message="00ff")
    flash, binary = await client.shown("messages/m1"), await client.shown("messages/m2")
    assert (flash["flash"], flash["udh"], flash["encoding"]["room"]) == (True, "0100", 157)
    assert (binary["flash"], binary["text"]) == (False, None)
    assert binary["encoding"] == {
        "coding": "OCTETS",
        "used": 2,
        "room": 140,
        "unit": "octets",
        "octets": "00FF",
    }


async def test_a_scheduled_message_is_scheduled_then_pending_then_as_its_timeline_says(
    client: Client,
) -> None:
    await client.submit(scheduledDeliveryTime="60")
    seen = [(await client.shown("messages/m1"))["status"]]
    for seconds in (60, 1):
        await client.world.pass_time(seconds)
        seen.append((await client.shown("messages/m1"))["status"])
    assert seen == ["scheduled", "pending", "delivered"]


async def test_why_there_is_no_report_is_in_the_record(client: Client) -> None:
    await client.submit(confirmation="true", callbackUrl="ftp://x")
    shown = await client.shown("messages/m1")
    assert shown["unreported"] == "callbackUrl ftp://x does not begin with http:// or https://"
    assert shown["callbackUrl"] is None


# -- lists -------------------------------------------------------------------------------------------


async def test_messages_are_listed_newest_first_page_by_page(client: Client) -> None:
    for number in range(5):
        await client.submit(transactionId=f"t{number}")
    first = await client.shown("messages", limit="2")
    assert [message["id"] for message in first["messages"]] == ["m5", "m4"]
    assert (first["total"], first["next"]) == (5, "m4")
    second = await client.shown("messages", limit="2", after=first["next"])
    assert [message["id"] for message in second["messages"]] == ["m3", "m2"]
    last = await client.shown("messages", limit="2", after=second["next"])
    assert [message["id"] for message in last["messages"]] == ["m1"]
    assert (last["total"], last["next"]) == (5, None)


async def test_what_comes_between_two_pages_changes_nothing_on_the_second(client: Client) -> None:
    for _ in range(3):
        await client.submit()
    first = await client.shown("messages", limit="2")
    await client.submit()
    second = await client.shown("messages", limit="2", after=first["next"])
    assert [message["id"] for message in second["messages"]] == ["m1"]


async def test_a_page_that_ends_with_the_last_has_no_next(client: Client) -> None:
    for _ in range(2):
        await client.submit()
    for query in ({"limit": "2"}, {"limit": "2", "user": USER}):
        assert (await client.shown("messages", **query))["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"to": "+34600000001"}, ["m2"]),
        ({"to": "+3460000000"}, []),
        ({"user": "other"}, ["m3"]),
        ({"senderId": "ORDER"}, ["m2"]),
        ({"transactionId": "t3"}, ["m3"]),
        ({"transactionId": "~"}, []),
        ({"status": "pending"}, ["m3", "m2", "m1"]),
        ({"status": "delivered"}, []),
        ({"text": "ell"}, ["m3", "m1"]),
        ({"text": "ell", "user": "other"}, ["m3"]),
        ({"text": ""}, ["m3", "m2", "m1"]),
    ],
)
async def test_filters_of_messages(client: Client, query: dict[str, str], found: list[str]) -> None:
    await client.submit()
    await client.submit(to="+34600000001", senderId="ORDER", dcs="4", message="00")
    await client.submit(user="other", transactionId="t3")
    listed = await client.shown("messages", **query)
    assert [message["id"] for message in listed["messages"]] == found
    assert listed["total"] == len(found)


async def test_latest_takes_the_filters_of_the_list(client: Client) -> None:
    assert await client.refused("GET", "messages/latest", 404) == "there are no messages yet"
    for sender in ("A", "B", "A", "B"):
        await client.submit(senderId=sender)
    assert (await client.shown("messages/latest"))["id"] == "m4"
    assert (await client.shown("messages/latest", senderId="A"))["id"] == "m3"
    assert await client.refused("GET", "messages/latest", 404, senderId="C") == "no message matches"


async def test_deleting_messages_leaves_the_counters(client: Client) -> None:
    await client.submit()
    await client.submit()
    assert await client.done("DELETE", "messages") == {"deleted": 2}
    assert (await client.shown("messages"))["messages"] == []
    assert (await client.shown("health"))["counts"]["due"] == 0
    assert await client.submit() == "OK_1000003"
    assert (await client.shown("messages/latest"))["id"] == "m3"


# -- waiting -----------------------------------------------------------------------------------------


async def waited(client: Client, happens: Callable[[], Awaitable[object]], **query: Any) -> Any:
    """Return what a wait answers that began before something happened; it must not wait for its timeout."""
    answer = asyncio.create_task(client.shown("messages/wait", timeout="1h", **query))
    await turns()
    assert not answer.done()
    await happens()
    return await answer


async def test_waiting_for_what_is_there_answers_at_once(client: Client) -> None:
    await client.submit(transactionId="t1")
    found = await client.shown("messages/wait", transactionId="t1", timeout="0")
    assert [message["id"] for message in found["messages"]] == ["m1"]
    assert found["total"] == 1


async def test_a_wait_ends_as_soon_as_the_message_comes(client: Client) -> None:
    found = await waited(client, lambda: client.submit(transactionId="t1"), transactionId="t1")
    assert [message["id"] for message in found["messages"]] == ["m1"]


async def test_a_wait_for_a_status_ends_as_soon_as_the_message_has_it(client: Client) -> None:
    await client.submit(transactionId="t1")
    found = await waited(client, lambda: client.world.pass_time(1), status="delivered", transactionId="t1")
    assert found["messages"][0]["status"] == "delivered"


async def test_a_wait_ends_when_a_scheduled_message_has_become_pending(client: Client) -> None:
    await client.submit(scheduledDeliveryTime="60")
    found = await waited(client, lambda: client.done("POST", "clock/advance", {"by": 60}), status="pending")
    assert [message["id"] for message in found["messages"]] == ["m1"]


async def test_a_wait_is_for_as_many_as_are_counted(client: Client) -> None:
    async def come() -> None:
        await client.submit()
        await client.submit(to="recipient")
        await client.submit(senderId="ORDER")

    found = await waited(client, come, count="2")
    assert [message["id"] for message in found["messages"]] == ["m2", "m1"]


async def test_what_was_deleted_meanwhile_does_not_count(client: Client) -> None:
    async def come_and_go() -> None:
        await client.submit()
        await client.done("DELETE", "messages")
        await client.submit()
        await client.submit()

    found = await waited(client, come_and_go, count="2")
    assert [message["id"] for message in found["messages"]] == ["m3", "m2"]


async def test_a_message_that_no_longer_has_the_status_does_not_count(client: Client) -> None:
    await client.submit()

    async def go_on() -> None:
        await client.world.pass_time(1)
        await client.submit()
        await client.submit()

    found = await waited(client, go_on, status="pending", count="2")
    assert [message["id"] for message in found["messages"]] == ["m3", "m2"]


async def test_a_wait_looks_at_what_changes_and_not_at_all_messages_each_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    store = client.world.engine.store
    messages = store.messages

    def looked_at() -> Iterator[Message]:
        looks.append("all")
        return messages()

    monkeypatch.setattr(store, "messages", looked_at)

    async def come_and_go() -> None:
        for _ in range(5):
            await client.submit()
            await client.world.pass_time(1)
            await turns()
        assert len(looks) == 1
        await client.submit()
        await client.submit()
        await client.done("DELETE", "messages")
        looks.clear()
        for _ in range(3):
            await client.submit()
            await turns()

    found = await waited(client, come_and_go, status="pending", count="3")
    assert found["total"] == 3
    # Once because of those that had gone unseen, and once because there were enough.
    assert len(looks) == 2


async def test_a_wait_in_vain_says_what_there_is_and_what_is_due_next(client: Client) -> None:
    await client.submit(transactionId="t1")
    await client.submit(transactionId="t2")
    problem = await client.problem(
        "GET", "messages/wait", transactionId="t1", status="delivered", timeout="10ms"
    )
    assert problem["status"] == 409
    assert problem["detail"] == (
        "0 of 1 messages matched within 0.01 s; next is due 2024-01-15T12:00:01Z: POST clock/advance gets there"
    )
    assert [(message["id"], message["status"]) for message in problem["messages"]] == [("m1", "pending")]
    assert (problem["matched"], problem["total"], problem["nextDue"]) == (0, 1, "2024-01-15T12:00:01Z")


async def test_a_wait_in_vain_for_nothing_at_all(client: Client) -> None:
    problem = await client.problem("GET", "messages/wait", timeout="0")
    assert problem["detail"] == "0 of 1 messages matched within 0 s; nothing more is due"
    assert (problem["messages"], problem["nextDue"]) == ([], None)


async def test_a_wait_in_vain_on_a_running_clock_says_when_but_not_to_advance() -> None:
    async with talking(clock=RunningClock(start_at=None)) as client:
        await client.submit()
        problem = await client.problem("GET", "messages/wait", status="expired", timeout="0")
    assert problem["detail"] == (f"0 of 1 messages matched within 0 s; next is due {problem['nextDue']}")


@pytest.mark.parametrize("written", ["0.01", "10ms", "0.00001d"])
async def test_a_timeout_is_written_as_any_duration(client: Client, written: str) -> None:
    assert "0 of 1" in await client.refused("GET", "messages/wait", 409, timeout=written)


async def test_a_wait_ends_with_its_session(client: Client) -> None:
    await client.get("/s/short/_sandbox/health")
    answer = asyncio.create_task(client.get("/s/short/_sandbox/messages/wait?timeout=1h"))
    await turns()
    await client.delete("/s/short")
    problem = (await answer).json()
    assert problem["status"] == 409
    assert problem["detail"] == (
        "0 of 1 messages matched before the session or the server ended; nothing more is due"
    )


async def test_a_wait_ends_when_whoever_waits_has_gone(client: Client) -> None:
    coming = iter([{"type": "http.request", "body": b""}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(coming)

    async def send(_: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_sandbox/messages/wait",
        "query_string": b"timeout=1h",
        "headers": [(b"host", b"localhost")],
    }
    await client.app(scope, receive, send)
    assert client.world.engine.feed.listeners == []


# -- reports by hand ---------------------------------------------------------------------------------


async def test_a_report_by_hand_is_sent_now_and_in_the_record() -> None:
    carrier = FakeCarrier()
    async with talking(carrier=carrier) as client:
        await client.submit(**REPORTED, transactionId="t1")
        callback = await client.done(
            "POST", "messages/m1/reports", {"status": "undeliverable", "errorCode": 11}, status=201
        )
        assert (callback["id"], callback["messageId"], callback["state"]) == ("c1", "m1", "waiting")
        assert callback["body"]["status"] == "undeliverable"
        assert callback["body"]["errorCode"] == 11
        await client.done("POST", "settle")
        shown = await client.shown("messages/m1")
        assert shown["status"] == "undeliverable"
        assert [change["status"] for change in shown["timeline"]] == ["undeliverable"]
        assert len(carrier.parcels) == 1


async def test_what_was_planned_goes_on_after_a_report_that_is_not_final(client: Client) -> None:
    await client.submit(**REPORTED)
    await client.done("POST", "messages/latest/reports", {"status": "enroute", "errorCode": None}, status=201)
    await client.done("POST", "clock/advance", {"by": "1s"})
    shown = await client.shown("messages/m1")
    assert [change["status"] for change in shown["timeline"]] == ["enroute", "delivered"]
    assert shown["callbacks"] == ["c1", "c2"]


async def test_the_latest_that_is_reported_takes_the_filters_too(client: Client) -> None:
    for sender in ("A", "B"):
        await client.submit(**REPORTED, senderId=sender)
    callback = await client.done(
        "POST", "messages/latest/reports", {"status": "read"}, query={"senderId": "A"}, status=201
    )
    assert callback["messageId"] == "m1"


async def test_a_report_that_has_nowhere_to_go_is_a_conflict(client: Client) -> None:
    await client.submit()
    detail = await client.refused("POST", "messages/m1/reports", 409, {"status": "delivered"})
    assert detail == (
        "no report of m1 can be sent: neither the request, its account nor the server names a callback URL"
    )
    assert (await client.shown("messages/m1"))["status"] == "pending"


async def test_a_report_goes_where_the_server_sends_them_when_nobody_else_says() -> None:
    async with talking(config=Config(callback_url=RECEIVER)) as client:
        await client.submit()
        callback = await client.done("POST", "messages/m1/reports", {"status": "delivered"}, status=201)
    assert callback["url"] == RECEIVER


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "status is missing"),
        ({"status": ""}, "status: is empty, where a text is wanted"),
        ({"status": ["x"]}, "status: is a list, where a text is wanted"),
        ({"status": "x", "errorCode": "high"}, 'errorCode: is "high", wanted: a whole number'),
        ({"status": "x", "errorCode": -1}, 'errorCode: is "-1", wanted: 0 to 999'),
        ({"status": "x", "errorcode": 1}, 'there is no key "errorcode" here: did you mean errorCode?'),
    ],
)
async def test_what_is_no_report_is_told_with_its_place(client: Client, body: Any, message: str) -> None:
    await client.submit(**REPORTED)
    problem = await client.problem("POST", "messages/m1/reports", body)
    assert problem["status"] == 422
    assert [mistake["message"] for mistake in problem["mistakes"]] == [message]
    assert problem["detail"] == message


async def test_there_is_no_report_of_a_message_that_is_not_there(client: Client) -> None:
    detail = await client.refused("POST", "messages/m7/reports", 404, {"status": "delivered"})
    assert detail == "there is no message m7: GET messages lists those that are kept"
