"""HTTP on a connection: uvicorn's protocol, for request lines that its parser refuses too, and a shorter way for most.

Knows nothing of what is served. The application finds the connection below a request in its scope, as the
extension ``panelsms.connection``: `Connection` says what can be done with it. Where it has an attribute ``at_once``,
that is called with a path as it is written, and says what answers requests for it without waiting: see `AtOnce`.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sandbox.connection import Connection

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    Whole = tuple[int, list[tuple[bytes, bytes]], bytes]
    """An answer that is simply sent: status, headers and body. Names are in lower case; they and values go out unchanged."""

    AtOnce = Callable[[Scope, bytes], Whole | ASGIApp]
    """Takes method, path, query string and headers in a scope, and a body, to an answer.

    Or to an application that sends it, where there is more to it.
    """

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f]+) HTTP/1\.[01]\r?\n")
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH"})
_VERBS = {b"GET": "GET", b"POST": "POST"}
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a `Connection`, for request lines that its parser refuses too.

    Where the application has what answers a path at once, a GET or POST that came whole, as nearly all do, is answered
    while it is read: uvicorn's task, event and scope for each request cost more than such an answer does.
    """

    _method: str | None = None
    """Of the request whose head is being read, where the parser was shown another."""
    _asked: AtOnce | None = None
    """What answers the request that is being read, once it is there whole."""
    _verb: str
    _path: bytes
    _query: bytes
    _body: bytes
    """Of that request, as far as it has come."""
    _idle_since_s: float | None = None
    """Since when nothing has come after an answer that was sent at once."""
    _idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put a `Connection` between this and the transport."""
        self._connection = Connection(transport)
        self._extensions: dict[str, Any] = {"panelsms.connection": self._connection}
        self._at_once: Callable[[bytes], AtOnce | None] = getattr(self.app, "at_once", _nothing)
        super().connection_made(self._connection)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        self._idle_since_s = None
        is_plain = data.startswith((b"GET ", b"POST ")) and data.isascii() and b"pgrade:" not in data
        super().data_received(data if is_plain else self._mended(data))
        if self._asked is not None:
            # The rest is yet to come, and has to be waited for.
            self._asked = None
            self._call(self.app)
            super().on_body(self._body)

    def _mended(self, data: bytes) -> bytes:
        """Return what begins a request such that the parser reads it.

        Any token is a method (RFC 9110 §9.1), and the endpoint is who answers it with 405. Servers at large
        take a target's octets above 7F as if they were percent-encoded. And an offer to upgrade, which Java's
        client and ``curl --http2`` make with each request, costs a request its body unless the parser does
        not see it.
        """
        cycle: RequestResponseCycle | None = self.cycle
        line = _REQUEST_LINE.match(data)
        if line is None or (cycle is not None and cycle.more_body):
            return data
        method, target = line.groups()
        if method not in _METHODS:
            self._method, method = method.decode(), b"PUT"
        target = _NOT_ASCII.sub(lambda octet: b"%%%02X" % ord(octet[0]), target)
        head, end, body = data[line.end(2) :].partition(b"\r\n\r\n")
        return b"%s %s%s%s%s" % (method, target, _UPGRADE.sub(b"\r\nX-Upgrade:", head), end, body)

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        # uvicorn makes the scope here; few requests need it.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Choose which way a request is answered."""
        path, _, self._query = self.url.partition(b"?")
        asked = self._at_once(path)
        cycle: RequestResponseCycle | None = self.cycle
        if (
            asked is not None
            and (verb := _VERBS.get(self.parser.get_method())) is not None
            # Nothing comes between request and answer: no answer before it, no sender who has yet to read that.
            and (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.expect_100_continue
            and self._method is None
            and b"#" not in self._query
        ):
            self._asked, self._verb, self._path, self._body = asked, verb, path, b""
            self.cycle = None  # type: ignore[assignment]
        else:
            self._call(self.app)

    def on_body(self, body: bytes) -> None:
        """Take in some of a body."""
        if self._asked is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Answer a request that came whole."""
        asked, self._asked = self._asked, None
        if asked is None:
            super().on_message_complete()
        elif not self._connection.is_closing():
            self._answer(asked)

    def _answer(self, asked: AtOnce) -> None:
        """Answer the request that has come."""
        scope = {
            "method": self._verb,
            "path": sys.intern(self._path.decode()),  # whoever keeps requests has few paths
            "query_string": self._query,
            "headers": self.headers,
        }
        try:
            answer = asked(scope, self._body)
        except Exception as error:  # noqa: BLE001 - of whatever application; uvicorn answers 500 then
            answer = _failing(error)
        if not isinstance(answer, tuple):
            self._call(answer)
            super().on_body(self._body)
            super().on_message_complete()
            return
        status, headers, body = answer
        keeps_alive = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        pieces = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            pieces += (name, b": ", value, b"\r\n")
        pieces += (b"\r\n" if keeps_alive else b"connection: close\r\n\r\n", body)
        self._connection.write(b"".join(pieces))
        if not keeps_alive:
            self._connection.close()
        self._note_idle()

    def _note_idle(self) -> None:
        """Close the connection when no other request has come for as long as uvicorn waits.

        As it does itself after the answers that it sends, but for a timer that is set anew only when it rings.
        """
        self.server_state.total_requests += 1
        self._idle_since_s = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_idle)

    def _close_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since_s is not None:
            left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
            if left_s > 0:
                self._idle_timer = self.loop.call_later(left_s, self._close_idle)
            else:
                self.timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what waits for the connection."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)

    def _call(self, app: ASGIApp) -> None:
        """Have an application answer the request whose head has come."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        own, self.app = self.app, app
        super().on_headers_complete()
        self.app = own
        self.scope["extensions"] = self._extensions
        if self._method is not None:
            self.scope["method"], self._method = self._method, None

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection, by True, for a sender that has closed its side and awaits its answer."""
        self._connection.flush()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.more_body or self._connection.is_unanswered:
            return False
        cycle.keep_alive = False
        self._connection.half_close()
        return not cycle.response_complete

    def shutdown(self) -> None:
        """End the connection, once its answer is out, as the server stops."""
        if self._connection.on_stop is not None:
            self._connection.on_stop()
        if self._connection.is_unanswered:
            self._connection.close()
        else:
            super().shutdown()


def _nothing(path: bytes) -> None:
    """Stand for the ``at_once`` of an application that has none."""


def _failing(error: Exception) -> ASGIApp:
    """Return an application that fails with *error*."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as all are called
        raise error

    return fail
