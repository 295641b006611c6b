import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.agenda import Agenda
from sandbox.carrier import Arrived, HeldBack, Lost, Outcome, Parcel
from sandbox.clock import VirtualClock
from sandbox.core.model import Callback, CallbackState, Message
from sandbox.core.scenario import CallbackSettings
from sandbox.dispatcher import Dispatcher
from sandbox.places import Places
from tests.worlds import NOON, RECEIVER, FakeCarrier, a_message, at, turns

pytestmark = pytest.mark.anyio

LOST = Lost("connection refused", 7)


class Desk:
    """A dispatcher on a clock moved by hand, and the reports handed to it."""

    def __init__(
        self,
        answer: Callable[[Parcel], Outcome] = lambda _: Arrived(200, 1),
        settings: CallbackSettings | None = None,
        *,
        places: Places | None = None,
        carrier: FakeCarrier | None = None,
    ) -> None:
        self.clock = VirtualClock(NOON)
        self.agenda = Agenda(self.clock)
        self.carrier = carrier or FakeCarrier(answer)
        self.told: list[tuple[int, CallbackState]] = []
        self.dispatcher = Dispatcher(
            agenda=self.agenda,
            carrier=self.carrier,
            settings=settings or CallbackSettings(),
            places=places,
            on_change=lambda callback: self.told.append((callback.number, callback.state)),
        )
        self._messages: dict[int, Message] = {}
        self._count = 0

    def report(self, of: int = 1, url: str = RECEIVER, *, method: str = "POST") -> Callback:
        """Dispatch one more report of the message with number *of*."""
        self._count += 1
        body = json.dumps({"report": self._count}) if method == "POST" else None
        subject = self._messages.setdefault(of, a_message(of))
        callback = Callback(number=self._count, message=subject, url=url, method=method, body=body)
        self.dispatcher.dispatch(callback)
        return callback

    async def stand_at(self, seconds: float) -> int:
        """Let it be so many seconds after noon, and return how many attempts were made since."""
        before = len(self.carrier.parcels)
        self.clock.move_to(at(seconds))
        self.agenda.run_due()
        await turns()
        return len(self.carrier.parcels) - before

    @property
    def order(self) -> list[int]:
        """Which reports were attempted, in order."""
        return [json.loads(body or "{}")["report"] for body in self.carrier.bodies]


def state_of(callback: Callback) -> tuple[CallbackState, str | None]:
    return callback.state, callback.reason


# -- one report -----------------------------------------------------------------------------------------


async def test_a_report_is_carried_at_once() -> None:
    desk = Desk()
    callback = desk.report()
    assert desk.dispatcher.unfinished == 1
    await desk.dispatcher.quiet()
    assert (callback.state, callback.reason) == (CallbackState.DELIVERED, None)
    assert [(attempt.at, attempt.status, attempt.error, attempt.ms) for attempt in callback.attempts] == [
        (NOON, 200, None, 1)
    ]
    assert (desk.dispatcher.unfinished, desk.dispatcher.under_way) == (0, 0)
    assert desk.told == [(1, CallbackState.DELIVERED)]


async def test_what_is_sent() -> None:
    desk = Desk(settings=CallbackSettings(timeout_s=2.5, allow=("example.com",), headers={"X-Env": "test"}))
    desk.report()
    desk.report(of=2, method="GET")
    await desk.dispatcher.quiet()
    post, get = desk.carrier.parcels
    assert post == Parcel(
        method="POST",
        url=RECEIVER,
        headers={"Content-Type": "application/json", "User-Agent": "panelsms-sandbox", "X-Env": "test"},
        body='{"report": 1}',
        timeout_s=2.5,
        allowed=("example.com",),
    )
    assert (get.method, get.body) == ("GET", None)
    assert get.headers == {"User-Agent": "panelsms-sandbox", "X-Env": "test"}


