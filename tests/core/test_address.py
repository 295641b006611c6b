"""Which destinations and senders are well formed, and what each malformed one is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.address import destination_fault, is_destination, normal_destination, sender_fault

ENCODED = "contains a %: values are percent-decoded once, JSON strings not at all: send +<country><number>"

any_text = st.text(st.characters(exclude_categories=[]), max_size=30)
# Dense in the characters that decide, so that near misses are common.
telephone_like = st.text("+0123456789 -(%r٣", max_size=18)
sender_like = st.text("Ab09+ -@€é^ó\x1b", max_size=14)


@pytest.mark.parametrize(
    "text", ["+1222333", "+1222333444", "+34600000001", "+123456789012345", "+999999999999999"]
)
def test_a_plus_and_seven_to_fifteen_digits_are_a_destination(text: str) -> None:
    assert is_destination(text)
    assert destination_fault(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is empty: send +<country><number>"),
        (" 1222333444", "begins with a blank: an unencoded + becomes a blank, send %2B"),
        ("%2B1222333444", ENCODED),
        ("+34%20600", ENCODED),
        (
            "0034600000001",
            "begins with 00: the international format is +<country><number>, with + in place of 00",
        ),
        ("recipient", "has letter 'r' at position 1: digits only after the +"),
        ("+34é", "has letter U+00E9 at position 4: digits only after the +"),
        ("+1 222 333 444", "has blank at position 3: digits only after the +"),
        ("1222-333-444", "has dash at position 5: digits only after the +"),
        ("+1.222.333.444", "has dot at position 3: digits only after the +"),
        ("+1/222333444", "has slash at position 3: digits only after the +"),
        ("(+1)222333444", "has parenthesis at position 1: digits only after the +"),
        ("+1222)333444", "has parenthesis at position 6: digits only after the +"),
        ("++1222333444", "has '+' at position 2: digits only after the +"),
        ("+1222333444\n", "has U+000A at position 12: digits only after the +"),
        ("\u202a+1222333444", "has U+202A at position 1: digits only after the +"),
        ("+122233344٣", "has U+0663 (a digit of another script) at position 11: digits only after the +"),
        ("1222333444", "has no +: the international format is +<country><number>"),
        ("+0122233344", "has a 0 after the +: no country code begins with 0"),
        ("+", "is too short: 0 digits after the +, at least 7"),
        ("+1", "is too short: 1 digit after the +, at least 7"),
        ("+122233", "is too short: 6 digits after the +, at least 7"),
        ("+1234567890123456", "is too long: 16 digits after the +, at most 15"),
    ],
)
def test_a_malformed_destination_is_told_what_is_wrong_with_it(text: str, fault: str) -> None:
    assert not is_destination(text)
    assert destination_fault(text) == fault


@given(st.from_regex(re.compile(r"\+[1-9][0-9]{6,14}"), fullmatch=True))
def test_every_destination_of_the_grammar_is_one(text: str) -> None:
    assert destination_fault(text) is None


@given(any_text | telephone_like)
def test_any_text_is_either_a_destination_or_has_a_fault(text: str) -> None:
    fault = destination_fault(text)
    assert is_destination(text) == (fault is None)
    assert fault is None or fault.isascii()


@pytest.mark.parametrize(
    ("text", "plus_required", "strip_spaces", "normal"),
    [
        ("+1 222 333 444", True, False, "+1 222 333 444"),
        ("+1 222 333 444", True, True, "+1222333444"),
        ("1222333444", True, True, "1222333444"),
        ("1222333444", False, False, "+1222333444"),
        ("+1222333444", False, False, "+1222333444"),
        (" 1222333444", False, False, " 1222333444"),
        (" 1 222 333 444 ", False, True, "+1222333444"),
        ("1\u00a0222", False, True, "+1\u00a0222"),
        ("٣22", False, True, "٣22"),
        ("", False, True, ""),
    ],
)
def test_readings_add_the_plus_and_remove_blanks(
    text: str, normal: str, *, plus_required: bool, strip_spaces: bool
) -> None:
    assert normal_destination(text, plus_required=plus_required, strip_spaces=strip_spaces) == normal


@given(telephone_like)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normal_destination(text, plus_required=False, strip_spaces=True)
    assert normal_destination(once, plus_required=False, strip_spaces=True) == once


@pytest.mark.parametrize(
    "text",
    [
        "123",
        "+123",
        "123456789012345",
        "+123456789012345",
        "ORDER",
        "A",
        "My Company1",
        "1234567890A",
        "Café",
        "Δ",
        "@£$¥èéùìòÇØ",
        "a€€€€€",
        "+12a",
        "A-B",
    ],
)
def test_digits_and_gsm_text_with_a_letter_are_senders(text: str) -> None:
    assert sender_fault(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is empty"),
        ("1", "1 digit, at least 3"),
        ("+12", "2 digits, at least 3"),
        ("1234567890123456", "16 digits, at most 15"),
        ("Código", "U+00F3 at position 2 is not in the GSM 7-bit alphabet"),
        ("a`b", "'`' at position 2 is not in the GSM 7-bit alphabet"),
        ("A\x1b", "U+001B at position 2 is not in the GSM 7-bit alphabet"),
        ("12٣", "U+0663 at position 3 is not in the GSM 7-bit alphabet"),
        ("e\u0301", "U+0301 at position 2 is not in the GSM 7-bit alphabet"),
        ("ABCDEFGHIJKL", "12 septets, room for 11"),
        ("x" * 999 + "€", "1001 septets, room for 11"),
        ("ABCDEFGHI€J", "12 septets, room for 11: U+20AC at position 10 costs 2"),
        ("[Company1]", "12 septets, room for 11: '[' at position 1 costs 2"),
        ("123 456", "has no letter, and is not 3 to 15 digits with an optional +"),
        ("+", "has no letter, and is not 3 to 15 digits with an optional +"),
        ("   ", "has no letter, and is not 3 to 15 digits with an optional +"),
        ("123\n", "has no letter, and is not 3 to 15 digits with an optional +"),
    ],
)
def test_a_malformed_sender_is_told_what_is_wrong_with_it(text: str, fault: str) -> None:
    assert sender_fault(text) == fault


@given(any_text | sender_like)
def test_any_text_is_either_a_sender_or_has_a_fault_in_ascii(text: str) -> None:
    fault = sender_fault(text)
    assert fault is None or fault.isascii()


@given(
    st.from_regex(re.compile(r"\+?[0-9]{3,15}"), fullmatch=True) | st.text("ABCxyz", min_size=1, max_size=11)
)
def test_every_number_and_every_short_word_is_a_sender(text: str) -> None:
    assert sender_fault(text) is None
