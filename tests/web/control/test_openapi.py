"""The OpenAPI document of the control API: valid, as the routes are, and kept by a running server."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.serving import serving
from sandbox.web.control import OPERATIONS
from sandbox.web.control.openapi import document
from sandbox.web.control.sessions import AT_ROOT
from tests.web.control.client import Client, talking
from tests.worlds import NOON, REPORTED, FakeCarrier

DOCUMENT = document(OPERATIONS, AT_ROOT, base="")
METHODS = {"get", "post", "put", "patch", "delete"}


# -- the document --------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


@pytest.mark.anyio
async def test_the_server_shows_it(client: Client) -> None:
    assert await client.shown("openapi.json") == DOCUMENT
    of_session = (await client.get("/s/a/_sandbox/openapi.json")).json()
    assert of_session["servers"] == [{"url": "/s/a"}]
    assert of_session["paths"] == DOCUMENT["paths"]


# As INTERFACE lists them.
PROMISED = """
GET health · GET messages · GET messages/{id} · DELETE messages · GET requests · GET requests/{id} · GET messages/wait
GET callbacks · POST messages/{id}/reports · POST callbacks/{id}/replay · POST settle · GET scenario · PUT scenario
POST rules · DELETE rules/{name} · GET scenarios · GET clock · POST clock/advance · PUT clock · POST explain
POST verify · GET accounts · PATCH accounts/{user} · POST reset · GET events · GET metrics · GET sessions
GET openapi.json
"""


def test_everything_that_is_promised_is_there() -> None:
    there = {
        f"{method.upper()} {path.removeprefix('/_sandbox/')}"
        for path, item in DOCUMENT["paths"].items()
        for method in item.keys() & METHODS
    }
    promised = set(re.split(r" · |\n", PROMISED.strip()))
    assert promised <= there
    assert there - promised == {"GET callbacks/{id}", "DELETE /s/{name}"}


@pytest.mark.anyio
async def test_it_has_all_methods_of_each_path_and_no_others() -> None:
    """As the server itself names them when it is asked by another."""
    async with talking() as client:
        for path, item in document(OPERATIONS, (), base="")["paths"].items():
            url = path.replace("{id}", "x").replace("{name}", "x").replace("{user}", "x")
            answer = await client.request("TRACE", url)
            assert answer.status_code == 405, url
            allowed = {method.lower() for method in answer.headers["Allow"].split(", ")} - {"head"}
            assert allowed == item.keys() & METHODS, path


def test_every_operation_says_what_it_does_and_has_an_id_of_its_own() -> None:
    described = [item[method] for item in DOCUMENT["paths"].values() for method in item.keys() & METHODS]
    assert all(re.fullmatch(r"[A-Z].*[^.]", each["summary"]) for each in described)
    ids = [each["operationId"] for each in described]
    assert len(set(ids)) == len(ids)


def test_every_schema_is_used_and_every_object_in_it_described() -> None:
    text = str(DOCUMENT)
    unused = [
        name for name in DOCUMENT["components"]["schemas"] if f"#/components/schemas/{name}'" not in text
    ]
    assert unused == []


@pytest.mark.anyio
async def test_records_are_as_they_are_described() -> None:
    yaml = """
name: x
accounts: [{user: u, apiKey: k, balance: 9, rateLimit: {requests: 99, per: 1s}, senderIds: [A]}, any]
rules:
  - {when: {senderId: ODD}, respond: {delay: {uniform: [0s, 1ms]}}, dlr: [{status: odd, errorCode: 3, repeat: 2}]}
  - {when: {senderId: LATE}, dlr: [{after: 1s, jitter: 1s, status: delivered, weight: 1}]}
"""
    async with talking(yaml) as client:
        await client.submit(**REPORTED, senderId="ODD", validityPeriod="60")
        await client.submit(**REPORTED, senderId="LATE", udh="050003CC0202", scheduledDeliveryTime="60")
        await client.submit(dcs="4", message="00", udh="0100")
        await client.submit(to="x")
        await client.get("/s/a/_sandbox/health")
        await client.world.pass_time(100)
        for path, item in DOCUMENT["paths"].items():
            if "get" not in item or path in {"/_sandbox/events", "/_sandbox/metrics"}:
                continue
            schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            names = ["m1", "m2", "m3", "r1", "r2", "r3", "r4", "c1", "c3"] if "{id}" in path else [""]
            for name in names:
                answer = await client.get(
                    path.replace("{id}", name), params={"timeout": 0} if "wait" in path else {}
                )
                if answer.status_code == 200:
                    jsonschema.validate(answer.json(), {**schema, "components": DOCUMENT["components"]})


# -- the running server --------------------------------------------------------------------------------

# ignored_auth would want a token, and these have their own checks in the tests of each operation:
# positive_data_acceptance takes 409 and 404 for refusals of what was sent, use_after_free and its like for mistakes
# what a reset or an advance has done between two requests.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving(create_app(clock=VirtualClock(NOON), carrier=FakeCarrier())) as url:
        with httpx.Client(base_url=url) as client:
            client.get("/sendMtSms.php", params=dict(REPORTED))
        yield url


def configuration() -> SchemathesisConfig:
    """Return the settings of a run that sends good and bad requests, the same ones every time."""
    generation = GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return SchemathesisConfig(seed=1, projects=ProjectsConfig(default=ProjectConfig(generation=generation)))


# Every way to write a rule, one after the other, would take minutes; the events never end.
DEEP = ["/_sandbox/rules", "/_sandbox/verify"]
shallow = schemathesis.openapi.from_dict(DOCUMENT, config=configuration()).exclude(
    path=[*DEEP, "/_sandbox/events"]
)
deep = schemathesis.openapi.from_dict(DOCUMENT, config=configuration()).include(path=DEEP)
FIXED = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}


@shallow.parametrize()
@settings(max_examples=15, phases=[Phase.explicit, Phase.generate], **FIXED)  # type: ignore[arg-type]
def test_schemathesis_finds_no_answer_that_is_not_described(case: Case[Any], base_url: str) -> None:
    make_impatient(case)
    # At the root of a session there is a page as well, which is no part of the document.
    of_methods = [unsupported_method, allow_header_conformance] if case.path == "/s/{name}" else []
    checks = [check for check in CHECKS if check not in of_methods]
    case.call_and_validate(base_url=base_url, checks=checks, timeout=10)


@deep.parametrize()
@settings(max_examples=30, phases=[Phase.generate], **FIXED)  # type: ignore[arg-type]
def test_schemathesis_finds_none_for_rules_either(case: Case[Any], base_url: str) -> None:
    # Its lists that are too long make bodies that are too large, and 413 is no refusal in its eyes.
    checks = [check for check in CHECKS if check is not negative_data_rejection]
    case.call_and_validate(base_url=base_url, checks=checks, timeout=10)


def make_impatient(case: Case[Any]) -> None:
    """Let what waits wait for no time, unless what it is asked to wait for is nonsense."""
    if case.path == "/_sandbox/messages/wait":
        case.query = {**(case.query or {}), "timeout": "0"}
    elif case.path == "/_sandbox/settle" and isinstance(case.body, dict):
        case.body = {**case.body, "timeout": 0}
