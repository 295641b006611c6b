"""The control API: what it shows of what happened, and how it says no."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox import __version__
from sandbox.app import create_app
from sandbox.carrier import Arrived, Lost, Parcel
from sandbox.clock import VirtualClock
from sandbox.core.scenario import Scenario
from sandbox.engine import Engine
from tests.worlds import NOON, READINGS, RECEIVER, REPORTED, USER, VALID, FakeCarrier, World

pytestmark = pytest.mark.anyio

PATH = "/sendMtSms.php"


class Client(httpx.AsyncClient):
    """A client of one application, and the world behind it."""

    world: World

    async def send(self, *arguments: Any, **more: Any) -> httpx.Response:  # what httpx itself calls
        return await super().send(*arguments, **more)

    async def submit(self, **parameters: str) -> str:
        return (await self.get(PATH, params={**VALID, **parameters})).text

    async def shown(self, path: str, **query: str) -> Any:
        answer = await self.get(f"/_sandbox/{path}", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    async def refused(self, method: str, path: str, status: int, **query: str) -> str:
        """Return the detail of the problem that must be the answer."""
        answer = await self.request(method, f"/_sandbox/{path}", params=query)
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["type"]) == (status, status, "about:blank")
        detail = problem["detail"]
        assert isinstance(detail, str)
        return detail


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    def answer(parcel: Parcel) -> Arrived | Lost:
        return Lost("connection refused", 2) if "lost" in parcel.url else Arrived(204, 3)

    clock, carrier = VirtualClock(NOON), FakeCarrier(answer)
    app = create_app(scenario=Scenario(name="test"), clock=clock, carrier=carrier)
    engine = app.state.engine
    assert isinstance(engine, Engine)
    async with Client(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as session:
        session.world = World(engine, clock, carrier)
        yield session


async def test_health_of_a_sandbox_that_has_done_nothing(client: Client) -> None:
    assert await client.shown("health") == {
        "status": "ok",
        "version": __version__,
        "scenario": "test",
        "clock": {"now": "2024-01-15T12:00:00Z", "mode": "virtual", "nextDue": None},
        "counts": {
            "messages": 0,
            "requests": 0,
            "callbacks": 0,
            "due": 0,
            "callbacksUnfinished": 0,
            "messagesDropped": 0,
        },
    }


async def test_health_counts(client: Client) -> None:
    await client.submit()
    await client.submit(to="recipient")
    health = await client.shown("health")
    assert (health["counts"]["messages"], health["counts"]["requests"], health["counts"]["due"]) == (1, 2, 1)
    assert health["clock"]["nextDue"] == "2024-01-15T12:00:01Z"


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


async def test_a_page_that_ends_with_the_last_has_no_next(client: Client) -> None:
    for _ in range(2):
        await client.submit()
    assert (await client.shown("messages", limit="2"))["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"to": "+34600000001"}, ["m2"]),
        ({"to": "+3460000000"}, []),
        ({"user": "other"}, ["m3"]),
        ({"senderId": "ORDER"}, ["m2"]),
        ({"transactionId": "t3"}, ["m3"]),
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


async def test_the_record_of_a_request(client: Client) -> None:
    await client.submit(to="recipient", apiKey="secret", dcs="")
    assert await client.shown("requests/r1") == {
        "id": "r1",
        "method": "GET",
        "path": PATH,
        "at": "2024-01-15T12:00:00Z",
        "parameters": {**VALID, "apiKey": "se…et", "to": "recipient", "dcs": ""},
        "status": 200,
        "answer": "ERROR_5",
        "contentType": "text/plain; charset=utf-8",
        "error": 5,
        "reason": "to has letter 'r' at position 1: digits only after the +",
        "hints": ["dcs is empty and counts as absent"],
        "rule": None,
        "messageId": None,
    }


@pytest.mark.parametrize(
    ("key", "shown"), [("secret", "se…et"), ("abcdef", "ab…ef"), ("abcde", "…"), ("", "…"), ("k", "…")]
)
@pytest.mark.parametrize("name", ["apiKey", "apikey", "APIKEY"])
async def test_keys_are_masked_however_their_name_is_spelled(
    client: Client, name: str, key: str, shown: str
) -> None:
    await client.get(PATH, params={name: key})
    record = await client.shown("requests/r1")
    assert record["parameters"] == {name: shown}


async def test_unreadable_values_are_shown_as_they_came(client: Client) -> None:
    await client.get(f"{PATH}?user=a%FFb")
    await client.post(PATH, json={"user": ["a"]})
    assert (await client.shown("requests/r1"))["parameters"] == {"user": "a\\xffb"}
    assert (await client.shown("requests/r2"))["parameters"] == {"user": "is a JSON array: send a string"}


async def test_requests_are_listed_and_filtered_by_error(client: Client) -> None:
    await client.submit()
    await client.submit(to="recipient")
    await client.submit(to="")
    listed = await client.shown("requests")
    assert [request["id"] for request in listed["requests"]] == ["r3", "r2", "r1"]
    assert [request["messageId"] for request in listed["requests"]] == [None, None, "m1"]
    refused = await client.shown("requests", error="5", limit="1")
    assert [request["id"] for request in refused["requests"]] == ["r3"]
    assert (refused["total"], refused["next"]) == (2, "r3")
    assert (await client.shown("requests", error="13"))["requests"] == []


async def test_callbacks_with_their_attempts(client: Client) -> None:
    await client.submit(**REPORTED, transactionId="a")
    await client.submit(**{**REPORTED, "callbackUrl": "http://127.0.0.1:1/lost"}, transactionId="b")
    await client.world.pass_time(3)
    listed = (await client.shown("callbacks"))["callbacks"]
    assert listed[0] == {
        "id": "c1",
        "messageId": "m1",
        "transactionId": "a",
        "method": "POST",
        "url": RECEIVER,
        "body": {
            "transactionId": "a",
            "status": "delivered",
            "destination": "+1222333444",
            "timestamp": "2024-01-15T12:00:01Z",
            "errorCode": None,
            "errorDescription": None,
        },
        "state": "delivered",
        "reason": None,
        "attempts": [{"at": "2024-01-15T12:00:01.000Z", "status": 204, "error": None, "ms": 3}],
    }
    assert listed[1]["state"] == "waiting"
    assert listed[1]["attempts"] == [
        {"at": f"2024-01-15T12:00:0{second}.000Z", "status": None, "error": "connection refused", "ms": 2}
        for second in (1, 2)
    ]
    assert [
        callback["id"] for callback in (await client.shown("callbacks", transactionId="b"))["callbacks"]
    ] == ["c2"]


async def test_deleting_messages_leaves_the_counters(client: Client) -> None:
    await client.submit()
    await client.submit()
    answer = await client.delete("/_sandbox/messages")
    assert answer.json() == {"deleted": 2}
    assert (await client.shown("messages"))["messages"] == []
    assert (await client.shown("health"))["counts"]["due"] == 0
    assert await client.submit() == "OK_1000003"
    assert (await client.shown("messages/latest"))["id"] == "m3"


async def test_reset_is_as_just_started(client: Client) -> None:
    fresh = await client.shown("health")
    await client.submit(**REPORTED)
    await client.submit(to="recipient")
    answer = await client.post("/_sandbox/reset")
    assert answer.json() == {"reset": True, "scenario": "test"}
    assert await client.shown("health") == fresh
    assert await client.submit() == "OK_1000001"
    assert (await client.shown("messages/latest"))["id"] == "m1"


@pytest.mark.parametrize(
    ("path", "query", "status", "detail"),
    [
        ("messages/m7", {}, 404, "there is no message m7: GET messages lists those that are kept"),
        ("messages/7", {}, 404, "id '7' is not one: ids look like m12"),
        ("messages/m07", {}, 404, "id 'm07' is not one: ids look like m12"),
        ("messages/r1", {}, 404, "id 'r1' is not one: ids look like m12"),
        ("messages/m" + "9" * 30, {}, 404, f"id 'm{'9' * 30}' is not one: ids look like m12"),
        ("requests/r7", {}, 404, "there is no request r7: GET requests lists those that are kept"),
        ("requests/latest", {}, 404, "id 'latest' is not one: ids look like r12"),
        (
            "nothing",
            {},
            404,
            (
                "nothing is at /_sandbox/nothing: "
                "the endpoint is /sendMtSms.php, the control API /_sandbox/health"
            ),
        ),
        ("messages", {"limit": "0"}, 422, "limit '0' is not a whole number from 1 to 1000"),
        ("messages", {"limit": "1001"}, 422, "limit '1001' is not a whole number from 1 to 1000"),
        ("messages", {"limit": "٣"}, 422, "limit '٣' is not a whole number from 1 to 1000"),
        ("messages", {"after": "x"}, 422, "after 'x' is not one: ids look like m12"),
        ("messages", {"after": "r1"}, 422, "after 'r1' is not one: ids look like m12"),
        ("requests", {"error": "16"}, 422, "error '16' is not a whole number from 1 to 15"),
        (
            "messages",
            {"senderID": "A"},
            422,
            (
                "there is no parameter senderID here, it takes after, limit, senderId, status, text, to, "
                "transactionId, user: did you mean senderId?"
            ),
        ),
        ("requests/r1", {"x": "y"}, 422, "there is no parameter x here, it takes none"),
    ],
)
async def test_problems_say_what_and_what_to_do(
    client: Client, path: str, query: dict[str, str], status: int, detail: str
) -> None:
    assert await client.refused("GET", path, status, **query) == detail


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "messages", {"GET", "HEAD", "DELETE"}),
        ("POST", "messages/m1", {"GET", "HEAD"}),
        ("GET", "reset", {"POST"}),
        ("DELETE", "health", {"GET", "HEAD"}),
    ],
)
async def test_other_methods_are_405_with_all_that_is_allowed(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    await client.refused(method, path, 405)
    answer = await client.request(method, f"/_sandbox/{path}")
    assert set(answer.headers["Allow"].split(", ")) == allowed


async def test_readings_are_the_defaults_here(client: Client) -> None:
    assert client.world.engine.readings == READINGS
