"""The shapes that YAML values may have, put together from others: lists, mappings, and values made of them.

Each shape reads a node, noting every mistake, and writes its JSON Schema, so that a file's reader and its
schema are one definition and agree. Knows nothing of what the values are for.
"""
# ruff: noqa: D102 - what read and schema do is told once, at Shape

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Protocol, TypeVar

from sandbox.core.spelling import excerpt
from sandbox.errors import Mistake, ScenarioError, did_you_mean
from sandbox.yaml_nodes import Items, Node, Pairs, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, Any]

MOST_MISTAKES: Final = 100
"""Mistakes that are told at most; nobody reads more, and a hostile file could have any number."""


class Bad(Enum):
    """Stands for a value that could not be read; why is noted."""

    BAD = "bad"


BAD: Final = Bad.BAD


class Shape(Protocol[T_co]):
    """What a value may look like."""

    def read(self, node: Node, notes: Notes) -> T_co | Bad:
        """Return the value of *node*; what is wrong with it goes to *notes*."""
        ...

    def schema(self, defs: Schema) -> Schema:
        """Return the JSON Schema of such values; those with a name of their own go to *defs*."""
        ...


class Notes:
    """The mistakes found so far in one file."""

    def __init__(self, file: str, variables: Mapping[str, str] | None = None) -> None:
        self.file = file
        self.variables = variables or {}
        """What ``{{ name }}`` stands for in texts that are read with variables."""
        self.count = 0
        """How many were found; those in what an alias stands for are found again each time."""
        self.spent = 0
        """What the values read so far will cost, as far as their shapes bound it for a whole file."""
        self._mistakes: set[Mistake] = set()
        self._keys: list[str] = []

    def add(self, node: Node, message: str) -> Bad:
        """Note a mistake at *node*: what is wrong, and what would be right."""
        if self._keys:
            message = f"{self._keys[-1]}: {message}"
        elif message.startswith("is "):
            message = f"what stands here {message}"
        self.count += 1
        self._mistakes.add(Mistake(self.file, node.line, node.column, message))
        if len(self._mistakes) >= MOST_MISTAKES:
            self._mistakes.add(
                Mistake(self.file, node.line, node.column, "there may be more mistakes from here on")
            )
            self.check()
        return BAD

    def check(self) -> None:
        """Raise a ScenarioError when there are mistakes."""
        if self._mistakes:
            raise ScenarioError(sorted(self._mistakes))

    def read(self, key: str, shape: Shape[T], node: Node) -> T | Bad:
        """Read *node*, whose mistakes name *key*."""
        self._keys.append(key)
        value = shape.read(node, self)
        self._keys.pop()
        return value


def shown(node: Node) -> str:
    """Return *node* as a message quotes it: ``"5 parsecs"``, ``a list``."""
    match node:
        case Scalar(text="", is_plain=True):
            return "nothing"
        case Scalar():
            return f'"{excerpt(node.text)}"'
        case Items():
            return "a list"
        case Pairs():
            return "a mapping"


_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_null(node: Node) -> bool:
    """Say whether *node* is YAML's nothing: an empty place, ``~`` or ``null`` without quotes."""
    return isinstance(node, Scalar) and node.is_plain and node.text in _NULLS


class Listed(NamedTuple, Generic[T]):
    """A list of values of one shape; those that could not be read are left out."""

    shape: Shape[T]
    most: int
    least: int = 0

    def read(self, node: Node, notes: Notes) -> tuple[T, ...] | Bad:
        if not isinstance(node, Items):
            return notes.add(node, f"is {shown(node)}, wanted: a list")
        if not self.least <= len(node.items) <= self.most:
            bound = f"at least {self.least}" if len(node.items) < self.least else f"at most {self.most}"
            return notes.add(node, f"a list of {len(node.items)}, wanted: {bound}")
        return tuple(
            value for value in (self.shape.read(item, notes) for item in node.items) if value is not BAD
        )

    def schema(self, defs: Schema) -> Schema:
        schema: Schema = {"type": "array", "items": self.shape.schema(defs), "maxItems": self.most}
        return {**schema, "minItems": self.least} if self.least else schema


class ByKind(NamedTuple):
    """One shape for a scalar, another for a list, another for a mapping."""

    what: str
    scalar: Shape[object] | None = None
    items: Shape[object] | None = None
    pairs: Shape[object] | None = None

    def read(self, node: Node, notes: Notes) -> Any:
        match node:
            case Scalar():
                shape = self.scalar
            case Items():
                shape = self.items
            case Pairs():
                shape = self.pairs
        if shape is None or is_null(node):
            return notes.add(node, f"is {shown(node)}, wanted: {self.what}")
        return shape.read(node, notes)

    def schema(self, defs: Schema) -> Schema:
        shapes = [shape for shape in (self.scalar, self.items, self.pairs) if shape is not None]
        return {"anyOf": [shape.schema(defs) for shape in shapes]}


class Made(NamedTuple, Generic[T]):
    """A value made of one of another shape; *make* notes what the shape alone cannot tell."""

    shape: Shape[Any]
    make: Callable[[Any, Node, Notes], T | Bad]

    def read(self, node: Node, notes: Notes) -> T | Bad:
        value = self.shape.read(node, notes)
        return BAD if value is BAD else self.make(value, node, notes)

    def schema(self, defs: Schema) -> Schema:
        return self.shape.schema(defs)


class Written(NamedTuple):
    """A mapping that was read: the values of the keys that are there and right."""

    node: Node
    values: Mapping[str, Any]
    nodes: Mapping[str, Node]
    """The value's node for each key that is there."""
    flawed: Collection[str]
    """The keys in whose values a mistake was found."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of *key*, *default* when it is absent or wrong."""
        return self.values.get(key, default)


