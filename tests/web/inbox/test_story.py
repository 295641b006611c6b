"""The story of a message: what happened and what is still to come, in the order of time."""

from datetime import timedelta

import pytest

from sandbox.carrier import Arrived, Lost, Parcel
from sandbox.core.scenario import CallbackSettings, Scenario, Step
from sandbox.web.inbox.story import Event, events
from sandbox.web.inbox.tones import Tone
from tests.worlds import READINGS, REPORTED, VALID, FakeCarrier, World, step, world

pytestmark = pytest.mark.anyio


def told(at: World, number: int = 1) -> list[Event]:
    engine = at.engine
    message = engine.store.message(number)
    assert message is not None
    callbacks = [each for each in engine.store.callbacks() if each.message is message]
    retry_s = engine.dispatcher.settings.retry_s
    return list(events(message, callbacks, now=at.clock.now(), readings=engine.readings, retry_s=retry_s))


def lines(at: World) -> list[str]:
    """Return a story in a line each: when, whether it has happened, what."""
    return [
        f"{event.at.shown} {'is' if event.is_past else 'will'} {event.title}"
        + (f": {event.detail}" if event.detail else "")
        for event in told(at)
    ]


def failing(*paths: str) -> FakeCarrier:
    def answer(parcel: Parcel) -> Arrived | Lost:
        return Lost("connection refused", 2) if any(path in parcel.url for path in paths) else Arrived(204, 3)

    return FakeCarrier(answer)


async def test_before_anything_happens_all_is_to_come() -> None:
    there = world()
    there.accept(REPORTED)
    assert lines(there) == [
        "12:00:00 is accepted by the API: request r1",
        "12:00:00 is now",
        "12:00:01 will delivered",
        "12:00:01 will report of delivered: due",
    ]


async def test_what_has_happened_is_past_and_its_report_says_what_came_back() -> None:
    there = world()
    there.accept(REPORTED)
    await there.pass_time(2)
    assert lines(there) == [
        "12:00:00 is accepted by the API: request r1",
        "12:00:01 is delivered",
        "12:00:01 is report c1: HTTP 200 in 1 ms",
    ]


async def test_a_report_that_failed_is_due_again() -> None:
    there = world(carrier=failing("dlr"))
    there.accept(REPORTED)
    await there.pass_time(3)
    assert lines(there)[2:] == [
        "12:00:01 is report c1: connection refused",
        "12:00:02 is report c1, attempt 2: connection refused",
        "12:00:03 is now",
        "12:00:07 will report c1, attempt 3: due about then",
    ]


async def test_a_report_that_was_given_up_is_not_due_again() -> None:
    scenario = Scenario(name="test", callbacks=CallbackSettings(retry_s=(1.0,)))
    there = world(carrier=failing("dlr"), scenario=scenario)
    there.accept(REPORTED)
    await there.pass_time(10)
    assert lines(there)[-1] == "12:00:02 is report c1, attempt 2: connection refused"


async def test_of_a_report_that_is_sent_again_after_all_its_attempts_no_moment_is_told() -> None:
    scenario = Scenario(name="test", callbacks=CallbackSettings(retry_s=(1.0,)))
    there = world(carrier=failing("dlr"), scenario=scenario)
    there.accept(REPORTED)
    await there.pass_time(10)
    callback = there.engine.store.callback(1)
    assert callback is not None
    there.engine.dispatcher.replay(callback)
    await there.pass_time(0)
    assert callback.state == "waiting"
    assert lines(there)[-1] == "12:00:10 is report c1, attempt 3: connection refused"


async def test_no_report_is_due_that_nobody_asked_for() -> None:
    there = world()
    there.accept(VALID)
    assert not [event for event in told(there) if event.kind == "report"]


async def test_a_scheduled_message_goes_out_at_its_time() -> None:
    there = world()
    there.accept(VALID, scheduledDeliveryTime="3600")
    assert lines(there)[1:] == [
        "12:00:00 is now",
        "13:00:00 will goes out: the scheduled time",
        "13:00:01 will delivered",
    ]
    await there.pass_time(3600)
    assert "13:00:00 is went out: the scheduled time" in lines(there)


async def test_the_end_of_the_validity_is_told() -> None:
    there = world(scenario=Scenario(name="test", timeline=(step(3600, "delivered"),)))
    there.accept(VALID, validityPeriod="60")
    assert lines(there)[-1] == "12:01:00 will expired: the validity period ends"


async def test_an_error_code_is_told() -> None:
    late = Step(after=timedelta(seconds=1), status="rejected", error_code=11)
    there = world(scenario=Scenario(name="test", timeline=(late,)))
    there.accept(VALID)
    assert lines(there)[-1] == "12:00:01 will rejected: error code 11"


async def test_a_report_that_comes_later_than_its_change_is_due_then() -> None:
    steps = (
        Step(after=timedelta(seconds=1), status="accepted", send_after=timedelta(seconds=9), repeat=2),
        step(3, "delivered"),
    )
    there = world(scenario=Scenario(name="test", timeline=steps))
    there.accept(REPORTED)
    await there.pass_time(5)
    assert lines(there)[-2:] == ["12:00:05 is now", "12:00:09 will report of accepted, 2 times: due"]


async def test_a_report_of_no_final_status_is_not_due_by_the_other_reading() -> None:
    there = world(
        scenario=Scenario(name="test", timeline=(step(1, "enroute"), step(2, "delivered"))),
        dlr_statuses="final_only",
    )
    there.accept(REPORTED)
    assert [event.title for event in told(there) if event.kind == "report"] == ["report of delivered"]
    assert READINGS.dlr_statuses == "every_change"


async def test_tones_tell_how_things_stand() -> None:
    there = world(scenario=Scenario(name="test", timeline=(step(1, "enroute"), step(2, "undeliverable"))))
    there.accept(REPORTED)
    await there.pass_time(3)
    assert [(event.title, event.tone) for event in told(there)] == [
        ("accepted by the API", None),
        ("enroute", Tone.WAITING),
        ("report c1", Tone.OK),
        ("undeliverable", Tone.FAILED),
        ("report c2", Tone.OK),
    ]


async def test_the_distance_grows_with_the_time_between() -> None:
    delays = (0.2, 5, 60, 1800, 7200, 90_000)
    steps = tuple(step(sum(delays[: count + 1]), f"s{count}") for count in range(len(delays)))
    there = world(scenario=Scenario(name="test", timeline=steps))
    there.accept(VALID)
    shown = [
        (event.gap, event.step)
        for event in told(there)
        if event.title.startswith("s") and event.kind == "change"
    ]
    assert shown == [
        ("200 ms", 0),
        ("5 s", 1),
        ("1 min", 2),
        ("30 min", 3),
        ("2 h", 4),
        ("1 d 1 h", 5),
    ]


async def test_the_password_of_a_callback_url_is_in_no_story() -> None:
    carrier = FakeCarrier(lambda parcel: Lost(f"no answer from {parcel.url}", 1))
    there = world(carrier=carrier)
    there.accept(REPORTED, callbackUrl="http://me:hunter2hunter2@127.0.0.1/")
    await there.pass_time(2)
    assert not [line for line in lines(there) if "hunter2" in line]
