"""The open questions of the API reference: what speaks for what, and which way each is read here and now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import contract
from sandbox.web.inbox.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.web.inbox.pages import Visit


class ValueRow(NamedTuple):
    """One way to read a question."""

    value: str
    meaning: str
    is_default: bool
    is_in_force: bool


class ReadingCard(NamedTuple):
    """One question."""

    id: str
    question: str
    evidence: str
    values: tuple[ValueRow, ...]
    is_changed: bool
    """Whether another value than the default is in force."""
    any: str
    """What else is allowed; empty for nothing."""


class Chapter(NamedTuple):
    """The questions about one thing."""

    name: str
    cards: tuple[ReadingCard, ...]


class ReadingsView(NamedTuple):
    """All questions."""

    chapters: tuple[Chapter, ...]
    total: int
    changed: int


_CHAPTERS: Final = {
    "request": "Reading the request",
    "checks": "Checks",
    "encoding": "Encoding and length",
    "times": "Times",
    "answers": "Answers",
    "reports": "Delivery reports",
}


def show(visit: Visit) -> Page:
    """Show the questions."""
    visit.demand_known()
    in_force = visit.engine.readings._asdict()
    chapters: dict[str, list[ReadingCard]] = {}
    for row in contract.reading_rows():
        card = _card(row, in_force[row.id])
        chapters.setdefault(row.subject, []).append(card)
    made = tuple(
        Chapter(_CHAPTERS.get(subject, subject.capitalize()), tuple(cards))
        for subject, cards in chapters.items()
    )
    cards = [card for chapter in made for card in chapter.cards]
    view = ReadingsView(made, len(cards), sum(card.is_changed for card in cards))
    return Page("readings.html", "Readings", view, tab="/readings")


def _card(row: contract.ReadingRow, in_force: str) -> ReadingCard:
    return ReadingCard(
        row.id,
        row.question,
        row.evidence,
        tuple(_values(row, in_force)),
        in_force != row.default,
        row.any or "",
    )


def _values(row: contract.ReadingRow, in_force: str) -> Iterator[ValueRow]:
    for value in row.values:
        yield ValueRow(value, row.meaning[value], value == row.default, value == in_force)
    if in_force not in row.values:
        yield ValueRow(in_force, row.any or "", is_default=False, is_in_force=True)
