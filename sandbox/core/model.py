"""The frozen records that the parts of the sandbox hand each other.

Nothing here knows how a record is stored, sent or spelled on the wire. Those that are made for every request are
named tuples, which cost a third of what frozen dataclasses do; all others are frozen dataclasses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.core.transaction_ids import FIRST

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sandbox.core.coding import Encoded
    from sandbox.core.concatenation import Group
    from sandbox.core.decide import Mark
    from sandbox.core.scenario import Respond, Step
    from sandbox.core.udh import Udh


JsonObject = dict[str, Any]


class Unreadable(NamedTuple):
    """A parameter's value that is no text: octets that are not UTF-8, or a JSON array or object."""

    why: str
    octets: bytes | None = None
    """What was sent, percent-decoded; None when it was JSON."""


Value = str | Unreadable


class Call(NamedTuple):
    """One request to the endpoint, read: its parameters by their wire names, and what was odd about it."""

    method: str
    path: str
    parameters: Mapping[str, Value]
    json_names: Collection[str] = ()
    """The parameters whose value came out of a JSON body."""
    has_json_body: bool = False
    hints: tuple[str, ...] = ()
    unreadable_body: str | None = None
    """Why the body could not be read; the parameters are then those of the query string."""
    too_large: bool = False
    """The body is over the limit; nothing of it was read."""


class Barred(NamedTuple):
    """Destinations that an account may not reach: one number, or all that begin with a prefix."""

    destination: str
    is_prefix: bool = False

    def covers(self, destination: str) -> bool:
        """Say whether *destination* (``+34600000000``) is barred by this entry."""
        return destination.startswith(self.destination) if self.is_prefix else destination == self.destination


class RateLimit(NamedTuple):
    """At most *requests* in any stretch of *per_s* seconds of sandbox time."""

    requests: int
    per_s: float


class Account(NamedTuple):
    """Who may send, and what with; every limit that is None is absent."""

    user: str
    api_key: str | None
    """None: any key that is not empty."""
    balance: int | None = None
    """Credits at the start."""
    disabled: bool = False
    callback_url: str | None = None
    sender_ids: frozenset[str] | None = None
    barred: tuple[Barred, ...] = ()
    unsupported: frozenset[str] = frozenset()
    """Of ``binary``, ``flash``, ``udh``, ``scheduling``, ``validity``, ``dcs:0`` … ``dcs:8``."""
    rate_limit: RateLimit | None = None
    queue_limit: int | None = None

    @property
    def limits(self) -> tuple[object, ...]:
        """What the fields named in `LIMITS` hold."""
        return self[-len(LIMITS) :]


LIMITS: Final = ("barred", "unsupported", "rate_limit", "queue_limit")
"""The last fields of an account: what few have, and what checks of their own are about."""


class Accounts(NamedTuple):
    """The accounts of a scenario: those listed by user, and whether anybody else may send too."""

    listed: Mapping[str, Account] = MappingProxyType({})
    anyone: bool = True

    def find(self, user: str) -> Account | None:
        """Return the account of *user*, an open one when anybody may send, None when it does not exist."""
        account = self.listed.get(user)
        if account is None and self.anyone:
            return _open_account(user)
        return account


@lru_cache(maxsize=1024)
def _open_account(user: str) -> Account:
    return Account(user=user, api_key=None)


class Standing(NamedTuple):
    """Where an account stands when a request arrives: the state that the checks need, as plain values."""

    rate_exceeded: bool = False
    queued: int = 0
    """Accepted messages without a final status."""
    balance: int | None = None
    """Credits left; None for unlimited."""


class Refusal(NamedTuple):
    """Why a submission is not accepted."""

    code: int
    reason: str
    """Which value failed, why, and what to do."""
    position: int = 0
    """Of the check that failed, in the order of the checks, from 1; 0 for what came before them."""
    hints: tuple[str, ...] = ()


