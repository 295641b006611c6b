"""The signature of an attempt: three headers by which a receiver knows who sent it, when, and that nobody changed it.

Knows nothing of retries or of the HTTP client. Source: the Standard Webhooks specification, through its library, which
is imported when the first attempt is signed.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.core.model import Callback


def webhook_id(callback: Callback, session: str) -> str:
    """Return the id of a callback: one at all its attempts, replays by hand included, and no other callback's.

    It is made of what the callback is. So the same requests to the same scenario at the same moments get the same
    ids, while a receiver that remembers the ids it has seen does not take a later run's reports for an earlier one's.

    A report that a scenario sends twice (``repeat: 2``) is two callbacks with an id each: a receiver that looks at
    ids alone handles it twice, and one that is to survive this compares transaction id and status. The case that
    the id is for, one callback that comes again since its first answer was lost, is a retry.

    Args:
        callback: what is carried.
        session: the name of its session, as the sessions of one server may report to one receiver.
    """
    message = callback.message
    what = (session, callback.number, message.received_at.isoformat(), message.transaction_id, callback.body)
    return f"msg_{blake2b(ascii(what).encode(), digest_size=16).hexdigest()}"


def headers(secret: str, *, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that sign one attempt.

    Args:
        secret: ``whsec_`` and base64, or the base64 alone.
        webhook_id: of the callback.
        at: when the attempt is made, in real time, since a receiver compares it with its own clock and by the
            specification refuses what is minutes off: with the sandbox's time, on a virtual clock that stands in
            2024, it would refuse all.
        body: as it is sent, UTF-8; empty for a GET.

    Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
    """
    from standardwebhooks import Webhook  # noqa: PLC0415 - few scenarios have a secret

    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }
