import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import uvicorn
import uvicorn.server
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.errors import ConfigError
from sandbox.serving import _Protocol, address_of, listen, serve, serving
from tests.served import FakeTransport
from tests.worlds import turns


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


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with serving(echo) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def exchanged(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Return all that the server says to these pieces, each sent when the one before has been answered."""
    with socket.create_connection(address, timeout=10) as connection:
        said = b""
        for piece in pieces:
            connection.sendall(piece)
            said += connection.recv(65_536)
        connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(65_536):
            said += more
    return said


def asked(
    address: tuple[str, int], method: str, target: str, body: bytes | None = None, **headers: str
) -> bytes:
    connection = HTTPConnection(*address, timeout=10)
    try:
        connection.request(method, target, body, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


# -- listening ------------------------------------------------------------------------------------------


def test_port_0_is_a_free_one() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert address_of(one) != address_of(other)
        assert address_of(one).startswith("http://127.0.0.1:")


def test_the_protocol_is_named_so_that_tcp_nodelay_is_set() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_in_use_is_one_clear_line() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; "
        "choose another --port, or 0 for a free one"
    )


@pytest.mark.parametrize(
    ("host", "port", "shown", "option"),
    [
        ("127.0.0.1", 65_536, "127.0.0.1:65536", "--port"),
        ("127.0.0.1", -1, "127.0.0.1:-1", "--port"),
        ("a..b", 0, "a..b:0", "--host"),
        ("name.invalid", 0, "name.invalid:0", "--host"),
        ("192.0.2.1", 0, "192.0.2.1:0", "--host"),
        ("2001:db8::1", 80, "[2001:db8::1]:80", "--host"),
    ],
)
def test_an_address_that_cannot_be_had_says_which_option_to_change(
    host: str, port: int, shown: str, option: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        listen(host, port)
    assert str(caught.value).startswith(f"cannot listen on {shown}: ")
    assert f"; choose another {option}, " in str(caught.value)


class Named:
    """A socket that says where it listens."""

    def __init__(self, name: tuple[object, ...]) -> None:
        self._name = name

    def getsockname(self) -> tuple[object, ...]:
        return self._name


@pytest.mark.parametrize(
    ("name", "url"),
    [
        (("127.0.0.1", 7670), "http://127.0.0.1:7670"),
        (("0.0.0.0", 80), "http://0.0.0.0:80"),
        (("::1", 7670, 0, 0), "http://[::1]:7670"),
    ],
)
def test_the_address_of_a_listener(name: tuple[object, ...], url: str) -> None:
    assert address_of(Named(name)) == url  # type: ignore[arg-type]


# -- in a thread ----------------------------------------------------------------------------------------


def test_a_server_answers_while_its_block_runs_and_not_after() -> None:
    with serving(echo) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        address = parts.hostname, parts.port
        assert asked(address, "GET", "/a?b") == b"GET /a b "
    assert not [
        thread for thread in threading.enumerate() if thread.name == "panelsms-sandbox" and not thread.daemon
    ]
    with pytest.raises(ConnectionRefusedError):
        asked(address, "GET", "/")


def test_a_server_that_does_not_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(ConfigError, match=r"the server at http://127\.0\.0\.1:[0-9]+ did not start"),
        serving(broken),
    ):
        pass
    capfd.readouterr()


# -- in this thread -------------------------------------------------------------------------------------


@pytest.fixture
def collector() -> Iterator[None]:
    """Leave the garbage collector as it was found."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_answers_in_flight(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    listener = listen("127.0.0.1", 0)
    host, port = listener.getsockname()[:2]
    answers: list[bytes] = []

    def use() -> None:
        answers.append(asked((host, port), "GET", "/"))
        os.kill(os.getpid(), number)

    user = threading.Thread(target=use)
    serve(echo, listener, user.start)
    user.join()
    assert answers == [b"GET /  "]
    assert signal.getsignal(number) == before


# -- what the parser would refuse -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "BREW", "get", "CONNECT", "M-SEARCH", "!#$%&'*+.^_`|~"]
)
@pytest.mark.parametrize("body", [b"", b"BREW /x HTTP/1.1\r\n"])
def test_any_token_is_a_method(address: tuple[str, int], method: str, body: bytes) -> None:
    assert asked(address, method, "/a?b", body) == f"{method} /a b {body.decode()}".encode()


