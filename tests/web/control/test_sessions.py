"""Sessions as the control API shows and ends them; `tests/test_sessions.py` says what they are."""

import pytest

from sandbox.web.control import OPERATIONS
from sandbox.web.control.openapi import document
from tests.web.control.client import Client, problem_in, talking

pytestmark = pytest.mark.anyio


async def test_sessions_are_listed_the_one_used_longest_ago_first(client: Client) -> None:
    for name in ("a", "b", "a"):
        await client.get(f"/s/{name}/_sandbox/health")
    listed = await client.shown("sessions")
    assert [session["name"] for session in listed["sessions"]] == ["b", "a"]
    assert (listed["total"], listed["most"], listed["ended"]) == (2, 1000, 0)
    assert listed["sessions"][0] == {
        "name": "b",
        "scenario": "test",
        "clock": {"now": "2024-01-15T12:00:00Z", "mode": "virtual", "nextDue": None},
        "counts": {"messages": 0, "requests": 0, "callbacks": 0},
        "idleSeconds": 0,
    }


async def test_a_session_is_ended_by_its_name(client: Client) -> None:
    await client.get("/s/a/_sandbox/health")
    answer = await client.delete("/s/a")
    assert (answer.status_code, answer.json()) == (200, {"ended": "a"})
    assert (await client.shown("sessions"))["total"] == 0


async def test_there_is_no_such_session(client: Client) -> None:
    await client.get("/s/other/_sandbox/health")
    problem = problem_in(await client.delete("/s/othr"))
    assert (problem["status"], problem["detail"]) == (404, "there is no session othr: did you mean other?")


async def test_everything_exists_in_a_session_too() -> None:
    paths = document(OPERATIONS, (), base="")["paths"]
    gets = [path for path, item in paths.items() if "get" in item and "{" not in path]
    async with talking() as client:
        for path in gets:
            if path not in {"/_sandbox/events", "/_sandbox/messages/wait"}:
                assert (await client.get(f"/s/x{path}")).status_code == 200, path
