"""From dcs and text to what travels: the coding, how much of the room is used, and the octets on air.

Knows nothing of requests, accounts or error codes. Source: 3GPP TS 23.038 §4 (data coding scheme), TS 23.040
§9.2.3.16 and §9.2.3.24 (user data length and header); the six dcs values are the API reference's own.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core import gsm7
from sandbox.core.spelling import spell

if TYPE_CHECKING:
    from sandbox.core.readings import Readings

DCS_VALUES: Final = {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "8": 8}
"""The dcs parameter as it must be written, and its number."""

BINARY: Final = frozenset({2, 4})
LATIN1: Final = frozenset({0, 3})

USER_DATA_OCTETS: Final = 140
"""What one short message carries, header included (TS 23.040 §9.2.3.16)."""


class Coding(StrEnum):
    """How user data travels on the air interface."""

    GSM7 = "GSM7"
    UCS2 = "UCS2"
    OCTETS = "OCTETS"

    @property
    def unit(self) -> str:
        """What the room is counted in, in the plural."""
        return {"GSM7": "septets", "UCS2": "code units", "OCTETS": "octets"}[self]


class UdhTooLongError(ValueError):
    """A header does not fit the 140 octets of one short message."""

    def __init__(self, udh_octets: int) -> None:
        """Keep the offending length as *udh_octets*."""
        super().__init__(f"a header has 0 to {USER_DATA_OCTETS} octets, not {udh_octets}")
        self.udh_octets = udh_octets


class Encoded(NamedTuple):
    """A message's content as it travels: text, or octets for a binary message."""

    coding: Coding
    used: int
    """In the coding's unit."""
    text: str | None
    """None for a binary message."""
    octets: bytes | None = None
    """Of a binary message, else None: a text's octets are worked out when asked for."""


class Inexpressible(NamedTuple):
    """A message that its dcs cannot carry."""

    why: str


@lru_cache(maxsize=512)  # more than there are
def room(coding: Coding, udh_octets: int) -> int:
    """Return how much user data one short message can carry.

    Args:
        coding: how the content travels.
        udh_octets: length of the UDH with its UDHL octet, 0 to 140; 0 for none.

    Returns:
        Septets for GSM7, octets for OCTETS, UTF-16 code units for UCS2.

    Raises:
        UdhTooLongError: *udh_octets* is below 0 or over 140.

    Source: 3GPP TS 23.040 §9.2.3.24.1 (153, 134, 67 beside a 6-octet header).
    """
    if not 0 <= udh_octets <= USER_DATA_OCTETS:
        raise UdhTooLongError(udh_octets)
    left = USER_DATA_OCTETS - udh_octets
    if coding is Coding.GSM7:
        return left * 8 // 7
    return left // 2 if coding is Coding.UCS2 else left


def code_units(text: str) -> int:
    """Return the UTF-16 code units of *text*: one for each character, two above U+FFFF."""
    if text.isascii():
        return len(text)
    return len(text) + sum(char > "\uffff" for char in text)


def encode_text(text: str, dcs: int, readings: Readings) -> Encoded | Inexpressible:
    """Return how *text* travels under a dcs for text: 0, 1, 3 or 8.

    Example: ``encode_text("Código", 0, …)`` travels as UCS2, 6 code units, since ó is not in the GSM alphabet.
    """
    if dcs == 8:
        return Encoded(Coding.UCS2, code_units(text), text)
    if dcs == 1:
        septets = gsm7.septets(text)
        if septets is None:
            return Inexpressible(_foreign_to_gsm7(text))
        return Encoded(Coding.GSM7, septets, text)
    return _encode_latin1(text, readings)


def _encode_latin1(text: str, readings: Readings) -> Encoded | Inexpressible:
    if not text.isascii() and (foreign := _NOT_LATIN1.search(text)) is not None:
        match readings.latin1_overflow:
            case "ucs2":
                return Encoded(Coding.UCS2, code_units(text), text)
            case "question_mark":
                text = _NOT_LATIN1.sub("?", text)
            case _:
                return Inexpressible(
                    f"{spell(foreign[0])} at position {foreign.start() + 1} is not in ISO-8859-1: send it with dcs=8"
                )
    transport = readings.latin1_transport
    if transport != "octets":
        septets = gsm7.septets(text)
        if septets is not None:
            return Encoded(Coding.GSM7, septets, text)
        if transport == "gsm7_else_ucs2":
            return Encoded(Coding.UCS2, len(text), text)
    return Encoded(Coding.OCTETS, len(text), text)


def encode_binary(content: bytes | None, readings: Readings) -> Encoded | Inexpressible:
    """Return the octets of a binary message (dcs 2 or 4).

    Args:
        content: the message as it was sent: the decoded octets of a query, form or multipart value, one octet for
            each character of a JSON string; None when that string has a character above U+00FF.
        readings: ``binary_payload`` decides between hex and raw octets.
    """
    form = readings.binary_payload
    if content is None:
        return Inexpressible(
            "a binary message in JSON is hex digits, or characters from U+0000 to U+00FF, one an octet"
        )
    if form != "raw" and _HEX.fullmatch(content):
        content = bytes.fromhex(content.decode("ascii"))
    elif form == "hex":
        return Inexpressible("a binary message is an even number of hex digits")
    return Encoded(Coding.OCTETS, len(content), None, content)


def user_data(encoded: Encoded, udh: bytes) -> bytes:
    """Return the octets of TP-User-Data: the header, the fill bits of a 7-bit text, then the content.

    Source: 3GPP TS 23.040 §9.2.3.24.
    """
    if encoded.octets is not None:
        return udh + encoded.octets
    text = encoded.text or ""
    if encoded.coding is Coding.UCS2:
        return udh + text.encode("utf-16-be")
    if encoded.coding is Coding.OCTETS:
        return udh + text.encode("latin-1")
    return udh + gsm7.pack(gsm7.encode(text), fill_bits=-8 * len(udh) % 7)


def dear_character(encoded: Encoded) -> str | None:
    """Name the first character that costs two septets or code units: ``U+20AC at position 12 costs 2``."""
    for position, char in enumerate(encoded.text or "", 1):
        if char > "\uffff" if encoded.coding is Coding.UCS2 else gsm7.cost(char) == 2:
            return f"{spell(char)} at position {position} costs 2"
    return None


def _foreign_to_gsm7(text: str) -> str:
    position = gsm7.first_foreign(text) or 0
    return (
        f"{spell(text[position])} at position {position + 1} is not in the GSM 7-bit alphabet: "
        "send it with dcs=8, or replace it"
    )


_NOT_LATIN1 = re.compile("[^\x00-\xff]")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
