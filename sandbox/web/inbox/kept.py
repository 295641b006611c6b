"""Pages as they were rendered last, for those who follow what happens: a hundred open pages cost one rendering.

A page that is asked for because of a telling of the events is rendered once for all who were told, and anew after the
next telling. Whoever opens a page by hand gets it as things are at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.feed import Feed

HEADER: Final = "sandbox-told"
"""What a page's script asks with when it has been told that something happened."""

_MOST: Final = 64


class _Kept(NamedTuple):
    feed: Feed
    telling: int
    answer: Response


class Kept:
    """The answers of the latest telling, by address."""

    def __init__(self) -> None:
        self._by_address: dict[tuple[str, str, bytes], _Kept] = {}

    def find(self, request: Request, feed: Feed) -> Response | None:
        """Return the answer that holds all of which the one who asks was told; None when none is kept."""
        kept = self._by_address.get(_address(request)) if HEADER in request.headers else None
        is_current = kept is not None and kept.feed is feed and kept.telling == feed.tellings
        return kept.answer if kept is not None and is_current else None

    def keep(self, request: Request, feed: Feed, answer: Response) -> None:
        """Keep an answer where somebody who is told of what happens has asked for it."""
        if HEADER not in request.headers:
            return
        if len(self._by_address) >= _MOST:
            self._by_address.clear()
        self._by_address[_address(request)] = _Kept(feed, feed.tellings, answer)


def _address(request: Request) -> tuple[str, str, bytes]:
    return request.headers.get("host", ""), request.scope["path"], request.scope["query_string"]
