"""Finding the rules that may match a request without trying each: by text, by prefix, or in one sweep.

Rules with the same conditions are one entry, met or missed together. Knows nothing of what was counted, nor which rule
wins. Two hundred rules cost little more than one when they name different destinations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sandbox.core.draw import Chance, Chances
from sandbox.core.match import (
    AllOf,
    AnyOf,
    Contains,
    Exact,
    Not,
    Prefix,
    Regex,
    Suffix,
    When,
    compiled,
    conditions,
    turn,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.core.match import Facts, Matcher, SearchAll, Test
    from sandbox.core.scenario import Rule


def purpose_of(rule: Rule) -> str:
    """Return what is drawn for, where *rule* has a probability."""
    return f"rule {rule.name}"


class Turns(NamedTuple):
    """Rules with the same conditions of which each is for some of the requests that meet these, by their count."""

    key: str
    """What is counted by; the same conditions have the same in all rulebooks of a scenario."""
    per: str | None
    rules: tuple[tuple[int, str, Callable[[int], bool]], ...]
    """Each with its position, its name, and whether it is for the request with a count."""
    names: frozenset[str]
    by_count: Mapping[int, Sequence[int]]
    """The positions of those with ``nth``, by each count that they are for."""
    cycles: tuple[tuple[int, int], ...]
    """The ``every`` of the others, each with the rule's position."""

    @classmethod
    def of(cls, key: str, per: str | None, rules: Sequence[tuple[int, Rule]]) -> Self:
        """Return the turns of *rules*, all of which count, each with its position."""
        members = [
            (position, rule.name, falls_on)
            for position, rule in rules
            if (falls_on := turn(rule.when)) is not None
        ]
        by_count: defaultdict[int, list[int]] = defaultdict(list)
        cycles: list[tuple[int, int]] = []
        for (position, rule), (_, _, falls_on) in zip(rules, members, strict=True):
            nth, every = rule.when.nth, rule.when.every
            for count in filter(falls_on, nth):
                by_count[count].append(position)
            if every is not None and not nth:
                cycles.append((every, position))
        names = frozenset(name for _, name, _ in members)
        return cls(key, per, tuple(members), names, dict(by_count), tuple(cycles))

    def falling_on(self, count: int) -> Sequence[int]:
        """Return the positions of the rules that are for the request with this count, in order."""
        positions = self.by_count.get(count, ())
        cycling = [position for every, position in self.cycles if not count % every] if self.cycles else ()
        return sorted((*positions, *cycling)) if cycling else positions


class Entry(NamedTuple):
    """The rules that have the same conditions on the request and the state."""

    first: int
    """The position of the first of them."""
    tests: tuple[Test, ...]
    """What a request must still meet when the entry is found."""
    state: str | None
    chance: Chance | None
    """That of a rule which has a probability and counts: it is alone in its entry, and counts what is drawn for it."""
    plain: tuple[int, ...]
    """The positions of the rules that ask for nothing else."""
    chancy: tuple[int, ...]
    """The positions of those with a probability."""
    chances: Chances
    """Theirs."""
    turns: tuple[Turns, ...]
    """Those that count."""

    @classmethod
    def of(cls, key: str, rules: Sequence[tuple[int, Rule]], tests: tuple[Test, ...]) -> Self:
        """Return the entry of *rules*, each with its position, which have all that *key* says in common."""
        counting = [(position, rule) for position, rule in rules if turn(rule.when) is not None]
        chancy = [
            (position, Chance.of(purpose_of(rule), rule.when.probability))
            for position, rule in rules
            if rule.when.probability is not None
        ]
        asking = {position for position, _ in (*counting, *chancy)}
        # Of several none both counts and has a probability: such a rule has nothing in common with another.
        chance = chancy.pop()[1] if chancy and counting and len(rules) == 1 else None
        return cls(
            rules[0][0],
            tests,
            rules[0][1].when.state,
            chance,
            tuple(position for position, _ in rules if position not in asking),
            tuple(position for position, _ in chancy),
            Chances.of([each for _, each in chancy]),
            tuple(
                Turns.of(f"{key} per {per}", per, [each for each in counting if each[1].when.per == per])
                for per in dict.fromkeys(rule.when.per for _, rule in counting)
            ),
        )


