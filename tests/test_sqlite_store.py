"""The store in a file: a world that ends and goes on, files that cannot be used, and writing that fails."""

import json
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint
from starlette.applications import Starlette

from sandbox.app import create_app
from sandbox.carrier import Arrived, Lost
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.model import Callback, Numbering
from sandbox.errors import ConfigError
from sandbox.sessions import Session
from sandbox.sources import written
from sandbox.store import sqlite
from sandbox.store.sqlite import SqliteFile
from tests.worlds import NOON, REPORTED, VALID, FakeCarrier, World, a_message, at

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


class Run:
    """One run of a server."""

    def __init__(self, app: Starlette, clock: VirtualClock, carrier: FakeCarrier) -> None:
        self.app = app
        self.carrier = carrier
        self.world = World(app.state.engine, clock, carrier)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")

    def session(self, name: str) -> Session:
        session: Session = self.app.state.sessions.called(name)
        return session

    def of_session(self, name: str) -> World:
        engine = self.session(name).engine
        assert isinstance(engine.clock, VirtualClock)
        return World(engine, engine.clock, self.carrier)

    def write(self) -> None:
        """Write what happened so far, so that what happens from now on has to be noted by itself."""
        self.world.engine.store._file.flush()  # type: ignore[attr-defined] # noqa: SLF001

    async def submit(self, base: str = "", **parameters: str) -> str:
        answer = await self.client.get(f"{base}/sendMtSms.php", params={**VALID, **parameters})
        self.write()
        return answer.text

    async def shown(self, path: str, status: int = 200) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def done(self, method: str, path: str, body: Any = None) -> None:
        self.write()
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code < 300, answer.text


@asynccontextmanager
async def run(
    path: Path,
    *,
    now: datetime = NOON,
    scenario: str = "name: plain",
    carrier: FakeCarrier | None = None,
    **options: Any,
) -> AsyncIterator[Run]:
    """Let a server run that keeps its records in a file, from a moment on."""
    carrier, clock = carrier or FakeCarrier(), VirtualClock(now)
    config = Config(store=f"sqlite:{path}", **options)
    app = create_app(config, scenario=written(scenario), clock=clock, carrier=carrier)
    async with app.router.lifespan_context(app):
        yield Run(app, clock, carrier)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what anybody reads in the file once no server has it open."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def change(path: Path, *statements: str) -> None:
    """Change the file by another program."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


# -- what goes on ---------------------------------------------------------------------------------------------


EVERYTHING = (
    "/_sandbox/messages",
    "/_sandbox/messages/m1",
    "/_sandbox/requests",
    "/_sandbox/callbacks",
    "/s/one/_sandbox/messages",
    "/s/one/_sandbox/requests",
    "/s/one/_sandbox/callbacks",
)


async def test_everything_is_still_there_in_the_next_run(path: Path) -> None:
    async with run(path) as before:
        await before.submit(**REPORTED)
        await before.submit(to="nobody")
        await before.submit("/s/one", **REPORTED)
        await before.submit(to="+34600000001")
        await before.world.pass_time(1)
        shown = [await before.shown(each) for each in EVERYTHING]
    assert shown[1]["status"] == "delivered"
    assert shown[2]["total"] == 3
    assert len(shown[3]["callbacks"][0]["attempts"]) == 1
    async with run(path, now=at(1)) as after:
        assert [await after.shown(each) for each in EVERYTHING] == shown
        assert [each["name"] for each in (await after.shown("/_sandbox/sessions"))["sessions"]] == ["one"]


async def test_sessions_of_users_are_still_there(path: Path) -> None:
    async with run(path, sessions_by="user") as before:
        await before.submit(user="you@example.com")
    async with run(path, sessions_by="user") as after:
        assert (await after.shown("/s/you@example.com/_sandbox/messages"))["total"] == 1
        assert await after.submit(user="you@example.com") == "OK_1000002"


async def test_ids_go_on_counting(path: Path) -> None:
    async with run(path) as before:
        await before.submit()
        await before.submit(transactionId="1000003")
        await before.submit(to="nobody")
    async with run(path) as after:
        assert [await after.submit(), await after.submit()] == ["OK_1000002", "OK_1000004"]
        assert (await after.shown("/_sandbox/messages/latest"))["id"] == "m4"
        assert (await after.shown("/_sandbox/requests?limit=1"))["requests"][0]["id"] == "r5"


async def test_ids_go_on_where_all_messages_were_deleted(path: Path) -> None:
    async with run(path) as before:
        await before.submit()
        await before.done("DELETE", "/_sandbox/messages")
    async with run(path) as after:
        assert (await after.shown("/_sandbox/requests"))["total"] == 0
        assert await after.submit() == "OK_1000002"
        assert (await after.shown("/_sandbox/messages/latest"))["id"] == "m2"


async def test_a_reset_is_as_just_started_in_the_next_run_too(path: Path) -> None:
    async with run(path) as before:
        await before.submit()
        await before.done("POST", "/_sandbox/reset")
    async with run(path) as after:
        assert (await after.shown("/_sandbox/messages"))["total"] == 0
        assert await after.submit() == "OK_1000001"


ON_THE_WAY = """
name: slow
default:
  dlr: [{after: 2s, status: enroute}, {after: 4s, status: accepted}, {after: 100s, status: delivered}]
