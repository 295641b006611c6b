"""The endpoint from outside: through ASGI where octets do not matter, over real sockets where they do."""

import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest
from starlette.types import Message, Receive, Scope

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.model import Account, Accounts, RateLimit
from sandbox.core.scenario import Scenario
from sandbox.serving import serving
from sandbox.web.send import PATHS
from sandbox.web.wire import BODY_LIMIT
from tests.worlds import NOON, USER, VALID, FakeCarrier

pytestmark = pytest.mark.anyio

PATH = PATHS[0]
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def client(
    *accounts: Account, readings: Mapping[str, str] | None = None, has_sandbox_headers: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a fresh application, in which only the *accounts* may send, or anyone without any."""
    listed = {account.user: account for account in accounts}
    app = create_app(
        Config(readings=readings or {}, has_sandbox_headers=has_sandbox_headers),
        scenario=Scenario(name="test", accounts=Accounts(listed, anyone=not accounts)),
        clock=VirtualClock(NOON),
        carrier=FakeCarrier(),
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as session:
        yield session


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in VALID.items() if key != name}


# -- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sendMtSms.php", "/httpinput/sendMtSms.php"])
@pytest.mark.parametrize("way", ["get", "query of a post", "form", "json", "multipart"])
async def test_both_paths_take_every_way_of_sending(path: str, way: str) -> None:
    request: dict[str, Any] = {
        "get": {"method": "GET", "params": VALID},
        "query of a post": {"method": "POST", "params": VALID},
        "form": {"method": "POST", "data": dict(VALID)},
        "json": {"method": "POST", "json": dict(VALID)},
        "multipart": {
            "method": "POST",
            "files": {name: (None, value.replace("+", "%2B")) for name, value in VALID.items()},
        },
    }[way]
    async with client() as session:
        answer = await session.request(url=path, **request)
    assert answer.status_code == 200
    assert answer.text == (
        '{"response":{"status":"OK","transactionId":"1000001"}}' if way == "json" else "OK_1000001"
    )


@pytest.mark.parametrize(
    ("wanted", "content_type", "body"),
    [
        (None, "text/plain; charset=utf-8", "OK_öl<&>"),
        ("json", "application/json; charset=utf-8", '{"response":{"status":"OK","transactionId":"öl<&>"}}'),
        ("JSON", "application/json; charset=utf-8", '{"response":{"status":"OK","transactionId":"öl<&>"}}'),
        (
            "xml",
            "application/xml; charset=utf-8",
            "<response><status>OK</status><transactionId>öl&lt;&amp;&gt;</transactionId></response>",
        ),
        ("text", "text/plain; charset=utf-8", "OK_öl<&>"),
    ],
)
async def test_answers_in_the_format_asked_for(wanted: str | None, content_type: str, body: str) -> None:
    asked = {**VALID, "transactionId": "öl<&>", **({"responseType": wanted} if wanted else {})}
    async with client() as session:
        answer = await session.get(PATH, params=asked)
    assert answer.headers["Content-Type"] == content_type
    assert answer.content == body.encode()
    assert answer.headers["Content-Length"] == str(len(answer.content))


async def test_what_a_json_request_is_answered_without_a_response_type() -> None:
    for readings, body in (
        ({}, '{"response":{"status":"OK","transactionId":"t"}}'),
        ({"json_post_default": "text"}, "OK_t"),
    ):
        async with client(readings=readings) as session:
            answer = await session.post(PATH, json={**VALID, "transactionId": "t"})
        assert answer.text == body


@pytest.mark.parametrize("wanted", ["json", "xml", "text"])
async def test_an_error_is_bare_whatever_the_format(wanted: str) -> None:
    async with client() as session:
        answer = await session.post(PATH, json={**VALID, "to": "recipient", "responseType": wanted})
    assert (answer.status_code, answer.text) == (200, "ERROR_5")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("parameters", "readings", "status", "body"),
    [
        ({"to": "x"}, {"error_code": "padded"}, 200, "ERROR_005"),
        ({"to": "x"}, {"error_http_status": "4xx"}, 400, "ERROR_5"),
        ({"apiKey": ""}, {"error_http_status": "4xx"}, 401, "ERROR_2"),
        ({"user": ""}, {"error_http_status": "4xx"}, 401, "ERROR_1"),
        (
            {"to": "x", "responseType": "json"},
            {"errors": "envelope"},
            200,
            '{"response":{"status":"ERROR_5"}}',
        ),
        (
            {"to": "x", "responseType": "xml"},
            {"errors": "envelope", "error_code": "padded"},
            200,
            "<response><status>ERROR_005</status></response>",
        ),
        ({"to": "x"}, {"errors": "envelope"}, 200, "ERROR_5"),
    ],
)
async def test_readings_of_errors(
    parameters: dict[str, str], readings: dict[str, str], status: int, body: str
) -> None:
    async with client(readings=readings) as session:
        answer = await session.get(PATH, params={**VALID, **parameters})
    assert (answer.status_code, answer.text) == (status, body)


async def test_the_statuses_of_limits_by_reading() -> None:
    poor = Account(user="poor", api_key="key", balance=0)
    hasty = Account(user="hasty", api_key="key", rate_limit=RateLimit(1, 60.0))
    async with client(poor, hasty, readings={"error_http_status": "4xx"}) as session:
        unpaid = await session.get(PATH, params={**VALID, "user": "poor"})
        statuses = [
            (await session.get(PATH, params={**VALID, "user": "hasty"})).status_code for _ in range(2)
        ]
    assert (unpaid.status_code, unpaid.text) == (402, "ERROR_9")
    assert statuses == [200, 429]


# -- the sandbox's own headers --------------------------------------------------------------------------


async def test_every_answer_has_its_request_s_id() -> None:
    async with client() as session:
        answers = [await session.get(PATH), await session.put(PATH), await session.get(PATH, params=VALID)]
    assert [answer.headers["X-Sandbox-Request-Id"] for answer in answers] == ["r1", "r2", "r3"]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        (
            {**without("apiKey"), "apikey": "k"},
            "apiKey is missing; apikey was sent, names are case-sensitive",
        ),
        (
            {**VALID, "dcs": "1", "message": "a" * 11 + "€" + "a" * 148},
            "message has 161 septets, room for 160: U+20AC at position 12 costs 2",
        ),
        ({**VALID, "to": " 1222333444"}, "to begins with a blank: an unencoded + becomes a blank, send %2B"),
        ({**VALID, "to": "+1222\r\nX-Evil: 1"}, "to has U+000D at position 6: digits only after the +"),
        ({**VALID, "user": ""}, "user is empty"),
    ],
)
async def test_an_error_says_why(parameters: dict[str, str], error: str) -> None:
    async with client() as session:
        answer = await session.get(PATH, params=parameters)
    assert answer.headers["X-Sandbox-Error"] == error


async def test_an_accepted_message_has_no_error_header() -> None:
    async with client() as session:
        answer = await session.get(PATH, params=VALID)
    assert "X-Sandbox-Error" not in answer.headers
    assert "X-Sandbox-Hint" not in answer.headers


@pytest.mark.parametrize("to", ["+1222333444", "recipient"])
async def test_accepted_and_refused_alike_have_their_hints(to: str) -> None:
    odd = {**VALID, "to": to, "senderId": "", "apikey": "x", "responseType": "yaml"}
    del odd["apikey"]
    async with client() as session:
        answer = await session.get(PATH, params={**odd, "Dcs": "8"})
    assert answer.headers["X-Sandbox-Hint"] == (
        "Dcs is ignored: dcs is meant, names are case-sensitive; "
        "responseType yaml counts as absent: it is json or xml; senderId is empty and counts as absent"
    )


async def test_other_characters_are_written_as_their_code_points_in_headers() -> None:
    async with client() as session:
        answer = await session.get(PATH, params={**VALID, "confirmation": "sí\n€"})
    assert answer.headers["X-Sandbox-Hint"] == (
        "confirmation sU+00EDU+000AU+20AC counts as false: send true or false"
    )


async def test_headers_stay_short_whatever_is_sent() -> None:
    many: dict[str, list[str]] = {f"a{number}": [] for number in range(2000)}
    async with client() as session:
        answer = await session.post(PATH, json={**VALID, **many, "to": "x" * 9000})
    assert len(answer.headers["X-Sandbox-Hint"]) <= 1000
    assert len(answer.headers["X-Sandbox-Error"]) <= 1000


async def test_the_headers_can_be_turned_off() -> None:
    async with client(has_sandbox_headers=False) as session:
        answers = [
            await session.get(PATH),
            await session.put(PATH),
            await session.get(PATH, params={**VALID, "dcs": ""}),
        ]
    assert [answer.text for answer in answers] == ["ERROR_1", "Method Not Allowed", "OK_1000001"]
    assert not [name for answer in answers for name in answer.headers if name.startswith("x-sandbox")]


# -- methods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
async def test_other_methods_are_405_and_submit_nothing(method: str, path: str) -> None:
    async with client() as session:
        answer = await session.request(method, path, params=VALID)
        counts = (await session.get("/_sandbox/health")).json()["counts"]
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert answer.headers["X-Sandbox-Error"] == f"{method} is not allowed: send GET or POST"
    assert (counts["messages"], counts["requests"]) == (0, 1)


# -- bodies ---------------------------------------------------------------------------------------------


async def test_a_body_that_cannot_be_read_is_8_before_any_check() -> None:
    async with client() as session:
        answer = await session.post(PATH, content=b'{"user": ', headers=JSON)
    assert (answer.status_code, answer.text) == (200, "ERROR_8")
    assert answer.headers["X-Sandbox-Error"].startswith("the body cannot be read as JSON: ")


@pytest.mark.parametrize(
    ("size", "status", "text"), [(BODY_LIMIT, 200, "ERROR_13"), (BODY_LIMIT + 1, 413, "ERROR_8")]
)
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_may_have_64_kib(size: int, status: int, text: str, *, is_chunked: bool) -> None:
    body = urlencode(VALID).encode()
    body += b"a" * (size - len(body))

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 10_000):
            yield body[start : start + 10_000]

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with client() as session:
        answer = await session.post(PATH, content=chunks() if is_chunked else body, headers=form)
    assert (answer.status_code, answer.text) == (status, text)


@pytest.mark.parametrize("readings", [{}, {"error_http_status": "4xx"}])
async def test_too_large_a_body_is_413_by_any_reading(readings: dict[str, str]) -> None:
    async with client(readings=readings) as session:
        answer = await session.post(PATH, content=b"{" * 70_000, headers=JSON)
    assert (answer.status_code, answer.text) == (413, "ERROR_8")
    assert answer.headers["X-Sandbox-Error"] == "the body is over 64 KiB"


async def test_the_query_beside_too_large_a_body_is_still_read() -> None:
    async with client(readings={"errors": "envelope"}) as session:
        answer = await session.post(PATH, params={"responseType": "json"}, content=b"a" * 70_000)
    assert answer.text == '{"response":{"status":"ERROR_8"}}'


# -- ASGI itself ----------------------------------------------------------------------------------------


async def spoken(messages: list[Message], method: str = "POST") -> list[Message]:
    """Return what the application sends when it is sent these messages."""
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": PATH,
        "query_string": urlencode(VALID).encode(),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await create_app(scenario=Scenario(name="test"), clock=VirtualClock(NOON))(
        scope, receiver(messages), send
    )
    return sent


def receiver(messages: list[Message]) -> Receive:
    left = iter(messages)

    async def receive() -> Message:
        return next(left)

    return receive


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.disconnect"}],
        [{"type": "http.request", "body": b"message=Hal", "more_body": True}, {"type": "http.disconnect"}],
    ],
)
async def test_half_a_request_is_none(messages: list[Message]) -> None:
    assert await spoken(messages) == []


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.request"}],
        [{"type": "http.request", "more_body": True}, {"type": "http.request", "body": b"dcs=8"}],
        [
            {"type": "http.request", "body": b"dc", "more_body": True},
            {"type": "http.request", "body": b"s=8"},
        ],
    ],
)
async def test_a_body_may_come_in_any_pieces(messages: list[Message]) -> None:
    start, body = await spoken(messages)
    assert start["status"] == 200
    assert body["body"] == b"OK_1000001"


# -- over real sockets ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = create_app(scenario=Scenario(name="test"), carrier=FakeCarrier())
    with serving(app) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def exchanged(address: tuple[str, int], octets: bytes, *, is_half_closed: bool = False) -> bytes:
    """Return all that the server says to these octets until it closes."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(octets)
        if is_half_closed:
            connection.shutdown(socket.SHUT_WR)
        said = b""
        while more := connection.recv(65_536):
            said += more
        return said


def request(
    address: tuple[str, int],
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(*address, timeout=10)
    try:
        connection.request(method, target, body, {"Connection": "close", **(headers or {})})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "method",
    [
        "HEAD",
        "PUT",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "PATCH",
        "PROPFIND",
        "BREW",
        "get",
        "M-SEARCH",
        "CONNECT",
        "X!",
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_any_method_on_the_wire_is_405(address: tuple[str, int], method: str, path: str) -> None:
    answer, body = request(address, method, f"{path}?{urlencode(VALID)}")
    assert (answer.status, answer.getheader("Allow")) == (405, "GET, POST")
    assert answer.getheader("X-Sandbox-Error") == f"{method} is not allowed: send GET or POST"
    assert body == (b"" if method == "HEAD" else b"Method Not Allowed")


def test_a_made_up_method_leaves_the_connection_in_order(address: tuple[str, int]) -> None:
    connection = HTTPConnection(*address, timeout=10)
    statuses = []
    try:
        for method in ("BREW", "GET", "BREW", "POST"):
            connection.request(method, PATH, b"a=1" if method in {"BREW", "POST"} else None)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
    finally:
        connection.close()
    assert statuses == [405, 200, 405, 200]


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET /sendMtSms.php?message=a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /sendMtSms.php HTTP/3.7\r\nHost: x\r\n\r\n",
        b"GET /sendMtSms.php HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET /sendMtSms.php HTTP/1.1\r\n: x\r\n\r\n",
        b"B\xffEW /sendMtSms.php HTTP/1.1\r\nHost: x\r\n\r\n",
        b"(BREW) /sendMtSms.php HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /sendMtSms.php HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /sendMtSms.php HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /sendMtSms.php HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_octets_that_are_not_http_are_400_and_the_end(address: tuple[str, int], octets: bytes) -> None:
    said = exchanged(address, octets)
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"connection: close\r\n" in said


@pytest.mark.parametrize(
    "octets",
    [b"", b"GET /sendMtSms.php HT", b"POST /sendMtSms.php HTTP/1.1\r\nContent-Length: 9\r\n\r\nuser"],
)
def test_half_a_request_is_answered_nothing(address: tuple[str, int], octets: bytes) -> None:
    assert exchanged(address, octets, is_half_closed=True) == b""


@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
@pytest.mark.parametrize(
    "octets",
    [
        b"GET /sendMtSms.php HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n",
        b"POST /sendMtSms.php HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: %s\r\n\r\na=1",
    ],
)
def test_a_sender_that_closes_its_side_gets_its_answer(
    address: tuple[str, int], octets: bytes, connection: bytes
) -> None:
    for _ in range(20):
        assert exchanged(address, octets % connection, is_half_closed=True).endswith(b"\r\n\r\nERROR_1")


def test_values_may_stand_unencoded_in_the_request_line(address: tuple[str, int]) -> None:
    target = f"{PATH}?user=a&apiKey=b&to=%2B1222333444&message=Cómo"
    said = exchanged(address, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"\r\n\r\nOK_" in said
    said = exchanged(
        address, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    assert said.endswith(b"\r\n\r\nERROR_8")
    assert b"x-sandbox-error: message is not UTF-8: octet F3 at position 2; " in said


@pytest.mark.parametrize("target", [PATH, f"http://localhost{PATH}"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_forms_of_the_request_line(address: tuple[str, int], target: str, version: str) -> None:
    said = exchanged(address, f"GET {target} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert said.endswith(b"\r\n\r\nERROR_1")


@pytest.mark.parametrize("octets", [b"a", b"\xe9"])
def test_header_values_of_thousands_of_characters(address: tuple[str, int], octets: bytes) -> None:
    head = (
        b"POST /sendMtSms.php HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nContent-Type: "
    )
    said = exchanged(address, head + octets * 20_000 + b"\r\nX-Other: " + octets * 20_000 + b"\r\n\r\n{}")
    assert said.endswith(b"\r\n\r\nERROR_1")
    assert b"x-sandbox-hint: the body is ignored: its Content-Type is " in said


def test_chunked_bodies(address: tuple[str, int]) -> None:
    head = b"POST /sendMtSms.php HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/json\r\n\r\n"
    body = json.dumps(dict(VALID)).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % octet for octet in body)
    said = exchanged(address, head + chunks + b"0\r\n\r\n")
    assert b'\r\n\r\n{"response":{"status":"OK","transactionId":"' in said
    assert b" 413 " in exchanged(address, head + b"11170\r\n" + b"a" * 70_000 + b"\r\n0\r\n\r\n")


def test_an_offer_of_http_2_is_passed_over(
    address: tuple[str, int], capfd: pytest.CaptureFixture[str]
) -> None:
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAAB",
    }
    connection = HTTPConnection(*address, timeout=10)
    try:
        for _ in range(3):
            connection.request(
                "POST",
                PATH,
                urlencode(VALID),
                {"Content-Type": "application/x-www-form-urlencoded", **headers},
            )
            assert connection.getresponse().read().startswith(b"OK_")
    finally:
        connection.close()
    assert capfd.readouterr().err == ""


def test_a_body_of_a_megabyte_is_answered_413(address: tuple[str, int]) -> None:
    answer, body = request(address, "POST", PATH, b"a" * 1_000_000)
    assert (answer.status, body) == (413, b"ERROR_8")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_formatted_answers_are_well_formed(address: tuple[str, int], form: str) -> None:
    hard = 'a"b\\c</d>&amp;é€'
    _, body = request(
        address, "GET", f"{PATH}?{urlencode({**VALID, 'responseType': form, 'transactionId': hard})}"
    )
    if form == "json":
        assert json.loads(body) == {"response": {"status": "OK", "transactionId": hard}}
    else:
        assert ET.fromstring(body.decode()).findtext("transactionId") == hard  # noqa: S314 - our own XML


def test_values_reach_the_record_as_they_were_meant(address: tuple[str, int]) -> None:
    message = "Código [1] 50% + «ñ» \U0001f600 e\u0301"
    sent = {**VALID, "user": USER, "dcs": "8", "message": message, "transactionId": "as-meant"}
    request(address, "GET", f"{PATH}?{urlencode(sent)}")
    _, found = request(address, "GET", "/_sandbox/messages/latest?transactionId=as-meant")
    assert json.loads(found)["text"] == message
