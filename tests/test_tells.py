"""Which readings a server appears to follow: told of a second sandbox that follows others, and of servers that are none."""

from collections.abc import Callable, Mapping

import pytest

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.contract import reading_rows
from sandbox.elsewhere import Elsewhere
from sandbox.examples import Answer
from sandbox.exchanges import EXAMPLE_ACCOUNT, Request
from sandbox.serving import serving
from sandbox.tells import Found, Seen, find_out, seen, tells
from tests.worlds import NOON

TOLD = [tell.row for tell in tells() if tell.asks]


def found_of(readings: Mapping[str, str], clock: VirtualClock | None = None) -> dict[str, Found]:
    """Ask a sandbox with these readings."""
    with serving(create_app(Config(readings=readings), clock=clock or VirtualClock(NOON))) as url:
        there = Elsewhere(url)
        there.reach()
        return {found.row.id: found for found in there.find_out()}


# -- every value of every reading ----------------------------------------------------------------------------


def test_every_reading_is_told_or_says_why_not() -> None:
    assert [tell.row for tell in tells()] == list(reading_rows())
    assert [tell.row.id for tell in tells() if bool(tell.asks) == bool(tell.untold)] == []
    assert {tell.row.subject for tell in tells() if tell.untold} == {"reports"}


@pytest.mark.parametrize(("reading", "value"), [(row.id, value) for row in TOLD for value in row.values])
def test_each_value_is_told_and_so_are_the_others_beside_it(reading: str, value: str) -> None:
    found = found_of({reading: value})
    follows = {name: each.follows for name, each in found.items()}
    assert follows == {row.id: row.default if row in TOLD else None for row in reading_rows()} | {
        reading: value
    }


@pytest.mark.parametrize("which", [0, -1], ids=["the first others", "the last others"])
def test_readings_are_told_where_every_one_is_another(which: int) -> None:
    others = {row.id: row.alternatives[which] for row in TOLD}
    found = found_of(others)
    assert {name: found[name].follows for name in others} == others


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Atlantic/Azores"])
def test_a_time_zone_that_is_none_of_the_values_is_neither(zone: str) -> None:
    found = found_of({"timezone": zone})["timezone"]
    assert (found.follows, found.is_neither) == (None, True)
    assert "scheduledDeliveryTime in a form gets " in found.line


def test_the_time_of_the_machine_is_that_of_a_server_whose_clock_is_real() -> None:
    with serving(create_app(Config(readings={"timezone": "Europe/Madrid"}, admin_token="secret"))) as url:
        there = Elsewhere(url)
        there.reach()  # a sandbox, whose clock is not for us
        found = {each.row.id: each.follows for each in there.find_out()}
    assert found["timezone"] == "Europe/Madrid"


def test_a_line_says_what_is_followed_and_what_is_not() -> None:
    lines = {name: found.line for name, found in found_of({"error_code": "padded"}).items()}
    assert lines["error_code"].startswith(
        "reading  error_code: appears to follow padded, not plain: ERROR_005"
    )
    assert lines["errors"].startswith("reading  errors: appears to follow bare: an error is the bare text")
    assert lines["dlr_format"].startswith("reading  dlr_format: cannot be told from outside: ")


# -- servers that answer otherwise ---------------------------------------------------------------------------


def told(answer: Callable[[Request], Seen | str]) -> dict[str, Found]:
    return {found.row.id: found for found in find_out(answer, EXAMPLE_ACCOUNT, lambda: NOON)}


OK = Seen(200, "text", accepted=True, id="1")


def test_nothing_is_told_of_a_server_that_refuses_a_plain_message() -> None:
    found = told(lambda _: Seen(200, "text", accepted=False, error=9, code="9"))
    assert {each.follows for each in found.values()} == {None}
    assert (
        found["errors"].line
        == "reading  errors: cannot be told from outside: a plain message gets ERROR_9 as text"
    )


def test_nothing_is_told_where_no_answer_comes() -> None:
    found = told(lambda _: "no answer: timed out")
    assert found["errors"].text == "cannot be told from outside: a plain message gets no answer: timed out"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Seen(200, "text", accepted=False, error=7, code="7"), "ERROR_7 as text"),
        (Seen(502, "text", accepted=False), "no answer of the API as text, HTTP 502"),
        ("no answer: reset", "no answer: reset"),
    ],
)
def test_an_answer_about_something_else_tells_nothing(answer: Seen | str, why: str) -> None:
    found = told(lambda request: answer if b"senderId" in request.body else OK)["empty_optional"]
    assert (found.follows, found.is_neither, found.why) == (None, False, f"senderId in a form gets {why}")


def test_an_answer_by_none_of_the_values_is_neither() -> None:
    refused = Seen(422, "text", accepted=False, error=5, code="5")
    found = told(lambda request: refused if b"to=recipient" in request.body else OK)["error_http_status"]
    assert found.text == "neither: to in a form gets ERROR_5 as text, HTTP 422"
    assert found.is_neither


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"OK_7", Seen(200, "text", accepted=True, id="7")),
        (b"ERROR_013\r\n", Seen(200, "text", accepted=False, error=13, code="013")),
        (b'{"response":{"status":"OK","transactionId":"a b"}}', Seen(200, "json", accepted=True, id="a b")),
        (b'{"response":{"status":"ERROR_5"}}', Seen(200, "json", accepted=False, error=5, code="5")),
        (
            b"<response><status>ERROR_5</status></response>",
            Seen(200, "xml", accepted=False, error=5, code="5"),
        ),
        (b"<response><status>OK</status></response>", Seen(200, "xml", accepted=True)),
        (b'{"response":[]}', Seen(200, "json", accepted=False)),
        (b"{", Seen(200, "json", accepted=False)),
        (b"\xff\xfe\x00", Seen(200, "text", accepted=False)),
        (b"<html>ERROR_5</html>", Seen(200, "text", accepted=False)),
        (b"", Seen(200, "text", accepted=False)),
    ],
)
def test_an_answer_is_read_in_each_of_its_forms(body: bytes, expected: Seen) -> None:
    assert seen(Answer(200, {}, body, is_closed=True)) == expected
