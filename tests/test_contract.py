"""The contract's data: every exchange replayed over a real socket, and no part without one."""

import json
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox import contract, exchanges
from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.contract import CONTRACT, error_codes, load_yaml, reading_rows, readings
from sandbox.core.model import Change, Status
from sandbox.core.parameters import PARAMETERS
from sandbox.core.report import compose
from sandbox.errors import ConfigError
from sandbox.examples import (
    NOW,
    Answer,
    Outcome,
    Server,
    Verdict,
    exchange,
    own_server,
    replay,
    run_all,
    to_http,
)
from sandbox.exchanges import Example, Expected, Given, load_examples, needs
from sandbox.serving import serving
from sandbox.web.send import PATHS
from sandbox.web.wire import read_call
from tests.worlds import REPORTED, world

Judge = Callable[[Example], Verdict]

SAMPLES = {
    "sample-url",
    "sample-php-post",
    "sample-python-post",
    "sample-javascript-post",
    "answer-text",
    "answer-json",
    "answer-xml",
    "error-is-bare-text",
    "sample-destination-encoded",
    "sample-flash",
    "sample-spanish",
    "confirmation-with-a-callback-url",
    "sample-schedule-parameter",
    "sample-validity-parameter",
    "sample-schedule-url",
    "sample-otp",
    "sample-order",
    "sample-schedule",
    "sample-campaign",
    "sample-url-encoding-table",
}
"""What the API reference shows of the endpoint, from its top to its end."""


def named(name: str) -> Example:
    return next(example for example in load_examples() if example.name == name)


def parameters_of(example: Example) -> set[str]:
    request = example.request
    query = request.target.partition("?")[2].encode()
    content_type = request.headers.get("Content-Type", "")
    call = read_call(request.method, "/", query, content_type, request.body, readings())
    return set(call.parameters)


# -- every exchange ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with own_server() as judge:
        yield judge


@pytest.mark.parametrize("example", load_examples(), ids=lambda example: example.name)
def test_the_sandbox_answers_as_the_example_says(example: Example, judge: Judge) -> None:
    verdict = judge(example)
    assert verdict.outcome is Outcome.PASSED, verdict.why
    assert verdict.answer is not None
    if not example.expected.closes:
        assert re.fullmatch("r[1-9][0-9]*", verdict.answer.headers["x-sandbox-request-id"])


@pytest.mark.parametrize(
    ("reading", "value"),
    [(row.id, value) for row in reading_rows() if row.subject != "reports" for value in row.alternatives],
)
def test_each_other_reading_has_an_example_that_the_default_fails(
    reading: str, value: str, judge: Judge
) -> None:
    examples = [
        example for example in load_examples() if (example.given.readings or {}).get(reading) == value
    ]
    without = [replace(example, given=replace(example.given, readings=None)) for example in examples]
    assert Outcome.FAILED in {judge(example).outcome for example in without}


@pytest.mark.parametrize("row", error_codes(), ids=lambda row: str(row.code))
def test_each_error_code_is_earned_by_its_own_example(row: contract.ErrorCode, judge: Judge) -> None:
    request = named("error-5-destination").request
    parameters = {"user": "me@example.com", "apiKey": "key", **row.example}
    body = json.dumps(parameters).encode()
    asked = replace(
        request, method="POST", target=PATHS[0], headers={"Content-Type": "application/json"}, body=body
    )
    verdict = judge(Example("", "", "", Given(), asked, Expected(body=f"ERROR_{row.code}")))
    assert verdict.outcome is Outcome.PASSED, verdict.why


# -- all of them together ------------------------------------------------------------------------------------


def test_there_are_many_examples_each_with_a_name_of_its_own() -> None:
    names = Counter(example.name for example in load_examples())
    assert len(names) >= 80
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch("[a-z0-9]+([.-][a-z0-9]+)*", name)] == []


def test_every_example_says_where_it_comes_from() -> None:
    assert [example.name for example in load_examples() if len(example.source) < 10] == []


def test_every_sample_of_the_reference_is_there_in_its_own_words() -> None:
    quoted = {example.name for example in load_examples() if example.source.startswith('"')}
    assert quoted >= SAMPLES


