"""One page of a list and its search, newest first: what the search lets pass, up to a page full, and where it goes on.

Pages are found by the id of their last record, so what arrives meanwhile shifts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from sandbox.web.inbox.pages import ROWS, SCANNED, after_of
from sandbox.web.inbox.search import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.core.model import Message, RequestRecord
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.search import Key

Record = TypeVar("Record", "Message", "RequestRecord")


class Slice(NamedTuple, Generic[Record]):
    """The records of one page."""

    records: tuple[Record, ...]
    next_after: int | None
    """The number from which the next page goes on; None when nothing older is left."""
    is_cut: bool
    """Whether the search stopped at as many records as it may look through."""
    found: int
    """How many records passed, those beyond the page too, as far as the search looked."""


def take(
    records: Iterable[Record], after: int | None, passes: Callable[[Record], bool] | None = None
) -> Slice[Record]:
    """Return one page of *records*.

    Args:
        records: newest first.
        after: the number of the last record on the page before; None begins with the newest.
        passes: the search; None lets all pass, and then nothing beyond the page is looked at.
    """
    page: list[Record] = []
    found = seen = 0
    last: int | None = None
    for record in records:
        if after is not None and record.number >= after:
            continue
        if passes is None:
            if len(page) == ROWS:
                return Slice(tuple(page), page[-1].number, is_cut=False, found=found)
        else:
            seen += 1
            if seen > SCANNED:
                next_after = page[-1].number if found > len(page) else last
                return Slice(tuple(page), next_after, is_cut=True, found=found)
            last = record.number
            if not passes(record):
                continue
        found += 1
        if len(page) < ROWS:
            page.append(record)
    next_after = page[-1].number if found > len(page) else None
    return Slice(tuple(page), next_after, is_cut=False, found=found)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Record]):
    """One page of a list, its search, and the ways to other pages."""

    records: tuple[Record, ...]
    search: str
    mistakes: tuple[str, ...]
    total: int
    """How many there are in all."""
    found: int | None
    """How many the search lets pass; None without a search, and on later pages."""
    is_cut: bool
    newest: str | None
    """A link to the first page; None on it."""
    older: str | None
    keys: tuple[tuple[str, str], ...]
    """What can be searched for: ``("to:", "+34")``."""


def listing(
    visit: Visit,
    records: Iterable[Record],
    *,
    total: int,
    path: str,
    prefix: str,
    keys: Mapping[str, Key[Record]],
    words: Callable[[Record], str],
) -> Listing[Record]:
    """Return the page of a list that a visit asks for, by ``q`` and ``after``.

    Args:
        visit: what is asked for.
        records: all that there are, newest first.
        total: how many that is.
        path: where the list is, with the base of the session.
        prefix: what the ids of the records begin with.
        keys: what can be searched for.
        words: the text of a record that words without a key are looked for in.

    Raises:
        QueryError: the query holds something else, or ``after`` is no id.
    """
    visit.demand_known("q", "after")
    after = after_of(visit, prefix)
    typed = visit.query.get("q", "").strip()
    search = parse(typed, keys)
    found = take(records, after, search.condition(keys, words) if search.terms else None)
    return Listing(
        records=found.records,
        search=typed,
        mistakes=search.mistakes,
        total=total,
        found=found.found if search.terms and after is None else None,
        is_cut=found.is_cut,
        newest=None if after is None else link(path, typed),
        older=None if found.next_after is None else link(path, typed, f"{prefix}{found.next_after}"),
        keys=tuple((f"{name}:", key.example) for name, key in keys.items() if key.alias_of is None),
    )


def link(path: str, typed: str, after: str | None = None) -> str:
    """Return the link to a list with a search, from the record *after* on."""
    query = urlencode({**({"q": typed} if typed else {}), **({"after": after} if after else {})})
    return f"{path}?{query}" if query else path
