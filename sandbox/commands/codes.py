"""``codes``: the error codes of the API, what earns each, and how to provoke it."""

from __future__ import annotations

import json
import sys
from shlex import quote
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from sandbox.commands.teaching import TeachingCommand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.contract import ErrorCode


@click.command(
    "codes",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox codes",
        "panelsms-sandbox codes 13",
        "panelsms-sandbox codes --json",
    ),
    exit_codes={
        0: "shown",
        2: "there is no such code",
    },
)
@click.argument("code", type=click.IntRange(1, 15), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
def command(*, code: int | None, as_json: bool) -> None:
    """List the 15 error codes, and how to provoke each.

    With CODE, shows that one in full. The checks are made in a fixed order, and the first that fails
    answers: a request with two faults gets the code of the earlier check.
    """
    from sandbox.contract import error_codes  # noqa: PLC0415 - --help does without

    rows = [row for row in error_codes() if code in {None, row.code}]
    if as_json:
        shown = [_as_json(row) for row in rows]
        click.echo(json.dumps(shown if code is None else shown[0], indent=2, ensure_ascii=False))
        return
    for line in _lines(rows, is_full=code is not None):
        click.echo(line)


def _lines(rows: Iterable[ErrorCode], *, is_full: bool) -> Iterator[str]:
    # In a pipe each fact stays on one line, so that it can be searched for.
    width = get_terminal_size().columns if sys.stdout.isatty() else 1000
    for row in rows:
        yield click.style(f"{row.code:>2}  {row.description}", bold=True)
        yield from _fact("fails when", row.fails_when, width)
        yield from _fact("provoke", row.provoke, width)
        yield from _fact("check", _place(row.code), width)
        if is_full:
            yield from _fact("solution", row.solution, width)
            yield f"    {'example':<12}panelsms-sandbox send {_arguments(row)}"


def _fact(name: str, text: str, width: int) -> list[str]:
    return wrap(text, width, initial_indent=f"    {name:<12}", subsequent_indent=" " * 16)


def _arguments(row: ErrorCode) -> str:
    return " ".join(f"--{name} {quote(value)}" for name, value in row.example.items())


def _place(code: int) -> str:
    from sandbox.core.checks import CHECKS  # noqa: PLC0415 - --help does without

    position = _position(code)
    return "none: a rule answers it" if position is None else f"{position} of {len(CHECKS)}"


def _position(code: int) -> int | None:
    """Return the position of the check that answers *code*, from 1; None when no check does."""
    from sandbox.core.checks import CHECKS  # noqa: PLC0415 - --help does without

    return next((position for position, check in enumerate(CHECKS, 1) if check.code == code), None)


def _as_json(row: ErrorCode) -> dict[str, Any]:
    return {
        "code": row.code,
        "description": row.description,
        "solution": row.solution,
        "failsWhen": row.fails_when,
        "provoke": row.provoke,
        "example": dict(row.example),
        "check": _position(row.code),
    }
