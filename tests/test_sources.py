"""Where a scenario comes from, and what is said when it comes from nowhere."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from sandbox import contract
from sandbox.core.match import Exact, Prefix, When
from sandbox.core.scenario import Respond, Rule
from sandbox.errors import ConfigError, ScenarioError
from sandbox.scenario_files import load_rule, load_when
from sandbox.sources import builtin, builtin_names, named, read_file, schema, written

if TYPE_CHECKING:
    from pathlib import Path

MINE = "name: mine\nrules: [{name: r, when: {to: '{{ magic }}0001'}}]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a scenario, one that is called like a built-in one, and none at all."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "other.txt").write_text("name: other")
    (tmp_path / "default").write_text("name: not-built-in")
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong.yml").write_bytes(b"name: \xff")
    return tmp_path


@pytest.mark.parametrize("name", builtin_names())
def test_a_name_means_a_built_in_scenario(name: str) -> None:
    for source in (named(name), builtin(name)):
        assert source.scenario.name == name
        assert source.file == f"{name}.yaml"
        assert source.yaml == (contract.SCENARIOS / f"{name}.yaml").read_text("utf-8")


@pytest.mark.parametrize("path", ["mine.yaml", "./mine.yaml", "empty/../mine.yaml"])
def test_a_path_means_a_file_and_stays_as_it_was_given(folder: Path, path: str) -> None:  # noqa: ARG001
    source = named(path)
    assert (source.scenario.name, source.yaml, source.file) == ("mine", MINE, path)


def test_a_file_needs_no_ending(folder: Path) -> None:
    assert named("other.txt").scenario.name == "other"
    assert named(str(folder / "other.txt")).scenario.name == "other"


def test_a_built_in_name_comes_before_a_file_of_that_name(folder: Path) -> None:  # noqa: ARG001
    assert named("default").scenario.name == "default"
    assert named(f".{os.sep}default").scenario.name == "not-built-in"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "defalt",
            "there is no built-in scenario defalt: did you mean default? There are: {names}. A file is ",
        ),
        (
            "zzz",
            "there is no built-in scenario zzz. There are: {names}. A file is named by its path, such as ",
        ),
        ("", "there is no built-in scenario without a name. There are: {names}. A file is named by its path"),
        ("nope.yaml", "there is no file nope.yaml"),
        ("./nope", "there is no file ./nope"),
        ("default.yaml", "there is no file default.yaml: the built-in scenario is called default"),
        ("empty", "empty is a directory: name a file in it"),
        ("./mine.yaml/x", "cannot read ./mine.yaml/x: Not a directory"),
        ("./a\0b", 'cannot read "./aU+0000b": embedded null byte'),
        ("./a\nb", 'there is no file "./aU+000Ab"'),
        ("./é", "there is no file ./é"),
        ("./" + "x" * 300, "File name too long"),
    ],
)
def test_a_name_that_means_nothing_is_one_clear_line(folder: Path, name: str, told: str) -> None:  # noqa: ARG001
    with pytest.raises(ConfigError) as caught:
        named(name)
    assert told.format(names=", ".join(builtin_names())) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_built_in_scenarios_are_chosen_by_those_who_may_not_read_files(folder: Path) -> None:  # noqa: ARG001
    for name in ("mine.yaml", "./mine.yaml", "other.txt", "../scenarios/default", "default.yaml"):
        with pytest.raises(ConfigError, match="there is no built-in scenario"):
            builtin(name)


def test_the_mistakes_of_a_file_name_it_as_it_was_given(folder: Path) -> None:  # noqa: ARG001
    with pytest.raises(ScenarioError, match=re.escape("./wrong.yml:1:7: the file is not UTF-8")):
        named("./wrong.yml")


def test_no_more_of_a_file_is_read_than_one_may_have() -> None:
    assert len(read_file("/dev/zero")) == (1 << 20) + 1
    with pytest.raises(ScenarioError, match="/dev/zero:1:1: the file is over 1 MiB"):
        named("/dev/zero")


def test_text_is_read_as_it_is_written() -> None:
    assert written(MINE).scenario.name == "mine"
    assert written(b"\xef\xbb\xbfname: \xc3\xa9").yaml == "name: é"
    with pytest.raises(ScenarioError, match=r"^scenario:1:1: name is missing$"):
        written("seed: 1")
    with pytest.raises(ScenarioError, match=r"^body:1:1: name is missing$"):
        written("seed: 1", file="body")


@pytest.mark.parametrize("prefix", ["+150", "+1500555", "+34600000000"])
def test_magic_destinations_begin_with_the_prefix_that_is_chosen(folder: Path, prefix: str) -> None:  # noqa: ARG001
    for source in (named("mine.yaml", magic_prefix=prefix), written(MINE, magic_prefix=prefix)):
        assert source.scenario.rules[0].when.texts == (("to", Exact(f"{prefix}0001")),)
    errors = {r.name: r.when for r in builtin("default", magic_prefix=prefix).scenario.rules}
    assert errors["error-1"].texts == (("to", Exact(f"{prefix}0001")),)


@pytest.mark.parametrize(
    "prefix", ["", "+", "1500555", "+0500", "+15", "+346000000001", "+15a", "+150\n", "+१५०"]
)
def test_a_prefix_that_begins_no_destination_is_refused(prefix: str) -> None:
    for load in (named, builtin):
        with pytest.raises(ConfigError, match="begins no number: write \\+ and 3 to 11 digits"):
            load("default", magic_prefix=prefix)


def rule(content: str | bytes) -> Rule:
    codes = [row.code for row in contract.error_codes()]
    return load_rule(content, file="rule", codes=codes, name="mine")


def test_one_rule_and_one_when_are_read_from_json() -> None:
    found = rule('{"when": {"to": {"prefix": "{{ magic }}"}}, "respond": {"error": 6}}')
    assert found == Rule("mine", When(texts=(("to", Prefix("+1500555")),)), Respond(error=6), submit=False)
    assert rule(b'{"name": "own"}').name == "own"
    when = load_when('{"to": "{{ magic }}1"}', file="when", magic_prefix="+34")
    assert when.texts == (("to", Exact("+341")),)
    with pytest.raises(ScenarioError, match=r"^rule:1:23: error: is \"16\", wanted: 1 to 15"):
        rule('{"respond": {"error": 16}}')
    with pytest.raises(ScenarioError, match=r"^when:1:2: there is no key"):
        load_when('{"too": "x"}', file="when")


def test_the_schema_knows_the_readings_and_the_codes() -> None:
    defs = schema()["$defs"]
    assert list(defs["readings"]["properties"]) == [row.id for row in contract.reading_rows()]
    assert defs["respond"]["properties"]["error"] == {"type": "integer", "minimum": 1, "maximum": 15}
