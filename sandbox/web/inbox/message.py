"""One message: the handset that shows it, its encoding laid open, its story, its reports."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import contract
from sandbox.core.checks import room_beside
from sandbox.core.coding import BINARY
from sandbox.core.masking import without_secrets
from sandbox.core.model import Status
from sandbox.core.statuses import is_final
from sandbox.core.times import rfc3339_exact
from sandbox.errors import NotFoundError
from sandbox.web.ids import number_of
from sandbox.web.inbox import anatomy, story, tones
from sandbox.web.inbox.messages import kinds
from sandbox.web.inbox.moments import moment, span
from sandbox.web.inbox.pages import Page, cut
from sandbox.web.inbox.tones import Tone
from sandbox.web.records import status_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.core.concatenation import Group
    from sandbox.core.model import Callback, Message
    from sandbox.store import Store
    from sandbox.web.inbox.anatomy import DumpRow, Encoding
    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.story import Event

REPORTABLE: Final = tuple(
    str(status) for status in Status if status not in {Status.SCHEDULED, Status.PENDING}
)
"""The statuses that a report by hand may say."""

_LONGEST: Final = 500
"""Characters of a fact; all of it is in the record."""
_LONGEST_BODY: Final = 8000


class Piece(NamedTuple):
    """One part of a concatenated message."""

    sequence: int
    text: str | None
    """None: it has not come."""
    id: str | None
    """The message that brought it: ``m3``."""
    is_this: bool


@dataclass(frozen=True, slots=True)
class Handset:
    """What the phone shows."""

    sender: str | None
    at: Moment
    text: str
    """Empty for a binary message, and where there are pieces."""
    dump: tuple[DumpRow, ...]
    is_flash: bool
    pieces: tuple[Piece, ...]
    """Of a concatenated message."""
    is_whole: bool
    """Whether all its pieces are here."""
    note: str
    """When the phone shows it: ``Shown since 10:30:46.``"""
    is_shown: bool


class AttemptRow(NamedTuple):
    """One try to carry a report."""

    number: int
    at: Moment
    tone: Tone
    result: str
    error: str
    took: str


@dataclass(frozen=True, slots=True)
class CallbackCard:
    """One report, and what came of it."""

    id: str
    state: str
    tone: Tone
    method: str
    url: str
    body: str
    reason: str
    attempts: tuple[AttemptRow, ...]
    next_attempt: str | None
    """``in 5 s, at 10:30:50``"""


class Fact(NamedTuple):
    """One line of what is known."""

    name: str
    value: str
    href: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class MessageView:
    """All of it."""

    id: str
    status: str
    tone: Tone
    kinds: tuple[str, ...]
    handset: Handset
    facts: tuple[Fact, ...]
    hints: tuple[str, ...]
    encoding: Encoding
    story: tuple[Event, ...]
    story_told: str
    """The same in a sentence."""
    next_at: str
    """When it goes on, where a clock that stands has to be moved there; else empty."""
    callbacks: tuple[CallbackCard, ...]
    unreported: str
    """Why there are no reports; empty when there are, or will be."""
    can_report: bool
    statuses: tuple[str, ...]
    codes: tuple[tuple[int, str], ...]
    newer: str | None
    older: str | None


def show(visit: Visit) -> Page:
    """Show one message."""
    visit.demand_known()
    engine, now = visit.engine, visit.now
    number = number_of(visit.path["id"], "m")
    message = engine.store.message(number)
    if message is None:
        raise NotFoundError(f"There is no message m{number}: it never was, or has been deleted.")
    status = status_at(message, now)
    callbacks = [
        callback for each in message.callback_numbers if (callback := engine.store.callback(each)) is not None
    ]
    retry_s = engine.dispatcher.settings.retry_s
    events = story.events(message, callbacks, now=now, readings=engine.readings, retry_s=retry_s)
    submission = message.submission
    view = MessageView(
        id=f"m{number}",
        status=status,
        tone=tones.of_status(status),
        kinds=tuple(kind for kind in kinds(message) if kind != status),
        handset=_handset(message, engine.store, now),
        facts=_facts(message, visit.base, now),
        hints=tuple(map(without_secrets, submission.hints)),
        encoding=anatomy.laid_open(
            submission.encoded,
            submission.udh,
            dcs=submission.dcs,
            room=room_beside(submission.encoded.coding, submission.udh, engine.readings),
        ),
        story=events,
        story_told=_told(message, status, now),
        next_at=_next_at(visit, message, callbacks),
        callbacks=tuple(_card(callback, now, retry_s) for callback in callbacks),
        unreported=_unreported(message),
        can_report=submission.callback_url is not None,
        statuses=REPORTABLE,
        codes=tuple((row.code, row.description) for row in contract.error_codes()),
        newer=_link(visit.base, engine.store, number + 1),
        older=_link(visit.base, engine.store, number - 1),
    )
    return Page("message.html", f"Message m{number}", view, tab="/")


def _next_at(visit: Visit, message: Message, callbacks: Sequence[Callback]) -> str:
    if visit.engine.clock.mode != "virtual":
        return ""
    now, retry_s = visit.now, visit.engine.dispatcher.settings.retry_s
    changes = (at for change in message.timeline for at in (change.at, change.send_at))
    tries = (story.next_attempt_at(each, retry_s) for each in callbacks)
    return min((rfc3339_exact(at) for at in (*changes, *tries) if at is not None and at > now), default="")


def _link(base: str, store: Store, number: int) -> str | None:
    return f"{base}/messages/m{number}" if number > 0 and store.message(number) is not None else None


def _facts(message: Message, base: str, now: datetime) -> tuple[Fact, ...]:
    submission = message.submission
    facts = [
        Fact("To", submission.destination, is_code=True),
        Fact("Sender", submission.sender_id or "none given", is_code=submission.sender_id is not None),
        Fact("Transaction id", message.transaction_id, is_code=True),
        Fact("User", cut(submission.user, _LONGEST), is_code=True),
        Fact("Received", _in_full(message.received_at, now)),
    ]
    if submission.scheduled_at is not None:
        facts.append(Fact("Scheduled for", _in_full(submission.scheduled_at, now)))
    if message.expires_at is not None and not is_final(message.status):
        facts.append(Fact("Expires", _in_full(message.expires_at, now)))
    facts += [
        Fact("Data coding", f"dcs {submission.dcs}"),
        Fact("Reports", _wish(message)),
        Fact("Request", f"r{message.request_number}", href=f"{base}/requests/r{message.request_number}"),
    ]
    return tuple(facts)


def _in_full(at: datetime, now: datetime) -> str:
    if at > now:
        return f"{moment(at, now).iso}, in {span(at - now)}"
    return moment(at, now).iso


def _wish(message: Message) -> str:
    submission = message.submission
    if not submission.confirmation:
        return "not asked for"
    if submission.callback_url is None:
        return "asked for, but there is nowhere to send them"
    return f"to {cut(without_secrets(submission.callback_url), _LONGEST)}"


def _unreported(message: Message) -> str:
    submission = message.submission
    if submission.unreported is not None:
        return f"No report can be sent: {without_secrets(submission.unreported)}."
    if not submission.confirmation:
        return "The request did not ask for reports: send confirmation=true with a callbackUrl to get them."
    return ""


def _told(message: Message, status: str, now: datetime) -> str:
    """Tell a message's story in a sentence."""
    to_come = [change for change in message.timeline[message.done :] if change.at > now]
    if not to_come:
        return (
            f"It is {status}, which is final."
            if is_final(status)
            else f"It is {status}; nothing more is planned."
        )
    change = to_come[0]
    return f"It is {status}, and becomes {change.status} in {span(change.at - now)}."


