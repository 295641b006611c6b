"""Whatever comes in: a documented status, a documented body, never an exception, never a 5xx."""

import asyncio
import json
import re
from typing import NamedTuple
from urllib.parse import quote, urlencode
from xml.sax.saxutils import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Scope

from sandbox import contract
from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.parameters import PARAMETERS
from sandbox.core.scenario import Scenario
from sandbox.web.send import PATHS
from tests import strategies
from tests.worlds import NOON, REPORTED, VALID, FakeCarrier

CODES = "|".join(str(row.code) for row in contract.error_codes())


class Said(NamedTuple):
    """An answer as it goes on the wire."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


def ask(
    app: ASGIApp,
    method: str = "GET",
    path: str = PATHS[0],
    query: bytes = b"",
    *,
    content_type: bytes | None = None,
    pieces: tuple[bytes, ...] = (b"",),
) -> Said:
    """Return what the application says to one request; an exception comes through."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 7670),
        "method": method,
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1")]
        + ([] if content_type is None else [(b"content-type", content_type)]),
    }
    incoming = iter(
        {"type": "http.request", "body": piece, "more_body": place < len(pieces)}
        for place, piece in enumerate(pieces, 1)
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(incoming)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(run(app, scope, receive, send))
    start, *rest = sent
    return Said(
        start["status"], dict(start["headers"]), b"".join(message.get("body", b"") for message in rest)
    )


async def run(app: ASGIApp, *arguments: object) -> None:
    await app(*arguments)  # type: ignore[arg-type]


def application(**readings: str) -> ASGIApp:
    return create_app(
        Config(readings=readings),
        scenario=Scenario(name="test"),
        clock=VirtualClock(NOON),
        carrier=FakeCarrier(),
    )


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    """An application that all examples of a test share; what one leaves behind must not hurt the next."""
    return application()


TEXT, JSON, XML = (
    f"{kind}; charset=utf-8".encode() for kind in ("text/plain", "application/json", "application/xml")
)
SUCCESS = {
    TEXT: re.compile(r"OK_(.+)", re.DOTALL),
    JSON: re.compile(r'\{"response":\{"status":"OK","transactionId":(".+")\}\}', re.DOTALL),
    XML: re.compile(
        r"<response><status>OK</status><transactionId>(.+)</transactionId></response>", re.DOTALL
    ),
}
REFUSAL = {
    TEXT: re.compile(rf"ERROR_(?:{CODES})"),
    JSON: re.compile(rf'\{{"response":\{{"status":"ERROR_(?:{CODES})"\}}\}}'),
    XML: re.compile(rf"<response><status>ERROR_(?:{CODES})</status></response>"),
}


def check_documented(said: Said, method: str) -> None:
    """Fail unless an answer of the endpoint is one that the contract knows."""
    for name in (b"x-sandbox-error", b"x-sandbox-hint"):
        value = said.headers.get(name, b"none").decode("ascii")
        assert value.isprintable()
        assert value == value.strip()
        assert 0 < len(value) <= 1000
    assert re.fullmatch(rb"r[1-9][0-9]*", said.headers[b"x-sandbox-request-id"])
    assert said.headers[b"content-length"] == b"%d" % len(said.body)
    body = said.body.decode()
    if method not in {"GET", "POST"}:
        assert (said.status, said.headers[b"allow"], body) == (405, b"GET, POST", "Method Not Allowed")
        return
    kind = said.headers[b"content-type"]
    if said.status == 413:
        assert body == "ERROR_8"
        return
    assert said.status == 200
    if REFUSAL[kind].fullmatch(body):
        assert b"x-sandbox-error" in said.headers
        return
    found = SUCCESS[kind].fullmatch(body)
    assert found is not None, body
    assert {TEXT: found[1], JSON: kind == JSON and json.loads(found[1]), XML: unescape(found[1])}[kind]


methods = st.sampled_from(["GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "BREW"])
query_fields = st.lists(
    st.tuples(strategies.names.map(str.encode) | st.binary(max_size=8), strategies.telling_octets),
    max_size=12,
)
queries = st.binary(max_size=300) | query_fields.map(
    lambda fields: b"&".join(b"%s=%s" % field for field in fields)
)
likely_queries = query_fields.map(
    lambda fields: b"&".join([urlencode(VALID).encode(), *(b"%s=%s" % field for field in fields)])
)
content_types = (
    st.none()
    | st.sampled_from(
        [
            b"application/json",
            b"application/x-www-form-urlencoded",
            b"multipart/form-data; boundary=b",
            b"multipart/form-data",
            b"text/plain",
            b"a/b+json",
        ]
    )
    | st.binary(max_size=40)
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | strategies.readable_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
json_bodies = st.builds(
    lambda base, members: json.dumps({**base, **members}).encode(),
    st.sampled_from([{}, dict(VALID), dict(REPORTED)]),
    st.dictionaries(strategies.names | st.text(st.characters(), max_size=5), json_values, max_size=8),
)
pieces = st.lists(
    st.binary(max_size=100) | json_bodies | queries | likely_queries, min_size=1, max_size=3
).map(tuple)


@given(st.tuples(methods, st.sampled_from(PATHS), queries | likely_queries, content_types, pieces))
@example(("POST", PATHS[0], b"", b"application/json", (b"[" * 5_000,)))
@example(("POST", PATHS[0], b"", b"application/json", (b'{"a":' * 5_000,)))
@example(("POST", PATHS[0], b"", b"application/json", (b'{"to":NaN}',)))
@example(("POST", PATHS[0], b"", b"application/json", (b'{"dcs":1' + b"0" * 60_000 + b"}",)))
@example(("POST", PATHS[0], b"", b"application/json", (b"{" * 70_000,)))
@example(("POST", PATHS[0], b"", b"application/json", tuple([b"x" * 60_000] * 30)))
@example(("POST", PATHS[0], b"", b"application/json", (b'{"\\ud800":[],"user":"\\udfff"}',)))
@example(("POST", PATHS[0], b"", b"multipart/form-data; boundary=b", (b"--b\r\n" * 5_000,)))
@example(("POST", PATHS[0], b"", b"\xff" * 10_000, (b"{}",)))
@example(("GET", PATHS[0], b"%00=%00&" * 5_000, None, (b"",)))
@example(("GET", PATHS[0], b"to=" + b"%" * 60_000, None, (b"",)))
def test_any_request_gets_a_documented_answer(
    app: ASGIApp, asked: tuple[str, str, bytes, bytes | None, tuple[bytes, ...]]
) -> None:
    method, path, query, content_type, pieces = asked
    check_documented(ask(app, method, path, query, content_type=content_type, pieces=pieces), method)


@given(
    st.dictionaries(st.sampled_from(sorted(PARAMETERS)), json_values | strategies.readable_text, max_size=10)
)
def test_any_json_members_beside_valid_ones_get_a_documented_answer(
    app: ASGIApp, members: dict[str, object]
) -> None:
    body = json.dumps({**REPORTED, **members}).encode()
    check_documented(ask(app, "POST", content_type=b"application/json", pieces=(body,)), "POST")


@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)), strategies.telling_octets, max_size=10))
def test_any_values_beside_valid_ones_get_a_documented_answer(app: ASGIApp, values: dict[str, bytes]) -> None:
    query = b"&".join(
        [urlencode(REPORTED).encode(), *(b"%s=%s" % (name.encode(), value) for name, value in values.items())]
    )
    check_documented(ask(app, query=query), "GET")


