"""The OpenAPI document: valid, complete, and kept by the running server whatever schemathesis sends it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.deserialization import DeserializationContext
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.contract import CONTRACT, error_codes, load_yaml, reading_rows
from sandbox.core.parameters import PARAMETERS, REQUIRED
from sandbox.examples import NOW
from sandbox.exchanges import Example, load_examples
from sandbox.serving import serving
from sandbox.web.send import PATHS

OPENAPI = CONTRACT / "openapi.yaml"


@cache
def document() -> Any:
    return load_yaml(OPENAPI)


def resolved(node: Any) -> Any:
    """Return what a node stands for: itself, or what its $ref names in the same document."""
    while "$ref" in node:
        target: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def documented(path: str, method: str) -> Mapping[str, Any]:
    """Return the responses of an operation by status."""
    if method in {"GET", "POST"}:
        return {
            status: resolved(node)
            for status, node in document()["paths"][path][method.lower()]["responses"].items()
        }
    return {"405": resolved(document()["paths"][path]["x-other-methods"])}


# -- the document --------------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi() -> None:
    assert document()["openapi"].startswith("3.1.")
    validate(document(), base_uri=OPENAPI.as_uri())


def test_it_has_both_paths_with_both_methods_and_no_others() -> None:
    assert set(document()["paths"]) == set(PATHS)
    for item in document()["paths"].values():
        assert {"get", "post"} == item.keys() - {"description", "x-other-methods"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_parameter_is_described(path: str, method: str) -> None:
    parameters = [resolved(node) for node in document()["paths"][path][method]["parameters"]]
    assert {parameter["name"] for parameter in parameters} == PARAMETERS
    assert all(parameter["description"].strip() for parameter in parameters)
    required = {parameter["name"] for parameter in parameters if parameter.get("required")}
    assert required == (set(REQUIRED) if method == "get" else set())


@pytest.mark.parametrize("path", PATHS)
def test_every_type_of_body_holds_every_parameter(path: str) -> None:
    content = resolved(document()["paths"][path]["post"]["requestBody"])["content"]
    assert set(content) == {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    for media in content.values():
        assert resolved(media["schema"])["properties"].keys() == PARAMETERS


def test_every_error_code_is_an_example_under_its_description() -> None:
    examples = document()["components"]["responses"]["Answer"]["content"]["text/plain"]["examples"]
    shown = {example["value"]: example["summary"] for name, example in examples.items() if name != "accepted"}
    assert shown == {f"ERROR_{row.code}": row.description for row in error_codes()}


def test_every_reading_of_a_request_or_answer_is_named() -> None:
    text = OPENAPI.read_text("utf-8")
    assert [row.id for row in reading_rows() if row.subject != "reports" and row.id not in text] == []


def test_the_report_is_a_webhook_by_its_own_schema() -> None:
    body = document()["webhooks"]["deliveryReport"]["post"]["requestBody"]
    assert body["content"] == {"application/json": {"schema": {"$ref": "dlr.schema.json"}}}
    assert (CONTRACT / "dlr.schema.json").is_file()


def http_examples() -> list[Example]:
    return [example for example in load_examples() if not example.expected.closes]


@pytest.mark.parametrize("example", http_examples(), ids=lambda example: example.name)
def test_every_answer_of_the_examples_is_documented(example: Example) -> None:
    path = example.request.target.partition("?")[0]
    response = documented(path, example.request.method)[str(example.expected.status)]
    assert (example.expected.headers or {}).keys() <= response["headers"].keys()
    if example.expected.body is not None:
        schema = response["content"][example.expected.media_type]["schema"]
        if example.expected.media_type != "application/xml":
            is_json = example.expected.media_type == "application/json"
            instance = json.loads(example.expected.body) if is_json else example.expected.body
            jsonschema.validate(instance, {**schema, "components": document()["components"]})


# -- the running server --------------------------------------------------------------------------------------

# Two checks make no sense for an API that says its errors with status 200: positive_data_acceptance and
# negative_data_rejection read acceptance and refusal from the status. ignored_auth wants a security scheme,
# where this API has two parameters like any other.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
    allow_header_conformance,
]


@schemathesis.deserializer("text/plain")
def plain_text(_: DeserializationContext, response: Response) -> str:
    """Without it the schemas of text answers would not be looked at."""
    return response.content.decode()


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving(create_app(clock=VirtualClock(NOW))) as url:
        yield url


def configuration() -> SchemathesisConfig:
    """Return the settings of a run that sends good and bad requests, the same ones every time."""
    generation = GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return SchemathesisConfig(seed=1, projects=ProjectsConfig(default=ProjectConfig(generation=generation)))


api = schemathesis.openapi.from_path(OPENAPI, config=configuration())


@api.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_schemathesis_finds_no_answer_that_is_not_documented(case: Case[Any], base_url: str) -> None:
    case.call_and_validate(base_url=base_url, checks=CHECKS, timeout=10)