async def test_the_scenario_s_headers_replace_the_sandbox_s_own() -> None:
    desk = Desk(settings=CallbackSettings(headers={"User-Agent": "other", "Content-Type": "text/plain"}))
    desk.report()
    await desk.dispatcher.quiet()
    assert desk.carrier.parcels[0].headers == {"User-Agent": "other", "Content-Type": "text/plain"}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_success(status: int) -> None:
    desk = Desk(lambda _: Arrived(status))
    callback = desk.report()
    await desk.dispatcher.quiet()
    assert callback.state == CallbackState.DELIVERED
    assert callback.attempts[0].status == status


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Arrived(301), 301, "HTTP 301: redirects are not followed"),
        (Arrived(307), 307, "HTTP 307: redirects are not followed"),
        (Arrived(199), 199, "HTTP 199"),
        (Arrived(400), 400, "HTTP 400"),
        (Arrived(410), 410, "HTTP 410"),
        (Arrived(500), 500, "HTTP 500"),
        (Arrived(503), 503, "HTTP 503"),
        (LOST, None, "connection refused"),
    ],
)
async def test_anything_else_is_tried_again(outcome: Outcome, status: int | None, error: str) -> None:
    desk = Desk(lambda _: outcome)
    callback = desk.report()
    await desk.dispatcher.quiet()
    assert (callback.state, callback.reason) == (CallbackState.WAITING, None)
    assert (callback.attempts[0].status, callback.attempts[0].error) == (status, error)
    assert desk.agenda.next_due_at == at(1)
    assert desk.told == [(1, CallbackState.WAITING)]


# -- retries --------------------------------------------------------------------------------------------


async def test_five_retries_each_counted_from_the_attempt_before_then_it_is_given_up() -> None:
    desk = Desk(lambda _: LOST)
    callback = desk.report()
    await turns()
    assert len(desk.carrier.parcels) == 1
    due = 0.0
    for wait in (1, 5, 30, 120, 600):
        due += wait
        assert await desk.stand_at(due - 0.001) == 0
        assert callback.state == CallbackState.WAITING
        assert await desk.stand_at(due) == 1
    assert callback.state == CallbackState.FAILED
    assert callback.reason == "gave up after 6 attempts: connection refused"
    assert [attempt.at for attempt in callback.attempts] == [at(s) for s in (0, 1, 6, 36, 156, 756)]
    assert await desk.stand_at(1_000_000) == 0
    assert len(desk.agenda) == 0
    assert desk.dispatcher.unfinished == 0


async def test_waits_count_from_when_an_attempt_was_really_made() -> None:
    desk = Desk(lambda _: LOST)
    callback = desk.report()
    await turns()
    await desk.stand_at(100)
    assert desk.agenda.next_due_at == at(105)
    assert [attempt.at for attempt in callback.attempts] == [at(0), at(100)]


async def test_the_body_is_the_same_at_each_try() -> None:
    desk = Desk(lambda _: LOST)
    desk.report()
    await turns()
    for seconds in (1, 6, 36, 156, 756):
        await desk.stand_at(seconds)
    assert len(desk.carrier.parcels) == 6
    assert len({(parcel.method, parcel.url, parcel.body) for parcel in desk.carrier.parcels}) == 1


async def test_a_retry_that_arrives_ends_it() -> None:
    answers: Iterator[Outcome] = iter([Arrived(500), LOST, Arrived(200)])
    desk = Desk(lambda _: next(answers))
    callback = desk.report()
    await turns()
    await desk.stand_at(1)
    await desk.stand_at(6)
    assert callback.state == CallbackState.DELIVERED
    assert [attempt.error for attempt in callback.attempts] == ["HTTP 500", "connection refused", None]
    assert await desk.stand_at(10_000) == 0


@pytest.mark.parametrize(("retry_s", "attempts"), [((), 1), ((2.0,), 2), ((0.0, 0.0), 3)])
async def test_other_schedules(retry_s: tuple[float, ...], attempts: int) -> None:
    desk = Desk(lambda _: Arrived(500), CallbackSettings(retry_s=retry_s))
    callback = desk.report()
    await turns()
    for seconds in range(1, 5):
        await desk.stand_at(seconds)
    assert len(callback.attempts) == attempts
    assert callback.reason == f"gave up after {attempts} attempt{'' if attempts == 1 else 's'}: HTTP 500"


