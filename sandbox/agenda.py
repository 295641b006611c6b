"""What is due when: actions kept in order of their moment, run when the session's clock says so.

Does not know what the actions do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from heapq import heappop, heappush, merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sandbox.clock import Clock

    Due = tuple[datetime, int, Callable[..., None], tuple[Any, ...]]
    """When, as which of all that were added, what, and with which arguments."""

TURN: Final = 100
"""How many due actions run before other work gets its turn."""

GRAIN_S: Final = 0.004
"""The timer rings no more often than this, so that under load many actions share one ring."""


class Agenda:
    """The actions of one session that have yet to come, and the timer that wakes it for the next of them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # Most actions are added in the order in which they are due: these wait in a line, which costs less than a heap.
        self._line: deque[Due] = deque()
        self._heap: list[Due] = []
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: datetime | None = None

    def __len__(self) -> int:
        """Return how many actions are yet to come."""
        return len(self._line) + len(self._heap)

    @property
    def next_due_at(self) -> datetime | None:
        """The moment of the next action; None when there is none."""
        lane = self._next_lane()
        return lane[0][0] if lane else None

    def _next_lane(self) -> deque[Due] | list[Due]:
        """Return the line or the heap: that of which the next action is the first, an empty one when there is none."""
        line, heap = self._line, self._heap
        return heap if heap and (not line or heap[0] < line[0]) else line

    def soonest(self, most: int) -> Iterator[tuple[datetime, tuple[Any, ...]]]:
        """Yield the moment and the arguments of the next actions, *most* of them, in order.

        Takes as long as there are actions to tell of, however many there are in all.
        """
        for at, _, _, arguments in islice(merge(islice(self._line, most), self._soonest_of_heap(most)), most):
            yield at, arguments

    def _soonest_of_heap(self, most: int) -> Iterator[Due]:
        heap = self._heap
        near = [(heap[0][:2], 0)] if heap else []
        for _ in range(most):
            if not near:
                return
            _, place = heappop(near)
            yield heap[place]
            for below in (2 * place + 1, 2 * place + 2):
                if below < len(heap):
                    heappush(near, (heap[below][:2], below))

    def add(self, at: datetime, action: Callable[..., None], *arguments: Any) -> None:
        """Have *action* run at *at*; of several at one moment the first added runs first."""
        self._order += 1
        due = at, self._order, action, arguments
        if not self._line or at >= self._line[-1][0]:
            self._line.append(due)
        else:
            heappush(self._heap, due)
        if self._timer_at is None or at < self._timer_at:
            self._set_timer()

    def run_due(self, at_most: int | None = None) -> int:
        """Run what is due by now, in order, and return how many actions that was."""
        done = 0
        now = self.clock.now()
        while done != at_most and (lane := self._next_lane()) and lane[0][0] <= now:
            _, _, action, arguments = self._line.popleft() if lane is self._line else heappop(self._heap)
            action(*arguments)
            done += 1
        return done

    def follow(self, clock: Clock) -> None:
        """Go by another clock from now on; what is due by its time happens soon."""
        self.clock = clock
        self._set_timer()

    def clear(self) -> None:
        """Forget everything that is yet to come."""
        self._line.clear()
        self._heap.clear()
        self._stop_timer()

    def _set_timer(self, grain_s: float = GRAIN_S) -> None:
        self._stop_timer()
        at = self.next_due_at
        wait_s = None if at is None else self.clock.real_s_until(at)
        if wait_s is not None:
            # A day is as good as for ever: the timer is set anew when it rings too early.
            wait_s = min(max(wait_s, grain_s), 86_400)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)
            self._timer_at = at

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timer_at = None

    def _ring(self) -> None:
        self._timer = self._timer_at = None
        done = TURN
        try:
            done = self.run_due(TURN)
        finally:
            self._set_timer(GRAIN_S if done < TURN else 0)
