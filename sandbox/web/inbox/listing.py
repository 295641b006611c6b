"""One page of a list, newest first: what a search lets pass, up to a page full, and where the next page begins.

Pages are found by the id of their last record, so what arrives meanwhile shifts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandbox.web.inbox.pages import ROWS, SCANNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.core.model import Message, RequestRecord

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
