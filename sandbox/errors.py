"""The exceptions that the sandbox raises at its callers; a refused message is an answer, never an exception.

Our exception hierarchy::

    SandboxError
    ├── ReadingError      a reading's name or value is unknown
    ├── ScenarioError     a scenario has mistakes, each with its line and column
    ├── ConfigError       an option has a value that cannot work
    ├── ControlError      a sandbox will not do what it was asked, with its problem document
    ├── NotStartedError   a sandbox is asked something before it runs
    ├── UnreachableError  no sandbox answers at an address
    └── NotFoundError     no record has that id
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def did_you_mean(value: str, choices: Iterable[str]) -> str:
    """Return ``: did you mean errors?`` for the choice nearest to *value*, or nothing when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    near = get_close_matches(value, list(choices), n=1)
    return f": did you mean {near[0]}?" if near else ""


class SandboxError(Exception):
    """The root of all errors of the sandbox."""


class ReadingError(SandboxError):
    """A reading's name or value is unknown; *value* is what was given, *choices* what would be right."""

    def __init__(self, text: str, *, value: str, choices: Iterable[str]) -> None:
        self.value = value
        self.choices = tuple(choices)
        super().__init__(text + did_you_mean(value, self.choices))


class Mistake(NamedTuple):
    """One mistake in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    """What is wrong, and what would be right."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ScenarioError(SandboxError):
    """A scenario has *mistakes*: all of them, in the order of the file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, mistakes)))


class ConfigError(SandboxError):
    """An option has a value that cannot work."""


class UnreachableError(SandboxError):
    """No sandbox answers at an address."""


class NotFoundError(SandboxError):
    """No record has that id."""
