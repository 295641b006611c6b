"""Answers that a rule words, delays or breaks: by socket where the connection breaks, else through ASGI."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from http.client import BadStatusLine, HTTPConnection, IncompleteRead
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import httpx
import pytest
from starlette.types import Message, Scope

from sandbox import timelines
from sandbox.app import create_app
from sandbox.carrier import Lost
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.connection import Connection
from sandbox.core.match import Exact, When
from sandbox.core.scenario import Fault, Fixed, Respond, Rule, Scenario, Step, Uniform
from sandbox.serving import serving
from sandbox.web import faults
from sandbox.web.faults import GARBAGE, LONGEST_HANG_S, Line
from sandbox.web.send import PATHS
from tests.served import FakeTransport, Heard, Served, heard, request_octets, served, slam
from tests.worlds import NOON, REPORTED, VALID, FakeCarrier, turns, world

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REPORTED_FIRST = (replace(Step(NOON - NOON, "delivered"), before_answer=True),)


def scenario(
    respond: Respond | None = None, *, submit: bool = False, timeline: tuple[Step, ...] | None = None
) -> Scenario:
    """Return a scenario whose only rule is for every request."""
    return Scenario("test", rules=(Rule("all", When(), respond, submit=submit, timeline=timeline),))


def answered(respond: Respond, *, submit: bool = False) -> tuple[int, dict[str, str], str]:
    """Return the status, headers and body of an answer."""
    with served(scenario(respond, submit=submit)) as sandbox:
        reply = sandbox.call(VALID)
    return reply.status, reply.headers, reply.body


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no real time pass over an answer, and return how many seconds were to."""
    seconds: list[float] = []

    async def pass_at_once(pause_s: float, unless: Awaitable[object]) -> bool:
        asyncio.ensure_future(unless).cancel()
        seconds.append(pause_s)
        return True

    monkeypatch.setattr(faults, "real_pause", pass_at_once)
    return seconds


@asynccontextmanager
async def client(
    scenario: Scenario, carrier: FakeCarrier | None = None, *, has_sandbox_headers: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        Config(has_sandbox_headers=has_sandbox_headers),
        scenario=scenario,
        clock=VirtualClock(NOON),
        carrier=carrier or FakeCarrier(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sandbox.test"
    ) as session:
        yield session


# -- another answer --------------------------------------------------------------------------------


def test_an_answer_of_the_rule_s_own() -> None:
    status, headers, body = answered(Respond(status=418, headers={"X-Pot": "tea"}, body="{{ to }}: ünfit"))
    assert (status, body) == (418, "+1222333444: ünfit")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == "19"
    assert headers["x-pot"] == "tea"
    assert headers["x-sandbox-error"] == "rule all of scenario test answers HTTP 418"


def test_a_rule_s_headers_stand_in_place_of_the_sandbox_s() -> None:
    own = {"content-TYPE": "text/css", "Allow": "BREW", "X-Sandbox-Error": "none"}
    with served(scenario(Respond(status=405, headers=own))) as sandbox:
        lines = sandbox.call(VALID).head.split("\r\n")
    for line in ("content-type: text/css", "allow: BREW", "x-sandbox-error: none"):
        name = line.partition(":")[0]
        assert [found for found in lines if found.startswith(f"{name}:")] == [line]


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_no_length(status: int) -> None:
    found, headers, body = answered(Respond(status=status))
    assert (found, body) == (status, "")
    assert not {"content-length", "transfer-encoding"} & headers.keys()


@pytest.mark.parametrize(
    ("submit", "body"), [(True, "OK_1000001"), (False, "OK_")], ids=["accepted", "not accepted"]
)
def test_a_body_may_hold_the_message_s_transaction_id(*, submit: bool, body: str) -> None:
    respond = Respond(status=200, body="OK_{{ transactionId }}")
    assert answered(respond, submit=submit)[2] == body


async def test_the_sandbox_s_headers_can_be_turned_off_there_too() -> None:
    async with client(scenario(Respond(status=500)), has_sandbox_headers=False) as session:
        answer = await session.get(PATHS[0], params=VALID)
    assert answer.status_code == 500
    assert not [name for name in answer.headers if name.startswith("x-sandbox")]


# -- delays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("respond", "status", "body"),
    [
        (Respond(delay=Fixed(0.25)), 200, "OK_1000001"),
        (Respond(error=7, delay=Fixed(0.25)), 200, "ERROR_7"),
        (Respond(status=503, body="no", delay=Fixed(0.25)), 503, "no"),
        (Respond(fault=Fault.EMPTY, delay=Fixed(0.25)), 200, ""),
    ],
)
async def test_any_answer_may_be_late(respond: Respond, status: int, body: str, pauses: list[float]) -> None:
    async with client(scenario(respond, submit=True)) as session:
        answer = await session.get(PATHS[0], params=VALID)
    assert (answer.status_code, answer.text, pauses) == (status, body, [0.25])


