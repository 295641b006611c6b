"""The search field: what is typed is read as terms that must all hold, and what makes no sense is said."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.web.inbox.search import Key, Search, Term, parse


class Thing(NamedTuple):
    """What these tests search for."""

    colour: str
    text: str


KEYS: Mapping[str, Key[Thing]] = {
    "colour": Key(lambda thing, value: thing.colour == value, "red"),
    "size": Key(lambda _thing, value: value == "big", "big", ("big", "small")),
    "color": Key(lambda thing, value: thing.colour == value, "red", alias_of="colour"),
}


def found(typed: str, thing: Thing) -> bool:
    return parse(typed, KEYS).condition(KEYS, lambda each: each.text.lower())(thing)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("code", (Term(None, "code"),)),
        ("Code 1234", (Term(None, "code"), Term(None, "1234"))),
        ('"Your code"', (Term(None, "your code"),)),
        ('"no end', (Term(None, "no end"),)),
        ('""', ()),
        ("colour:Red", (Term("colour", "red"),)),
        ("COLOUR:red", (Term("colour", "red"),)),
        ("color:red", (Term("colour", "red"),)),
        ('colour:"dark red" x', (Term("colour", "dark red"), Term(None, "x"))),
        ("-colour:red", (Term("colour", "red", is_negated=True),)),
        ('-"two words"', (Term(None, "two words", is_negated=True),)),
        ("-", (Term(None, "-"),)),
        ("12:30", (Term(None, "12:30"),)),
        ("+34", (Term(None, "+34"),)),
        ('"http://x"', (Term(None, "http://x"),)),
        ("\tcolour:red\n", (Term("colour", "red"),)),
    ],
)
def test_what_is_typed_is_read_as_terms(typed: str, terms: tuple[Term, ...]) -> None:
    assert parse(typed, KEYS) == Search(terms)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("shape:round", "shape: is no key."),
        ("colur:red", "Did you mean colour:?"),
        ("shape:round", "There are colour:, size:."),
        ("shape:round", '"shape:…"'),
        ("colour:", "colour: needs a value, such as colour:red."),
        ('colour:""', "colour: needs a value"),
        ("size:huge", "size:huge is never so. size: takes big, small."),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(typed: str, said: str) -> None:
    search = parse(typed, KEYS)
    assert search.terms == ()
    (mistake,) = search.mistakes
    assert said in mistake


def test_the_rest_is_searched_for_beside_a_mistake() -> None:
    search = parse("shape:round colour:red", KEYS)
    assert search.terms == (Term("colour", "red"),)
    assert len(search.mistakes) == 1


def test_the_same_mistake_is_said_once() -> None:
    assert len(parse("shape:a shape:a", KEYS).mistakes) == 1


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("", True),
        ("hello", True),
        ("HELLO", True),
        ("hell", True),
        ("help", False),
        ("-help", True),
        ("-hello", False),
        ("colour:red hello", True),
        ("colour:red help", False),
        ("colour:blue hello", False),
        ("-colour:blue hello", True),
        ("size:big", True),
        ("size:small", False),
    ],
)
def test_all_terms_must_hold(typed: str, is_found: bool) -> None:  # noqa: FBT001 - a table's column
    assert found(typed, Thing("red", "Hello world")) is is_found


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read(typed: str) -> None:
    search = parse(typed, KEYS)
    assert all(term.value and term.value == term.value.lower() for term in search.terms)
    assert all(term.key in {None, "colour", "size"} for term in search.terms)
    search.condition(KEYS, lambda each: each.text)(Thing("red", "x"))


@given(st.text(st.characters(exclude_characters='"'), min_size=1, max_size=30).filter(str.strip))
def test_words_in_quotes_are_looked_for_as_they_stand(words: str) -> None:
    assert parse(f'"{words}"', KEYS) == Search((Term(None, words.lower()),))
