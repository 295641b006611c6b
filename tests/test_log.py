import asyncio
import io
import json
from typing import Any

import pytest

from sandbox.core.model import Answer, Attempt, Call, Callback, CallbackState, RequestRecord, Unreadable
from sandbox.log import Log
from tests.worlds import NOON, RECEIVER, a_message, turns

pytestmark = pytest.mark.anyio


def record(
    to: str | Unreadable = "+1222333444",
    answer: str = "OK_1",
    reason: str | None = None,
    hints: tuple[str, ...] = (),
) -> RequestRecord:
    call = Call("GET", "/sendMtSms.php", {"to": to})
    return RequestRecord(7, NOON, call, Answer(200, "text/plain", answer), reason=reason, hints=hints)


def report(
    state: CallbackState, reason: str | None = None, attempts: tuple[Attempt, ...] = (), url: str = RECEIVER
) -> Callback:
    return Callback(3, a_message(), url, "POST", "{}", state=state, reason=reason, attempts=attempts)


TRIED = (Attempt(NOON, 500, "HTTP 500", 3),)


class Told:
    """A log, and what it has written."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.stream = io.StringIO()
        self.log = Log(self.stream, is_json=is_json)

    @property
    def lines(self) -> list[str]:
        self.log.flush()
        return self.stream.getvalue().splitlines()

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (record(), "12:00:00 r7 GET OK_1"),
        (
            record(answer="ERROR_5", reason="to is empty"),
            "12:00:00 r7 GET ERROR_5 - to is empty",
        ),
        (
            record(hints=("dcs is empty and counts as absent", "odd")),
            "12:00:00 r7 GET OK_1 (hint: dcs is empty and counts as absent; odd)",
        ),
        (
            record(answer="OK_a\nb€", reason="\x1b[31m", hints=("\r",)),
            "12:00:00 r7 GET OK_aU+000AbU+20AC - U+001B[31m (hint: U+000D)",
        ),
    ],
)
async def test_a_request_is_one_line(told: RequestRecord, line: str) -> None:
    here = Told()
    here.log.request(told)
    assert here.lines == [line]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            report(CallbackState.DELIVERED, attempts=(Attempt(NOON, 200, None, 3),)),
            f"12:00:00 c3 report to {RECEIVER} delivered",
        ),
        (
            report(CallbackState.WAITING, attempts=TRIED),
            f"12:00:00 c3 report to {RECEIVER} failed, will be tried again - HTTP 500",
        ),
        (
            report(CallbackState.FAILED, "gave up after 6 attempts: HTTP 500", TRIED),
            f"12:00:00 c3 report to {RECEIVER} failed - gave up after 6 attempts: HTTP 500",
        ),
        (
            report(
                CallbackState.REFUSED, "8.8.8.8 is not a loopback or private address", url="http://8.8.8.8/"
            ),
            "c3 report to http://8.8.8.8/ refused - 8.8.8.8 is not a loopback or private address",
        ),
    ],
)
async def test_a_callback_is_one_line(told: Callback, line: str) -> None:
    here = Told()
    here.log.callback(told)
    assert here.lines == [line]


async def test_a_request_as_json() -> None:
    here = Told(is_json=True)
    here.log.request(record(answer="ERROR_5", reason="to is empty", hints=("odd\n€",)))
    assert here.events == [
        {
            "at": "2024-01-15T12:00:00.000Z",
            "event": "request",
            "session": None,
            "id": "r7",
            "method": "GET",
            "to": "+1222333444",
            "status": 200,
            "answer": "ERROR_5",
            "reason": "to is empty",
            "hints": ["odd\n€"],
        }
    ]


async def test_a_destination_that_is_no_text_is_null() -> None:
    here = Told(is_json=True)
    here.log.request(record(to=Unreadable("is a JSON array: send a string")))
    assert here.events[0]["to"] is None


async def test_a_callback_as_json() -> None:
    here = Told(is_json=True)
    here.log.callback(report(CallbackState.WAITING, attempts=TRIED))
    here.log.callback(report(CallbackState.REFUSED, "no"))
    assert here.events == [
        {
            "at": "2024-01-15T12:00:00.000Z",
            "event": "callback",
            "session": None,
            "id": "c3",
            "transactionId": "t1",
            "url": RECEIVER,
            "state": "waiting",
            "attempts": 1,
            "reason": "HTTP 500",
        },
        {
            "at": None,
            "event": "callback",
            "session": None,
            "id": "c3",
            "transactionId": "t1",
            "url": RECEIVER,
            "state": "refused",
            "attempts": 0,
            "reason": "no",
        },
    ]


async def test_lines_of_one_moment_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Told()
    timers = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _, write: timers.append(write))
    for _ in range(3):
        here.log.request(record())
    assert here.stream.getvalue() == ""
    (write,) = timers
    write()
    assert len(here.stream.getvalue().splitlines()) == 3
    here.log.request(record())
    assert len(timers) == 2


async def test_a_log_that_has_nothing_to_tell_writes_nothing() -> None:
    assert Told().lines == []


async def test_a_stream_that_is_gone_stops_nothing() -> None:
    here = Told()
    here.stream.close()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    here.log.request(record())
    here.log.flush()
    await turns()
    assert complaints == []


async def test_what_becomes_of_the_stores_file_is_one_line() -> None:
    here = Told()
    here.log.store("store \x1b.db is written again")
    assert here.lines == ["store U+001B.db is written again"]
    there = Told(is_json=True)
    there.log.store("store a.db is written again")
    assert there.events == [{"event": "store", "what": "store a.db is written again"}]


@pytest.mark.parametrize("is_json", [False, True])
async def test_lines_of_a_session_name_it_as_each_counts_for_itself(*, is_json: bool) -> None:
    here = Told(is_json=is_json)
    here.log.request(record(), "test-7")
    here.log.request(record())
    here.log.callback(report(CallbackState.WAITING, attempts=TRIED), "zoë\n@example.com")
    if is_json:
        assert [event["session"] for event in here.events] == ["test-7", None, "zoë\n@example.com"]
    else:
        assert here.lines == [
            "12:00:00 /s/test-7 r7 GET OK_1",
            "12:00:00 r7 GET OK_1",
            f"12:00:00 /s/zoU+00EBU+000A@example.com c3 report to {RECEIVER} failed, will be tried again - HTTP 500",
        ]
