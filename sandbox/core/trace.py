"""Why each rule did or did not match a request, worked out again from what the request's record keeps.

Changes nothing and draws nothing new: a draw is a function of the seed and the request's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.core.candidates import purpose_of
from sandbox.core.draw import draw_delay, draw_timeline, fraction
from sandbox.core.match import miss, turn
from sandbox.core.scenario import Fixed
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
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
        missed = miss(rule.when, facts) or _off(rule, mark, seed=seed, request_number=request_number)
        if missed is None and position in counts:
            missed = _uncounted(rule, counts[position])
        if missed is None:
            winner = rule.name
            drawn = _drawn(rule, book.scenario, request_number)
            rows.append(RuleTrace(rule.name, matched=True, drawn=drawn))
        else:
            rows.append(RuleTrace(rule.name, matched=False, miss=missed))
    return tuple(rows)


def _counts(phase: Phase, mark: Mark, facts: Facts, *, seed: int, request_number: int) -> dict[int, int]:
    """Return what *mark* says was counted, by the positions of the rules that counted the request."""
    counts: dict[int, int] = {}
    left = iter(mark.counts)
    for entry in phase.entries:
        if not entry.turns or entry.state not in {None, mark.state}:
            continue
        if miss(phase.rules[entry.first].when, facts) is not None:
            continue
        if entry.chance is not None and not entry.chance.is_met(seed=seed, request_number=request_number):
            continue
        for turns in entry.turns:
            count = next(left)
            for position, name, _ in turns.rules:
                counts[position] = next(left) if name in mark.apart else count
    return counts


def _off(rule: Rule, mark: Mark, *, seed: int, request_number: int) -> str | None:
    """Return why the state, what is left of the rule's ``times``, or chance keep it from matching; None if they do not."""
    when = rule.when
    if when.state not in {None, mark.state}:
        return f"state is {excerpt(mark.state)}, wanted: {excerpt(when.state or '')}"
    if rule.name in mark.gone:
        return f"times is {rule.times}: it has decided as many"
    if when.probability is None:
        return None
    drew = _drew(rule, seed=seed, request_number=request_number)
    if drew < when.probability:
        return None
    return f"drew {drew:.4f}, wanted: below the probability {when.probability:g}"


def _drew(rule: Rule, *, seed: int, request_number: int) -> float:
    """Return what was drawn for a rule's probability, from 0 up to but not including 1."""
    return fraction(seed=seed, request_number=request_number, purpose=purpose_of(rule))


def _uncounted(rule: Rule, count: int) -> str | None:
    """Return how a rule missed that is not for the request with this count; None where it is."""
    falls_on = turn(rule.when)
    if falls_on is None or falls_on(count):
        return None
    wanted = [f"nth {', '.join(map(str, sorted(rule.when.nth)))}"] if rule.when.nth else []
    wanted += [f"every {rule.when.every}"] if rule.when.every else []
    per = f" for this {rule.when.per}" if rule.when.per else ""
    return f"is request {count} of those that meet the rest{per}, wanted: {' and '.join(wanted)}"


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
