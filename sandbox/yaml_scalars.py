"""The shapes of YAML scalars: texts, words, numbers, truth values, durations.

A text is taken as it is written; a number or a truth value is one only where it stands without quotes, as
for the JSON Schema. Knows nothing of what the values are for.
"""
# ruff: noqa: ARG002, D102 - what read and schema do is told once, at Shape

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.errors import did_you_mean
from sandbox.yaml_nodes import Node, Scalar
from sandbox.yaml_shapes import Bad, Notes, Schema, is_null, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def number(node: Node) -> float | None:
    """Return the finite number that *node* is; None when it is none, or is written in quotes."""
    if not isinstance(node, Scalar) or not node.is_plain or not _NUMBER.fullmatch(node.text):
        return None
    value = float(node.text)
    return value if math.isfinite(value) else None


class Text(NamedTuple):
    """A scalar as it is written, quoted or not: ``NO``, ``0100`` and ``+34600000000`` are texts."""

    may_be_empty: bool = False
    with_variables: bool = False
    what: str = "a text"

    def read(self, node: Node, notes: Notes) -> str | Bad:
        if is_null(node):
            return notes.add(node, f"is {shown(node)}, where {self.what} is wanted; quote it if it is one")
        if not isinstance(node, Scalar):
            return notes.add(node, f"is {shown(node)}, where {self.what} is wanted")
        text = node.text
        if self.with_variables:
            text = _VARIABLE.sub(lambda found: notes.variables.get(found[1], found[0]), text)
        if not text and not self.may_be_empty:
            return notes.add(node, f"is empty, where {self.what} is wanted")
        return text

    def schema(self, defs: Schema) -> Schema:
        schema: Schema = {"type": ["string", "number", "boolean"]}
        return schema if self.may_be_empty else {**schema, "minLength": 1}


_VARIABLE = re.compile(r"\{\{ *([a-z]+) *\}\}")


class Word(NamedTuple):
    """One of a few texts."""

    words: tuple[str, ...]

    def read(self, node: Node, notes: Notes) -> str | Bad:
        if isinstance(node, Scalar) and node.text in self.words and not is_null(node):
            return node.text
        near = did_you_mean(node.text[:60], self.words) if isinstance(node, Scalar) else ""
        return notes.add(node, f"is {shown(node)}, not one of {', '.join(self.words)}{near}")

    def schema(self, defs: Schema) -> Schema:
        # An editor may take `8` or `true` for a number or a truth value; here they are texts.
        spellings: list[object] = list(self.words)
        spellings += [int(word) for word in self.words if _INTEGER.fullmatch(word)]
        spellings += [word == "true" for word in self.words if word in {"true", "false"}]
        return {"enum": spellings}


class Integer(NamedTuple):
    """A whole number between two bounds, both possible."""

    low: int
    high: int

    def read(self, node: Node, notes: Notes) -> int | Bad:
        value = number(node)
        if value is None or not value.is_integer():
            return notes.add(node, f"is {shown(node)}, wanted: a whole number{_unquoted(node)}")
        whole = int(node.text) if isinstance(node, Scalar) and _INTEGER.fullmatch(node.text) else int(value)
        if not self.low <= whole <= self.high:
            return notes.add(node, f"is {shown(node)}, wanted: {self.low} to {self.high}")
        return whole

    def schema(self, defs: Schema) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Number(NamedTuple):
    """A number between two bounds, both possible."""

    low: float
    high: float

    def read(self, node: Node, notes: Notes) -> float | Bad:
        value = number(node)
        if value is None:
            return notes.add(node, f"is {shown(node)}, wanted: a number{_unquoted(node)}")
        if not self.low <= value <= self.high:
            return notes.add(node, f"is {shown(node)}, wanted: {self.low:g} to {self.high:g}")
        return value

    def schema(self, defs: Schema) -> Schema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


def _unquoted(node: Node) -> str:
    """Hint at quotes where they are what is wrong."""
    if isinstance(node, Scalar) and not node.is_plain and _NUMBER.fullmatch(node.text):
        return ", without quotes"
    return ""


class Boolean(NamedTuple):
    """True or false."""

    def read(self, node: Node, notes: Notes) -> bool | Bad:
        if isinstance(node, Scalar) and node.is_plain:
            if node.text in {"true", "True", "TRUE"}:
                return True
            if node.text in {"false", "False", "FALSE"}:
                return False
        return notes.add(node, f"is {shown(node)}, wanted: true or false, without quotes")

    def schema(self, defs: Schema) -> Schema:
        return {"type": "boolean"}


UNITS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_S: Final = 3650 * 86_400
"""Ten years: more than any message, retry or test has use for, and far from where calendars end."""
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_DURATIONS = "250ms, 5s, 2m, 1h, 3d, or a number of seconds"


def duration_s(text: str) -> float | None:
    """Return the seconds of ``250ms``, ``5s``, ``2m``, ``1h``, ``3d`` or ``5``; None for what is no duration.

    It is not bounded: ``9999999d`` is a duration.
    """
    found = _DURATION.fullmatch(text)
    return float(found[1]) * UNITS[found[2] or "s"] if found else None


class Duration(NamedTuple):
    """A duration, in seconds."""

    least_s: float = 0.0
    """What it must be at least; 0 lets any pass."""

    def read(self, node: Node, notes: Notes) -> float | Bad:
        seconds = None
        if isinstance(node, Scalar):
            seconds = duration_s(node.text)
            if seconds is None:
                seconds = number(node)
        if seconds is None:
            return notes.add(node, f"is {shown(node)}, no duration: write {_DURATIONS}")
        if not self.least_s <= seconds <= LONGEST_S:
            least = f"{self.least_s:g}s" if self.least_s else "0"
            return notes.add(
                node, f"is {shown(node)}, wanted: a duration from {least} to {LONGEST_S // 86_400}d"
            )
        return seconds

    def schema(self, defs: Schema) -> Schema:
        return {
            "anyOf": [
                {"type": "string", "pattern": f"^{_DURATION.pattern}$"},
                {"type": "number", "minimum": self.least_s, "maximum": LONGEST_S},
            ],
            "description": f"A duration: {_DURATIONS}",
        }
