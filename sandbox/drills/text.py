"""An outcome as text, for people at a terminal: a table of what a sender did, a receiver's steps in full."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from sandbox.core.spelling import excerpt
from sandbox.drills.outcome import Verdict, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.drills.outcome import Entry, Outcome

COLOURS: Final = {
    Verdict.OK: "green",
    Verdict.NOT_RUN: "cyan",
    Verdict.DOUBTFUL: "yellow",
    Verdict.FAILED: "red",
}
LONGEST_EVENT: Final = 400
"""Characters of an event that are shown; other formats show all of it."""
MOST_LINES: Final = 3
"""Lines of it, the last: there programs say what has become of them."""

_VERDICT_WIDTH: Final = max(map(len, Verdict))
_NAME_WIDTH: Final = 41
_COLUMNS: Final = {"exit": 7, "calls": 5, "accepted": 8, "between": 0}
"""What the table of a sender shows beside the name, and how wide."""


def opening_lines(kind: str) -> Iterator[str]:
    """Yield what stands above all entries: the head of a sender's table."""
    if kind == "sender":
        columns = "  ".join(f"{name:>{width}}" for name, width in _COLUMNS.items())
        yield click.style(
            f"{'verdict':<{_VERDICT_WIDTH}}  {'condition':<{_NAME_WIDTH}}  {columns}", bold=True
        )


def entry_lines(kind: str, entry: Entry, *, width: int) -> Iterator[str]:
    """Yield an entry: a row where a sender did well, else all that happened, what should have, and why."""
    verdict = click.style(f"{entry.verdict:<{_VERDICT_WIDTH}}", fg=COLOURS[entry.verdict], bold=True)
    if kind == "sender":
        if entry.verdict is Verdict.NOT_RUN:
            yield f"{verdict}  {entry.trial.name:<{_NAME_WIDTH}}  {entry.findings[0].text}"
            return
        yield f"{verdict}  {entry.trial.name:<{_NAME_WIDTH}}  {_cells(entry)}".rstrip()
        if entry.verdict in {Verdict.DOUBTFUL, Verdict.FAILED}:
            yield from _part("is", entry.trial.title, width)
            yield from _in_full(entry, width)
        else:
            yield from _findings(entry, width)
    else:
        yield f"{verdict}  {click.style(entry.trial.name, bold=True)}  {entry.trial.title}"
        if entry.verdict is Verdict.NOT_RUN:
            yield from _findings(entry, width)
        else:
            yield from _in_full(entry, width)
        yield ""


def closing_lines(outcome: Outcome, *, width: int) -> Iterator[str]:
    """Yield what stands under all entries: the notes, and the counts."""
    yield ""
    for note in outcome.notes:
        yield from wrap(note, width)
    yield click.style(summary(outcome), fg="red" if outcome.has_failed else "green", bold=True)


def plain(outcome: Outcome, *, width: int = 110) -> str:
    """Return a whole outcome as it stands in a file: without colours."""
    lines = [*opening_lines(outcome.kind)]
    for entry in outcome.entries:
        lines += entry_lines(outcome.kind, entry, width=width)
    lines += closing_lines(outcome, width=width)
    return click.unstyle("\n".join([*lines, ""]))


def _cells(entry: Entry) -> str:
    facts = {name: "" if fact is None else str(fact) for name, fact in entry.facts.items()}
    return "  ".join(f"{facts.get(name, ''):>{width}}" for name, width in _COLUMNS.items())


def _in_full(entry: Entry, width: int) -> Iterator[str]:
    for event in entry.events:
        text = excerpt(" | ".join(event.text.splitlines()[-MOST_LINES:]), LONGEST_EVENT)
        yield from _part(event.what, text, width)
    yield from _part("should", entry.trial.should, width)
    yield from _part("because", entry.trial.why, width)
    yield from _findings(entry, width)


def _findings(entry: Entry, width: int) -> Iterator[str]:
    for finding in entry.findings:
        is_remark = finding.verdict in {Verdict.OK, Verdict.NOT_RUN}
        lines = _part(
            "remark" if is_remark else finding.verdict, f"{finding.text} {finding.why}".strip(), width
        )
        yield from lines if is_remark else map(_coloured(finding.verdict), lines)


def _coloured(verdict: Verdict) -> Callable[[str], str]:
    return lambda line: click.style(line, fg=COLOURS[verdict])


def _part(label: str, text: str, width: int) -> list[str]:
    first = f"{'':{_VERDICT_WIDTH}}  {label:<10}  "
    return wrap(text, max(width, 60), initial_indent=first, subsequent_indent=" " * len(first))