"""


async def test_what_is_due_later_happens_then_and_what_became_due_meanwhile_soon_and_in_order(
    path: Path,
) -> None:
    async with run(path, scenario=ON_THE_WAY) as before:
        await before.submit(**REPORTED, transactionId="one")
        await before.world.pass_time(1)
        await before.submit(**REPORTED, transactionId="two")
        assert before.carrier.bodies == []
    async with run(path, now=at(50), scenario=ON_THE_WAY) as after:
        await after.world.pass_time()
        assert told(after) == [
            ("one", "enroute"),
            ("two", "enroute"),
            ("one", "accepted"),
            ("two", "accepted"),
        ]
        await after.world.pass_time(49.9)
        assert len(told(after)) == 4
        await after.world.pass_time(0.1)
        assert told(after)[4:] == [("one", "delivered")]
        await after.world.pass_time(1)
        assert told(after)[5:] == [("two", "delivered")]


def told(run: Run) -> list[tuple[str, str]]:
    """Return the transaction id and the status of each report that was sent."""
    bodies = [json.loads(body) for body in run.carrier.bodies if body is not None]
    return [(body["transactionId"], body["status"]) for body in bodies]


async def test_what_is_due_happens_by_itself(path: Path) -> None:
    async with run(path) as before:
        await before.submit(**REPORTED)
    async with run(path, now=at(50)) as after:
        with anyio.fail_after(10):
            await after.done("POST", "/_sandbox/settle")
            while not after.carrier.bodies:
                await checkpoint()
        assert told(after) == [("1000001", "delivered")]


OUT_OF_ORDER = """
name: out-of-order
default:
  dlr: [{after: 1s, status: enroute, send_after: 10s}, {after: 2s, status: delivered}]
