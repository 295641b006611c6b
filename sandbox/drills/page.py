"""An outcome as one page of HTML that stands alone: nothing is loaded and nothing runs; it prints, and knows the dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import __version__
from sandbox.core.times import rfc3339
from sandbox.drills.forms import without_controls
from sandbox.drills.outcome import Verdict

if TYPE_CHECKING:
    from sandbox.drills.outcome import Entry, Finding, Outcome

_TEMPLATES: Final = Path(__file__).parent / "templates"

_TONES: Final = {
    Verdict.OK: "ok",
    Verdict.NOT_RUN: "not-run",
    Verdict.DOUBTFUL: "doubtful",
    Verdict.FAILED: "failed",
}

_TITLES: Final = {
    "receiver": "Delivery reports, and what this receiver makes of them",
    "sender": "Sending an SMS, and what this client makes of what happens",
}

_ABOUT: Final = {
    "success": "When all is well",
    "errors": "Refusals: the 15 error codes",
    "readings": "Other readings of the API reference",
    "transport": "Broken, slow and lost answers",
    "reports": "Reports as they usually come",
    "order": "Twice, out of order, early, late",
    "surprises": "What a receiver cannot know or read",
    "connections": "Connections that break or trickle",
    "signatures": "Signatures",
}
"""A heading for each group."""


class Problem(NamedTuple):
    """One thing to look at, however many entries have it."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    entries: list[Entry]


class Group(NamedTuple):
    """The entries of a group, under its heading."""

    title: str
    entries: list[Entry]


def to_html(outcome: Outcome) -> str:
    """Return an outcome as a page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - other forms do without

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tone"] = _TONES.__getitem__
    page = environment.get_template("page.html").render(
        outcome=outcome,
        title=_TITLES[outcome.kind],
        began_at=rfc3339(outcome.began_at),
        worst=max((entry.verdict for entry in outcome.entries), key=list(Verdict).index, default=Verdict.OK),
        problems=_problems(outcome),
        groups=_groups(outcome),
        columns=next((list(entry.facts) for entry in outcome.entries if entry.facts), []),
        version=__version__,
        Verdict=Verdict,
    )
    return without_controls(page).lstrip()


def _problems(outcome: Outcome) -> list[Problem]:
    """Return what is to be looked at, the worst and most frequent first.

    Entries that have the same thing wrong, for the same reason, are one problem; where the reason is the entry's own,
    each entry is one.
    """
    problems: dict[object, Problem] = {}
    for entry in outcome.entries:
        bad = [finding for finding in entry.findings if finding.verdict in {Verdict.FAILED, Verdict.DOUBTFUL}]
        for finding in bad:
            key = (finding.verdict, finding.why) if finding.why else entry.trial.name
            new = Problem(finding.verdict, (finding,) if finding.why else tuple(bad), [])
            problem = problems.setdefault(key, new)
            if entry not in problem.entries:
                problem.entries.append(entry)
    return sorted(
        problems.values(),
        key=lambda problem: (problem.verdict is not Verdict.FAILED, -len(problem.entries)),
    )


def _groups(outcome: Outcome) -> list[Group]:
    groups: dict[str, Group] = {}
    for entry in outcome.entries:
        name = entry.trial.group
        groups.setdefault(name, Group(_ABOUT.get(name, name), [])).entries.append(entry)
    return list(groups.values())
