"""One attempt over real sockets, on loopback only: connecting anywhere else fails the test that does it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest

from sandbox import carrier as carrier_module
from sandbox.carrier import Arrived, HeldBack, HttpCarrier, Lost, Outcome, Parcel
from tests.receivers import receiver

pytestmark = pytest.mark.anyio

MOVED = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def carrier() -> AsyncIterator[HttpCarrier]:
    carrier = HttpCarrier()
    yield carrier
    await carrier.close()


@pytest.fixture(autouse=True)
async def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were connected to: loopback ones, or the test fails."""
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect
    addresses: list[str] = []

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        addresses.append(str(address[0]))
        assert ip_address(address[0]).is_loopback
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    return addresses


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A table of names and the addresses they resolve to; no other name resolves."""
    table: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
        if host not in table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in table[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def parcel(
    url: str,
    body: str | None = "{}",
    *,
    method: str = "POST",
    timeout_s: float = 5.0,
    allowed: tuple[str, ...] = (),
) -> Parcel:
    return Parcel(method, url, {"Content-Type": "application/json"}, body, timeout_s, allowed)


def why(outcome: Outcome) -> str:
    assert not isinstance(outcome, Arrived)
    return outcome.why


# -- what is sent ---------------------------------------------------------------------------------------


async def test_a_post_arrives_as_it_was_packed(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        outcome = await carrier.carry(parcel(f"{there.url}/dlr?x=1", '{"text":"Código"}'))
    assert isinstance(outcome, Arrived)
    assert outcome.status == 204
    assert outcome.ms >= 0
    assert there.request_lines == ["POST /dlr?x=1 HTTP/1.1"]
    assert there.bodies == ['{"text":"Código"}'.encode()]
    assert there.header("Content-Type") == "application/json"
    assert there.header("Host") == there.url.removeprefix("http://")


async def test_what_is_no_unicode_is_sent_as_question_marks(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(there.url, "a\ud800\N{GRINNING FACE}"))
    assert there.bodies == ["a?\N{GRINNING FACE}".encode()]


async def test_a_get_has_no_body(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(f"{there.url}/dlr?ID=m1", None, method="GET"))
    assert there.request_lines == ["GET /dlr?ID=m1 HTTP/1.1"]
    assert there.bodies == [b""]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a/b",
        "/a%2Fb?c=%2B1&d=a%20b&e=a+b",
        "/%7Euser/%41?x=%3D%26",
        "/?token=a%2Fb==&empty=",
        "/a/../b",
        "/a;b=c?d:e@f",
    ],
)
async def test_the_url_is_asked_for_as_it_is_written(carrier: HttpCarrier, target: str) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(f"{there.url}{target}"))
    assert there.request_lines == [f"POST {target} HTTP/1.1"]


async def test_other_characters_of_a_url_are_percent_encoded(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(f"{there.url}/ñ?é=ü"))
    assert there.request_lines == ["POST /%C3%B1?%C3%A9=%C3%BC HTTP/1.1"]


async def test_a_url_without_a_path_asks_for_the_root(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(there.url))
    assert there.request_lines == ["POST / HTTP/1.1"]


async def test_credentials_in_a_url_become_basic_authentication(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(there.url.replace("//", "//me:pass@") + "/"))
    assert there.header("Authorization") == "Basic bWU6cGFzcw=="


async def test_the_same_parcel_is_sent_alike_each_time(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        for _ in range(3):
            await carrier.carry(parcel(f"{there.url}/dlr"))
    assert len(set(there.heads)) == len(set(there.bodies)) == 1
    assert there.connections == 1


# -- what comes back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 404, 429, 500, 503, 599])
async def test_a_status_is_handed_back_unjudged(carrier: HttpCarrier, status: int) -> None:
    async with receiver(b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % status) as there:
        outcome = await carrier.carry(parcel(there.url))
    assert isinstance(outcome, Arrived)
    assert outcome.status == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(carrier: HttpCarrier, status: int) -> None:
    async with receiver() as target:
        answer = b"HTTP/1.1 %d Moved\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % (
            status,
            target.url.encode(),
        )
        async with receiver(answer) as there:
            outcome = await carrier.carry(parcel(there.url))
    assert isinstance(outcome, Arrived)
    assert outcome.status == status
    assert target.connections == 0


async def test_a_redirect_to_a_refused_address_is_not_even_looked_at(
    carrier: HttpCarrier, connected: list[str]
) -> None:
    async with receiver(MOVED % b"http://169.254.169.254/latest/meta-data/") as there:
        outcome = await carrier.carry(parcel(there.url))
    assert isinstance(outcome, Arrived)
    assert connected == ["127.0.0.1"]


async def test_proxy_variables_are_ignored(carrier: HttpCarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as there:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        await carrier.carry(parcel(f"{there.url}/dlr"))
    assert proxy.connections == 0
    assert there.request_lines == ["POST /dlr HTTP/1.1"]


async def test_cookies_are_not_kept(carrier: HttpCarrier) -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n") as there:
        for _ in range(2):
            await carrier.carry(parcel(there.url))
    assert there.header("Cookie") is None


async def test_an_answer_of_any_length_is_an_answer(carrier: HttpCarrier) -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 3_000_000) as there:
        for _ in range(2):
            outcome = await carrier.carry(parcel(there.url))
            assert isinstance(outcome, Arrived)
    assert there.connections == 2


async def test_no_answer_in_time(carrier: HttpCarrier) -> None:
    async with receiver(None) as there:
        outcome = await carrier.carry(parcel(there.url, timeout_s=0.05))
    assert isinstance(outcome, Lost)
    assert outcome.why == "no answer within 0.05 s"
    assert outcome.ms >= 50


async def test_an_answer_that_does_not_end_its_head_in_time(carrier: HttpCarrier) -> None:
    async with receiver(b"HTTP/1.1 200 OK\r\n") as there:
        assert why(await carrier.carry(parcel(there.url, timeout_s=0.05))) == "no answer within 0.05 s"


async def test_nobody_listens(carrier: HttpCarrier) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = await carrier.carry(parcel(f"http://127.0.0.1:{unused.getsockname()[1]}/"))
    assert isinstance(outcome, Lost)
    assert outcome.why == "Connection refused"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"\x00" * 100,
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz",
    ],
)
async def test_what_is_no_whole_answer_is_lost_with_a_reason(carrier: HttpCarrier, answer: bytes) -> None:
    async with receiver(answer, closes=True) as there:
        outcome = await carrier.carry(parcel(there.url))
    assert isinstance(outcome, Lost)
    assert outcome.why
    assert outcome.why.isascii()
    assert outcome.why.isprintable()
    assert len(outcome.why) <= 200


@pytest.mark.parametrize(
    ("answer", "objection"),
    [
        (b"hello\r\n\r\n", "Bad status line: Expected HTTP/"),
        (b"HTTP/2 200 OK\r\n\r\n", "Bad status line: Expected dot:"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "Invalid character in Content-Length:"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, "Too many headers received"),
    ],
)
async def test_what_is_no_http_is_said_in_one_line_and_not_taken_for_a_status(
    carrier: HttpCarrier, answer: bytes, objection: str
) -> None:
    async with receiver(answer, closes=True) as there:
        reason = why(await carrier.carry(parcel(there.url)))
    assert reason.startswith(f"the answer cannot be read as HTTP: {objection}")
    assert "400" not in reason
    assert "U+000A" not in reason


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_parcel_is_sent_once_even_where_the_connection_breaks(
    carrier: HttpCarrier, method: str
) -> None:
    async with receiver(b"", closes=True) as there:
        assert isinstance(await carrier.carry(parcel(there.url, None, method=method)), Lost)
    assert len(there.heads) == there.connections == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://exa mple.test/",
        "http://a..b.test/",
        "http://%41.test/",
        "http://" + "a" * 300 + ".test/",
        "http://xn--a.test/",
        "ftp://127.0.0.1/",
    ],
)
async def test_a_url_that_leads_nowhere_is_lost(
    carrier: HttpCarrier, names: dict[str, list[str]], connected: list[str], url: str
) -> None:
    assert not names
    assert isinstance(await carrier.carry(parcel(url)), Lost)
    assert connected == []


async def test_a_name_that_nobody_knows_is_lost(carrier: HttpCarrier, names: dict[str, list[str]]) -> None:
    assert not names
    outcome = await carrier.carry(parcel("http://nowhere.test/"))
    assert isinstance(outcome, Lost)
    assert outcome.why == "Name or service not known"


# -- the guard ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "8.8.8.8",
        "100.100.100.200",
        "[::ffff:169.254.169.254]",
        "[::ffff:8.8.8.8]",
        "[fe80::1]",
        "[2001:4860:4860::8888]",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
    ],
)
async def test_refused_addresses_are_not_connected_to(
    carrier: HttpCarrier, connected: list[str], host: str
) -> None:
    outcome = await carrier.carry(parcel(f"http://{host}:9/"))
    assert isinstance(outcome, HeldBack)
    assert host.strip("[]").rpartition("ffff:")[2] in outcome.why or "64:ff9b" in host
    assert connected == []


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"])
async def test_other_spellings_of_a_refused_address(
    carrier: HttpCarrier, connected: list[str], host: str
) -> None:
    """The client library takes them for broken names, and a resolver would take them for the address."""
    assert not isinstance(await carrier.carry(parcel(f"http://{host}/")), Arrived)
    assert connected == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (
            "169.254.169.254",
            "evil.test (169.254.169.254) is a link-local or cloud metadata address: reports never go there",
        ),
        (
            "93.184.215.14",
            (
                "evil.test (93.184.215.14) is not a loopback or private address: "
                "allow it with --allow-callback evil.test"
            ),
        ),
        (
            "2606:2800:21f::1",
            (
                "evil.test (2606:2800:21f::1) is not a loopback or private address: "
                "allow it with --allow-callback evil.test"
            ),
        ),
        (
            "::ffff:169.254.169.254",
            "evil.test (169.254.169.254) is a link-local or cloud metadata address: reports never go there",
        ),
    ],
)
async def test_a_name_cannot_slip_past_the_guard(
    carrier: HttpCarrier, names: dict[str, list[str]], connected: list[str], address: str, reason: str
) -> None:
    names["evil.test"] = [address]
    assert await carrier.carry(parcel("http://evil.test/latest/")) == HeldBack(reason)
    assert connected == []


@pytest.mark.parametrize("allowed", [("evil.test",), ("public",), ("169.254.169.254",)])
async def test_no_allowance_opens_the_way_to_metadata(
    carrier: HttpCarrier, names: dict[str, list[str]], connected: list[str], allowed: tuple[str, ...]
) -> None:
    names["evil.test"] = ["169.254.169.254"]
    outcome = await carrier.carry(parcel("http://evil.test/", allowed=allowed))
    assert isinstance(outcome, HeldBack)
    assert connected == []


async def test_of_several_addresses_only_those_that_may_be_reached_are_tried(
    carrier: HttpCarrier, names: dict[str, list[str]], connected: list[str]
) -> None:
    names["both.test"] = ["169.254.169.254", "93.184.215.14", "127.0.0.1"]
    async with receiver() as there:
        outcome = await carrier.carry(parcel(there.url.replace("127.0.0.1", "both.test")))
    assert isinstance(outcome, Arrived)
    assert set(connected) == {"127.0.0.1"}


async def test_a_name_is_looked_up_anew_for_each_attempt(
    carrier: HttpCarrier, names: dict[str, list[str]], connected: list[str]
) -> None:
    """A name that led somewhere harmless the first time is judged again the second time."""
    names["rebound.test"] = ["127.0.0.1"]
    async with receiver(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") as there:
        url = there.url.replace("127.0.0.1", "rebound.test")
        assert isinstance(await carrier.carry(parcel(url)), Arrived)
        names["rebound.test"] = ["169.254.169.254"]
        assert isinstance(await carrier.carry(parcel(url)), HeldBack)
    assert connected == ["127.0.0.1"]


async def test_an_allowed_public_address_is_tried(
    carrier: HttpCarrier, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes there: the connection is broken off where it would begin."""
    tried = []

    async def sock_connect(_: socket.socket, address: Any) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    names["example.test"] = ["93.184.215.14"]
    outcomes = [
        await carrier.carry(parcel("http://example.test/", allowed=allowed))
        for allowed in ((), ("example.test",), ("public",), ("other.test",))
    ]
    assert [type(outcome) for outcome in outcomes] == [HeldBack, Lost, Lost, HeldBack]
    assert tried == ["93.184.215.14"] * 2


