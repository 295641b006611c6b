"""Sessions: worlds of their own in one server, begun by their first use and ended by hand, by time or by number."""

import gc
import io
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint
from starlette.applications import Starlette

from sandbox.app import create_app
from sandbox.config import Config
from sandbox.core.model import Call
from sandbox.log import Log
from sandbox.sessions import Session, split_path
from sandbox.web.send import PATHS
from tests.worlds import NOON, REPORTED, VALID, FakeCarrier

pytestmark = pytest.mark.anyio


class Client(httpx.AsyncClient):
    """A client of one application."""

    async def submit(self, session: str | None = None, **parameters: str) -> str:
        base = "" if session is None else f"/s/{session}"
        return (await self.get(f"{base}/sendMtSms.php", params={**VALID, **parameters})).text

    async def control(self, session: str | None, method: str, path: str, body: Any = None) -> Any:
        base = "" if session is None else f"/s/{session}"
        answer = await self.request(method, f"{base}/_sandbox/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def total(self, session: str | None) -> int:
        total = (await self.control(session, "GET", "messages"))["total"]
        assert isinstance(total, int)
        return total


def application(carrier: FakeCarrier | None = None, *, log: Log | None = None, **options: Any) -> Starlette:
    config = Config(clock="virtual", start_at=NOON, **options)
    return create_app(config, carrier=carrier or FakeCarrier(), log=log)


@contextmanager
def talking_to(app: Starlette) -> Iterator[Client]:
    yield Client(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    with talking_to(application()) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("/s/a/sendMtSms.php", ("a", "/sendMtSms.php")),
        ("/s/Test-7_x.y/_sandbox/health", ("Test-7_x.y", "/_sandbox/health")),
        ("/s/a", ("a", "/")),
        ("/s/a/", ("a", "/")),
        ("/s/...a/x", ("...a", "/x")),
        (f"/s/{'n' * 64}/x", ("n" * 64, "/x")),
        *(
            (path, (None, path))
            for path in ("/sendMtSms.php", "/s", "/s/", "/s//x", "/s/./x", "/s/..", "/s/a b/x", "/s/é/x")
        ),
        (f"/s/{'n' * 65}/x", (None, f"/s/{'n' * 65}/x")),
        ("/s/a\n/x", (None, "/s/a\n/x")),
    ],
)
async def test_a_path_names_a_session_or_none(path: str, split: tuple[str | None, str]) -> None:
    assert split_path(path) == split


