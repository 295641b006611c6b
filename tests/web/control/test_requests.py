"""Calls to the endpoint: their records, their lists, and why each was answered as it was."""

from typing import Any

import pytest

from tests.web.control.client import PATH, Client, talking
from tests.worlds import REPORTED, VALID

pytestmark = pytest.mark.anyio

PASSED, FAILED, NOT_REACHED = "passed", "failed", "not reached"


async def test_the_record_of_a_request(client: Client) -> None:
    await client.submit(to="recipient", apiKey="secret", dcs="")
    (listed,) = (await client.shown("requests"))["requests"]
    assert listed == {
        "id": "r1",
        "method": "GET",
        "path": PATH,
        "at": "2024-01-15T12:00:00Z",
        "parameters": {**VALID, "apiKey": "se…et", "to": "recipient", "dcs": ""},
        "status": 200,
        "answer": "ERROR_5",
        "contentType": "text/plain; charset=utf-8",
        "error": 5,
        "reason": "to has letter 'r' at position 1: digits only after the +",
        "hints": ["dcs is empty and counts as absent"],
        "rule": None,
        "messageId": None,
    }
    shown = await client.shown("requests/r1")
    assert shown.pop("trace")
    assert shown == listed


async def test_unreadable_values_are_shown_as_they_came(client: Client) -> None:
    await client.get(f"{PATH}?user=a%FFb")
    await client.post(PATH, json={"user": ["a"]})
    assert (await client.shown("requests/r1"))["parameters"] == {"user": "a\\xffb"}
    assert (await client.shown("requests/r2"))["parameters"] == {"user": "is a JSON array: send a string"}


async def test_requests_are_listed_and_filtered_by_error(client: Client) -> None:
    await client.submit()
    await client.submit(to="recipient")
    await client.submit(to="")
    listed = await client.shown("requests")
    assert [request["id"] for request in listed["requests"]] == ["r3", "r2", "r1"]
    assert [request["messageId"] for request in listed["requests"]] == [None, None, "m1"]
    assert (listed["total"], listed["next"]) == (3, None)
    refused = await client.shown("requests", error="5", limit="1")
    assert [request["id"] for request in refused["requests"]] == ["r3"]
    assert (refused["total"], refused["next"]) == (2, "r3")
    second = await client.shown("requests", error="5", limit="1", after="r3")
    assert [request["id"] for request in second["requests"]] == ["r2"]
    assert (await client.shown("requests", error="13"))["requests"] == []


# -- the trace ---------------------------------------------------------------------------------------

RULES = """
name: traced
seed: 7
rules:
  - name: maintenance
    before_checks: true
    when: {user: down}
    respond: {status: 503}
  - name: busy
    when: {to: {prefix: "+44"}}
    respond: {error: 7}
  - name: maybe
    when: {senderId: MAYBE, probability: 0.5}
    dlr:
      - {after: 1s, status: delivered, weight: 1}
      - {after: 2s, status: expired, weight: 1}
"""


async def trace_of(client: Client, **parameters: str) -> Any:
    await client.submit(**parameters)
    (latest,) = (await client.shown("requests", limit=1))["requests"]
    return (await client.shown(f"requests/{latest['id']}"))["trace"]


def verdicts(trace: Any) -> list[str]:
    return [check["verdict"] for check in trace["checks"]]


async def test_an_accepted_request_passed_every_check_and_met_no_rule() -> None:
    async with talking(RULES) as client:
        trace = await trace_of(client)
    assert verdicts(trace) == [PASSED] * 14
    assert [(rule["name"], rule["matched"], rule["miss"]) for rule in trace["rules"]] == [
        ("maintenance", False, "user is you@example.com, wanted: is down"),
        ("busy", False, "to is +1222333444, wanted: begins with +44"),
        ("maybe", False, "senderId is absent, wanted: is MAYBE"),
    ]
    assert (trace["drawn"], trace["note"]) == ([], None)


async def test_the_rule_that_came_nearest_is_told_condition_by_condition() -> None:
    async with talking(RULES) as client:
        near = await trace_of(client, senderId="MAYBEE", to="+447")
        far = await trace_of(client)
    assert near["closest"] is None  # as another one decided
    assert far["closest"] is None
    async with talking(RULES.replace('prefix: "+44"', 'prefix: "+4479", contains: "00"')) as client:
        trace = await trace_of(client, to="+447700900000")
    assert trace["closest"] == {
        "name": "busy",
        "conditions": [
            {
                "asked": "to contains 00 and begins with +4479",
                "met": "to is +447700900000",
                "holds": False,
            }
        ],
    }


