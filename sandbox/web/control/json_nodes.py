"""JSON text as nodes that know their line and column, so that what reads scenario files reads bodies too.

The bounds are those of `yaml_nodes`. Knows nothing of what the nodes are for. Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from sandbox.web.problems import BodyError
from sandbox.yaml_nodes import DEEPEST, MOST_NODES, Items, Pairs, Scalar

if TYPE_CHECKING:
    from sandbox.yaml_nodes import Node


def parse(octets: bytes) -> Node:
    """Return the one value of a JSON text; an empty text counts as an empty object.

    Numbers, truth values and null are plain scalars as they are written, strings are quoted ones.

    Raises:
        BodyError: it is no JSON, holds what is no text, or is over a bound.
    """
    text = _text(octets)
    if not text.strip(" \t\n\r"):
        return Pairs(1, 1)
    try:
        _DECODER.decode(text)
    except RecursionError:
        raise BodyError(_TOO_DEEP) from None
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
    return _Reader(text).value()


_TOO_DEEP: Final = f"the body cannot be read: lists and objects stand more than {DEEPEST} deep in one another"


def _text(octets: bytes) -> str:
    try:
        return octets.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BodyError(
            f"the body is not UTF-8: octet {octets[error.start]:02X} at position {error.start + 1}"
        ) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number there")


# Numbers stay as they are spelled: none is too large to be read, or loses a digit.
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]|[^][{},:"\s]+')
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Reader:
    """Reads a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._open: list[Items | Pairs] = []
        self._key: list[Node | None] = []
        """For each that is open: the key whose value comes next."""

    def value(self) -> Node:
        root: Node | None = None
        count = 0
        for token in _TOKEN.finditer(self._text):
            if token[0] in {"]", "}"}:
                self._open.pop()
                self._key.pop()
                continue
            count += 1
            if count > MOST_NODES:
                raise BodyError(f"the body cannot be read: it has over {MOST_NODES} values")
            node = self._node(token)
            root = root or node
            if self._open:
                self._put(node)
            if not isinstance(node, Scalar):
                self._open.append(node)
                self._key.append(None)
                if len(self._open) > DEEPEST:
                    raise BodyError(_TOO_DEEP)
        assert root is not None  # noqa: S101 - JSON has a value
        return root

    def _put(self, node: Node) -> None:
        inside, key = self._open[-1], self._key[-1]
        if isinstance(inside, Items):
            inside.items.append(node)
        elif key is None:
            self._key[-1] = node
        else:
            inside.pairs.append((key, node))
            self._key[-1] = None

    def _node(self, token: re.Match[str]) -> Node:
        line = bisect_right(self._line_starts, token.start())
        column = token.start() - self._line_starts[line - 1] + 1
        written = token[0]
        if written == "[":
            return Items(line, column)
        if written == "{":
            return Pairs(line, column)
        if not written.startswith('"'):
            return Scalar(line, column, written, is_plain=True)
        text: str = json.loads(written)
        if found := _SURROGATE.search(text):
            raise BodyError(
                f"the body cannot be read: the text at line {line} column {column} "
                f"has the unpaired surrogate U+{ord(found[0]):04X}"
            )
        return Scalar(line, column, text, is_plain=False)
