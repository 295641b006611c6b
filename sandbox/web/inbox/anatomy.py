"""The encoding of one message laid open: what each character costs, what each octet of the header says, a hex dump.

Pure. Source: 3GPP TS 23.038 §6.2.1 (septets), TS 23.040 §9.2.3.24 (user data header).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core import gsm7
from sandbox.core.coding import USER_DATA_OCTETS, Coding, code_units, user_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.core.coding import Encoded
    from sandbox.core.udh import InformationElement, Udh

OCTETS_A_ROW: Final = 8

_SHOWN: Final = {"\n": "↵", "\r": "␍", "\f": "␌", "\t": "⇥", " ": "␣", "\x1b": "␛", "\xa0": "⍽"}
_JOINER: Final = "\u200d"
_EXTENDING: Final = frozenset({"Mn", "Me"})


GLYPHS_SHOWN: Final = 480
"""Characters of a message that is too long; one that fits has at most 160."""


class Glyph(NamedTuple):
    """One character as a reader sees it, which may be several code points, and what it costs."""

    shown: str
    cost: int
    """In the coding's unit."""
    octets: str
    """What it travels as: ``1B 65`` in septets, ``D83D DE00`` in code units, ``E9`` in octets."""
    points: str
    """``U+20AC``"""
    is_over: bool = False
    """Whether there is no room for it."""


class Field(NamedTuple):
    """Some octets of the header, and what they say."""

    octets: str
    """``00 03``"""
    name: str
    meaning: str
    is_detail: bool = False
    """Whether it belongs to the element above it."""


class DumpRow(NamedTuple):
    """One line of a hex dump."""

    offset: str
    header: str
    """Octets of the user data header, which come first."""
    content: str
    text: str
    """The same octets as ASCII, a dot for what cannot be printed; empty where the octets are no characters."""


