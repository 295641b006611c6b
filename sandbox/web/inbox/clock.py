"""The clock of a session: what time it is, how it passes, what comes next; moving it, and choosing another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.advance import advance_to_report
from sandbox.core.model import Change
from sandbox.core.spelling import excerpt
from sandbox.core.times import MalformedTime, absolute, rfc3339
from sandbox.web.endings import whole
from sandbox.web.inbox import tones
from sandbox.web.inbox.first_call import first_call
from sandbox.web.inbox.moments import moment, span
from sandbox.web.inbox.pages import Page, Redirect
from sandbox.web.moving import choose, demand_virtual, move_by, move_to
from sandbox.web.problems import QueryError
from sandbox.yaml_scalars import LONGEST_S, duration_s

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.tones import Tone

_LOOKED_AT: Final = 12
"""How many of the things that are due next are told."""

_RECEIVER: Final = "http://127.0.0.1:8080/reports"
"""Where an application may take reports, as an example."""

REPORT: Final = "report"
"""Where the form moves the clock to, in place of a moment: when a report is next sent."""


class DueRow(NamedTuple):
    """Something that will happen."""

    after: str
    """``in 1 s``"""
    at: Moment
    message: str
    """``m1``"""
    what: str
    tone: Tone


class ClockView(NamedTuple):
    """The clock; the time itself stands in the frame of every page."""

    mode: str
    is_virtual: bool
    due: int
    """How many things are yet to happen."""
    is_report_due: bool
    next: tuple[DueRow, ...]
    said: str
    """What came of the form that was sent last; empty when none was."""
    precise: str
    """What time it is, as the form takes it."""
    first: str
    """A call after which something is due; empty where something is."""


def show(visit: Visit) -> Page:
    """Show the clock."""
    visit.demand_known("made")
    engine, now = visit.engine, visit.now
    mode = engine.clock.mode
    view = ClockView(
        mode,
        mode == "virtual",
        len(engine.agenda),
        engine.timelines.is_report_due,
        tuple(
            _due(at, message.number, what, now) for at, message, what in engine.timelines.coming(_LOOKED_AT)
        ),
        _said(visit.query.get("made")),
        rfc3339(now),
        "" if len(engine.agenda) else first_call(visit, confirmation="true", callbackUrl=_RECEIVER).curl,
    )
    return Page("clock.html", "Clock", view, tab="/clock")


def _due(at: datetime, number: int, what: object, now: datetime) -> DueRow:
    if isinstance(what, Change):
        is_report = what.at < at
        said = f"report of {what.status}" if is_report else what.status
        tone = tones.of_status(what.status)
    else:
        said, tone = "a report is tried again", tones.Tone.WAITING
    return DueRow(f"in {span(max(at, now) - now)}", moment(at, now), f"m{number}", said, tone)


def _said(made: str | None) -> str:
    if made is None:
        return ""
    if not (made.isdecimal() and len(made) < 10):
        raise QueryError(f"made is a number, not {excerpt(made)}")
    count = int(made)
    reports = {0: "no report was sent", 1: "1 report was sent"}.get(count, f"{count:,} reports were sent")
    return f"Time has moved, and {reports} on the way."


async def advance(visit: Visit, form: Mapping[str, str]) -> Redirect:
    """Move the clock: by a span, to a moment, or to the next report.

    Raises:
        ConflictError: the clock is not virtual.
        QueryError: the form says no distance, or one that cannot be.
    """
    engine = visit.engine
    by, to = form.get("by", "").strip(), form.get("to", "").strip()
    if bool(by) == bool(to):
        raise QueryError("say by how much the clock is to be moved, or to what time: one of by and to")
    if to == REPORT:
        demand_virtual(engine)
        move = advance_to_report(engine)
    else:
        move = move_to(engine, _moment(to)) if to else move_by(engine, _seconds(by))
    made = await whole(engine, visit.scope, move)
    return Redirect(f"{visit.base}/clock?made={made}")


async def go_by(visit: Visit, form: Mapping[str, str]) -> Redirect:
    """Go by another clock from now on.

    Raises:
        ConfigError: there is no such clock.
        QueryError: what time it is to be is no time.
    """
    now = form.get("now", "").strip()
    choose(visit.engine, form.get("mode", ""), _moment(now) if now else None)
    return Redirect(f"{visit.base}/clock")


def _seconds(text: str) -> float:
    seconds = duration_s(text)
    if seconds is None or seconds > LONGEST_S:
        raise QueryError(
            f"by cannot be {excerpt(text)}: write 90s, 5m, 2h or 3d, up to {LONGEST_S // 86_400}d"
        )
    return seconds


def _moment(text: str) -> datetime:
    at = absolute(text)
    if isinstance(at, MalformedTime):
        raise QueryError(at.detail)
    return at
