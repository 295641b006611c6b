"""Pages as they were rendered last, for those who follow what happens: a hundred open pages cost one rendering.

A page that is asked for because of a telling of the events is rendered once for all who were told, and anew after the
next telling. Whoever opens a page by hand gets it as things are at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

    from sandbox.feed import Feed

HEADER: Final = "sandbox-told"
"""What a page's script asks with when it has been told that something happened."""

_HEADER: Final = HEADER.encode()
_MOST: Final = 64

_Address = tuple[bytes, str, bytes]


class _Kept(NamedTuple):
    feed: Feed
    telling: int
    answer: Response


class Kept:
    """The answers of the latest telling, by address."""

    def __init__(self) -> None:
        self._by_address: dict[_Address, _Kept] = {}

    def find(self, scope: Scope, feed: Feed) -> Response | None:
        """Return the answer that holds all of which the one who asks was told; None when none is kept."""
        address = _address(scope)
        kept = None if address is None else self._by_address.get(address)
        is_current = kept is not None and kept.feed is feed and kept.telling == feed.tellings
        return kept.answer if kept is not None and is_current else None

    def keep(self, scope: Scope, feed: Feed, answer: Response) -> None:
        """Keep an answer where somebody who is told of what happens has asked for it."""
        address = _address(scope)
        if address is None:
            return
        if len(self._by_address) >= _MOST:
            self._by_address.clear()
        self._by_address[address] = _Kept(feed, feed.tellings, answer)


def _address(scope: Scope) -> _Address | None:
    """Return what is asked for, the host with it; None where whoever asks was not told of anything."""
    headers = dict(scope["headers"])
    if scope["method"] != "GET" or _HEADER not in headers:
        return None
    return headers.get(b"host", b""), scope["path"], scope["query_string"]
