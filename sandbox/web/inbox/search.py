"""What somebody typed into a search field, read as terms that must all hold: ``to:+34 status:delivered "code"``.

Pure; what the keys are about is given. Nothing that can be typed is an error: what makes no sense is said in a sentence,
and the rest is searched for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from sandbox.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Record = TypeVar("Record")

# A minus, a key and its colon, then a value: in quotes (a closing one may be missing), or up to the next blank.
_TERM: Final = re.compile(r'(?P<minus>-?)(?:(?P<key>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S*))\s*')


class Key(NamedTuple, Generic[Record]):
    """What may stand before a colon."""

    holds: Callable[[Record, str], bool]
    """Says whether a record has the value, which is in lower case and not empty."""
    example: str
    """A value that shows what is meant: ``+34``."""
    choices: tuple[str, ...] = ()
    """All values that there are, in lower case; none: any text may be one."""
    alias_of: str | None = None
    """The key that this is another name of; lists of keys leave it out."""


class Term(NamedTuple):
    """One condition."""

    key: str | None
    """None: the words are looked for in all that is text."""
    value: str
    """In lower case, not empty."""
    is_negated: bool = False


class Search(NamedTuple):
    """All conditions, and what was typed that makes none."""

    terms: tuple[Term, ...] = ()
    mistakes: tuple[str, ...] = ()
    """Sentences."""

    def condition(
        self, keys: Mapping[str, Key[Record]], words: Callable[[Record], str]
    ) -> Callable[[Record], bool]:
        """Return what says whether all terms hold for a record.

        Args:
            keys: those that the search was read with.
            words: returns all of a record's text, in lower case.
        """
        by_words = [(term.value, term.is_negated) for term in self.terms if term.key is None]
        by_key = [
            (keys[term.key].holds, term.value, term.is_negated) for term in self.terms if term.key is not None
        ]

        def holds(record: Record) -> bool:
            for key_holds, value, is_negated in by_key:
                if key_holds(record, value) is is_negated:
                    return False
            if by_words:
                text = words(record)
                for value, is_negated in by_words:
                    if (value in text) is is_negated:
                        return False
            return True

        return holds


def parse(text: str, keys: Mapping[str, Key[Record]]) -> Search:
    """Return what *text* asks for: ``-to:+34 "two words"`` is not to +34, and with these two words in it."""
    terms: list[Term] = []
    mistakes: list[str] = []
    text = text.strip()
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        assert match is not None  # noqa: S101 - the pattern takes any text, and at least one character of it
        position = match.end()
        term = _term(match, keys)
        if isinstance(term, str):
            mistakes.append(term)
        elif term is not None:
            terms.append(term)
    return Search(tuple(terms), tuple(dict.fromkeys(mistakes)))


def _term(match: re.Match[str], keys: Mapping[str, Key[Record]]) -> Term | str | None:
    """Return the condition that a match is, the sentence that says why it is none, or None where nothing is asked."""
    typed, is_negated = match["key"], bool(match["minus"])
    value = (match["plain"] if match["quoted"] is None else match["quoted"]).lower()
    if typed is None:
        if not value:
            return Term(None, "-") if is_negated and match["quoted"] is None else None
        return Term(None, value, is_negated)
    name = {known.lower(): known for known in keys}.get(typed.lower())
    if name is None:
        listed = ", ".join(f"{known}:" for known, key in keys.items() if key.alias_of is None)
        guess = did_you_mean(typed, keys).removeprefix(": ").removesuffix("?")
        guess = f"{guess.capitalize()}:? " if guess else ""
        return f'{typed}: is no key. {guess}There are {listed}. In quotes, "{typed}:…" is looked for as text.'
    key = keys[name]
    if not value:
        return f"{typed}: needs a value, such as {typed}:{key.example}."
    if key.choices and value not in key.choices:
        return f"{typed}:{value} is never so. {typed}: takes {', '.join(key.choices)}."
    return Term(key.alias_of or name, value, is_negated)
