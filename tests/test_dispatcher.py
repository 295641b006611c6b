import asyncio
import json
from collections.abc import Callable, Iterator

import pytest

from sandbox.agenda import Agenda
from sandbox.carrier import Arrived, HeldBack, Lost, Outcome, Parcel
from sandbox.clock import VirtualClock
from sandbox.core.model import Callback, CallbackState, Message
from sandbox.core.scenario import CallbackSettings
from sandbox.dispatcher import IN_ALL, Dispatcher
from tests.worlds import NOON, RECEIVER, FakeCarrier, a_message, at, turns

pytestmark = pytest.mark.anyio

LOST = Lost("connection refused", 7)


class Desk:
    """A dispatcher on a clock moved by hand, and the reports handed to it."""

    def __init__(
        self,
        answer: Callable[[Parcel], Outcome] = lambda _: Arrived(200, 1),
        settings: CallbackSettings | None = None,
    ) -> None:
        self.clock = VirtualClock(NOON)
        self.agenda = Agenda(self.clock)
        self.carrier = FakeCarrier(answer)
        self.told: list[tuple[int, CallbackState]] = []
        self.dispatcher = Dispatcher(
            clock=self.clock,
            agenda=self.agenda,
            carrier=self.carrier,
            settings=settings or CallbackSettings(),
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


async def test_at_most_so_many_attempts_in_all() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=IN_ALL))
    desk.carrier.hold("slow.test")
    for number in range(IN_ALL + 10):
        desk.report(of=number, url=f"http://{number % 3}.slow.test/")
    await turns()
    assert len(desk.carrier.parcels) == IN_ALL
    desk.carrier.let_go("slow.test")
    await desk.dispatcher.quiet()
    assert len(desk.carrier.parcels) == IN_ALL + 10
    assert desk.carrier.most_at_once == IN_ALL


async def test_whoever_found_no_place_is_served_however_many_stand_before_it() -> None:
    desk = Desk(settings=CallbackSettings(concurrency=IN_ALL))
    desk.carrier.hold("slow.test")
    for number in range(IN_ALL):
        desk.report(of=number, url="http://slow.test/")
    for number in range(3 * IN_ALL):
        desk.report(of=10_000 + number, url="http://busy.test/")
    last = desk.report(of=20_000, url="http://last.test/")
    await turns()
    assert last.attempts == ()
    desk.carrier.let_go("slow.test")
    await desk.dispatcher.quiet()
    assert last.state == CallbackState.DELIVERED
    assert desk.dispatcher.unfinished == 0


async def test_a_busy_receiver_takes_turns_with_one_that_found_no_place() -> None:
    """A place is given on after each attempt, not when a receiver has nothing more to be told."""
    desk = Desk(settings=CallbackSettings(concurrency=IN_ALL))
    desk.carrier.hold("slow.test")
    for number in range(IN_ALL - 1):
        desk.report(of=number, url="http://slow.test/")
    for number in range(50):
        desk.report(of=10_000 + number, url="http://busy.test/")
    last = desk.report(of=20_000, url="http://last.test/")
    await turns(20)
    assert last.state == CallbackState.DELIVERED
    await desk.dispatcher.stop()


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
