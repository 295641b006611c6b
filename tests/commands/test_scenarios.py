"""The command ``scenarios``: the built-in scenarios in a list, and one as it is written."""

import pytest

from sandbox import contract
from sandbox.sources import builtin, builtin_names
from tests.command_line import finished, run


def test_each_scenario_is_a_line_that_begins_with_its_name() -> None:
    code, out, err = finished("scenarios")
    assert (code, err) == (0, "")
    listed = [line.split(maxsplit=1) for line in out.splitlines()]
    assert [name for name, _ in listed] == builtin_names()
    for name, story in listed:
        assert story == " ".join(builtin(name).scenario.description.split())


@pytest.mark.parametrize("name", builtin_names())
def test_one_is_shown_to_the_octet(name: str) -> None:
    result = run("scenarios", "show", name)
    assert result.exit_code == 0
    assert result.stdout_bytes == (contract.SCENARIOS / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("show", "defalt"),
            "Error: there is no built-in scenario defalt: did you mean default? There are: ",
        ),
        (
            ("show", "./scenarios/default.yaml"),
            "Error: there is no built-in scenario ./scenarios/default.yaml",
        ),
        (("show",), "Error: show one scenario: "),
        (("show", "default", "default"), "Error: show one scenario: "),
        (("default",), "Error: there is nothing called default here: did you mean show default?"),
        (("shwo", "default"), "Error: there is nothing called shwo here: did you mean show?"),
        (("zzz",), "Error: there is nothing called zzz here\n"),
    ],
)
def test_what_is_not_there_is_a_clear_line(arguments: tuple[str, ...], told: str) -> None:
    result = run("scenarios", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