def test_every_error_code_is_expected_by_an_example_that_quotes_its_row() -> None:
    expected = {(example.expected.error, example.source) for example in load_examples()}
    assert {(row.code, f'"{row.description}"') for row in error_codes()} <= expected


def test_every_parameter_and_path_is_used() -> None:
    assert {name for example in load_examples() for name in parameters_of(example)} >= PARAMETERS
    assert {example.request.target.partition("?")[0] for example in load_examples()} >= set(PATHS)


def test_there_are_fifteen_error_codes_in_order() -> None:
    assert [row.code for row in error_codes()] == list(range(1, 16))
    for row in error_codes():
        assert "" not in {row.description, row.solution, row.fails_when, row.provoke}


# -- reading the files ---------------------------------------------------------------------------------------

EXCHANGE: dict[str, Any] = {
    "name": "x",
    "rule": "a rule",
    "request": {"path": "/"},
    "expect": {"body": "OK_1"},
}


def loaded(monkeypatch: pytest.MonkeyPatch, folder: Path, node: dict[str, Any]) -> Example:
    """Return the one exchange of a folder of its own."""
    (folder / "examples").mkdir()
    (folder / "examples" / "one.yaml").write_text(json.dumps([node]), "utf-8")
    monkeypatch.setattr(exchanges, "CONTRACT", folder)
    (example,) = load_examples.__wrapped__()
    return example


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"expects": {}}, "one.yaml: x: unknown expects"),
        ({"given": {"clock": "2024"}}, "one.yaml: x: unknown clock"),
        ({"given": {"before": [{"url": "/"}]}}, "one.yaml: x: unknown url"),
        ({"request": {"path": "/", "data": "a"}}, "one.yaml: x: unknown data"),
        ({"expect": {"text": "OK_1"}}, "one.yaml: x: unknown text"),
        ({"says": "a sentence"}, "one.yaml: x: one of says and rule"),
        ({"request": {"form": {}, "json": {}}}, "one.yaml: x: one body, "),
        ({"request": {"target": "/?a", "query": {}}}, "one.yaml: x: one body, "),
    ],
)
def test_a_mistake_in_a_file_is_named(
    wrong: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        loaded(monkeypatch, tmp_path, {**EXCHANGE, **wrong})


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
HEAD = " HTTP/1.1\r\nHost: host:80\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("request_node", "octets"),
    [
        ({"query": {"to": "+1 2"}}, f"GET /base/sendMtSms.php?to=%2B1%202{HEAD}\r\n"),
        (
            {"path": "/x", "query": {"m": ["a", {"repeat": "é", "times": 2}]}},
            f"GET /base/x?m=a%C3%A9%C3%A9{HEAD}\r\n",
        ),
        ({"target": "/x?a=+%"}, f"GET /base/x?a=+%{HEAD}\r\n"),
        ({"method": "POST", "path": "/"}, f"POST /base/{HEAD}Content-Length: 0\r\n\r\n"),
        (
            {"path": "/", "form": {"to": "+1"}},
            f"POST /base/{HEAD}Content-Type: {FORM}\r\nContent-Length: 7\r\n\r\nto=%2B1",
        ),
        (
            {"path": "/", "json": {"a": [1, None, "é"]}},
            f'POST /base/{HEAD}Content-Type: {JSON}\r\nContent-Length: 22\r\n\r\n{{"a": [1, null, "é"]}}',
        ),
        (
            {"path": "/", "headers": {"Content-Type": "x/y"}, "body_hex": "41"},
            f"POST /base/{HEAD}Content-Type: x/y\r\nContent-Length: 1\r\n\r\nA",
        ),
        ({"raw": "anything"}, "anything"),
        ({"raw_hex": "0A"}, "\n"),
    ],
)
def test_a_request_is_written_octet_by_octet(
    request_node: dict[str, Any], octets: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    example = loaded(monkeypatch, tmp_path, {**EXCHANGE, "request": request_node})
    assert to_http(example.request, Server("host", 80, "/base")) == octets.encode()


def test_what_a_running_server_cannot_be_given_is_named() -> None:
    given = Given(now=NOW, accounts=("any",), readings={"errors": "envelope"})
    assert needs(replace(named("answer-text"), given=given)) == ("clock", "accounts", "readings")
    assert needs(named("transaction-id-need-not-be-unique")) == ()


# -- judging an answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrong", "why"),
    [
        ("answer-text", {"status": 400}, "the status is 200, not 400"),
        (
            "answer-text",
            {"media_type": "application/json"},
            "the Content-Type is text/plain; charset=utf-8, not app",
        ),
        ("answer-text", {"body": "OK_1"}, 'the body is "OK_1234569", not "OK_1"'),
        ("answer-text", {"body_matches": "OK_"}, 'the body is "OK_1234569", which does not match OK_'),
        ("answer-text", {"headers": {"Allow": "GET"}}, "Allow is absent, not GET"),
        ("answer-text", {"hint_has": "odd"}, "X-Sandbox-Hint is absent"),
        ("answer-text", {"body": None, "status": 405}, "X-Sandbox-Error is absent"),
        ("callback-url-unusable", {"hint_has": None}, "X-Sandbox-Hint is there: no report will be sent"),
        ("error-is-bare-text", {"error_has": "blank"}, "which does not say 'blank'"),
        (
            "error-is-bare-text",
            {"body": None, "body_matches": "ERROR_."},
            "X-Sandbox-Error is there: to has letter",
        ),
    ],
)
def test_an_answer_that_differs_fails_the_example(
    name: str, wrong: dict[str, Any], why: str, judge: Judge
) -> None:
    example = named(name)
    verdict = judge(replace(example, expected=replace(example.expected, **wrong)))
    assert verdict.outcome is Outcome.FAILED
    assert why in (verdict.why or "")
    assert verdict.line == f"FAILED   {name}: {verdict.why}"