async def test_a_report_that_is_held_back_has_no_attempt_and_no_second_chance() -> None:
    desk = Desk(lambda _: HeldBack("example.com is not a loopback or private address"))
    callback = desk.report()
    later = desk.report()
    await desk.dispatcher.quiet()
    for refused in (callback, later):
        assert refused.state == CallbackState.REFUSED
        assert refused.reason == "example.com is not a loopback or private address"
        assert refused.attempts == ()
    assert len(desk.agenda) == 0
    assert desk.dispatcher.unfinished == 0


# -- order ----------------------------------------------------------------------------------------------


async def test_reports_of_one_message_are_carried_one_after_the_other() -> None:
    desk = Desk()
    for _ in range(4):
        desk.report()
    assert desk.dispatcher.unfinished == 4
    await desk.dispatcher.quiet()
    assert desk.order == [1, 2, 3, 4]
    assert desk.carrier.most_at_once == 1


async def test_a_later_report_waits_while_an_earlier_one_is_retried() -> None:
    answers: Iterator[Outcome] = iter([LOST, LOST, Arrived(200), Arrived(200)])
    desk = Desk(lambda _: next(answers))
    first, second = desk.report(), desk.report()
    await turns()
    assert await desk.stand_at(1) == 1
    assert await desk.stand_at(5) == 0
    assert second.attempts == ()
    assert await desk.stand_at(6) == 2
    assert desk.order == [1, 1, 1, 2]
    assert (first.state, second.state) == (CallbackState.DELIVERED, CallbackState.DELIVERED)


async def test_a_later_report_goes_on_when_the_earlier_one_is_given_up() -> None:
    desk = Desk(
        lambda parcel: LOST if "1" in (parcel.body or "") else Arrived(200), CallbackSettings(retry_s=(1.0,))
    )
    first, second = desk.report(), desk.report()
    await turns()
    await desk.stand_at(1)
    assert (first.state, second.state) == (CallbackState.FAILED, CallbackState.DELIVERED)
    assert desk.told == [(1, CallbackState.WAITING), (1, CallbackState.FAILED), (2, CallbackState.DELIVERED)]


async def test_a_report_after_all_before_it_are_done_is_carried_at_once() -> None:
    desk = Desk()
    desk.report()
    await desk.dispatcher.quiet()
    desk.report()
    await desk.dispatcher.quiet()
    assert desk.order == [1, 2]


async def test_messages_do_not_wait_for_each_other() -> None:
    desk = Desk(lambda parcel: LOST if "1" in (parcel.body or "") else Arrived(200))
    desk.report(of=1)
    other = desk.report(of=2)
    await turns()
    assert other.state == CallbackState.DELIVERED


# -- how many at once -----------------------------------------------------------------------------------


async def test_at_most_so_many_attempts_for_each_receiver() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=3))
    desk.carrier.hold("slow.test")
    for number in range(10):
        desk.report(of=number, url="http://slow.test/dlr")
    await turns()
    assert len(desk.carrier.parcels) == 3
    desk.carrier.let_go("slow.test")
    await desk.dispatcher.quiet()
    assert len(desk.carrier.parcels) == 10
    assert desk.carrier.most_at_once == 3


async def test_one_hanging_receiver_does_not_hold_up_another() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=2))
    desk.carrier.hold("slow.test")
    for number in range(10):
        desk.report(of=number, url="http://slow.test/dlr")
    quick = [desk.report(of=100 + number, url="http://quick.test/dlr") for number in range(10)]
    await turns()
    assert {callback.state for callback in quick} == {CallbackState.DELIVERED}
    await desk.dispatcher.stop()


@pytest.mark.parametrize(
    ("url", "other", "is_same"),
    [
        ("http://slow.test/a", "http://slow.test/b?c", True),
        ("http://slow.test/", "http://SLOW.test:80/", True),
        ("http://slow.test/", "http://user:pass@slow.test/", True),
        ("https://slow.test/", "https://slow.test:443/", True),
        ("http://slow.test/", "http://slow.test:81/", False),
        ("http://slow.test/", "https://slow.test/", False),
        ("http://slow.test/", "http://other.slow.test/", False),
    ],
)
async def test_a_receiver_is_a_host_and_a_port(url: str, other: str, *, is_same: bool) -> None:
    desk = Desk(settings=CallbackSettings(concurrency=1))
    desk.carrier.hold("low.test")
    desk.carrier.hold("LOW.test")
    desk.report(of=1, url=url)
    desk.report(of=2, url=other)
    await turns()
    assert len(desk.carrier.parcels) == (1 if is_same else 2)
    await desk.dispatcher.stop()


