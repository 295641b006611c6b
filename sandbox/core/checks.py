"""The ordered checks: a request is accepted as a submission, or refused with the code of the first check that fails.

Knows the provider's parameters and error codes; nothing of HTTP, scenarios or storage. Source: the API reference,
"Parameters" and "Error Codes"; what it leaves open is a row of ``contract/readings.yaml``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core import coding, times, udh
from sandbox.core.address import destination_fault, is_destination, normal_destination, sender_fault
from sandbox.core.callback_url import url_fault
from sandbox.core.coding import BINARY, DCS_VALUES, LATIN1, Encoded, Inexpressible
from sandbox.core.model import LIMITS, Account, Refusal, Standing, Submission, Unreadable, Value
from sandbox.core.parameters import OPTIONAL, missing, octets_of
from sandbox.core.spelling import excerpt
from sandbox.core.times import MalformedTime

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime, tzinfo

    from sandbox.core.readings import Readings

UNSUPPORTED: Final = (
    "binary",
    "flash",
    "udh",
    "scheduling",
    "validity",
    *(f"dcs:{dcs}" for dcs in DCS_VALUES),
)
"""What an account may be without."""

NOBODY: Final = Account(user="", api_key=None)
"""Stands for an account that does not exist."""

NO_STANDING: Final = Standing()

MESSAGE_PRICE: Final = 1
"""Credits."""


@dataclass(slots=True)
class Draft:
    """A submission in the making: what came with the request, and what the checks have read from it so far."""

    parameters: Mapping[str, Value]
    json_names: Collection[str]
    account: Account
    standing: Standing
    now: datetime
    readings: Readings
    hints: list[str]
    destination: str = ""
    sender_id: str | None = None
    dcs: int = 0
    udh: udh.Udh | None = None
    encoded: Encoded = Encoded(coding.Coding.GSM7, 0, "")  # noqa: RUF009 - frozen
    transaction_id: str | None = None
    scheduled_at: datetime | None = None
    expires_at: datetime | None = None


class Check(NamedTuple):
    """One check: what it is about, the code it refuses with, and the function that says why, or None."""

    about: str
    code: int
    examine: Callable[[Draft], str | Refusal | None]
    only_with: frozenset[str] = frozenset()
    """Parameters and limits of an account: without any of these there is nothing to examine. Empty: always is."""


def judge(
    parameters: Mapping[str, Value],
    *,
    json_names: Collection[str] = (),
    account: Account | None,
    standing: Standing,
    now: datetime,
    readings: Readings,
    callback_url: str | None = None,
    hints: Iterable[str] = (),
) -> Submission | Refusal:
    """Put a request to the checks.

    Args:
        parameters: by wire name.
        json_names: the parameters that came in a JSON body, whose characters stand for octets one to one.
        account: of the request's user; None when there is none.
        standing: where that account stands.
        now: the sandbox's time.
        readings: how the open questions are read.
        callback_url: where reports go when the request names no URL.
        hints: what was odd so far; the submission, or the refusal, carries them on.
    """
    draft = Draft(parameters, json_names, account or NOBODY, standing, now, readings, list(hints))
    if "" in parameters.values():
        draft.parameters = _without_empty(draft)
    for position, code, examine in _checks_with(tuple(parameters), draft.account.limits):
        fault = examine(draft)
        if fault is not None:
            if isinstance(fault, Refusal):
                return Refusal(fault.code, fault.reason, position, tuple(draft.hints))
            return Refusal(code, fault, position, tuple(draft.hints))
    return _submission(draft, callback_url)


@lru_cache(maxsize=64)
def _checks_with(
    names: tuple[str, ...], limits: tuple[object, ...]
) -> tuple[tuple[int, int, Callable[[Draft], str | Refusal | None]], ...]:
    """Return the checks that parameters of these names and an account with these limits have to pass."""
    given = {*names, *(name for name, limit in zip(LIMITS, limits, strict=True) if limit not in _NO_LIMITS)}
    return tuple(
        (position, check.code, check.examine)
        for position, check in enumerate(CHECKS, 1)
        if not check.only_with or check.only_with & given
    )


_NO_LIMITS: Final[tuple[object, ...]] = (None, (), frozenset())


def _without_empty(draft: Draft) -> dict[str, Value]:
    """Return the parameters without the optional ones that are empty, or with those marked as errors."""
    kept: dict[str, Value] = {}
    for name, value in draft.parameters.items():
        if value != "" or name not in OPTIONAL:
            kept[name] = value
        # An error of responseType means that it is absent, and the format is chosen before the checks.
        elif draft.readings.empty_optional == "reject" and name != "responseType":
            kept[name] = Unreadable("is empty: leave it out, or give it a value")
        else:
            draft.hints.append(f"{name} is empty and counts as absent")
    return kept


# -- the checks, in the order of the table below ------------------------------------------------------------------


def _check_user(draft: Draft) -> str | None:
    if draft.account is NOBODY:
        user = draft.parameters.get("user")
        if isinstance(user, str) and user:
            return f"user {excerpt(user)} is not an account of this scenario"
        return missing(draft.parameters, "user")
    if draft.account.disabled:
        return f"the account of user {excerpt(draft.account.user)} is disabled"
    return None


def _check_api_key(draft: Draft) -> str | None:
    key = draft.parameters.get("apiKey")
    if not key or isinstance(key, Unreadable):
        return missing(draft.parameters, "apiKey")
    account = draft.account
    if account.api_key is not None and key != account.api_key:
        return f"apiKey is not the key of user {excerpt(account.user)}"
    return None


def _check_rate(draft: Draft) -> str | None:
    limit = draft.account.rate_limit
    if limit is not None and draft.standing.rate_exceeded:
        return f"the account may make {limit.requests} requests in {limit.per_s:g} s: wait, then send again"
    return None


def _check_queue(draft: Draft) -> str | None:
    limit = draft.account.queue_limit
    if limit is not None and draft.standing.queued >= limit:
        return (
            f"{draft.standing.queued} messages are without a final status, the account's queue holds {limit}: "
            "wait for reports, then send again"
        )
    return None


def _check_supported(draft: Draft) -> str | None:
    for feature in _features(draft):
        if feature in draft.account.unsupported:
            return f"the account may not use {feature} (its unsupported list)"
    return None


def _features(draft: Draft) -> Iterable[str]:
    parameters = draft.parameters
    dcs = parameters.get("dcs", "0")
    if isinstance(dcs, str) and dcs in DCS_VALUES:
        yield f"dcs:{dcs}"
        if DCS_VALUES[dcs] in BINARY:
            yield "binary"
    if "udh" in parameters:
        yield "udh"
        header = _read_udh(draft)
        if isinstance(header, udh.Udh) and header.is_flash:
            yield "flash"
    if "scheduledDeliveryTime" in parameters:
        yield "scheduling"
    if "validityPeriod" in parameters:
        yield "validity"


def _check_sender(draft: Draft) -> str | None:
    sender_id = draft.parameters.get("senderId")
    if sender_id is None:
        return None
    if isinstance(sender_id, Unreadable):
        return f"senderId {sender_id.why}"
    fault = sender_fault(sender_id)
    if fault is not None:
        return f"senderId {fault}"
    allowed = draft.account.sender_ids
    if allowed is not None and sender_id not in allowed:
        return f"senderId {excerpt(sender_id)} is not on the account's list: {', '.join(map(excerpt, sorted(allowed)))}"
    draft.sender_id = sender_id
    return None


def _check_destination(draft: Draft) -> str | None:
    to = draft.parameters.get("to")
    if not to or isinstance(to, Unreadable):
        return missing(draft.parameters, "to")
    if not is_destination(to):
        readings = draft.readings
        to = normal_destination(
            to,
            plus_required=readings.destination_plus == "required",
            strip_spaces=readings.destination_spaces == "strip",
        )
        if not is_destination(to):
            return f"to {destination_fault(to)}"
    draft.destination = to
    return None


def _check_dcs(draft: Draft) -> str | None:
    value = draft.parameters.get("dcs", "0")
    if isinstance(value, Unreadable):
        return f"dcs {value.why}"
    dcs = DCS_VALUES.get(value)
    if dcs is None:
        return f"dcs {excerpt(value)} is not exactly one of 0, 1, 2, 3, 4, 8"
    draft.dcs = dcs
    return None


def _check_udh(draft: Draft) -> str | None:
    if "udh" not in draft.parameters:
        return None
    header = _read_udh(draft)
    if isinstance(header, str):
        return f"udh {header}"
    draft.udh = header
    return None


def _read_udh(draft: Draft) -> udh.Udh | str:
    """Return the header that was sent, or what is wrong with it."""
    value = draft.parameters["udh"]
    octets = (
        octets_of(draft.parameters, "udh", draft.json_names)
        if draft.readings.udh_form == "hex_or_raw"
        else None
    )
    if octets is not None and not _HEX.fullmatch(octets):
        header = udh.parse(octets)
    elif isinstance(value, Unreadable):
        return value.why
    else:
        header = udh.parse_hex(value)
    return header.detail if isinstance(header, udh.MalformedUdh) else header


def _check_message(draft: Draft) -> str | None:
    message = draft.parameters.get("message")
    if message is None or message == "":
        return missing(draft.parameters, "message")
    encoded: Encoded | Inexpressible
    if draft.dcs in BINARY:
        if isinstance(message, Unreadable) and message.octets is None:
            return f"message {message.why}"
        encoded = coding.encode_binary(
            octets_of(draft.parameters, "message", draft.json_names), draft.readings
        )
    elif isinstance(message, Unreadable):
        return f"message {message.why}"
    else:
        encoded = coding.encode_text(message, draft.dcs, draft.readings)
    if isinstance(encoded, Inexpressible):
        return f"message does not fit dcs={draft.dcs}: {encoded.why}"
    draft.encoded = encoded
    return _check_transaction_id(draft)


def _check_transaction_id(draft: Draft) -> str | None:
    transaction_id = draft.parameters.get("transactionId")
    if transaction_id is None:
        return None
    if isinstance(transaction_id, Unreadable):
        return f"transactionId {transaction_id.why}"
    if len(transaction_id) > 255:
        return f"transactionId has {len(transaction_id)} characters, at most 255 are allowed"
    control = _CONTROL.search(transaction_id)
    if control is not None:
        return f"transactionId has the control character U+{ord(control[0]):04X} at position {control.start() + 1}"
    draft.transaction_id = transaction_id
    return None


def _check_length(draft: Draft) -> str | None:
    encoded = draft.encoded
    room = room_beside(encoded.coding, draft.udh, draft.readings)
    if encoded.used <= room:
        return None
    reason = f"message has {encoded.used} {encoded.coding.unit}, room for {room}"
    if draft.udh is not None:
        reason += f" beside a header of {len(draft.udh.octets)} octets"
    if draft.dcs in LATIN1 and encoded.coding is coding.Coding.UCS2:
        return f"{reason}: it travels as UCS-2, since not every character is in the GSM alphabet"
    dear = coding.dear_character(encoded)
    return f"{reason}: {dear}" if dear else reason


def room_beside(kind: coding.Coding, header: udh.Udh | None, readings: Readings) -> int:
    """Return the room beside *header*, in the coding's unit; the flash header takes some by reading only."""
    if header is None or (header.is_flash and readings.flash_room == "160"):
        return coding.room(kind, 0)
    return coding.room(kind, len(header.octets))


