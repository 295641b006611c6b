"""Any text becomes printable ASCII of a limited length, and plain text stays as it is."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.core.spelling import ascii_sentence, excerpt, spell

any_text = st.text(st.characters(exclude_categories=[]), max_size=60)
printable_ascii = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@pytest.mark.parametrize(
    ("char", "spelled"),
    [
        ("r", "'r'"),
        (" ", "' '"),
        ("~", "'~'"),
        ("\x7f", "U+007F"),
        ("\n", "U+000A"),
        ("é", "U+00E9"),
        ("€", "U+20AC"),
        ("😀", "U+1F600"),
        ("\ud800", "U+D800"),
    ],
)
def test_a_character_is_quoted_when_printable_ascii_and_a_code_point_otherwise(
    char: str, spelled: str
) -> None:
    assert spell(char) == spelled


@pytest.mark.parametrize(
    ("text", "limit", "excerpted"),
    [
        ("", 40, ""),
        ("recipient", 40, "recipient"),
        ("Código", 40, "CU+00F3digo"),
        ("a\r\nb", 40, "aU+000DU+000Ab"),
        ("x" * 40, 40, "x" * 40),
        ("x" * 41, 40, "x" * 37 + "..."),
        ("x" * 100_000, 40, "x" * 37 + "..."),
        ("€€", 12, "U+20ACU+20AC"),
        ("€€x", 12, "U+20AC..."),
        ("€€", 8, "..."),
    ],
)
def test_an_excerpt_is_cut_between_characters(text: str, limit: int, excerpted: str) -> None:
    assert excerpt(text, limit) == excerpted


def test_an_excerpt_has_forty_characters_and_a_sentence_a_thousand_unless_told_otherwise() -> None:
    assert len(excerpt("x" * 2000)) == 40
    assert len(ascii_sentence("x" * 2000)) == 1000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("€ costs 2\n", "U+20AC costs 2U+000A"),
        ("  room for 160 ", "room for 160"),
        ("\ttab", "U+0009tab"),
    ],
)
def test_a_sentence_is_one_line_without_blanks_around_it(text: str, sentence: str) -> None:
    assert ascii_sentence(text) == sentence


@given(any_text, st.integers(3, 60))
@example("😀" * 60, 59)
def test_any_text_becomes_printable_ascii_within_the_limit(text: str, limit: int) -> None:
    for written in (excerpt(text, limit), ascii_sentence(text, limit)):
        assert len(written) <= limit
        assert all(" " <= char <= "~" for char in written)


@given(printable_ascii)
def test_short_printable_ascii_stays_as_it_is(text: str) -> None:
    assert excerpt(text) == text
