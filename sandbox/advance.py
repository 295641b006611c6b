"""Moving a virtual clock: everything that falls due on the way happens at its own moment, in order.

Knows nothing of what is due, nor of who asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.agenda import TURN
from sandbox.clock import VirtualClock, real_pause
from sandbox.feed import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.engine import Engine


async def advance(engine: Engine, to: datetime) -> int:
    """Let it be *to*, and return how many attempts at callbacks were made on the way.

    Time stands at each due moment in turn until everything due then, retries included, has been attempted and
    its receiver has answered or has not: that takes real time.

    Raises:
        TypeError: the clock is not virtual.
        BackwardsError: *to* is before the time it is; nothing has happened.
    """
    clock = engine.clock
    if not isinstance(clock, VirtualClock):
        raise TypeError(f"only a virtual clock can be advanced, this one is {clock.mode}")
    clock.demand_forward(to)
    before = _attempts(engine)
    await settle(engine)
    # Another clock may be put in its place meanwhile, and two may advance one at once: neither takes it back.
    while engine.clock is clock and (due_at := engine.agenda.next_due_at) is not None and due_at <= to:
        clock.move_to(max(due_at, clock.now()))
        engine.feed.tell(Kind.CLOCK)
        await settle(engine)
    clock.move_to(max(to, clock.now()))
    engine.feed.tell(Kind.CLOCK)
    return max(0, _attempts(engine) - before)


async def advance_to_report(engine: Engine) -> int:
    """Let it be when a report is next sent or tried again, and return how many attempts were made then.

    Whatever is due before happens too, as in `advance`. 0 when no report is due: then time stands where it stood.
    """
    made = 0
    while (
        not made
        and isinstance(engine.clock, VirtualClock)
        and (at := engine.timelines.next_report_at) is not None
    ):
        made = await advance(
            engine, at
        )  # none, where a report waits behind one of its message that is tried again
    return made


async def settle(engine: Engine) -> None:
    """Return when nothing that is due by now is left to be done or under way."""
    while (done := engine.agenda.run_due(TURN)) or engine.dispatcher.under_way:
        # What is served besides has its turn between a hundred actions and the next.
        await (real_pause(0) if done else engine.dispatcher.quiet())


def _attempts(engine: Engine) -> int:
    return sum(len(callback.attempts) for callback in engine.store.callbacks())
