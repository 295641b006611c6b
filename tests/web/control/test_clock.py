"""The clock: what time it is, moving it, and choosing another."""

import asyncio
import threading
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from sandbox.app import create_app
from sandbox.carrier import Outcome, Parcel
from sandbox.clock import RunningClock, VirtualClock
from sandbox.config import Config
from sandbox.serving import serving
from tests.web.control.client import Client, talking
from tests.worlds import NOON, REPORTED, FakeCarrier, turns

pytestmark = pytest.mark.anyio


async def test_a_clock_tells_the_time_and_what_is_due_next(client: Client) -> None:
    assert await client.shown("clock") == {
        "now": "2024-01-15T12:00:00Z",
        "mode": "virtual",
        "nextDue": None,
    }
    await client.submit()
    assert (await client.shown("clock"))["nextDue"] == "2024-01-15T12:00:01Z"


async def test_a_moment_within_a_second_is_told_to_the_microsecond(client: Client) -> None:
    moved = await client.done("POST", "clock/advance", {"by": "250ms"})
    assert moved["now"] == "2024-01-15T12:00:00.250Z"
    await client.submit()
    await client.done("POST", "clock/advance", {"by": 0.000001})
    shown = await client.shown("clock")
    assert (shown["now"], shown["nextDue"]) == ("2024-01-15T12:00:00.250001Z", "2024-01-15T12:00:01.250Z")


# -- advance -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "now"),
    [
        ({"by": "1h"}, "2024-01-15T13:00:00Z"),
        ({"by": "5s"}, "2024-01-15T12:00:05Z"),
        ({"by": 5}, "2024-01-15T12:00:05Z"),
        ({"by": "5"}, "2024-01-15T12:00:05Z"),
        ({"by": 5.0}, "2024-01-15T12:00:05Z"),
        ({"by": 0}, "2024-01-15T12:00:00Z"),
        ({"to": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ({"to": "2024-01-15T14:00:00+01:00"}, "2024-01-15T13:00:00Z"),
        ({"to": "2024-01-15T12:00:00Z"}, "2024-01-15T12:00:00Z"),
    ],
)
async def test_a_virtual_clock_is_moved_by_or_to(client: Client, body: Any, now: str) -> None:
    assert await client.done("POST", "clock/advance", body) == {"now": now, "callbacks": 0}
    assert (await client.shown("clock"))["now"] == now


async def test_all_that_is_due_on_the_way_happens_retries_included(client: Client) -> None:
    await client.submit(**REPORTED)
    await client.submit(**{**REPORTED, "callbackUrl": "http://127.0.0.1:1/lost"})
    assert await client.done("POST", "clock/advance", {"by": "1h"}) == {
        "now": "2024-01-15T13:00:00Z",
        "callbacks": 1 + 6,
    }
    states = [callback["state"] for callback in (await client.shown("callbacks"))["callbacks"]]
    assert states == ["delivered", "failed"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "what stands here is empty, wanted: one of by, to at least"),
        ({"by": "1h", "to": "2026-01-01T00:00:00Z"}, "by and to exclude each other: leave one out"),
        (
            {"to": "2024-01-15T11:59:59Z"},
            "2024-01-15T11:59:59Z is before 2024-01-15T12:00:00Z: time only goes forward",
        ),
        ({"by": "-1h"}, 'by: is "-1h", no duration: write 250ms, 5s, 2m, 1h, 3d, or a number of seconds'),
        ({"by": -1}, 'by: is "-1", wanted: a duration from 0 to 3650d'),
        ({"by": "4000d"}, 'by: is "4000d", wanted: a duration from 0 to 3650d'),
        ({"by": None}, "by: is "),
        ({"by": [1]}, "by: is a list, no duration: write 250ms, 5s, 2m, 1h, 3d, or a number of seconds"),
        ({"to": "tomorrow"}, "to: "),
        ({"to": "10000-01-01T00:00:00Z"}, "to: "),
        ({"to": 5}, "to: "),
        ({"by": "1h", "bye": "1h"}, 'there is no key "bye" here: did you mean by?'),
    ],
)
async def test_what_is_no_way_forward_changes_nothing(client: Client, body: Any, detail: str) -> None:
    assert (await client.refused("POST", "clock/advance", 422, body)).startswith(detail)
    assert (await client.shown("clock"))["now"] == "2024-01-15T12:00:00Z"


async def test_time_does_not_go_past_the_end_of_the_calendar(client: Client) -> None:
    await client.done("POST", "clock/advance", {"to": "9999-12-31T23:59:59Z"})
    assert await client.refused("POST", "clock/advance", 422, {"by": "1h"}) == "that is beyond the year 9999"


