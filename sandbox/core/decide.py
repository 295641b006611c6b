"""Which rule decides a request, and what a session remembers between requests.

Knows nothing of YAML, of the clock, or of what an answer looks like. Why a rule missed is told elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sandbox.core.candidates import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """How many requests that made, for each counted rule whose other conditions held: those first that count all."""


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
    counts: Counter[str] = field(default_factory=Counter)
    """For each rule that counts in all: how many requests met its other conditions."""
    counts_per: dict[tuple[str, str], int] = field(default_factory=dict)
    """Likewise for each rule that counts per parameter, and each value of it."""

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
            self.standing, self.mark, dict(self.matched), self.counts.copy(), dict(self.counts_per)
        )

    def forget(self, name: str) -> None:
        """Drop what is remembered of the rule *name*, so that another may have the name."""
        self.matched.pop(name, None)
        self.counts.pop(name, None)
        self.counts_per = {key: count for key, count in self.counts_per.items() if key[0] != name}
        self.standing = self.standing._replace(gone=self.standing.gone - {name})


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
        return tuple(entry.rule for entry in (*self.before.entries, *self.after.entries))


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
    mark = progress.standing
    if not phase.entries:
        progress.mark = mark
        return None
    state, gone, _ = mark
    winner: Rule | None = None
    seed = book.scenario.seed
    counts = _count_all(progress, phase.counting)
    candidates = phase.candidates(facts, counts, seed=seed, request_number=request_number)
    for _, rule, tests, wanted_state, chance, falls_on, per in candidates:
        if wanted_state is not None and wanted_state != state:
            continue
        if winner is not None and falls_on is None:
            continue
        for test in tests:
            if not test(facts):
                break
        else:
            if gone and rule.name in gone:
                continue
            if chance is not None and not chance.is_met(seed=seed, request_number=request_number):
                continue
            if falls_on is not None:
                count = _count(progress, rule.name, None if per is None else facts.value(per))
                counts.append(count)
                if winner is not None or not falls_on(count):
                    continue
            winner = rule
            if not phase.must_go_on:
                break
    progress.mark = Mark(state, gone, tuple(counts)) if counts else mark
    if winner is not None:
        _take(progress, winner)
    return winner


def _count_all(progress: Progress, names: Sequence[str]) -> list[int]:
    """Count a request for each of the rules *names*; return how many that makes for each."""
    if not names:
        return []
    progress.counts.update(names)
    return [*map(progress.counts.__getitem__, names)]


def _count(progress: Progress, name: str, value: str | None) -> int:
    """Count a request for the rule *name*, apart from those with another value; return how many that makes."""
    if value is None:
        count = progress.counts[name] = progress.counts.get(name, 0) + 1
        return count
    if len(value) > _LONGEST_KEY:
        value = blake2b(value.encode("utf-8", "surrogatepass")).hexdigest()
    values, key = progress.counts_per, (name, value)
    count = values.pop(key, 0) + 1
    values[key] = count  # last in the order of the dictionary: the first is the one not met for longest
    if len(values) > VALUES_COUNTED:
        del values[next(iter(values))]
    return count


def _take(progress: Progress, rule: Rule) -> None:
    decided = progress.matched[rule.name] = progress.matched.get(rule.name, 0) + 1
    if rule.set_state is not None and rule.set_state != progress.standing.state:
        progress.standing = progress.standing._replace(state=rule.set_state)
    if rule.times is not None and decided >= rule.times:
        progress.standing = progress.standing._replace(gone=progress.standing.gone | {rule.name})
