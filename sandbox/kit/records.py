"""What a sandbox tells, as values: messages, requests, callbacks, reports.

Each is the JSON object itself, so ``message["senderId"]`` works as the API spells it, and ``message.sender_id`` as
Python does. Nothing here asks anybody anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class _Member(Generic[T]):
    """A member of a JSON object as an attribute: under the API's name, read by *read* unless it is null."""

    def __init__(self, name: str, read: Callable[[Any], T] = lambda value: cast("T", value)) -> None:
        self._name = name
        self._read = read

    @overload
    def __get__(self, record: None, owner: type) -> Self: ...
    @overload
    def __get__(self, record: dict[str, Any], owner: type) -> T: ...
    def __get__(self, record: dict[str, Any] | None, owner: type) -> Self | T:
        if record is None:
            return self
        value = record.get(self._name)
        return cast("T", None) if value is None else self._read(value)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def quoted(text: str, limit: int = 40) -> str:
    """Return the beginning of a text as Python writes it: ``'Código 12…'``."""
    return repr(text if len(text) <= limit else f"{text[: limit - 1]}…")


class Message(dict[str, Any]):
    """An accepted message: what was sent, how it travels, and what became of it."""

    id = _Member[str]("id")
    transaction_id = _Member[str]("transactionId")
    user = _Member[str]("user")
    to = _Member[str]("to")
    sender_id = _Member[str | None]("senderId")
    text = _Member[str | None]("text")
    """None for a binary message."""
    dcs = _Member[int]("dcs")
    encoding = _Member[dict[str, Any]]("encoding")
    """``{"coding": "GSM7", "used": 11, "room": 160, "unit": "septets", "octets": "…hex…"}``."""
    udh = _Member[str | None]("udh")
    flash = _Member[bool]("flash")
    concatenation = _Member[dict[str, int] | None]("concatenation")
    """``{"reference": 204, "total": 2, "sequence": 1}``."""
    joined = _Member[str | None]("joined")
    """The whole text, once all parts are here."""
    confirmation = _Member[bool]("confirmation")
    callback_url = _Member[str | None]("callbackUrl")
    scheduled_at = _Member[datetime | None]("scheduledAt", _moment)
    expires_at = _Member[datetime | None]("expiresAt", _moment)
    received_at = _Member[datetime]("receivedAt", _moment)
    status = _Member[str]("status")
    timeline = _Member[list[dict[str, Any]]]("timeline")
    callbacks = _Member[list[str]]("callbacks")
    hints = _Member[list[str]]("hints")
    request_id = _Member[str]("requestId")

    @property
    def statuses(self) -> list[str]:
        """The statuses that it has had so far, in order: ``["accepted", "enroute", "delivered"]``."""
        return [change["status"] for change in self.timeline if change["done"]]

    def __repr__(self) -> str:
        sender = "" if self.sender_id is None else f" from {self.sender_id}"
        text = "binary" if self.text is None else quoted(self.text)
        return f"<{self.id} to {self.to}{sender}: {text}, {self.status}>"


class Request(dict[str, Any]):
    """A call to the endpoint, refused ones too, and what it was answered."""

    id = _Member[str]("id")
    method = _Member[str]("method")
    path = _Member[str]("path")
    at = _Member[datetime]("at", _moment)
    parameters = _Member[dict[str, str]]("parameters")
    """As they came, by the API's names; keys are masked."""
    status = _Member[int]("status")
    """Of HTTP."""
    answer = _Member[str]("answer")
    error = _Member[int | None]("error")
    reason = _Member[str | None]("reason")
    """Why it was refused, or which rule decided."""
    hints = _Member[list[str]]("hints")
    rule = _Member[str | None]("rule")
    message_id = _Member[str | None]("messageId")
    """None when nothing was accepted."""

    def __repr__(self) -> str:
        to, text = self.parameters.get("to"), self.parameters.get("message")
        sent = f" to {to or 'nobody'}: {quoted(text or '')}"
        answer = quoted(self.answer) if self.status == 200 else f"HTTP {self.status}"
        return f"<{self.id} {self.method}{sent}, answered {answer}>"


class Attempt(dict[str, Any]):
    """One try to carry a report, and what came back."""

    at = _Member[datetime]("at", _moment)
    status = _Member[int | None]("status")
    """Of HTTP; None when no answer came."""
    error = _Member[str | None]("error")
    """Why it counts as failed; None after a 2xx."""
    ms = _Member[int]("ms")


class Callback(dict[str, Any]):
    """One report on its way to its receiver, with every attempt."""

    id = _Member[str]("id")
    message_id = _Member[str]("messageId")
    transaction_id = _Member[str]("transactionId")
    method = _Member[str]("method")
    url = _Member[str]("url")
    body = _Member[dict[str, Any] | str | None]("body")
    """A JSON object, the text of a body that is none, or None of a GET."""
    state = _Member[str]("state")
    """``waiting``, ``delivered``, ``failed`` or ``refused``."""
    reason = _Member[str | None]("reason")
    attempts = _Member[list[Attempt]]("attempts", lambda attempts: [Attempt(each) for each in attempts])

    def __repr__(self) -> str:
        tried = ", ".join(str(each.status or each.error) for each in self.attempts)
        # One may be under way, at a receiver that does not answer.
        none = "no attempt has ended" if self.state == "waiting" else "not tried"
        return f"<{self.id} of {self.message_id} to {self.url}: {self.state} ({tried or none})>"


class Report(dict[str, Any]):
    """A delivery report as its receiver got it; empty where its body is no JSON object."""

    transaction_id = _Member[str]("transactionId")
    status = _Member[str]("status")
    destination = _Member[str]("destination")
    timestamp = _Member[datetime]("timestamp", _moment)
    error_code = _Member[int | None]("errorCode")
    error_description = _Member[str | None]("errorDescription")

    def __init__(
        self, members: dict[str, Any], *, method: str, headers: dict[str, str], raw: bytes, query: str
    ) -> None:
        """Keep what came.

        Args:
            members: of the JSON object, or of the query of a GET.
            method: of HTTP.
            headers: their names in lower case.
            raw: the body, octet for octet.
            query: what stood behind the URL's ``?``.
        """
        super().__init__(members)
        self.method = method
        self.headers = headers
        self.raw = raw
        self.query = query
