"""Callbacks: listed with their attempts, sent again, waited for."""

import asyncio

import pytest

from sandbox.carrier import Arrived, Lost, Parcel
from tests.web.control.client import Client, talking
from tests.worlds import RECEIVER, REPORTED, FakeCarrier, turns

pytestmark = pytest.mark.anyio

LOST = "http://127.0.0.1:1/lost"


async def test_callbacks_with_their_attempts(client: Client) -> None:
    await client.submit(**REPORTED, transactionId="a")
    await client.submit(**{**REPORTED, "callbackUrl": LOST}, transactionId="b")
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
    assert await client.shown("callbacks/c1") == listed[0]
    of_b = (await client.shown("callbacks", transactionId="b"))["callbacks"]
    assert [callback["id"] for callback in of_b] == ["c2"]
    assert (await client.shown("callbacks", transactionId="c"))["callbacks"] == []


@pytest.mark.parametrize(
    "body", ['{"x": NaN}', '{"x": 1e999}', '{"x": "\\ud800"}', "[" * 5000, "1", '{"x": ' + "9" * 5000 + "}"]
)
async def test_a_body_that_json_cannot_say_is_shown_as_text(body: str) -> None:
    scenario = f"name: x\ndefault: {{dlr: [{{status: delivered, body: '{body}'}}]}}"
    async with talking(scenario) as client:
        await client.submit(**REPORTED)
        await client.world.pass_time(1)
        assert (await client.shown("callbacks/c1"))["body"] == body


# -- replay ------------------------------------------------------------------------------------------


async def test_a_replay_sends_the_same_once_more() -> None:
    carrier = FakeCarrier()
    async with talking(carrier=carrier) as client:
        await client.submit(**REPORTED)
        await client.world.pass_time(1)
        shown = await client.done("POST", "callbacks/c1/replay", status=202)
        assert (shown["id"], shown["state"]) == ("c1", "waiting")
        await client.done("POST", "settle")
        shown = await client.shown("callbacks/c1")
        assert (shown["state"], len(shown["attempts"])) == ("delivered", 2)
        assert carrier.bodies[0] == carrier.bodies[1]


async def test_a_replay_of_what_waits_for_its_next_attempt_makes_it_now() -> None:
    answers = iter((Lost("connection refused", 1), Arrived(200, 1)))
    async with talking(carrier=FakeCarrier(lambda _: next(answers))) as client:
        await client.submit(**REPORTED)
        await client.world.pass_time(1)
        await client.done("POST", "callbacks/c1/replay", status=202)
        await client.done("POST", "settle")
        assert (await client.shown("callbacks/c1"))["state"] == "delivered"
        assert (await client.shown("clock"))["now"] == "2024-01-15T12:00:01Z"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("wanted", "detail"),
    [
        ("c7", "there is no callback c7: GET callbacks lists those that are kept"),
        ("m1", "m1 is no id: ids look like c12"),
    ],
)
async def test_there_is_no_such_callback(client: Client, method: str, wanted: str, detail: str) -> None:
    path = f"callbacks/{wanted}" + ("" if method == "GET" else "/replay")
    assert await client.refused(method, path, 404) == detail


# -- settle ------------------------------------------------------------------------------------------


async def test_what_has_nothing_due_is_settled_at_once(client: Client) -> None:
    assert await client.done("POST", "settle") == {"settled": True, "nextDue": None}
    await client.submit(**REPORTED)
    assert await client.done("POST", "settle", {"timeout": "5s"}) == {
        "settled": True,
        "nextDue": "2024-01-15T12:00:01Z",
    }


async def test_settle_answers_as_soon_as_the_last_attempt_has_ended() -> None:
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with talking("name: x\ndefault: {dlr: [{status: delivered}]}", carrier=carrier) as client:
        await client.submit(**REPORTED)
        answer = asyncio.create_task(client.done("POST", "settle", {"timeout": "1h"}))
        await turns()
        assert not answer.done()
        carrier.let_go("127.0.0.1")
        assert await answer == {"settled": True, "nextDue": None}
        assert (await client.shown("callbacks/c1"))["state"] == "delivered"


async def test_what_does_not_settle_in_time_is_a_conflict_with_what_is_under_way() -> None:
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with talking("name: x\ndefault: {dlr: [{status: delivered}]}", carrier=carrier) as client:
        await client.submit(**REPORTED)
        problem = await client.problem("POST", "settle", {"timeout": "20ms"})
        assert problem["status"] == 409
        assert problem["detail"] == (
            "after 0.02 s callbacks that are due are still unsent or in flight: "
            "GET callbacks shows the attempts so far"
        )
        assert [callback["id"] for callback in problem["callbacks"]] == ["c1"]
        assert problem["total"] == 1


async def test_settling_ends_when_the_server_stops() -> None:
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with talking("name: x\ndefault: {dlr: [{status: delivered}]}", carrier=carrier) as client:
        await client.submit(**REPORTED)
        answer = asyncio.create_task(client.refused("POST", "settle", 409, {"timeout": "1h"}))
        await turns()
        client.app.state.engine.feed.end()
        assert (await answer).startswith(
            "as the server stops, callbacks that are due are still unsent or in flight"
        )


async def test_a_retry_that_is_not_due_yet_does_not_hold_up() -> None:
    def lose(_: Parcel) -> Lost:
        return Lost("connection refused", 1)

    async with talking("name: x\ndefault: {dlr: [{status: delivered}]}", carrier=FakeCarrier(lose)) as client:
        await client.submit(**REPORTED)
        settled = await client.done("POST", "settle")
        assert settled["nextDue"] == "2024-01-15T12:00:01Z"
        assert (await client.shown("callbacks/c1"))["state"] == "waiting"


@pytest.mark.parametrize("written", [True, "soon", -1, [5], "-5s", "1e400"])
async def test_what_is_no_timeout(client: Client, written: object) -> None:
    detail = await client.refused("POST", "settle", 422, {"timeout": written})
    assert detail.startswith("timeout: ")
