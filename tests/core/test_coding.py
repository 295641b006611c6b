import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import contract
from sandbox.core.coding import (
    DCS_VALUES,
    Coding,
    Encoded,
    Inexpressible,
    UdhTooLongError,
    code_units,
    dear_character,
    encode_binary,
    encode_text,
    room,
    user_data,
)
from tests import strategies

VECTORS = Path(__file__).parents[1] / "vectors"
READINGS = contract.readings()


def vectors(name: str) -> list[Any]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, lines)]


def encoded(text: str, dcs: int, **readings: str) -> Encoded:
    answer = encode_text(text, dcs, contract.readings(readings))
    assert isinstance(answer, Encoded), answer
    return answer


def inexpressible(text: str, dcs: int, **readings: str) -> str:
    answer = encode_text(text, dcs, contract.readings(readings))
    assert isinstance(answer, Inexpressible), answer
    return answer.why


# -- room -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("udh_octets", "septets", "octets", "code_units"),
    [
        (0, 160, 140, 70),
        (1, 158, 139, 69),
        (2, 157, 138, 69),
        (3, 156, 137, 68),
        (6, 153, 134, 67),
        (7, 152, 133, 66),
        (8, 150, 132, 66),
        (12, 146, 128, 64),
        (138, 2, 2, 1),
        (139, 1, 1, 0),
        (140, 0, 0, 0),
    ],
)
def test_room_beside_a_header(udh_octets: int, septets: int, octets: int, code_units: int) -> None:
    assert room(Coding.GSM7, udh_octets) == septets
    assert room(Coding.OCTETS, udh_octets) == octets
    assert room(Coding.UCS2, udh_octets) == code_units


@pytest.mark.parametrize("coding", Coding)
@pytest.mark.parametrize("udh_octets", range(141))
def test_room_is_never_negative_and_what_fits_it_fits_140_octets(coding: Coding, udh_octets: int) -> None:
    bits = {Coding.GSM7: 7, Coding.OCTETS: 8, Coding.UCS2: 16}[coding]
    left = 1120 - 8 * udh_octets
    assert 0 <= room(coding, udh_octets) * bits <= left < (room(coding, udh_octets) + 1) * bits


@pytest.mark.parametrize("udh_octets", [-1, 141])
def test_no_room_beside_a_header_that_cannot_be(udh_octets: int) -> None:
    with pytest.raises(UdhTooLongError, match=f"0 to 140 octets, not {udh_octets}") as caught:
        room(Coding.GSM7, udh_octets)
    assert caught.value.udh_octets == udh_octets


@pytest.mark.parametrize("vector", vectors("udh.jsonl"))
def test_room_of_the_header_vectors(vector: dict[str, Any]) -> None:
    if vector["valid"] is False:
        assert vector["capacity_7bit"] is None
        return
    udh_octets = vector["udh_octets"]
    assert room(Coding.GSM7, udh_octets) == vector["capacity_7bit"]
    assert room(Coding.OCTETS, udh_octets) == vector["capacity_8bit"]
    assert room(Coding.UCS2, udh_octets) == vector["capacity_ucs2"]


@pytest.mark.parametrize(
    ("coding", "unit"), [(Coding.GSM7, "septets"), (Coding.UCS2, "code units"), (Coding.OCTETS, "octets")]
)
def test_what_a_room_is_counted_in(coding: Coding, unit: str) -> None:
    assert coding.unit == unit


# -- text -----------------------------------------------------------------------------------------------


def test_dcs_values_are_six() -> None:
    assert sorted(DCS_VALUES.values()) == [0, 1, 2, 3, 4, 8]


@pytest.mark.parametrize("vector", vectors("text.jsonl"))
def test_text_vector_under_each_dcs(vector: dict[str, Any]) -> None:
    text, septets = vector["text"], vector["septets"]
    assert code_units(text) == vector["ucs2_units"]
    assert encoded(text, 8) == Encoded(Coding.UCS2, vector["ucs2_units"], text)
    if vector["gsm7_encodable"]:
        assert encoded(text, 1) == Encoded(Coding.GSM7, septets, text)
    else:
        assert "is not in the GSM 7-bit alphabet" in inexpressible(text, 1)
    for dcs in (0, 3):
        if not vector["latin1_encodable"]:
            assert "is not in ISO-8859-1" in inexpressible(text, dcs)
        elif vector["gsm7_encodable"]:
            assert encoded(text, dcs) == Encoded(Coding.GSM7, septets, text)
        else:
            assert encoded(text, dcs) == Encoded(Coding.UCS2, vector["ucs2_units"], text)


