"""The User Data Header: octets to information elements and back, concatenation and ports judged.

Knows octets only; must not know the text behind the header or its dcs. Form (`dissect`) is kept from
judgement (`parse`): a receiver ignores an element whose values make no sense, a sender is told.
Source: 3GPP TS 23.040 §9.2.3.24, concatenation .1 and .8, ports .3 and .4.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

MAX_OCTETS: Final = 140

# Not a header by the standard (an IEI without its length); this provider documents it as the flash header.
FLASH: Final = b"\x01\x00"

# IEI to octets of data.
_CONCATENATION: Final = {0x00: 3, 0x08: 4}
_PORT: Final = {0x04: 2, 0x05: 4}

_NOT_HEX: Final = re.compile(r"[^0-9A-Fa-f]")


class UdhFault(StrEnum):
    """What is wrong with a header."""

    EMPTY = "empty"
    NON_HEX = "non-hex"
    ODD_HEX = "odd-hex"
    UDHL_TOO_LARGE = "udhl-too-large"
    UDHL_TOO_SMALL = "udhl-too-small"
    IE_TRUNCATED = "ie-truncated"
    IE_HEADER_TRUNCATED = "ie-header-truncated"
    TOO_LONG = "too-long"
    CONCATENATION_LENGTH = "concatenation-length"
    CONCATENATION_TOTAL = "concatenation-total"
    CONCATENATION_SEQUENCE = "concatenation-sequence"
    PORT_LENGTH = "port-length"


@dataclass(frozen=True, slots=True)
class MalformedUdh:
    """Why octets or hex digits are not a header that may be sent."""

    fault: UdhFault
    detail: str
    """What was found where and what was expected, in ASCII: "UDHL 05 says 5 octets, 4 came after it"."""


class InformationElement(NamedTuple):
    """One element of a header."""

    iei: int
    """What the data means, 0 to 255."""
    data: bytes


class Concatenation(NamedTuple):
    """Which part of which message this is."""

    reference: int
    reference_bits: int
    """8 or 16; references of different width are different."""
    total: int
    """1 to 255."""
    sequence: int
    """1 to the total."""


@dataclass(frozen=True, slots=True)
class Udh:
    """A header; its `len` is in octets and counts the UDHL octet."""

    octets: bytes
    elements: tuple[InformationElement, ...]
    """In order, repeated ones kept; none in the provider's flash header."""

    def __len__(self) -> int:
        return len(self.octets)

    @property
    def is_flash(self) -> bool:
        """Whether this is the provider's flash header, by name."""
        return self.octets == FLASH

    @property
    def concatenation(self) -> Concatenation | None:
        """What the last concatenation element says; None without one, or when its values make no sense."""
        said = _concatenation(self.elements)
        return said if isinstance(said, Concatenation) else None


class UdhTooLongError(ValueError):
    """The elements do not fit into one short message.

    Attributes:
        udh_octets: how long their header would be, with its UDHL octet.
    """

    def __init__(self, udh_octets: int) -> None:
        super().__init__(f"the header would have {udh_octets} octets, a short message has {MAX_OCTETS}")
        self.udh_octets = udh_octets


def parse_hex(text: str) -> Udh | MalformedUdh:
    """Return the header written in hex digits of either case and nothing else: ``050003CC0201``."""
    if not text:
        return MalformedUdh(UdhFault.EMPTY, "there are no hex digits")
    foreign = _NOT_HEX.search(text)
    if foreign:
        found = f"U+{ord(foreign[0]):04X} at position {foreign.start() + 1} is not a hex digit"
        return MalformedUdh(
            UdhFault.NON_HEX, f"{found}: write each octet as two of 0-9 and A-F, nothing else"
        )
    if len(text) % 2:
        return MalformedUdh(
            UdhFault.ODD_HEX, f"the number of hex digits is odd ({len(text)}), an octet takes two"
        )
    return parse(bytes.fromhex(text))


def parse(octets: bytes) -> Udh | MalformedUdh:
    """Return the header that fills *octets* exactly, when it may be sent.

    The last concatenation element and the last port element have to make sense; elements of other kinds are
    carried as they are. The provider's flash header ``01 00`` passes by name.
    """
    if octets == FLASH:
        return Udh(octets, ())
    elements = dissect(octets)
    if isinstance(elements, MalformedUdh):
        return elements
    for judged in (_concatenation(elements), _port_fault(elements)):
        if isinstance(judged, MalformedUdh):
            return judged
    return Udh(octets, elements)