class Share(NamedTuple):
    """What takes some of the 140 octets of a short message, in bits, so that septets have a whole number."""

    kind: str
    """``header``, ``fill``, ``content`` or ``free``; a class in the stylesheet."""
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a message travels."""

    name: str
    used: int
    room: int
    """Beside the header."""
    over: int
    """How much of it has no room."""
    unit: str
    one: str
    """The unit in the singular."""
    glyphs: tuple[Glyph, ...]
    dear: int
    """How many characters cost more than one."""
    shares: tuple[Share, ...]
    header: int
    """Octets of it."""
    octets: int
    """In all."""
    fields: tuple[Field, ...]
    dump: tuple[DumpRow, ...]
    why: str
    """Why it travels so."""


def laid_open(encoded: Encoded, udh: Udh | None, *, dcs: int, room: int) -> Encoding:
    """Return all there is to say about how a message travels.

    Args:
        encoded: the message, whether or not it fits.
        udh: its header.
        dcs: as it was asked for.
        room: beside the header, in the coding's unit.
    """
    unit = encoded.coding.unit
    all_glyphs = glyphs(encoded, room)
    rows = dump(encoded, udh)
    return Encoding(
        name="Binary" if encoded.octets is not None else _NAMES[encoded.coding],
        used=encoded.used,
        room=room,
        over=max(0, encoded.used - room),
        unit=unit,
        one=unit.removesuffix("s"),
        glyphs=all_glyphs[:GLYPHS_SHOWN],
        dear=sum(glyph.cost > 1 for glyph in all_glyphs),
        shares=shares(encoded, udh, room),
        header=0 if udh is None else len(udh),
        octets=sum(len(f"{row.header} {row.content}".split()) for row in rows),
        fields=() if udh is None else fields(udh),
        dump=rows if encoded.used <= room else (),
        why=_why(encoded.coding, dcs),
    )


_NAMES: Final = {
    Coding.GSM7: "GSM 7\u2011bit",
    Coding.UCS2: "UCS\u20112",
    Coding.OCTETS: "ISO\u20118859\u20111",
}


def _why(coding: Coding, dcs: int) -> str:
    match dcs:
        case 1:
            return "dcs 1 is the GSM 7\u2011bit alphabet."
        case 8:
            return "dcs 8 is UCS\u20112: two octets for each code unit."
        case 2 | 4:
            return f"dcs {dcs} is binary: the octets as they were sent."
    if coding is Coding.GSM7:
        return f"dcs {dcs} travels in septets, as every character is in the GSM 7\u2011bit alphabet."
    if coding is Coding.UCS2:
        return f"dcs {dcs} travels as UCS\u20112, as not every character is in the GSM 7\u2011bit alphabet."
    return f"dcs {dcs} travels as ISO\u20118859\u20111, an octet for each character."


def glyphs(encoded: Encoded, room: int) -> tuple[Glyph, ...]:
    """Return the characters of a message in order, those too for which there is no room; none of a binary message."""
    made, end = [], 0
    for text, cost, octets in _costs(encoded):
        end += cost
        points = " ".join(f"U+{ord(char):04X}" for char in text)
        made.append(Glyph(_visible(text), cost, octets.upper(), points, end > room))
    return tuple(made)


def _costs(encoded: Encoded) -> Iterator[tuple[str, int, str]]:
    """Yield each character, what it costs, and its octets in hex."""
    text = encoded.text or ""
    match encoded.coding:
        case Coding.GSM7:
            for char in text:
                code = gsm7.encode(char)
                yield char, len(code), code.hex(" ")
        case Coding.UCS2:
            for cluster in clusters(text):
                yield cluster, code_units(cluster), cluster.encode("utf-16-be").hex(" ", 2)
        case _:
            for char in text:
                yield char, 1, char.encode("latin-1").hex()


def clusters(text: str) -> Iterator[str]:
    """Yield the characters of *text* as a reader counts them: a base with its marks, a flag, a joined emoji.

    Close to the grapheme clusters of UAX #29, without its tables.
    """
    cluster = ""
    for char in text:
        if cluster and not _continues(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _continues(cluster: str, char: str) -> bool:
    if unicodedata.category(char) in _EXTENDING or char == _JOINER or "\U0001f3fb" <= char <= "\U0001f3ff":
        return not cluster.isspace()
    if cluster.endswith(_JOINER):
        return char > "\u2000"
    return _is_regional(char) and len(cluster) == 1 and _is_regional(cluster)


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _visible(text: str) -> str:
    """Return a character as it can be seen when it stands alone: blanks and controls have pictures."""
    if len(text) > 1:
        return text
    if text in _SHOWN:
        return _SHOWN[text]
    category = unicodedata.category(text)
    if category == "Mn":
        return f"◌{text}"
    return "·" if category in {"Cc", "Cf", "Zl", "Zp", "Cn", "Co"} else text


def shares(encoded: Encoded, udh: Udh | None, room: int) -> tuple[Share, ...]:
    """Return what takes how much of one short message, in bits from 0 to 1120, in order.

    Args:
        encoded: how the message travels.
        udh: its header.
        room: beside the header, in the coding's unit; where the header is not counted, so says this.
    """
    bits = {Coding.GSM7: 7, Coding.UCS2: 16, Coding.OCTETS: 8}[encoded.coding]
    total = 8 * USER_DATA_OCTETS
    header = min(8 * len(udh), total) if udh is not None else 0
    if room * bits + header > total:
        header = 0
    fill = -header % 7 if encoded.coding is Coding.GSM7 else 0
    used = min(encoded.used, room) * bits
    widths = (("header", header), ("fill", fill), ("content", used))
    made, start = [], 0
    for kind, width in widths:
        if width:
            made.append(Share(kind, start, width))
            start += width
    if start < total:
        made.append(Share("free", start, total - start))
    return tuple(made)


def fields(udh: Udh) -> tuple[Field, ...]:
    """Return the header octet by octet, each with what it says."""
    if udh.is_flash:
        return (
            Field("01 00", "flash", "this provider's own flash header, which is no header by the standard"),
        )
    made = [Field(f"{udh.octets[0]:02X}", "UDHL", f"{_octets(udh.octets[0])} of header follow")]
    for element in udh.elements:
        made += _element(element)
    return tuple(made)


def _element(element: InformationElement) -> Iterator[Field]:
    data = element.data
    yield Field(
        f"{element.iei:02X}", "IEI", _ELEMENTS.get(element.iei, "an element that is carried as it is")
    )
    yield Field(f"{len(data):02X}", "IEDL", f"{_octets(len(data))} of data follow", is_detail=True)
    match element.iei, len(data):
        case (0x00, 3) | (0x08, 4):
            yield _number(data[:-2], "reference", "the same in all parts of the message")
            yield _number(data[-2:-1], "total", "how many parts there are")
            yield _number(data[-1:], "sequence", "which of them this is")
        case (0x04, 2) | (0x05, 4):
            half = len(data) // 2
            yield _number(data[:half], "destination port", "the application on the phone that gets it")
            yield _number(data[half:], "originator port", "the application that sent it")
        case _ if data:
            yield Field(data.hex(" ").upper(), "data", "", is_detail=True)


def _number(octets: bytes, name: str, what: str) -> Field:
    return Field(octets.hex(" ").upper(), name, f"{int.from_bytes(octets)}: {what}", is_detail=True)


def _octets(count: int) -> str:
    return "1 octet" if count == 1 else f"{count} octets"


# 3GPP TS 23.040 §9.2.3.24, the ones a sender meets.
_ELEMENTS: Final = {
    0x00: "concatenated message, reference of 8 bits",
    0x01: "special message indication: voice mail, fax, mail",
    0x04: "application ports of 8 bits",
    0x05: "application ports of 16 bits",
    0x06: "service centre control",
    0x07: "UDH source indicator",
    0x08: "concatenated message, reference of 16 bits",
    0x09: "wireless control message",
    0x0A: "text formatting",
    0x0B: "predefined sound",
    0x0C: "user defined sound",
    0x0D: "predefined animation",
    0x24: "national language single shift",
    0x25: "national language locking shift",
    0x70: "SIM toolkit security header",
}


def dump(encoded: Encoded, udh: Udh | None) -> tuple[DumpRow, ...]:
    """Return the whole user data as a hex dump, the header told apart."""
    header = len(udh) if udh is not None else 0
    octets = user_data(encoded, udh.octets if udh is not None else b"")
    is_text = encoded.coding is not Coding.GSM7
    return tuple(
        _row(octets, start, header, is_text=is_text) for start in range(0, len(octets), OCTETS_A_ROW)
    )


def content_dump(octets: bytes) -> tuple[DumpRow, ...]:
    """Return octets alone as a hex dump with its text."""
    return tuple(_row(octets, start, 0, is_text=True) for start in range(0, len(octets), OCTETS_A_ROW))


def _row(octets: bytes, start: int, header: int, *, is_text: bool) -> DumpRow:
    row = octets[start : start + OCTETS_A_ROW]
    split = min(max(header - start, 0), len(row))
    text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "·" for octet in row) if is_text else ""
    return DumpRow(f"{start:04X}", row[:split].hex(" ").upper(), row[split:].hex(" ").upper(), text)
