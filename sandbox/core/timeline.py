"""What becomes of a message and when: its planned changes of status, its expiry, the waits between attempts.

Knows nothing of callbacks, and never waits itself.
"""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from sandbox.core.model import Change, Status
from sandbox.core.statuses import is_final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.core.scenario import Step

DEFAULT_VALIDITY: Final = timedelta(hours=48)

_IS_BEFORE_ANSWER: Final = attrgetter("before_answer")


def expiry(start_at: datetime, expires_at: datetime | None) -> datetime | None:
    """Return when a message expires: as asked for, or 48 hours after its start; None beyond the calendar."""
    if expires_at is not None:
        return expires_at
    return after(start_at, DEFAULT_VALIDITY)


def plan(
    steps: Sequence[Step],
    *,
    start_at: datetime,
    expires_at: datetime | None,
    accepted_at: datetime | None = None,
) -> tuple[Change, ...]:
    """Return the changes that a message goes through, in order.

    Steps whose report goes out before the answer come first: they happen when the message is accepted.
    Steps due after *expires_at*, or after a final status, are dropped; a message that is left without a final
    status expires at *expires_at*. No steps at all make a message that stays pending and never expires.

    Args:
        steps: with their draws made: ordered by ``after``, no jitter, no weights.
        start_at: from when the steps count.
        expires_at: the end of the validity period; None for never.
        accepted_at: when the message was accepted, where that is not *start_at*.
    """
    changes = []
    for step in sorted(steps, key=_IS_BEFORE_ANSWER, reverse=True) if len(steps) > 1 else steps:
        at = (accepted_at or start_at) if step.before_answer else after(start_at, step.after)
        if at is None or (expires_at is not None and at > expires_at):
            break
        send_at = at if step.send_after is None else max(at, after(start_at, step.send_after) or at)
        changes.append(Change(at, step.status, send_at, step, step.error_code))
        if is_final(step.status):
            return tuple(changes)
    if steps and expires_at is not None:
        changes.append(Change(expires_at, Status.EXPIRED, expires_at))
    return tuple(changes)


def after(start_at: datetime, delay: timedelta) -> datetime | None:
    """Return the moment *delay* after *start_at*; None beyond the calendar."""
    try:
        return start_at + delay
    except OverflowError:
        return None
