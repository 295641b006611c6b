"""The library of built-in scenarios as a whole: each can be loaded, has a story, and together they show everything."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import contract
from sandbox.core.match import PARAMETERS
from sandbox.core.readings import Readings
from sandbox.core.scenario import Fault
from sandbox.scenario_files import schema
from sandbox.sources import builtin, builtin_names
from tests.scenarios.story import scenario_of

STORIES = {scenario_of(file): file for file in Path(__file__).parent.glob("test_*.py")}
NOT_SHOWN = {
    "times",  # of rules that are added while the sandbox runs
    *PARAMETERS,  # all are matched alike
    *Readings._fields,  # README names them all
}


def file_of(name: str) -> Path:
    return contract.SCENARIOS / f"{name}.yaml"


def opening(name: str) -> str:
    """Return the comment that a file opens with, on one line."""
    (comment,) = re.findall(r"\A((?:#.*\n)*)", file_of(name).read_text("utf-8"))
    return " ".join(line.removeprefix("#").strip() for line in comment.splitlines())


def members(node: object) -> Iterator[tuple[str, Any]]:
    """Yield every key of a document with its value."""
    if isinstance(node, dict):
        yield from node.items()
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in below:
        yield from members(each)


def keys_that_can_be_written() -> set[str]:
    """Return every key that the schema knows."""
    schema_of_files = schema(
        reading_rows=contract.reading_rows(), codes=[row.code for row in contract.error_codes()]
    )
    return {
        key
        for properties in (value for key, value in members(schema_of_files) if key == "properties")
        for key in properties
    }


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_scenario_has_no_mistakes_and_the_name_of_its_file(name: str) -> None:
    assert builtin(name).scenario.name == name


def test_every_built_in_scenario_has_a_story() -> None:
    told_elsewhere = {"default"}  # in tests/test_magic.py
    assert STORIES.keys() - {"library"} == set(builtin_names()) - told_elsewhere


@pytest.mark.parametrize("file", STORIES.values(), ids=STORIES)
def test_every_story_has_tests(file: Path) -> None:
    functions = [
        node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    assert any(name.startswith("test_") for name in functions)


@pytest.mark.parametrize("name", builtin_names())
def test_a_file_opens_with_what_happens_and_what_a_client_should_survive(name: str) -> None:
    story, lesson = opening(name).split("A client should survive", 1)
    assert story.strip().endswith(".")
    assert lesson.strip().endswith(".")


@pytest.mark.parametrize("name", builtin_names())
def test_a_description_is_one_sentence(name: str) -> None:
    assert re.fullmatch(r"[A-Z][^.!?\n]+\.", builtin(name).scenario.description)


def test_whatever_can_be_written_is_shown_somewhere() -> None:
    shown = {key for name in builtin_names() for key, _ in members(contract.load_yaml(file_of(name)))}
    assert keys_that_can_be_written() - shown - NOT_SHOWN == set()


def test_every_fault_is_shown_somewhere() -> None:
    rules = [rule for name in builtin_names() for rule in builtin(name).scenario.rules]
    assert {rule.respond.fault for rule in rules if rule.respond} >= set(Fault)
