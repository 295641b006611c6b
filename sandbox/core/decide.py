"""Which rule decides a request, and what a session remembers between requests.

Knows nothing of YAML, of the clock, or of what an answer looks like. Why a rule missed is told elsewhere.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sandbox.core.candidates import Phase
from sandbox.core.draw import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.core.candidates import Turns
    from sandbox.core.match import Facts
    from sandbox.core.scenario import Rule, Scenario

START: Final = "start"
"""The state that a scenario begins in."""

VALUES_COUNTED: Final = 100_000
"""How many values of parameters a session counts apart; past that the one not met for longest begins anew."""

_LONGEST_KEY = 64  # characters of a value kept to count it by; longer ones are kept as a digest


class Mark(NamedTuple):
    """What a session remembered when it tried the rules on a request: with that, enough to tell why."""

    state: str = START
    gone: frozenset[str] = frozenset()
    """The rules that had decided as many requests as they may."""
    counts: tuple[int, ...] = ()
    """How many requests that made, for each of the turns whose conditions held, and each of their rules apart."""
    apart: frozenset[str] = frozenset()
    """The rules that began anew: each counts by itself, no more with those of the same conditions."""


_FIRST = Mark()


@dataclass(slots=True)
class Progress:
    """What one session remembers between requests; only `decide` changes it."""

    standing: Mark = _FIRST
    """As the next request will find it."""
    mark: Mark = _FIRST
    """As the latest request found it. Most requests share one mark: keeping it costs a record nothing."""
    matched: dict[str, int] = field(default_factory=dict)
    """How many requests each rule decided, by name; rules that decided none are not in it."""
    counts: dict[str, int] = field(default_factory=dict)
    """By the key of each turns that count in all: how many requests met their conditions."""
    counts_per: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)
    """Likewise of those that count per parameter, for each value of it; the value not met for longest first."""

    @classmethod
    def fresh(cls) -> Self:
        """Return the progress of a session that has seen no request."""
        return cls()

    @property
    def state(self) -> str:
        """The state that the scenario is in."""
        return self.standing.state

    def copy(self) -> Progress:
        """Return a copy, for trying a request that must leave no trace."""
        return Progress(
            self.standing, self.mark, self.matched.copy(), self.counts.copy(), self.counts_per.copy()
        )

    def forget(self, name: str) -> None:
        """Let the rule *name*, or another of that name, begin anew."""
        self.matched.pop(name, None)
        own = _own_key(name)
        self.counts.pop(own, None)
        for key in [key for key in self.counts_per if key[0] == own]:
            del self.counts_per[key]
        standing = self.standing
        self.standing = standing._replace(gone=standing.gone - {name}, apart=standing.apart | {name})


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of a scenario, and those added to it, made ready to be tried. Never changes."""

    scenario: Scenario
    before: Phase
    after: Phase

    @classmethod
    def compile(cls, scenario: Scenario, extra: Sequence[Rule] = ()) -> Self:
        """Return the rulebook of *scenario*; *extra* rules come first, and replace those of their names."""
        names = {rule.name for rule in extra}
        rules = (*extra, *(rule for rule in scenario.rules if rule.name not in names))
        return cls(
            scenario,
            Phase.of(rule for rule in rules if rule.before_checks),
            Phase.of(rule for rule in rules if not rule.before_checks),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, those before the checks first, each group in the order in which it is tried."""
        return self.before.rules + self.after.rules


def decide(
    book: Rulebook, progress: Progress, facts: Facts, *, request_number: int, before_checks: bool
) -> Rule | None:
    """Return the rule that decides a request, None when none matches; *progress* moves on.

    Every counted rule counts the request when the rest of its ``when`` holds, whichever rule decides. All
    rules see the state that the request found.

    Args:
        book: the rules.
        progress: the session's; a copy of it where the request must leave no trace.
        facts: the request.
        request_number: counted in the session; draws hang on it.
        before_checks: whether the rules before the checks are tried, or those after them.
    """
    phase = book.before if before_checks else book.after
    standing = progress.mark = progress.standing
    state, gone, _, apart = standing
    entries = phase.candidates(facts, state)
    if not entries:
        return None
    drawn = None
    rules = phase.rules
    best = len(rules)
    counts: list[int] = []
    for entry in entries:
        first, tests, wanted_state, chance, plain, chancy, chances, turns = entry
        if first > best and not turns:
            if phase.counts:
                continue
            break
        if wanted_state is not None and wanted_state != state:
            continue
        for test in tests:
            if not test(facts):
                break
        else:
            if drawn is None and (chance is not None or chancy):
                drawn = line(book.scenario.seed, request_number)
            if chance is not None and drawn is not None and not chance.is_met(drawn):
                continue
            if plain:
                best = _first(plain, best, rules, gone)
            if drawn is not None and chancy and (met := chances.met(drawn)):
                best = _first((chancy[index] for index in met), best, rules, gone)
            for each in turns:
                if positions := _count(progress, each, facts, counts):
                    best = _first(positions, best, rules, gone)
    if counts:
        progress.mark = Mark(state, gone, tuple(counts), apart)
    if best == len(rules):
        return None
    _take(progress, rules[best])
    return rules[best]


def _first(positions: Iterable[int], best: int, rules: Sequence[Rule], gone: frozenset[str]) -> int:
    """Return the first of *positions*, which ascend, whose rule is not gone; *best* where that comes before."""
    for position in positions:
        if position >= best:
            break
        if not gone or rules[position].name not in gone:
            return position
    return best


def _count(progress: Progress, turns: Turns, facts: Facts, counts: list[int]) -> Sequence[int]:
    """Count a request that meets the conditions of *turns*; return the positions of those it is for.

    How many that makes goes to *counts*: of all, then of each that is apart.
    """
    key, per, _, _, by_count, cycles = turns
    value = None if per is None else facts.value(per)
    count = _counted(progress, key, value)
    counts.append(count)
    positions = turns.falling_on(count) if cycles else by_count.get(count, ())
    apart = progress.standing.apart
    if not apart or apart.isdisjoint(turns.names):
        return positions
    falling = set(positions)
    for position, name, falls_on in turns.rules:
        if name in apart:
            own = _counted(progress, _own_key(name), value)
            counts.append(own)
            falling.discard(position)
            if falls_on(own):
                falling.add(position)
    return sorted(falling)


def _own_key(name: str) -> str:
    """Return what a rule is counted by that is apart; it is no key of turns, as these begin with ``When``."""
    return f"rule {name}"


def _counted(progress: Progress, key: str, value: str | None) -> int:
    """Count a request by *key*, apart from those with another value; return how many that makes."""
    if value is None:
        count = progress.counts[key] = progress.counts.get(key, 0) + 1
        return count
    if len(value) > _LONGEST_KEY:
        value = blake2b(value.encode("utf-8", "surrogatepass")).hexdigest()
    values = progress.counts_per
    count = values.pop((key, value), 0) + 1
    values[key, value] = count  # last in its order
    if len(values) > VALUES_COUNTED:
        values.popitem(last=False)
    return count


def _take(progress: Progress, rule: Rule) -> None:
    decided = progress.matched[rule.name] = progress.matched.get(rule.name, 0) + 1
    if rule.set_state is not None and rule.set_state != progress.standing.state:
        progress.standing = progress.standing._replace(state=rule.set_state)
    if rule.times is not None and decided >= rule.times:
        progress.standing = progress.standing._replace(gone=progress.standing.gone | {rule.name})
