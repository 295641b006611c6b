"""Hypothesis strategies: requests that are valid, requests that earn an error, and the texts and headers in them.

Requests are dicts of parameters as the API spells them, for the scenario `default`; they mean the same as a query, a
form and JSON. They shrink to what is shortest, and lie on the borders more often than chance would have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

try:
    from hypothesis import strategies as st
except ImportError:
    raise ImportError(
        "sandbox.testing needs Hypothesis: pip install 'panelsms-sandbox[hypothesis]'"
    ) from None

from datetime import UTC, datetime, timedelta

from sandbox.core import gsm7, udh
from sandbox.core.address import destination_fault, sender_fault
from sandbox.core.coding import Coding, code_units, room
from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.core.times import MalformedTime, parse_time
from sandbox.core.udh import Concatenation, InformationElement, concatenation_element

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = [
    "conversations",
    "gsm7_text",
    "invalid_requests",
    "latin1_text",
    "ucs2_text",
    "udhs",
    "valid_requests",
]

Parameters = dict[str, str]

# -- texts -----------------------------------------------------------------------------------------

_GSM7: Final = gsm7.DEFAULT_ALPHABET.replace(chr(gsm7.ESCAPE), "") + "".join(gsm7.EXTENSION)
_GSM7_LATIN1: Final = "".join(char for char in _GSM7 if char <= "\xff")
_LATIN1_ONLY: Final = "".join(char for char in map(chr, range(0xA0, 0x100)) if char not in _GSM7)
"""What is in ISO-8859-1 and not in the GSM alphabet: `ó`, `â` …"""

# Each built once: that takes longer than to draw from one.
_GSM7_TEXTS: Final = st.text(_GSM7)
_GSM7_LATIN1_TEXTS: Final = st.text(_GSM7_LATIN1)
_LATIN1_TEXTS: Final = st.builds(
    str.__add__, st.sampled_from("ó" + _LATIN1_ONLY), st.text(_LATIN1_ONLY + _GSM7_LATIN1)
)
_UCS2_TEXTS: Final = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"])) | st.text("aж漢😀")
_OCTETS: Final = st.binary().map(lambda octets: octets.decode("latin-1"))

_SHORT_OF_FULL: Final = st.sampled_from([None, 0, 1])
"""How much room a text leaves; None for as much as it happens to."""


def _fitted(text: str, short: int | None, least: int, most: int, cost: Callable[[str], int]) -> str:
    """Return *text*, cut and filled up with the letter a so that it costs from *least* to *most*."""
    high = most if short is None else max(most - short, least)
    while cost(text) > high:
        text = text[:-1]
    return text + "a" * ((least if short is None else high) - cost(text))


def _fitting(
    texts: SearchStrategy[str], least: int, most: int, cost: Callable[[str], int]
) -> SearchStrategy[str]:
    return st.builds(lambda text, short: _fitted(text, short, least, most, cost), texts, _SHORT_OF_FULL)


def gsm7_text(*, min_septets: int = 1, max_septets: int = 160) -> SearchStrategy[str]:
    """Return texts in the GSM 7-bit alphabet and its extension table, whose characters cost two septets.

    Args:
        min_septets: what a text takes at least.
        max_septets: what it takes at most; 160 is what one short message carries.
    """
    return _fitting(_GSM7_TEXTS, min_septets, max_septets, _septets)


def latin1_text(*, min_size: int = 1, max_size: int = 70) -> SearchStrategy[str]:
    """Return texts in ISO-8859-1 with a character outside the GSM alphabet, so that they travel as UCS-2.

    Args:
        min_size: how many characters a text has at least, 1 or more.
        max_size: how many it has at most; 70 is what one short message carries.
    """
    return _fitting(_LATIN1_TEXTS, min_size, max_size, len)


def ucs2_text(*, min_units: int = 1, max_units: int = 70) -> SearchStrategy[str]:
    """Return texts of any script, with emoji, which take two UTF-16 code units each.

    Args:
        min_units: what a text takes at least.
        max_units: what it takes at most; 70 is what one short message carries.
    """
    return _fitting(_UCS2_TEXTS, min_units, max_units, code_units)


def _septets(text: str) -> int:
    return gsm7.septets(text) or 0


# -- headers ---------------------------------------------------------------------------------------

_LONGEST_HEADER: Final = 40


@st.composite
def _concatenations(draw: DrawFn) -> InformationElement:
    bits = draw(st.sampled_from([8, 16]))
    total = draw(st.integers(1, 255))
    sequence = draw(st.integers(1, total))
    return concatenation_element(Concatenation(draw(st.integers(0, 2**bits - 1)), bits, total, sequence))


_PORTS: Final = st.builds(InformationElement, st.just(0x04), st.binary(min_size=2, max_size=2)) | st.builds(
    InformationElement, st.just(0x05), st.binary(min_size=4, max_size=4)
)
_CARRIED: Final = st.builds(
    InformationElement,
    st.integers(0, 255).filter(lambda iei: iei not in {0x00, 0x04, 0x05, 0x08}),
    st.binary(max_size=8),
)
"""Elements of which nothing is asked."""


_SENDABLE: Final = (
    st.lists(_concatenations() | _PORTS | _CARRIED, min_size=1, max_size=3)
    .map(udh.build)
    .filter(lambda octets: len(octets) <= _LONGEST_HEADER)
)
_HEADERS: Final = st.just(udh.FLASH.hex()) | st.builds(
    lambda octets, spell: spell(octets.hex()), _SENDABLE, st.sampled_from([str.upper, str.lower])
)
_OPTIONAL_HEADERS: Final = st.just("") | _HEADERS


def udhs() -> SearchStrategy[str]:
    """Return user data headers in hex, of 40 octets at most, which leave room for a message.

    They hold concatenation, ports and other elements, or are the provider's flash header.
    """
    return _HEADERS


# -- what stands in a request -----------------------------------------------------------------------

_ASCII: Final = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=30)


def _digits(least: int, most: int) -> SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


_USERS: Final = st.just("you@example.com") | _ASCII.filter(lambda user: user != "disabled@example.com")
_KEYS: Final = st.just("key") | _ASCII.filter(lambda key: key != "invalid")
_DESTINATIONS: Final = st.just("+1222333444") | st.builds(
    lambda first, rest: f"+{first}{rest}", st.sampled_from("123456789"), _digits(6, 14)
).filter(lambda to: not to.startswith(MAGIC_PREFIX))
_SENDERS: Final = (
    st.just("ORDER")
    | gsm7_text(max_septets=11)
    | st.builds(str.__add__, st.sampled_from(["", "+"]), _digits(3, 15))
).filter(lambda sender: sender_fault(sender) is None)
_TRANSACTION_IDS: Final = _fitting(st.text(st.characters(exclude_categories=["Cs", "Cc"])), 1, 255, len)

_FIRST_YEAR: Final = 2080
"""Of absolute times to come: whatever the sandbox's clock says until then."""
_LATER: Final = st.datetimes(datetime(_FIRST_YEAR, 1, 2), datetime(_FIRST_YEAR + 15, 1, 1))  # noqa: DTZ001 - made aware below
_SOON: Final = st.integers(1, 30 * 86_400)