class Keys(NamedTuple, Generic[T]):
    """A mapping with known keys, made into a value once they are read."""

    name: str
    """What the schema calls it."""
    shapes: Mapping[str, Shape[object]]
    make: Callable[[Written, Notes], T | Bad]
    required: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, str], ...] = ()
    """Keys that cannot stand together, two by two."""
    needs: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """For a key that is of no use alone: those of which it needs one."""
    least: int = 0
    """How many keys it has at least."""

    def read(self, node: Node, notes: Notes) -> T | Bad:
        if not isinstance(node, Pairs):
            return notes.add(node, f"is {shown(node)}, wanted: a mapping with {_named(self.shapes)}")
        values: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        flawed: set[str] = set()
        for key, key_node, value_node in _entries(node, notes):
            shape = self.shapes.get(key)
            if shape is None:
                notes.add(key_node, f"there is no key {shown(key_node)} here{self._hint(key)}")
                continue
            nodes[key] = value_node
            before = notes.count
            value = notes.read(key, shape, value_node)
            if notes.count > before:
                flawed.add(key)
            if value is not BAD:
                values[key] = value
        if not self._fits(node, nodes, notes):
            return BAD
        return (
            self.make(Written(node, values, nodes, flawed), notes)
            if all(key in values for key in self.required)
            else BAD
        )

    def _hint(self, key: str) -> str:
        """Return where a key that is none of ours belongs, or what may have been meant."""
        homes = [f'"{name}"' for name, shape in self.shapes.items() if key in _keys_inside(shape)]
        if homes:
            return f": it belongs in {' or '.join(homes[:2])}"
        return did_you_mean(key[:60], self.shapes) or f", only {_named(self.shapes)}"

    def _fits(self, node: Node, nodes: Mapping[str, Node], notes: Notes) -> bool:
        before = notes.count
        if missing := [key for key in self.required if key not in nodes]:
            notes.add(node, f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        if len(nodes) < self.least:
            notes.add(node, f"is empty, wanted: one of {_named(self.shapes)} at least")
        for first, second in self.exclusive:
            if first in nodes and second in nodes:
                notes.add(nodes[second], f"{first} and {second} exclude each other: leave one out")
        for key, others in self.needs.items():
            if key in nodes and not any(other in nodes for other in others):
                notes.add(nodes[key], f"{key} needs {' or '.join(others)} beside it")
        return notes.count == before

    def schema(self, defs: Schema) -> Schema:
        if self.name not in defs:
            schema: Schema = {"type": "object", "additionalProperties": False}
            defs[self.name] = schema
            schema["properties"] = {key: shape.schema(defs) for key, shape in self.shapes.items()}
            if self.required:
                schema["required"] = list(self.required)
            if self.least:
                schema["minProperties"] = self.least
            if self.exclusive:
                schema["allOf"] = [{"not": {"required": list(pair)}} for pair in self.exclusive]
            if self.needs:
                schema["dependentSchemas"] = {
                    key: {"anyOf": [{"required": [other]} for other in others]}
                    for key, others in self.needs.items()
                }
        return {"$ref": f"#/$defs/{self.name}"}


class Table(NamedTuple, Generic[T]):
    """A mapping from any text to values of one shape; *check* says what is wrong with a key."""

    shape: Shape[T]
    most: int
    check: Callable[[str], str | None] = lambda _: None

    def read(self, node: Node, notes: Notes) -> dict[str, T] | Bad:
        if not isinstance(node, Pairs):
            return notes.add(node, f"is {shown(node)}, wanted: a mapping")
        if len(node.pairs) > self.most:
            return notes.add(node, f"a mapping of {len(node.pairs)}, wanted: at most {self.most}")
        values: dict[str, T] = {}
        for key, key_node, value_node in _entries(node, notes):
            if wrong := self.check(key):
                notes.add(key_node, wrong)
            value = notes.read(key, self.shape, value_node)
            if value is not BAD:
                values[key] = value
        return values

    def schema(self, defs: Schema) -> Schema:
        return {"type": "object", "additionalProperties": self.shape.schema(defs), "maxProperties": self.most}


@dataclass(slots=True)
class Later(Generic[T]):
    """A shape that is named before it is made, so that it can hold itself."""

    shape: Shape[T] | None = None

    def read(self, node: Node, notes: Notes) -> T | Bad:
        assert self.shape is not None  # noqa: S101 - a mistake in the definition
        return self.shape.read(node, notes)

    def schema(self, defs: Schema) -> Schema:
        assert self.shape is not None  # noqa: S101 - a mistake in the definition
        return self.shape.schema(defs)


def _entries(node: Pairs, notes: Notes) -> Iterator[tuple[str, Node, Node]]:
    """Yield each key once, with its node and its value's; note those that come again, or are no text."""
    first: dict[str, Node] = {}
    for key, value in node.pairs:
        if not isinstance(key, Scalar):
            notes.add(
                key, f"is {shown(key)}, where a key is wanted; a text that begins with {{ or [ needs quotes"
            )
        elif key.text in first:
            notes.add(
                key,
                f"{shown(key)} stands here a second time, first in line {first[key.text].line}",
            )
        else:
            first[key.text] = key
            yield key.text, key, value


def _keys_inside(shape: object) -> Iterable[str]:
    """Return the keys of the mappings that a value of this shape is, or is a list of."""
    if isinstance(shape, Keys):
        return shape.shapes
    if isinstance(shape, ByKind):
        return [*_keys_inside(shape.items), *_keys_inside(shape.pairs)]
    return _keys_inside(shape.shape) if isinstance(shape, Listed | Made | Later) else ()


def _named(keys: Collection[str]) -> str:
    return ", ".join(keys)
