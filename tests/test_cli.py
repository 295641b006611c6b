"""What all commands have in common: their help, wrong command lines, and colours."""

import re

import click
import pytest
from click.testing import CliRunner

from sandbox import __version__
from sandbox.cli import COMMANDS, cli
from sandbox.commands.options import PARAMETERS
from sandbox.core import parameters
from tests.command_line import MESSAGE, command_of, finished, run, start


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "70000"),
        ("--port", "x"),
        ("--max-messages", "0"),
        ("--log", "xml"),
        ("--no-such-option",),
        ("serve", "surplus"),
        ("srve",),
        ("send",),
        ("send", "--message", "Hello"),
        ("send", *MESSAGE, "--url", "not a url"),
        ("send", *MESSAGE, "--timeout", "soon"),
        ("send", *MESSAGE, "--timeout", "9999999d"),
        ("health", "--url", "localhost:7670"),
        ("codes", "16"),
        ("explain", *MESSAGE, "--reading", "errors=x"),
        ("contract", "--base-url", "x"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_a_mistyped_command_is_met_with_the_right_one() -> None:
    assert "there is no command sned: did you mean send?" in run("sned").stderr


def test_the_help_lists_every_command() -> None:
    listed = run("--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_with_examples_and_exit_codes(name: str) -> None:
    text = run(name, "--help").stdout
    command = command_of(name)
    assert command.help
    assert 0 in command.exit_codes
    assert text.partition("Examples:\n")[2].splitlines()[: len(command.examples)] == [
        f"  {example}" for example in command.examples
    ]
    assert [
        int(code) for code in re.findall("^  ([0-9])  ", text.partition("Exit codes:\n")[2], re.MULTILINE)
    ] == [*command.exit_codes]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


@pytest.mark.parametrize("name", ["send", "explain"])
def test_every_parameter_is_an_option_spelled_as_the_api_spells_it(name: str) -> None:
    declared = {option.opts[0] for option in command_of(name).params}
    assert declared >= {f"--{parameter}" for parameter in parameters.PARAMETERS}
    assert set(PARAMETERS) == parameters.PARAMETERS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_are_command_lines_that_exist(name: str) -> None:
    """Each option that an example names is one of its command."""
    command = command_of(name)
    known = {text for option in command.params for text in option.opts}
    for example in command.examples:
        assert "panelsms-sandbox" in example
        assert set(re.findall(r"(?<=\s)--[A-Za-z-]+", example)) <= known


def test_the_version() -> None:
    assert run("--version").stdout == f"panelsms-sandbox {__version__}\n"


@pytest.mark.parametrize("arguments", [("codes",), ("explain", *MESSAGE)])
def test_colours_are_for_terminals_that_want_them(arguments: tuple[str, ...]) -> None:
    runner = CliRunner()
    on_a_terminal = runner.invoke(cli, arguments, color=True, env={"NO_COLOR": None})
    unwanted = runner.invoke(cli, arguments, color=True, env={"NO_COLOR": "1"})
    piped = finished(*arguments)[1]
    assert "\x1b[" in on_a_terminal.stdout
    assert "\x1b[" not in unwanted.stdout
    assert piped == unwanted.stdout == click.unstyle(on_a_terminal.stdout)


@pytest.mark.parametrize("arguments", [("codes",), ("schema",), ("explain", *MESSAGE)])
def test_output_that_cannot_be_written_is_one_clear_line(arguments: tuple[str, ...]) -> None:
    full = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); from sandbox.cli import main; main()"
    with start(*arguments, program=("-c", full)) as process:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (
        1,
        "Error: standard output cannot be written: No space left on device\n",
    )