def _spelled(moment: datetime, form: str) -> str:
    return moment.strftime(form)


_ABSOLUTE_FORMS: Final = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S+01:00",
    "%y%m%d%H%M",
    "%y%m%d%H%M%S000+",
)
_RELATIVE: Final = _SOON.map(str) | _SOON.map(lambda seconds: f"0000{seconds // 86_400:02}000001000R")
_TIMES: Final = _RELATIVE | st.builds(_spelled, _LATER, st.sampled_from(_ABSOLUTE_FORMS))

_OPTIONAL: Final[Mapping[str, SearchStrategy[str]]] = {
    "senderId": _SENDERS,
    "transactionId": _TRANSACTION_IDS,
    "confirmation": st.sampled_from(["true", "false", "1", "0", "TRUE"]),
    "scheduledDeliveryTime": _TIMES,
    "validityPeriod": _RELATIVE,
    "responseType": st.sampled_from(["json", "xml", "JSON"]),
}


class _Content(NamedTuple):
    """A way for content to travel."""

    dcs: tuple[str, ...]
    """Those that make it travel so; the empty one stands for none."""
    coding: Coding
    texts: SearchStrategy[str]
    cost: Callable[[str], int]
    """Of a text, in the coding's unit."""


_CONTENTS: Final = st.sampled_from(
    [
        _Content(("", "0", "3"), Coding.GSM7, _GSM7_LATIN1_TEXTS, _septets),
        _Content(("1",), Coding.GSM7, _GSM7_TEXTS, _septets),
        _Content(("", "0", "3"), Coding.UCS2, _LATIN1_TEXTS, len),
        _Content(("8",), Coding.UCS2, _UCS2_TEXTS, code_units),
        _Content(("2", "4"), Coding.OCTETS, _OCTETS, len),
    ]
)


