"""Questions about requests: what would become of one, and whether some came as expected."""

import json
from typing import Any

import pytest

from sandbox.explain import explain
from sandbox.web.wire import read_call
from tests.web.control.client import PATH, Client, problem_in, talking
from tests.worlds import VALID

pytestmark = pytest.mark.anyio


# -- explain -----------------------------------------------------------------------------------------


async def explained(client: Client, body: Any) -> Any:
    return await client.done("POST", "explain", body)


async def test_an_accepted_request_is_explained(client: Client) -> None:
    shown = await explained(client, {**VALID, "senderId": "ORDER"})
    assert (shown["accepted"], shown["error"], shown["rule"]) == (True, None, None)
    assert {check["verdict"] for check in shown["checks"]} == {"passed"}
    assert shown["encoding"]["used"] == 5
    assert shown["answer"]["body"] == '{"response":{"status":"OK","transactionId":"1000001"}}'
    assert [change["status"] for change in shown["timeline"]] == ["delivered"]


async def test_a_refused_request_is_explained(client: Client) -> None:
    shown = await explained(client, {**VALID, "to": "recipient"})
    assert (shown["accepted"], shown["error"], shown["answer"]["body"]) == (False, 5, "ERROR_5")
    assert [check["about"] for check in shown["checks"] if check["verdict"] == "failed"] == ["to"]


async def test_an_explanation_is_the_same_as_that_of_the_command(client: Client) -> None:
    body = {**VALID, "message": "Código € 1234", "dcs": 0, "confirmation": True, "udh": None}
    engine = client.world.engine
    call = read_call("POST", PATH, b"", "application/json", json.dumps(body).encode(), engine.readings)
    assert await explained(client, body) == json.loads(json.dumps(explain(engine, call).to_json()))


async def test_scalars_are_read_as_the_endpoint_reads_them(client: Client) -> None:
    assert (await explained(client, {**VALID, "dcs": 8}))["accepted"]
    assert (await explained(client, {**VALID, "dcs": 8.0}))["error"] == 14
    assert (await explained(client, {**VALID, "dcs": None}))["accepted"]
    assert (await explained(client, {**VALID, "to": ["+1222333444"]}))["error"] == 5
    half = json.dumps({**VALID, "message": "\ud800"})
    assert (await client.post("/_sandbox/explain", content=half)).json()["error"] == 8


async def test_an_explanation_leaves_nothing_behind() -> None:
    async with talking("name: x\nrules: [{when: {nth: 1}, respond: {error: 6}, set_state: on}]") as client:
        fresh = [await client.shown(path) for path in ("health", "requests", "scenario")]
        assert (await explained(client, dict(VALID)))["error"] == 6
        assert (await explained(client, dict(VALID)))["error"] == 6
        assert [await client.shown(path) for path in ("health", "requests", "scenario")] == fresh
        assert await client.submit() == "ERROR_6"


async def test_nothing_at_all_is_explained_too(client: Client) -> None:
    assert (await explained(client, None))["reason"] == "user is missing"


async def test_what_is_too_large_for_the_endpoint_is_said_to_be(client: Client) -> None:
    shown = await explained(client, {**VALID, "message": "x" * 65_536})
    assert (shown["accepted"], shown["answer"]["status"]) == (False, 413)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "the body cannot be read as JSON: "),
        (b"[]", 'the body is JSON, but no object: send {"user": '),
        (b'{"to": NaN}', "the body cannot be read as JSON: NaN is not JSON"),
        (b"[" * 5000, "the body cannot be read as JSON: it is nested too deeply"),
        (b"\xff", "the body cannot be read as JSON: octet FF at position 1 is not UTF-8"),
    ],
)
async def test_what_is_no_json_object_cannot_be_explained(client: Client, body: bytes, detail: str) -> None:
    problem = problem_in(await client.post("/_sandbox/explain", content=body))
    assert problem["status"] == 400
    assert problem["detail"].startswith(detail)


# -- verify ------------------------------------------------------------------------------------------


async def three(client: Client) -> None:
    """Send two messages to Spain, one of them flash, one to Britain, and one call that is refused."""
    await client.submit(to="+34600000001", senderId="ORDER", message="Your code is 1234")
    await client.submit(to="+34600000002", udh="0100")
    await client.submit(to="+447700900000", dcs="8")
    await client.submit(to="recipient", senderId="ORDER")


@pytest.mark.parametrize(
    ("match", "ids"),
    [
        ({}, ["m3", "m2", "m1"]),
        ({"to": {"prefix": "+34"}}, ["m2", "m1"]),
        ({"to": "+34600000001"}, ["m1"]),
        ({"senderId": "ORDER"}, ["m1"]),
        ({"senderId": {"absent": True}}, ["m3", "m2"]),
        ({"message": {"contains": "code"}}, ["m1"]),
        ({"message": {"regex": "[0-9]{4}$"}}, ["m1"]),
        ({"flash": True}, ["m2"]),
        ({"dcs": 8}, ["m3"]),
        ({"dcs": 0}, ["m2", "m1"]),
        ({"to": {"any_of": ["+34600000001", {"prefix": "+44"}]}}, ["m3", "m1"]),
        ({"method": "GET", "to": {"not": {"prefix": "+34"}}}, ["m3"]),
    ],
)
async def test_messages_are_counted_by_a_when(client: Client, match: Any, ids: list[str]) -> None:
    await three(client)
    answer = await client.done("POST", "verify", {"match": match, "count": {"exactly": len(ids)}})
    assert answer == {"matched": len(ids), "ids": ids}