@pytest.mark.parametrize(
    ("text", "readings", "coding", "used", "shown"),
    [
        ("abc", {}, Coding.GSM7, 3, "abc"),
        ("a{", {}, Coding.GSM7, 3, "a{"),
        ("ç", {}, Coding.UCS2, 1, "ç"),
        ("ç", {"latin1_transport": "gsm7_else_octets"}, Coding.OCTETS, 1, "ç"),
        ("a{", {"latin1_transport": "gsm7_else_octets"}, Coding.GSM7, 3, "a{"),
        ("a{", {"latin1_transport": "octets"}, Coding.OCTETS, 2, "a{"),
        ("a€", {"latin1_overflow": "ucs2"}, Coding.UCS2, 2, "a€"),
        ("a€", {"latin1_overflow": "ucs2", "latin1_transport": "octets"}, Coding.UCS2, 2, "a€"),
        ("\U0001f600", {"latin1_overflow": "ucs2"}, Coding.UCS2, 2, "\U0001f600"),
        ("a€", {"latin1_overflow": "question_mark"}, Coding.GSM7, 2, "a?"),
        ("ç\U0001f600", {"latin1_overflow": "question_mark"}, Coding.UCS2, 2, "ç?"),
        ("ç€", {"latin1_overflow": "question_mark", "latin1_transport": "octets"}, Coding.OCTETS, 2, "ç?"),
    ],
)
@pytest.mark.parametrize("dcs", [0, 3])
def test_readings_of_latin_1(
    *, dcs: int, text: str, readings: dict[str, str], coding: Coding, used: int, shown: str
) -> None:
    assert encoded(text, dcs, **readings) == Encoded(coding, used, shown)


def test_readings_of_latin_1_leave_the_other_dcs_alone() -> None:
    readings = {"latin1_transport": "octets", "latin1_overflow": "ucs2"}
    assert encoded("a", 1, **readings).coding is Coding.GSM7
    assert "GSM 7-bit" in inexpressible("`", 1, **readings)


@given(strategies.readable_text, st.sampled_from([0, 1, 3, 8]))
def test_any_text_travels_or_is_inexpressible(text: str, dcs: int) -> None:
    answer = encode_text(text, dcs, READINGS)
    if isinstance(answer, Inexpressible):
        assert dcs != 8
        assert answer.why.isascii()
    else:
        assert answer.text == text
        assert answer.used >= len(text)


# -- octets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "form", "octets"),
    [
        (b"00ff", "auto", b"\x00\xff"),
        (b"00fF", "hex", b"\x00\xff"),
        (b"00ff", "raw", b"00ff"),
        (b"00f", "auto", b"00f"),
        (b"00 ff", "auto", b"00 ff"),
        (b"0x00", "auto", b"0x00"),
        (b"00ff\n", "auto", b"00ff\n"),
        (b"hello", "auto", b"hello"),
        (b"\xff\x00", "auto", b"\xff\x00"),
        (b"\xff\x00", "raw", b"\xff\x00"),
    ],
)
def test_forms_of_a_binary_message(content: bytes, form: str, octets: bytes) -> None:
    answer = encode_binary(content, contract.readings({"binary_payload": form}))
    assert answer == Encoded(Coding.OCTETS, len(octets), None, octets)


@pytest.mark.parametrize("content", [b"00f", b"hello", b"\xff", b"00 ff", "٣٣".encode()])
def test_only_hex_will_do_by_reading(content: bytes) -> None:
    answer = encode_binary(content, contract.readings({"binary_payload": "hex"}))
    assert answer == Inexpressible("a binary message is an even number of hex digits")


@pytest.mark.parametrize("form", ["auto", "hex", "raw"])
def test_json_with_a_character_above_ff_is_no_octets(form: str) -> None:
    assert isinstance(encode_binary(None, contract.readings({"binary_payload": form})), Inexpressible)


# -- on air ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("pdu.jsonl"))
def test_user_data_vector(vector: dict[str, Any]) -> None:
    udh = bytes.fromhex(vector["udh_hex"])
    content = {
        "gsm7": lambda: encode_text(vector["text"], 1, READINGS),
        "ucs2": lambda: encode_text(vector["text"], 8, READINGS),
        "8bit": lambda: encode_binary(vector["data_hex"].encode(), READINGS),
    }[vector["kind"]]()
    assert isinstance(content, Encoded)
    assert user_data(content, udh).hex().upper() == vector["ud_hex"]


def test_latin_1_octets_travel_as_they_are() -> None:
    assert user_data(encoded("ç", 0, latin1_transport="octets"), b"\x00") == b"\x00\xe7"


@given(strategies.readable_text, st.sampled_from([0, 1, 3, 8]), st.integers(0, 140))
def test_what_fits_its_room_fits_one_short_message(text: str, dcs: int, udh_octets: int) -> None:
    answer = encode_text(text, dcs, READINGS)
    if isinstance(answer, Encoded) and answer.used <= room(answer.coding, udh_octets):
        assert len(user_data(answer, bytes(udh_octets))) <= 140


# -- dear characters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "dcs", "dear"),
    [
        ("abc", 1, None),
        ("ab€c{", 1, "U+20AC at position 3 costs 2"),
        ("{", 1, "'{' at position 1 costs 2"),
        ("€", 8, None),
        ("a\U0001f600", 8, "U+1F600 at position 2 costs 2"),
    ],
)
def test_the_first_character_that_costs_two(text: str, dcs: int, dear: str | None) -> None:
    assert dear_character(encoded(text, dcs)) == dear


def test_octets_have_no_dear_character() -> None:
    assert dear_character(Encoded(Coding.OCTETS, 1, None, b"{")) is None