@st.composite
def _messages(draw: DrawFn, *, too_long: bool = False) -> Parameters:
    """Return ``message``, with the ``dcs`` and ``udh`` that it fits; or one that is just too long for them."""
    content = draw(_CONTENTS)
    header = draw(_OPTIONAL_HEADERS)
    limit = room(content.coding, len(header) // 2)
    least, most = (limit + 1, limit + 20) if too_long else (1, limit)
    text = _fitted(draw(content.texts), draw(_SHORT_OF_FULL), least, most, content.cost)
    if content.coding is Coding.OCTETS:
        text = text.encode("latin-1").hex()
    dcs = draw(st.sampled_from(content.dcs))
    given = {"message": text, "dcs": dcs, "udh": header}
    return {name: value for name, value in given.items() if value}


def _requests(messages: SearchStrategy[Parameters]) -> SearchStrategy[Parameters]:
    around = st.fixed_dictionaries(
        {"user": _USERS, "apiKey": _KEYS, "to": _DESTINATIONS}, optional=dict(_OPTIONAL)
    )
    return st.builds(lambda request, message: {**request, **message}, around, messages)


def valid_requests() -> SearchStrategy[Parameters]:
    """Return requests that are accepted, while the sandbox's clock is before 2080.

    Any coding, header and length that fits; times to come, in every form. None asks for a callback URL.
    """
    return _requests(_messages())


# -- requests that are refused ----------------------------------------------------------------------


def invalid_requests(code: int) -> SearchStrategy[Parameters]:
    """Return requests that earn exactly this error, while the sandbox's clock is before 2080 and after 2000.

    Args:
        code: 1, 2, 4, 5, 8, 10, 12, 13 or 14.

    Raises:
        ValueError: no request earns *code* by itself.
    """
    if code not in _INVALID:
        codes = ", ".join(map(str, _INVALID))
        raise ValueError(
            f"no request earns code {code} by itself, only {codes} can be had so: "
            f"a scenario answers others, sms.when().respond(error={code})"
        )
    return _INVALID[code]


def _with(changes: SearchStrategy[Parameters]) -> SearchStrategy[Parameters]:
    """Return valid requests with these parameters in place of their own."""
    return st.builds(lambda request, change: {**request, **change}, valid_requests(), changes)


def _having(name: str, values: SearchStrategy[str]) -> SearchStrategy[Parameters]:
    return _with(values.map(lambda value: {name: value}))


def _without(name: str) -> SearchStrategy[Parameters]:
    return valid_requests().map(lambda request: {each: request[each] for each in request if each != name})


_ANY_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)

_BAD_SENDERS: Final = (
    _digits(1, 2)
    | _digits(16, 20)
    | gsm7_text(min_septets=12, max_septets=30)
    | st.sampled_from(["-", " ", "#100", "+", "+12", "日本", "naïve"])
    | _ANY_TEXT
).filter(lambda sender: sender_fault(sender) is not None)

_BAD_DESTINATIONS: Final = (
    st.just("")
    | st.sampled_from(["recipient", "+1 222 333 444", " 1222333444", "001222333444", "%2B1222333444", "+"])
    | _digits(1, 20)
    | st.builds("+{}{}".format, st.sampled_from("123456789"), _digits(0, 5) | _digits(15, 20))
    | _digits(1, 14).map("+0{}".format)
    | _ANY_TEXT
).filter(lambda to: destination_fault(to) is not None)

_BAD_DCS: Final = st.sampled_from(
    ["5", "6", "7", "9", "16", "00", "01", "-1", "1.0", " 1", "1 ", "٣", "GSM", "null"]
) | (_ANY_TEXT.filter(lambda dcs: dcs not in {"0", "1", "2", "3", "4", "8"}))


def _is_no_header(text: str) -> bool:
    return isinstance(udh.parse_hex(text), udh.MalformedUdh)


@st.composite
def _bent_headers(draw: DrawFn) -> str:
    """Return a header with one octet or hex digit changed, left out or added."""
    text = draw(udhs())
    at = draw(st.integers(0, len(text) - 1))
    put = draw(st.sampled_from(["", "0", "F", "G", " ", "00", "FF"]))
    return text[:at] + put + text[at + draw(st.integers(0, 2)) :]


_BAD_HEADERS: Final = (
    st.sampled_from(
        ["0500", "05000300", "050003CC0200", "050003CC0201FF", "0x0100", "0500030000", "060804CC020001"]
    )
    | st.sampled_from(["050003CC0001", "050003CC0203", "0400030201", "04040100", "8B" + "5F89" + "00" * 137])
    | _bent_headers()
).filter(lambda header: header != "" and _is_no_header(header))

_FOREIGN: Final[Mapping[str, SearchStrategy[str]]] = {
    "0": st.sampled_from("€Δж漢😀"),
    "3": st.sampled_from("€Ωж漢😀"),
    "1": st.sampled_from("çâж漢😀`"),
}
"""Characters that a dcs cannot carry."""


