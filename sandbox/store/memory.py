"""The store in memory, with a cap: the oldest finished messages go first, each with its request and callbacks."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.core.model import Callback, Message, RequestRecord

DEFAULT_CAP: Final = 100_000
"""Messages; as many refused requests are kept beside them."""


class MemoryStore:
    """Keeps records in dictionaries by number, which keep the order of arrival too."""

    def __init__(self, cap: int = DEFAULT_CAP) -> None:
        self._cap = cap
        self._empty()

    def _empty(self) -> None:
        self._messages: dict[int, Message] = {}
        self._requests: dict[int, RequestRecord] = {}
        self._callbacks: dict[int, Callback] = {}
        self._finished: list[int] = []
        self._without_message: deque[int] = deque()
        self._first = 1
        """No message that is kept has a lower number."""
        self.dropped = 0

    def clear(self) -> None:
        """Let go of everything."""
        self._empty()

    def end(self) -> None:
        """Do nothing: nothing is kept beyond this run."""

    def add_request(self, request: RequestRecord) -> None:
        """Keep a request; of those that led to no message, the oldest goes when there are too many."""
        self._requests[request.number] = request
        if request.message_number is None:
            self._without_message.append(request.number)
            if len(self._without_message) > self._cap:
                self._drop_request()

    def add_message(self, message: Message) -> tuple[Message, ...]:
        """Keep a message, and return those that had to go for it: unfinished ones only when all are."""
        self._messages[message.number] = message
        if len(self._messages) <= self._cap:
            return ()
        return (self._drop(),)

    def add_callback(self, callback: Callback) -> None:
        """Keep a callback beside its message."""
        self._callbacks[callback.number] = callback
        callback.message.callback_numbers += (callback.number,)

    def changed(self, record: Message | Callback) -> None:
        """Do nothing: it is the record itself that is kept."""

    def finish(self, message: Message) -> None:
        """Note that a message has its final status."""
        if message.number in self._messages:
            heappush(self._finished, message.number)

    def message(self, number: int) -> Message | None:
        """Return a message."""
        return self._messages.get(number)

    def request(self, number: int) -> RequestRecord | None:
        """Return a request."""
        return self._requests.get(number)

    def callback(self, number: int) -> Callback | None:
        """Return a callback."""
        return self._callbacks.get(number)

    def messages(self) -> Iterator[Message]:
        """Iterate over the messages, newest first."""
        return reversed(self._messages.values())

    def requests(self) -> Iterator[RequestRecord]:
        """Iterate over the requests, newest first."""
        return reversed(self._requests.values())

    def callbacks(self) -> Iterator[Callback]:
        """Iterate over the callbacks, oldest first."""
        return iter(self._callbacks.values())

    def counts(self) -> dict[str, int]:
        """Return how many messages, requests and callbacks are kept."""
        return {
            "messages": len(self._messages),
            "requests": len(self._requests),
            "callbacks": len(self._callbacks),
        }

    def _drop_request(self) -> int:
        number = self._without_message.popleft()
        del self._requests[number]
        return number

    def _oldest(self) -> int:
        """Return the number of the oldest message."""
        # A dictionary's first key would be looked for past all that have gone, each time anew.
        while self._first not in self._messages:
            self._first += 1
        return self._first

    def _drop(self) -> Message:
        number = heappop(self._finished) if self._finished else self._oldest()
        message = self._messages.pop(number)
        self._requests.pop(message.request_number, None)
        for callback in message.callback_numbers:
            self._callbacks.pop(callback, None)
        self.dropped += 1
        return message