@pytest.mark.parametrize(
    ("count", "status"),
    [
        (None, 200),
        ({"exactly": 2}, 200),
        ({"exactly": 1}, 409),
        ({"exactly": 3}, 409),
        ({"exactly": 0}, 409),
        ({"atLeast": 2}, 200),
        ({"atLeast": 3}, 409),
        ({"atMost": 2}, 200),
        ({"atMost": 1}, 409),
        ({"atLeast": 0}, 200),
        ({"atLeast": 1, "atMost": 2}, 200),
        ({"atLeast": 3, "atMost": 4}, 409),
    ],
)
async def test_how_many_are_expected(client: Client, count: Any, status: int) -> None:
    await three(client)
    body = {"match": {"to": {"prefix": "+34"}}} | ({} if count is None else {"count": count})
    answer = await client.post("/_sandbox/verify", json=body)
    assert answer.status_code == status
    assert answer.json()["matched"] == 2


async def test_nothing_that_came_is_not_at_least_one(client: Client) -> None:
    problem = await client.problem("POST", "verify", {"match": {}})
    assert problem["detail"] == "0 of 0 messages match, expected: at least 1"
    assert (problem["nearest"], problem["expected"]) == ([], {"atLeast": 1})


async def test_refused_calls_are_counted_where_they_are_asked_for(client: Client) -> None:
    await three(client)
    body = {"match": {"senderId": "ORDER"}, "of": "requests"}
    assert await client.done("POST", "verify", body) == {"matched": 2, "ids": ["r4", "r1"]}
    body = {"match": {"to": "recipient", "flash": False}, "of": "requests"}
    assert await client.done("POST", "verify", body) == {"matched": 1, "ids": ["r4"]}


async def test_the_nearest_come_with_all_that_they_missed_by(client: Client) -> None:
    await three(client)
    match = {"to": {"prefix": "+34"}, "senderId": "ORDER", "dcs": 8, "flash": False}
    problem = await client.problem("POST", "verify", {"match": match, "count": {"exactly": 1}})
    assert problem["status"] == 409
    assert problem["detail"] == "0 of 3 messages match, expected: exactly 1"
    assert [(near["id"], near["misses"]) for near in problem["nearest"]] == [
        ("m1", ["dcs is absent, wanted: is 8"]),
        ("m3", ["to is +447700900000, wanted: begins with +34", "senderId is absent, wanted: is ORDER"]),
        (
            "m2",
            [
                "the message is flash, wanted: flash false",
                "senderId is absent, wanted: is ORDER",
                "dcs is absent, wanted: is 8",
            ],
        ),
    ]
    assert problem["nearest"][0]["text"] == "Your code is 1234"


async def test_no_more_than_five_come_near(client: Client) -> None:
    for _ in range(9):
        await client.submit()
    problem = await client.problem("POST", "verify", {"match": {"to": "x"}})
    assert [near["id"] for near in problem["nearest"]] == ["m9", "m8", "m7", "m6", "m5"]


async def test_too_many_have_no_near_misses_but_are_named(client: Client) -> None:
    await three(client)
    problem = await client.problem(
        "POST", "verify", {"match": {"to": {"prefix": "+34"}}, "count": {"atMost": 1}}
    )
    assert (problem["matched"], problem["ids"], problem["nearest"]) == (2, ["m2", "m1"], [])


async def test_near_requests_show_no_key(client: Client) -> None:
    await client.submit(apiKey="topsecret")
    problem = await client.problem(
        "POST", "verify", {"match": {"apiKey": "another-secret"}, "of": "requests"}
    )
    assert "topsecret" not in json.dumps(problem)


@pytest.mark.parametrize("key", ["state", "nth", "every", "per", "probability"])
async def test_what_only_a_rule_can_be_asked_is_said_to_be_so(client: Client, key: str) -> None:
    problem = await client.problem("POST", "verify", {"match": {key: 1}})
    (mistake,) = problem["mistakes"]
    assert problem["status"] == 422
    assert mistake["message"] == (
        f"match: {key} hangs on when a rule is tried, and cannot be asked of requests that were made: leave it out"
    )
    assert (mistake["line"], mistake["column"]) == (1, 11)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "match is missing"),
        ({"match": {"too": "x"}}, 'match: there is no key "too" here: did you mean to?'),
        ({"match": []}, "match: is a list, wanted: a mapping with "),
        ({"match": {}, "count": {}}, "count: is empty, wanted: one of exactly, atLeast, atMost at least"),
        ({"match": {}, "count": 1}, 'count: is "1", wanted: a mapping with exactly, atLeast, atMost'),
        ({"match": {}, "count": {"exactly": 1, "atMost": 2}}, "count: exactly and atMost exclude each other"),
        ({"match": {}, "count": {"atLeast": 2, "atMost": 1}}, "count: atMost is less than atLeast"),
        ({"match": {}, "count": {"exactly": -1}}, 'exactly: is "-1", wanted: 0 to 1000000000'),
        ({"match": {}, "count": {"least": 1}}, "count: is empty"),
        ({"match": {}, "of": "callbacks"}, 'of: is "callbacks", not one of messages, requests'),
        ({"match": {"to": {"regex": "("}}}, "regex: "),
    ],
)
async def test_what_is_no_question(client: Client, body: Any, detail: str) -> None:
    said = await client.refused("POST", "verify", 422, body)
    assert detail in said
