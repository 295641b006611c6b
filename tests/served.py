"""A server on a real socket whose clock is moved by hand, and clients that see every octet it sends."""

import asyncio
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from starlette.types import Receive, Scope, Send

from sandbox.advance import advance
from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.model import Callback, Message, RequestRecord
from sandbox.core.scenario import Scenario
from sandbox.engine import Engine
from sandbox.serving import serving
from sandbox.web.send import PATHS
from tests.worlds import NOON, FakeCarrier

TIMEOUT_S = 10


@dataclass(frozen=True)
class Heard:
    """All that a client heard until the end of the connection."""

    octets: bytes
    is_reset: bool = False

    @property
    def head(self) -> str:
        return self.octets.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split(" ")[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return {name: value for name, _, value in lines}

    @property
    def body(self) -> str:
        return self.octets.partition(b"\r\n\r\n")[2].decode()


@dataclass
class Served:
    """A sandbox on a socket."""

    address: tuple[str, int]
    engine: Engine
    carrier: FakeCarrier
    loop: asyncio.AbstractEventLoop

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=TIMEOUT_S)

    def call(self, parameters: Mapping[str, str], method: str = "GET") -> Heard:
        """Make a call, and return what is heard until the connection ends."""
        with self.connect() as connection:
            connection.sendall(request_octets(parameters, method))
            return heard(connection)

    def advance(self, seconds: float) -> int:
        """Let time pass, and return how many attempts at callbacks were made."""
        moving = advance(self.engine, self.engine.clock.now() + timedelta(seconds=seconds))
        return asyncio.run_coroutine_threadsafe(moving, self.loop).result(TIMEOUT_S)

    def start_afresh(self) -> None:
        """Forget all that happened; only the time stays as it is."""
        asyncio.run_coroutine_threadsafe(self.engine.reset(), self.loop).result(TIMEOUT_S)
        self.carrier.parcels.clear()

    @property
    def record(self) -> RequestRecord:
        """The latest request."""
        return next(self.engine.store.requests())

    @property
    def messages(self) -> list[Message]:
        return list(self.engine.store.messages())

    @property
    def callbacks(self) -> list[Callback]:
        return list(self.engine.store.callbacks())


def request_octets(parameters: Mapping[str, str], method: str = "GET", *, keeps_alive: bool = False) -> bytes:
    """Return a call as it goes over the wire: a GET, or a POST of a form."""
    query = urlencode(parameters).encode()
    head = b"Host: x\r\nConnection: %s\r\n" % (b"keep-alive" if keeps_alive else b"close")
    if method == "GET":
        return b"GET %s?%s HTTP/1.1\r\n%s\r\n" % (PATHS[0].encode(), query, head)
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(query)
    return b"POST %s HTTP/1.1\r\n%s\r\n%s" % (PATHS[0].encode(), head, query)


def heard(connection: socket.socket) -> Heard:
    """Listen until the connection ends."""
    octets = b""
    try:
        while more := connection.recv(65_536):
            octets += more
    except ConnectionResetError:
        return Heard(octets, is_reset=True)
    return Heard(octets)


def slam(connection: socket.socket) -> None:
    """End a connection as a client does whose process dies."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def served(
    scenario: Scenario | None = None, carrier: FakeCarrier | None = None, config: Config | None = None
) -> Iterator[Served]:
    """Serve while the block runs, at noon: the default scenario, unless another is given."""
    carrier = carrier or FakeCarrier()
    app = create_app(config, scenario=scenario, clock=VirtualClock(NOON), carrier=carrier)
    loops: list[asyncio.AbstractEventLoop] = []

    async def in_its_loop(scope: Scope, receive: Receive, send: Send) -> None:
        if not loops:
            loops.append(asyncio.get_running_loop())
        await app(scope, receive, send)

    with serving(in_its_loop, grace_s=0) as url:
        parts = urlsplit(url)
        yield Served((parts.hostname or "", parts.port or 0), app.state.engine, carrier, loops[0])


class FakeTransport(asyncio.Transport):
    """Keeps what is done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the method, the path, the query, and the body."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    said = f"{scope['method']} {scope['path']} {scope['query_string'].decode()} {body.decode()}".encode()
    headers = [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def asked(
    address: tuple[str, int], method: str, target: str, body: bytes | None = None, **headers: str
) -> bytes:
    connection = HTTPConnection(*address, timeout=10)
    try:
        connection.request(method, target, body, headers)
        return connection.getresponse().read()
    finally:
        connection.close()
