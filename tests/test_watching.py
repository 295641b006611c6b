"""A scenario's file that changes while it is played: read again, and kept as it was when it has a mistake."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.sources import named
from sandbox.watching import readings
from tests.command_line import Served, serve
from tests.worlds import VALID

FIRST = """
name: mine
rules:
  - {name: full, when: {to: {prefix: "+1"}}, respond: {error: 6}}
"""
SECOND = (
    FIRST.replace("error: 6", "error: 7")
    + "  - {name: spain, when: {to: {prefix: '+34'}}, respond: {error: 9}}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(FIRST)
    return path


def answer(server: Served, session: str = "", **more: str) -> str:
    return httpx.get(f"{server.url}{session}/sendMtSms.php", params={**VALID, **more}).text


def next_event(server: Served) -> dict[str, object]:
    """Return what the log next tells of the file."""
    while True:
        event = json.loads(server.next_log_line())
        if event["event"] == "scenario":
            assert isinstance(event, dict)
            return event


def test_a_change_is_played_at_once_and_the_log_says_what_changed(file: Path) -> None:
    with serve("--port", "0", "--scenario", str(file), "--watch", "--log", "json") as server:
        assert (answer(server), answer(server, "/s/other")) == ("ERROR_6", "ERROR_6")
        file.write_text(SECOND)
        assert next_event(server) == {
            "event": "scenario",
            "file": str(file),
            "taken": True,
            "changed": ["rule full changed", "rule spain added"],
            "mistakes": [],
        }
        assert (answer(server), answer(server, "/s/other"), answer(server, "/s/new")) == ("ERROR_7",) * 3


def test_with_a_mistake_the_scenario_from_before_goes_on_until_it_is_mended(file: Path) -> None:
    with serve("--port", "0", "--scenario", str(file), "--watch", "--log", "json") as server:
        file.write_text(FIRST.replace("respond", "respnd"))
        event = next_event(server)
        assert event["taken"] is False
        mistakes = event["mistakes"]
        assert isinstance(mistakes, list)
        (mistake,) = mistakes
        assert mistake.startswith(f"{file}:4:")
        assert "did you mean respond?" in mistake
        assert answer(server) == "ERROR_6"
        file.write_text(FIRST)
        assert next_event(server)["taken"] is True
        assert answer(server) == "ERROR_6"


def save_with_a_mark(file: Path, text: str) -> None:
    """Save a file as editors of Windows do, with a byte order mark."""
    file.write_text(text, "utf-8-sig")


@pytest.mark.anyio
async def test_a_byte_order_mark_is_no_change(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looks(*_: object, **__: object) -> AsyncIterator[None]:
        yield  # nothing has changed
        save_with_a_mark(file, SECOND)
        yield

    monkeypatch.setattr("watchfiles.awatch", looks)
    save_with_a_mark(file, FIRST)
    found = [each async for each in readings(named(str(file)), magic_prefix=MAGIC_PREFIX)]
    assert [each.differences for each in found] == [("rule full changed", "rule spain added")]


def test_a_file_put_in_the_place_of_the_old_one_is_read_too(file: Path) -> None:
    with serve("--port", "0", "--scenario", str(file), "--watch", "--log", "json") as server:
        fresh = file.with_suffix(".new")
        fresh.write_text(SECOND)
        fresh.rename(file)
        assert next_event(server)["taken"] is True
        assert answer(server) == "ERROR_7"


def test_a_session_that_was_given_another_scenario_keeps_it(file: Path) -> None:
    with serve("--port", "0", "--scenario", str(file), "--watch", "--log", "json") as server:
        put = httpx.put(f"{server.url}/s/own/_sandbox/scenario", json={"name": "default"})
        assert put.status_code == 200
        file.write_text(SECOND)
        next_event(server)
        assert answer(server, "/s/own") == "OK_1000001"
        httpx.post(f"{server.url}/s/own/_sandbox/reset")
        assert answer(server, "/s/own") == "ERROR_7"
