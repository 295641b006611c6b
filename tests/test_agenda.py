import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.agenda import GRAIN_S, TURN, Agenda
from sandbox.clock import VirtualClock
from tests.worlds import NOON, at

pytestmark = pytest.mark.anyio


@dataclass
class FastClock:
    """A running clock on which every moment is near: a day of the sandbox's time is over at once."""

    moment: datetime = NOON
    mode: str = "real"

    def now(self) -> datetime:
        return self.moment

    def real_s_until(self, at: datetime) -> float:
        """Let the moment come."""
        self.moment = max(self.moment, at)
        return 0.0

    def afresh(self) -> Self:
        return self


class Timers:
    """The timers that an agenda sets, which ring when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits_s: list[float] = []
        self.cancelled = 0
        self._ring: Callable[[], None] | None = None
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self._call_later)

    def _call_later(self, wait_s: float, ring: Callable[[], None]) -> "Timers":
        assert self._ring is None, "two timers at once"
        self.waits_s.append(wait_s)
        self._ring = ring
        return self

    def cancel(self) -> None:
        self.cancelled += 1
        self._ring = None

    def ring(self) -> None:
        ring, self._ring = self._ring, None
        assert ring is not None
        ring()

    @property
    def is_set(self) -> bool:
        return self._ring is not None


@dataclass
class SlowClock:
    """A running clock that is moved by hand."""

    moment: datetime = NOON
    mode: str = "real"

    def now(self) -> datetime:
        return self.moment

    def real_s_until(self, at: datetime) -> float:
        return max(0.0, (at - self.moment).total_seconds())

    def afresh(self) -> Self:
        return self


@pytest.fixture
def done() -> list[Any]:
    return []


# -- what is due ----------------------------------------------------------------------------------------


async def test_actions_run_in_order_of_their_moments_and_of_their_adding(done: list[Any]) -> None:
    clock = VirtualClock(NOON)
    agenda = Agenda(clock)
    for second, name in ((2, "c"), (1, "a"), (3, "d"), (1, "b")):
        agenda.add(at(second), done.append, name)
    assert (len(agenda), agenda.next_due_at) == (4, at(1))
    assert agenda.run_due() == 0
    clock.move_to(at(2))
    assert agenda.run_due() == 3
    assert done == ["a", "b", "c"]
    assert (len(agenda), agenda.next_due_at) == (1, at(3))


async def test_an_empty_agenda() -> None:
    agenda = Agenda(VirtualClock(NOON))
    assert (len(agenda), agenda.next_due_at, agenda.run_due()) == (0, None, 0)


async def test_what_is_due_now_is_due(done: list[Any]) -> None:
    agenda = Agenda(VirtualClock(NOON))
    agenda.add(NOON, done.append, 1)
    agenda.add(at(-5), done.append, 2)
    assert agenda.run_due() == 2
    assert done == [2, 1]
    agenda.clear()


async def test_only_so_many_when_asked(done: list[Any]) -> None:
    agenda = Agenda(VirtualClock(NOON))
    for number in range(5):
        agenda.add(NOON, done.append, number)
    assert [agenda.run_due(2), agenda.run_due(0), agenda.run_due(2), agenda.run_due(2)] == [2, 0, 2, 1]
    agenda.clear()


async def test_an_action_may_add_others(done: list[Any]) -> None:
    clock = VirtualClock(NOON)
    agenda = Agenda(clock)

    def add_two() -> None:
        agenda.add(at(1), done.append, "now")
        agenda.add(at(2), done.append, "later")

    agenda.add(at(1), add_two)
    clock.move_to(at(1))
    assert agenda.run_due() == 2
    assert done == ["now"]
    assert agenda.next_due_at == at(2)


async def test_an_agenda_can_be_cleared(done: list[Any]) -> None:
    clock = VirtualClock(NOON)
    agenda = Agenda(clock)
    agenda.add(at(1), done.append, 1)
    agenda.clear()
    clock.move_to(at(5))
    assert (agenda.run_due(), len(agenda), done) == (0, 0, [])


# -- the timer ------------------------------------------------------------------------------------------


async def test_on_a_running_clock_actions_happen_by_themselves() -> None:
    agenda = Agenda(FastClock())
    happened = asyncio.Event()
    agenda.add(at(86_400), happened.set)
    await asyncio.wait_for(happened.wait(), 10)
    assert len(agenda) == 0


async def test_on_a_virtual_clock_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = Timers(monkeypatch)
    Agenda(VirtualClock(NOON)).add(at(1), print)
    assert timers.waits_s == []


async def test_the_timer_is_set_for_the_first_action_and_anew_for_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timers = Timers(monkeypatch)
    agenda = Agenda(SlowClock())
    for second in (10, 20, 10, 5, 7):
        agenda.add(at(second), print)
    assert timers.waits_s == [10, 5]
    assert timers.cancelled == 1
    agenda.clear()
    assert not timers.is_set


async def test_a_timer_that_rings_too_early_is_set_anew(
    monkeypatch: pytest.MonkeyPatch, done: list[Any]
) -> None:
    timers, clock = Timers(monkeypatch), SlowClock()
    agenda = Agenda(clock)
    agenda.add(at(10), done.append, 1)
    clock.moment = at(9.9)
    timers.ring()
    assert done == []
    assert timers.waits_s == [10, pytest.approx(0.1)]
    clock.moment = at(10)
    timers.ring()
    assert done == [1]
    assert not timers.is_set


async def test_no_wait_is_too_long_for_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    timers = Timers(monkeypatch)
    Agenda(SlowClock()).add(NOON + timedelta(days=365_000), print)
    assert timers.waits_s == [86_400]


async def test_actions_close_to_each_other_share_a_ring(
    monkeypatch: pytest.MonkeyPatch, done: list[Any]
) -> None:
    timers, clock = Timers(monkeypatch), SlowClock()
    agenda = Agenda(clock)
    for number in range(3):
        agenda.add(at(number / 1000), done.append, number)
    clock.moment = at(GRAIN_S)
    timers.ring()
    assert timers.waits_s == [GRAIN_S]
    assert done == [0, 1, 2]


async def test_much_that_is_due_at_once_leaves_turns_to_others(
    monkeypatch: pytest.MonkeyPatch, done: list[Any]
) -> None:
    timers = Timers(monkeypatch)
    agenda = Agenda(SlowClock())
    for number in range(2 * TURN + 1):
        agenda.add(NOON, done.append, number)
    rings = []
    while timers.is_set:
        timers.ring()
        rings.append(len(done))
    assert rings == [TURN, 2 * TURN, 2 * TURN + 1]
    assert timers.waits_s == [GRAIN_S, 0, 0]


async def test_an_action_that_fails_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, done: list[Any]
) -> None:
    timers = Timers(monkeypatch)
    agenda = Agenda(SlowClock())
    agenda.add(NOON, [].pop)
    agenda.add(NOON, done.append, 1)
    with pytest.raises(IndexError):
        timers.ring()
    timers.ring()
    assert done == [1]


async def test_another_clock_is_gone_by_from_then_on(
    monkeypatch: pytest.MonkeyPatch, done: list[Any]
) -> None:
    timers = Timers(monkeypatch)
    agenda = Agenda(VirtualClock(NOON))
    agenda.add(at(60), done.append, 1)
    assert not timers.is_set
    agenda.follow(SlowClock(at(60)))
    timers.ring()
    assert done == [1]


@given(st.lists(st.integers(1, 20)), st.integers(0, 30))
def test_the_soonest_are_told_in_the_order_in_which_they_will_happen(seconds: list[int], most: int) -> None:
    agenda = Agenda(VirtualClock(NOON))
    for order, each in enumerate(seconds):
        agenda.add(at(each), print, each, order)
    told = [arguments for _, arguments in agenda.soonest(most)]
    assert told == sorted((each, order) for order, each in enumerate(seconds))[:most]


@given(st.lists(st.one_of(st.integers(1, 20), st.none())))
def test_in_whatever_order_actions_are_added_they_run_in_that_of_their_moments(
    steps: list[int | None],
) -> None:
    clock = VirtualClock(NOON)
    agenda = Agenda(clock)
    now = 0
    done: list[tuple[int, int]] = []
    expected: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []
    for order, step in enumerate(steps):
        if step is not None:
            moment = now + step
            agenda.add(at(moment), done.append, (moment, order))
            waiting.append((moment, order))
        elif waiting:  # between two that are added, what is next happens
            waiting.sort()
            assert agenda.next_due_at == at(waiting[0][0])
            now = waiting[0][0]
            expected += [each for each in waiting if each[0] == now]
            waiting = [each for each in waiting if each[0] != now]
            clock.move_to(at(now))
            agenda.run_due()
    assert done == expected
    assert len(agenda) == len(waiting)
