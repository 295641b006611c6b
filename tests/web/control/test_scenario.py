"""The scenario: shown, switched, and rules added to it."""

from pathlib import Path
from typing import Any

import pytest

from sandbox import sources
from sandbox.config import Config
from sandbox.contract import readings
from tests.web.control.client import Client, talking

pytestmark = pytest.mark.anyio

YAML = """# A comment that stays.
name: mine
description: A queue that fills once.
seed: 3
rules:
  - name: full-once
    when: {to: {prefix: "+34"}, nth: 1}
    respond: {error: 6}
    set_state: recovered
"""


async def test_the_scenario_is_shown_as_it_is_written() -> None:
    async with talking(YAML) as client:
        assert await client.submit(to="+34600000001") == "ERROR_6"
        assert await client.shown("scenario") == {
            "name": "mine",
            "description": "A queue that fills once.",
            "file": "scenario",
            "seed": 3,
            "state": "recovered",
            "states": ["start", "recovered"],
            "rules": [
                {"name": "full-once", "matched": 1, "beforeChecks": False, "added": False, "gone": False}
            ],
            "readings": readings()._asdict(),
            "yaml": YAML,
        }


# -- switching ---------------------------------------------------------------------------------------


async def test_another_scenario_is_written_in_yaml(client: Client) -> None:
    shown = await client.done("PUT", "scenario", {"yaml": YAML})
    assert (shown["name"], shown["yaml"], shown["state"]) == ("mine", YAML, "start")
    assert await client.submit(to="+34600000001") == "ERROR_6"


async def test_readings_come_with_a_scenario_and_go_with_it(client: Client) -> None:
    shown = await client.done("PUT", "scenario", {"yaml": "{name: wrapped, readings: {errors: envelope}}"})
    assert shown["readings"] == readings({"errors": "envelope"})._asdict()
    assert await client.submit(to="recipient", responseType="json") == '{"response":{"status":"ERROR_5"}}'
    await client.done("PUT", "scenario", {"yaml": "{name: bare}"})
    assert await client.submit(to="recipient", responseType="json") == "ERROR_5"


async def test_a_reading_that_the_server_was_started_with_stands() -> None:
    async with talking(config=Config(readings={"errors": "envelope"})) as client:
        shown = await client.done("PUT", "scenario", {"yaml": "{name: bare, readings: {errors: bare}}"})
        assert shown["readings"]["errors"] == "envelope"


@pytest.mark.parametrize("name", sources.builtin_names())
async def test_each_built_in_scenario_can_be_chosen_by_name(client: Client, name: str) -> None:
    shown = await client.done("PUT", "scenario", {"name": name})
    assert (shown["name"], shown["file"]) == (name, f"{name}.yaml")
    assert (await client.shown("health"))["scenario"] == name


async def test_the_one_that_the_server_was_started_with_has_a_name_too(client: Client) -> None:
    await client.done("PUT", "scenario", {"name": "happy-path"})
    back = await client.done("PUT", "scenario", {"name": "test"})
    assert (back["name"], back["changed"][:2]) == ("test", ["name changed", "description changed"])
    assert (await client.done("PUT", "scenario", {"name": "test"}))["changed"] == []


async def test_a_new_scenario_begins_at_its_start_and_the_records_stay() -> None:
    async with talking(YAML) as client:
        await client.submit(to="+34600000001")
        await client.submit(to="+34600000001")
        await client.done("PUT", "scenario", {"yaml": YAML})
        assert await client.submit(to="+34600000001") == "ERROR_6"
        assert (await client.shown("requests"))["total"] == 3


@pytest.mark.parametrize(
    ("body", "mistakes"),
    [
        (
            {"yaml": "name: x\nrules:\n  - when: {too: x}\n    respond: {error: 99}\n"},
            [
                (3, 12, 'when: there is no key "too" here: did you mean to?'),
                (4, 22, 'error: is "99", wanted: 1 to 15'),
            ],
        ),
        ({"yaml": "name: [x"}, [(1, 7, "this [ is never closed")]),
        ({"yaml": ""}, [(1, 1, "the file is empty: a scenario has a name at least")]),
        ({"yaml": "seed: 1"}, [(1, 1, "name is missing")]),
        ({"yaml": "name: x\n\0"}, [(2, 1, "U+0000 cannot stand in YAML: write it as an escape")]),
        ({"yaml": 5}, [(1, 1, 'what stands here is "5", wanted: a mapping with name, description, ')]),
        ({"yaml": None}, [(1, 9, 'yaml: is "null", where a text is wanted; quote it if it is one')]),
        (
            {"name": "defualt"},
            [(1, 9, "there is no built-in scenario defualt: did you mean default? There are: ")],
        ),
        (
            {"name": "../default"},
            [(1, 9, "there is no built-in scenario ../default: did you mean default? ")],
        ),
        (
            {"name": "default.yaml"},
            [(1, 9, "there is no built-in scenario default.yaml: did you mean default? ")],
        ),
        ({"name": ""}, [(1, 9, "name: is empty, where a text is wanted")]),
        ({}, [(1, 1, "what stands here is empty, wanted: one of name, yaml at least")]),
        ({"name": "default", "yaml": YAML}, [(1, 26, "name and yaml exclude each other: leave one out")]),
        (
            {"name": "default", "file": "/etc/passwd"},
            [(1, 19, 'there is no key "file" here, only name, yaml')],
        ),
        ([], [(1, 1, "what stands here is a list, wanted: a mapping with name, yaml")]),
        ("default", [(1, 1, 'what stands here is "default", wanted: a mapping with name, yaml')]),
    ],
)
async def test_a_scenario_with_mistakes_is_refused_with_their_places_and_the_old_one_stays(
    client: Client, body: Any, mistakes: list[tuple[int, int, str]]
) -> None:
    await client.submit()
    before = await client.shown("scenario")
    problem = await client.problem("PUT", "scenario", body)
    assert problem["status"] == 422
    found = [(each["line"], each["column"], each["message"]) for each in problem["mistakes"]]
    assert len(found) == len(mistakes)
    for (line, column, message), (*place, start) in zip(found, mistakes, strict=True):
        assert [line, column] == place
        assert message.startswith(start)
    assert await client.shown("scenario") == before


