"""Server-sent events: what is told, how often, and that a stream ends when it must. On real sockets."""

import asyncio
import http.client
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.feed import Kind
from sandbox.serving import serving
from sandbox.sources import written
from sandbox.web.control import events
from sandbox.web.control.events import Broadcast
from tests.command_line import serve
from tests.served import TIMEOUT_S, Served, served
from tests.worlds import NOON, REPORTED, VALID, FakeCarrier, get, turns

AT_ONCE = written("name: at-once\ndefault: {dlr: [{status: delivered}]}").scenario


@dataclass
class Stream:
    """An open stream, read line by line."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse

    def line(self) -> str:
        """Return the next line; empty at the end of the stream, or of an event."""
        return self.answer.readline().decode()

    def event(self) -> tuple[str, Any]:
        """Return the next event."""
        name, data, blank = (self.line() for _ in range(3))
        assert name.startswith("event: "), name
        assert data.startswith("data: ")
        assert blank == "\n"
        return name.removeprefix("event: ").strip(), json.loads(data.removeprefix("data: "))

    def about(self, kind: str) -> Any:
        """Return the next event of a kind, whatever comes before it."""
        while True:
            found, data = self.event()
            if found == kind:
                return data

    def kinds(self, count: int) -> list[str]:
        return [self.event()[0] for _ in range(count)]


@contextmanager
def listening(address: tuple[str, int], base: str = "") -> Iterator[Stream]:
    """Open a stream that is being told of everything from here on."""
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    connection.request("GET", f"{base}/_sandbox/events")
    stream = Stream(connection, connection.getresponse())
    assert (stream.line(), stream.line()) == ("retry: 1000\n", "\n")
    yield stream
    connection.close()


def asked(server: Served, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection(*server.address, timeout=TIMEOUT_S)
    connection.request(method, path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    shown = json.loads(answer.read())
    connection.close()
    assert answer.status < 300, shown
    return shown


def in_one_turn(server: Served, work: Callable[[], object]) -> None:
    """Do something in the server's loop, so that nothing is told before all of it has been done."""

    async def do() -> None:
        work()

    asyncio.run_coroutine_threadsafe(do(), server.loop).result(TIMEOUT_S)


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as server:
        server.call(VALID)  # so that its loop is known
        server.start_afresh()
        yield server


@pytest.fixture
def stream(server: Served) -> Iterator[Stream]:
    with listening(server.address) as stream:
        yield stream


def test_a_stream_is_told_as_one(stream: Stream) -> None:
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.answer.headers["Cache-Control"] == "no-store"


def test_a_message_and_its_request_are_told_as_the_lists_show_them(server: Served, stream: Stream) -> None:
    server.call({**VALID, "message": "two\nlines, 1 €, apart", "dcs": "8"})
    told = dict(stream.event() for _ in range(2))
    assert told["message"] == asked(server, "GET", "/_sandbox/messages")["messages"][0]
    assert told["request"] == asked(server, "GET", "/_sandbox/requests")["requests"][0]


def test_a_refused_request_is_told_too(server: Served, stream: Stream) -> None:
    server.call({**VALID, "to": "recipient"})
    kind, record = stream.event()
    assert (kind, record["id"], record["error"]) == ("request", "r1", 5)


