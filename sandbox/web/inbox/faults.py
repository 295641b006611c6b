"""What went wrong, as a page that says what to do; and who wants a page at all."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.errors import NotFoundError
from sandbox.web.inbox.pages import Page
from sandbox.web.problems import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.errors import SandboxError


class FaultView(NamedTuple):
    """A problem."""

    status: int
    phrase: str
    detail: str
    advice: str


_ADVICE: Final[Mapping[type[Exception], str]] = {
    NotFoundError: "Messages and requests are let go when there are too many of them, and when the sandbox is reset.",
}


def page_of(status: int, detail: str, advice: str = "") -> Page:
    """Return a problem as a page; *detail* says what was wrong."""
    phrase = HTTPStatus(status).phrase
    return Page("fault.html", phrase, FaultView(status, phrase, detail, advice), status=status)


def page_of_error(error: SandboxError) -> Page:
    """Return an exception as a page."""
    return page_of(status_of(error), str(error), _ADVICE.get(type(error), ""))


def wants_html(headers: Mapping[str, str]) -> bool:
    """Say whether a client asks for a page rather than for data: a browser does, a program does not."""
    accepted = headers.get("accept", "")
    html, json = accepted.find("text/html"), accepted.find("application/json")
    return html >= 0 and (json < 0 or html < json)
