"""The reports of a drill: composed as the sandbox composes its own, signed well, badly or not at all.

Knows nothing of how they are sent.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final

from sandbox import contract, signature
from sandbox.core.coding import Coding, Encoded
from sandbox.core.model import Callback, Change, Message, Submission
from sandbox.core.report import compose
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

DESTINATION: Final = "+1222333444"

STALE: Final = timedelta(minutes=10)
"""How old a stale signature is; the specification's own libraries take up to five minutes."""

_NOT_THE_SECRET: Final = f"whsec_{b64encode(b'some other secret').decode()}"


class Signed(StrEnum):
    """How a report is signed, where there is a secret to sign it with."""

    WELL = "well"
    NOT_AT_ALL = "not at all"
    WITH_ANOTHER_SECRET = "with another secret"  # noqa: S105 - not one
    BEFORE_ITS_BODY_WAS_CHANGED = "before its body was changed"
    TEN_MINUTES_AGO = "ten minutes ago"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to say."""

    status: str
    age: timedelta = timedelta()
    """How long before the step began the status changed."""
    error_code: int | None = None
    readings: Mapping[str, str] | None = None
    """How it is spelled, where that is not as by default."""
    bend: Callable[[str], str] | None = None
    """What becomes of its body."""
    number: int = 1
    """Of the callback that carries it: reports of one status in two callbacks have two."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report as it goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the reports of one drill."""

    url: str
    """Of the receiver."""
    secret: str | None
    """Signs them; None: nothing does."""
    began_at: datetime
    """When the drill began."""

    def write(
        self,
        wanted: Wanted,
        transaction_id: str,
        *,
        step_began_at: datetime,
        now: datetime,
        signed: Signed = Signed.WELL,
    ) -> Written:
        """Return a report about the message with this id, signed so.

        Ages are counted from when the step began, so that each attempt has the same octets, however long the one
        before has taken.
        """
        changed_at = step_began_at - wanted.age
        change = Change(changed_at, wanted.status, send_at=now, error_code=wanted.error_code)
        message = self._message(transaction_id, wanted.status)
        method, url, text = compose(
            message,
            change,
            self.url,
            readings=contract.readings(wanted.readings),
            descriptions=_descriptions(),
        )
        if wanted.bend is not None and text is not None:
            text = wanted.bend(text)
        body = None if text is None else text.encode()
        headers = {"User-Agent": "panelsms-sandbox"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.secret is not None and signed is not Signed.NOT_AT_ALL:
            # All attempts at a report have one id, its forgery too: a receiver that keeps ids must not keep that one's.
            callback = Callback(wanted.number, message, self.url, method, body=wanted.status)
            headers |= signature.headers(
                _NOT_THE_SECRET if signed is Signed.WITH_ANOTHER_SECRET else self.secret,
                webhook_id=signature.webhook_id(callback, "drill"),
                at=now - STALE if signed is Signed.TEN_MINUTES_AGO else now,
                body=b"{}" if signed is Signed.BEFORE_ITS_BODY_WAS_CHANGED else body or b"",
            )
        return Written(method, url, headers, body)

    def _message(self, transaction_id: str, status: str) -> Message:
        submission = Submission(
            user="",
            destination=DESTINATION,
            sender_id=None,
            dcs=0,
            encoded=Encoded(Coding.GSM7, 0, ""),
            udh=None,
            transaction_id=transaction_id,
            confirmation=True,
            callback_url=self.url,
            unreported=None,
            scheduled_at=None,
            expires_at=None,
        )
        return Message(1, 1, submission, transaction_id, self.began_at, None, (), status)


def check_secret(secret: str) -> None:
    """Do nothing where reports can be signed with *secret*.

    Raises:
        ConfigError: they cannot.
    """
    try:
        octets = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        octets = b""
    if not octets:
        raise ConfigError(
            "--secret is no secret: write whsec_ and base64, as the Standard Webhooks specification does"
        )


@cache
def _descriptions() -> Mapping[int, str]:
    return {row.code: row.description for row in contract.error_codes()}
