"""What happened to one message and what is still to come, as one line of events: the picture of its timeline. Pure."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.masking import without_secrets
from sandbox.core.model import CallbackState
from sandbox.core.report import is_reported
from sandbox.core.timeline import after
from sandbox.web.inbox import tones
from sandbox.web.inbox.moments import moment, span
from sandbox.web.inbox.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.core.model import Attempt, Callback, Change, Message
    from sandbox.core.readings import Readings
    from sandbox.web.inbox.moments import Moment

# Up to so many seconds between two events, they are drawn so many steps apart: it grows with the logarithm.
_STEPS: Final = ((0.5, 0), (10, 1), (120, 2), (3600, 3), (86_400, 4))
_WIDEST: Final = 5


class Event(NamedTuple):
    """One thing that happens to the message."""

    at: Moment
    kind: str
    """``received``, ``change``, ``report`` or ``now``; a class in the stylesheet."""
    title: str
    tone: Tone | None
    is_past: bool
    detail: str = ""
    gap: str = ""
    """How long after the event before it: ``1 s``."""
    step: int = 0
    """How far below the event before it is drawn, 0 to 5."""
    href: str = ""
    """The callback that it is told of further down: ``#c1``."""


class _Placed(NamedTuple):
    at: datetime
    order: int
    event: Event


def events(
    message: Message,
    callbacks: Sequence[Callback],
    *,
    now: datetime,
    readings: Readings,
    retry_s: Sequence[float],
) -> tuple[Event, ...]:
    """Return all that happens to *message* in the order of time, with the present between past and future.

    Args:
        message: whose story it is.
        callbacks: its reports so far.
        now: the sandbox's time.
        readings: which changes are reported.
        retry_s: the waits before each retry of a report.
    """
    placed = [_received(message, now)]
    scheduled_at = message.submission.scheduled_at
    if scheduled_at is not None:
        title = "goes out" if scheduled_at > now else "went out"
        placed.append(_place(scheduled_at, 1, "change", title, None, now, "the scheduled time"))
    for position, change in enumerate(message.timeline):
        placed += _change(message, change, is_done=position < message.done, now=now, readings=readings)
    for callback in callbacks:
        placed += _attempts(callback, now, retry_s)
    placed.sort(key=lambda each: (each.at, each.order))
    if any(not each.event.is_past for each in placed):
        first = next(position for position, each in enumerate(placed) if not each.event.is_past)
        placed.insert(first, _Placed(now, 9, Event(moment(now, now), "now", "now", None, is_past=True)))
    return _spaced(placed)


def _place(
    at: datetime, order: int, kind: str, title: str, tone: Tone | None, now: datetime, detail: str = ""
) -> _Placed:
    return _Placed(at, order, Event(moment(at, now), kind, title, tone, at <= now, detail))


def _received(message: Message, now: datetime) -> _Placed:
    return _place(
        message.received_at,
        0,
        "received",
        "accepted by the API",
        None,
        now,
        f"request r{message.request_number}",
    )


def _change(
    message: Message, change: Change, *, is_done: bool, now: datetime, readings: Readings
) -> list[_Placed]:
    tone = tones.of_status(change.status)
    detail = "" if change.error_code is None else f"error code {change.error_code}"
    if change.step is None and change.at == message.expires_at:
        detail = "the validity period ends"
    event = Event(moment(change.at, now), "change", change.status, tone, is_done, detail)
    placed = [_Placed(change.at, 2, event)]
    submission = message.submission
    is_wanted = submission.confirmation and submission.callback_url is not None
    if is_wanted and is_reported(change, readings) and (not is_done or change.send_at > now):
        times = 1 if change.step is None else change.step.repeat
        title = f"report of {change.status}" + (f", {times} times" if times > 1 else "")
        report = Event(moment(change.send_at, now), "report", title, None, is_past=False, detail="due")
        placed.append(_Placed(change.send_at, 3, report))
    return placed


def _attempts(callback: Callback, now: datetime, retry_s: Sequence[float]) -> list[_Placed]:
    name = f"c{callback.number}"
    placed = []
    for number, attempt in enumerate(callback.attempts, 1):
        tone = Tone.OK if attempt.error is None else Tone.FAILED
        title = f"report {name}" + (f", attempt {number}" if number > 1 else "")
        event = Event(
            moment(attempt.at, now),
            "report",
            title,
            tone,
            is_past=True,
            detail=came_of(attempt),
            href=f"#{name}",
        )
        placed.append(_Placed(attempt.at, 4, event))
    retry_at = next_attempt_at(callback, retry_s)
    if retry_at is not None:
        event = Event(
            moment(retry_at, now),
            "report",
            f"report {name}, attempt {len(callback.attempts) + 1}",
            Tone.WAITING,
            is_past=False,
            detail="due about then",
            href=f"#{name}",
        )
        placed.append(_Placed(max(retry_at, now), 4, event))
    return placed


def came_of(attempt: Attempt) -> str:
    """Say what came of an attempt: ``HTTP 204 in 3 ms``, ``connection refused``."""
    if attempt.status is None:
        return without_secrets(attempt.error or "no answer")
    return f"HTTP {attempt.status} in {attempt.ms} ms"


def next_attempt_at(callback: Callback, retry_s: Sequence[float]) -> datetime | None:
    """Return about when a report is tried again; None when it is not, or is being tried for the first time."""
    made = len(callback.attempts)
    if callback.state is not CallbackState.WAITING or not 0 < made <= len(retry_s):
        return None
    return after(callback.attempts[-1].at, timedelta(seconds=retry_s[made - 1]))


def _spaced(placed: Sequence[_Placed]) -> tuple[Event, ...]:
    spaced = [placed[0].event]
    for before, each in pairwise(placed):
        length = each.at - before.at
        seconds = length.total_seconds()
        step = next((step for up_to, step in _STEPS if seconds <= up_to), _WIDEST)
        gap = span(length) if seconds >= 0.001 else ""
        spaced.append(each.event._replace(gap=gap, step=step))
    return tuple(spaced)
