"""The tables of both drills: complete, and such as the sandbox can play."""

import json

import pytest

from sandbox.contract import error_codes, reading_rows
from sandbox.core.model import Format
from sandbox.core.scenario import Fault
from sandbox.drills.conditions import Condition, conditions
from sandbox.drills.outcome import Trial
from sandbox.drills.steps import STEPS
from sandbox.sessions import split_path
from sandbox.sources import written

CONDITIONS = conditions()
TRIALS = [*(each.trial for each in CONDITIONS), *(each.trial for each in STEPS)]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.trial.name)
def test_each_condition_is_a_scenario_and_its_name_a_session(condition: Condition) -> None:
    name = condition.trial.name
    written(json.dumps(condition.scenario()), file="condition")
    assert split_path(f"/s/{name}/x") == (name, "/x")


def test_each_code_comes_in_each_form() -> None:
    names = {condition.trial.name for condition in CONDITIONS}
    assert {f"error-{row.code}-{form}" for row in error_codes() for form in Format} <= names


def test_each_other_reading_that_a_client_can_see_is_tried_alone() -> None:
    alone = {next(iter(each.readings.items())) for each in CONDITIONS if len(each.readings) == 1}
    wanted = {
        (row.id, value) for row in reading_rows() for value in row.alternatives if row.subject != "reports"
    }
    assert alone == wanted
    assert all(len(each.readings) <= 1 for each in CONDITIONS)


def test_each_fault_of_a_scenario_is_tried() -> None:
    assert {each.respond["fault"] for each in CONDITIONS if each.respond and "fault" in each.respond} == set(
        Fault
    )


def test_names_are_one_of_a_kind_in_each_drill() -> None:
    names = [trial.name for trial in TRIALS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_each_says_what_should_be_and_why_in_sentences(trial: Trial) -> None:
    for text in (trial.title, trial.should, trial.why):
        assert text.endswith((".", "?", ")"))
