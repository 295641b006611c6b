import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.core.udh import (
    Concatenation,
    InformationElement,
    MalformedUdh,
    Udh,
    UdhFault,
    UdhTooLongError,
    build,
    concatenation_element,
    dissect,
    parse,
    parse_hex,
)

VECTORS = Path(__file__).parents[1] / "vectors"

# What the vectors call a thing wrong inside a well-formed header, and what a sender is told.
SEMANTIC_FAULTS = {
    "ie-00-length": UdhFault.CONCATENATION_LENGTH,
    "ie-08-length": UdhFault.CONCATENATION_LENGTH,
    "ie-04-length": UdhFault.PORT_LENGTH,
    "ie-05-length": UdhFault.PORT_LENGTH,
    "concat-total-zero": UdhFault.CONCATENATION_TOTAL,
    "concat-seq-zero": UdhFault.CONCATENATION_SEQUENCE,
    "concat-seq-gt-total": UdhFault.CONCATENATION_SEQUENCE,
    "concat-repeated": None,
    "port-repeated": None,
}


def vectors(name: str) -> list[Any]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, lines)]


elements = st.builds(InformationElement, st.integers(0, 255), st.binary(max_size=30))
harmless_elements = elements.filter(lambda element: element.iei not in {0x00, 0x04, 0x05, 0x08})
headers_worth_of_elements = st.lists(elements, max_size=4).map(tuple)


@st.composite
def concatenations(draw: st.DrawFn) -> Concatenation:
    bits = draw(st.sampled_from([8, 16]))
    total = draw(st.integers(1, 255))
    return Concatenation(draw(st.integers(0, 2**bits - 1)), bits, total, draw(st.integers(1, total)))


def fault_of(answer: Udh | MalformedUdh) -> UdhFault | None:
    return answer.fault if isinstance(answer, MalformedUdh) else None


def concatenation_of(vector: dict[str, Any]) -> Concatenation | None:
    said = vector["concat"]
    return Concatenation(said["ref"], said["ref_bits"], said["total"], said["seq"]) if said else None


@pytest.mark.parametrize("vector", vectors("udh.jsonl"))
def test_header_vector(vector: dict[str, Any]) -> None:
    header = parse_hex(vector["udh_hex"])
    told = next(filter(None, map(SEMANTIC_FAULTS.__getitem__, vector["semantic_issues"])), None)
    if vector["valid"] is False:
        assert fault_of(header) == vector["reason"]
        return
    said = [(element["iei"], element["data_hex"]) for element in vector["information_elements"]]
    if vector["valid"] is True:
        found = dissect(bytes.fromhex(vector["udh_hex"]))
        assert isinstance(found, tuple)
        assert [(element.iei, element.data.hex().upper()) for element in found] == said
    assert fault_of(header) == told
    if told is None:
        assert isinstance(header, Udh)
        assert len(header) == vector["udh_octets"]
        assert len(header.elements) == len(said)
        assert header.is_flash is (vector["valid"] == "vendor-quirk")
        assert header.concatenation == concatenation_of(vector)


@pytest.mark.parametrize("vector", [v for v in vectors("pdu.jsonl") if v.values[0]["kind"] != "gsm7"])
def test_length_of_a_header_is_where_octets_and_code_units_begin(vector: dict[str, Any]) -> None:
    payload = bytes.fromhex(vector["data_hex"] or "") or (vector["text"] or "").encode("utf-16-be")
    header = parse_hex(vector["udh_hex"])
    udh_octets = len(header) if isinstance(header, Udh) else 0
    user_data = bytes.fromhex(vector["ud_hex"])
    assert (user_data[udh_octets:], udh_octets + len(payload)) == (payload, vector["udl"])


NOT_HEX = "is not a hex digit: write each octet as two of 0-9 and A-F, nothing else"


@pytest.mark.parametrize(
    ("text", "fault", "detail"),
    [
        ("", "empty", "there are no hex digits"),
        ("05 00", "non-hex", f"U+0020 at position 3 {NOT_HEX}"),
        ("05\n", "non-hex", f"U+000A at position 3 {NOT_HEX}"),
        ("0\ud800", "non-hex", f"U+D800 at position 2 {NOT_HEX}"),
        ("05000", "odd-hex", "the number of hex digits is odd (5), an octet takes two"),
        ("050003CC02", "udhl-too-large", "UDHL 05 says 5 octets, 4 came after it"),
        ("0100FF", "udhl-too-small", "UDHL 01 says 1 octet, 2 came after it"),
        ("8C" + "00" * 140, "too-long", "the header has 141 octets, a short message has 140"),
        ("0400030102", "ie-truncated", "element 0x00 at octet 1 says 3 octets, 2 came after it"),
        ("0424000A01", "ie-truncated", "element 0x0A at octet 3 says 1 octet, 0 came after it"),
        ("03240024", "ie-header-truncated", "element 0x24 at octet 3 has no length octet"),
        (
            "0400020102",
            "concatenation-length",
            "concatenation element 0x00 has 2 octets, it must have 3: reference, total, sequence",
        ),
        (
            "03080101",
            "concatenation-length",
            "concatenation element 0x08 has 1 octet, it must have 4: reference, total, sequence",
        ),
        ("050003010001", "concatenation-total", "concatenation total 0: a message has 1 to 255 parts"),
        (
            "050003010203",
            "concatenation-sequence",
            "concatenation part 3 of 2: the sequence must be 1 to the total",
        ),
        (
            "06080401020200",
            "concatenation-sequence",
            "concatenation part 0 of 2: the sequence must be 1 to the total",
        ),
        (
            "03040101",
            "port-length",
            "port element 0x04 has 1 octet, it must have 2: destination port, originator port",
        ),
        (
            "0405020101",
            "port-length",
            "port element 0x05 has 2 octets, it must have 4: destination port, originator port",
        ),
    ],
)
def test_malformed_header_is_told_what_is_wrong_and_where(text: str, fault: str, detail: str) -> None:
    assert parse_hex(text) == MalformedUdh(UdhFault(fault), detail)


