"""Where a session's records are kept: what a store can do, whichever it is.

Knows nothing of HTTP or rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.core.model import Callback, Message, RequestRecord


class Store(Protocol):
    """The messages, requests and callbacks of one session; numbers are those of the records."""

    @property
    def dropped(self) -> int:
        """How many messages the cap has cost so far."""
        ...

    def add_request(self, request: RequestRecord) -> None:
        """Keep a request; its number is higher than any before it."""
        ...

    def add_message(self, message: Message) -> tuple[Message, ...]:
        """Keep a message, and return those that had to go for it."""
        ...

    def add_callback(self, callback: Callback) -> None:
        """Keep a callback."""
        ...

    def changed(self, record: Message | Callback) -> None:
        """Note that a record is no longer as it was."""
        ...

    def finish(self, message: Message) -> None:
        """Note that a message has its final status: it may go when room is needed."""
        ...

    def message(self, number: int) -> Message | None:
        """Return a message."""
        ...

    def request(self, number: int) -> RequestRecord | None:
        """Return a request."""
        ...

    def callback(self, number: int) -> Callback | None:
        """Return a callback."""
        ...

    def messages(self) -> Iterator[Message]:
        """Iterate over the messages, newest first."""
        ...

    def requests(self) -> Iterator[RequestRecord]:
        """Iterate over the requests, newest first."""
        ...

    def callbacks(self) -> Iterator[Callback]:
        """Iterate over the callbacks, oldest first."""
        ...

    def counts(self) -> dict[str, int]:
        """Return how many messages, requests and callbacks are kept."""
        ...

    def clear(self) -> None:
        """Let go of everything."""
        ...

    def end(self) -> None:
        """Keep nothing beyond this run: the session has ended."""
        ...