"""


@pytest.mark.parametrize("stopped_at", [0, 1, 5])
async def test_a_report_with_a_moment_of_its_own_is_sent_then(path: Path, stopped_at: float) -> None:
    async with run(path, scenario=OUT_OF_ORDER) as before:
        await before.submit(**REPORTED, transactionId="one")
        await before.world.pass_time(stopped_at)
    async with run(path, now=at(stopped_at), scenario=OUT_OF_ORDER) as after:
        await after.world.pass_time(9.9 - stopped_at)
        assert ("one", "enroute") not in told(after)
        await after.world.pass_time(0.1)
    assert told(before) + told(after) == [("one", "delivered"), ("one", "enroute")]
    async with run(path, now=at(20), scenario=OUT_OF_ORDER) as at_last:
        await at_last.world.pass_time(100)
        assert at_last.carrier.bodies == []


def down() -> FakeCarrier:
    return FakeCarrier(lambda _: Lost("connection refused", 1))


TWICE = "name: twice\ncallbacks: {retry: [10s, 20s]}"


async def test_a_callback_that_waits_for_a_retry_has_those_that_are_left(path: Path) -> None:
    async with run(path, scenario=TWICE, carrier=down()) as before:
        await before.submit(**REPORTED)
        await before.world.pass_time(1)
        before.write()
        await before.world.pass_time(10)
        assert len(before.carrier.bodies) == 2
    async with run(path, now=at(15), scenario=TWICE, carrier=down()) as after:
        await after.world.pass_time(15.9)
        assert len(after.carrier.bodies) == 0
        await after.world.pass_time(100)
        assert len(after.carrier.bodies) == 1
        (callback,) = (await after.shown("/_sandbox/callbacks"))["callbacks"]
    assert len(callback["attempts"]) == 3
    assert (callback["state"], callback["reason"]) == (
        "failed",
        "gave up after 3 attempts: connection refused",
    )


async def test_a_callback_that_was_sent_anew_has_all_retries_from_then_on(path: Path) -> None:
    async with run(path, scenario=TWICE, carrier=down()) as before:
        await before.submit(**REPORTED)
        await before.world.pass_time(100)
        await before.done("POST", "/_sandbox/callbacks/c1/replay")
        await before.world.pass_time()
        assert len(before.carrier.bodies) == 4
    async with run(path, now=at(200), scenario=TWICE, carrier=down()) as after:
        await after.world.pass_time(100)
        assert len(after.carrier.bodies) == 2


async def test_what_was_under_way_is_sent_again_and_what_waits_behind_it_after_that(path: Path) -> None:
    stuck = FakeCarrier()
    stuck.hold("127.0.0.1")
    async with run(path, scenario=ON_THE_WAY, carrier=stuck) as before:
        await before.submit(**REPORTED, transactionId="one")
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await before.world.pass_time(2)
        before.world.clock.move_to(at(4))
        before.world.engine.agenda.run_due()
    async with run(path, now=at(4), scenario=ON_THE_WAY) as after:
        await after.world.pass_time()
        assert told(after) == [("one", "enroute"), ("one", "accepted")]


async def test_what_was_tried_first_is_tried_first_again(path: Path) -> None:
    """An earlier report that was sent anew has its place behind the one that is being retried."""
    answers: list[Callable[[], Any]] = [lambda: Arrived(200, 1), lambda: Lost("no", 1)]
    carrier = FakeCarrier(lambda _: answers.pop(0)() if answers else Lost("no", 1))
    scenario = ON_THE_WAY + "callbacks: {retry: [10s]}"
    async with run(path, scenario=scenario, carrier=carrier) as before:
        await before.submit(**REPORTED, transactionId="one")
        await before.world.pass_time(5)
        await before.done("POST", "/_sandbox/callbacks/c1/replay")
    async with run(path, now=at(14), scenario=scenario) as after:
        await after.world.pass_time()
        assert told(after) == [("one", "accepted"), ("one", "enroute")]


async def test_parts_join_over_two_runs(path: Path) -> None:
    async with run(path) as before:
        await before.submit(udh="050003CC0201", message="Hello, ")
    async with run(path) as after:
        await after.submit(udh="050003CC0202", message="world")
        for number in (1, 2):
            assert (await after.shown(f"/_sandbox/messages/m{number}"))["joined"] == "Hello, world"


QUEUE = """
name: queue
accounts: [{user: you@example.com, apiKey: key, balance: 5, queueLimit: 2}]
rules: [{name: once, when: {nth: 1}, respond: {error: 15}, set_state: later}]
"""


async def test_scenario_counters_and_balances_begin_anew_but_messages_still_stand_in_the_queue(
    path: Path,
) -> None:
    async with run(path, scenario=QUEUE) as before:
        assert [await before.submit() for _ in range(3)] == ["ERROR_15", "OK_1000001", "OK_1000002"]
        assert await before.submit() == "ERROR_6"
        await before.done("POST", "/_sandbox/rules", {"name": "added", "when": {}, "respond": {"error": 15}})
    async with run(path, now=at(0.5), scenario=QUEUE) as after:
        assert await after.submit() == "ERROR_6"
        await after.world.pass_time(1)
        assert [await after.submit(), await after.submit()] == ["ERROR_15", "OK_1000003"]
        assert (await after.shown("/_sandbox/accounts"))["accounts"][0]["balance"] == 4


async def test_a_session_that_has_ended_is_gone_and_one_that_begins_under_its_name_stays(path: Path) -> None:
    async with run(path) as before:
        for name in ("one", "other"):
            await before.submit(f"/s/{name}")
            await before.submit(f"/s/{name}")
        await before.done("DELETE", "/s/one")
        await before.done("DELETE", "/s/other")
        await before.submit("/s/other")
    assert rows(path, "SELECT name, messages FROM sessions") == [("other", 1)]
    assert rows(path, "SELECT session, number FROM messages") == [("other", 1)]


async def test_past_the_limit_of_sessions_the_one_used_longest_ago_goes_from_the_file_too(path: Path) -> None:
    async with run(path) as before:
        for name in ("a", "b", "c"):
            await before.submit(f"/s/{name}")
    async with run(path, max_sessions=2):
        pass
    assert rows(path, "SELECT name FROM sessions ORDER BY name") == [("b",), ("c",)]


async def test_past_a_lower_cap_the_oldest_finished_messages_go_from_the_file_too(path: Path) -> None:
    async with run(path) as before:
        for _ in range(3):
            await before.submit(**REPORTED)
            await before.world.pass_time(1)
        for _ in range(3):
            await before.submit(to="nobody")
    async with run(path, max_messages=2) as after:
        assert (await after.shown("/_sandbox/health"))["counts"]["messagesDropped"] == 1
    assert rows(path, "SELECT number FROM messages") == [(2,), (3,)]
    assert rows(path, "SELECT number FROM callbacks") == [(2,), (3,)]
    assert rows(path, "SELECT number FROM requests") == [(2,), (3,), (5,), (6,)]


async def test_a_run_with_nothing_to_keep_writes_nothing(path: Path) -> None:
    async with run(path):
        pass
    assert rows(path, "SELECT count(*) FROM sessions") == [(0,)]


def test_a_callback_changes_its_message(path: Path) -> None:
    file = SqliteFile(path)
    store, message = file.store(None, Numbering), a_message(1)
    store.add_message(message)
    file.flush()
    store.add_callback(Callback(1, message, "http://127.0.0.1/", "POST", "{}"))
    file.close()
    ((record,),) = rows(path, "SELECT record FROM messages")
    assert json.loads(record)["callback_numbers"] == [1]


async def test_what_the_file_holds_is_told_at_the_start(path: Path) -> None:
    told: list[str] = []
    async with run(path) as before:
        await before.submit(**REPORTED)
        await before.submit("/s/one")
        await before.submit(to="nobody")
        await before.world.pass_time(1)
    file = SqliteFile(path, tell=told.append)
    file.start()
    file.close()
    assert told == [
        f"store {path} goes on where an earlier run has ended: requests 3, messages 2, callbacks 1"
    ]


async def test_the_file_is_written_while_the_server_runs(path: Path) -> None:
    async with run(path) as before:
        await before.submit()
        file = before.app.state.engine.store._file  # noqa: SLF001
        with anyio.fail_after(10):
            while before.app.state.engine.store.is_noted:
                await checkpoint()
        assert file._connection.execute("SELECT count(*) FROM messages").fetchone() == (1,)  # noqa: SLF001


# -- pages and routes on what an earlier run has left --------------------------------------------------------------


ROUTES = (
    "/",
    "/messages/m1",
    "/messages/m2",
    "/requests",
    "/requests/r1",
    "/requests/r2",
    "/requests/r3",
    "/clock",
    "/scenario",
    "/send?from=r1",
    "/_sandbox/messages",
    "/_sandbox/messages/m1",
    "/_sandbox/messages/latest?status=pending",
    "/_sandbox/requests/r1",
    "/_sandbox/requests/r2",
    "/_sandbox/requests/r3",
    "/_sandbox/callbacks",
    "/_sandbox/callbacks/c1",
    "/_sandbox/clock",
    "/_sandbox/health",
    "/_sandbox/metrics",
    "/_sandbox/sessions",
)

UNKNOWN = "no longer known: the server was started anew since, or they have changed too often"

ODD = """
name: odd
rules:
  - name: slow
    when: {to: {prefix: "+34"}}
    respond: {delay: {uniform: [0s, 0s]}, status: 503, body: "{{ to }}"}
    submit: true
