"""What happens in a session, told to whoever listens: requests, messages, callbacks, the clock, the scenario.

Knows nothing of who listens, nor of how anything is shown. A session that nobody listens to pays next to nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.core.model import Callback, Message, RequestRecord

    Listener = Callable[["Kind", RequestRecord | Message | Callback | None], None]

T = TypeVar("T")


class Kind(StrEnum):
    """What something that happened is about."""

    REQUEST = "request"
    MESSAGE = "message"
    CALLBACK = "callback"
    CLOCK = "clock"
    SCENARIO = "scenario"


class Feed:
    """Tells its listeners of what happens, in the order in which it does."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        """Each is called at once, with the record; None where it is about the clock or the scenario."""
        self.at_end: list[Callable[[], None]] = []
        """Each is called when nothing more will be told: the session has ended, or the server stops."""
        self.is_over = False
        self.tellings = 0
        """How often those who listen from afar have been told of all that had happened until then."""

    def tell(self, kind: Kind, record: RequestRecord | Message | Callback | None = None) -> None:
        """Tell every listener."""
        for listener in tuple(self.listeners):
            listener(kind, record)

    def end(self) -> None:
        """Let all who listen know that nothing more will be told."""
        self.is_over = True
        for listener in tuple(self.at_end):
            listener()

    @contextmanager
    def told_to(self, listener: Listener) -> Iterator[None]:
        """Tell *listener* too while the block runs."""
        self.listeners.append(listener)
        try:
            yield
        finally:
            self.listeners.remove(listener)

    async def until(self, check: Callable[[], T | None]) -> T:
        """Return what *check* gives as soon as it gives something; it is asked at once, and after whatever happens."""
        happened = asyncio.Event()
        with self.told_to(lambda *_: happened.set()):
            while (found := check()) is None:
                await happened.wait()
                happened.clear()
            return found