async def test_parcels_carried_at_once_have_each_their_own_guard(
    carrier: HttpCarrier, names: dict[str, list[str]]
) -> None:
    names["evil.test"] = ["169.254.169.254"]
    async with receiver() as there:
        outcomes = await asyncio.gather(
            *(carrier.carry(parcel(url)) for url in ["http://evil.test/", there.url] * 10)
        )
    assert [type(outcome) for outcome in outcomes] == [HeldBack, Arrived] * 10


# -- connections that are kept ----------------------------------------------------------------------------


@pytest.fixture
async def public(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> None:
    """Let public.test have a public address, and lead every connection there to 127.0.0.1 instead."""
    names["public.test"] = ["93.184.215.14"]
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        await connect(sock, ("127.0.0.1", address[1]))

    monkeypatch.setattr(loop, "sock_connect", sock_connect)


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("allowed", [("public.test",), ("public",), ("93.184.215.14",)])
async def test_a_connection_is_not_lent_to_a_parcel_that_may_not_go_there(
    carrier: HttpCarrier, allowed: tuple[str, ...]
) -> None:
    async with receiver() as there:
        url = there.url.replace("127.0.0.1", "public.test")
        assert isinstance(await carrier.carry(parcel(url, allowed=allowed)), Arrived)
        for others in ((), ("other.test",)):
            assert isinstance(await carrier.carry(parcel(url, allowed=others)), HeldBack)
        assert isinstance(await carrier.carry(parcel(url, allowed=allowed)), Arrived)
    assert (there.connections, len(there.heads)) == (1, 2)


async def test_parcels_that_allow_the_same_hosts_share_their_connections(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        for allowed in (("a.test", "b.test"), ("b.test", "a.test"), ("a.test", "b.test", "a.test")):
            await carrier.carry(parcel(there.url, allowed=allowed))
    assert there.connections == 1


async def test_the_connections_that_went_unused_longest_are_given_up(
    carrier: HttpCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_module, "POOLS_KEPT", 2)
    connections = []
    async with receiver() as there:
        for allowed in ("a", "b", "a", "c", "a", "b"):
            await carrier.carry(parcel(there.url, allowed=(allowed,)))
            connections.append(there.connections)
    assert connections == [1, 2, 2, 3, 3, 4]


async def test_a_connection_in_use_is_not_given_up(
    carrier: HttpCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_module, "POOLS_KEPT", 1)
    async with receiver(None) as slow, receiver() as quick:
        waiting = asyncio.create_task(carrier.carry(parcel(slow.url, allowed=("a",))))
        while not slow.heads:
            await asyncio.wait({waiting}, timeout=0.001)
        for allowed in ("b", "c"):
            assert isinstance(await carrier.carry(parcel(quick.url, allowed=(allowed,))), Arrived)
        assert not waiting.done()
        waiting.cancel()


async def test_an_idle_connection_is_given_up_before_its_receiver_does_so(
    carrier: HttpCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carrier_module.KEPT_S < 5
    monkeypatch.setattr(carrier_module, "KEPT_S", 0.0)
    async with receiver() as there:
        for _ in range(2):
            assert isinstance(await carrier.carry(parcel(there.url)), Arrived)
    assert there.connections == 2


# -- the end ------------------------------------------------------------------------------------------


async def test_a_carrier_can_be_closed_while_it_opens() -> None:
    carrier = HttpCarrier()
    async with receiver() as there:
        carrying = asyncio.create_task(carrier.carry(parcel(there.url)))
        await asyncio.wait({carrying}, timeout=0)
        await carrier.close()
        assert not isinstance(await carrying, HeldBack)
    await carrier.close()


async def test_a_carrier_that_carried_nothing_can_be_closed() -> None:
    await HttpCarrier().close()


async def test_a_closed_carrier_opens_again(carrier: HttpCarrier) -> None:
    async with receiver() as there:
        await carrier.carry(parcel(there.url))
        await carrier.close()
        assert isinstance(await carrier.carry(parcel(there.url)), Arrived)
