"""The command ``schema``: the JSON Schema of scenario files, for editors."""

import json

import jsonschema
import pytest
import yaml

from sandbox import contract
from sandbox.sources import builtin_names, schema
from tests.command_line import finished, run


def test_the_schema_is_json_and_a_schema() -> None:
    code, out, err = finished("schema")
    assert (code, err) == (0, "")
    assert out.isascii()
    printed = json.loads(out)
    assert printed == schema()
    jsonschema.Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("name", builtin_names())
def test_the_built_in_scenarios_keep_to_it_as_an_editor_reads_them(name: str) -> None:
    content = (contract.SCENARIOS / f"{name}.yaml").read_text("utf-8")
    jsonschema.Draft202012Validator(json.loads(run("schema").stdout)).validate(yaml.safe_load(content))


def test_the_help_says_how_an_editor_uses_it() -> None:
    assert "\n    # yaml-language-server: $schema=./scenario.schema.json\n" in run("schema", "--help").stdout