async def test_sessions_share_the_places_that_there_are() -> None:
    carrier = FakeCarrier()
    carrier.hold("slow.test")
    places = Places(20)
    desks = [Desk(carrier=carrier, places=places) for _ in range(10)]
    for desk in desks:
        for number in range(6):
            desk.report(of=number, url=f"http://{number % 3}.slow.test/")
    await turns()
    assert len(carrier.parcels) == carrier.most_at_once
    assert 10 <= carrier.most_at_once <= 20
    carrier.let_go("slow.test")
    for desk in desks:
        await desk.dispatcher.quiet()
        assert [state for _, state in desk.told] == [CallbackState.DELIVERED] * 6
    assert len(carrier.parcels) == 60
    assert carrier.most_at_once <= 20


async def test_a_session_whose_receivers_hang_does_not_hold_up_another() -> None:
    places = Places(20)
    hanging, other = Desk(places=places), Desk(places=places)
    hanging.carrier.hold("slow.test")
    for number in range(100):
        hanging.report(of=number, url=f"http://{number % 10}.slow.test/")
    callback = other.report(url="http://quick.test/")
    await turns()
    assert callback.state == CallbackState.DELIVERED
    await hanging.dispatcher.stop()


async def test_a_place_is_given_on_after_each_attempt() -> None:
    """One that found none does not wait until a busy receiver has been told everything."""
    places = Places(1)
    busy, other = Desk(places=places), Desk(places=places)
    for number in range(50):
        busy.report(of=number, url="http://busy.test/")
    callback = other.report(url="http://other.test/")
    await turns(20)
    assert callback.state == CallbackState.DELIVERED
    assert busy.dispatcher.unfinished > 30
    await busy.dispatcher.stop()


async def test_who_waits_for_a_place_is_not_quiet() -> None:
    """So that a clock is not moved on past what is due and has not been attempted."""
    places = Places(1)
    hanging, other = Desk(places=places), Desk(places=places)
    hanging.carrier.hold("slow.test")
    hanging.report(url="http://slow.test/")
    callback = other.report()
    quiet = asyncio.ensure_future(other.dispatcher.quiet())
    await turns()
    assert (other.dispatcher.under_way, quiet.done(), callback.attempts) == (1, False, ())
    hanging.carrier.let_go("slow.test")
    await quiet
    assert callback.state == CallbackState.DELIVERED


async def test_a_session_that_is_stopped_leaves_its_places_and_its_turn_to_others() -> None:
    places = Places(1)
    hanging, waiting, other = Desk(places=places), Desk(places=places), Desk(places=places)
    hanging.carrier.hold("slow.test")
    hanging.report(url="http://slow.test/")
    first, second = waiting.report(), other.report()
    await turns()
    await waiting.dispatcher.stop()
    await waiting.dispatcher.quiet()
    await hanging.dispatcher.stop()
    await turns()
    assert (first.attempts, second.state) == ((), CallbackState.DELIVERED)
    assert waiting.dispatcher._receivers == {}  # noqa: SLF001 - a table that only grows shows nowhere else


async def test_receivers_that_have_nothing_to_do_are_forgotten() -> None:
    desk = Desk(lambda parcel: LOST if "odd" in parcel.url else Arrived(200))
    for number in range(100):
        desk.report(of=number, url=f"http://{'odd' if number % 2 else 'even'}{number}.test/")
    await desk.dispatcher.quiet()
    assert desk.dispatcher.unfinished == 50
    assert desk.dispatcher._receivers == {}  # noqa: SLF001 - a table that only grows shows nowhere else


async def test_a_receiver_that_is_busy_with_something_is_not_forgotten() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=2))
    desk.carrier.hold("/slow")
    desk.report(of=1, url="http://same.test/slow")
    quick = desk.report(of=2, url="http://same.test/quick")
    await turns()
    for number in (3, 4):
        desk.report(of=number, url="http://same.test/slow")
    await turns()
    assert (quick.state, desk.carrier.most_at_once) == (CallbackState.DELIVERED, 2)
    await desk.dispatcher.stop()


