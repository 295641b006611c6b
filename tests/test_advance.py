"""Moving the clock: all that is due on the way happens at its own moment, and was attempted at the end."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.advance import advance
from sandbox.agenda import TURN
from sandbox.app import build_engine
from sandbox.carrier import Arrived, Lost, Outcome, Parcel
from sandbox.clock import BackwardsError
from sandbox.config import Config
from sandbox.core.scenario import Scenario
from tests.worlds import NOON, REPORTED, FakeCarrier, World, at, step, turns, world

pytestmark = pytest.mark.anyio

A_MONTH_S = 30 * 86_400


def attempts(sandbox: World) -> list[tuple[float, str]]:
    """Return when each attempt was made, in seconds after noon, and the status it told of."""
    return sorted(
        ((attempt.at - NOON).total_seconds(), json.loads(callback.body or "")["status"])
        for callback in sandbox.engine.store.callbacks()
        for attempt in callback.attempts
    )


async def test_each_report_is_sent_at_its_own_moment() -> None:
    story = Scenario("test", timeline=(step(1, "accepted"), step(60, "enroute"), step(3600, "delivered")))
    sandbox = world(scenario=story)
    sandbox.accept(REPORTED)
    assert await advance(sandbox.engine, at(A_MONTH_S)) == 3
    assert attempts(sandbox) == [(1, "accepted"), (60, "enroute"), (3600, "delivered")]
    assert sandbox.clock.now() == at(A_MONTH_S)


async def test_what_is_due_by_the_end_has_happened_and_nothing_later() -> None:
    sandbox = world()
    sandbox.accept(REPORTED)
    assert await advance(sandbox.engine, at(0.999)) == 0
    assert await advance(sandbox.engine, at(1)) == 1
    assert await advance(sandbox.engine, at(1)) == 0


async def test_retries_are_counted_from_the_attempt_before() -> None:
    sandbox = world(carrier=FakeCarrier(lambda _: Lost("connection refused")))
    sandbox.accept(REPORTED)
    assert await advance(sandbox.engine, at(A_MONTH_S)) == 6
    assert [moment_s for moment_s, _ in attempts(sandbox)] == [1, 2, 7, 37, 157, 757]


async def test_a_schedule_and_an_expiry_pass_like_any_other_time() -> None:
    sandbox = world(scenario=Scenario("test", timeline=(step(5, "enroute"),)))
    sandbox.accept(REPORTED, scheduledDeliveryTime="3600", validityPeriod="60")
    assert await advance(sandbox.engine, at(A_MONTH_S)) == 2
    assert attempts(sandbox) == [(3605, "enroute"), (3660, "expired")]


async def test_time_stands_until_the_receiver_has_answered() -> None:
    sandbox = world()
    sandbox.carrier.hold("127.0.0.1")
    sandbox.accept(REPORTED)
    moved: list[int] = []

    async def move() -> None:
        moved.append(await advance(sandbox.engine, at(A_MONTH_S)))

    async with anyio.create_task_group() as group:
        group.start_soon(move)
        await turns()
        assert (sandbox.clock.now(), moved) == (at(1), [])
        sandbox.carrier.let_go("127.0.0.1")
    assert (sandbox.clock.now(), moved) == (at(A_MONTH_S), [1])


async def test_more_may_be_due_at_once_than_are_done_in_one_turn() -> None:
    sandbox = world()
    for _ in range(2 * TURN + 1):
        sandbox.accept(REPORTED)
    assert await advance(sandbox.engine, at(1)) == 2 * TURN + 1


async def test_time_only_goes_forward() -> None:
    sandbox = world(scenario=Scenario("test", timeline=(step(0, "delivered"),)))
    sandbox.accept(REPORTED)
    with pytest.raises(BackwardsError, match="only goes forward"):
        await advance(sandbox.engine, at(-1))
    assert (sandbox.clock.now(), sandbox.carrier.parcels) == (NOON, [])


async def test_two_may_move_the_clock_at_once() -> None:
    sandbox = world()
    sandbox.accept(REPORTED)
    async with anyio.create_task_group() as group:
        for seconds in (60, 3600, 5):
            group.start_soon(advance, sandbox.engine, at(seconds))
    assert sandbox.clock.now() == at(3600)
    assert attempts(sandbox) == [(1, "delivered")]


async def test_only_a_virtual_clock_can_be_advanced() -> None:
    engine = build_engine(Config(), scenario=Scenario("test"), carrier=FakeCarrier())
    with pytest.raises(TypeError, match="this one is real"):
        await advance(engine, NOON)


def unreliable(parcel: Parcel) -> Outcome:
    """Answer the same to the same parcel, and fail for some of them."""
    return Lost("connection refused") if sum((parcel.body or "").encode()) % 3 == 0 else Arrived(200)


@given(st.lists(st.floats(0, 900), max_size=6), st.lists(st.floats(0, 900), max_size=6))
@settings(max_examples=30)
def test_many_small_moves_come_to_the_same_as_one(afters_s: list[float], stops_s: list[float]) -> None:
    story = Scenario("test", timeline=tuple(step(after_s, f"s{after_s}") for after_s in sorted(afters_s)))

    async def told(stops: Sequence[datetime]) -> list[tuple[float, str]]:
        sandbox = world(scenario=story, carrier=FakeCarrier(unreliable))
        sandbox.accept(REPORTED)
        for stop in stops:
            await advance(sandbox.engine, stop)
        return attempts(sandbox)

    the_end = NOON + timedelta(seconds=A_MONTH_S)
    stops = [at(stop_s) for stop_s in sorted(stops_s)]
    assert anyio.run(told, [*stops, the_end]) == anyio.run(told, [the_end])
