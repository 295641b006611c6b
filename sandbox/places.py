"""Who may begin an attempt: the places that all sessions of a process share, and whose turn it is.

Knows nothing of callbacks, and never waits itself.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

IN_ALL: Final = 512
"""Attempts under way at once, of all sessions and to all receivers."""

Address = tuple[str | None, int | None]
"""A receiver: its host and port."""


class Places:
    """A bounded number of places for attempts, which are never all left to one session or one receiver.

    There is room for one more while those of its session and those of its receiver, added up, are fewer than those
    that are free. A receiver that hangs fills a third of all places, or half of them when many sessions report to
    it, and so does a session whose receivers all hang: whoever has none begins at once as long as any is free.
    """

    def __init__(self, in_all: int = IN_ALL) -> None:
        self._free = in_all
        self._of_session: Counter[object] = Counter()
        self._of_receiver: Counter[Address] = Counter()
        self._queues: dict[Address, dict[object, Callable[[], None]]] = {}
        """What each session that found no room for a receiver does when there is some; the longest wait is first."""

    def take(self, session: object, receiver: Address, begin: Callable[[], None]) -> bool:
        """Take a place, and say whether there was room; if not, *begin* is called once as soon as there is.

        Of one session that waits for a receiver, the latest *begin* counts.
        """
        if not self._has_room(session, receiver):
            self._queues.setdefault(receiver, {})[session] = begin
            return False
        self._free -= 1
        self._of_session[session] += 1
        self._of_receiver[receiver] += 1
        return True

    def give_back(self, session: object, receiver: Address) -> None:
        """Give a place back, and let those who wait for one begin."""
        self._free += 1
        _count_down(self._of_session, session)
        _count_down(self._of_receiver, receiver)
        while (begin := self._next()) is not None:
            begin()

    def _has_room(self, session: object, receiver: Address) -> bool:
        return self._of_session[session] + self._of_receiver[receiver] < self._free

    def _next(self) -> Callable[[], None] | None:
        """Return what the next one whom there is room for does to begin; None when there is none."""
        for receiver, queue in self._queues.items():
            # However many sessions wait for a receiver that hangs, they cost the others one look.
            if self._of_receiver[receiver] < self._free:
                for session in queue:
                    if self._has_room(session, receiver):
                        return self._take_out(session, receiver)
        return None

    def _take_out(self, session: object, receiver: Address) -> Callable[[], None]:
        """Return what a session waits to do; the other receivers have their turn before those behind it."""
        queue = self._queues.pop(receiver)
        begin = queue.pop(session)
        if queue:
            self._queues[receiver] = queue
        return begin


def _count_down(counter: Counter[Any], key: object) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
