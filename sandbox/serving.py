"""An ASGI application on a socket: uvicorn, in this thread until a signal comes, or in a thread of its own.

Knows nothing of what is served.
"""

from __future__ import annotations

import gc
import signal
import socket
import threading
from contextlib import contextmanager, suppress
from errno import EADDRNOTAVAIL, EAFNOSUPPORT
from typing import TYPE_CHECKING

import uvicorn

from sandbox.errors import ConfigError
from sandbox.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp


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


class _Server(uvicorn.Server):
    """A uvicorn server that says when it answers, and ends by a signal without dying of it."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], grace_s: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
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
