"""The clock of a session: what time it is, how it passes, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.web.inbox.pages import Page

if TYPE_CHECKING:
    from sandbox.web.inbox.pages import Visit


class ClockView(NamedTuple):
    """The clock; the time itself stands in the frame of every page."""

    mode: str
    is_virtual: bool
    due: int
    """How many things are yet to happen."""


def show(visit: Visit) -> Page:
    """Show the clock."""
    visit.demand_known()
    engine = visit.engine
    mode = engine.clock.mode
    return Page("clock.html", "Clock", ClockView(mode, mode == "virtual", len(engine.agenda)), tab="/clock")
