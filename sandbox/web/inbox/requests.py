"""All calls to the endpoint as a list, newest first, and what can be searched for in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.masking import is_key, without_key, without_secrets
from sandbox.core.model import Unreadable
from sandbox.web.inbox import verdicts
from sandbox.web.inbox.first_call import first_call
from sandbox.web.inbox.listing import Listing, link, listing
from sandbox.web.inbox.moments import moment
from sandbox.web.inbox.pages import Page, cut
from sandbox.web.inbox.search import Key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.core.model import RequestRecord
    from sandbox.web.inbox.first_call import FirstCall
    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.tones import Tone

_LONGEST: Final = 120
"""Characters of a value in the list."""


class Row(NamedTuple):
    """One request in the list."""

    id: str
    method: str
    tone: Tone
    outcome: str
    """``OK``, ``ERROR_5``, ``HTTP 503``, ``reset``"""
    to: str
    text: str
    reason: str
    """Why it was refused; empty when it was not."""
    rule: str | None
    message: str | None
    """The message that it became: ``m3``."""
    hints: int
    at: Moment


class Choice(NamedTuple):
    """A search that many want."""

    name: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class RequestsView:
    """The list and its search."""

    list: Listing[RequestRecord]
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    first: FirstCall | None
    """How to make one; None where there are some."""


def show(visit: Visit) -> Page:
    """Show the list."""
    store, now = visit.engine.store, visit.now
    path = f"{visit.base}/requests"
    page = listing(
        visit,
        store.requests(),
        total=store.counts()["requests"],
        path=path,
        prefix="r",
        keys=_KEYS,
        words=_words,
    )
    view = RequestsView(
        page,
        choices=tuple(Choice(name, link(path, wanted), wanted == page.search) for name, wanted in _CHOICES),
        rows=tuple(_row(record, now) for record in page.records),
        first=None if page.total else first_call(visit),
    )
    return Page("requests.html", "Requests", view, tab="/requests")


def _row(record: RequestRecord, now: datetime) -> Row:
    return Row(
        id=f"r{record.number}",
        method=record.call.method,
        tone=verdicts.tone_of(record.answer, record.error, record.respond),
        outcome=verdicts.outcome(record.answer, record.error, record.respond),
        to=cut(_text(record, "to"), _LONGEST),
        text=cut(_text(record, "message"), 2 * _LONGEST),
        reason=cut(without_secrets(record.reason or ""), 4 * _LONGEST),
        rule=record.rule,
        message=None if record.message_number is None else f"m{record.message_number}",
        hints=len(record.hints),
        at=moment(record.at, now),
    )


def _text(record: RequestRecord, name: str) -> str:
    value = record.call.parameters.get(name, "")
    return value.why if isinstance(value, Unreadable) else value


def _words(record: RequestRecord) -> str:
    values = [
        value
        for name, value in record.call.parameters.items()
        if isinstance(value, str) and not _is_key(name)
    ]
    answer = record.answer.body
    if record.respond is not None:  # a rule's own words may hold the key
        answer = without_key(answer, record.call.parameters)
    return "\n".join((*values, answer, record.reason or "", *record.hints)).lower()


_is_key = lru_cache(maxsize=256)(is_key)


def _is_to(record: RequestRecord, value: str) -> bool:
    to = _text(record, "to")
    return to.startswith(value) if value.startswith("+") else value in to.lower()


def _is(record: RequestRecord, value: str) -> bool:
    match value:
        case "refused":
            return record.error is not None
        case "accepted":
            return record.message_number is not None
        case "hinted":
            return record.hints != ()
    return record.respond is not None and record.respond.fault is not None


_CHOICES: Final = (
    ("All", ""),
    ("Refused", "is:refused"),
    ("Accepted", "is:accepted"),
    ("With hints", "is:hinted"),
)
_SENDER: Final[Key[RequestRecord]] = Key(
    lambda record, value: value == _text(record, "senderId").lower(), "ORDER"
)
_ID: Final[Key[RequestRecord]] = Key(
    lambda record, value: value == _text(record, "transactionId").lower(), "order_1"
)
_KEYS: Final[Mapping[str, Key[RequestRecord]]] = {
    "error": Key(lambda record, value: value == str(record.error), "5", tuple(map(str, range(1, 16)))),
    "is": Key(_is, "refused", ("accepted", "broken", "hinted", "refused")),
    "to": Key(_is_to, "+34"),
    "rule": Key(lambda record, value: value == (record.rule or "").lower(), "queue-full-twice"),
    "sender": _SENDER,
    "id": _ID,
    "user": Key(lambda record, value: value == _text(record, "user").lower(), "you@example.com"),
    "method": Key(lambda record, value: value == record.call.method.lower(), "POST"),
    "senderId": _SENDER._replace(alias_of="sender"),
    "transactionId": _ID._replace(alias_of="id"),
}
