"""Finding the rules that may match a request without trying each: by text, by prefix, or in one sweep.

Knows nothing of counts, states or chance, nor which rule wins. Two hundred rules cost little more than one
when they name different destinations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sandbox.core.draw import Chances
from sandbox.core.match import AllOf, AnyOf, Contains, Exact, Prefix, Regex, When, compiled, conditions, turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.core.match import Facts, Matcher, SearchAll, Test
    from sandbox.core.scenario import Rule


class Entry(NamedTuple):
    """A rule made ready to be tried."""

    position: int
    rule: Rule
    tests: tuple[Test, ...]
    state: str | None
    probability: float | None
    falls_on: Callable[[int], bool] | None
    """Whether it is for the request with this count; None where it does not count."""
    per: str | None

    @classmethod
    def of(cls, position: int, rule: Rule) -> Self:
        """Return *rule*, which stands at *position* among those that are tried with it, made ready."""
        when = rule.when
        return cls(position, rule, conditions(when), when.state, when.probability, turn(when), when.per)


def purpose_of(rule: Rule) -> str:
    """Return what is drawn for, where *rule* has a probability."""
    return f"rule {rule.name}"


Finder = Callable[[str | None], Sequence[Entry]]
"""Gives the rules that a parameter's value may meet."""


class Phase(NamedTuple):
    """The rules tried at one point of a request's path."""

    entries: tuple[Entry, ...]
    finders: tuple[tuple[str, Finder], ...]
    """Each with the name of its parameter."""
    chancy: tuple[Entry, ...]
    """The rules with a probability and no condition on a parameter: all are drawn for on every request."""
    chances: Chances
    """Theirs."""
    turns: tuple[tuple[Callable[[int], bool], Entry], ...]
    """The rules that count every request, each with whether it is for the one with a count; they count no more."""
    counting: tuple[str, ...]
    """Their names."""
    others: tuple[Entry, ...]
    """All other rules without a condition on a parameter."""
    must_go_on: bool
    """Whether any other rule counts, so that a request goes past the rule that decides it."""
    may_repeat: bool
    """Whether a rule may be found twice."""

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Return the phase in which *rules* are tried, in that order."""
        entries = tuple(Entry.of(position, rule) for position, rule in enumerate(rules))
        found: list[tuple[Entry, str, tuple[Matcher, ...]]] = []
        chancy: list[tuple[Entry, float]] = []
        turns: list[tuple[Callable[[int], bool], Entry]] = []
        others: list[Entry] = []
        for entry in entries:
            when = entry.rule.when
            if when.texts:
                found.append((entry, *_way(when)))
            elif entry.probability is not None:
                chancy.append((entry, entry.probability))
            elif entry.falls_on is not None and when == When(nth=when.nth, every=when.every):
                turns.append((entry.falls_on, entry._replace(falls_on=None)))
            else:
                others.append(entry)
        return cls(
            entries,
            tuple(_finders(found)),
            tuple(entry for entry, _ in chancy),
            Chances.of([(purpose_of(entry.rule), probability) for entry, probability in chancy]),
            tuple(turns),
            tuple(entry.rule.name for _, entry in turns),
            tuple(others),
            sum(entry.falls_on is not None for entry in entries) > len(turns),
            any(len(way) > 1 for _, _, way in found),
        )

    def candidates(
        self, facts: Facts, counts: Sequence[int], *, seed: int, request_number: int
    ) -> Iterable[Entry]:
        """Return the rules that may match, in order; *counts* are those of the rules that count every request."""
        # Taken apart once: a named tuple's attribute costs more than a local name, and every request comes by here.
        _, finders, chancy, chances, turns, _, others, _, may_repeat = self
        found: list[Entry] = []
        for name, find in finders:
            found += find(facts.value(name))
        if chancy:
            found += compress(chancy, chances.met(seed=seed, request_number=request_number))
        if turns:
            found += [
                entry for (falls_on, entry), count in zip(turns, counts, strict=True) if falls_on(count)
            ]
        if not found:
            return others
        found += others
        found.sort(key=_position)
        return {entry.position: entry for entry in found}.values() if may_repeat else found


_position = attrgetter("position")


# -- how a rule is found ---------------------------------------------------------------------------

_QUICKEST_FIRST: Final = (Exact, Prefix, Contains, Regex)


def _way(when: When) -> tuple[str, tuple[Matcher, ...]]:
    """Return the parameter by which a rule is found the quickest, and what its value must meet one of."""
    ways = [(name, way) for name, matcher in when.texts for way in _ways(matcher)]
    return min(ways, key=lambda way: max(map(_slowness, way[1])))


def _ways(matcher: Matcher) -> list[tuple[Matcher, ...]]:
    """Return sets of matchers, of each of which a value that meets *matcher* meets one."""
    match matcher:
        case AllOf(matchers):
            return [way for inner in matchers for way in _ways(inner)]
        case AnyOf(matchers) if all(isinstance(inner, _QUICKEST_FIRST) for inner in matchers):
            return [tuple(dict.fromkeys(matchers))]
        case _:
            return [(matcher,)]


def _slowness(matcher: Matcher) -> int:
    kind = type(matcher)
    return _QUICKEST_FIRST.index(kind) if kind in _QUICKEST_FIRST else len(_QUICKEST_FIRST)


def _finders(found: Iterable[tuple[Entry, str, Sequence[Matcher]]]) -> Iterator[tuple[str, Finder]]:
    """Yield what finds the rules: one for all that are found alike by one parameter."""
    texts: defaultdict[str, dict[str, list[Entry]]] = defaultdict(dict)
    prefixes: defaultdict[tuple[str, int], dict[str, list[Entry]]] = defaultdict(dict)
    parts: defaultdict[str, list[tuple[str, Entry]]] = defaultdict(list)
    patterns: defaultdict[tuple[str, SearchAll], list[tuple[str, Entry]]] = defaultdict(list)
    asked: defaultdict[str, list[tuple[Matcher, Entry]]] = defaultdict(list)
    for entry, name, way in found:
        for matcher in way:
            match matcher:
                case Exact(text):
                    texts[name].setdefault(text, []).append(entry)
                case Prefix(text):
                    prefixes[name, len(text)].setdefault(text, []).append(entry)
                case Contains(text):
                    parts[name].append((text, entry))
                case Regex(pattern, _, search_all) if search_all is not None:
                    patterns[name, search_all].append((pattern, entry))
                case _:
                    asked[name].append((matcher, entry))
    for name, table in texts.items():
        yield name, _by_text(table)
    for (name, length), table in prefixes.items():
        yield name, _by_prefix(length, table)
    for name, pairs in parts.items():
        yield name, _by_part(pairs)
    for (name, search_all), pairs in patterns.items():
        yield name, _by_pattern(search_all, pairs)
    for name, rules in asked.items():
        yield name, _by_asking(rules)


def _by_text(table: Mapping[str, Sequence[Entry]]) -> Finder:
    return lambda value: () if value is None else table.get(value, ())


def _by_prefix(length: int, table: Mapping[str, Sequence[Entry]]) -> Finder:
    return lambda value: () if value is None else table.get(value[:length], ())


def _by_part(pairs: Sequence[tuple[str, Entry]]) -> Finder:
    return lambda value: () if value is None else [entry for text, entry in pairs if text in value]


def _by_pattern(search_all: SearchAll, pairs: Sequence[tuple[str, Entry]]) -> Finder:
    search = search_all([pattern for pattern, _ in pairs])
    return lambda value: () if value is None else [pairs[position][1] for position in search(value)]


def _by_asking(pairs: Sequence[tuple[Matcher, Entry]]) -> Finder:
    asked = [(compiled(matcher), entry) for matcher, entry in pairs]
    return lambda value: [entry for holds, entry in asked if holds(value)]
