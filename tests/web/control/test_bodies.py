"""Whatever is sent to any operation: an answer that is described, never an exception, never a 5xx."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sandbox.web.control import OPERATIONS
from sandbox.web.control.operation import BODY_LIMIT, Operation
from sandbox.web.control.sessions import AT_ROOT
from tests.strategies import readable_text
from tests.web.control.client import Client, problem_in, talking
from tests.worlds import REPORTED

# An endless answer, and what does nothing but wait.
PATIENT = {"/events", "/messages/wait", "/settle"}
ROOTED = [(f"/_sandbox{each.path}", each) for each in OPERATIONS if each.path not in PATIENT] + [
    (each.path, each) for each in AT_ROOT
]
TAKING = [each for each in OPERATIONS if each.method in {"POST", "PUT", "PATCH"}]


def path_of(operation: Operation) -> str:
    return f"/_sandbox{operation.path}".replace("{id}", "m1").replace("{user:path}", "x")


# -- bodies that cannot be read ------------------------------------------------------------------------

UNREADABLE = {
    "no JSON": (b"{", 400),
    "a word": (b"delivered", 400),
    "two values": (b"{} {}", 400),
    "a trailing comma": (b'{"a": 1,}', 400),
    "no number": (b'{"timeout": NaN}', 400),
    "an infinite number": (b'{"timeout": -Infinity}', 400),
    "a half character": (b'{"status": "\\ud800"}', 400),
    "a key that is half a character": (b'{"\\udfff": 1}', 400),
    "not UTF-8": (b'{"status": "\xff"}', 400),
    "UTF-16": ('{"status": "x"}'.encode("utf-16"), 400),
    "lists 5,000 deep": (b"[" * 5000 + b"]" * 5000, 400),
    "objects 5,000 deep": (b'{"a":' * 5000, 400),
    "values 25 deep": (b'{"a":' * 25 + b"1" + b"}" * 25, 400),
    "too many values": (b'{"a":[' + b",".join([b"1"] * 60_000) + b"]}", 400),
    "too large": (b'{"a":"' + b"x" * BODY_LIMIT + b'"}', 413),
}


@pytest.mark.anyio
@pytest.mark.parametrize("operation", TAKING, ids=lambda each: f"{each.method} {each.path}")
@pytest.mark.parametrize("case", list(UNREADABLE))
async def test_a_body_that_cannot_be_read_is_a_problem(operation: Operation, case: str) -> None:
    body, status = UNREADABLE[case]
    async with talking() as client:
        await client.submit(**REPORTED)
        answer = await client.request(operation.method, path_of(operation), content=body)
    if operation.has_raw_body and answer.status_code == 200:
        return  # the endpoint takes it, and that is what is explained
    problem = problem_in(answer)
    assert problem["status"] == status
    assert problem["detail"].startswith("the body ")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            b"{",
            "the body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (b"\xff", "the body is not UTF-8: octet FF at position 1"),
        (b'{"timeout": NaN}', "the body is not JSON: NaN is no number there"),
        (
            b'{\n "timeout": "\\udc00"}',
            "the body cannot be read: the text at line 2 column 13 has the unpaired surrogate U+DC00",
        ),
        (
            b"[" * 30 + b"]" * 30,
            "the body cannot be read: lists and objects stand more than 24 deep in one another",
        ),
    ],
)
async def test_what_is_wrong_with_a_body_is_said(client: Client, body: bytes, detail: str) -> None:
    problem = problem_in(await client.post("/_sandbox/settle", content=body))
    assert problem["detail"] == detail


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"", b"  \r\n", b"{}", b"\xef\xbb\xbf{}"])
async def test_an_empty_body_is_as_good_as_an_empty_object(client: Client, body: bytes) -> None:
    assert (await client.post("/_sandbox/settle", content=body)).status_code == 200
    assert (await client.post("/_sandbox/reset", content=body)).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b'{"x": 1}', b"[]", b'"x"', b"0"])
async def test_what_takes_no_body_says_so(client: Client, body: bytes) -> None:
    problem = problem_in(await client.post("/_sandbox/reset", content=body))
    assert (problem["status"], problem["detail"]) == (422, "no body is taken here: leave it out")


@pytest.mark.anyio
async def test_the_type_of_a_body_does_not_matter(client: Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"):
        answer = await client.post(
            "/_sandbox/settle", content=b'{"timeout": 1}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 200


# -- ids and queries -----------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "query", "status", "detail"),
    [
        ("messages/m7", {}, 404, "there is no message m7: GET messages lists those that are kept"),
        ("messages/7", {}, 404, "7 is no id: ids look like m12"),
        ("messages/m07", {}, 404, "m07 is no id: ids look like m12"),
        ("messages/m٣", {}, 404, "mU+0663 is no id: ids look like m12"),
        ("messages/r1", {}, 404, "r1 is no id: ids look like m12"),
        ("messages/m" + "9" * 30, {}, 404, f"m{'9' * 30} is no id: ids look like m12"),
        ("requests/r7", {}, 404, "there is no request r7: GET requests lists those that are kept"),
        ("requests/latest", {}, 404, "latest is no id: ids look like r12"),
        (
            "nothing",
            {},
            404,
            (
                "nothing is at /_sandbox/nothing: "
                "the endpoint is /sendMtSms.php, the control API /_sandbox/health"
            ),
        ),
        ("messages", {"limit": "0"}, 422, 'limit: is "0", wanted: 1 to 1000'),
        ("messages", {"limit": "1001"}, 422, 'limit: is "1001", wanted: 1 to 1000'),
        ("messages", {"limit": "9" * 30}, 422, f'limit: is "{"9" * 30}", wanted: 1 to 1000'),
        ("messages", {"limit": "٣"}, 422, 'limit: is "U+0663", wanted: a whole number'),
        ("messages", {"limit": ""}, 422, 'limit: is "", wanted: a whole number'),
        ("messages", {"after": "x"}, 422, 'after: is "x", no id: ids look like m12'),
        ("messages", {"after": "r1"}, 422, 'after: is "r1", no id: ids look like m12'),
        ("requests", {"error": "16"}, 422, 'error: is "16", wanted: 1 to 15'),
        ("requests", {"error": "5", "after": "m1"}, 422, 'after: is "m1", no id: ids look like r12'),
        ("messages/wait", {"count": "-1"}, 422, 'count: is "-1", wanted: 0 to 1000000'),
        (
            "messages/wait",
            {"timeout": "soon"},
            422,
            'timeout: is "soon", no duration: write 250ms, 5s, 2m, 1h, 3d, or a number of seconds',
        ),
        (
            "messages",
            {"senderID": "A"},
            422,
            (
                "there is no parameter senderID here, it takes after, limit, senderId, status, text, to, "
                "transactionId, user: did you mean senderId?"
            ),
        ),
        (
            "messages",
            {"limit": "0", "after": "x"},
            422,
            'limit: is "0", wanted: 1 to 1000; after: is "x", no id: ids look like m12',
        ),
        ("requests/r1", {"x": "y"}, 422, "there is no parameter x here, it takes none"),
        ("health", {"\x00€": "y"}, 422, "there is no parameter U+0000U+20AC here, it takes none"),
    ],
)
async def test_problems_say_what_and_what_to_do(
    client: Client, path: str, query: dict[str, str], status: int, detail: str
) -> None:
    assert await client.refused("GET", path, status, **query) == detail


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "messages", {"GET", "HEAD", "DELETE"}),
        ("POST", "messages/m1", {"GET", "HEAD"}),
        ("POST", "scenario", {"GET", "HEAD", "PUT"}),
        ("GET", "reset", {"POST"}),
        ("DELETE", "health", {"GET", "HEAD"}),
        ("OPTIONS", "explain", {"POST"}),
    ],
)
async def test_other_methods_are_405_with_all_that_is_allowed(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    await client.refused(method, path, 405)
    answer = await client.request(method, f"/_sandbox/{path}")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["health", "messages", "events", "metrics", "openapi.json"])
async def test_head_answers_as_get_does_but_without_a_body(client: Client, path: str) -> None:
    answer = await client.head(f"/_sandbox/{path}")
    assert answer.status_code == 200


# -- anything at all -----------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | readable_text
    | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WORDS = sorted(
    {"status", "errorCode", "timeout", "name", "yaml", "by", "to", "mode", "now", "balance", "match", "count"}
    | {"exactly", "atLeast", "atMost", "of", "when", "respond", "error", "dlr", "after", "message", "regex"}
)
likely = st.recursive(
    st.sampled_from(
        ["virtual", "real", "x60", "1h", "5s", 5, 0, -1, 1.5, True, None, "+34", "default", "(", ""]
    )
    | st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "name: x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)
bodies = (
    st.binary(max_size=100)
    | json_values.map(lambda value: json.dumps(value).encode())
    | likely.map(lambda value: json.dumps(value).encode())
)
segments = st.sampled_from(["latest", "m1", "c1", "r1", "m0", "..", "a/b", "added-1"]) | st.text(max_size=10)
queries = st.dictionaries(
    st.sampled_from(["to", "status", "text", "limit", "after", "error", "transactionId", "count", "x"]),
    readable_text | st.sampled_from(["1", "0", "-1", "1e3", "m1", "r1", "9" * 30, "~", "null"]),
    max_size=3,
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop in which all examples talk to one application; what one leaves behind must not hurt the next."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def shared(runner: asyncio.Runner) -> Iterator[Client]:
    context = talking()
    client = runner.run(context.__aenter__())
    runner.run(client.submit(**REPORTED))
    yield client
    runner.run(context.__aexit__(None, None, None))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.sampled_from(ROOTED), segments, queries, bodies)
@example(ROOTED[0], "m1", {}, b"")
@example(
    ("/_sandbox/verify", TAKING[0]), "", {}, b'{"match": {"message": {"regex": "(((((((a*)*)*)*)*)*)*"}}}'
)
def test_any_request_to_any_operation_gets_an_answer_or_a_problem(
    runner: asyncio.Runner,
    shared: Client,
    rooted: tuple[str, Operation],
    segment: str,
    query: dict[str, str],
    body: bytes,
) -> None:
    path, operation = rooted
    for name in ("{id}", "{user:path}", "{name:path}", "{name}"):
        path = path.replace(name, quote(segment, safe=""))
    answer = runner.run(shared.request(operation.method, path, params=query, content=body))
    assert answer.status_code < 500
    if answer.status_code >= 400:
        problem_in(answer)
    assert runner.run(shared.submit(**REPORTED))
