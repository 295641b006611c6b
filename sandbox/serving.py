"""An ASGI application on a socket: uvicorn, in this thread until a signal comes, or in a thread of its own.

Knows nothing of what is served. The application finds the connection below a request in its scope, as the
extension ``panelsms.connection``: `Connection` says what can be done with it. Where it has an attribute ``at_once``,
that says what answers requests for some paths without waiting for anything: see `AtOnce`.
"""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import socket
import struct
import sys
import threading
from contextlib import contextmanager, suppress
from errno import EADDRNOTAVAIL, EAFNOSUPPORT
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    AtOnce = Callable[[Scope, bytes], tuple[int, list[tuple[bytes, bytes]], bytes] | ASGIApp]
    """Takes method, path, query string and headers in a scope, and a body, to the status, headers and body of an answer.

    Or to an application that sends it, where there is more to it. Names are in lower case, and both they and values are
    sent as they are.
    """


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host* and *port*; port 0 takes a free one.

    Raises:
        ConfigError: the address cannot be had, with what to do about it.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # The protocol is named: else asyncio leaves TCP_NODELAY off, and a kept-alive answer takes 40 ms.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], port, *address[2:]))
            listener.listen(2048)
        except (OSError, OverflowError):
            listener.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        is_host = isinstance(error, socket.gaierror | UnicodeError) or (
            isinstance(error, OSError) and error.errno in {EADDRNOTAVAIL, EAFNOSUPPORT}
        )
        choice = (
            "--host, 127.0.0.1 or 0.0.0.0 for all addresses" if is_host else "--port, or 0 for a free one"
        )
        raise ConfigError(f"cannot listen on {_joined(host, port)}: {why}; choose another {choice}") from None
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address that a listener is reached at: ``http://127.0.0.1:7670``."""
    return f"http://{_joined(*listener.getsockname()[:2])}"


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f]+) HTTP/1\.[01]\r?\n")
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH"})
_VERBS = {b"GET": "GET", b"POST": "POST"}
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)


# What a socket does at its end: linger, for no time at all. Windows has shorts where others have ints.
_RESETS = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection:
    """A transport that sends what is written in one turn of the event loop at the end of that turn, and can be broken off.

    uvicorn writes an answer's head and body one by one: two system calls, and with TCP_NODELAY two packets,
    which cost each side more than many an application does. And an answer that is sent while others are yet to be worked
    out wakes its receiver by itself; of several that are sent one after the other, the first does that for all.
    """

    is_unanswered = False
    """Whether its request gets no answer: then nothing keeps it open once the sender has closed its side."""
    on_stop: Callable[[], None] | None = None
    """Is called when the server begins to stop, for an answer that would go on for as long as it is let."""
    _is_half_closed = False

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # asked at every request, and __getattr__ is slow
        self._call_soon = asyncio.get_running_loop().call_soon
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send octets with all that is written in this turn."""
        if not self._written:
            self._call_soon(self.flush)
        self._written.append(data)

    def close(self) -> None:
        """End the connection after what is written."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what is written, unless there is no longer anybody to send it to."""
        if self._written:
            if not self.is_closing():
                self._transport.write(b"".join(self._written))
            self._written.clear()

    def reset(self) -> None:
        """Break the connection off: what is unsent is lost, and the other side is told of a reset."""
        self._written.clear()
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
        self._transport.abort()

    def leave_unanswered(self) -> None:
        """Keep the connection open until the sender closes its side or the server stops."""
        self.is_unanswered = True
        if self._is_half_closed:
            self.close()

    def half_close(self) -> None:
        """Take note that the sender has closed its side."""
        self._is_half_closed = True


class _Protocol(HttpToolsProtocol):
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
        self._connection = Connection(transport)
        self._extensions: dict[str, Any] = {"panelsms.connection": self._connection}
        self._at_once: Mapping[bytes, AtOnce] = getattr(self.app, "at_once", {})
        super().connection_made(self._connection)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
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
        # uvicorn makes the scope here; few requests need it.
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        path, _, self._query = self.url.partition(b"?")
        asked = self._at_once.get(path)
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
        if self._asked is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            super().on_message_complete()
        elif not self._connection.is_closing():
            self._answer(asked)

    def _answer(self, asked: AtOnce) -> None:
        """Answer the request that has come."""
        scope = {
            "method": self._verb,
            "path": self._path.decode(),
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
        if self._connection.on_stop is not None:
            self._connection.on_stop()
        if self._connection.is_unanswered:
            self._connection.close()
        else:
            super().shutdown()


def _failing(error: Exception) -> ASGIApp:
    """Return an application that fails with *error*."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - as all are called
        raise error

    return fail


class _Server(uvicorn.Server):
    """A uvicorn server that says when it answers, and ends by a signal without dying of it."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], grace_s: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                access_log=False,
                log_config=None,
                # It would tell of each sender that speaks no HTTP, and of each answer that is broken off.
                log_level="critical",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=grace_s,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal once more at the end, and the exit code would not be 0.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(app: ASGIApp, listener: socket.socket, on_ready: Callable[[], None], *, grace_s: int = 5) -> None:
    """Serve *app* until SIGTERM or Ctrl-C; answers in flight are finished, for *grace_s* seconds at most."""
    # Records live long and hold no cycles: at Python's thresholds, looking for some costs each send a fifth
    # of its time.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    _Server(app, on_ready, grace_s).run(sockets=[listener])


@contextmanager
def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, grace_s: int = 1) -> Iterator[str]:
    """Serve *app* in a thread of its own while the block runs, and give it the address.

    Args:
        app: what is served.
        host: the address to listen on.
        port: 0 takes a free one.
        grace_s: how long answers in flight may take at the end, in seconds.
    """
    ready = threading.Event()
    listener = listen(host, port)
    server = _Server(app, ready.set, grace_s)

    def run() -> None:
        with suppress(SystemExit):  # uvicorn's way to say that the application did not start
            server.run(sockets=[listener])

    thread = threading.Thread(target=run, name="panelsms-sandbox", daemon=True)
    address = address_of(listener)
    thread.start()
    try:
        while not ready.wait(0.05):
            if not thread.is_alive():
                raise ConfigError(f"the server at {address} did not start")
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
