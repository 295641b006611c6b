"""Readings put into a scenario that somebody has written, which is otherwise left as it is."""

import pytest

from sandbox import sources
from sandbox.contract import readings
from sandbox.kit.choosing import choice_of, is_yaml

ENVELOPE = {"errors": "envelope"}


@pytest.mark.parametrize(
    "text",
    [
        "name: a\n",
        "name: a",
        "name: a\ndescription: Código\n# the end\n",
        "# first\n---\nname: a\nrules: []\n...\n",
        "  name: a\n  rules: []\n",
        "{name: a}",
        '{"name": "a", "rules": []}\n',
        "name: a\nreadings: {}\nrules: []\n",
        "name: a\nreadings: {error_code: padded} # why\nrules: []\n",
        "name: é€\nreadings:\n  error_code: padded\n\n# more\nrules: []\n",
        "name: a\nreadings:\n  error_code: padded",
        "  name: a\n  readings:\n    errors: bare\n  rules: []\n",
        "name: a\ndescription: |+\n  text\n\n",
    ],
)
def test_readings_are_put_in_and_nothing_else_changes(text: str) -> None:
    before = sources.written(text).scenario
    choice, in_force = choice_of(text + ("" if is_yaml(text) else "\n"), ENVELOPE)
    after = sources.written(choice["yaml"]).scenario
    assert after.readings == {**before.readings, **ENVELOPE}
    assert (after.name, after.description.strip(), after.rules) == (
        before.name,
        before.description.strip(),
        (),
    )
    assert in_force == readings({**before.readings, **ENVELOPE})._asdict()


def test_lines_stay_where_they_are() -> None:
    text = "name: a\nreadings: {error_code: padded}\nrules: []\n"
    assert choice_of(text, ENVELOPE)[0]["yaml"].splitlines()[2] == "rules: []"
    text = "name: a\nrules: []\n"
    assert choice_of(text, ENVELOPE)[0]["yaml"].splitlines()[:2] == text.splitlines()


def test_a_built_in_scenario_goes_by_its_name_unless_readings_are_chosen() -> None:
    assert choice_of("happy-path", {})[0] == {"name": "happy-path"}
    assert "errors" in choice_of("happy-path", ENVELOPE)[0]["yaml"]


@pytest.mark.parametrize("name", sources.builtin_names())
def test_every_built_in_scenario_takes_readings(name: str) -> None:
    choice, _ = choice_of(name, ENVELOPE)
    assert sources.written(choice["yaml"]).scenario.readings["errors"] == "envelope"
