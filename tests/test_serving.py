import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from sandbox.errors import ConfigError
from sandbox.serving import address_of, listen, serve, serving
from tests.served import asked, echo


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


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
