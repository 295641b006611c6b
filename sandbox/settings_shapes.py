"""How the accounts of a scenario and its callback settings are written.

Reads nodes into the core's values. Knows nothing of what an account may do, or how a callback is sent.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Final

from sandbox.core.address import destination_fault, sender_fault
from sandbox.core.callback_url import url_fault
from sandbox.core.checks import UNSUPPORTED
from sandbox.core.model import Account, Accounts, Barred, RateLimit
from sandbox.core.scenario import CallbackSettings
from sandbox.core.spelling import excerpt
from sandbox.rule_shapes import HEADERS
from sandbox.yaml_scalars import Boolean, Duration, Integer, Text, Word
from sandbox.yaml_shapes import BAD, Bad, ByKind, Keys, Listed, Made, Notes, Shape, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.yaml_nodes import Node

MOST_ACCOUNTS: Final = 5000
MOST_ENTRIES: Final = 5000
"""Entries of a list at most."""


# -- accounts --------------------------------------------------------------------------------------


def _text_with(fault: Callable[[str], str | None]) -> Shape[str]:
    def check(text: str, node: Node, notes: Notes) -> str | Bad:
        why = fault(text)
        return text if why is None else notes.add(node, f'"{excerpt(text)}" {why}')

    return Made(Text(), check)


_PREFIX = re.compile(r"\+[0-9]{1,15}")
_barred_number: Shape[Barred] = Made(_text_with(destination_fault), lambda text, _, __: Barred(text))
_barred_prefix: Shape[Barred] = Keys(
    "barredPrefix",
    {"prefix": _text_with(lambda text: None if _PREFIX.fullmatch(text) else "is no + and 1 to 15 digits")},
    lambda written, _: Barred(written.get("prefix"), is_prefix=True),
    required=("prefix",),
)

_ACCOUNT: Final[Shape[tuple[Account, Node]]] = Keys(
    "account",
    {
        "user": Text(),
        "apiKey": Text(),
        "balance": Integer(0, 1_000_000_000),
        "disabled": Boolean(),
        "callbackUrl": _text_with(lambda url: url_fault(url) and f"is no callback URL: {url_fault(url)}"),
        "senderIds": Listed(_text_with(sender_fault), most=MOST_ENTRIES),
        "barred": Listed(
            ByKind("a number, or {prefix: …}", scalar=_barred_number, pairs=_barred_prefix), most=MOST_ENTRIES
        ),
        "unsupported": Listed(Word(UNSUPPORTED), most=len(UNSUPPORTED)),
        "rateLimit": Keys(
            "rateLimit",
            {"requests": Integer(1, 1_000_000), "per": Duration(least_s=0.001)},
            lambda written, _: RateLimit(written.get("requests"), written.get("per")),
            required=("requests", "per"),
        ),
        "queueLimit": Integer(0, 1_000_000_000),
    },
    lambda written, _: (_account(written), written.nodes["user"]),
    required=("user", "apiKey"),
)


def _account(written: Written) -> Account:
    sender_ids = written.get("senderIds")
    return Account(
        user=written.get("user"),
        api_key=written.get("apiKey"),
        balance=written.get("balance"),
        disabled=written.get("disabled", False),
        callback_url=written.get("callbackUrl"),
        sender_ids=None if sender_ids is None else frozenset(sender_ids),
        barred=written.get("barred", ()),
        unsupported=frozenset(written.get("unsupported", ())),
        rate_limit=written.get("rateLimit"),
        queue_limit=written.get("queueLimit"),
    )


_ANYONE: Final = "any"


def _accounts(entries: tuple[tuple[Account, Node] | str, ...], node: Node, notes: Notes) -> Accounts:
    listed: dict[str, Account] = {}
    first: dict[str, Node] = {}
    for entry in entries:
        if isinstance(entry, str):
            continue
        account, user_node = entry
        if account.user in listed:
            notes.add(
                user_node,
                f"there is an account {excerpt(account.user)} in line {first[account.user].line}: leave one out",
            )
        first.setdefault(account.user, user_node)
        listed[account.user] = account
    if _ANYONE in entries[:-1]:
        notes.add(node, "the word any comes last, and once")
    return Accounts(listed, anyone=_ANYONE in entries)


ACCOUNTS: Final[Shape[Accounts]] = ByKind(
    "the word any, or a list of accounts that may end with it",
    scalar=Made(Word((_ANYONE,)), lambda _, __, ___: Accounts()),
    items=Made(
        Listed(
            ByKind("an account, or the word any", scalar=Word((_ANYONE,)), pairs=_ACCOUNT), most=MOST_ACCOUNTS
        ),
        _accounts,
    ),
)


# -- callbacks -------------------------------------------------------------------------------------

RETRY_PRESETS: Final[Mapping[str, tuple[float, ...]]] = {
    "default": CallbackSettings().retry_s,
    "none": (),
    "standard-webhooks": (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    "svix": (5, 300, 1800, 7200, 18_000, 36_000, 36_000),
    "sinch": tuple(5.0 * 2**retry for retry in range(15)),  # to 81,920 s
    "vonage": (*(5.0 * 2**retry for retry in range(8)), *94 * (900.0,)),  # doubling to 15 min, for 24 h
    "8x8": (1, 10, 30, 90),
}
"""The waits, in seconds, by which services in the field retry."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?|\[?[0-9A-Fa-f:.]+\]?")


def _host_fault(text: str) -> str | None:
    if _HOST.fullmatch(text):
        return None
    return "is no host name: leave out scheme, port and path, or write public for all"


def _secret_fault(text: str) -> str | None:
    try:
        octets = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        octets = b""
    return (
        None
        if octets
        else "is no secret: write whsec_ and base64, as the Standard Webhooks specification does"
    )


def _callbacks(written: Written, notes: Notes) -> CallbackSettings:
    signed = [name for name in written.get("headers", ()) if name.lower().startswith("webhook-")]
    if signed and "signature" in written.values:
        notes.add(written.nodes["headers"], f"the signature sets {signed[0]}: leave it out here")
    names = {"timeout": "timeout_s", "retry": "retry_s", "signature": "secret"}
    return CallbackSettings(**{names.get(key, key): value for key, value in written.values.items()})


CALLBACKS: Final[Shape[CallbackSettings]] = Keys(
    "callbacks",
    {
        "timeout": Duration(least_s=0.001),
        "retry": ByKind(
            f"a list of durations, or {', '.join(RETRY_PRESETS)}",
            scalar=Made(Word(tuple(RETRY_PRESETS)), lambda name, _, __: RETRY_PRESETS[name]),
            items=Listed(Duration(), most=200),
        ),
        "concurrency": Integer(1, 10_000),
        "allow": Listed(_text_with(_host_fault), most=MOST_ENTRIES),
        "signature": Keys(
            "signature",
            {"secret": _text_with(_secret_fault)},
            lambda written, _: written.get("secret", BAD),
            required=("secret",),
        ),
        "headers": HEADERS,
    },
    _callbacks,
)
