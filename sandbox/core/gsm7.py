"""The GSM 7-bit default alphabet and its extension table: septets of a text, packing into octets.

Must not know dcs, UDH or messages. Characters are taken as they are: nothing is normalised or replaced.
Source: 3GPP TS 23.038 §6.2.1 (default alphabet), §6.2.1.1 (extension table), §6.1.2.1 (packing).
"""

import re
from collections.abc import Mapping
from typing import Final

ESCAPE: Final = 0x1B

# Sixteen codes a line. Code 0x1B is the escape and only keeps its place: U+001B is not in the alphabet.
DEFAULT_ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

EXTENSION: Final[Mapping[str, int]] = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

_SEPTETS: Final = {
    **{character: bytes([code]) for code, character in enumerate(DEFAULT_ALPHABET) if code != ESCAPE},
    **{character: bytes([ESCAPE, code]) for character, code in EXTENSION.items()},
}
# After an escape: a code without a character there shows as without the escape, a second escape as a space.
_ESCAPED: Final = {
    **dict(enumerate(DEFAULT_ALPHABET)),
    **{code: character for character, code in EXTENSION.items()},
    ESCAPE: " ",
}

# Regular expressions judge 160 characters in half a microsecond; a frozenset of the alphabet takes three.
_DEFAULT_ONLY: Final = re.compile(f"[{re.escape(DEFAULT_ALPHABET.replace(chr(ESCAPE), ''))}]*+")
_FOREIGN: Final = re.compile(f"[^{re.escape(''.join(_SEPTETS))}]")


class NotGsm7Error(ValueError):
    """A character stands neither in the default alphabet nor in the extension table.

    Attributes:
        character: the character.
        position: its index in the text.
    """

    def __init__(self, character: str, position: int) -> None:
        super().__init__(f"U+{ord(character):04X} at position {position} is not in the GSM 7-bit alphabet")
        self.character = character
        self.position = position


def septets(text: str) -> int | None:
    """Return how many septets the text takes, None when a character is in neither table: "a€" takes 3."""
    if _DEFAULT_ONLY.fullmatch(text):
        return len(text)
    return None if _FOREIGN.search(text) else len(text) + sum(map(text.count, EXTENSION))


def cost(character: str) -> int:
    """Return the septets of one character: 1, 2 in the extension table, 0 when it is in neither table."""
    return len(_SEPTETS.get(character, b""))


def first_foreign(text: str) -> int | None:
    """Return the index of the first character that is in neither table, None when there is none."""
    found = _FOREIGN.search(text)
    return found.start() if found else None


def encode(text: str) -> bytes:
    """Return the septets of the text, unpacked, one in each octet: "a€" is 61 1B 65.

    Raises:
        NotGsm7Error: a character is in neither table.
    """
    position = first_foreign(text)
    if position is not None:
        raise NotGsm7Error(text[position], position)
    return b"".join([_SEPTETS[character] for character in text])


def decode(septets: bytes) -> str:
    """Return the text that a receiver shows for unpacked septets, each 0 to 127; every sequence has one.

    An escape before a code without an extension character shows that code of the default alphabet; an escape
    that ends the text, or a second one, shows as a space.

    Source: 3GPP TS 23.038 §6.2.1, §6.2.1.1 (the notes below the tables).
    """
    codes = iter(septets)
    return "".join(
        [_ESCAPED[next(codes, ESCAPE)] if code == ESCAPE else DEFAULT_ALPHABET[code] for code in codes]
    )


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Return septets as octets, the first in the lowest bits: 61 62 63 is 61 F1 18. Spare bits are 0.

    Args:
        septets: one in each octet, 0 to 127.
        fill_bits: zeros before the first septet, 0 to 6; they bring it to a septet border behind a UDH.

    Source: 3GPP TS 23.038 §6.1.2.1.1; fill bits: 3GPP TS 23.040 §9.2.3.24.
    """
    bits = 0
    for septet in reversed(septets):
        bits = bits << 7 | septet
    return (bits << fill_bits).to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """Return *count* septets from octets, one in each octet: the inverse of `pack`. Missing bits read as 0.

    The count has to be given: seven spare bits and a seventh `@` look the same.
    """
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes([bits >> 7 * index & 0x7F for index in range(count)])