# Applications of another mind on everything but how an error is spelled.
OTHER_MINDS = {
    "last": {row.id: row.values[-1] for row in contract.reading_rows()},
    "second": {row.id: row.values[min(1, len(row.values) - 1)] for row in contract.reading_rows()},
}


@pytest.fixture(scope="module", params=list(OTHER_MINDS))
def other_app(request: pytest.FixtureRequest) -> ASGIApp:
    readings = {**OTHER_MINDS[request.param], "error_http_status": "200", "error_code": "plain"}
    return application(**readings)


@given(queries | likely_queries, content_types, pieces)
def test_no_reading_makes_an_answer_undocumented(
    other_app: ASGIApp, query: bytes, content_type: bytes | None, pieces: tuple[bytes, ...]
) -> None:
    said = ask(other_app, "POST", PATHS[0], query, content_type=content_type, pieces=pieces)
    check_documented(said, "POST")


# -- the control API ------------------------------------------------------------------------------------


def check_control(said: Said, method: str) -> None:
    """Fail unless an answer is a page, a file of one, JSON, or a problem document."""
    assert said.status in {200, 404, 405, 422}
    if method == "HEAD" and not said.body:
        return
    if said.headers[b"content-type"].startswith((b"text/", b"image/")):
        return
    document = json.loads(said.body)
    if said.status == 200:
        assert said.headers[b"content-type"] == b"application/json"
        return
    assert said.headers[b"content-type"] == b"application/problem+json"
    assert set(document) >= {"type", "title", "status", "detail"}
    assert document["status"] == said.status
    assert document["detail"]
    if said.status == 405:
        assert b"allow" in said.headers