def test_methods_take_turns_on_one_connection(address: tuple[str, int]) -> None:
    request = b"%s /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    said = exchanged(
        address,
        *(request % (method, number) for number, method in enumerate((b"BREW", b"GET", b"SIP", b"PUT"))),
    )
    assert [line for line in said.split(b"\r\n") if line.startswith((b"BREW", b"GET", b"SIP", b"PUT"))]
    for answer in (b"BREW /0 ", b"GET /1 ", b"SIP /2 ", b"PUT /3 "):
        assert answer in said


def test_requests_in_one_piece_are_answered_in_order(address: tuple[str, int]) -> None:
    said = exchanged(
        address, b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(3))
    )
    assert said.index(b"GET /0") < said.index(b"GET /1") < said.index(b"GET /2")


def test_octets_above_7f_in_a_target_count_as_percent_encoded(address: tuple[str, int]) -> None:
    assert b"GET /\xef\xbf\xbd a=%E9%C3%A9 " in exchanged(
        address, b"GET /\xe9?a=\xe9\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"
    )


@pytest.mark.parametrize("name", ["Upgrade", "upgrade"])
def test_an_offer_to_upgrade_costs_no_body(address: tuple[str, int], name: str) -> None:
    headers = {"Connection": "Upgrade, HTTP2-Settings", name: "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    assert (
        asked(address, "POST", "/", b"\r\nUpgrade: x\r\n\r\nbody", **headers)
        == b"POST /  \r\nUpgrade: x\r\n\r\nbody"
    )


def test_a_request_line_in_a_body_is_part_of_the_body(address: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 19\r\n\r\n"
    assert exchanged(address, head, b"BREW /\xc3\xa9 HTTP/1.1\r\n").endswith(
        "POST /  BREW /é HTTP/1.1\r\n".encode()
    )


def test_a_sender_that_closes_its_side_has_its_answer(address: tuple[str, int]) -> None:
    for _ in range(20):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while more := connection.recv(65_536):
                said += more
        assert said.endswith(b"\r\n\r\nGET /a  ")


# -- answered at once -----------------------------------------------------------------------------------


class Ready:
    """Says what it was asked, and by which way: at once, or as an application."""

    def __init__(self) -> None:
        self.at_once = {b"/now": self._answer}

    def _answer(self, scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes] | ASGIApp:
        said = f"now {scope['method']} {scope['path']} {scope['query_string'].decode()} {body.decode()}"
        if body == b"fail":
            raise ValueError(said)
        if body == b"later":
            return echo
        return 200, [(b"content-length", b"%d" % len(said))], said.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"early"})
        else:
            await echo(scope, receive, send)


@pytest.fixture(scope="module")
def ready() -> Iterator[tuple[str, int]]:
    with serving(Ready()) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def request(method: str, target: str, body: str = "", *headers: str, version: str = "1.1") -> bytes:
    lines = (
        f"{method} {target} HTTP/{version}",
        "Host: x",
        *headers,
        *([f"Content-Length: {len(body)}"] if body else []),
    )
    return "\r\n".join([*lines, "", body]).encode()


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (request("GET", "/now?a=b"), "now GET /now a=b "),
        (request("POST", "/now", "body"), "now POST /now  body"),
        (request("GET", "/now", "body"), "now GET /now  body"),
        (
            request("POST", "/now", "", "Transfer-Encoding: chunked") + b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
            "now POST /now  body",
        ),
        (request("POST", "/now", "later"), "POST /now  later"),
        (request("PUT", "/now"), "PUT /now  "),
        (request("BREW", "/now"), "BREW /now  "),
        (request("GET", "/now?a#b"), "GET /now a "),
        (request("GET", "/n%6Fw"), "GET /now  "),
    ],
)
def test_what_is_ready_is_asked_for_a_get_or_post_that_came_whole(
    ready: tuple[str, int], octets: bytes, body: str
) -> None:
    for said in (exchanged(ready, octets), exchanged(ready, octets, octets)):
        head, _, rest = said.partition(b"\r\n\r\n")
        assert rest.startswith(body.encode())
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
        assert b"connection" not in head


def test_the_rest_of_a_body_is_waited_for(ready: tuple[str, int]) -> None:
    octets = request("POST", "/now", "body")
    said = exchanged(ready, request("GET", "/now?first") + octets[:-2], octets[-2:])
    assert said.endswith(b"\r\n\r\nPOST /now  body")
    continued = exchanged(ready, request("POST", "/now", "body", "Expect: 100-continue")[:-4], b"body")
    assert continued.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert continued.endswith(b"\r\n\r\nPOST /now  body")