async def test_a_refused_request_names_the_check_and_leaves_what_was_not_reached() -> None:
    async with talking(RULES) as client:
        trace = await trace_of(client, to="recipient")
    assert verdicts(trace) == [PASSED] * 6 + [FAILED] + [NOT_REACHED] * 7
    assert trace["checks"][6] == {
        "about": "to",
        "code": 5,
        "verdict": FAILED,
        "reason": "to has letter 'r' at position 1: digits only after the +",
    }
    assert [rule["miss"] for rule in trace["rules"][1:]] == ["not tried: the request was refused before"] * 2


async def test_the_rule_that_decided_before_the_checks_leaves_none_reached() -> None:
    async with talking(RULES) as client:
        trace = await trace_of(client, user="down")
    assert verdicts(trace) == [NOT_REACHED] * 14
    assert trace["rules"][0]["matched"]
    assert trace["rules"][1]["miss"] == "not tried: maintenance decided"


async def test_the_rule_that_refused_comes_after_all_checks() -> None:
    async with talking(RULES) as client:
        trace = await trace_of(client, to="+447700900000")
    assert verdicts(trace) == [PASSED] * 14
    assert [rule["matched"] for rule in trace["rules"]] == [False, True, False]


async def test_what_was_drawn_is_told() -> None:
    async with talking(RULES) as client:
        traces = [await trace_of(client, senderId="MAYBE") for _ in range(8)]
        hits = [trace for trace in traces if trace["rules"][2]["matched"]]
        misses = [trace for trace in traces if not trace["rules"][2]["matched"]]
    assert hits
    assert misses
    assert all(trace["drawn"][0].startswith("probability 0.5: drew 0.") for trace in hits)
    assert all(trace["drawn"][1] in {"delivered after 1 s", "expired after 2 s"} for trace in hits)
    assert all(trace["rules"][2]["miss"].startswith("drew 0.") for trace in misses)


async def test_the_trace_is_by_the_rules_of_then() -> None:
    async with talking(RULES) as client:
        await client.submit(to="+447700900000")
        await client.done("PUT", "scenario", {"yaml": "name: other"})
        trace = (await client.shown("requests/r1"))["trace"]
    assert [rule["name"] for rule in trace["rules"]] == ["maintenance", "busy", "maybe"]


async def test_rules_that_are_no_longer_known_are_said_to_be_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.submit(to="recipient")
    monkeypatch.setattr(client.world.engine, "decided_by", lambda _: None)
    trace = (await client.shown("requests/r1"))["trace"]
    assert trace["rules"] == []
    assert "no longer known" in trace["note"]
    assert verdicts(trace)[6] == FAILED


async def test_a_body_that_cannot_be_read_reaches_no_check(client: Client) -> None:
    await client.post(PATH, content=b"{", headers={"Content-Type": "application/json"})
    await client.put(PATH)
    for number in (1, 2):
        trace = (await client.shown(f"requests/r{number}"))["trace"]
        assert verdicts(trace) == [NOT_REACHED] * 14


# -- secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "shown"), [("secret", "se…et"), ("abcdef", "ab…ef"), ("abcde", "…"), ("", "…"), ("k", "…")]
)
@pytest.mark.parametrize("name", ["apiKey", "apikey", "APIKEY", "api_key", "api-key", "apiKey[]", " apiKey"])
async def test_keys_are_masked_however_their_name_is_spelled(
    client: Client, name: str, key: str, shown: str
) -> None:
    await client.get(PATH, params={name: key})
    record = await client.shown("requests/r1")
    assert record["parameters"] == {name: shown}


async def test_a_key_that_a_rule_puts_into_its_answer_is_masked_in_the_record() -> None:
    scenario = 'name: x\nrules: [{respond: {status: 200, body: "key {{ apiKey }}!"}}]'
    async with talking(scenario) as client:
        assert await client.submit(apiKey="topsecret") == "key topsecret!"
        assert (await client.shown("requests/r1"))["answer"] == "key to…et!"


async def test_a_transaction_id_that_is_the_key_as_well_is_shown_as_it_is(client: Client) -> None:
    await client.submit(apiKey="topsecret", transactionId="topsecret")
    assert (await client.shown("requests/r1"))["answer"] == "OK_topsecret"


SECRET_URL = "http://me:swordfish@127.0.0.1:1/dlr?apiKey=swordfish&x=1"


async def test_no_list_shows_a_password_or_key_in_a_url(client: Client) -> None:
    await client.submit(**{**REPORTED, "callbackUrl": SECRET_URL})
    await client.submit(**{**REPORTED, "callbackUrl": "ftp://me:swordfish@host/"})
    await client.world.pass_time(5)
    shown = "http://me:…@127.0.0.1:1/dlr?apiKey=sw…sh&x=1"
    assert (await client.shown("messages/m1"))["callbackUrl"] == shown
    assert (await client.shown("callbacks/c1"))["url"] == shown
    assert client.world.carrier.urls == [SECRET_URL]
    for path in ("messages", "requests", "requests/r1", "requests/r2", "callbacks", "accounts", "scenario"):
        assert "swordfish" not in (await client.get(f"/_sandbox/{path}")).text
