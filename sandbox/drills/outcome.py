"""What a drill found out, as values: an entry for each trial, with all that happened and what is to be made of it.

Knows nothing of how trials are run or how an outcome is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Verdict(StrEnum):
    """What is to be made of something."""

    OK = "ok"
    NOT_RUN = "not run"
    DOUBTFUL = "doubtful"
    """It can be meant so, and is worth a look."""
    FAILED = "FAILED"


_FROM_GOOD_TO_BAD: Final = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed, and what is to be made of it; a remark is ``ok``."""

    verdict: Verdict
    text: str
    why: str = ""
    """Where the entry's own reason does not say it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in a word and in full: ``answered``, ``HTTP 200 after 3 ms``."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, what it should lead to, and why."""

    name: str
    group: str
    title: str
    should: str
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One trial and what came of it."""

    trial: Trial
    events: tuple[Event, ...] = ()
    findings: tuple[Finding, ...] = ()
    took_ms: int = 0
    facts: Mapping[str, str | int | None] = field(default_factory=dict)
    """What a table shows of it in columns, by their heads: ``{"calls": 2}``."""

    @property
    def verdict(self) -> Verdict:
        """The worst that was found."""
        return max(
            (finding.verdict for finding in self.findings), key=_FROM_GOOD_TO_BAD.index, default=Verdict.OK
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole drill."""

    kind: str
    """``receiver`` or ``sender``."""
    subject: str
    """The address or the command that was tried."""
    began_at: datetime
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know to read it right."""

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many entries have each verdict, from good to bad."""
        counted = Counter(entry.verdict for entry in self.entries)
        return {verdict: counted[verdict] for verdict in Verdict}

    @property
    def has_failed(self) -> bool:
        """Whether anything has."""
        return any(entry.verdict is Verdict.FAILED for entry in self.entries)


def summary(outcome: Outcome) -> str:
    """Return a drill in a line: ``21 ok, 3 not run, 1 FAILED``."""
    return ", ".join(f"{count} {verdict}" for verdict, count in outcome.counts.items() if count)
