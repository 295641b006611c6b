"""What happens in a session as server-sent events, gathered and rendered once for all who listen.

A page that nobody can read fast enough, or a hundred of them, cost the endpoint little: what happens is only noted
when it does, and told a few times a second, each record once and as it is then. Source: the HTML standard,
"Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response, StreamingResponse

from sandbox.feed import Kind
from sandbox.web.control.clock import clock_json
from sandbox.web.control.messages import shown
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.scenario import scenario_json
from sandbox.web.control.schemas import TEXT
from sandbox.web.endings import end_with_server
from sandbox.web.records import callback_json, request_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.types import Send

    from sandbox.core.model import Callback, Message, RequestRecord
    from sandbox.sessions import Session
    from sandbox.web.control.operation import Asked

FLUSH_S: Final = 0.25
"""From one telling to the next at least, in real time; a hundred who listen are told half as often."""
KEEP_ALIVE_S: Final = 15.0
"""After how long of silence a comment keeps proxies from closing the connection."""
RETRY_MS: Final = 1000
"""After how long a browser connects again."""

MOST_RECORDS: Final = 1000
"""How many are told at a time at most, the newest; many who listen share the work of a few."""
FEWEST_RECORDS: Final = 50
_SHARED_BY: Final = 5

MOST_WAITING: Final = 20
"""How many tellings wait for one who reads too slowly."""


class Broadcast:
    """Tells all who listen to one session; a listener of its feed as long as there are any."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: set[_Line] = set()
        self._waiting: dict[tuple[Kind, int], None] = {}
        """What has happened and is not told yet, each once."""
        self._rest: asyncio.TimerHandle | None = None
        """Runs out when the next telling may be; None when nothing has happened for that long."""
        self._silence: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, session: Session) -> Broadcast:
        """Return the broadcast that a session's listeners share."""
        listeners = session.engine.feed.listeners
        return next((each for each in listeners if isinstance(each, cls)), None) or cls(session)

    def __call__(self, kind: Kind, record: RequestRecord | Message | Callback | None) -> None:
        """Note what has happened."""
        self._waiting[kind, 0 if record is None else record.number] = None
        if self._rest is None:
            # What happens in the same turn, such as a request and its message, is told together.
            self._rest = asyncio.get_running_loop().call_later(0, self._tell)

    @contextmanager
    def line(self) -> Iterator[_Line]:
        """Give somebody a line to listen on while the block runs."""
        line, feed = _Line(), self._session.engine.feed
        if not self._lines:
            feed.listeners.append(self)
            feed.at_end.append(self._end)
            self._be_silent()
        self._lines.add(line)
        if feed.is_over:
            line.end()
        try:
            yield line
        finally:
            self._lines.discard(line)
            if not self._lines:
                feed.listeners.remove(self)
                feed.at_end.remove(self._end)
                self._stop()

    def _tell(self) -> None:
        """Send what has happened to everybody, unless nothing has: then rest until it does."""
        self._rest = None
        if not self._waiting:
            return
        count = len(self._lines)
        self._rest = asyncio.get_running_loop().call_later(FLUSH_S * (1 + count / 100), self._tell)
        waiting, self._waiting = list(self._waiting), {}
        most = max(FEWEST_RECORDS, MOST_RECORDS * _SHARED_BY // max(_SHARED_BY, count))
        events = [event(kind, data) for kind, number in waiting[-most:] if (data := self._data(kind, number))]
        if len(waiting) > most:
            events.append(event("more", {"leftOut": len(waiting) - most}))
        if events:  # what has happened may all be gone
            self._session.engine.feed.tellings += 1
            self._send("".join(events).encode())

    def _send(self, text: bytes) -> None:
        for line in self._lines:
            line.put(text)
        self._be_silent()

    def _be_silent(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(KEEP_ALIVE_S, self._send, b": nothing has happened\n\n")

    def _data(self, kind: Kind, number: int) -> dict[str, Any] | None:
        """Return a record as it is now; None when it is gone."""
        engine = self._session.engine
        store = engine.store
        match kind:
            case Kind.REQUEST:
                request = store.request(number)
                return None if request is None else request_json(request)
            case Kind.MESSAGE:
                message = store.message(number)
                return None if message is None else shown(engine, message)
            case Kind.CALLBACK:
                callback = store.callback(number)
                return None if callback is None else callback_json(callback)
            case Kind.CLOCK:
                return clock_json(engine)
            case Kind.SCENARIO:
                return {key: value for key, value in scenario_json(self._session).items() if key != "yaml"}

    def _end(self) -> None:
        for line in self._lines:
            line.end()

    def _stop(self) -> None:
        for timer in (self._rest, self._silence):
            if timer is not None:
                timer.cancel()
        self._rest = self._silence = None
        self._waiting.clear()


class _Line:
    """What one listener has still to be sent."""

    def __init__(self) -> None:
        self._waiting = [f"retry: {RETRY_MS}\n\n".encode()]
        self._woken: asyncio.Future[None] | None = None
        self._is_over = False

    def put(self, text: bytes) -> None:
        """Send *text* when the listener is ready for it; one that is far behind loses what came before."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting = [event("more", {"leftOut": None}).encode()]
        self._waiting.append(text)
        self._wake()

    def end(self) -> None:
        """Let there be nothing more to send."""
        self._is_over = True
        self._wake()

    async def next(self) -> bytes:
        """Return what is to be sent, as soon as there is something; nothing at the end."""
        while not (self._waiting or self._is_over):
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken
        text, self._waiting = b"".join(self._waiting), []
        return text

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


class _Stream(StreamingResponse):
    """An answer that goes on until somebody hangs up."""

    media_type = "text/event-stream"

    def __init__(self, session: Session, headers: Mapping[str, str]) -> None:
        super().__init__((), headers=headers)
        self._session = session

    async def stream_response(self, send: Send) -> None:
        """Send what happens, as it does."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with Broadcast.of(self._session).line() as line:
            while text := await line.next():
                await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def event(kind: str, data: dict[str, Any]) -> str:
    """Return one event: its kind, and a record as JSON on one line."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


async def events(asked: Asked) -> Response:
    """Tell what happens as server-sent events, a few times a second: message, request, callback, clock, scenario."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if asked.request.method == "HEAD":
        return Response(headers=headers, media_type=_Stream.media_type)
    end_with_server(asked.engine, asked.request.scope)
    return _Stream(asked.session, headers)


OPERATIONS: Final = (
    Operation(
        "GET",
        "/events",
        events,
        {
            200: Answer(
                "An endless stream. The data of each event is the record as the lists show it, on one line; an event "
                "`more` tells that some found no room in it.",
                TEXT,
                "text/event-stream",
            )
        },
    ),
)
