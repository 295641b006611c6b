"""Moving and choosing a session's clock, for the control API and the pages alike.

Knows how neither is asked, and what both answer where it cannot be.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.advance import advance
from sandbox.clock import BackwardsError, VirtualClock, clock_of
from sandbox.core.timeline import after
from sandbox.feed import Kind
from sandbox.web.problems import ConflictError, QueryError

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.engine import Engine


def demand_virtual(engine: Engine) -> None:
    """Do nothing where the clock can be moved.

    Raises:
        ConflictError: it is not virtual.
    """
    if not isinstance(engine.clock, VirtualClock):
        raise ConflictError(
            f"the clock is {engine.clock.mode}, only a virtual one is moved: "
            'PUT clock {"mode": "virtual"}, or serve --clock virtual'
        )


async def move_by(engine: Engine, seconds: float) -> int:
    """Move the clock forward by a span; return how many attempts at reports were made. Raises as `move_to`."""
    demand_virtual(engine)
    to = after(engine.clock.now(), timedelta(seconds=seconds))
    if to is None:
        raise QueryError("that is beyond the year 9999")
    return await move_to(engine, to)


async def move_to(engine: Engine, to: datetime) -> int:
    """Move the clock forward to a moment; return how many attempts at reports were made.

    Raises:
        ConflictError: the clock is not virtual.
        QueryError: the moment has passed, or is beyond what a calendar holds.
    """
    demand_virtual(engine)
    try:
        return await advance(engine, to)
    except BackwardsError as error:
        raise QueryError(str(error)) from None


def choose(engine: Engine, mode: str, now: datetime | None) -> None:
    """Go by another clock from now on; what is due by its time happens at once.

    Args:
        engine: the world whose clock it is.
        mode: ``real``, ``virtual`` or ``x60``.
        now: what time it is then; None: what time it is.

    Raises:
        ConfigError: there is no such mode.
    """
    engine.go_by(clock_of(mode, now or engine.clock.now()))
    engine.feed.tell(Kind.CLOCK)
