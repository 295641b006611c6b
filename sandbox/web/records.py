"""Records as the control API shows them: JSON objects with the provider's names.

Secrets are masked here, so that nothing downstream can show one. Pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.core.checks import room_beside
from sandbox.core.coding import user_data
from sandbox.core.masking import is_key, masked, shown_answer, without_secrets
from sandbox.core.model import Status, Unreadable
from sandbox.core.times import rfc3339, rfc3339_millis

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.core.coding import Encoded
    from sandbox.core.model import Attempt, Callback, Change, JsonObject, Message, RequestRecord, Value
    from sandbox.core.readings import Readings
    from sandbox.core.udh import Udh


def message_json(message: Message, *, readings: Readings, now: datetime) -> JsonObject:
    """Return a message as ``GET messages/ID`` shows it."""
    submission = message.submission
    udh = submission.udh
    part = udh.concatenation if udh is not None else None
    return {
        "id": f"m{message.number}",
        "transactionId": message.transaction_id,
        "user": submission.user,
        "to": submission.destination,
        "senderId": submission.sender_id,
        "text": submission.encoded.text,
        "dcs": submission.dcs,
        "encoding": encoding_json(submission.encoded, udh, readings),
        "udh": udh.octets.hex().upper() if udh is not None else None,
        "flash": udh is not None and udh.is_flash,
        "concatenation": None
        if part is None
        else {"reference": part.reference, "total": part.total, "sequence": part.sequence},
        "joined": message.group.joined if message.group is not None else None,
        "confirmation": submission.confirmation,
        "callbackUrl": _without_secrets(submission.callback_url),
        "unreported": _without_secrets(submission.unreported),
        "scheduledAt": _moment(submission.scheduled_at),
        "expiresAt": _moment(message.expires_at),
        "receivedAt": rfc3339(message.received_at),
        "status": status_at(message, now),
        "timeline": [
            _change_json(change, done=index < message.done) for index, change in enumerate(message.timeline)
        ],
        "callbacks": [f"c{number}" for number in message.callback_numbers],
        "hints": list(map(without_secrets, submission.hints)),
        "requestId": f"r{message.request_number}",
    }


def status_at(message: Message, now: datetime) -> str:
    """Return a message's status; a scheduled one is pending once its time has come."""
    scheduled_at = message.submission.scheduled_at
    if message.status == Status.SCHEDULED and scheduled_at is not None and scheduled_at <= now:
        return Status.PENDING
    return message.status


def encoding_json(encoded: Encoded, udh: Udh | None, readings: Readings) -> JsonObject:
    """Return how a message travels; ``octets`` is its TP-User-Data in hex, header included."""
    return {
        "coding": encoded.coding,
        "used": encoded.used,
        "room": room_beside(encoded.coding, udh, readings),
        "unit": encoded.coding.unit,
        "octets": user_data(encoded, udh.octets if udh is not None else b"").hex().upper(),
    }


def request_json(record: RequestRecord) -> JsonObject:
    """Return a request as ``GET requests/ID`` shows it."""
    return {
        "id": f"r{record.number}",
        "method": record.call.method,
        "path": record.call.path,
        "at": rfc3339(record.at),
        "parameters": parameters_json(record.call.parameters),
        "status": record.answer.status,
        "answer": shown_answer(record),
        "contentType": record.answer.content_type,
        "error": record.error,
        "reason": _without_secrets(record.reason),
        "hints": list(map(without_secrets, record.hints)),
        "rule": record.rule,
        "messageId": None if record.message_number is None else f"m{record.message_number}",
    }


def callback_json(callback: Callback) -> JsonObject:
    """Return a callback as ``GET callbacks`` shows it; ``body`` is parsed where it is JSON."""
    return {
        "id": f"c{callback.number}",
        "messageId": f"m{callback.message.number}",
        "transactionId": callback.message.transaction_id,
        "method": callback.method,
        "url": without_secrets(callback.url),
        "body": _body(callback),
        "state": callback.state,
        "reason": _without_secrets(callback.reason),
        "attempts": [_attempt_json(attempt) for attempt in callback.attempts],
    }


def parameters_json(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Return parameters as text, any key masked: ``{"apiKey": "se…et"}``."""
    return {name: _shown(name, _text(value)) for name, value in parameters.items()}


def _shown(name: str, text: str) -> str:
    if is_key(name):
        return masked(text)
    return without_secrets(text) if name.lower() == "callbackurl" else text


def _body(callback: Callback) -> JsonObject | str | None:
    """Return the body of a report; as its text where JSON cannot say what it holds, such as 1e999 or half a character."""
    try:
        shown = callback.shown_body
        json.dumps(shown, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return callback.body
    return shown


def _without_secrets(text: str | None) -> str | None:
    return None if text is None else without_secrets(text)


def _text(value: Value) -> str:
    if isinstance(value, Unreadable):
        return value.why if value.octets is None else value.octets.decode("utf-8", "backslashreplace")
    return value


def _moment(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


def _change_json(change: Change, *, done: bool) -> JsonObject:
    return {"at": rfc3339(change.at), "status": change.status, "errorCode": change.error_code, "done": done}


def _attempt_json(attempt: Attempt) -> JsonObject:
    return {
        "at": rfc3339_millis(attempt.at),
        "status": attempt.status,
        "error": _without_secrets(attempt.error),
        "ms": attempt.ms,
    }