class Submission(NamedTuple):
    """A request that passed every check: what is to be sent."""

    user: str
    destination: str
    sender_id: str | None
    dcs: int
    encoded: Encoded
    udh: Udh | None
    transaction_id: str | None
    """As the client chose it; None when one is to be generated."""
    confirmation: bool
    callback_url: str | None
    """Of the request or its account; None when neither names a usable one."""
    unreported: str | None
    """Why no report can be sent although one was asked for."""
    scheduled_at: datetime | None
    expires_at: datetime | None
    """The end of the validity period, when one was given."""
    hints: tuple[str, ...] = ()


class Format(StrEnum):
    """How an answer is spelled."""

    TEXT = "text"
    JSON = "json"
    XML = "xml"


class Answer(NamedTuple):
    """An HTTP answer of the endpoint, without the sandbox's own headers."""

    status: int
    content_type: str
    body: str


class Status(StrEnum):
    """The SMPP v3.4 §5.2.28 message states in lower case, and the sandbox's own two from before the first step."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    ENROUTE = "enroute"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"
    REJECTED = "rejected"


class Change(NamedTuple):
    """One planned change of a message's status, and when its report goes out."""

    at: datetime
    status: str
    send_at: datetime
    step: Step | None = None
    """The scenario's step behind it; None for the expiry, and for a change made by hand."""
    error_code: int | None = None


@dataclass(slots=True)
class Message:
    """An accepted message: what was submitted never changes, its status moves along the timeline."""

    number: int
    """Counted from 1 in its session; the id is ``m1``."""
    request_number: int
    submission: Submission
    transaction_id: str
    received_at: datetime
    expires_at: datetime | None
    """None: it never expires."""
    timeline: tuple[Change, ...]
    status: str
    done: int = 0
    """How many changes of the timeline have happened."""
    callback_numbers: tuple[int, ...] = ()
    group: Group | None = None
    """The concatenated message that this one is a part of."""
    unsent: tuple[Change, ...] = ()
    """The changes that have happened and whose reports go out at a moment of their own, yet to come."""

    def is_next(self, change: Change) -> bool:
        """Say whether *change* is what happens to the message next; what was planned may have been dropped."""
        return self.done < len(self.timeline) and self.timeline[self.done] is change


class Numbering(NamedTuple):
    """How far a session has counted; numbers go on from here when another run takes it up."""

    requests: int = 0
    messages: int = 0
    callbacks: int = 0
    next_transaction_id: int = FIRST


class RequestRecord(NamedTuple):
    """One call to the endpoint and what it was answered, refused ones too."""

    number: int
    """Counted from 1 in its session; the id is ``r1``."""
    at: datetime
    call: Call
    answer: Answer
    error: int | None = None
    reason: str | None = None
    hints: tuple[str, ...] = ()
    rule: str | None = None
    message_number: int | None = None
    respond: Respond | None = None
    """What the rule says of the answer; None: it is sent as it is, at once."""
    is_reported_first: bool = False
    """Whether the answer waits for reports of the message."""
    marks: tuple[Mark, ...] = ()
    """What the session remembered when it tried the rules before the checks, and then those after them.

    Rules that were not tried have none.
    """


class CallbackState(StrEnum):
    """Where a callback stands: under way, arrived, given up, or held back."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"


class Attempt(NamedTuple):
    """One try to carry a report, and what came back."""

    at: datetime
    status: int | None
    """The HTTP status; None when no answer came."""
    error: str | None
    """Why it counts as failed; None after a 2xx."""
    ms: int
    """How long it took, in real time."""


@dataclass(slots=True)
class Callback:
    """One report on its way to its receiver."""

    number: int
    """Counted from 1 in its session; the id is ``c1``."""
    message: Message
    url: str
    """Where it is sent, complete."""
    method: str
    body: str | None
    """The same at every attempt; None for a GET."""
    state: CallbackState = CallbackState.WAITING
    reason: str | None = None
    attempts: tuple[Attempt, ...] = ()
    retry_at: datetime | None = None
    """When it is tried again, where it waits for that."""
    replayed_after: int = 0
    """How many attempts there were when it was last sent anew: those from then on count for its retries."""

    @property
    def shown_body(self) -> JsonObject | str | None:
        """The body as records show it: its JSON object, its text where it is none, None for a GET."""
        if self.body is None:
            return None
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return self.body
        return parsed if isinstance(parsed, dict) else self.body
