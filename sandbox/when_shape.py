"""How a rule's ``when`` is written: read into the core's matchers.

Knows the spelling of the scenario files, nothing of what is done with a request that matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.core.match import (
    PARAMETERS,
    Absent,
    AllOf,
    AnyOf,
    Contains,
    Exact,
    Not,
    Prefix,
    Regex,
    Suffix,
    When,
)
from sandbox.core.spelling import excerpt
from sandbox.yaml_scalars import Boolean, Integer, Number, Text, Word
from sandbox.yaml_shapes import BAD, Bad, ByKind, Keys, Later, Listed, Made, Notes, Shape, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.core.match import Matcher
    from sandbox.yaml_nodes import Node

MOST_TEXTS: Final = 1000
"""Alternatives of one ``any_of``, or numbers of one ``nth``, at most."""


def _matcher_shape(
    name: str, exact: Callable[[str], Matcher] = Exact, *, with_variables: bool = False
) -> ByKind:
    text = Text(may_be_empty=True, with_variables=with_variables)
    part = Text(with_variables=with_variables)
    matcher: Later[Matcher] = Later()
    keys: dict[str, Shape[object]] = {
        "prefix": Made(part, lambda text, _, __: Prefix(text)),
        "suffix": Made(part, lambda text, _, __: Suffix(text)),
        "contains": Made(part, lambda text, _, __: Contains(text)),
        "regex": Made(Text(what="a regular expression"), _regex),
        "any_of": Made(Listed(matcher, most=MOST_TEXTS, least=1), lambda some, _, __: AnyOf(some)),
        "not": Made(matcher, lambda inner, _, __: Not(inner)),
        "absent": Made(Boolean(), lambda absent, _, __: Absent(absent)),
    }
    shape = ByKind(
        "a text, or a mapping with " + ", ".join(keys),
        scalar=Made(text, lambda text, _, __: exact(text)),
        pairs=Keys(name, keys, _all_of, least=1),
    )
    matcher.shape = shape
    return shape


def _all_of(written: Written, _: Notes) -> Matcher | Bad:
    matchers = tuple(written.values[key] for key in sorted(written.values))
    if not matchers:
        return BAD
    return matchers[0] if len(matchers) == 1 else AllOf(matchers)


def _regex(pattern: str, node: Node, notes: Notes) -> Regex | Bad:
    from sandbox.patterns import (  # noqa: PLC0415 - few pay for it
        LARGEST_TOGETHER,
        PatternError,
        compile_search,
        compile_search_all,
        cost,
    )

    try:
        search = compile_search(pattern)
    except PatternError as error:
        return notes.add(node, f'"{excerpt(pattern)}" is no regular expression for RE2: {error}')
    notes.spent += cost(pattern)
    if notes.spent > LARGEST_TOGETHER:
        return notes.add(node, "the regular expressions up to this one are too large together: use fewer")
    return Regex(pattern, search, compile_search_all)


def _when(written: Written, _: Notes) -> When:
    asked = dict(written.values)
    texts = tuple((key, asked.pop(key)) for key in PARAMETERS if not isinstance(asked.get(key), bool | None))
    return When(texts=texts, **asked)


def _dcs(text: str) -> Matcher:
    """Match a dcs; one that is absent is 0."""
    return AnyOf((Exact(text), Absent())) if text == "0" else Exact(text)


_TEXT: Final = _matcher_shape("matcher")
COUNT: Final = Integer(1, 1_000_000_000)
WHEN: Final = Keys(
    "when",
    {
        **dict.fromkeys(PARAMETERS, _TEXT),
        "to": _matcher_shape("destinationMatcher", with_variables=True),
        "dcs": _matcher_shape("dcsMatcher", _dcs),
        "confirmation": ByKind("true, false, or a matcher", scalar=Boolean(), pairs=_TEXT.pairs),
        "flash": Boolean(),
        "method": Word(("GET", "POST")),
        "nth": Made(
            ByKind(
                "a whole number or a list of them",
                scalar=Made(COUNT, lambda count, _, __: (count,)),
                items=Listed(COUNT, most=MOST_TEXTS, least=1),
            ),
            lambda counts, _, __: frozenset(counts),
        ),
        "every": COUNT,
        "per": Word(PARAMETERS),
        "probability": Number(0, 1),
        "state": Text(),
    },
    _when,
    needs={"per": ("nth", "every")},
)
"""A rule's ``when``."""