segments = st.sampled_from(
    [
        "health",
        "messages",
        "latest",
        "m1",
        "m0",
        "m99999999999999999999",
        "requests",
        "r1",
        "callbacks",
        "reset",
        "",
        "..",
        "*",
    ]
) | st.text(max_size=10)
paths = st.lists(segments, max_size=4).map(lambda names: "/".join(["/_sandbox", *names])) | st.text(
    max_size=20
).map("/".__add__)
control_queries = st.binary(max_size=60) | st.dictionaries(
    st.sampled_from(["to", "user", "status", "text", "limit", "after", "error", "transactionId", "limits"]),
    strategies.readable_text | st.sampled_from(["1", "0", "-1", "1e3", "٣", "m1", "r1", "9" * 30, " 1"]),
    max_size=3,
).map(lambda fields: urlencode(fields).encode())


@pytest.fixture(scope="module")
def used_app() -> ASGIApp:
    """An application to which odd things have already been sent."""
    app = application()
    for body in (
        json.dumps({**VALID, "dcs": "8", "message": "\U0001f600\x00", "transactionId": "€"}).encode(),
        b'{"\\ud800": "\\ud800", "to": ["x"], "apikey": "\\udfff"}',
        json.dumps({**VALID, "udh": "0100", "callbackUrl": "http://[", "confirmation": "1"}).encode(),
        json.dumps({**VALID, "dcs": "4", "message": "\xff", "udh": "050003CC0201"}).encode(),
        b"\xff",
    ):
        ask(app, "POST", content_type=b"application/json", pieces=(body,))
    ask(app, query=b"%FF=%FF&user=%FF&to=%ED%A0%80")
    return app


def test_odd_requests_can_be_shown(used_app: ASGIApp) -> None:
    for name in ("messages", "requests", "callbacks"):
        said = ask(used_app, path=f"/_sandbox/{name}")
        assert said.status == 200
        assert json.loads(said.body)[name] or name == "callbacks"


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]),
    paths,
    control_queries,
)
@example("GET", "*", b"")
@example("GET", "", b"")
@example("GET", "/_sandbox/messages/", b"")
@example("GET", "/_sandbox/messages/m1", b"a=%ED%A0%80")
def test_any_other_path_and_query_gets_a_page_json_or_a_problem(
    used_app: ASGIApp, method: str, path: str, query: bytes
) -> None:
    if path not in PATHS:
        check_control(ask(used_app, method, path, query), method)