@st.composite
def _inexpressible(draw: DrawFn) -> Parameters:
    dcs = draw(st.sampled_from(sorted(_FOREIGN)))
    text = draw(_GSM7_LATIN1_TEXTS)
    at = draw(st.integers(0, len(text)))
    return {"dcs": dcs, "message": text[:at] + draw(_FOREIGN[dcs]) + text[at:]}


_BAD_TRANSACTION_IDS: Final = _TRANSACTION_IDS.map(lambda text: text.ljust(256, "a")) | st.builds(
    lambda text, control: text[:200] + control,
    _TRANSACTION_IDS,
    st.characters(categories=["Cc"]),
)

_PAST: Final = st.datetimes(datetime(1980, 1, 1), datetime(1999, 12, 30)).map(  # noqa: DTZ001 - written as UTC
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
)


def _is_no_time(text: str) -> bool:
    return isinstance(parse_time(text, base=datetime(2024, 1, 1, tzinfo=UTC), zone=UTC), MalformedTime)


_BAD_TIMES: Final = (
    st.sampled_from(["0", "soon", "-1", "1.5", "2024-01-20", "2080-13-01T00:00:00Z", "2080-02-30 12:00"])
    | st.sampled_from(["2080-01-20T15:30:00 01:00", "8013010000", "tomorrow", "1h"])
    | _ANY_TEXT.filter(_is_no_time)
    | _PAST
)
_BAD_SCHEDULES: Final = st.builds(
    lambda scheduled, before: {
        "scheduledDeliveryTime": _spelled(scheduled, _ABSOLUTE_FORMS[0]),
        "validityPeriod": _spelled(scheduled - before, _ABSOLUTE_FORMS[0]),
    },
    _LATER,
    st.timedeltas(timedelta(0), timedelta(days=1)),
)
"""Where the validity ends before, or just when, the message is to be sent."""

_INVALID: Final[Mapping[int, SearchStrategy[Parameters]]] = {
    1: _without("user") | _having("user", st.sampled_from(["", "disabled@example.com"])),
    2: _without("apiKey") | _having("apiKey", st.sampled_from(["", "invalid"])),
    4: _having("senderId", _BAD_SENDERS),
    5: _without("to") | _having("to", _BAD_DESTINATIONS),
    8: _without("message")
    | _having("message", st.just(""))
    | _having("transactionId", _BAD_TRANSACTION_IDS)
    | _with(_inexpressible()),
    10: _having("udh", _BAD_HEADERS),
    12: _having("scheduledDeliveryTime", _BAD_TIMES)
    | _having("validityPeriod", _BAD_TIMES)
    | _with(_BAD_SCHEDULES),
    13: _requests(_messages(too_long=True)),
    14: _having("dcs", _BAD_DCS),
}


# -- conversations ---------------------------------------------------------------------------------


@st.composite
def _long_messages(draw: DrawFn) -> list[Parameters]:
    """Return the parts of one message, in the order in which they happen to be sent."""
    bits = draw(st.sampled_from([8, 16]))
    reference = draw(st.integers(0, 2**bits - 1))
    total = draw(st.integers(2, 4))
    headers = [
        udh.build([concatenation_element(Concatenation(reference, bits, total, sequence))])
        for sequence in range(1, total + 1)
    ]
    texts = gsm7_text(max_septets=room(Coding.GSM7, len(headers[0])))
    parts = [{"dcs": "1", "udh": header.hex().upper(), "message": draw(texts)} for header in headers]
    return draw(st.permutations(parts))


def conversations(*, max_turns: int = 6) -> SearchStrategy[list[Parameters]]:
    """Return requests of one account to a few destinations, in the order in which they are sent.

    Among them are long messages in parts, in any order, requests that are refused, and some that are sent again.

    Args:
        max_turns: how often something is said; a long message is said once.
    """
    return _conversations(max_turns)


@st.composite
def _conversations(draw: DrawFn, max_turns: int) -> list[Parameters]:
    account = {"user": draw(_USERS), "apiKey": draw(_KEYS)}
    destinations = draw(st.lists(_DESTINATIONS, min_size=1, max_size=3, unique=True))
    refused = st.sampled_from([4, 5, 8, 10, 12, 13, 14]).flatmap(invalid_requests)
    sent: list[Parameters] = []
    for _ in range(draw(st.integers(1, max_turns))):
        to = {"to": draw(st.sampled_from(destinations))}
        turn = draw(st.sampled_from(["valid", "long", "refused", "again"]))
        if turn == "long":
            sent += [{**account, **to, **part} for part in draw(_long_messages())]
        elif turn == "refused":
            sent.append({**to, **draw(refused), **account})
        elif turn == "again" and sent:
            sent.append(draw(st.sampled_from(sent)))
        else:
            sent.append({**draw(valid_requests()), **account, **to})
    return sent
