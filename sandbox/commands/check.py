"""``check``: every mistake in scenario files, a line each, as compilers and linters tell theirs."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final
from unicodedata import combining, east_asian_width

import click
from click.exceptions import Exit

from sandbox.commands.teaching import TeachingCommand
from sandbox.errors import ConfigError, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.errors import Mistake

STDIN: Final = "-"


@click.command(
    "check",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox check carrier-outage.yaml",
        "panelsms-sandbox check scenarios/*.yaml",
        "panelsms-sandbox scenarios show default | panelsms-sandbox check -",
    ),
    exit_codes={
        0: "every file is fine",
        1: "there are mistakes",
        2: "a file cannot be read",
    },
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def command(*, files: tuple[str, ...]) -> None:
    """Tell every mistake in scenario files.

    Each is a line on stdout, FILE:LINE:COLUMN: MESSAGE, which editors and CI can jump to; a terminal shows
    the place as well. A file without mistakes is called fine on stderr. FILE may be - for standard input.
    """
    worst = max([_check(file) for file in files])
    if worst:
        raise Exit(worst)


def _check(file: str) -> int:
    """Tell the mistakes of one file; return its exit code."""
    from sandbox.sources import read_file, written  # noqa: PLC0415 - --help does without

    name = "<stdin>" if file == STDIN else file
    try:
        content = _standard_input() if file == STDIN else read_file(file)
        written(content, file=name)
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    except ScenarioError as error:
        for line in _told(error.mistakes, content):
            click.echo(line)
        return 1
    click.echo(f"{name}: fine", err=True)
    return 0


def _standard_input() -> bytes:
    from sandbox.yaml_nodes import LONGEST  # noqa: PLC0415 - as above

    if sys.stdin is None:
        raise ConfigError("there is no standard input")
    return sys.stdin.buffer.read(LONGEST + 1)


def _told(mistakes: Sequence[Mistake], content: bytes) -> Iterator[str]:
    from sandbox.yaml_nodes import lines_of  # noqa: PLC0415 - as above

    if not sys.stdout.isatty():
        yield from map(str, mistakes)
        return
    width = get_terminal_size().columns
    lines = lines_of(content.decode("utf-8", "replace").removeprefix("\ufeff"))
    for mistake in mistakes:
        place, message = f"{mistake.file}:{mistake.line}:{mistake.column}:", mistake.message
        yield f"{click.style(place, bold=True)} {click.style(message, fg='red')}"
        yield from _place(lines[mistake.line - 1], mistake.line, mistake.column, width)


def _place(line: str, number: int, column: int, width: int) -> Iterator[str]:
    """Yield a line of the file as far as the terminal is wide, and a caret under the column."""
    gutter = f"{number:>5} | "
    room = max(width - len(gutter), 20)
    cut = 0 if column <= room else column - room // 2
    # What would move the cursor, or hide, must not reach the terminal.
    shown = "".join(
        char if char.isprintable() else " " if char == "\t" else "\ufffd" for char in line[cut:][:room]
    )
    before = sum(map(_columns, shown[: column - 1 - cut]))
    yield f"{gutter}{shown}"
    yield f"{'':>5} | {'':{before}}{click.style('^', fg='red', bold=True)}"


def _columns(char: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if combining(char):
        return 0
    return 2 if east_asian_width(char) in {"W", "F"} else 1
