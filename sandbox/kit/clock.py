"""The clock of a running sandbox: what time it is, when something is due, moving it.

Knows nothing of what is due. What passes here is the sandbox's time, not the system's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.errors import UnreachableError

if TYPE_CHECKING:
    from sandbox.core.model import JsonObject
    from sandbox.kit.control import Control


class Clock:
    """The sandbox's clock; each property asks it anew."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __repr__(self) -> str:
        shown = self._control.get("clock")
        return f"<{shown['mode']} clock at {shown['now']}, next due {shown['nextDue'] or 'nothing'}>"

    @property
    def now(self) -> datetime:
        """What time it is."""
        return datetime.fromisoformat(self._control.get("clock")["now"])

    @property
    def mode(self) -> str:
        """``virtual``, ``real``, or ``x60`` for sixty times as fast as real."""
        return str(self._control.get("clock")["mode"])

    @property
    def next_due(self) -> datetime | None:
        """When something happens next; None when nothing will."""
        due = self._control.get("clock")["nextDue"]
        return None if due is None else datetime.fromisoformat(due)

    def advance(self, by: str | float | timedelta) -> int:
        """Move a virtual clock forward; all that falls due on the way has happened when this returns.

        Receivers have answered by then, or have not within their time. One in the event loop that this is called
        from cannot: ``await asyncio.to_thread(sms.clock.advance, "1h")`` lets it.

        Args:
            by: ``"1h"``, ``"250ms"``, ``"3d"``, a number of seconds, or a timedelta.

        Returns:
            How many attempts at reports were made on the way.

        Raises:
            ControlError: the clock is not virtual, or *by* is no duration.
        """
        by = by.total_seconds() if isinstance(by, timedelta) else by
        return self._move({"by": by})

    def advance_to(self, moment: datetime | str) -> int:
        """Move a virtual clock to *moment*, which is UTC where it names no zone; as `advance`.

        Raises:
            ControlError: the clock is not virtual, or *moment* has passed.
        """
        return self._move({"to": written(moment)})

    def _move(self, asked: JsonObject) -> int:
        try:
            return int(self._control.ask("POST", "clock/advance", asked)["callbacks"])
        except UnreachableError as error:
            if not isinstance(error.__context__, TimeoutError):
                raise
        raise UnreachableError(
            f"{self._control.url} is still moving its clock: a receiver of reports that does not answer holds it up, at "
            "each attempt for as long as the scenario's callbacks.timeout says (5s), in real time; `callbacks` shows which"
        )

    def to_next(self) -> int:
        """Move a virtual clock to the moment at which something is due next; as `advance`.

        Raises:
            ControlError: the clock is not virtual.
            LookupError: nothing is due.
        """
        shown = self._control.get("clock")
        if shown["nextDue"] is None:
            raise LookupError("nothing is due: no message is on its way, and no report waits")
        return self.reach_due(shown)

    def reach_due(self, shown: JsonObject) -> int:
        """Move a virtual clock to the moment at which something was due next when the control API has *shown* it."""
        now, due = (datetime.fromisoformat(shown[name]) for name in ("now", "nextDue"))
        return self.advance(max(due - now, timedelta(0)))  # what is due by now is about to happen

    def set(self, mode: str, now: datetime | str | None = None) -> None:
        """Go by another clock from now on: ``real``, ``virtual`` or ``x60``, which says *now* where that is given.

        Raises:
            ControlError: there is no such clock.
        """
        moment = {} if now is None else {"now": written(now)}
        self._control.ask("PUT", "clock", {"mode": mode, **moment})


def written(moment: datetime | str) -> str:
    """Return a moment as the sandbox reads it: ``2024-01-15T10:30:45+00:00``."""
    if isinstance(moment, str):
        return moment
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