def dissect(octets: bytes) -> tuple[InformationElement, ...] | MalformedUdh:
    """Return the elements of a header by its form alone, whatever they say.

    Source: 3GPP TS 23.040 §9.2.3.24 (UDHL, then IEI, IEDL and data for each element).
    """
    if not octets:
        return MalformedUdh(UdhFault.EMPTY, "there are no octets, not even the UDHL")
    udhl, present = octets[0], len(octets) - 1
    if udhl != present:
        fault = UdhFault.UDHL_TOO_LARGE if udhl > present else UdhFault.UDHL_TOO_SMALL
        return MalformedUdh(fault, f"UDHL {udhl:02X} says {_octets(udhl)}, {present} came after it")
    if len(octets) > MAX_OCTETS:
        detail = f"the header has {len(octets)} octets, a short message has {MAX_OCTETS}"
        return MalformedUdh(UdhFault.TOO_LONG, detail)
    elements = []
    start = 1
    while start < len(octets):
        name = f"element 0x{octets[start]:02X} at octet {start}"
        if start + 1 == len(octets):
            return MalformedUdh(UdhFault.IE_HEADER_TRUNCATED, f"{name} has no length octet")
        iedl, data = octets[start + 1], octets[start + 2 :]
        if iedl > len(data):
            detail = f"{name} says {_octets(iedl)}, {len(data)} came after it"
            return MalformedUdh(UdhFault.IE_TRUNCATED, detail)
        elements.append(InformationElement(octets[start], data[:iedl]))
        start += 2 + iedl
    return tuple(elements)


def build(elements: Iterable[InformationElement]) -> bytes:
    """Return the header of these elements, UDHL included: the inverse of `dissect`. None make ``00``.

    Raises:
        UdhTooLongError: the header would have more than 140 octets.
    """
    fields = [(element.iei, len(element.data), element.data) for element in elements]
    udhl = sum(2 + iedl for _, iedl, _ in fields)
    if udhl + 1 > MAX_OCTETS:
        raise UdhTooLongError(udhl + 1)
    return bytes([udhl]) + b"".join(bytes([iei, iedl]) + data for iei, iedl, data in fields)


def concatenation_element(concatenation: Concatenation) -> InformationElement:
    """Return the element that says this: 0x00 for a reference of 8 bits, 0x08 for one of 16."""
    reference = concatenation.reference.to_bytes(concatenation.reference_bits // 8)
    iei = {8: 0x00, 16: 0x08}[concatenation.reference_bits]
    return InformationElement(iei, reference + bytes([concatenation.total, concatenation.sequence]))


def _concatenation(elements: Sequence[InformationElement]) -> Concatenation | MalformedUdh | None:
    element = _last(elements, _CONCATENATION)
    if element is None:
        return None
    if len(element.data) != _CONCATENATION[element.iei]:
        detail = f"{_wrong_length('concatenation', element, _CONCATENATION)}: reference, total, sequence"
        return MalformedUdh(UdhFault.CONCATENATION_LENGTH, detail)
    *reference, total, sequence = element.data
    if total == 0:
        return MalformedUdh(
            UdhFault.CONCATENATION_TOTAL, "concatenation total 0: a message has 1 to 255 parts"
        )
    if not 1 <= sequence <= total:
        detail = f"concatenation part {sequence} of {total}: the sequence must be 1 to the total"
        return MalformedUdh(UdhFault.CONCATENATION_SEQUENCE, detail)
    return Concatenation(int.from_bytes(reference), 8 * len(reference), total, sequence)


def _port_fault(elements: Sequence[InformationElement]) -> MalformedUdh | None:
    element = _last(elements, _PORT)
    if element is None or len(element.data) == _PORT[element.iei]:
        return None
    detail = f"{_wrong_length('port', element, _PORT)}: destination port, originator port"
    return MalformedUdh(UdhFault.PORT_LENGTH, detail)


def _last(elements: Sequence[InformationElement], ieis: Container[int]) -> InformationElement | None:
    """Return the element that counts: of repeated ones, and of ones that exclude each other, the last."""
    return next((element for element in reversed(elements) if element.iei in ieis), None)


def _wrong_length(kind: str, element: InformationElement, lengths: Mapping[int, int]) -> str:
    found = _octets(len(element.data))
    return f"{kind} element 0x{element.iei:02X} has {found}, it must have {lengths[element.iei]}"


def _octets(count: int) -> str:
    return "1 octet" if count == 1 else f"{count} octets"
