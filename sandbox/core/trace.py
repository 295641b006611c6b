"""Why each rule did or did not match a request, worked out again from what the request's record keeps.

Changes nothing and draws nothing new: a draw is a function of the seed and the request's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.candidates import purpose_of
from sandbox.core.draw import draw_delay, draw_timeline, fraction, line
from sandbox.core.match import Compared, compare, miss, turn
from sandbox.core.scenario import Fixed
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.core.candidates import Phase
    from sandbox.core.decide import Mark, Rulebook
    from sandbox.core.match import Facts
    from sandbox.core.scenario import Rule, Scenario, Step


class RuleTrace(NamedTuple):
    """What became of one rule on one request."""

    name: str
    matched: bool
    miss: str | None = None
    """The first condition that missed, with the value it met; None when the rule matched."""
    drawn: tuple[str, ...] = ()
    """What chance decided where the rule matched: ``probability 0.25: drew 0.1034``."""
    conditions: tuple[Compared, ...] = ()
    """Each condition beside the request, in the order in which they are judged; none where the rule was not tried."""


NEAR: Final = 0.5
"""A rule that is as near as this is worth showing beside a request that it missed."""


def nearness(conditions: Sequence[Compared]) -> float:
    """Return how near a request came to a rule, from 0 to 1: the mean over what missed and what few requests meet."""
    judged = [each.likeness for each in conditions if each.likeness or each.holds is False]
    return sum(judged) / len(judged) if judged else 0.0


def closest(traces: Iterable[RuleTrace]) -> RuleTrace | None:
    """Return the rule that came nearest to a request that none decided; None where none came near, or one decided."""
    best, nearest = None, 0.0
    for each in traces:
        if each.matched:
            return None
        near = nearness(each.conditions)
        if near >= NEAR and near > nearest:
            best, nearest = each, near
    return best


def trace(
    book: Rulebook, mark: Mark, facts: Facts, *, request_number: int, before_checks: bool
) -> tuple[RuleTrace, ...]:
    """Return what became of each rule on a request that `decide` was asked about before.

    Args:
        book: the rulebook of then.
        mark: `Progress.mark` right after that `decide`.
        facts: as they were then.
        request_number: likewise.
        before_checks: likewise.
    """
    seed = book.scenario.seed
    phase = book.before if before_checks else book.after
    counts = _counts(phase, mark, facts, seed=seed, request_number=request_number)
    rows: list[RuleTrace] = []
    winner: str | None = None
    for position, rule in enumerate(phase.rules):
        if winner is not None:
            rows.append(RuleTrace(rule.name, matched=False, miss=f"not tried: {winner} decided"))
            continue
        conditions = _compare(
            rule, mark, facts, counts.get(position), seed=seed, request_number=request_number
        )
        missed = next((each.miss for each in conditions if each.holds is False), None)
        if missed is None:
            winner = rule.name
            drawn = _drawn(rule, book.scenario, request_number)
            rows.append(RuleTrace(rule.name, matched=True, drawn=drawn, conditions=conditions))
        else:
            rows.append(RuleTrace(rule.name, matched=False, miss=missed, conditions=conditions))
    return tuple(rows)


def compare_rule(
    book: Rulebook, name: str, mark: Mark, facts: Facts, *, request_number: int, is_counted: bool = True
) -> tuple[Compared, ...]:
    """Return each condition of one rule beside a request, whichever rule decided it.

    Args:
        book: the rulebook of then.
        name: of the rule, which is in it.
        mark: of the phase that the rule is in, as for `trace`.
        facts: as the rule saw them.
        request_number: likewise.
        is_counted: whether ``nth`` and ``every`` are looked at, which takes a look at all rules that count.
    """
    phase = book.before if any(rule.name == name for rule in book.before.rules) else book.after
    position, rule = next((at, rule) for at, rule in enumerate(phase.rules) if rule.name == name)
    seed = book.scenario.seed
    counts: dict[int, int] = {}
    if is_counted and turn(rule.when) is not None:
        counts = _counts(phase, mark, facts, seed=seed, request_number=request_number)
    return _compare(rule, mark, facts, counts.get(position), seed=seed, request_number=request_number)


def _compare(
    rule: Rule, mark: Mark, facts: Facts, count: int | None, *, seed: int, request_number: int
) -> tuple[Compared, ...]:
    """Return each condition of a rule beside a request; *count* is None where the request was not counted."""
    when = rule.when
    found = list(compare(when, facts))
    if when.state is not None:
        wanted = excerpt(when.state)
        met = f"state is {excerpt(mark.state)}"
        found.append(Compared(f"state is {wanted}", met, when.state == mark.state, wanted))
    if rule.times is not None:
        is_gone = rule.name in mark.gone
        met = f"times is {rule.times}: it has decided {'as many' if is_gone else 'fewer'}"
        found.append(Compared(f"times is {rule.times}", met, not is_gone))
    if when.probability is not None:
        drew = _drew(rule, seed=seed, request_number=request_number)
        wanted = f"below the probability {when.probability:g}"
        found.append(Compared(f"draws {wanted}", f"drew {drew:.4f}", drew < when.probability, wanted))
    if (falls_on := turn(when)) is not None:
        wanted = _turns(rule)
        per = f" for this {when.per}" if when.per else ""
        if count is None:
            found.append(
                Compared(f"is {wanted}{per}", "is not counted, as it did not meet the rest", None, wanted)
            )
        else:
            met = f"is request {count} of those that meet the rest{per}"
            found.append(Compared(f"is {wanted}{per}", met, falls_on(count), wanted))
    return tuple(found)


def _turns(rule: Rule) -> str:
    """Return which of the requests that meet the rest a rule is for: ``nth 1, 2 and every 3``."""
    wanted = [f"nth {', '.join(map(str, sorted(rule.when.nth)))}"] if rule.when.nth else []
    wanted += [f"every {rule.when.every}"] if rule.when.every else []
    return " and ".join(wanted)


def _counts(phase: Phase, mark: Mark, facts: Facts, *, seed: int, request_number: int) -> dict[int, int]:
    """Return what *mark* says was counted, by the positions of the rules that counted the request."""
    counts: dict[int, int] = {}
    left = iter(mark.counts)
    for entry in phase.entries:
        if not entry.turns or entry.state not in {None, mark.state}:
            continue
        if miss(phase.rules[entry.first].when, facts) is not None:
            continue
        if entry.chance is not None and not entry.chance.is_met(line(seed, request_number)):
            continue
        for turns in entry.turns:
            count = next(left)
            for position, name, _ in turns.rules:
                counts[position] = next(left) if name in mark.apart else count
    return counts


def _drew(rule: Rule, *, seed: int, request_number: int) -> float:
    """Return what was drawn for a rule's probability, from 0 up to but not including 1."""
    return fraction(seed=seed, request_number=request_number, purpose=purpose_of(rule))


def _drawn(rule: Rule, scenario: Scenario, request_number: int) -> tuple[str, ...]:
    """Return all that chance decided for a request that *rule* decided."""
    seed = scenario.seed
    drawn = []
    if rule.when.probability is not None:
        drew = _drew(rule, seed=seed, request_number=request_number)
        drawn.append(f"probability {rule.when.probability:g}: drew {drew:.4f}")
    delay = None if rule.respond is None else rule.respond.delay
    if delay is not None and not isinstance(delay, Fixed):
        drawn.append(f"delay: {draw_delay(delay, seed=seed, request_number=request_number):.3f} s")
    if rule.submit:
        steps = scenario.timeline if rule.timeline is None else rule.timeline
        drawn += drawn_steps(steps, seed=seed, request_number=request_number)
    return tuple(drawn)


def drawn_steps(steps: tuple[Step, ...], *, seed: int, request_number: int) -> tuple[str, ...]:
    """Return the steps that chance chose or moved, ``delivered after 6.213 s``; none where it had no part."""
    settled = draw_timeline(steps, seed=seed, request_number=request_number)
    if settled == steps:
        return ()
    return tuple(f"{excerpt(step.status)} after {step.after.total_seconds():g} s" for step in settled)