def _check_times(draft: Draft) -> str | Refusal | None:
    parameters = draft.parameters
    if "scheduledDeliveryTime" not in parameters and "validityPeriod" not in parameters:
        return None
    zone = _zone(draft.readings.timezone)
    scheduled = parameters.get("scheduledDeliveryTime")
    if scheduled is not None:
        if isinstance(scheduled, Unreadable):
            return f"scheduledDeliveryTime {scheduled.why}"
        moment = times.scheduled_at(scheduled, now=draft.now, zone=zone)
        if isinstance(moment, MalformedTime):
            return f"scheduledDeliveryTime {moment.detail}"
        draft.scheduled_at = moment
    validity = parameters.get("validityPeriod")
    if validity is not None:
        if isinstance(validity, Unreadable):
            return _validity_fault(draft, validity.why)
        moment = times.expires_at(validity, now=draft.now, scheduled=draft.scheduled_at, zone=zone)
        if isinstance(moment, MalformedTime):
            return _validity_fault(draft, moment.detail)
        draft.expires_at = moment
    return None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only another zone than UTC pays for it

    return ZoneInfo(name)


def _validity_fault(draft: Draft, why: str) -> Refusal | None:
    if draft.readings.validity_error == "ignore":
        draft.hints.append(f"validityPeriod is ignored: it {why}")
        return None
    return Refusal(int(draft.readings.validity_error), f"validityPeriod {why}")