def test_every_fault_can_be_provoked_in_octets_unless_it_is_of_hex() -> None:
    provoked = {
        fault_of(parse(octets))
        for octets in [
            b"",
            b"\x05",
            b"\x00\x00",
            b"\x8c" + bytes(140),
            b"\x02\x24\x01",
            b"\x01\x24",
            b"\x02\x00\x00",
            b"\x05\x00\x03\x01\x00\x00",
            b"\x05\x00\x03\x01\x01\x00",
            b"\x02\x05\x00",
        ]
    }
    assert provoked == set(UdhFault) - {UdhFault.NON_HEX, UdhFault.ODD_HEX}


GOOD_8, GOOD_16, GOOD_PORT = "0003010201", "080401020202", "05040B8423F0"
BAD_8, BAD_16, BAD_PORT = "0003010203", "0803010203", "04010B"


@pytest.mark.parametrize(
    ("elements", "fault"),
    [
        ((GOOD_8, GOOD_16), None),
        ((BAD_8, GOOD_16), None),
        ((BAD_16, GOOD_8), None),
        ((BAD_PORT, GOOD_PORT), None),
        ((BAD_8, GOOD_8, GOOD_PORT), None),
        ((GOOD_8, BAD_16), UdhFault.CONCATENATION_LENGTH),
        ((GOOD_16, BAD_8), UdhFault.CONCATENATION_SEQUENCE),
        ((BAD_8, GOOD_PORT), UdhFault.CONCATENATION_SEQUENCE),
        ((GOOD_PORT, BAD_PORT), UdhFault.PORT_LENGTH),
        ((BAD_PORT, GOOD_8), UdhFault.PORT_LENGTH),
    ],
)
def test_last_element_of_a_kind_is_the_one_judged(elements: tuple[str, ...], fault: UdhFault | None) -> None:
    octets = bytes.fromhex("".join(elements))
    header = parse(bytes([len(octets)]) + octets)
    assert fault_of(header) is fault


def test_element_whose_values_make_no_sense_says_nothing() -> None:
    """A header put together without `parse` may hold what a sender would not be let through with."""
    header = Udh(bytes.fromhex("050003010203"), (InformationElement(0x00, b"\x01\x02\x03"),))
    assert header.concatenation is None


def test_longest_header_fills_the_message() -> None:
    element = InformationElement(0x70, bytes(137))
    octets = build([element])
    assert len(octets) == 140
    assert parse(octets) == Udh(octets, (element,))


def test_longer_header_is_not_built() -> None:
    with pytest.raises(UdhTooLongError, match="141 octets") as caught:
        build([InformationElement(0x70, bytes(138))])
    assert caught.value.udh_octets == 141


def test_no_elements_make_a_header_of_its_length_octet() -> None:
    assert build([]) == b"\x00"


@given(elements=headers_worth_of_elements)
def test_dissecting_inverts_building(elements: tuple[InformationElement, ...]) -> None:
    assert dissect(build(elements)) == elements


@given(before=st.lists(harmless_elements, max_size=2), said=concatenations())
def test_concatenation_survives_building_and_parsing(
    before: list[InformationElement], said: Concatenation
) -> None:
    elements = (*before, concatenation_element(said))
    octets = build(elements)
    header = parse(octets)
    assert header == Udh(octets, elements)
    assert header.concatenation == said


@given(octets=st.binary(max_size=300))
@example(b"\x01\x00")
def test_any_octets_are_a_header_that_rebuilds_them_or_have_a_fault(octets: bytes) -> None:
    header = parse(octets)
    if isinstance(header, MalformedUdh):
        assert re.fullmatch(r"[ -~]+", header.detail)
    else:
        assert header.octets == octets
        assert len(header) == len(octets) <= 140
        assert header.is_flash or build(header.elements) == octets


@given(text=st.text() | st.text("0123456789ABCDEFabcdef", max_size=24))
def test_any_text_is_the_hex_of_a_header_or_has_a_fault(text: str) -> None:
    header = parse_hex(text)
    if isinstance(header, MalformedUdh):
        assert re.fullmatch(r"[ -~]+", header.detail)
    else:
        assert header.octets.hex() == text.lower()