async def test_a_receiver_gets_all_its_places_back_after_any_pause() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=2))
    for _ in range(3):
        for number in range(5):
            desk.report(of=number)
        await desk.dispatcher.quiet()
    assert len(desk.carrier.parcels) == 15
    assert desk.carrier.most_at_once == 2


# -- what may change while it runs ----------------------------------------------------------------------


async def test_each_attempt_goes_by_the_settings_of_its_moment() -> None:
    desk = Desk(lambda _: LOST)
    callback = desk.report()
    await turns()
    desk.dispatcher.settings = CallbackSettings(
        timeout_s=9.0, retry_s=(0.0, 60.0), headers={"X-Env": "new"}, allow=("public",)
    )
    assert await desk.stand_at(1) == 1
    assert desk.carrier.parcels[-1].timeout_s == 9.0
    assert desk.carrier.parcels[-1].allowed == ("public",)
    assert desk.carrier.parcels[-1].headers["X-Env"] == "new"
    assert desk.agenda.next_due_at == at(61)
    assert await desk.stand_at(61) == 1
    assert callback.state == CallbackState.FAILED


async def test_another_concurrency_holds_from_the_next_attempt_on() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=5))
    desk.carrier.hold("slow.test")
    for number in range(20):
        desk.report(of=number, url="http://slow.test/")
    await turns()
    desk.dispatcher.settings = CallbackSettings(concurrency=2)
    desk.carrier.let_go("slow.test")
    desk.carrier.hold("slow.test")
    await turns()
    assert len(desk.carrier.parcels) == 5 + 2
    await desk.dispatcher.stop()


async def test_the_time_is_that_of_the_agenda_s_clock() -> None:
    desk = Desk(lambda _: LOST)
    desk.agenda.follow(VirtualClock(at(1000)))
    callback = desk.report()
    await turns()
    assert callback.attempts[0].at == at(1000)
    assert desk.agenda.next_due_at == at(1001)


async def test_who_is_told_of_an_attempt_finds_it_ended() -> None:
    desk = Desk(lambda _: LOST)
    found = []
    desk.dispatcher._on_change = lambda _: found.append(desk.dispatcher.under_way)  # noqa: SLF001 - as below
    desk.report()
    await turns()
    assert found == [0]


# -- first tries ----------------------------------------------------------------------------------------


async def test_first_tries_end_when_all_have_arrived() -> None:
    desk = Desk()
    desk.carrier.hold("slow.test")
    callbacks = [desk.report(url="http://slow.test/"), desk.report(of=2), desk.report()]
    waiting = asyncio.ensure_future(desk.dispatcher.first_tries(callbacks))
    await turns()
    assert not waiting.done()
    desk.carrier.let_go("slow.test")
    await waiting
    assert {callback.state for callback in callbacks} == {CallbackState.DELIVERED}
    await desk.dispatcher.first_tries(callbacks)


async def test_first_tries_end_when_one_fails_as_those_behind_it_wait() -> None:
    desk = Desk(lambda _: LOST)
    first, behind = desk.report(), desk.report()
    await desk.dispatcher.first_tries([first, behind])
    assert (len(first.attempts), behind.attempts) == (1, ())


# -- again, by hand -------------------------------------------------------------------------------------


async def test_a_report_that_arrived_is_sent_again_as_it_was() -> None:
    desk = Desk()
    callback = desk.report()
    await desk.dispatcher.quiet()
    desk.dispatcher.replay(callback)
    assert (callback.state, desk.dispatcher.unfinished) == (CallbackState.WAITING, 1)
    await desk.dispatcher.quiet()
    assert (callback.state, len(callback.attempts)) == (CallbackState.DELIVERED, 2)
    assert desk.carrier.parcels[0] == desk.carrier.parcels[1]
    assert desk.told == [(1, CallbackState.DELIVERED)] * 2


