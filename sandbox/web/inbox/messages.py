"""The messages as a list, newest first, and what can be searched for in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.coding import BINARY
from sandbox.core.model import Status
from sandbox.web.inbox import tones
from sandbox.web.inbox.first_call import first_call
from sandbox.web.inbox.listing import Listing, listing
from sandbox.web.inbox.moments import moment
from sandbox.web.inbox.pages import Page
from sandbox.web.inbox.search import Key
from sandbox.web.records import status_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.core.model import Message
    from sandbox.store import Store
    from sandbox.web.inbox.first_call import FirstCall
    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.tones import Tone


class ReportsMark(NamedTuple):
    """How many reports of a message stand so."""

    tone: Tone
    number: int
    state: str


class Row(NamedTuple):
    """One message in the list."""

    id: str
    status: str
    tone: Tone
    to: str
    sender: str | None
    text: str | None
    """None for a binary message."""
    octets: str
    """The first octets of a binary message, in hex."""
    kinds: tuple[str, ...]
    """``flash``, ``2/3``, ``scheduled``."""
    used: str
    """``11 septets``"""
    reports: tuple[ReportsMark, ...]
    received: Moment


@dataclass(frozen=True, slots=True)
class MessagesView:
    """The list and its search."""

    list: Listing[Message]
    rows: tuple[Row, ...]
    first: FirstCall | None
    """How to send one; None where there are some."""


def show(visit: Visit) -> Page:
    """Show the list."""
    store, now = visit.engine.store, visit.now
    page = listing(
        visit,
        store.messages(),
        total=store.counts()["messages"],
        path=f"{visit.base}/",
        prefix="m",
        keys=_keys(now),
        words=_words,
    )
    rows = tuple(_row(message, store, now) for message in page.records)
    view = MessagesView(page, rows, first=None if page.total else first_call(visit))
    return Page("messages.html", "Messages", view, tab="/")


def _row(message: Message, store: Store, now: datetime) -> Row:
    submission = message.submission
    encoded = submission.encoded
    status = status_at(message, now)
    return Row(
        id=f"m{message.number}",
        status=status,
        tone=tones.of_status(status),
        to=submission.destination,
        sender=submission.sender_id,
        text=encoded.text,
        octets="" if encoded.octets is None else encoded.octets[:24].hex(" ").upper(),
        kinds=tuple(kind for kind in kinds(message) if kind != status),
        used=f"{encoded.used} {encoded.coding.unit}",
        reports=_reports(message, store),
        received=moment(message.received_at, now),
    )


def kinds(message: Message) -> tuple[str, ...]:
    """Return what is out of the ordinary about a message, each in a word: ``flash``, ``part 2 of 3``."""
    submission = message.submission
    udh = submission.udh
    found = []
    if udh is not None:
        part = udh.concatenation
        if udh.is_flash:
            found.append("flash")
        elif part is not None:
            found.append(f"part {part.sequence} of {part.total}")
        else:
            found.append("udh")
    if submission.dcs in BINARY:
        found.append("binary")
    if submission.scheduled_at is not None:
        found.append("scheduled")
    return tuple(found)


def _reports(message: Message, store: Store) -> tuple[ReportsMark, ...]:
    states: dict[str, ReportsMark] = {}
    for number in message.callback_numbers:
        callback = store.callback(number)
        if callback is not None:
            count = states[callback.state].number if callback.state in states else 0
            states[callback.state] = ReportsMark(tones.of_callback(callback.state), count + 1, callback.state)
    return tuple(states.values())


def _words(message: Message) -> str:
    submission, group = message.submission, message.group
    text = (submission.encoded.text if group is None else group.joined) or submission.encoded.text or ""
    sender_id = submission.sender_id or ""
    return f"{text}\n{submission.destination}\n{sender_id}\n{message.transaction_id}".lower()


def _keys(now: datetime) -> Mapping[str, Key[Message]]:
    """Return what can be searched for; a scheduled message's status hangs on what time it is."""
    status: Key[Message] = Key(lambda message, value: _has_status(message, value, now), "delivered")
    return {"to": Key(_is_to, "+34"), "status": status, **_STEADY_KEYS}


def _has_status(message: Message, value: str, now: datetime) -> bool:
    status = status_at(message, now)
    return value in {status.lower(), tones.of_status(status)}


def _has_kind(message: Message, value: str) -> bool:
    submission = message.submission
    udh = submission.udh
    match value:
        case "flash":
            return udh is not None and udh.is_flash
        case "binary":
            return submission.dcs in BINARY
        case "part":
            return udh is not None and udh.concatenation is not None
        case "reported":
            return message.callback_numbers != ()
    return message.status == Status.SCHEDULED or submission.scheduled_at is not None


def _is_to(message: Message, value: str) -> bool:
    destination = message.submission.destination
    return destination.startswith(value) if value.startswith("+") else value in destination


_SENDER: Final[Key[Message]] = Key(
    lambda message, value: value == (message.submission.sender_id or "").lower(), "ORDER"
)
_ID: Final[Key[Message]] = Key(lambda message, value: value == message.transaction_id.lower(), "order_1")
_TEXT: Final[Key[Message]] = Key(
    lambda message, value: value in (message.submission.encoded.text or "").lower(), "code"
)
_STEADY_KEYS: Final[Mapping[str, Key[Message]]] = {
    "sender": _SENDER,
    "text": _TEXT,
    "id": _ID,
    "user": Key(lambda message, value: value == message.submission.user.lower(), "you@example.com"),
    "dcs": Key(
        lambda message, value: value == str(message.submission.dcs), "8", ("0", "1", "2", "3", "4", "8")
    ),
    "is": Key(_has_kind, "flash", ("binary", "flash", "part", "reported", "scheduled")),
    "senderId": _SENDER._replace(alias_of="sender"),
    "transactionId": _ID._replace(alias_of="id"),
    "message": _TEXT._replace(alias_of="text"),
}
