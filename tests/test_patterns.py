"""Regular expressions: what is found, and that no pattern takes long whatever the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import patterns as patterns_module
from sandbox.patterns import (
    LARGEST_TOGETHER,
    LONGEST_TEXT,
    PatternError,
    compile_search,
    compile_search_all,
    cost,
)


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


# -- many at once ----------------------------------------------------------------------------------

TOGETHER = ("code", "(?i)CODE", "^\\+34[67]", "ab?c$", "\\b[0-9]{4}\\b", "é{2}", "^$", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("my code is 1234", {0, 1, 4, 7}),
        ("Code", {1, 7}),
        ("+346 ac", {2, 3, 7}),
        ("éé 12345", {5, 7}),
        ("", {6, 7}),
        ("\ud800code", {0, 1, 7}),
        ("a" * (LONGEST_TEXT + 1), set()),
    ],
)
def test_patterns_are_found_together_as_each_is_alone(text: str, found: set[int]) -> None:
    assert sorted(compile_search_all(TOGETHER)(text)) == sorted(found)
    assert {position for position, each in enumerate(TOGETHER) if compile_search(each)(text)} == found


@given(
    st.lists(st.text(st.sampled_from("abAé+*?{}1,()|^$.\\[]bi:"), max_size=10), min_size=4, max_size=12),
    st.lists(st.text("abAé+1\n\ud800", max_size=12), max_size=6),
)
def test_any_patterns_are_found_together_as_each_is_alone(written: list[str], texts: list[str]) -> None:
    """Patterns that RE2 does not read are left aside."""
    searches = {}
    for pattern in written:
        try:
            searches[pattern] = compile_search(pattern)
        except PatternError:
            continue
    search_all = compile_search_all(list(searches))
    for text in texts:
        expected = [at for at, search in enumerate(searches.values()) if search(text)]
        assert sorted(search_all(text)) == expected


def test_patterns_too_large_to_be_searched_for_together_are_searched_for_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns_module, "_MEMORY_TOGETHER", 1 << 12)
    patterns = tuple(f"[ab]{{400}}{n}" for n in range(10))
    assert compile_search_all(patterns)("ab" * 200 + "7") == [7]


def test_the_largest_patterns_of_a_scenario_are_searched_for_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patterns = tuple(f"[ab]{{{n}}}c" for n in range(380, 480))
    assert 40_000 < sum(map(cost, patterns)) <= LARGEST_TOGETHER
    monkeypatch.setattr(patterns_module, "compile_search", lambda _: lambda _: pytest.fail("alone"))
    assert compile_search_all(patterns)("ab" * 190 + "c") == [0]
