"""Regular expressions that cannot hang the sandbox: compiled by RE2, whose time is linear in the text.

Imported only when a scenario has one. Source: https://github.com/google/re2/wiki/Syntax (no look-around and
no back-references, which need the backtracking that explodes).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import re2  # type: ignore[import-untyped]

from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_TEXT: Final = 4096
"""A longer text, in characters, is not searched: no short message is as long, though a request may be."""
LONGEST_PATTERN: Final = 1000
"""Characters at most: parsing alone takes 0.1 ms for a class such as ``\\pL``, before any size is known."""
LARGEST: Final = 500
"""Instructions of a compiled pattern at most. With the longest text that bounds a search to about 30 ms."""
LARGEST_TOGETHER: Final = 50_000
"""What the patterns of one scenario may cost at most, by `cost`: bounds what all searches take, and hold in memory."""

_FEW: Final = 3
"""Up to so many patterns are searched for one by one: most are missed at their literal beginning, which costs less."""
_MEMORY_TOGETHER: Final = 8 << 20
"""Octets that RE2 may hold to search for patterns together: enough for the largest of a scenario."""


class PatternError(ValueError):
    """A pattern is no regular expression of RE2's, or too large."""


def compile_search(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether *pattern* is found anywhere in a text.

    Raises:
        PatternError: RE2 does not read it, or it is longer than `LONGEST_PATTERN` or larger than `LARGEST`.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"too long, it has over {LONGEST_PATTERN} characters")
    try:
        compiled = _compiled(pattern)
    except re2.error as error:
        why = error.args[0]
        raise PatternError(excerpt(why.decode() if isinstance(why, bytes) else str(why), 80)) from None
    if compiled.programsize > LARGEST:
        raise PatternError(f"too large, it compiles to over {LARGEST} instructions")
    search = compiled.search
    always = _literal(pattern)

    def found(text: str) -> bool:
        # Most texts lack the pattern's literal beginning, and a substring is found forty times as fast. RE2
        # takes octets, so that it need not turn offsets back into characters.
        return (
            always in text
            and len(text) <= LONGEST_TEXT
            and search(text.encode("utf-8", "replace")) is not None
        )

    return found


def compile_search_all(patterns: Sequence[str]) -> Callable[[str], Sequence[int]]:
    """Return a function that gives the positions of those *patterns* which are found anywhere in a text.

    It finds what `compile_search` of each would, but goes through the text once for all.

    Raises:
        PatternError: as `compile_search`.
    """
    return _search_all(tuple(patterns))


@lru_cache(maxsize=32)  # adding a rule to a session makes its other rules ready again
def _search_all(patterns: tuple[str, ...]) -> Callable[[str], Sequence[int]]:
    searches = tuple(map(compile_search, patterns))

    def found_one_by_one(text: str) -> Sequence[int]:
        return [position for position, search in enumerate(searches) if search(text)]

    together = _together(patterns) if len(patterns) > _FEW else None
    if together is None:
        return found_one_by_one
    match = together.Match

    def found(text: str) -> Sequence[int]:
        return () if len(text) > LONGEST_TEXT else match(text.encode("utf-8", "replace")) or ()

    return found


def _together(patterns: Sequence[str]) -> Any:
    """Return RE2's set of *patterns*; None where its memory would not suffice to search for them all."""
    together = re2.Set.SearchSet(_options(_MEMORY_TOGETHER))
    for pattern in patterns:
        together.Add(pattern)
    try:
        together.Compile()
    except re2.error:
        return None
    return together


def cost(pattern: str) -> int:
    """Return what a pattern that `compile_search` takes costs: its instructions, but 100 at least.

    However small it is, RE2 may hold most of a MiB for the texts that it has been searched in.
    """
    return max(100, int(_compiled(pattern).programsize))


def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _options(1 << 20))


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    return options


_LITERAL = re.compile(r"\^?((?:[^\\.^$*+?{}\[\]()|]|\\[^\w])*)(.?)", re.ASCII | re.DOTALL)


def _literal(pattern: str) -> str:
    """Return a text that is in whatever matches *pattern*: what it begins with, up to anything special."""
    found = _LITERAL.match(pattern)
    if found is None or "|" in pattern:
        return ""
    literal = re.sub(r"\\(.)", r"\1", found[1])
    return literal[:-1] if found[2] in {"*", "?", "{"} else literal