def test_a_connection_that_stays_open_fails_an_example_that_closes_it(judge: Judge) -> None:
    example = named("not-http")
    raw = b"GET /sendMtSms.php HTTP/1.1\r\nHost: localhost\r\n\r\n"
    kept = replace(example, request=replace(example.request, raw=raw))
    assert "the connection stays open" in (judge(kept).why or "")


def answered(octets: bytes, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Return the verdict on a server that sends these octets, whatever it is asked, and resets."""

    def connect(_: Server) -> socket.socket:
        here, there = socket.socketpair()
        here.send(b"unread, so that closing resets")
        there.sendall(octets)
        there.close()
        return here

    monkeypatch.setattr(Server, "connect", connect)
    return replay(named("answer-text"), Server("localhost", 80))


def test_an_answer_counts_although_the_connection_is_reset_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nOK_1234569"
    verdict = answered(octets, monkeypatch)
    assert verdict.outcome is Outcome.PASSED, verdict.why
    assert verdict.answer is not None
    assert verdict.answer.is_closed


def test_an_answer_that_is_not_utf_8_fails_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin-1\r\n"
    verdict = answered(head + b"Content-Length: 10\r\n\r\nOK_1234569", monkeypatch)
    assert verdict.why == "the Content-Type is text/plain; charset=latin-1, not UTF-8"


def test_an_answer_that_is_no_http_fails_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = answered(b"OK_1234569\r\n", monkeypatch)
    assert (verdict.why or "").startswith("no answer: OK_1234569")


def test_every_fault_of_an_answer_is_said(judge: Judge) -> None:
    example = named("answer-text")
    verdict = judge(replace(example, expected=replace(example.expected, status=500, body="OK")))
    assert verdict.why is not None
    assert [part.partition(" is ")[0] for part in verdict.why.split("; ")[:2]] == ["the status", "the body"]


# -- a server at an address -----------------------------------------------------------------------------------


def test_without_a_server_every_example_is_run() -> None:
    verdicts: list[Verdict] = []
    run_all(verdicts.append)
    assert [verdict.example for verdict in verdicts] == list(load_examples())
    assert {verdict.outcome for verdict in verdicts} == {Outcome.PASSED}


def test_a_server_that_went_away_fails() -> None:
    with serving(create_app()) as url:
        server = Server.at(url)
    verdict = replay(named("answer-text"), server)
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.why or "").startswith("no answer: ")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://localhost", "--base-url ftp://localhost does not begin with http"),
        ("http://localhost/?a=b", "--base-url ends with its path: leave out what begins with [?] or #"),
        ("http://localhost/#a", "--base-url ends with its path"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Server.at(url)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("http://127.0.0.1:7670", Server("127.0.0.1", 7670)),
        ("http://localhost/s/test-7/", Server("localhost", 80, "/s/test-7")),
        ("https://[::1]", Server("::1", 443, "", is_tls=True)),
        ("http://localhost:80/s/a/httpinput/sendMtSms.php", Server("localhost", 80, "/s/a")),
    ],
)
def test_a_base_url_names_host_port_and_path(url: str, server: Server) -> None:
    assert Server.at(url) == server


def test_a_refused_method_submits_nothing() -> None:
    app = create_app(clock=VirtualClock(NOW))
    with serving(app) as url:
        for example in load_examples():
            if example.expected.status == 405:
                answer = exchange(example.request, Server.at(url))
                assert isinstance(answer, Answer)
    assert list(app.state.engine.store.messages()) == []


# -- reports -------------------------------------------------------------------------------------------------


def report_schema() -> Any:
    return json.loads((CONTRACT / "dlr.schema.json").read_text("utf-8"))


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(report_schema(), format_checker=jsonschema.FormatChecker())


def test_the_schema_of_reports_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("report", report_schema()["examples"])
def test_every_example_of_a_report_is_valid(report: Any) -> None:
    validator().validate(report)


@pytest.mark.parametrize("status", [status for status in Status if status not in {"scheduled", "pending"}])
@pytest.mark.parametrize("code", [None, 11, 999])
@pytest.mark.parametrize("chosen", [{}, {"dlr_status_case": "upper"}, {"dlr_error_code": "string"}])
def test_every_report_has_the_members_of_the_schema_in_their_order(
    status: Status, code: int | None, chosen: dict[str, str]
) -> None:
    message = world().accept(REPORTED)
    change = Change(at=NOW, status=status, send_at=NOW, error_code=code)
    descriptions = {row.code: row.description for row in error_codes()}
    _, _, body = compose(
        message, change, "http://localhost/", readings=readings(chosen), descriptions=descriptions
    )
    report = json.loads(body or "")
    validator().validate(report)
    assert list(report) == list(report_schema()["properties"]) == report_schema()["required"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"extra": 1},
        {"timestamp": "2024-01-15 10:30:45"},
        {"timestamp": "2024-01-15T10:30:45+00:00"},
        {"destination": "1222333444"},
        {"transactionId": 1234569},
        {"status": ""},
        {"errorCode": "eleven"},
        {"errorDescription": 11},
    ],
)
def test_a_report_that_differs_is_not_valid(wrong: dict[str, Any]) -> None:
    assert not validator().is_valid({**report_schema()["examples"][0], **wrong})


def test_a_report_without_one_of_its_members_is_not_valid() -> None:
    report = report_schema()["examples"][0]
    for name in report:
        assert not validator().is_valid({key: value for key, value in report.items() if key != name})


# -- readings.yaml -------------------------------------------------------------------------------------------


def test_every_file_of_the_contract_is_read_by_these_tests() -> None:
    files = {path.name for path in CONTRACT.iterdir()}
    data = {"error-codes.yaml", "readings.yaml", "openapi.yaml", "dlr.schema.json", "tells.yaml", "examples"}
    assert files == data | {"README.md"}
    assert all(load_yaml(path) for path in (CONTRACT / "examples").iterdir())


def test_examples_with_a_moment_say_which_in_utc() -> None:
    moments = [example.given.now for example in load_examples() if example.given.now is not None]
    assert len(moments) >= 20
    assert {moment.utcoffset() for moment in moments} == {timedelta(0)}
    assert datetime(2024, 1, 10, 12, tzinfo=UTC) in moments
