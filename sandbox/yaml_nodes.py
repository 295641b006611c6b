"""YAML text as a small tree of nodes that know their line and column, within fixed bounds.

Scalars keep the text as it is written. Knows nothing of scenarios. Reads the parser's events one by one:
the trees that PyYAML itself builds bound neither deep nesting nor repeated aliases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from sandbox.core.spelling import excerpt, spell
from sandbox.errors import Mistake, ScenarioError
from sandbox.yaml_syntax import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 1 << 20
"""Characters of a file at most."""
MOST_NODES: Final = 50_000
"""Nodes of a file at most; what an alias stands for counts again each time."""
DEEPEST: Final = 24
"""How deep lists and mappings may stand in one another; no scenario needs ten."""


@dataclass(slots=True)
class Scalar:
    """A scalar as it is written."""

    line: int
    column: int
    text: str
    is_plain: bool
    """Whether it may mean a number, a truth value or nothing: it is neither quoted nor a block of text."""


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Pairs:
    """A mapping, as the pairs that are written; a key may come twice."""

    line: int
    column: int
    pairs: list[tuple[Node, Node]] = field(default_factory=list)


Node = Scalar | Items | Pairs


def parse(content: str | bytes, *, file: str) -> Node:
    """Return the one document of a file.

    Args:
        content: YAML, in UTF-8 where it is bytes.
        file: what its mistakes call it.

    Raises:
        ScenarioError: it is no YAML, or over a bound; a single mistake, as what follows was not read.
    """
    try:
        return _Reader(_text(content)).document()
    except _UnreadableError as error:
        raise ScenarioError([Mistake(file, *error.place, error.message)]) from None


class _UnreadableError(Exception):
    def __init__(self, place: tuple[int, int], message: str) -> None:
        self.place, self.message = place, message


# All but what YAML 1.2.2 §5.1 calls printable.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1 §4.1.4


def lines_of(text: str) -> list[str]:
    """Return the lines of a file as YAML counts them."""
    return _BREAK.split(text)


def _text(content: str | bytes) -> str:
    if len(content) > LONGEST:
        raise _UnreadableError((1, 1), f"the file is over {LONGEST >> 20} MiB: split it")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        raise _UnreadableError(_end(before), "the file is not UTF-8 from here on: save it as UTF-8") from None
    text = text.removeprefix("\ufeff")
    if found := _UNPRINTABLE.search(text):
        raise _UnreadableError(
            _end(text[: found.start()]), f"{spell(found[0])} cannot stand in YAML: write it as an escape"
        )
    return text


def _end(text: str) -> tuple[int, int]:
    """Return the line and column that follow *text*."""
    lines = lines_of(text)
    return len(lines), len(lines[-1]) + 1


class _Reader:
    """Reads one file's events; each bound is checked before memory or time is spent on what passes it."""

    def __init__(self, text: str) -> None:
        self._events = _events(text)
        self._anchors: dict[str, Node | None] = {}
        self._count = 0

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _UnreadableError((1, 1), "the file is empty: a scenario has a name at least")
        root = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _UnreadableError(
                _place(event.start_mark), "a second document begins: a file holds one scenario"
            )
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line, column = place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), place, depth)
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            raise _UnreadableError(place, f"tag {excerpt(event.tag)} is not read: leave it out")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._take(place, size=1, depth=depth)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(line, column, event.value, is_plain=event.style not in _QUOTES and not event.tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Items(line, column)
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                node.items.append(self._node(inner, depth + 1))
        else:
            node = Pairs(line, column)
            while not isinstance(inner := next(self._events), yaml.MappingEndEvent):
                key = self._node(inner, depth + 1)
                node.pairs.append((key, self._node(next(self._events), depth + 1)))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, anchor: str, place: tuple[int, int], depth: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            why = (
                "stands in what it names"
                if anchor in self._anchors
                else "has no anchor before it: quote a text that begins with *"
            )
            raise _UnreadableError(place, f"alias *{excerpt(anchor)} {why}")
        size, height = _measure(node)
        self._take(place, size=size, depth=depth + height)
        return node

    def _take(self, place: tuple[int, int], *, size: int, depth: int) -> None:
        self._count += size
        if self._count > MOST_NODES:
            raise _UnreadableError(
                place,
                f"over {MOST_NODES} values up to here, aliases counted in full: no scenario may hold more",
            )
        if depth > DEEPEST:
            raise _UnreadableError(place, f"lists and mappings stand more than {DEEPEST} deep in one another")


_QUOTES = frozenset({"'", '"', "|", ">"})
_PLAIN_TAGS = frozenset({"!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))})


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error, text) from None
    except yaml.YAMLError as error:  # pragma: no cover - characters it would refuse were refused before
        raise _UnreadableError((1, 1), f"this is not YAML: {excerpt(str(error), 200)}") from None


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> _UnreadableError:
    at = error.problem_mark
    since = error.context_mark or at
    found = text[at.index : at.index + 1] if at is not None else ""
    diagnosis = diagnose(error.problem or "", error.context or "", found=found, start_line=_place(since)[0])
    place = _place(since if diagnosis.is_at_start else at)
    # At the end of the file the parser stands in a line that may not be there.
    return _UnreadableError(min(place, _end(text)), diagnosis.sentence)


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _measure(node: Node) -> tuple[int, int]:
    """Return how many nodes *node* takes, and how deep it goes below itself."""
    if isinstance(node, Scalar):
        return 1, 0
    inner = node.items if isinstance(node, Items) else [each for pair in node.pairs for each in pair]
    sizes, heights = zip(*map(_measure, inner), strict=True) if inner else ((), ())
    return 1 + sum(sizes), 1 + max(heights) if heights else 0