# -- the handset --------------------------------------------------------------------------------------------------


def _handset(message: Message, store: Store, now: datetime) -> Handset:
    submission = message.submission
    encoded, udh = submission.encoded, submission.udh
    group = message.group
    is_shown = message.status == Status.DELIVERED
    return Handset(
        sender=submission.sender_id,
        at=moment(_shown_at(message) or message.received_at, now),
        text="" if encoded.text is None or group is not None else encoded.text,
        dump=() if encoded.octets is None else anatomy.content_dump(encoded.octets),
        is_flash=udh is not None and udh.is_flash,
        pieces=() if group is None else _pieces(message, group, store),
        is_whole=group is None or group.joined is not None,
        note=_note(message, now),
        is_shown=is_shown,
    )


def _shown_at(message: Message) -> datetime | None:
    done = [change.at for change in message.timeline[: message.done] if change.status == Status.DELIVERED]
    return done[-1] if done else None


def _note(message: Message, now: datetime) -> str:
    """Say whether the phone shows it by now."""
    if message.status == Status.DELIVERED:
        if message.submission.dcs in BINARY:
            return "Binary: a phone hands it to an application, and shows nothing."
        if message.group is not None and message.group.joined is None:
            return "A phone waits for the parts that are missing."
        return ""
    if is_final(message.status):
        return f"The phone never shows it: it is {message.status}."
    scheduled_at = message.submission.scheduled_at
    if scheduled_at is not None and scheduled_at > now:
        return f"Not on the phone yet: it goes out in {span(scheduled_at - now)}."
    return f"Not on the phone yet: it is {status_at(message, now)}."


def _pieces(message: Message, group: Group, store: Store) -> tuple[Piece, ...]:
    """Return all parts of a concatenated message, those too that have not come."""
    ids: dict[int, str] = {}
    for other in store.messages():
        udh = other.submission.udh
        part = udh.concatenation if other.group is group and udh is not None else None
        if part is not None:
            ids[part.sequence] = f"m{other.number}"  # of a repeat, the first
    udh = message.submission.udh
    part = udh.concatenation if udh is not None else None
    own = part.sequence if part is not None else 0
    return tuple(
        Piece(
            sequence,
            group.parts[sequence].text if sequence in group.parts else None,
            ids.get(sequence),
            sequence == own,
        )
        for sequence in range(1, group.key.total + 1)
    )


# -- its reports --------------------------------------------------------------------------------------------------


def _card(callback: Callback, now: datetime, retry_s: Sequence[float]) -> CallbackCard:
    retry_at = story.next_attempt_at(callback, retry_s)
    return CallbackCard(
        id=f"c{callback.number}",
        state=callback.state,
        tone=tones.of_callback(callback.state),
        method=callback.method,
        url=cut(without_secrets(callback.url), _LONGEST),
        body=_body(callback),
        reason=without_secrets(callback.reason or ""),
        attempts=tuple(
            AttemptRow(
                number,
                moment(attempt.at, now, millis=True),
                Tone.OK if attempt.error is None else Tone.FAILED,
                f"HTTP {attempt.status}" if attempt.status is not None else "no answer",
                without_secrets(attempt.error or ""),
                f"{attempt.ms} ms",
            )
            for number, attempt in enumerate(callback.attempts, 1)
        ),
        next_attempt=None if retry_at is None else f"at about {moment(retry_at, now).shown}",
    )


def _body(callback: Callback) -> str:
    """Return a report's body; laid out where it is a JSON object, and one that JSON can write again."""
    shown = callback.shown_body
    text = callback.body or ""
    if isinstance(shown, dict):
        with suppress(ValueError, RecursionError):
            text = json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False)
    return cut(text, _LONGEST_BODY)
