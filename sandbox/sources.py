"""Where a scenario comes from: the package, a file, or text that somebody sends.

Knows which readings and error codes a scenario may name, and nothing of how one is written.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox import contract, scenario_files
from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError, did_you_mean
from sandbox.yaml_nodes import LONGEST

if TYPE_CHECKING:
    from sandbox.core.model import JsonObject
    from sandbox.core.scenario import Scenario

_SEPARATORS: Final = tuple(filter(None, (os.sep, os.altsep)))
_ENDINGS: Final = (".yaml", ".yml")
# With the four digits that follow, a number of 7 to 15 digits, as the checks ask for.
_MAGIC_PREFIX: Final = re.compile(r"\+[1-9][0-9]{2,10}")


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario, and what it was read from."""

    scenario: Scenario
    yaml: str
    file: str
    """What its mistakes call it: the path as it was given, ``default.yaml`` for a built-in one."""


def opening(yaml: str) -> tuple[str, ...]:
    """Return the paragraphs of the comment that a scenario opens with: its story, what a client should survive."""
    lines = takewhile(lambda line: line.startswith("#"), yaml.splitlines())
    paragraphs = "\n".join(line.removeprefix("#").strip() for line in lines).split("\n\n")
    return tuple(" ".join(each.split()) for each in paragraphs if each.strip())


def builtin_names() -> list[str]:
    """Return the names of the built-in scenarios, sorted."""
    return sorted(path.stem for path in contract.SCENARIOS.glob("*.yaml"))


def builtin(name: str, *, magic_prefix: str = MAGIC_PREFIX) -> Source:
    """Return a built-in scenario. No other file is looked at, so that anybody may choose the name.

    Raises:
        ConfigError: there is none of that name, or *magic_prefix* begins no number.
    """
    names = builtin_names()
    if name not in names:
        hint = did_you_mean(name[:60], names)
        raise ConfigError(
            f"there is no built-in scenario {excerpt(name) or 'without a name'}{hint or '.'} There are: {', '.join(names)}"
        )
    path = contract.SCENARIOS / f"{name}.yaml"
    return written(path.read_bytes(), file=path.name, magic_prefix=magic_prefix)


def named(name_or_path: str, *, magic_prefix: str = MAGIC_PREFIX) -> Source:
    """Return the scenario that ``--scenario`` names: a built-in one, or else a file.

    Raises:
        ConfigError: there is neither, the file cannot be read, or *magic_prefix* begins no number.
        ScenarioError: the file has mistakes; with all of them.
    """
    if is_file(name_or_path):
        content = read_file(name_or_path)
        return written(content, file=name_or_path, magic_prefix=magic_prefix)
    try:
        return builtin(name_or_path, magic_prefix=magic_prefix)
    except ConfigError as error:
        if name_or_path in builtin_names():
            raise
        raise ConfigError(f"{error}. A file is named by its path, such as ./mine.yaml") from None


def is_file(name_or_path: str) -> bool:
    """Say whether ``--scenario`` names a file: by a path or an ending, or because no built-in one has its name."""
    if any(separator in name_or_path for separator in _SEPARATORS) or name_or_path.endswith(_ENDINGS):
        return True
    return name_or_path not in builtin_names() and os.path.lexists(name_or_path)


def read_file(path: str) -> bytes:
    """Return what a scenario file holds, up to one octet more than any may have.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path would drop the ./ that messages show
            return file.read(LONGEST + 1)
    except FileNotFoundError:
        name = Path(path).stem
        hint = f": the built-in scenario is called {name}" if name in builtin_names() else ""
        raise ConfigError(f"there is no file {_shown(path)}{hint}") from None
    except IsADirectoryError:
        raise ConfigError(f"{_shown(path)} is a directory: name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot read {_shown(path)}: {why}") from None


def _shown(path: str) -> str:
    """Return a path as it is given, but in one line."""
    return path if path.isprintable() and path else f'"{excerpt(path, 200)}"'


def written(yaml: str | bytes, *, file: str = "scenario", magic_prefix: str = MAGIC_PREFIX) -> Source:
    """Return the scenario that a text holds.

    Args:
        yaml: in UTF-8 where it is bytes.
        file: what its mistakes call it.
        magic_prefix: what ``{{ magic }}`` stands for in a rule's ``to``.

    Raises:
        ConfigError: *magic_prefix* begins no number.
        ScenarioError: with every mistake.
    """
    _check_prefix(magic_prefix)
    scenario = scenario_files.load(
        yaml, file=file, reading_rows=contract.reading_rows(), codes=_codes(), magic_prefix=magic_prefix
    )
    text = yaml if isinstance(yaml, str) else yaml.decode("utf-8")
    return Source(scenario, text.removeprefix("\ufeff"), file)


def schema() -> JsonObject:
    """Return the JSON Schema of scenario files, for editors."""
    return scenario_files.schema(reading_rows=contract.reading_rows(), codes=_codes())


def _codes() -> list[int]:
    return [row.code for row in contract.error_codes()]


def _check_prefix(magic_prefix: str) -> None:
    if not _MAGIC_PREFIX.fullmatch(magic_prefix):
        raise ConfigError(
            f"the magic prefix {excerpt(magic_prefix)} begins no number: "
            "write + and 3 to 11 digits, the first not 0, such as +1500555"
        )