async def test_all_mistakes_are_told_up_to_a_hundred(client: Client) -> None:
    yaml = "name: x\nrules:\n" + "".join(f"  - {{name: r{n}, wen: {{}}}}\n" for n in range(300))
    problem = await client.problem("PUT", "scenario", {"yaml": yaml})
    assert 100 <= len(problem["mistakes"]) <= 101


async def test_the_magic_prefix_of_the_server_holds_in_every_scenario() -> None:
    async with talking(config=Config(magic_prefix="+4470090")) as client:
        await client.done("PUT", "scenario", {"name": "default"})
        assert await client.submit(to="+15005550007") == "OK_1000001"
        assert await client.submit(to="+44700900007") == "ERROR_7"
        rule = {"when": {"to": "{{ magic }}9999"}, "respond": {"error": 11}}
        await client.done("POST", "rules", rule, status=201)
        assert await client.submit(to="+44700909999") == "ERROR_11"


# -- rules -------------------------------------------------------------------------------------------


async def test_a_rule_that_is_added_is_tried_before_all_others() -> None:
    async with talking(YAML.replace(", nth: 1", "")) as client:
        rule = {"name": "first", "when": {"to": {"prefix": "+34"}}, "respond": {"error": 7}}
        assert await client.done("POST", "rules", rule, status=201) == {"name": "first"}
        assert await client.submit(to="+34600000001") == "ERROR_7"
        assert [rule["name"] for rule in (await client.shown("scenario"))["rules"]] == ["first", "full-once"]
        assert await client.done("DELETE", "rules/first") == {"removed": "first"}
        assert await client.submit(to="+34600000001") == "ERROR_6"


async def test_a_rule_goes_away_by_itself_after_so_many_times(client: Client) -> None:
    await client.done("POST", "rules", {"respond": {"error": 7}, "times": 2}, status=201)
    assert [await client.submit() for _ in range(3)] == ["ERROR_7", "ERROR_7", "OK_1000001"]


async def test_rules_without_a_name_are_given_one_each(client: Client) -> None:
    names = [
        (await client.done("POST", "rules", {"respond": {"error": code}}, status=201))["name"]
        for code in (5, 7)
    ]
    assert len(set(names)) == 2
    assert await client.submit() == "ERROR_7"


async def test_a_rule_whose_name_has_a_slash_can_be_removed(client: Client) -> None:
    await client.done("POST", "rules", {"name": "a/b c", "respond": {"error": 7}}, status=201)
    assert await client.done("DELETE", "rules/a%2Fb%20c") == {"removed": "a/b c"}


async def test_only_rules_that_were_added_can_be_removed() -> None:
    async with talking(YAML) as client:
        assert await client.refused("DELETE", "rules/full-once", 404) == (
            "no rule full-once was added: it is one of the scenario itself"
        )
        await client.done("POST", "rules", {"name": "mine", "respond": {"error": 7}}, status=201)
        assert await client.refused("DELETE", "rules/mien", 404) == (
            "no rule mien was added: did you mean mine?"
        )


@pytest.mark.parametrize(
    ("body", "line", "column", "message"),
    [
        (
            b'{"respond": {"error": 6, "eror": 6}}',
            1,
            26,
            'respond: there is no key "eror" here: did you mean error?',
        ),
        (
            b'{\n "when": {"to": {"prefix": "+3", "prefx": "+34"}}\n}',
            2,
            34,
            'to: there is no key "prefx" here: did you mean prefix?',
        ),
        (b'{"respond": {"error": "six"}}', 1, 23, 'error: is "six", wanted: a whole number'),
        (
            b'{"respond": {"error": 6, "status": 500}}',
            1,
            36,
            "respond: error and status exclude each other: leave one out",
        ),
        (b'{"name": "a", "name": "b"}', 1, 15, '"name" stands here a second time, first in line 1'),
        ('{"when": {"text": "Ü"}}'.encode(), 1, 11, 'when: there is no key "text" here'),
        (b'{"when": {"message": {"regex": "("}}}', 1, 32, 'regex: "(" is no regular expression'),
    ],
)
async def test_a_rule_with_a_mistake_is_told_where(
    client: Client, body: bytes, line: int, column: int, message: str
) -> None:
    answer = await client.post("/_sandbox/rules", content=body)
    (mistake,) = answer.json()["mistakes"]
    assert (answer.status_code, mistake["line"], mistake["column"]) == (422, line, column)
    assert mistake["message"].startswith(message)
    assert (await client.shown("scenario"))["rules"] == []


# -- the built-in ones -------------------------------------------------------------------------------


async def test_the_built_in_scenarios_are_listed(client: Client) -> None:
    listed = (await client.shown("scenarios"))["scenarios"]
    assert [each["name"] for each in listed] == sources.builtin_names()
    assert all(each["description"] for each in listed)


async def test_a_file_that_the_server_was_started_with_is_shown_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(YAML, "utf-8")
    async with talking(sources.named(str(path))) as client:
        shown = await client.shown("scenario")
    assert (shown["file"], shown["yaml"]) == (str(path), YAML)
