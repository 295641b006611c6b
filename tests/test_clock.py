import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox import clock as clock_module
from sandbox.clock import (
    BackwardsError,
    Clock,
    Deadline,
    RunningClock,
    Stopwatch,
    VirtualClock,
    clock_of,
    real_pause,
)
from sandbox.errors import ConfigError
from tests.worlds import NOON, at


class Wall:
    """A clock on the wall that tests move; it stands in for the ``datetime`` class of the module."""

    def __init__(self) -> None:
        self.moment = datetime(2030, 5, 5, 5, 5, 5, 123_456, tzinfo=UTC)

    def now(self, zone: object) -> datetime:
        assert zone is UTC
        return self.moment

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(clock_module, "datetime", wall)
    return wall


# -- clocks that run ------------------------------------------------------------------------------------


def test_real_time_is_the_wall_s(wall: Wall) -> None:
    clock = RunningClock()
    assert (clock.now(), clock.mode) == (wall.moment, "real")
    wall.move(-3600)
    assert clock.now() == wall.moment


def test_time_can_start_elsewhere(wall: Wall) -> None:
    clock = RunningClock(start_at=NOON)
    assert (clock.now(), clock.mode) == (NOON, "real")
    wall.move(1.5)
    assert clock.now() == at(1.5)


def test_time_can_run_faster(wall: Wall) -> None:
    clock = RunningClock(start_at=NOON, rate=60)
    assert clock.mode == "x60"
    wall.move(2)
    assert clock.now() == at(120)


def test_fast_time_starts_now_where_nothing_else_is_said(wall: Wall) -> None:
    began_at = wall.moment
    clock = RunningClock(rate=2)
    wall.move(1)
    assert clock.now() == began_at + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("rate", "seconds", "real_s"), [(1, 30, 30), (60, 30, 0.5), (1, 0, 0), (1, -5, 0), (60, -5, 0)]
)
def test_real_seconds_until_a_moment(wall: Wall, rate: int, seconds: float, real_s: float) -> None:
    wall.move(0)
    assert RunningClock(start_at=NOON, rate=rate).real_s_until(at(seconds)) == real_s


# -- virtual time ---------------------------------------------------------------------------------------


def test_virtual_time_stands_until_it_is_moved() -> None:
    clock = VirtualClock(NOON)
    assert (clock.now(), clock.mode) == (NOON, "virtual")
    clock.move_to(at(5))
    assert clock.now() == at(5)
    clock.move_to(at(5))
    assert clock.now() == at(5)


def test_virtual_time_only_goes_forward() -> None:
    clock = VirtualClock(NOON)
    with pytest.raises(
        BackwardsError, match=r"2024-01-15T11:59:59Z is before 2024-01-15T12:00:00Z: time only goes forward"
    ):
        clock.move_to(at(-0.001))
    assert clock.now() == NOON


def test_virtual_time_starts_with_a_whole_second_now(wall: Wall) -> None:
    assert VirtualClock().now() == wall.moment.replace(microsecond=0)


def test_a_virtual_moment_never_comes_by_itself() -> None:
    clock = VirtualClock(NOON)
    assert [clock.real_s_until(at(seconds)) for seconds in (-1, 0, 1)] == [0.0, 0.0, None]


@pytest.mark.parametrize("clock", [RunningClock(), RunningClock(rate=60), VirtualClock()])
def test_every_clock_tells_aware_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


# -- choosing one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind"), [("real", RunningClock), ("x60", RunningClock), ("virtual", VirtualClock)]
)
def test_a_clock_is_chosen_by_its_mode(wall: Wall, mode: str, kind: type) -> None:
    clock = clock_of(mode, NOON)
    assert (type(clock), clock.mode, clock.now()) == (kind, mode, NOON)
    assert clock_of(mode).now().replace(microsecond=0) == wall.moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "mode", ["", "fast", "x", "x0", "x-1", "x1.5", "x1000000", "x٣", "Virtual", "real\n"]
)
def test_what_is_no_mode_is_told_with_those_that_are(mode: str) -> None:
    with pytest.raises(ConfigError, match="it is real, virtual, or x"):
        clock_of(mode)


@pytest.mark.parametrize("mode", ["real", "x60", "virtual"])
def test_a_clock_begins_afresh_as_it_began(wall: Wall, mode: str) -> None:
    clock = clock_of(mode, NOON)
    wall.move(5)
    if isinstance(clock, VirtualClock):
        clock.move_to(at(5))
    fresh = clock.afresh()
    assert (fresh.mode, fresh.now()) == (mode, NOON)
    assert clock.now() > NOON


@pytest.mark.parametrize("mode", ["real", "x60", "virtual"])
def test_a_clock_that_was_given_no_moment_begins_afresh_now(wall: Wall, mode: str) -> None:
    clock = clock_of(mode)
    wall.move(5)
    assert clock.afresh().now().replace(microsecond=0) == wall.moment.replace(microsecond=0)


def test_fast_time_ends_where_calendars_end(wall: Wall) -> None:
    clock = RunningClock(start_at=datetime(9999, 12, 31, tzinfo=UTC), rate=999_999)
    wall.move(86_400)
    assert clock.now() == datetime.max.replace(tzinfo=UTC)


# -- real time, whatever the clock ----------------------------------------------------------------------


def test_a_stopwatch_counts_whole_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 10.0124, 11.5])
    monkeypatch.setattr("sandbox.clock.time.perf_counter", lambda: next(ticks))
    watch = Stopwatch()
    assert [watch.ms(), watch.ms()] == [12, 1500]


def test_a_deadline_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 10.0, 12.0, 15.0, 99.0])
    monkeypatch.setattr("sandbox.clock.time.monotonic", lambda: next(ticks))
    deadline = Deadline(5)
    assert [deadline.left_s() for _ in range(4)] == [5, 3, 0, 0]


@pytest.mark.anyio
async def test_real_time_passes_whatever_the_sandbox_s_clock_says() -> None:
    assert await real_pause(0)
    assert await real_pause(0.001)


@pytest.mark.anyio
async def test_a_pause_ends_early_when_it_is_told_to() -> None:
    over = asyncio.Event()
    over.set()
    assert not await real_pause(3600, unless=over.wait())