@pytest.mark.parametrize("name", ["%2E%2E", "a%20b", "n" * 65, "%C3%A9"])
async def test_what_is_no_name_is_not_found(client: Client, name: str) -> None:
    for path in ("sendMtSms.php", "_sandbox/health"):
        answer = await client.get(f"/s/{name}/{path}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
        assert (
            "the name of a session is 1 to 64 of A-Z a-z 0-9 . _ -, not only dots" in answer.json()["detail"]
        )


@pytest.mark.parametrize("path", ["sendMtSms.php", "httpinput/sendMtSms.php"])
async def test_a_client_is_told_of_a_name_that_is_none_though_it_has_no_token(path: str) -> None:
    with talking_to(application(admin_token="secret")) as client:
        answer = await client.get(f"/s/a%20b/{path}", params=VALID, headers={"Host": "sms.example.com"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


async def test_each_session_has_messages_ids_and_counters_of_its_own(client: Client) -> None:
    assert [await client.submit(name) for name in (None, "a", "a", "b")] == [
        "OK_1000001",
        "OK_1000001",
        "OK_1000002",
        "OK_1000001",
    ]
    assert [await client.total(name) for name in (None, "a", "b", "c")] == [1, 2, 1, 0]
    assert (await client.control("a", "GET", "messages/m2"))["transactionId"] == "1000002"


async def test_the_log_names_the_session_of_what_it_tells() -> None:
    stream = io.StringIO()
    log = Log(stream)
    with talking_to(application(log=log)) as client:
        for name in (None, "a"):
            await client.submit(name, **REPORTED)
        await client.control("a", "POST", "clock/advance", {"by": 1})
    log.flush()
    lines = [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()]
    assert lines == [
        "r1 GET OK_1000001",
        "/s/a r1 GET OK_1000001",
        "/s/a c1 report to http://127.0.0.1:9000/dlr delivered",
    ]


async def test_a_record_shows_the_path_within_its_session(client: Client) -> None:
    await client.submit("a")
    assert (await client.control("a", "GET", "requests/r1"))["path"] == "/sendMtSms.php"


async def test_each_session_has_a_clock_of_its_own(client: Client) -> None:
    await client.control("a", "POST", "clock/advance", {"by": "1h"})
    now = [(await client.control(name, "GET", "clock"))["now"] for name in (None, "a", "b")]
    assert now == ["2024-01-15T12:00:00Z", "2024-01-15T13:00:00Z", "2024-01-15T12:00:00Z"]


async def test_each_session_has_a_scenario_rules_and_balances_of_its_own(client: Client) -> None:
    yaml = "{name: poor, accounts: [{user: you@example.com, apiKey: key, balance: 1}]}"
    await client.control("a", "PUT", "scenario", {"yaml": yaml})
    await client.control("b", "POST", "rules", {"when": {}, "respond": {"error": 6}})
    assert [await client.submit(name) for name in ("a", "a", "b", "c")] == [
        "OK_1000001",
        "ERROR_9",
        "ERROR_6",
        "OK_1000001",
    ]


async def test_reports_of_a_session_carry_on_while_another_is_reset_or_ended() -> None:
    carrier = FakeCarrier()
    with talking_to(application(carrier)) as client:
        for name in ("a", "b", "c"):
            await client.submit(name, **REPORTED, transactionId=name)
        await client.control("a", "POST", "reset")
        await client.delete("/s/b")
        for name in ("a", "b", "c"):
            await client.control(name, "POST", "clock/advance", {"by": "1h"})
    assert [body and '"c"' in body for body in carrier.bodies] == [True]


async def test_reset_gives_back_the_scenario_and_the_clock_of_the_start(client: Client) -> None:
    await client.control("a", "PUT", "scenario", {"yaml": "{name: none, accounts: []}"})
    await client.control("a", "PUT", "clock", {"mode": "real"})
    assert await client.submit("a") == "ERROR_1"
    await client.control("a", "POST", "reset")
    health = await client.control("a", "GET", "health")
    assert (health["scenario"], health["clock"]["mode"], health["clock"]["now"]) == (
        "default",
        "virtual",
        "2024-01-15T12:00:00Z",
    )
    assert (health["counts"]["messages"], health["counts"]["requests"]) == (0, 0)
    assert await client.submit("a") == "OK_1000001"


async def test_rules_without_a_name_are_named_the_same_after_a_reset(client: Client) -> None:
    names = []
    for _ in range(2):
        names += [
            (await client.control("a", "POST", "rules", {"respond": {"error": code}}))["name"]
            for code in (6, 7)
        ]
        await client.control("a", "POST", "reset")
    assert names == ["added-1", "added-2"] * 2


async def test_sessions_are_listed_and_end_by_hand(client: Client) -> None:
    await client.submit("a")
    await client.submit("b")
    listed = await client.control(None, "GET", "sessions")
    assert [(each["name"], each["counts"]["messages"]) for each in listed["sessions"]] == [("a", 1), ("b", 1)]
    assert (await client.delete("/s/a")).json() == {"ended": "a"}
    assert (await client.delete("/s/a")).status_code == 404
    assert [each["name"] for each in (await client.control(None, "GET", "sessions"))["sessions"]] == ["b"]
    assert await client.total("a") == 0


async def test_past_the_limit_the_one_used_longest_ago_ends() -> None:
    with talking_to(application(max_sessions=2)) as client:
        for name in ("a", "b", "a", "c"):
            await client.submit(name)
        listed = await client.control(None, "GET", "sessions")
        assert [each["name"] for each in listed["sessions"]] == ["a", "c"]
        assert (listed["total"], listed["most"], listed["ended"]) == (2, 2, 1)


async def test_a_session_that_nobody_uses_ends_unless_something_is_due_in_it() -> None:
    app = create_app(Config(session_idle_s=0.0), carrier=FakeCarrier())
    sessions = app.state.sessions
    with talking_to(app) as client:
        await client.submit("busy", scheduledDeliveryTime="3600")
        await client.submit("quiet", to="+15005551006")
        with anyio.fail_after(10):
            while len(sessions) == 2:
                await checkpoint()
        assert ([each.name for each in sessions], sessions.ended) == (["busy"], 1)
        await sessions.close()


async def test_a_thousand_sessions_stand_side_by_side_in_one_process() -> None:
    with talking_to(application()) as client:
        for number in range(1000):
            assert await client.submit(f"test-{number}") == "OK_1000001"
        listed = await client.control(None, "GET", "sessions")
        assert (listed["total"], listed["ended"]) == (1000, 0)


async def test_what_a_session_held_is_freed_when_it_ends() -> None:
    app = application()
    with talking_to(app) as client:
        await client.submit("a")
        await client.delete("/s/a")
        gc.collect()
        engines = [each for each in gc.get_objects() if isinstance(each, Session)]
        assert app.state.sessions.own in engines
        assert [each.name for each in engines if each.name == "a"] == []


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_it_is_freed_at_once_as_nothing_in_it_points_back(store: str, tmp_path: Path) -> None:
    """What only the collector of garbage finds would stay for long: `serve` has it look rarely."""
    app = application(store="memory" if store == "memory" else f"sqlite:{tmp_path / 'sandbox.db'}")
    sessions = app.state.sessions
    async with app.router.lifespan_context(app):
        gc.disable()
        try:
            session = sessions.called("a")
            session.engine.handle(Call("GET", PATHS[0], REPORTED))
            held = [weakref.ref(each) for each in (session.engine, session.engine.timelines)]
            del session
            await sessions.end("a")
            assert [each() for each in held] == [None, None]
        finally:
            gc.enable()


# -- each user a session --------------------------------------------------------------------------------


@pytest.fixture
async def users() -> AsyncIterator[Client]:
    with talking_to(application(sessions_by="user")) as client:
        yield client


async def test_each_user_may_be_a_session(users: Client) -> None:
    assert [await users.submit(user=user) for user in ("ann", "ann", "you@example.com")] == [
        "OK_1000001",
        "OK_1000002",
        "OK_1000001",
    ]
    assert [await users.total(name) for name in (None, "ann", "you%40example.com")] == [0, 2, 1]
    assert (await users.delete("/s/you%40example.com")).json() == {"ended": "you@example.com"}


async def test_a_session_in_the_path_goes_before_the_user(users: Client) -> None:
    await users.submit("chosen", user="ann")
    assert [await users.total(name) for name in ("chosen", "ann")] == [1, 0]


async def test_without_a_user_it_is_the_server_s_own_session(users: Client) -> None:
    assert await users.submit(user="") == "ERROR_1"
    assert await users.submit(user="u" * 256) == "OK_1000001"
    assert (await users.control(None, "GET", "requests"))["total"] == 2


async def test_a_user_s_request_is_read_as_the_readings_of_their_session_say(users: Client) -> None:
    yaml = "{name: twice, readings: {double_encoding: decode}}"
    await users.control("ann", "PUT", "scenario", {"yaml": yaml})
    for user in ("ann", "bob"):
        await users.submit(user=user, message="caf%C3%A9")
    texts = [(await users.control(user, "GET", "messages/m1"))["text"] for user in ("ann", "bob")]
    assert texts == ["café", "caf%C3%A9"]


# -- answered at once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("within", PATHS)
@pytest.mark.parametrize(
    ("before", "by_path", "by_user"),
    [
        ("", None, None),
        ("/s/a", "a", "a"),
        ("/s/you@example.com", "none", "you@example.com"),
        ("/s/a/s/b", "none", "none"),
        ("/s/..", "none", ".."),
        ("/s/", "none", "none"),
        ("/s/%61", "none", "none"),
        ("/_sandbox", "none", "none"),
    ],
)
async def test_sends_to_the_endpoint_are_answered_at_once_in_their_session(
    before: str, within: str, by_path: str | None, by_user: str | None
) -> None:
    """What is not, such as a path that has yet to be decoded, goes the way of all other requests."""
    for way, expected in (("path", by_path), ("user", by_user)):
        app: Any = create_app(Config(sessions_by=way))
        answer = app.at_once(f"{before}{within}".encode())
        if expected == "none":
            assert answer is None
            continue
        scope = {
            "method": "GET",
            "path": f"{before}{within}",
            "query_string": urlencode(VALID).encode(),
            "headers": [],
        }
        assert answer(scope, b"")[0] == 200
        sessions = app.state.sessions
        used = VALID["user"] if expected is None and way == "user" else expected
        engine = (sessions.own if used is None else sessions.called(used)).engine
        (record,) = engine.store.requests()
        assert (record.call.path, record.answer.body) == (within, "OK_1000001")
        assert len(sessions) == (used is not None)
