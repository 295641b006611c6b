"""A delivery report as it is sent: the reference's JSON object, a scenario's body, or the older wiki's query.

Knows nothing of sending. Source: the API reference, "Delivery Reports"; the wiki's GET is a reading.
"""

from __future__ import annotations

from json import JSONEncoder
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.core.statuses import is_final
from sandbox.core.template import render
from sandbox.core.times import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.model import Change, Message
    from sandbox.core.readings import Readings


# Made once: json.dumps with other separators than its own makes one for each call.
_ENCODER: Final = JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def is_reported(change: Change, readings: Readings) -> bool:
    """Say whether a change of status earns a report."""
    return readings.dlr_statuses == "every_change" or is_final(change.status)


def compose(
    message: Message, change: Change, url: str, *, readings: Readings, descriptions: Mapping[int, str]
) -> tuple[str, str, str | None]:
    """Return how a change is reported: HTTP method, complete URL, and body (None for a GET).

    Args:
        message: whose status changed.
        change: to what, and when.
        url: the callback URL.
        readings: which callback it is, and how it is spelled.
        descriptions: of the error codes.
    """
    status = change.status.upper() if readings.dlr_status_case == "upper" else change.status
    if readings.dlr_format == "wiki_get":
        return "GET", _wiki_url(message, change, url, status), None
    code = change.error_code
    body = {
        "transactionId": message.transaction_id,
        "status": status,
        "destination": message.submission.destination,
        "timestamp": rfc3339(change.at),
        "errorCode": str(code) if code is not None and readings.dlr_error_code == "string" else code,
        "errorDescription": None if code is None else descriptions.get(code),
    }
    if change.step is not None and change.step.body is not None:
        return "POST", url, render(change.step.body, {**_parameters(message), **_texts(body)})
    return "POST", url, _ENCODER.encode(body)


def _parameters(message: Message) -> dict[str, str]:
    """Return the parameters of a message by their wire names, as far as it has them; never its key."""
    submission = message.submission
    udh, scheduled_at, expires_at = submission.udh, submission.scheduled_at, submission.expires_at
    return _texts(
        {
            "to": submission.destination,
            "senderId": submission.sender_id,
            "message": submission.encoded.text,
            "dcs": submission.dcs,
            "udh": None if udh is None else udh.octets.hex().upper(),
            "user": submission.user,
            "confirmation": "true" if submission.confirmation else "false",
            "callbackUrl": submission.callback_url,
            "scheduledDeliveryTime": None if scheduled_at is None else rfc3339(scheduled_at),
            "validityPeriod": None if expires_at is None else rfc3339(expires_at),
        }
    )


def _texts(members: Mapping[str, str | int | None]) -> dict[str, str]:
    return {name: str(value) for name, value in members.items() if value is not None}


def _wiki_url(message: Message, change: Change, url: str, status: str) -> str:
    query = urlencode(
        {
            "ID": f"m{message.number}",
            "transactionId": message.transaction_id,
            "status": status,
            "msisdn": message.submission.destination.removeprefix("+"),
            "date": change.at.strftime("%d%m%y%H%M"),
        }
    )
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
