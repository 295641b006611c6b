"""Lists of records a page at a time, newest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sandbox.web.ids import number_of, pattern
from sandbox.yaml_nodes import Scalar
from sandbox.yaml_scalars import Integer
from sandbox.yaml_shapes import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.core.model import Message, RequestRecord
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Bad, Notes, Schema, Shape

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000

Record = TypeVar("Record", "Message", "RequestRecord")


class Id(NamedTuple):
    """The number in an id: 12 of ``m12``."""

    prefix: str

    def read(self, node: Node, notes: Notes) -> int | Bad:
        """Return the number, or note that it is none."""
        if not isinstance(node, Scalar) or not re.fullmatch(pattern(self.prefix), node.text):
            return notes.add(node, f"is {shown(node)}, no id: ids look like {self.prefix}12")
        return number_of(node.text, self.prefix)

    def schema(self, _: Schema) -> Schema:
        """Return the JSON Schema of such ids."""
        return {"type": "string", "pattern": f"^{pattern(self.prefix)}$"}


class Page(NamedTuple):
    """Some of the records."""

    records: list[Any]
    total: int
    """How many there are on all pages."""
    following: str | None
    """The ``after`` of the next page; None on the last."""


def page_query(prefix: str) -> dict[str, Shape[Any]]:
    """Return the query parameters of a list whose ids begin with *prefix*."""
    return {"limit": Integer(1, MAX_LIMIT), "after": Id(prefix)}


def page(
    records: Iterable[Record], query: Mapping[str, Any], prefix: str, *, total: int | None = None
) -> Page:
    """Return the page that *query* asks for.

    Args:
        records: all that there are, newest first.
        query: as its shapes have read it.
        prefix: what the ids begin with.
        total: how many records there are; None: they are counted, each of them.
    """
    limit, after = query.get("limit", DEFAULT_LIMIT), query.get("after")
    on_page: list[Record] = []
    count, has_more = 0, False
    for record in records:
        count += 1
        if after is None or record.number < after:
            if len(on_page) < limit:
                on_page.append(record)
            else:
                has_more = True
                if total is not None:
                    break
    following = f"{prefix}{on_page[-1].number}" if has_more else None
    return Page(on_page, count if total is None else total, following)
