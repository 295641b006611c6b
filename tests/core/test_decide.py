"""Which rule decides a request, what that changes for the next one, and how it is told afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.core import decide as decide_module
from sandbox.core.decide import Mark, Progress, Rulebook, decide
from sandbox.core.draw import fraction
from sandbox.core.match import (
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
    miss,
)
from sandbox.core.model import Unreadable
from sandbox.core.scenario import Fixed, Lognormal, Respond, Rule, Scenario, Step
from sandbox.core.trace import RuleTrace, closest, compare_rule, drawn_steps, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def to(matcher: Matcher) -> When:
    return When(texts=(("to", matcher),))


def book(*rules: Rule, extra: Sequence[Rule] = (), seed: int = 0) -> Rulebook:
    return Rulebook.compile(Scenario("test", seed=seed, rules=rules), extra)


def winners(
    rulebook: Rulebook,
    requests: Sequence[dict[str, str]],
    *,
    progress: Progress | None = None,
    before_checks: bool = False,
) -> list[str | None]:
    """Return the names of the rules that decide *requests*, one after the other."""
    progress = progress or Progress.fresh()
    found = [
        decide(rulebook, progress, Facts("POST", request), request_number=number, before_checks=before_checks)
        for number, request in enumerate(requests, 1)
    ]
    return [None if rule is None else rule.name for rule in found]


SPAIN = {"to": "+34600000001"}
BRITAIN = {"to": "+447000000001"}


# -- which rule ------------------------------------------------------------------------------------


def test_no_rules_decide_nothing() -> None:
    assert winners(book(), [SPAIN]) == [None]


def test_the_first_rule_that_matches_decides() -> None:
    rules = book(Rule("spain", to(Prefix("+34"))), Rule("rest", When()), Rule("never", When()))
    assert winners(rules, [SPAIN, BRITAIN]) == ["spain", "rest"]


def test_rules_before_the_checks_are_tried_apart_from_those_after_them() -> None:
    rules = book(Rule("after", When()), Rule("before", When(), before_checks=True))
    assert winners(rules, [SPAIN], before_checks=True) == ["before"]
    assert winners(rules, [SPAIN]) == ["after"]
    assert [rule.name for rule in rules.rules] == ["before", "after"]


def test_extra_rules_come_first_and_replace_those_of_their_name() -> None:
    scenario_rules = (Rule("a", When()), Rule("b", to(Exact("+1"))))
    rules = book(*scenario_rules, extra=[Rule("b", to(Prefix("+34")))])
    assert [rule.name for rule in rules.rules] == ["b", "a"]
    assert winners(rules, [SPAIN, BRITAIN]) == ["b", "a"]


def regex(text: str) -> Regex:
    """Return a pattern of plain letters, searched for alone or with others."""
    return Regex(
        text,
        search=lambda value: text in value,
        search_all=None if text == "x" else plain_search_all,
    )


def plain_search_all(texts: Sequence[str]) -> Callable[[str], list[int]]:
    return lambda value: [position for position, text in enumerate(texts) if text in value]


matchers = st.recursive(
    st.builds(Exact, st.sampled_from(["+1", "+12", "+2", ""]))
    | st.builds(Prefix, st.sampled_from(["+", "+1", "+12"]))
    | st.builds(Suffix, st.sampled_from(["1", "2"]))
    | st.builds(Contains, st.sampled_from(["1", "+"]))
    | st.builds(regex, st.sampled_from(["1", "+1", "x"]))
    | st.builds(Absent, st.booleans()),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=4,
)
whens = st.builds(
    lambda texts, method: When(texts=texts, method=method),
    texts=st.dictionaries(st.sampled_from(["to", "senderId"]), matchers).map(
        lambda texts: tuple(sorted(texts.items(), key=lambda item: item[0], reverse=True))
    ),
    method=st.sampled_from([None, "POST", "GET"]),
)
requests = st.dictionaries(
    st.sampled_from(["to", "senderId"]), st.sampled_from(["+1", "+12", "+2", "", "x1", Unreadable("why")])
)


@given(st.lists(whens, max_size=8), requests)
@example([to(AnyOf((Exact("+1"), Prefix("+1"))))], {"to": "+12"})
@example([to(Exact("+1")), to(Prefix("+1"))], {"to": "+12"})
def test_lookups_find_what_trying_each_rule_in_turn_would(
    conditions: list[When], request: dict[str, str | Unreadable]
) -> None:
    facts = Facts("POST", request)
    rules = [Rule(str(position), when) for position, when in enumerate(conditions)]
    expected = next((rule for rule in rules if miss(rule.when, facts) is None), None)
    assert decide(book(*rules), Progress.fresh(), facts, request_number=1, before_checks=False) == expected


def test_patterns_are_looked_for_together_and_tell_their_rules_apart() -> None:
    rules = book(*(Rule(text, When(texts=(("message", regex(text)),))) for text in ("a", "b", "c", "x")))
    assert winners(rules, [{"message": text} for text in ("b", "cb", "x", "d")]) == ["b", "b", "x", None]


# -- counting --------------------------------------------------------------------------------------


def test_nth_counts_the_requests_that_meet_the_rest() -> None:
    rules = book(Rule("second", to(Prefix("+34"))._replace(nth=frozenset({2, 4}))))
    assert winners(rules, [SPAIN, BRITAIN, SPAIN, SPAIN, SPAIN, SPAIN]) == [
        None, None, "second", None, "second", None,
    ]  # fmt: skip


def test_every_counts_likewise() -> None:
    rules = book(Rule("third", When(every=3)))
    assert winners(rules, [SPAIN] * 7) == [None, None, "third", None, None, "third", None]


def test_nth_and_every_must_both_hold() -> None:
    rules = book(Rule("both", When(nth=frozenset({2, 3, 4}), every=2)))
    assert winners(rules, [SPAIN] * 5) == [None, "both", None, "both", None]


def test_per_counts_each_value_of_a_parameter_apart_absence_included() -> None:
    rules = book(Rule("first", When(nth=frozenset({1}), per="senderId")))
    a, b, nobody = {"senderId": "A"}, {"senderId": "B"}, dict[str, str]()
    assert winners(rules, [a, a, b, nobody, a, nobody, b]) == [
        "first", None, "first", "first", None, None, None,
    ]  # fmt: skip


def test_values_of_any_length_are_counted_apart() -> None:
    rules = book(Rule("first", When(nth=frozenset({1}), per="message")))
    long = "x" * 100_000
    progress = Progress.fresh()
    messages = [{"message": text} for text in (long, long, long + "y")]
    assert winners(rules, messages, progress=progress) == [
        "first", None, "first",
    ]  # fmt: skip
    assert all(len(value) <= 128 for _, value in progress.counts_per)


def test_a_rule_that_a_request_meets_in_two_ways_counts_it_once() -> None:
    rules = book(Rule("third", to(AnyOf((Prefix("+3"), Prefix("+34"), Contains("600"))))._replace(every=3)))
    assert winners(rules, [SPAIN] * 6) == [None, None, "third", None, None, "third"]


def test_the_value_not_met_for_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide_module, "VALUES_COUNTED", 2)
    rules = book(Rule("first", When(nth=frozenset({1}), per="senderId")))
    senders = [{"senderId": name} for name in "ABACAB"]
    assert winners(rules, senders) == ["first", "first", None, "first", None, "first"]


def test_a_counted_rule_counts_what_another_rule_decides() -> None:
    rules = book(
        Rule("first", When(nth=frozenset({1}))),
        Rule("plain", to(Prefix("+44"))),
        Rule("second", When(nth=frozenset({2}))),
        Rule("third", When(nth=frozenset({3}))),
    )
    assert winners(rules, [SPAIN, BRITAIN, SPAIN]) == ["first", "plain", "third"]


def test_a_counted_rule_counts_what_a_rule_before_it_decides() -> None:
    rules = book(
        Rule("britain", to(Prefix("+44"))), Rule("third", to(Prefix("+"))._replace(nth=frozenset({3})))
    )
    assert winners(rules, [BRITAIN, BRITAIN, SPAIN]) == ["britain", "britain", "third"]


def test_rules_that_count_per_different_parameters_count_apart() -> None:
    rules = book(*(Rule(per, When(nth=frozenset({2}), per=per)) for per in ("to", "senderId")))
    assert winners(rules, [{}, {"to": "a", "senderId": "b"}, {"to": "b", "senderId": "c"}]) == [None] * 3


# -- state, times, chance --------------------------------------------------------------------------


def test_a_rule_may_ask_for_a_state_and_set_another() -> None:
    rules = book(
        Rule("fail", When(state="start", nth=frozenset({2})), set_state="recovered"),
        Rule("works-again", When(state="recovered"), set_state="recovered"),
    )
    progress = Progress.fresh()
    assert progress.state == "start"
    assert winners(rules, [SPAIN] * 4, progress=progress) == [None, "fail", "works-again", "works-again"]
    assert progress.state == "recovered"


def test_all_rules_see_the_state_that_the_request_found() -> None:
    rules = book(
        Rule("move", When(state="start"), set_state="moved"),
        Rule("counts", When(state="moved", nth=frozenset({1}))),
    )
    assert winners(rules, [SPAIN, SPAIN]) == ["move", "counts"]


def test_a_rule_goes_away_once_it_has_decided_as_many_requests_as_it_is_for() -> None:
    rules = book(Rule("twice", When(), times=2), Rule("rest", When()))
    progress = Progress.fresh()
    assert winners(rules, [SPAIN] * 4, progress=progress) == ["twice", "twice", "rest", "rest"]
    assert progress.matched == {"twice": 2, "rest": 2}


def test_a_rule_that_is_forgotten_begins_anew() -> None:
    rules = book(
        Rule("a", When(), times=1), Rule("b", When(nth=frozenset({1}))), Rule("c", When(every=2, per="to"))
    )
    progress = Progress.fresh()
    before = winners(rules, [SPAIN] * 3, progress=progress)
    for _ in range(2):
        for name in "abc":
            progress.forget(name)
        assert winners(rules, [SPAIN] * 3, progress=progress) == before


def test_a_rule_that_begins_anew_counts_by_itself() -> None:
    rules = book(*(Rule(name, When(nth=frozenset({3}))) for name in "ab"))
    progress = Progress.fresh()
    assert winners(rules, [SPAIN] * 2, progress=progress) == [None, None]
    progress.forget("a")
    assert winners(rules, [SPAIN] * 3, progress=progress) == ["b", None, "a"]


def test_a_probability_is_met_as_often_as_it_says_and_alike_on_every_run() -> None:
    rules = book(Rule("unlucky", When(probability=0.25)), seed=42)
    first, second = (winners(rules, [SPAIN] * 2000) for _ in range(2))
    assert first == second
    assert 440 < first.count("unlucky") < 560
    assert winners(book(Rule("unlucky", When(probability=0.25)), seed=43), [SPAIN] * 2000) != first


def test_a_probability_of_0_or_1_leaves_nothing_to_chance() -> None:
    rules = book(Rule("never", When(probability=0)), Rule("always", When(probability=1)))
    assert set(winners(rules, [SPAIN] * 100)) == {"always"}


@pytest.mark.parametrize("when", [When(), to(Prefix("+34"))])
def test_what_is_drawn_must_be_below_the_probability(when: When) -> None:
    drew = fraction(seed=0, request_number=1, purpose="rule a")
    assert winners(book(Rule("a", when._replace(probability=drew))), [SPAIN]) == [None]
    assert winners(book(Rule("a", when._replace(probability=drew + 2**-53))), [SPAIN]) == ["a"]


def test_two_rules_draw_apart() -> None:
    rules = book(Rule("a", When(probability=0.5)), Rule("b", When(probability=0.5)))
    assert set(winners(rules, [SPAIN] * 100)) == {"a", "b", None}


def test_a_copy_of_the_progress_leaves_no_trace() -> None:
    rules = book(
        Rule("a", When(nth=frozenset({1}), per="to"), times=1, set_state="on"), Rule("b", When(every=2))
    )
    progress = Progress.fresh()
    assert winners(rules, [SPAIN, SPAIN], progress=progress.copy()) == ["a", "b"]
    assert progress == Progress.fresh()


# -- the trace -------------------------------------------------------------------------------------


def told(
    rulebook: Rulebook, facts: Facts, progress: Progress, *, number: int = 1, before_checks: bool = False
) -> tuple[RuleTrace, ...]:
    decide(rulebook, progress, facts, request_number=number, before_checks=before_checks)
    return trace(rulebook, progress.mark, facts, request_number=number, before_checks=before_checks)


STORY = book(
    Rule("spain", to(Prefix("+34"))),
    Rule("later", When(state="recovered")),
    Rule("unlucky", When(probability=0.01)),
    Rule("once", to(Prefix("+44")), times=1),
    Rule("second", When(nth=frozenset({2, 4}), every=2, per="to")),
    Rule("every", When(every=3)),
    Rule("rest", When()),
    Rule("behind", When()),
)


def test_a_trace_tells_the_first_condition_that_each_rule_missed() -> None:
    progress = Progress.fresh()
    facts = Facts("POST", BRITAIN)
    told(STORY, facts, progress)
    assert [(row.name, row.miss) for row in told(STORY, facts, progress, number=2)] == [
        ("spain", "to is +447000000001, wanted: begins with +34"),
        ("later", "state is start, wanted: recovered"),
        ("unlucky", "drew 0.0559, wanted: below the probability 0.01"),
        ("once", "times is 1: it has decided as many"),
        ("second", None),
        ("every", "not tried: second decided"),
        ("rest", "not tried: second decided"),
        ("behind", "not tried: second decided"),
    ]


@pytest.mark.parametrize(
    ("rules", "parameters", "name"),
    [
        ([Rule("far", to(Exact("+1222333444"))), Rule("near", to(Exact("+34600000000")))], SPAIN, "near"),
        ([Rule("far", to(Exact("+1222333444")))], SPAIN, None),
        ([Rule("near", to(Exact("+34600000000"))), Rule("any", When())], SPAIN, None),  # one has decided
        ([Rule("later", to(Prefix("+34"))._replace(state="later"))], SPAIN, "later"),
        ([Rule("later", When(state="later")), Rule("never", When(probability=0))], SPAIN, None),
        ([Rule("get", When(method="GET", flash=True))], SPAIN, None),
        ([Rule("first", to(Prefix("+35"))), Rule("second", to(Prefix("+35")))], SPAIN, "first"),
        ([], SPAIN, None),
    ],
)
def test_the_closest_rule_is_one_that_the_request_nearly_met(
    rules: list[Rule], parameters: dict[str, str], name: str | None
) -> None:
    near = closest(told(book(*rules), Facts("POST", parameters), Progress.fresh()))
    assert (near.name if near is not None else None) == name


def test_a_rule_can_be_compared_whichever_decided() -> None:
    progress = Progress.fresh()
    facts = Facts("POST", BRITAIN)
    rules = book(
        Rule("any", When()),
        Rule("second", to(Prefix("+44"))._replace(nth=frozenset({2}), per="to"), times=1),
        Rule("other", to(Prefix("+34"))._replace(every=2)),
    )
    told(rules, facts, progress)
    rows = {
        name: [each[:3] for each in compare_rule(rules, name, progress.mark, facts, request_number=1)]
        for name in ("any", "second", "other")
    }
    assert rows == {
        "any": [],
        "second": [
            ("to begins with +44", "to is +447000000001", True),
            ("times is 1", "times is 1: it has decided fewer", True),
            ("is nth 2 for this to", "is request 1 of those that meet the rest for this to", False),
        ],
        "other": [
            ("to begins with +34", "to is +447000000001", False),
            ("is every 2", "is not counted, as it did not meet the rest", None),
        ],
    }


def test_a_trace_tells_the_count() -> None:
    progress = Progress.fresh()
    facts = Facts("POST", {"to": "+1"})
    rows = {row.name: row.miss for row in told(STORY, facts, progress)}
    assert (
        rows["second"] == "is request 1 of those that meet the rest for this to, wanted: nth 2, 4 and every 2"
    )
    assert rows["every"] == "is request 1 of those that meet the rest, wanted: every 3"
    assert rows["rest"] is None


def test_a_mark_is_shared_by_requests_that_change_nothing() -> None:
    rules = book(Rule("spain", to(Prefix("+34"))))
    progress = Progress.fresh()
    marks = []
    for number in range(3):
        told(rules, Facts("POST", SPAIN), progress, number=number)
        marks.append(progress.mark)
    assert all(mark is marks[0] for mark in marks)
    assert marks[0] == Mark()


def test_a_trace_tells_what_was_drawn() -> None:
    steps = (
        Step(timedelta(seconds=1), "enroute"),
        Step(timedelta(seconds=5), "delivered", weight=1, jitter=timedelta(seconds=2)),
        Step(timedelta(seconds=9), "undeliverable", weight=1),
    )
    rule = Rule("a", When(probability=1), Respond(delay=Lognormal(0.2, 0.4)), timeline=steps)
    (row,) = told(book(rule, seed=1), Facts("POST", SPAIN), Progress.fresh())
    assert row._replace(conditions=()) == RuleTrace(
        "a",
        matched=True,
        drawn=(
            "probability 1: drew 0.5697",
            "delay: 0.141 s",
            "enroute after 1 s",
            "delivered after 5.47019 s",
        ),
    )


@pytest.mark.parametrize(
    "rule",
    [
        Rule("a", When()),
        Rule("a", When(), Respond(delay=Fixed(1)), timeline=()),
        Rule("a", When(), Respond(error=6), submit=False),
    ],
)
def test_a_trace_tells_no_draws_where_chance_had_no_part(rule: Rule) -> None:
    (row,) = told(book(rule), Facts("POST", SPAIN), Progress.fresh())
    assert row == RuleTrace("a", matched=True)


def test_the_steps_of_the_default_timeline_are_drawn_for_the_request() -> None:
    steps = (Step(timedelta(), "delivered", weight=1), Step(timedelta(), "rejected", weight=1))
    assert {drawn_steps(steps, seed=0, request_number=number) for number in range(20)} == {
        ("delivered after 0 s",),
        ("rejected after 0 s",),
    }


# -- any rules at all ------------------------------------------------------------------------------


class Plainly:
    """What the rules mean, read one after the other: each counts by itself, and is asked everything."""

    def __init__(self) -> None:
        self.state = "start"
        self.matched: Counter[str] = Counter()
        self.counts: Counter[tuple[str, str | None]] = Counter()

    def forget(self, name: str) -> None:
        del self.matched[name]
        for key in [key for key in self.counts if key[0] == name]:
            del self.counts[key]

    def decide(self, rules: Sequence[Rule], facts: Facts, number: int) -> tuple[Rule | None, dict[str, int]]:
        """Return the rule that decides, and what those up to it have counted."""
        winner: Rule | None = None
        counts: dict[str, int] = {}
        for rule in rules:
            when = rule.when
            if miss(when, facts) is not None or when.state not in {None, self.state}:
                continue
            if rule.times is not None and self.matched[rule.name] >= rule.times:
                continue
            drew = fraction(seed=SEED, request_number=number, purpose=f"rule {rule.name}")
            if when.probability is not None and drew >= when.probability:
                continue
            if when.nth or when.every:
                key = (rule.name, facts.value(when.per) if when.per else None)
                self.counts[key] += 1
                count = self.counts[key]
                if winner is None:
                    counts[rule.name] = count
                if (when.nth and count not in when.nth) or (when.every and count % when.every):
                    continue
            winner = winner or rule
        if winner is not None:
            self.matched[winner.name] += 1
            self.state = winner.set_state or self.state
        return winner, counts


SEED = 7
rules_of_any_kind = st.builds(
    lambda when, **rest: Rule("", when._replace(**rest.pop("more")), **rest),
    when=st.one_of(st.just(When()), st.just(to(Prefix("+1"))), whens),
    more=st.fixed_dictionaries(
        {
            "nth": st.frozensets(st.integers(1, 4), max_size=2),
            "every": st.sampled_from([None, None, 2, 3]),
            "per": st.sampled_from([None, None, "to"]),
            "probability": st.sampled_from([None, None, None, 0, 0.5, 1]),
            "state": st.sampled_from([None, None, "start", "on"]),
        }
    ),
    times=st.sampled_from([None, None, 1, 2]),
    set_state=st.sampled_from([None, None, "on", "start"]),
)
happenings = st.lists(st.one_of(requests, requests, st.integers(0, 7)), max_size=16)
"""Requests, and positions of rules that begin anew."""


@settings(max_examples=300)
@given(st.lists(rules_of_any_kind, min_size=1, max_size=8), happenings, st.booleans())
def test_any_rules_decide_and_are_told_as_if_read_one_after_the_other(
    written: list[Rule],
    happened: list[dict[str, str | Unreadable] | int],
    before_checks: bool,  # noqa: FBT001
) -> None:
    rules = [
        replace(rule, name=str(position), before_checks=before_checks)
        for position, rule in enumerate(written)
    ]
    rulebook = book(*rules, seed=SEED)
    progress, plainly = Progress.fresh(), Plainly()
    kept = []
    for number, each in enumerate(happened):
        if isinstance(each, int):
            progress.forget(str(each))
            plainly.forget(str(each))
            continue
        facts = Facts("POST", each)
        expected, counts = plainly.decide(rules, facts, number)
        decided = decide(rulebook, progress, facts, request_number=number, before_checks=before_checks)
        assert decided == expected
        kept.append((expected, counts, facts, progress.mark, number))
    assert progress.state == plainly.state
    assert progress.matched == {name: times for name, times in plainly.matched.items() if times}
    for winner, counts, facts, mark, number in kept:
        rows = trace(rulebook, mark, facts, request_number=number, before_checks=before_checks)
        assert [row.name for row in rows if row.matched] == ([winner.name] if winner else [])
        assert all((row.miss is None) is row.matched for row in rows)
        told_counts = {row.name: row.miss.split()[2] for row in rows if row.miss and "of those" in row.miss}
        assert told_counts == {
            name: str(count) for name, count in counts.items() if winner is None or name != winner.name
        }