async def test_a_running_clock_is_not_moved() -> None:
    async with talking(clock=RunningClock()) as client:
        assert await client.refused("POST", "clock/advance", 409, {"by": "1h"}) == (
            'the clock is real, only a virtual one is moved: PUT clock {"mode": "virtual"}, '
            "or serve --clock virtual"
        )


class HeldUpCarrier(FakeCarrier):
    """Never comes to an end, and says when it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()

    async def carry(self, parcel: Parcel) -> Outcome:
        self.has_begun.set()
        await asyncio.Event().wait()
        return await super().carry(parcel)


@pytest.mark.parametrize("session", ["", "/s/a"])
@pytest.mark.parametrize(
    ("path", "body"), [("/_sandbox/clock/advance", '{"by": "1h"}'), ("/clock/advance", "by=1h")]
)
def test_an_advance_that_a_receiver_holds_up_is_answered_when_the_server_stops(
    session: str, path: str, body: str
) -> None:
    """Were it cut off, the answer would be HTTP 500; were it waited for, it would take the minute of grace."""
    carrier = HeldUpCarrier()
    app = create_app(clock=VirtualClock(NOON), carrier=carrier)
    with ExitStack() as running:
        url = urlsplit(running.enter_context(serving(app, grace_s=60)))
        client = HTTPConnection(url.hostname or "", url.port, timeout=30)
        client.request("GET", f"{session}/sendMtSms.php?{urlencode(REPORTED)}")
        assert client.getresponse().read() == b"OK_1000001"
        client.request("POST", f"{session}{path}", body)
        assert carrier.has_begun.wait(30)
    answer = client.getresponse()
    said = answer.read().decode()
    client.close()
    assert answer.status == 409
    assert "the session or the server has ended on the way, when it was 2024-01-15T12:00:01Z" in said.replace(
        "The session", "the session"
    )


async def test_an_advance_ends_when_another_clock_is_chosen_meanwhile() -> None:
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with talking(carrier=carrier) as client:
        await client.submit(**REPORTED)
        await client.submit(scheduledDeliveryTime="36000")
        moving = asyncio.create_task(client.done("POST", "clock/advance", {"by": "1d"}))
        await turns()
        await client.done("PUT", "clock", {"mode": "x2", "now": "2024-01-15T12:00:01Z"})
        carrier.let_go("127.0.0.1")
        assert (await moving)["callbacks"] == 1
        assert (await client.shown("clock"))["mode"] == "x2"


# -- another clock -----------------------------------------------------------------------------------


async def test_a_virtual_clock_is_chosen_with_its_time() -> None:
    async with talking(clock=RunningClock()) as client:
        shown = await client.done("PUT", "clock", {"mode": "virtual", "now": "2024-01-15T12:00:00Z"})
        assert shown == {"now": "2024-01-15T12:00:00Z", "mode": "virtual", "nextDue": None}
        await client.submit()
        assert (await client.shown("messages/m1"))["receivedAt"] == "2024-01-15T12:00:00Z"


async def test_a_clock_that_is_chosen_without_a_time_goes_on_from_where_it_is(client: Client) -> None:
    shown = await client.done("PUT", "clock", {"mode": "virtual"})
    assert shown["now"] == "2024-01-15T12:00:00Z"


async def test_what_is_due_by_the_new_time_happens() -> None:
    async with talking() as client:
        await client.submit()
        await client.done("PUT", "clock", {"mode": "virtual", "now": "2024-01-15T12:01:00Z"})
        await client.done("POST", "settle")
        assert (await client.shown("messages/m1"))["status"] == "delivered"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "mode is missing"),
        ({"now": "2024-01-15T12:00:00Z"}, "mode is missing"),
        (
            {"mode": "vritual"},
            "mode: a clock cannot be vritual: it is real, virtual, or x and how many times",
        ),
        ({"mode": "x0"}, "mode: a clock cannot be x0: "),
        ({"mode": 60}, "mode: a clock cannot be 60: "),
        ({"mode": "real", "now": "noon"}, "now: "),
        ({"mode": "real", "now": "0000-01-01T00:00:00Z"}, "now: "),
        ({"mode": ["real"]}, "mode: is a list"),
    ],
)
async def test_what_is_no_clock_changes_nothing(client: Client, body: Any, detail: str) -> None:
    assert (await client.refused("PUT", "clock", 422, body)).startswith(detail)
    assert (await client.shown("clock"))["mode"] == "virtual"


async def test_a_reset_brings_the_first_clock_back() -> None:
    async with talking(config=Config(clock="virtual", start_at=NOON)) as client:
        await client.done("PUT", "clock", {"mode": "x60"})
        await client.done("POST", "reset")
        assert (await client.shown("clock"))["mode"] == "virtual"
        assert (await client.shown("clock"))["now"] == "2024-01-15T12:00:00Z"