def _check_barred(draft: Draft) -> str | None:
    for entry in draft.account.barred:
        if entry.covers(draft.destination):
            return f"to {draft.destination} is barred for the account" + (
                f" (all that begins with {entry.destination})" if entry.is_prefix else ""
            )
    return None


def _check_balance(draft: Draft) -> str | None:
    balance = draft.standing.balance
    if balance is not None and balance < MESSAGE_PRICE:
        return (
            f"the balance is {balance} credits, a message costs {MESSAGE_PRICE}: add credits to the account"
        )
    return None


CHECKS: Final = (
    Check("user", 1, _check_user),
    Check("apiKey", 2, _check_api_key),
    Check("rate limit", 7, _check_rate, frozenset({"rate_limit"})),
    Check("queue", 6, _check_queue, frozenset({"queue_limit"})),
    Check("supported", 15, _check_supported, frozenset({"unsupported"})),
    Check("senderId", 4, _check_sender, frozenset({"senderId"})),
    Check("to", 5, _check_destination),
    Check("dcs", 14, _check_dcs, frozenset({"dcs"})),
    Check("udh", 10, _check_udh, frozenset({"udh"})),
    Check("message", 8, _check_message),
    Check("length", 13, _check_length),
    Check("times", 12, _check_times, frozenset({"scheduledDeliveryTime", "validityPeriod"})),
    Check("barred", 11, _check_barred, frozenset({"barred"})),
    Check("balance", 9, _check_balance),
)
"""The checks in their order; the first that fails answers."""