"""


async def test_every_page_and_route_shows_what_an_earlier_run_has_left(path: Path) -> None:
    async with run(path, scenario=ODD) as before:
        await before.submit(**REPORTED)
        await before.submit(**{**REPORTED, "to": "+34600000001"})
        await before.submit(to="nobody")
        await before.world.pass_time(1)
    async with run(path, now=at(1)) as after:
        for route in ROUTES:
            answer = await after.client.get(
                route, headers={"Accept": "text/html"} if "_sandbox" not in route else {}
            )
            assert answer.status_code == (404 if "pending" in route else 200), (route, answer.text)
        request = await after.shown("/_sandbox/requests/r2")
        assert request["trace"]["rules"] == []
        assert request["trace"]["note"] == f"the rules of then are {UNKNOWN}"
        page = await after.client.get("/requests/r2", headers={"Accept": "text/html"})
        assert f"The rules of then are {UNKNOWN}." in page.text
        await after.done("POST", "/_sandbox/messages/m2/reports", {"status": "expired"})
        await after.done("POST", "/_sandbox/callbacks/c1/replay")
        await after.done(
            "POST", "/_sandbox/verify", {"match": {"to": "+34600000001"}, "count": {"exactly": 1}}
        )


# -- the file -------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone(path: Path) -> None:
    file = SqliteFile(path)
    beside = [*path.parent.iterdir()]
    file.close()
    assert len(beside) > 1
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


def opened(path: Path) -> str:
    """Return why a file cannot be opened."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigError) as caught:
        SqliteFile(path).close()
    if before is not None:
        assert path.read_bytes() == before
    why = str(caught.value)
    assert "\n" not in why
    assert why.startswith(f"--store sqlite:{path}: ")
    return why.removeprefix(f"--store sqlite:{path}: ")


