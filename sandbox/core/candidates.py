"""Finding the rules that may match a request without trying each: by exact text, by prefix, or in one sweep.

Knows nothing of counts, states or chance, nor which rule wins. Two hundred rules cost little more than one
when they name different destinations.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Self

from sandbox.core.match import AllOf, AnyOf, Exact, Prefix, compiled, conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sandbox.core.match import Facts, Matcher, Test
    from sandbox.core.scenario import Rule


class Entry(NamedTuple):
    """A rule made ready to be tried."""

    position: int
    rule: Rule
    tests: tuple[Test, ...]
    is_counted: bool
    is_chancy: bool
    """Whether it hangs on more than the request and the count."""


class _Lookup(NamedTuple):
    """Finds the rules that ask for an exact text, or for a prefix of one length, by that text."""

    name: str
    """The parameter."""
    length: int | None
    """Of the prefix; None for exact texts."""
    entries: Mapping[str, Sequence[Entry]]


class _Scan(NamedTuple):
    """Finds the rules whose first condition on one parameter holds, asking each; the value is read once."""

    name: str
    entries: Sequence[tuple[Callable[[str | None], bool], Entry]]


class Phase(NamedTuple):
    """The rules tried at one point of a request's path."""

    entries: tuple[Entry, ...]
    lookups: tuple[_Lookup, ...]
    scans: tuple[_Scan, ...]
    others: tuple[Entry, ...]
    """Those without a condition on a parameter."""
    is_counted: bool
    """Whether any rule is."""

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Return the phase in which *rules* are tried, in that order."""
        entries = tuple(
            Entry(
                position,
                rule,
                conditions(rule.when),
                is_counted=rule.when.is_counted,
                is_chancy=rule.when.state is not None
                or rule.when.probability is not None
                or rule.times is not None,
            )
            for position, rule in enumerate(rules)
        )
        tables: dict[tuple[str, int | None], dict[str, list[Entry]]] = {}
        scans: dict[str, list[tuple[Callable[[str | None], bool], Entry]]] = {}
        others = []
        for entry in entries:
            texts = entry.rule.when.texts
            if key := _lookup_key(texts):
                table = tables.setdefault((key.name, key.length), {})
                for text in key.texts:
                    table.setdefault(text, []).append(entry)
            elif texts:
                name, matcher = texts[0]
                scans.setdefault(name, []).append((compiled(matcher), entry))
            else:
                others.append(entry)
        return cls(
            entries,
            tuple(_Lookup(name, length, table) for (name, length), table in tables.items()),
            tuple(_Scan(name, found) for name, found in scans.items()),
            tuple(others),
            any(entry.is_counted for entry in entries),
        )

    def candidates(self, facts: Facts) -> Iterable[Entry]:
        """Return the rules that may match, in order."""
        # Taken apart once: a named tuple's attribute costs more than a local name, and every request comes by here.
        _, lookups, scans, others, _ = self
        found: list[Entry] = []
        for name, length, table in lookups:
            value = facts.value(name)
            if value is not None and (those := table.get(value if length is None else value[:length])):
                found += those
        for name, asked in scans:
            value = facts.value(name)
            found += [entry for holds, entry in asked if holds(value)]
        if not found:
            return others
        found += others
        found.sort(key=_position)
        return found


_position = attrgetter("position")


class _LookupKey(NamedTuple):
    """How a rule is found by one of its conditions."""

    name: str
    """The parameter."""
    length: int | None
    """Of the prefix; None where the whole text is asked for."""
    texts: tuple[str, ...]


def _lookup_key(texts: Iterable[tuple[str, Matcher]]) -> _LookupKey | None:
    keys = [key for name, matcher in texts for key in _lookup_keys(name, matcher)]
    return min(keys, key=lambda key: key.length is not None, default=None)


def _lookup_keys(name: str, matcher: Matcher) -> Iterator[_LookupKey]:
    match matcher:
        case Exact(text):
            yield _LookupKey(name, None, (text,))
        case Prefix(text):
            yield _LookupKey(name, len(text), (text,))
        case AnyOf(matchers):
            texts = tuple({inner.text for inner in matchers if isinstance(inner, Exact)})
            if all(isinstance(inner, Exact) for inner in matchers):
                yield _LookupKey(name, None, texts)
        case AllOf(matchers):
            for inner in matchers:
                yield from _lookup_keys(name, inner)
        case _:
            pass