async def test_a_report_that_was_given_up_has_all_its_retries_again() -> None:
    desk = Desk(lambda _: LOST, CallbackSettings(retry_s=(1.0,)))
    callback = desk.report()
    await turns()
    await desk.stand_at(1)
    assert state_of(callback) == (CallbackState.FAILED, "gave up after 2 attempts: connection refused")
    desk.dispatcher.replay(callback)
    assert state_of(callback) == (CallbackState.WAITING, None)
    await turns()
    assert state_of(callback) == (CallbackState.WAITING, None)
    await desk.stand_at(2)
    assert state_of(callback) == (CallbackState.FAILED, "gave up after 4 attempts: connection refused")


async def test_a_report_that_was_held_back_may_go_now() -> None:
    desk = Desk(lambda parcel: Arrived(200) if parcel.allowed else HeldBack("not allowed"))
    callback = desk.report()
    await desk.dispatcher.quiet()
    desk.dispatcher.settings = replace(desk.dispatcher.settings, allow=("public",))
    desk.dispatcher.replay(callback)
    await desk.dispatcher.quiet()
    assert (callback.state, callback.reason) == (CallbackState.DELIVERED, None)


async def test_it_goes_behind_what_its_message_has_still_to_report() -> None:
    answers: Iterator[Outcome] = iter([Arrived(200), LOST, Arrived(200), Arrived(200), Arrived(200)])
    desk = Desk(lambda _: next(answers))
    first = desk.report()
    await desk.dispatcher.quiet()
    desk.report()
    desk.report()
    await desk.dispatcher.quiet()
    desk.dispatcher.replay(first)
    assert await desk.stand_at(0.5) == 0
    await desk.stand_at(1)
    assert desk.order == [1, 2, 2, 3, 1]


async def test_one_that_waits_for_its_next_try_is_tried_at_once_and_has_all_its_retries_again() -> None:
    desk = Desk(lambda _: LOST)
    callback = desk.report()
    await turns()
    await desk.stand_at(1)
    await desk.stand_at(3)
    desk.dispatcher.replay(callback)
    await turns()
    for due in (4, 9):
        assert await desk.stand_at(due - 0.001) == 0
        assert await desk.stand_at(due) == 1
    assert [attempt.at for attempt in callback.attempts] == [at(s) for s in (0, 1, 3, 4, 9)]


async def test_one_that_is_about_to_be_sent_is_left_alone() -> None:
    desk = Desk()
    desk.carrier.hold("slow.test")
    under_way, behind = (desk.report(url="http://slow.test/") for _ in range(2))
    await turns()
    for callback in (under_way, behind, behind):
        desk.dispatcher.replay(callback)
    desk.carrier.let_go("slow.test")
    await desk.dispatcher.quiet()
    assert desk.order == [1, 2]


async def test_one_behind_another_that_waits_for_its_next_try_is_left_alone() -> None:
    desk = Desk(lambda _: LOST)
    desk.report()
    behind = desk.report()
    await turns()
    desk.dispatcher.replay(behind)
    await turns()
    assert desk.order == [1]


async def test_what_a_stop_has_forgotten_is_not_tried_again() -> None:
    """Not even where something else of the same message is to be tried again at that very moment."""
    desk = Desk(lambda _: LOST)
    desk.report()
    await turns()
    await desk.dispatcher.stop()
    desk.carrier.hold("127.0.0.1")
    callback = desk.report()
    await turns()
    desk.dispatcher.replay(callback)
    await turns()
    desk.carrier.let_go("127.0.0.1")
    await turns()
    await desk.stand_at(1)
    assert desk.order == [1, 2, 2]


async def test_one_that_a_stop_broke_off_can_be_sent_again() -> None:
    desk = Desk(lambda _: LOST)
    callback = desk.report()
    await turns()
    await desk.dispatcher.stop()
    desk.dispatcher.replay(callback)
    await turns()
    assert await desk.stand_at(0.999) == 0
    assert await desk.stand_at(1) == 1, "once, though two retries are on the agenda"
    assert len(callback.attempts) == 3


# -- the end --------------------------------------------------------------------------------------------


async def test_stopping_breaks_off_what_is_under_way_and_forgets_the_rest() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=1))
    desk.carrier.hold("slow.test")
    first = desk.report(of=1, url="http://slow.test/")
    for number in range(5):
        desk.report(of=number, url="http://slow.test/")
    await turns()
    await desk.dispatcher.stop()
    assert (desk.dispatcher.under_way, desk.dispatcher.unfinished) == (0, 0)
    await turns()
    assert len(desk.carrier.parcels) == 1
    assert (first.state, first.attempts) == (CallbackState.WAITING, ())