def test_a_report_is_told_and_what_became_of_its_message(server: Served, stream: Stream) -> None:
    server.call(REPORTED)
    stream.about("request")
    server.advance(1)
    told: dict[str, Any] = {}
    while "clock" not in told or told.get("callback", {}).get("state") != "delivered":
        kind, record = stream.event()
        told[kind] = record
    assert told["message"]["status"] == "delivered"
    assert told["callback"] == asked(server, "GET", "/_sandbox/callbacks")["callbacks"][0]
    assert told["clock"]["now"] == "2024-01-15T12:00:01Z"


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("POST", "clock/advance", {"by": 60}, "clock"),
        ("PUT", "clock", {"mode": "x60"}, "clock"),
        ("PUT", "scenario", {"name": "happy-path"}, "scenario"),
        ("POST", "rules", {"name": "mine", "respond": {"error": 7}}, "scenario"),
        ("POST", "reset", None, "scenario"),
        ("POST", "reset", None, "clock"),
        ("DELETE", "messages", None, "clock"),
    ],
)
def test_the_clock_and_the_scenario_are_told(
    server: Served, stream: Stream, method: str, path: str, body: Any, kind: str
) -> None:
    asked(server, method, f"/_sandbox/{path}", body)
    now = asked(server, "GET", f"/_sandbox/{kind}")
    told = stream.about(kind)
    assert told.keys() == now.keys() - {"yaml"}
    assert told["mode" if kind == "clock" else "rules"] == now["mode" if kind == "clock" else "rules"]


def test_a_replay_and_a_report_by_hand_are_told(server: Served, stream: Stream) -> None:
    server.call(REPORTED)
    asked(server, "POST", "/_sandbox/messages/m1/reports", {"status": "read"})
    while stream.about("callback")["state"] != "delivered":
        pass
    asked(server, "POST", "/_sandbox/callbacks/c1/replay")
    while len(stream.about("callback")["attempts"]) != 2:
        pass


def test_what_changes_twice_between_two_tellings_is_told_once_as_it_is_then() -> None:
    with served(AT_ONCE) as server:
        server.call(VALID)
        server.start_afresh()

        def come_and_be_delivered() -> None:
            for _ in range(2):
                server.engine.handle(get(VALID))
            server.engine.agenda.run_due()

        with listening(server.address) as stream:
            in_one_turn(server, come_and_be_delivered)
            told = [stream.event() for _ in range(4)]
            server.call({**VALID, "to": "x"})
            assert stream.about("request")["id"] == "r3"
    assert [(kind, record["id"], record["status"]) for kind, record in told] == [
        ("message", "m1", "delivered"),
        ("request", "r1", 200),
        ("message", "m2", "delivered"),
        ("request", "r2", 200),
    ]


def test_what_is_gone_by_then_is_not_told(server: Served, stream: Stream) -> None:
    def come_and_go() -> None:
        server.engine.handle(get(VALID))
        server.engine.store.clear()

    in_one_turn(server, come_and_go)
    server.call({**VALID, "to": "x"})
    assert stream.event()[1]["id"] == "r2"


def test_under_load_the_newest_are_told_and_how_many_were_left_out(server: Served, stream: Stream) -> None:
    def come_in_crowds() -> None:
        for _ in range(800):
            server.engine.handle(get(VALID))

    in_one_turn(server, come_in_crowds)
    told = [stream.event() for _ in range(events.MOST_RECORDS + 1)]
    assert told[-1] == ("more", {"leftOut": 600})
    assert [record["id"] for kind, record in told[:-1] if kind == "message"][-1] == "m800"
    server.call({**VALID, "to": "x"})
    assert stream.event()[1]["id"] == "r801"


def test_everybody_who_listens_is_told_the_same(server: Served) -> None:
    with listening(server.address) as one, listening(server.address) as other:
        assert len(server.engine.feed.listeners) == 1
        server.call(VALID)
        assert one.event() == other.event()
        assert one.event() == other.event()


def test_one_who_leaves_does_not_disturb_the_others(server: Served, stream: Stream) -> None:
    with listening(server.address):
        pass
    for number in range(3):
        server.call({**VALID, "to": "x"})
        assert stream.about("request")["id"] == f"r{number + 1}"


def test_a_session_is_told_of_what_happens_in_it_alone(server: Served, stream: Stream) -> None:
    with listening(server.address, "/s/a") as in_a:
        asked(server, "POST", "/s/a/_sandbox/clock/advance", {"by": 1})
        assert in_a.event()[0] == "clock"
        server.call(VALID)
        assert stream.kinds(2) == ["message", "request"]


