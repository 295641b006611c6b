"""What happens in a session, told to whoever listens."""

import asyncio
from typing import Any

import pytest

from sandbox.feed import Feed, Kind
from tests.worlds import turns

pytestmark = pytest.mark.anyio


async def test_every_listener_is_told_in_the_order_in_which_things_happen() -> None:
    feed = Feed()
    told: list[tuple[str, Kind, Any]] = []
    with feed.told_to(lambda *what: told.append(("a", *what))):
        feed.tell(Kind.CLOCK)
        with feed.told_to(lambda *what: told.append(("b", *what))):
            feed.tell(Kind.SCENARIO)
    feed.tell(Kind.CLOCK)
    assert told == [
        ("a", Kind.CLOCK, None),
        ("a", Kind.SCENARIO, None),
        ("b", Kind.SCENARIO, None),
    ]


async def test_a_listener_may_leave_while_it_is_told() -> None:
    feed = Feed()
    feed.listeners.append(lambda *_: feed.listeners.clear())
    feed.tell(Kind.CLOCK)
    assert feed.listeners == []


async def test_what_is_so_already_is_not_waited_for() -> None:
    assert await Feed().until(lambda: "so") == "so"


async def test_what_is_waited_for_is_looked_at_after_each_thing_that_happens_and_not_between() -> None:
    feed = Feed()
    looks: list[str] = []
    seen: list[int] = []

    def look() -> str | None:
        looks.append("look")
        return "there" if len(seen) == 2 else None

    waiting = asyncio.create_task(feed.until(look))
    await turns()
    assert len(looks) == 1
    for number in range(2):
        seen.append(number)
        feed.tell(Kind.CLOCK)
        await turns()
    assert await waiting == "there"
    assert len(looks) == 3
    assert feed.listeners == []


async def test_who_gives_up_waiting_listens_no_more() -> None:
    feed = Feed()

    def never() -> str | None:
        return None

    waiting = asyncio.create_task(feed.until(never))
    await turns()
    waiting.cancel()
    await turns()
    assert feed.listeners == []


async def test_the_end_is_told_too() -> None:
    feed = Feed()
    told: list[str] = []
    feed.at_end.append(lambda: told.append("end"))
    feed.end()
    assert told == ["end"]
    assert feed.is_over
