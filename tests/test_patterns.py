"""Regular expressions: what is found, and that no pattern takes long whatever the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.patterns import LONGEST_TEXT, PatternError, compile_search, cost


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("code", ["code", "my code is"], ["Code", ""]),
        ("(?i)code", ["CODE"], ["kode"]),
        ("^\\+34[67]", ["+346", "+347"], ["+345", "x+346", "34"]),
        ("ab?c", ["ac", "abc"], ["bc"]),
        ("ab*c", ["ac", "abbc"], ["bc"]),
        ("ab{0,1}c", ["ac", "abc"], ["bc"]),
        ("ab+c", ["abc", "abbc"], ["ac"]),
        ("one|two", ["one", "two"], ["three"]),
        ("é{2}", ["éé"], ["é"]),
        ("^$", [""], ["x"]),
        ("\\d", ["1"], ["٣", "x"]),
        ("a.c", ["abc", "a😀c"], ["ac"]),
    ],
)
def test_a_pattern_is_found_anywhere(pattern: str, found: list[str], missed: list[str]) -> None:
    search = compile_search(pattern)
    assert [text for text in [*found, *missed] if search(text)] == found


@given(st.text(st.sampled_from("ab+*?{}1,()|^$.\\[]"), max_size=8), st.text("ab+1", max_size=8))
def test_a_pattern_is_found_where_the_standard_library_finds_it(pattern: str, text: str) -> None:
    """Patterns that one of the two does not read are left aside."""
    try:
        search, expected = compile_search(pattern), re.compile(pattern, re.ASCII).search(text)
    except (PatternError, re.error):
        return
    assert search(text) is (expected is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[",
        "a{2,1}",
        "\\",
        "(a)\\1",
        "(?=a)",
        "(?<!a)b",
        "a{1001}",
        "(a{500}){500}",
        "\\pL{400}",
        "[ab]" * 250 + "c",
    ],
)
def test_what_cannot_be_searched_for_in_bounded_time_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_search(pattern)


@pytest.mark.parametrize(("pattern", "what"), [("a", 100), ("[ab]{5}", 100), ("[ab]{300}", 300)])
def test_a_pattern_costs_its_instructions_and_something_for_itself(pattern: str, what: int) -> None:
    compile_search(pattern)
    assert what <= cost(pattern) < what + 20


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_patterns_that_explode_elsewhere_do_not(pattern: str) -> None:
    """Each takes an engine that backtracks longer than anybody waits."""
    assert compile_search(pattern)("a" * (LONGEST_TEXT - 1) + "!") is False


def test_a_text_longer_than_any_message_is_not_searched() -> None:
    search = compile_search("a")
    assert search("a" * LONGEST_TEXT)
    assert not search("a" * (LONGEST_TEXT + 1))


def test_a_text_that_is_no_unicode_is_searched_all_the_same() -> None:
    assert compile_search("a")("\ud800a")
