import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import gsm7

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[Any]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, lines)]


gsm7_texts = st.text("".join([*gsm7.DEFAULT_ALPHABET.replace("\x1b", ""), *gsm7.EXTENSION]))
septet_strings = st.lists(st.integers(0, 127), max_size=170).map(bytes)
fill_bits = st.integers(0, 6)


@pytest.mark.parametrize("vector", vectors("text.jsonl"))
def test_text_vector(vector: dict[str, Any]) -> None:
    text, foreign = vector["text"], vector["non_gsm_chars"]
    assert gsm7.septets(text) == vector["septets"]
    assert list(dict.fromkeys(character for character in text if gsm7.cost(character) == 0)) == foreign
    assert gsm7.first_foreign(text) == (text.index(foreign[0]) if foreign else None)
    if vector["gsm7_encodable"]:
        assert gsm7.encode(text) == bytes.fromhex(vector["gsm7_hex"])
        assert gsm7.decode(gsm7.encode(text)) == text
    else:
        with pytest.raises(gsm7.NotGsm7Error):
            gsm7.encode(text)


@pytest.mark.parametrize("vector", [v for v in vectors("pdu.jsonl") if v.values[0]["kind"] == "gsm7"])
def test_user_data_vector_packs_behind_its_header(vector: dict[str, Any]) -> None:
    udh, fill = bytes.fromhex(vector["udh_hex"]), vector["fill_bits"]
    septets = gsm7.encode(vector["text"])
    user_data = bytes.fromhex(vector["ud_hex"])
    assert (7 - 8 * len(udh) % 7) % 7 == fill
    assert udh + gsm7.pack(septets, fill) == user_data
    assert (8 * len(udh) + fill) // 7 + len(septets) == vector["udl"]
    assert gsm7.unpack(user_data[len(udh) :], len(septets), fill) == septets


def test_alphabet_has_137_characters_of_two_costs() -> None:
    costs = [gsm7.cost(chr(code)) for code in range(0x110000)]
    assert (costs.count(1), costs.count(2)) == (127, 10)


@pytest.mark.parametrize("character", ["`", "\x1b", "\t", "ç", "\u0301", "\u212b", "\ud800", "\U0001f600"])
def test_character_of_neither_table_is_refused_by_name_and_position(character: str) -> None:
    text = f"€ {character}{character}"
    assert gsm7.cost(character) == 0
    assert gsm7.septets(text) is None
    assert gsm7.first_foreign(text) == 2
    with pytest.raises(gsm7.NotGsm7Error, match=rf"U\+{ord(character):04X} at position 2 ") as caught:
        gsm7.encode(text)
    assert (caught.value.character, caught.value.position) == (character, 2)
    assert str(caught.value).isascii()


def test_decomposed_letter_is_not_its_composed_one() -> None:
    assert gsm7.septets("é") == 1
    assert gsm7.septets("e\u0301") is None


@pytest.mark.parametrize(
    ("septets", "shown"),
    [
        ("61 1B 65", "a€"),
        ("1B 0A", "\f"),
        ("1B 61", "a"),
        ("1B 0D", "\r"),
        ("1B 1B", " "),
        ("1B 1B 65", " e"),
        ("61 1B", "a "),
        ("1B", " "),
        ("", ""),
    ],
)
def test_escape_is_shown_as_a_receiver_shows_it(septets: str, shown: str) -> None:
    assert gsm7.decode(bytes.fromhex(septets)) == shown


@given(text=gsm7_texts)
def test_decoding_inverts_encoding(text: str) -> None:
    encoded = gsm7.encode(text)
    assert gsm7.decode(encoded) == text
    assert len(encoded) == gsm7.septets(text) == sum(map(gsm7.cost, text))
    assert gsm7.first_foreign(text) is None


@given(text=st.text())
def test_any_text_is_counted_or_has_a_first_foreign_character(text: str) -> None:
    position = gsm7.first_foreign(text)
    assert (gsm7.septets(text) is None) == (position is not None)
    assert gsm7.septets(text[:position]) is not None
    assert position is None or gsm7.cost(text[position]) == 0


@given(septets=septet_strings)
def test_any_septets_have_a_text_that_can_be_sent(septets: bytes) -> None:
    assert gsm7.septets(gsm7.decode(septets)) is not None


@given(septets=septet_strings, fill=fill_bits)
def test_unpacking_inverts_packing(septets: bytes, fill: int) -> None:
    assert gsm7.unpack(gsm7.pack(septets, fill), len(septets), fill) == septets


@given(septets=septet_strings, fill=fill_bits)
def test_fill_bits_and_spare_bits_are_zero(septets: bytes, fill: int) -> None:
    octets = gsm7.pack(septets, fill)
    bits = int.from_bytes(octets, "little")
    assert len(octets) == -(-(7 * len(septets) + fill) // 8)
    assert bits % 2**fill == 0
    assert bits >> (7 * len(septets) + fill) == 0


def test_missing_octets_unpack_as_zeros() -> None:
    assert gsm7.unpack(b"\x61", 3) == b"\x61\x00\x00"
