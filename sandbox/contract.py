"""The contract as data: error codes, readings and examples, read from ``contract/``, which travels in the package.

The sole reader of those files; what the values mean is known elsewhere.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.core.readings import Readings
from sandbox.core.spelling import excerpt
from sandbox.errors import ReadingError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE: Final = Path(__file__).parent
_DATA: Final = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent
CONTRACT: Final = _DATA / "contract"
"""The folder of the contract's files."""
SCENARIOS: Final = _DATA / "scenarios"
"""The folder of the built-in scenarios."""


class ErrorCode(NamedTuple):
    """One row of the API reference's table of error codes, and what earns the code here."""

    code: int
    description: str
    solution: str
    fails_when: str
    provoke: str
    example: Mapping[str, str]
    """Parameters that earn the code in the default scenario, beside a user and a key."""


class ReadingRow(NamedTuple):
    """One open question of the reference, and the ways to read it."""

    id: str
    subject: str
    question: str
    evidence: str
    default: str
    alternatives: tuple[str, ...]
    meaning: Mapping[str, str]
    any: str | None = None
    """What else is allowed, in words; None: nothing."""

    @property
    def values(self) -> tuple[str, ...]:
        """The default and its alternatives."""
        return (self.default, *self.alternatives)


def load_yaml(path: Path) -> Any:
    """Return the content of one of our own YAML files."""
    import yaml  # noqa: PLC0415 - only what reads a file pays for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text("utf-8"), loader)  # noqa: S506 - both are safe loaders


@cache
def error_codes() -> tuple[ErrorCode, ...]:
    """Return the 15 error codes, in order."""
    return tuple(ErrorCode(example=row.pop("try"), **row) for row in load_yaml(CONTRACT / "error-codes.yaml"))


@cache
def reading_rows() -> tuple[ReadingRow, ...]:
    """Return the open questions, in the order of a request's path."""
    return tuple(
        ReadingRow(**{**row, "alternatives": tuple(row["alternatives"])})
        for row in load_yaml(CONTRACT / "readings.yaml")
    )


def readings(chosen: Mapping[str, str] | None = None) -> Readings:
    """Return the default readings, with those *chosen* in place of their defaults.

    Raises:
        ReadingError: a name is unknown, or a value is not one of its reading's.
    """
    values = {row.id: row.default for row in reading_rows()}
    for name, value in (chosen or {}).items():
        check_reading(name, value)
        values[name] = value
    return Readings(**values)


def check_reading(name: str, value: str) -> None:
    """Raise a ReadingError unless *value* is one of the values of the reading *name*."""
    row = next((row for row in reading_rows() if row.id == name), None)
    if row is None:
        choices = [row.id for row in reading_rows()]
        text = f"there is no reading {excerpt(name)}"
        if not did_you_mean(name, choices):
            text += f". There are: {', '.join(sorted(choices))}"
        raise ReadingError(text, value=name, choices=choices)
    if value in row.values or (row.id == "timezone" and _is_zone(value)):
        return
    also = f", or {row.any}" if row.any else ""
    raise ReadingError(
        f"reading {name} cannot be {excerpt(value)}: it is {' or '.join(row.values)}{also}",
        value=value,
        choices=row.values,
    )


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only another zone than UTC pays for it

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def reading_names() -> tuple[str, ...]:
    """Return the names of all readings, as the core has them."""
    return Readings._fields
