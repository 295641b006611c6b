"""The command ``contract``."""

import json

from sandbox.contract import reading_rows
from tests.command_line import NOBODY, a_sandbox, run


def test_contract_prints_a_line_for_each_reading_and_each_exchange_and_the_sum() -> None:
    with a_sandbox() as url:
        result = run("contract", "--base-url", url)
    *lines, total = result.stdout.splitlines()
    counts = [
        sum(line.startswith(word) for line in lines) for word in ("ok ", "FAILED ", "not run ", "reading ")
    ]
    assert sum(counts) == len(lines)
    assert counts[3] == len(reading_rows())
    assert total == f"{counts[0]} passed, {counts[1]} failed, {counts[2]} not run"
    # The scenario has none of the magic of the default one, which some exchanges need.
    assert all(counts)
    assert result.exit_code == 1
    assert all("needs its own " in line for line in lines if line.startswith("not run "))


def test_contract_without_an_address_runs_all_against_its_own() -> None:
    result = run("contract", "--json")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["failed"], content["notRun"], content["readings"]) == (0, 0, 0, [])
    assert content["passed"] == len(content["examples"])


def test_contract_gives_programs_one_object() -> None:
    with a_sandbox() as url:
        result = run("contract", "--base-url", url, "--json")
    content = json.loads(result.stdout)
    assert result.exit_code == 1
    assert content["failed"] == sum(each["outcome"] == "FAILED" for each in content["examples"])
    readings = {each["reading"]: each for each in content["readings"]}
    assert list(readings) == [row.id for row in reading_rows()]
    assert readings["errors"] == {
        "reading": "errors",
        "verdict": "follows",
        "follows": "bare",
        "default": "bare",
        "why": None,
    }
    assert readings["dlr_format"]["verdict"] == "untold"


def test_contract_says_that_nobody_answers() -> None:
    result = run("contract", "--base-url", NOBODY)
    assert (result.exit_code, result.stdout) == (1, "")
