from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.model import Change, Status
from sandbox.core.scenario import Step
from sandbox.core.statuses import is_final
from sandbox.core.timeline import DEFAULT_VALIDITY, expiry, plan

NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)
THE_END = datetime.max.replace(tzinfo=UTC)


def step(
    after_s: float, status: str, send_after_s: float | None = None, error_code: int | None = None
) -> Step:
    send_after = None if send_after_s is None else timedelta(seconds=send_after_s)
    return Step(after=timedelta(seconds=after_s), status=status, send_after=send_after, error_code=error_code)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def planned(*steps: Step, expires_at: datetime | None = None) -> list[tuple[float, str]]:
    """Return when, in seconds, a message becomes what."""
    changes = plan(steps, start_at=NOON, expires_at=expires_at)
    return [((change.at - NOON).total_seconds(), change.status) for change in changes]


def test_a_message_expires_when_it_was_asked_to_or_48_hours_after_its_start() -> None:
    assert expiry(NOON, at(60)) == at(60)
    assert expiry(NOON, None) == NOON + timedelta(hours=48) == NOON + DEFAULT_VALIDITY


def test_beyond_the_calendar_there_is_no_expiry() -> None:
    assert expiry(THE_END, None) is None


@pytest.mark.parametrize(
    ("steps", "expires_s", "changes"),
    [
        ([], 60, []),
        ([step(1, "delivered")], 60, [(1, "delivered")]),
        ([step(0, "delivered")], 60, [(0, "delivered")]),
        ([step(60, "delivered")], 60, [(60, "delivered")]),
        ([step(61, "delivered")], 60, [(60, "expired")]),
        ([step(1, "enroute")], 60, [(1, "enroute"), (60, "expired")]),
        ([step(1, "enroute"), step(70, "delivered")], 60, [(1, "enroute"), (60, "expired")]),
        (
            [step(1, "accepted"), step(2, "enroute"), step(3, "delivered")],
            60,
            [(1, "accepted"), (2, "enroute"), (3, "delivered")],
        ),
        ([step(1, "delivered"), step(2, "enroute")], 60, [(1, "delivered")]),
        ([step(1, "rejected"), step(2, "delivered")], 60, [(1, "rejected")]),
        ([step(1, "buffered")], 60, [(1, "buffered"), (60, "expired")]),
        ([step(1, "enroute")], None, [(1, "enroute")]),
        ([step(1, "delivered")], None, [(1, "delivered")]),
    ],
)
def test_what_becomes_of_a_message(
    steps: list[Step], expires_s: float | None, changes: list[tuple[float, str]]
) -> None:
    assert planned(*steps, expires_at=None if expires_s is None else at(expires_s)) == changes


def test_steps_beyond_the_calendar_are_dropped() -> None:
    steps = (step(1, "delivered"),)
    assert plan(steps, start_at=THE_END, expires_at=None) == ()
    late = (step(0, "enroute", send_after_s=5),)
    assert plan(late, start_at=THE_END, expires_at=None) == (Change(THE_END, "enroute", THE_END, late[0]),)


@pytest.mark.parametrize(("send_after_s", "send_s"), [(None, 2), (2, 2), (5, 5), (1, 2)])
def test_a_report_goes_out_with_its_change_or_later(send_after_s: float | None, send_s: float) -> None:
    (change,) = plan((step(2, "delivered", send_after_s),), start_at=NOON, expires_at=at(60))
    assert (change.at, change.send_at) == (at(2), at(send_s))


def test_a_change_knows_its_step_and_the_error_code() -> None:
    failing = step(1, "undeliverable", error_code=11)
    assert plan((failing,), start_at=NOON, expires_at=None) == (
        Change(at(1), "undeliverable", at(1), failing, 11),
    )


def test_expiry_comes_of_no_step() -> None:
    *_, expired = plan((step(1, "enroute"),), start_at=NOON, expires_at=at(60))
    assert expired == Change(at(60), Status.EXPIRED, at(60))


steps = st.lists(
    st.builds(
        step,
        st.floats(0, 1e9),
        st.sampled_from([*Status]) | st.text(max_size=5),
        st.none() | st.floats(0, 1e9),
    ),
    max_size=8,
).map(lambda drawn: tuple(sorted(drawn, key=lambda one: one.after)))
starts = st.datetimes(timezones=st.just(UTC))


@given(steps, starts, st.none() | st.timedeltas(timedelta(), timedelta(days=10_000)))
def test_any_timeline_is_in_order_and_ends_where_it_must(
    steps: tuple[Step, ...], start_at: datetime, validity: timedelta | None
) -> None:
    try:
        expires_at = None if validity is None else start_at + validity
    except OverflowError:
        expires_at = None
    changes = plan(steps, start_at=start_at, expires_at=expires_at)
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    assert all(start_at <= change.at <= change.send_at for change in changes)
    assert not any(is_final(change.status) for change in changes[:-1])
    if expires_at is not None:
        assert all(change.at <= expires_at for change in changes)
        assert not steps or is_final(changes[-1].status)
    assert [change.step for change in changes if change.step] == list(
        steps[: sum(change.step is not None for change in changes)]
    )