def test_requests_in_one_piece_are_answered_in_order_whoever_answers(ready: tuple[str, int]) -> None:
    ways = ("/now", "/now", "/wait", "/now", "/wait", "/wait", "/now")
    said = exchanged(ready, b"".join(request("GET", f"{way}?{at}") for at, way in enumerate(ways)))
    places = [said.index(f"GET {way} {at} ".encode()) for at, way in enumerate(ways)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("header", "version"),
    [("Connection: close", "1.1"), ("Accept: x", "1.0"), ("Connection: keep-alive", "1.0")],
)
def test_the_connection_ends_after_an_answer_at_once_where_it_should(
    ready: tuple[str, int], header: str, version: str
) -> None:
    with socket.create_connection(ready, timeout=10) as connection:
        last = request("GET", "/now?last", "", header, version=version)
        connection.sendall(request("GET", "/now?first") + last + request("GET", "/now?never"))
        said = b""
        while more := connection.recv(65_536):
            said += more
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert said.count(b"connection: close\r\n") == 1
    assert said.endswith(b"now GET /now last ")


def test_what_fails_at_once_is_500_and_the_end(ready: tuple[str, int]) -> None:
    said = exchanged(ready, request("POST", "/now", "fail"))
    assert said.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert said.endswith(b"\r\n\r\nInternal Server Error")


def test_a_body_that_nobody_has_read_leaves_the_connection_in_order(ready: tuple[str, int]) -> None:
    early = request("POST", "/early", "body")
    said = exchanged(ready, early[:-4], b"body" + request("GET", "/now?a"), request("BREW", "/now?b"))
    assert said.endswith(b"\r\n\r\nBREW /now b ")
    assert b"now GET /now a " in said


def test_a_sender_that_closes_its_side_has_its_answer_at_once(ready: tuple[str, int]) -> None:
    for _ in range(20):
        with socket.create_connection(ready, timeout=10) as connection:
            connection.sendall(request("GET", "/now?a"))
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while more := connection.recv(65_536):
                said += more
        assert said.endswith(b"\r\n\r\nnow GET /now a ")


class Timers:
    """Stands for an event loop: its time stands still, and its timers ring when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, wait_s: float, action: Callable[[], None]) -> object:
        self.due.append((self.now_s + wait_s, action))
        return action

    def ring(self) -> None:
        self.now_s, action = self.due.pop()
        action()


def connected(timers: Timers) -> tuple[_Protocol, FakeTransport]:
    """Return the protocol of a connection, and what lies below it."""
    config = uvicorn.Config(Ready(), http=_Protocol, log_config=None, proxy_headers=False)
    config.load()
    protocol, transport = _Protocol(config, uvicorn.server.ServerState(), {}, timers), FakeTransport()  # type: ignore[arg-type]
    protocol.connection_made(transport)
    return protocol, transport


@pytest.mark.anyio
async def test_answers_at_once_are_sent_together_when_all_that_has_come_is_read() -> None:
    protocol, transport = connected(Timers())
    protocol.data_received(request("GET", "/now?a") + request("GET", "/now?b"))
    protocol.data_received(request("GET", "/now?c"))
    assert transport.written == []
    await turns(1)
    (sent,) = transport.written
    assert [sent.count(b"now GET /now " + which) for which in (b"a", b"b", b"c")] == [1, 1, 1]


@pytest.mark.anyio
async def test_an_answer_is_sent_before_the_connection_ends_with_its_sender() -> None:
    protocol, transport = connected(Timers())
    protocol.data_received(request("GET", "/now?a"))
    assert not protocol.eof_received()
    assert b"".join(transport.written).endswith(b"now GET /now a ")


@pytest.mark.anyio
async def test_a_connection_ends_five_seconds_after_its_last_answer() -> None:
    timers = Timers()
    protocol, transport = connected(timers)
    for timers.now_s in (0.0, 3.0):
        protocol.data_received(request("GET", "/now"))
    assert [at_s for at_s, _ in timers.due] == [5]
    timers.ring()
    assert ([at_s for at_s, _ in timers.due], transport.is_closed) == ([8], False)
    protocol.data_received(b"GET /now HTTP/1.1")
    timers.ring()
    assert (timers.due, transport.is_closed) == ([], False)
    protocol.data_received(b"\r\n\r\n")
    timers.ring()
    assert (timers.now_s, transport.is_closed) == (13, True)