# -- how long it goes on -----------------------------------------------------------------------------


def test_silence_is_broken_by_a_comment(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.001)
    with listening(server.address) as stream:
        for _ in range(2):
            assert (stream.line(), stream.line()) == (": nothing has happened\n", "\n")


def test_a_stream_ends_with_its_session(server: Served) -> None:
    with listening(server.address, "/s/a") as stream:
        asked(server, "DELETE", "/s/a")
        assert stream.line() == ""


def test_a_session_that_somebody_listens_to_is_not_idle(server: Served) -> None:
    with listening(server.address, "/s/a"):
        (session,) = asked(server, "GET", "/_sandbox/sessions")["sessions"]
        assert session["name"] == "a"
        assert server.engine.feed.listeners == []


def test_streams_and_waits_end_well_when_the_server_stops() -> None:
    """Were they cut off, reading would fail; were they waited for, it would take the minute of grace."""
    running = ExitStack()
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    url = running.enter_context(serving(app, grace_s=60))
    host, port = url.removeprefix("http://").split(":")
    address = (host, int(port))
    waiting = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    waiting.request("GET", "/_sandbox/messages/wait?timeout=1h")
    with listening(address) as stream, listening(address, "/s/a") as in_a:
        running.close()
        assert (stream.line(), in_a.line()) == ("", "")
        assert waiting.getresponse().status == 409
    waiting.close()


def test_ctrl_c_ends_a_server_with_an_open_stream() -> None:
    with serve("--port", "0") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with listening((host, int(port))) as stream:
            assert server.stop(signal.SIGINT) == 0
            assert stream.line() == ""


# -- the broadcast itself ----------------------------------------------------------------------------


@pytest.mark.anyio
async def test_nobody_who_listens_costs_nothing() -> None:
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    session = app.state.sessions.own
    feed = session.engine.feed
    with Broadcast.of(session).line():
        with Broadcast.of(session).line():
            assert len(feed.listeners) == 1
        assert len(feed.listeners) == 1
    assert (feed.listeners, feed.at_end) == ([], [])


@pytest.mark.anyio
async def test_after_a_telling_there_is_a_rest_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    session = app.state.sessions.own
    feed = session.engine.feed
    with Broadcast.of(session).line() as line:
        assert await line.next() == b"retry: 1000\n\n"
        monkeypatch.setattr(events, "FLUSH_S", 3600)
        feed.tell(Kind.CLOCK)
        assert (await line.next()).startswith(b"event: clock")
        more = asyncio.create_task(line.next())
        for _ in range(10):
            feed.tell(Kind.CLOCK)
            await turns()
        assert not more.done()
        more.cancel()


@pytest.mark.anyio
async def test_what_happens_while_there_is_a_rest_is_told_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FLUSH_S", 0.001)
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    session = app.state.sessions.own
    with Broadcast.of(session).line() as line:
        await line.next()
        session.engine.feed.tell(Kind.CLOCK)
        await line.next()
        session.engine.feed.tell(Kind.SCENARIO)
        assert (await line.next()).startswith(b"event: scenario")


@pytest.mark.anyio
async def test_one_who_reads_too_slowly_loses_the_oldest_and_is_told_so() -> None:
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    with Broadcast.of(app.state.sessions.own).line() as line:
        for number in range(events.MOST_WAITING + 5):
            line.put(b"%d\n" % number)
        text = (await line.next()).decode()
    assert text.startswith('event: more\ndata: {"leftOut":null}\n\n')
    assert text.endswith(f"{events.MOST_WAITING + 4}\n")
    assert len(text) < 200


@pytest.mark.anyio
async def test_who_comes_after_the_end_is_sent_away() -> None:
    app = create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())
    session = app.state.sessions.own
    session.engine.feed.end()
    with Broadcast.of(session).line() as line:
        await line.next()
        assert await line.next() == b""
        session.engine.feed.tell(Kind.CLOCK)
        assert await line.next() == b""
