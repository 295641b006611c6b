"""The scenario in force: its text, and how often each of its rules has decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.masking import masked
from sandbox.core.match import describe
from sandbox.web.inbox.pages import Page

if TYPE_CHECKING:
    from sandbox.core.scenario import Rule
    from sandbox.web.inbox.pages import Visit


class RuleLine(NamedTuple):
    """One rule."""

    name: str
    matched: int
    is_added: bool
    before_checks: bool
    when: str


class ScenarioView(NamedTuple):
    """The scenario."""

    name: str
    description: str
    file: str
    state: str
    yaml: str
    rules: tuple[RuleLine, ...]
    never: int
    """How many rules have decided nothing yet."""


def show(visit: Visit) -> Page:
    """Show the scenario."""
    visit.demand_known()
    session, engine = visit.session, visit.engine
    progress, added = engine.progress, {rule.name for rule in session.added}
    rules = tuple(
        RuleLine(
            rule.name,
            progress.matched.get(rule.name, 0),
            rule.name in added,
            rule.before_checks,
            _when(rule),
        )
        for rule in engine.rulebook.rules
    )
    source = session.play.source
    view = ScenarioView(
        engine.scenario.name,
        engine.scenario.description,
        source.file,
        progress.state,
        without_secrets(source.yaml),
        rules,
        sum(not rule.matched for rule in rules),
    )
    return Page("scenario.html", f"Scenario {engine.scenario.name}", view, tab="/scenario")


def without_secrets(yaml: str) -> str:
    """Return the text of a scenario with every key and secret masked: ``apiKey: se…et``."""
    return _SECRET.sub(lambda match: f"{match[1]}{masked(match[2].strip(_QUOTES))}", yaml)


_QUOTES: Final = "\"'"
# Block or flow, in quotes or not. A matcher, whose value is a mapping or a sequence, is no secret.
_SECRET: Final = re.compile(
    r"""(["']?\b(?:apiKey|secret)["']?\s*:\s+)("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s{\[#,}"'][^\n#,}]*?)(?=\s*(?:[,}\n#]|\Z))"""
)


def _when(rule: Rule) -> str:
    """Return what a rule asks of a request, in words."""
    when = rule.when
    said = [f"{name} {describe(matcher)}" for name, matcher in when.texts]
    if when.method is not None:
        said.append(f"method is {when.method}")
    if when.flash is not None:
        said.append("is flash" if when.flash else "is not flash")
    if when.nth:
        said.append(f"request {', '.join(map(str, sorted(when.nth)))}")
    if when.every is not None:
        said.append(f"every {when.every}")
    if when.per is not None:
        said.append(f"counted per {when.per}")
    if when.probability is not None:
        said.append(f"with probability {when.probability:g}")
    if when.state is not None:
        said.append(f"in state {when.state}")
    return ", ".join(said) or "any request"