async def test_stopping_before_a_worker_has_begun() -> None:
    desk = Desk()
    desk.report()
    await desk.dispatcher.stop()
    await turns()
    assert desk.carrier.parcels == []


async def test_a_retry_that_was_due_is_not_made_after_stopping() -> None:
    desk = Desk(lambda _: LOST)
    desk.report()
    await turns()
    await desk.dispatcher.stop()
    assert await desk.stand_at(10) == 0


async def test_what_is_dispatched_while_stopping_is_carried() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=1))
    desk.carrier.hold("slow.test")
    desk.report(of=1, url="http://slow.test/")
    await turns()
    stopping = asyncio.ensure_future(desk.dispatcher.stop())
    await turns(1)
    after = desk.report(of=1)
    await stopping
    await desk.dispatcher.quiet()
    assert after.state == CallbackState.DELIVERED


class Stubborn(FakeCarrier):
    """Cannot be broken off: whoever cancels it gets an outcome all the same."""

    async def carry(self, parcel: Parcel) -> Outcome:
        try:
            return await super().carry(parcel)
        except asyncio.CancelledError:
            return LOST


async def test_what_cannot_be_broken_off_changes_nothing_any_more() -> None:
    desk = Desk(carrier=Stubborn())
    desk.carrier.hold("slow.test")
    callback = desk.report(url="http://slow.test/")
    await turns()
    stopping = asyncio.ensure_future(desk.dispatcher.stop())
    await turns(1)
    after = desk.report()
    await stopping
    await desk.dispatcher.quiet()
    assert (callback.state, callback.attempts) == (CallbackState.WAITING, ())
    assert (after.state, len(desk.agenda), desk.told) == (
        CallbackState.DELIVERED,
        0,
        [(2, CallbackState.DELIVERED)],
    )


SHUTDOWN = """
import asyncio, gc
from sandbox.agenda import Agenda
from sandbox.carrier import HttpCarrier
from sandbox.clock import RunningClock
from sandbox.core.model import Callback
from sandbox.core.scenario import CallbackSettings
from sandbox.dispatcher import Dispatcher
from tests.receivers import receiver
from tests.worlds import a_message

async def main():
    carrier = HttpCarrier()
    dispatcher = Dispatcher(
        agenda=Agenda(RunningClock()), carrier=carrier, settings=CallbackSettings(concurrency=3)
    )
    async with receiver() as quick, receiver(None) as hanging, receiver(b"nonsense", closes=True) as broken:
        for number in range(10):
            for place, there in enumerate((quick, hanging, broken)):
                message = a_message(10 * number + place)
                dispatcher.dispatch(Callback(0, message, there.url, "POST", "{}"))
        while len(quick.heads) < 10 or len(hanging.heads) < 3 or len(broken.heads) < 10:
            await asyncio.sleep(0)
        for number in range(100, 110):
            dispatcher.dispatch(Callback(0, a_message(number), quick.url, "POST", "{}"))
        await asyncio.sleep(0)
        await dispatcher.stop()
        await carrier.close()
        # The receivers' own, which end with the connections.
        ended, pending = await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
        print(len(ended), len(pending))

asyncio.run(main())
gc.collect()
"""


def test_nothing_is_left_behind_by_a_shutdown() -> None:
    """With reports under way, answered, broken, about to begin, to be tried again, and waiting for their turn."""
    program = [sys.executable, "-W", "error", "-c", SHUTDOWN]
    root = Path(__file__).parents[1]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split()[-1:], done.stderr) == (["0"], "")


async def test_a_listener_that_fails_holds_up_no_report() -> None:
    """What goes wrong in telling of one report must not cost the next one its worker."""
    desk = Desk()

    def fail(_: Callback) -> None:
        raise ZeroDivisionError

    desk.dispatcher._on_change = fail  # noqa: SLF001 - what stands there otherwise cannot fail
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    first, second = desk.report(of=1), desk.report(of=2)
    await turns()
    assert (first.state, second.state) == (CallbackState.DELIVERED, CallbackState.DELIVERED)
