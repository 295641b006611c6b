"""How a test names a scenario, a moment and readings, made into what a sandbox takes.

Reads files and texts; knows nothing of who plays them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from sandbox import contract, sources
from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.core.times import MalformedTime, absolute
from sandbox.errors import ConfigError
from sandbox.kit.rules import as_written

if TYPE_CHECKING:
    from sandbox.core.model import JsonObject
    from sandbox.sources import Source

Scenario = str | PathLike[str] | Mapping[str, Any]
"""A built-in one's name, a file's path, YAML, or the same as a mapping."""


def source_of(scenario: Scenario, *, magic_prefix: str = MAGIC_PREFIX) -> Source:
    """Return the scenario that is meant; a mapping that names none is called ``test``.

    Raises:
        ConfigError: there is none of that name, or its file cannot be read.
        ScenarioError: with every mistake in it.
    """
    if isinstance(scenario, Mapping):
        text = json.dumps(as_written({"name": "test", **scenario}), ensure_ascii=False)
        return sources.written(text, file="scenario", magic_prefix=magic_prefix)
    if isinstance(scenario, PathLike):
        path = fspath(scenario)
        return sources.written(sources.read_file(path), file=path, magic_prefix=magic_prefix)
    if is_yaml(scenario):
        return sources.written(scenario, file="scenario", magic_prefix=magic_prefix)
    return sources.named(scenario, magic_prefix=magic_prefix)


def is_yaml(text: str) -> bool:
    """Say whether a text is a scenario itself: no name and hardly a path has a line break, or a brace at its start."""
    return "\n" in text or text.startswith(("{", "name:"))


def choice_of(scenario: Scenario, readings: Mapping[str, str]) -> tuple[JsonObject, Mapping[str, str]]:
    """Return what ``PUT scenario`` takes, and the readings that are in force then.

    Raises:
        ConfigError: there is none of that name, or its file cannot be read.
        ReadingError: a reading's name or value is unknown.
        ScenarioError: with every mistake in it.
    """
    source = source_of(scenario)
    chosen = {**source.scenario.readings, **readings}
    in_force = contract.readings(chosen)._asdict()
    if not readings and isinstance(scenario, str) and scenario in sources.builtin_names():
        return {"name": scenario}, in_force
    return {"yaml": _with_readings(source.yaml, tuple(chosen.items())) if readings else source.yaml}, in_force


def moment_of(moment: datetime | str | None) -> datetime | None:
    """Return a moment, which is UTC where it names no zone.

    Raises:
        ConfigError: it is written in a way that cannot be read.
    """
    if isinstance(moment, str):
        read = absolute(moment)
        if isinstance(read, MalformedTime):
            raise ConfigError(f"start_at {read.detail}")
        return read
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def _with_readings(text: str, chosen: tuple[tuple[str, str], ...]) -> str:
    """Return a scenario with these readings in place of its own; every other line stays where it is."""
    import yaml  # noqa: PLC0415 - few choose readings by hand

    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - it is a scenario
    written = json.dumps(dict(chosen))
    indent = " " * root.start_mark.column
    for key, value in root.value:
        if key.value == "readings":
            begin, end = value.start_mark.index, value.end_mark.index
            # A block ends where the next key begins.
            is_block = isinstance(value, yaml.MappingNode) and not value.flow_style
            return text[:begin] + f" {written}" + (f"\n{indent}" if is_block else "") + text[end:]
    if root.flow_style:
        begin = root.start_mark.index + 1
        return f'{text[:begin]}"readings": {written}, {text[begin:]}'
    end = root.end_mark.index
    before = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return f"{before}{indent}readings: {written}\n{text[end:]}"