NO_FILE = "name a file that can be written, in a folder that exists"


def test_a_directory(tmp_path: Path) -> None:
    assert opened(tmp_path) == f"unable to open database file; {NO_FILE}"


def test_no_such_folder(tmp_path: Path) -> None:
    assert opened(tmp_path / "none" / "sandbox.db") == f"No such file or directory; {NO_FILE}"


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert opened(tmp_path / "file" / "sandbox.db") == f"Not a directory; {NO_FILE}"


def test_no_permission(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For root there is no such file, so the system's answer is made up."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    assert opened(path) == f"Permission denied; {NO_FILE}"


def test_no_database(path: Path) -> None:
    path.write_text(
        "name: not a database, but longer than a hundred octets, which is what the head of one takes\n" * 9
    )
    assert opened(path) == "file is not a database; name another file, or one that does not exist yet"


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE t (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"]
)
def test_another_programs_database(path: Path, statement: str) -> None:
    change(path, statement)
    assert opened(path) == "it is another program's database; name another file"


def test_an_empty_file_becomes_ours(path: Path) -> None:
    path.touch()
    SqliteFile(path).close()
    assert rows(path, "PRAGMA application_id") == [(sqlite.APPLICATION_ID,)]


def test_a_later_version(path: Path) -> None:
    SqliteFile(path).close()
    change(path, "PRAGMA user_version = 2")
    assert opened(path) == (
        "a later version of panelsms-sandbox has written it (format 2, this one knows 1); "
        "use that version, or name another file"
    )


def test_another_server_has_it(path: Path) -> None:
    file = SqliteFile(path)
    why = "another server, or another program, is using it; stop that one, or name another file"
    try:
        assert opened(path) == why
    finally:
        file.close()
    SqliteFile(path).close()


async def filled(path: Path) -> None:
    async with run(path) as before:
        await before.submit(**REPORTED)
        await before.world.pass_time(1)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            "UPDATE messages SET record = '{'",
            "messages WHERE session = '' AND number = 1 is damaged: Expecting property name",
        ),
        (
            "UPDATE messages SET record = 5",
            "messages WHERE session = '' AND number = 1 is damaged: 5 is no dict",
        ),
        (
            "UPDATE messages SET record = x'00'",
            "messages WHERE session = '' AND number = 1 is damaged: b'\\x00' is no str",
        ),
        (
            "UPDATE requests SET number = 2",
            "requests WHERE session = '' AND number = 2 is damaged: it is numbered 1",
        ),
        (
            "UPDATE requests SET session = 'x'",
            "requests WHERE session = 'x' AND number = 1 is damaged: there is no such session",
        ),
        (
            "DELETE FROM messages",
            "callbacks WHERE session = '' AND number = 1 is damaged: there is no message 1",
        ),
        (
            "UPDATE sessions SET messages = 'many'",
            "sessions WHERE name = '' is damaged: its numbers are none",
        ),
        (
            "UPDATE sessions SET messages = -1",
            "sessions WHERE name = '' is damaged: its numbers are none",
        ),
        ("DROP TABLE callbacks", "no such table: callbacks"),
    ],
)
async def test_damaged_rows(path: Path, statement: str, why: str) -> None:
    await filled(path)
    change(path, statement)
    assert opened(path).startswith(why)