Finder = Callable[[str | None], Collection[int]]
"""Gives where the entries are that a parameter's value may meet."""


class Phase(NamedTuple):
    """The rules tried at one point of a request's path."""

    rules: tuple[Rule, ...]
    entries: tuple[Entry, ...]
    """In the order of their first rules."""
    finders: tuple[tuple[str, tuple[Finder, ...]], ...]
    """What finds entries by a parameter's value, each parameter by its name."""
    others: Mapping[str | None, tuple[int, ...]]
    """By the state, where the entries are without a condition on a parameter; by None for a state that none asks for."""
    counts: bool
    """Whether any rule counts, so that a request goes past the rule that decides it."""

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Return the phase in which *rules* are tried, in that order."""
        rules = tuple(rules)
        alike: defaultdict[str, list[tuple[int, Rule]]] = defaultdict(list)
        for position, rule in enumerate(rules):
            alike[_in_common(rule)].append((position, rule))
        whens = [members[0][1].when for members in alike.values()]
        pairs: defaultdict[str, list[tuple[Matcher, int]]] = defaultdict(list)
        others: list[tuple[int, str | None]] = []
        entries: list[Entry] = []
        for at, (key, when, way) in enumerate(zip(alike, whens, _ways(whens), strict=True)):
            if way is None:
                others.append((at, when.state))
            else:
                pairs[way.name] += [(matcher, at) for matcher in way.matchers]
            left = when if way is None else when._replace(texts=way.left)
            entries.append(Entry.of(key, alike[key], conditions(left)))
        return cls(
            rules,
            tuple(entries),
            tuple((name, tuple(_finders(some))) for name, some in pairs.items()),
            {
                state: tuple(at for at, wanted in others if wanted in {None, state})
                for state in (None, *(wanted for _, wanted in others))
            },
            any(entry.turns for entry in entries),
        )

    def candidates(self, facts: Facts, state: str) -> Sequence[Entry]:
        """Return the entries that a request may meet, in order."""
        # Taken apart once: a named tuple's attribute costs more than a local name, and every request comes by here.
        _, entries, finders, others, _ = self
        found: list[int] = []
        for name, finds in finders:
            value = facts.value(name)
            for find in finds:
                found += find(value)
        found += others[state] if state in others else others[None]
        if not found:
            return ()
        if len(found) > 1:
            found = sorted(set(found))
        return [entries[at] for at in found]


def _in_common(rule: Rule) -> str:
    """Return what rules have in common that are one entry."""
    # As it is spelled: two matchers of different kinds are equal where their texts are.
    when = rule.when
    if when.probability is not None and turn(when) is not None:
        return f"{when!r} {rule.name}"
    return repr(when._replace(nth=frozenset(), every=None, per=None, probability=None))


# -- how an entry is found -------------------------------------------------------------------------

_QUICKEST_FIRST: Final = (Exact, Prefix, Suffix, Contains, Regex)


class _Way(NamedTuple):
    """How an entry is found: by the value of a parameter that meets one of some matchers."""

    name: str
    matchers: tuple[Matcher, ...]
    left: tuple[tuple[str, Matcher], ...]
    """The conditions on parameters that a request which it is found for may still miss."""


def _ways(whens: Sequence[When]) -> Iterator[_Way | None]:
    """Yield the best way to find what has each of *whens*; None where it asks nothing of a parameter.

    Best is what few others are found by as well, as they would all be tried; then what is quick.
    """
    possible = [_possible_ways(when) for when in whens]
    shared = Counter(each for ways in possible for way in ways for each in _spelled(way))

    def badness(way: _Way) -> tuple[bool, int, int]:
        slowness = max(map(_slowness, way.matchers))
        return slowness == len(_QUICKEST_FIRST), max(shared[each] for each in _spelled(way)), slowness

    for ways in possible:
        yield min(ways, key=badness, default=None)


def _possible_ways(when: When) -> list[_Way]:
    return [
        _Way(
            name,
            matchers,
            when.texts if isinstance(matcher, AllOf) else when.texts[:at] + when.texts[at + 1 :],
        )
        for at, (name, matcher) in enumerate(when.texts)
        for matchers in _alternatives(matcher)
    ]


def _alternatives(matcher: Matcher) -> list[tuple[Matcher, ...]]:
    """Return sets of matchers, of each of which a value that meets *matcher* meets one."""
    match matcher:
        case AllOf(matchers):
            return [found for inner in matchers for found in _alternatives(inner)]
        case AnyOf(matchers) if all(isinstance(inner, _QUICKEST_FIRST) for inner in matchers):
            return [matchers]
        case _:
            return [(matcher,)]


def _slowness(matcher: Matcher) -> int:
    kind = type(matcher)
    return _QUICKEST_FIRST.index(kind) if kind in _QUICKEST_FIRST else len(_QUICKEST_FIRST)


def _spelled(way: _Way) -> list[tuple[str, str]]:
    return [(way.name, repr(matcher)) for matcher in way.matchers]


def _finders(pairs: Iterable[tuple[Matcher, int]]) -> Iterator[Finder]:
    """Yield what finds entries by one parameter, each with a matcher: one finder for all that are found alike."""
    tables: defaultdict[tuple[int | None, int | None], defaultdict[str, list[int]]]
    tables = defaultdict(lambda: defaultdict(list))
    parts: list[tuple[str, int]] = []
    patterns: defaultdict[SearchAll, list[tuple[str, int]]] = defaultdict(list)
    shunned: list[tuple[Matcher, int]] = []
    asked: list[tuple[Matcher, int]] = []
    for matcher, at in pairs:
        match matcher:
            case Exact(text):
                tables[None, None][text].append(at)
            case Prefix(text):
                tables[None, len(text)][text].append(at)
            case Suffix(text) if text:
                tables[-len(text), None][text].append(at)
            case Contains(text):
                parts.append((text, at))
            case Regex(pattern, _, search_all) if search_all is not None:
                patterns[search_all].append((pattern, at))
            case Not(AnyOf(matchers)) if all(isinstance(each, _QUICKEST_FIRST) for each in matchers):
                shunned += [(each, at) for each in matchers]
            case Not(inner) if isinstance(inner, _QUICKEST_FIRST):
                shunned.append((inner, at))
            case _:
                asked.append((matcher, at))
    for (start, stop), table in tables.items():
        yield _by_text(slice(start, stop), table)
    if parts:
        yield _by_part(parts)
    for search_all, some in patterns.items():
        yield _by_pattern(search_all, some)
    if shunned:
        yield _by_not(frozenset(at for _, at in shunned), tuple(_finders(shunned)))
    if asked:
        yield _by_asking(asked)


def _by_text(cut: slice, table: Mapping[str, Sequence[int]]) -> Finder:
    found: dict[str | None, Sequence[int]] = dict(table.items())
    if cut == slice(None, None):
        return lambda value: found.get(value, ())  # absence is not in it
    return lambda value: () if value is None else found.get(value[cut], ())


def _by_part(pairs: Sequence[tuple[str, int]]) -> Finder:
    return lambda value: () if value is None else [at for text, at in pairs if text in value]


def _by_pattern(search_all: SearchAll, pairs: Sequence[tuple[str, int]]) -> Finder:
    search = search_all([pattern for pattern, _ in pairs])
    return lambda value: () if value is None else [pairs[position][1] for position in search(value)]


def _by_not(entries: frozenset[int], finders: Sequence[Finder]) -> Finder:
    def find(value: str | None) -> Collection[int]:
        found = [at for find in finders for at in find(value)]
        return entries.difference(found) if found else entries

    return find


def _by_asking(pairs: Sequence[tuple[Matcher, int]]) -> Finder:
    asked = [(compiled(matcher), at) for matcher, at in pairs]
    return lambda value: [at for holds, at in asked if holds(value)]
