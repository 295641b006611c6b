"""A rule's ``when``: what each condition asks of a request, and how the first that missed is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.match import (
    PARAMETERS,
    Absent,
    AllOf,
    AnyOf,
    Contains,
    Exact,
    Facts,
    Matcher,
    Not,
    Prefix,
    Regex,
    Suffix,
    When,
    compare,
    compiled,
    conditions,
    describe,
    miss,
)
from sandbox.core.model import Unreadable, Value

FOUR_DIGITS = Regex(
    "[0-9]{4}", search=lambda text: any(text[at : at + 4].isdigit() for at in range(len(text) - 3))
)


@pytest.mark.parametrize(
    ("matcher", "meets", "misses"),
    [
        (Exact("ORDER"), ["ORDER"], ["ORDERS", "order", "", None]),
        (Exact(""), [""], ["a", None]),
        (Prefix("+34"), ["+34", "+34600000001"], ["34600000001", "+3", None]),
        (Suffix("99"), ["99", "+3499"], ["9", "+34991", None]),
        (Contains("code"), ["code", "my code is"], ["Code", None]),
        (FOUR_DIGITS, ["1234", "code 12345"], ["123", "", None]),
        (AnyOf((Exact("a"), Prefix("b"))), ["a", "b", "bc"], ["c", None]),
        (AnyOf((Exact("a"), Exact("c"))), ["a", "c"], ["b", "", None]),
        (AnyOf((Prefix("a"), Prefix("c"))), ["a", "cd"], ["bc", "", None]),
        (
            AnyOf((Exact("a"), Suffix("z"), Exact("c"), Prefix("b"), Absent())),
            ["a", "c", "yz", "bc", None],
            ["ab", ""],
        ),
        (AllOf((Prefix("a"), Suffix("z"))), ["az", "abz"], ["a", "z", None]),
        (Not(Prefix("+34")), ["+44", "", None], ["+34"]),
        (Not(Not(Exact("a"))), ["a"], ["b", None]),
        (Absent(), [None], ["", "a"]),
        (Absent(absent=False), ["", "a"], [None]),
        (Not(AnyOf((Exact("a"), Absent()))), ["b", ""], ["a", None]),
    ],
)
def test_matchers(matcher: Matcher, meets: list[str | None], misses: list[str | None]) -> None:
    holds = compiled(matcher)
    assert [value for value in [*meets, *misses] if holds(value)] == meets


@pytest.mark.parametrize(
    ("matcher", "sentence"),
    [
        (Exact("ORDER"), "is ORDER"),
        (Prefix("+34"), "begins with +34"),
        (Suffix("99"), "ends with 99"),
        (Contains("code"), "contains code"),
        (FOUR_DIGITS, "matches [0-9]{4}"),
        (AnyOf((Exact("a"), Prefix("b"))), "is a or begins with b"),
        (AllOf((Prefix("a"), Suffix("z"))), "begins with a and ends with z"),
        (Not(Exact("a")), "not: is a"),
        (Absent(), "is absent"),
        (Absent(absent=False), "is there"),
    ],
)
def test_a_matcher_says_what_it_asks_for(matcher: Matcher, sentence: str) -> None:
    assert describe(matcher) == sentence


def request(*, flash: bool | None = None, method: str = "POST", **parameters: Value) -> Facts:
    return Facts(method, parameters, flash=flash)


@pytest.mark.parametrize(
    ("when", "facts", "missed"),
    [
        (When(), request(), None),
        (When(method="POST"), request(), None),
        (When(method="POST"), request(method="GET"), "method is GET, wanted: POST"),
        (When(flash=True), request(flash=True), None),
        (When(flash=True), request(flash=False), "the message is not flash, wanted: flash true"),
        (When(flash=False), request(flash=True), "the message is flash, wanted: flash false"),
        (When(flash=False), request(), "not known before the checks, wanted: flash false"),
        (When(confirmation=True), request(confirmation="TRUE"), None),
        (When(confirmation=True), request(confirmation="1"), None),
        (When(confirmation=True), request(confirmation="yes"), "confirmation is false, wanted: true"),
        (When(confirmation=True), request(), "confirmation is false, wanted: true"),
        (When(confirmation=False), request(confirmation="true"), "confirmation is true, wanted: false"),
        (When(confirmation=False), request(confirmation=Unreadable("an array")), None),
        (When(texts=(("to", Prefix("+34")),)), request(to="+34600"), None),
        (When(texts=(("to", Prefix("+34")),)), request(to="+4470"), "to is +4470, wanted: begins with +34"),
        (When(texts=(("senderId", Exact("A")),)), request(), "senderId is absent, wanted: is A"),
        (When(texts=(("senderId", Exact("A")),)), request(senderId=""), "senderId is empty, wanted: is A"),
        (
            When(texts=(("message", Exact("a")),)),
            request(message=Unreadable("not UTF-8")),
            "message is absent, wanted: is a",
        ),
        (
            When(texts=(("to", Exact("+1")), ("senderId", Exact("A")))),
            request(to="+1", senderId="B"),
            "senderId is B, wanted: is A",
        ),
    ],
)
def test_the_first_condition_that_missed_is_told_with_the_value_it_met(
    when: When, facts: Facts, missed: str | None
) -> None:
    assert miss(when, facts) == missed
    assert all(test(facts) for test in conditions(when)) is (missed is None)


def test_a_key_is_never_told() -> None:
    assert miss(When(texts=(("apiKey", Exact("invalid")),)), request(apiKey="s3cret")) == (
        "apiKey is another, wanted: is invalid"
    )


def test_to_is_matched_against_the_destination_and_message_against_the_text_once_they_are_known() -> None:
    facts = Facts("POST", {"to": "34600", "message": "48 69"}, destination="+34600", text="Hi")
    assert miss(When(texts=(("to", Exact("+34600")), ("message", Exact("Hi")))), facts) is None


@given(st.text(), st.text())
def test_prefix_suffix_and_contains_agree_with_the_text_put_together(first: str, second: str) -> None:
    whole = first + second
    assert compiled(Prefix(first))(whole)
    assert compiled(Suffix(second))(whole)
    assert compiled(Contains(first))(whole)
    assert compiled(Exact(whole))(whole)


@given(st.text() | st.none(), st.text())
def test_not_is_the_opposite_for_every_value(value: str | None, text: str) -> None:
    for matcher in (Exact(text), Prefix(text), Contains(text), Absent()):
        assert compiled(Not(matcher))(value) is not compiled(matcher)(value)


def test_regexes_are_the_same_when_their_patterns_are() -> None:
    assert repr(Regex("a+", search=lambda _: True)) == repr(Regex("a+", search=lambda _: False))


def test_every_parameter_can_be_asked_for() -> None:
    facts = Facts("POST", dict.fromkeys(PARAMETERS, "x"))
    assert miss(When(texts=tuple((name, Exact("x")) for name in PARAMETERS)), facts) is None


@pytest.mark.parametrize(
    ("matcher", "value", "likeness"),
    [
        (Exact("+34600"), "+34600", 1.0),
        (Exact("+34600"), "+34601", 5 / 6),
        (Exact("+34600"), "+3460", 5 / 6),
        (Exact("ORDER"), "order", 1.0),
        (Exact("ORDER"), "SHOP", 0.0),
        (Exact("ORDER"), None, 0.0),
        (Exact("a"), "", 0.0),
        (Prefix("+34"), "+33600", 2 / 3),
        (Suffix("99"), "+3498", 0.5),
        (Contains("code"), "c0de", 0.0),
        (AnyOf((Exact("+1"), Exact("+34600"))), "+34601", 5 / 6),
        (AllOf((Prefix("+34"), Suffix("99"))), "+3498", 0.75),
        (Not(Exact("a")), "b", 0.0),  # most requests meet it
        (AnyOf((Exact("0"), Absent())), None, 0.0),
        (AllOf((Absent(absent=False), Exact("a"))), "a", 1.0),
    ],
)
def test_how_near_a_value_came(matcher: Matcher, value: str | None, likeness: float) -> None:
    facts = Facts("POST", {} if value is None else {"to": value})
    (compared,) = compare(When(texts=(("to", matcher),)), facts)
    assert compared.likeness == pytest.approx(likeness)


@given(st.text(max_size=90), st.text(max_size=90))
def test_only_what_is_the_same_but_for_its_case_is_as_near_as_can_be(one: str, other: str) -> None:
    (compared,) = compare(When(texts=(("to", Exact(one)),)), request(to=other))
    assert 0 <= compared.likeness <= 1
    assert (compared.likeness == 1) == (one.casefold() == other.casefold())


def test_conditions_stand_beside_what_they_met_in_the_order_in_which_they_are_judged() -> None:
    when = When(texts=(("to", Prefix("+34")), ("senderId", Exact("A"))), method="GET", flash=False)
    assert [each[:3] for each in compare(when, request(to="+3460", senderId="B", flash=False))] == [
        ("method is GET", "method is POST", False),
        ("the message is not flash", "the message is not flash", True),
        ("to begins with +34", "to is +3460", True),
        ("senderId is A", "senderId is B", False),
    ]