def test_damaged_pages(path: Path) -> None:
    SqliteFile(path).close()
    octets = path.read_bytes()
    path.write_bytes(octets[:4096] + b"\xff" * (len(octets) - 4096))
    assert opened(path).endswith("; name another file, or one that does not exist yet")


@pytest.mark.parametrize("store", ["disk", "sqlite", "sqlite:", "memory:x", "", "postgres:x"])
def test_a_store_that_there_is_not(store: str) -> None:
    with pytest.raises(ConfigError) as caught:
        create_app(Config(store=store))
    assert str(caught.value).endswith("it is memory, or sqlite: and a file, as in sqlite:sandbox.db")


# -- writing that fails ---------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_told_once_kept_and_written_later(path: Path) -> None:
    told: list[str] = []
    file = SqliteFile(path, tell=told.append)
    store = file.store(None, Numbering)
    full = "PRAGMA max_page_count = 1"
    room = "PRAGMA max_page_count = 1000000"
    file._connection.execute(full)  # noqa: SLF001 - a disk that is full
    for number in range(1, 200):
        store.add_message(a_message(number))
    assert not file.flush()
    assert not file.flush()
    cannot = f"store {path} cannot be written: database or disk is full; all is kept in memory, and tried again each second"
    assert told == [cannot]
    assert store.counts()["messages"] == 199
    file._connection.execute(room)  # noqa: SLF001
    assert file.flush()
    assert told == [cannot, f"store {path} is written again"]
    file.close()
    assert rows(path, "SELECT count(*) FROM messages") == [(199,)]


def test_what_is_lost_at_the_end_is_told(path: Path) -> None:
    told: list[str] = []
    file = SqliteFile(path, tell=told.append)
    file._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001
    store = file.store(None, Numbering)
    for number in range(1, 200):
        store.add_message(a_message(number))
    file.close()
    assert told[-1] == f"store {path} could not be written to the end: what happened since is lost"


async def test_a_server_whose_disk_is_full_serves_on_and_tries_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WRITTEN_EVERY_S", 0)
    monkeypatch.setattr(sqlite, "TRIED_AGAIN_EVERY_S", 0)
    async with run(path) as before:
        file = before.app.state.engine.store._file  # noqa: SLF001
        file._connection.execute("PRAGMA max_page_count = 1")  # noqa: SLF001
        for _ in range(50):
            before.world.accept()
        with anyio.fail_after(10):
            while not file._is_failing:  # noqa: SLF001
                await checkpoint()
        file._connection.execute("PRAGMA max_page_count = 100000")  # noqa: SLF001
        with anyio.fail_after(10):
            while file._is_failing:  # noqa: SLF001
                await checkpoint()
    assert rows(path, "SELECT count(*) FROM messages") == [(50,)]