RATE_CHECK: Final = 1 + next(index for index, check in enumerate(CHECKS) if check.code == 7)
"""The position, from 1, of the check of the rate limit: requests refused later count against the limit."""


# -- what never refuses -------------------------------------------------------------------------------------------


def _submission(draft: Draft, callback_url: str | None) -> Submission:
    confirmation = "confirmation" in draft.parameters and _confirmation(draft)
    unreported = None
    chosen = draft.parameters.get("callbackUrl")
    if isinstance(chosen, Unreadable):
        draft.hints.append(f"callbackUrl counts as absent: it {chosen.why}")
    elif chosen is not None:
        fault = url_fault(chosen)
        callback_url = chosen if fault is None else None
        unreported = None if fault is None else f"callbackUrl {fault}"
    if confirmation and callback_url is None:
        unreported = (
            unreported
            or "confirmation is true, but neither the request, the account nor the server names a callback URL"
        )
        draft.hints.append(f"no report will be sent: {unreported}")
    # In the order of its fields: thirteen names would cost what three checks do.
    return Submission(
        draft.account.user,
        draft.destination,
        draft.sender_id,
        draft.dcs,
        draft.encoded,
        draft.udh,
        draft.transaction_id,
        confirmation,
        callback_url,
        unreported if confirmation else None,
        draft.scheduled_at,
        draft.expires_at,
        tuple(draft.hints),
    )


def _confirmation(draft: Draft) -> bool:
    value = draft.parameters["confirmation"]
    if isinstance(value, Unreadable):
        draft.hints.append(f"confirmation counts as absent: it {value.why}")
        return False
    spelled = value.lower()
    if spelled in {"true", "1"}:
        return True
    if spelled not in {"false", "0"}:
        draft.hints.append(f"confirmation {excerpt(value)} counts as false: send true or false")
    return False


_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
