"""What goes over the wire of an embedded sandbox: each call, when it came, and whether its answer went out whole.

An ASGI application around another. The records of the sandbox say what was answered; only here is seen what arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from sandbox.clock import Stopwatch
from sandbox.sessions import split_path
from sandbox.web.send import PATHS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Line:
    """One call; moments are milliseconds on the switchboard's own watch."""

    session: str | None
    method: str
    path: str
    """Within the session."""
    began_ms: int
    ended_ms: int | None = None
    """None: it is still being answered."""
    is_answered: bool = False
    """Whether all of an answer went out."""

    @property
    def is_to_endpoint(self) -> bool:
        """Whether it calls the API, and not something beside it."""
        return self.path in PATHS


class Switchboard:
    """Keeps a line for each call that is not the control API's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._watch = Stopwatch()
        self._lock = Lock()
        self._lines: list[Line] = []

    def lines(self, session: str) -> list[Line]:
        """Return the calls to one session so far, in the order in which they came."""
        with self._lock:
            return [line for line in self._lines if line.session == session]

    def strays(self) -> list[Line]:
        """Return the calls to no session so far."""
        with self._lock:
            return [line for line in self._lines if line.session is None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and take note."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        session, path = split_path(scope["path"])
        if path.startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        line = Line(session, scope["method"], path, self._watch.ms())
        with self._lock:
            self._lines.append(line)

        async def note(message: Message) -> None:
            # Before it goes out: the client may have ended, and be judged, before this goes on.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                line.is_answered = True
                line.ended_ms = self._watch.ms()
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            line.ended_ms = line.ended_ms or self._watch.ms()