async def test_delays_are_drawn_for_each_request_and_again_on_a_replay(pauses: list[float]) -> None:
    late = scenario(Respond(delay=Uniform(1, 3)), submit=True)
    for _ in range(2):
        async with client(late) as session:
            for _ in range(3):
                await session.get(PATHS[0], params=VALID)
    assert pauses[:3] == pauses[3:]
    assert len(set(pauses)) == 3
    assert all(1 <= pause_s < 3 for pause_s in pauses)


async def test_a_delay_ends_when_the_client_leaves() -> None:
    called = Called(scenario(Respond(delay=Fixed(3600)), submit=True))
    await called.under_way()
    called.leave()
    await called.task
    assert called.sent == []


# -- broken connections, as the application breaks them --------------------------------------------


class FakeConnection:
    """Keeps what is done with it; what ends it ends the request too."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self.done: list[str | bytes] = []
        self.on_stop: Callable[[], None] | None = None
        self._leave = leave

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")
        self._leave()

    def reset(self) -> None:
        self.done.append("reset")
        self._leave()

    def leave_unanswered(self) -> None:
        self.done.append("leave unanswered")


class Called:
    """A call of the application that is under way, its client and its connection."""

    def __init__(self, scenario: Scenario) -> None:
        self.sent: list[Message] = []
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.connection = FakeConnection(self.leave)
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": PATHS[0],
            "query_string": urlencode(VALID).encode(),
            "headers": [],
            "extensions": {"panelsms.connection": self.connection},
        }
        app = create_app(scenario=scenario, clock=VirtualClock(NOON), carrier=FakeCarrier())
        self._inbox.put_nowait({"type": "http.request"})
        self.task = asyncio.ensure_future(app(scope, self._inbox.get, self._send))

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def under_way(self) -> None:
        """Let the call go on as far as it can, which is not to its end."""
        await turns()
        assert not self.task.done()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (Fault.RESET, ["reset"]),
        (Fault.TRUNCATE, ["close"]),
        (Fault.GARBAGE, [GARBAGE, "close"]),
        (Fault.HANG, ["leave unanswered", "close"]),
    ],
)
async def test_what_each_fault_does_to_the_connection(
    fault: Fault, done: list[str | bytes], pauses: list[float]
) -> None:
    called = Called(scenario(Respond(fault=fault)))
    await called.task
    assert called.connection.done == done
    assert called.body == (b"OK_10" if fault is Fault.TRUNCATE else b"")
    assert pauses == ([LONGEST_HANG_S] if fault is Fault.HANG else [])


async def test_a_drip_is_a_byte_at_a_time(pauses: list[float]) -> None:
    called = Called(scenario(Respond(fault=Fault.DRIP), submit=True))
    await called.task
    start, *pieces = called.sent
    assert start["status"] == 200
    assert [piece["body"] for piece in pieces] == [b"%c" % octet for octet in b"OK_1000001"]
    assert [piece.get("more_body", False) for piece in pieces] == [True] * 9 + [False]
    assert pauses == [1.0] * 9


async def test_a_drip_ends_when_the_client_leaves() -> None:
    called = Called(scenario(Respond(fault=Fault.DRIP)))
    await called.under_way()
    called.leave()
    await called.task
    assert called.body == b"O"


@pytest.mark.parametrize("fault", [Fault.TRUNCATE, Fault.DRIP])
@pytest.mark.parametrize("chosen", [{}, {"transactionId": "order_1"}])
async def test_an_answer_that_breaks_is_whole_in_the_record(fault: Fault, chosen: dict[str, str]) -> None:
    sandbox = world(scenario=scenario(Respond(fault=fault)))
    record = sandbox.send(VALID, **chosen)
    assert record.answer.body == f"OK_{chosen.get('transactionId', '1000001')}"
    assert record.message_number is None


@pytest.mark.parametrize("respond", [Respond(delay=Fixed(3600)), Respond(fault=Fault.HANG)])
async def test_a_server_that_stops_ends_the_connection_without_an_answer(respond: Respond) -> None:
    called = Called(scenario(respond, submit=True))
    await called.under_way()
    called.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await called.task
    assert called.connection.done[-1] == "close"
    assert called.sent == []


SLOW = [Respond(delay=Fixed(3600)), Respond(fault=Fault.DRIP), Respond(delay=Fixed(3600), fault=Fault.DRIP)]


@pytest.mark.parametrize("respond", SLOW)
async def test_an_answer_that_is_late_or_slow_is_finished_when_the_server_begins_to_stop(
    respond: Respond,
) -> None:
    called = Called(scenario(respond, submit=True))
    await called.under_way()
    assert called.connection.on_stop is not None
    called.connection.on_stop()
    await called.task
    assert called.body == b"OK_1000001"


@pytest.mark.parametrize("respond", SLOW)
def test_an_answer_that_is_finished_at_the_stop_reaches_its_client(respond: Respond) -> None:
    app = create_app(scenario=scenario(respond, submit=True))
    with serving(app, grace_s=60) as url:
        connection = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=30)
        connection.sendall(request_octets(VALID, keeps_alive=True))
        with urlopen(f"{url}{PATHS[0]}", timeout=30) as refused:
            assert refused.read() == b"ERROR_1"
    with connection:
        assert heard(connection).octets.endswith(b"\r\n\r\nOK_1000001")


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATE, Fault.GARBAGE, Fault.HANG])
async def test_without_a_socket_there_is_no_connection_to_break(fault: Fault) -> None:
    async with client(scenario(Respond(fault=fault))) as session:
        with pytest.raises(ConnectionResetError, match=rf"breaks the connection \({fault}\)"):
            await session.get(PATHS[0], params=VALID)


@pytest.mark.parametrize(("fault", "body"), [(Fault.EMPTY, ""), (Fault.DRIP, "OK_1000001")])
async def test_what_leaves_the_connection_whole_needs_no_socket(
    fault: Fault, body: str, pauses: list[float]
) -> None:
    async with client(scenario(Respond(fault=fault))) as session:
        answer = await session.get(PATHS[0], params=VALID)
    assert (answer.status_code, answer.text) == (200, body)
    assert len(pauses) == max(len(body) - 1, 0)


async def test_a_client_that_stops_waiting_without_a_socket_is_let_go() -> None:
    async with client(scenario(Respond(delay=Fixed(3600)), submit=True)) as session:
        waiting = asyncio.ensure_future(session.get(PATHS[0], params=VALID))
        await turns()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


# -- reports before the answer ---------------------------------------------------------------------


@asynccontextmanager
async def answering(carrier: FakeCarrier, *steps: Step) -> AsyncIterator[asyncio.Future[httpx.Response]]:
    async with client(scenario(timeline=steps or REPORTED_FIRST, submit=True), carrier) as session:
        yield asyncio.ensure_future(session.get(PATHS[0], params=REPORTED))


async def test_the_answer_waits_for_the_report_to_arrive() -> None:
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with answering(carrier) as answer:
        await turns()
        assert (len(carrier.parcels), answer.done()) == (1, False)
        carrier.let_go("127.0.0.1")
        assert (await answer).text == "OK_1000001"


@pytest.mark.parametrize("repeat", [1, 3])
async def test_the_answer_waits_for_no_more_than_a_failed_attempt(repeat: int) -> None:
    carrier = FakeCarrier(lambda _: Lost("connection refused"))
    async with answering(carrier, replace(REPORTED_FIRST[0], repeat=repeat)) as answer:
        assert (await answer).text == "OK_1000001"
    assert len(carrier.parcels) == 1


async def test_the_answer_waits_for_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timelines.REPORTED_WITHIN_S == 2
    monkeypatch.setattr(timelines, "REPORTED_WITHIN_S", 0)
    carrier = FakeCarrier()
    carrier.hold("127.0.0.1")
    async with answering(carrier) as answer:
        assert (await answer).text == "OK_1000001"
        carrier.let_go("127.0.0.1")


async def test_the_answer_waits_for_each_of_several_reports() -> None:
    carrier = FakeCarrier()
    accepted = replace(REPORTED_FIRST[0], status="accepted")
    async with answering(carrier, accepted, *REPORTED_FIRST) as answer:
        await answer
    assert [json.loads(body or "")["status"] for body in carrier.bodies] == ["accepted", "delivered"]


async def test_without_a_report_nothing_is_waited_for() -> None:
    async with client(scenario(timeline=REPORTED_FIRST, submit=True)) as session:
        assert (await session.get(PATHS[0], params=VALID)).text == "OK_1000001"


# -- broken connections, as a client meets them ----------------------------------------------------


@pytest.fixture(scope="module")
def hostile() -> Iterator[Served]:
    """Serve a scenario in which a sender called after a fault has it, and any other gets an answer."""
    rules = [
        Rule(fault, When(texts=(("senderId", Exact(fault)),)), Respond(fault=fault), submit=False)
        for fault in Fault
    ]
    with served(Scenario("test", rules=tuple(rules))) as sandbox:
        yield sandbox


def of(sender: str) -> dict[str, str]:
    return {**VALID, "senderId": sender}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reset", ConnectionResetError),
        ("truncate", IncompleteRead),
        ("garbage", BadStatusLine),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_what_a_client_makes_of_it(
    hostile: Served, fault: str, error: type[Exception], *, is_first: bool
) -> None:
    connection = HTTPConnection(*hostile.address, timeout=10)
    try:
        if not is_first:
            connection.request("GET", f"{PATHS[0]}?{urlencode(VALID)}")
            assert connection.getresponse().read().startswith(b"OK_")
        connection.request("POST", PATHS[0], urlencode(of(fault)), FORM)
        with pytest.raises(error):
            connection.getresponse().read()
    finally:
        connection.close()


def test_garbage_is_all_that_is_heard(hostile: Served) -> None:
    assert hostile.call(of("garbage")) == Heard(GARBAGE)


@pytest.mark.parametrize("fault", ["empty", "drip"])
def test_a_connection_that_is_not_broken_goes_on(hostile: Served, fault: str, pauses: list[float]) -> None:
    connection = HTTPConnection(*hostile.address, timeout=10)
    try:
        for sender, body in ((fault, b"" if fault == "empty" else b"OK_"), ("", b"OK_")):
            connection.request("GET", f"{PATHS[0]}?{urlencode(of(sender))}")
            assert connection.getresponse().read().startswith(body)
    finally:
        connection.close()
    assert len(set(pauses)) == (fault == "drip")


@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_hang_ends_when_the_client_closes_its_side(hostile: Served, *, is_at_once: bool) -> None:
    with hostile.connect() as connection:
        connection.sendall(request_octets(of("hang"), keeps_alive=True))
        if not is_at_once:
            hostile.call(VALID)
        connection.shutdown(socket.SHUT_WR)
        assert heard(connection) == Heard(b"")


@pytest.mark.parametrize("is_half_closed", [True, False])
async def test_what_gets_no_answer_ends_with_a_client_that_has_closed_its_side(
    *, is_half_closed: bool
) -> None:
    transport = FakeTransport()
    connection = Connection(transport)
    if is_half_closed:
        connection.half_close()
    connection.leave_unanswered()
    assert transport.is_closed == is_half_closed


async def test_what_is_written_in_one_turn_is_sent_together_and_nothing_after_the_end() -> None:
    transport = FakeTransport()
    connection = Connection(transport)
    connection.write(b"a")
    connection.write(b"b")
    await turns()
    connection.write(b"c")
    connection.close()
    connection.write(b"d")
    await turns()
    assert transport.written == [b"ab", b"c"]


@pytest.mark.parametrize(
    ("respond", "begins"),
    [(Respond(fault=Fault.HANG), b""), (Respond(delay=Fixed(3600)), b"HTTP/1.1 200 OK\r\n")],
)
def test_a_server_that_stops_does_not_wait_for_ever(
    respond: Respond, begins: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A hang ends when the server begins to stop, and what is late comes: without grace, too."""
    cut_short: list[Line] = []
    monkeypatch.setattr(Line, "give_up", cut_short.append)
    with ExitStack() as stack:
        with served(scenario(respond)) as sandbox:
            connection = stack.enter_context(sandbox.connect())
            connection.sendall(request_octets(VALID, keeps_alive=True))
            sandbox.call({})
        octets = heard(connection).octets
        assert octets.startswith(begins)
        assert bool(octets) == bool(begins)
    assert cut_short == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("fault", ["reset", "truncate", "garbage", "empty"])
def test_nothing_is_said_of_it_where_the_log_goes(
    hostile: Served, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hostile.call(of(fault))
    hostile.call(VALID)
    with hostile.connect() as connection:
        connection.sendall(b"no HTTP at all\r\n\r\n")
        assert heard(connection).status == 400
    assert capfd.readouterr().err == ""


def test_a_client_that_is_gone_when_its_answer_comes_disturbs_nobody(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with served() as sandbox:
        for _ in range(20):
            connection = sandbox.connect()
            connection.sendall(request_octets(VALID, keeps_alive=True))
            slam(connection)
        assert sandbox.call(VALID).status == 200
    assert capfd.readouterr().err == ""


# -- what is answered while it is read ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 2, 70_000])
def test_a_body_makes_no_difference_to_a_get_however_long_it_is(size: int) -> None:
    head = request_octets(VALID).replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % size)
    with served() as sandbox, sandbox.connect() as connection:
        connection.sendall(head + b"x" * size)
        answer = heard(connection)
    assert (answer.status, answer.body) == (200, "OK_1000001")
    assert "x-sandbox-hint" not in {name.lower() for name in answer.headers}
