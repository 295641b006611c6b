"""The scenario in force: how often each of its rules has decided; editing it as text; and those to switch to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import contract, sources
from sandbox.core.states import states_of
from sandbox.errors import ScenarioError
from sandbox.web.inbox import rules as rule_pages
from sandbox.web.inbox.covered import Covered
from sandbox.web.inbox.pages import Page, Redirect
from sandbox.web.inbox.states import picture
from sandbox.web.problems import QueryError, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.errors import Mistake
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.states import Picture

_NEW: Final = "name: mine\nrules: []\ndefault:\n  dlr: [{after: 1s, status: delivered}]\n"
"""What an editor begins with where the scenario has no text."""


_SAMPLE: Final = """rules:
  - name: queue-full
    when: {to: {prefix: "+34"}}
    respond: {error: 6}
"""


class RuleLine(NamedTuple):
    """One rule."""

    name: str
    matched: int
    is_added: bool
    is_gone: bool
    """Whether it has decided as often as it may."""
    before_checks: bool
    when: str
    href: str


class Story(NamedTuple):
    """A scenario that can be switched to."""

    name: str
    told: str
    """What happens in it."""
    survives: tuple[str, ...]
    """What a client should survive, in paragraphs."""
    is_played: bool


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """The scenario, and what somebody makes of it."""

    name: str
    description: str
    file: str
    state: str
    yaml: str
    """What stands in the editor, without secrets."""
    rules: tuple[RuleLine, ...]
    never: int
    """How many rules have decided nothing yet."""
    is_asked: bool
    """Whether any request has come that they could have decided."""
    sample: str
    """A rule to begin with."""
    picture: Picture | None
    """Of its states; None where it has but one."""
    stories: tuple[Story, ...]
    mistakes: tuple[Mistake, ...] = ()
    is_checked: bool = False
    """Whether the text was looked at, and found to have those mistakes or none."""
    said: str = ""
    """What has come of switching."""
    changed: tuple[str, ...] = ()


def show(visit: Visit) -> Page:
    """Show the scenario."""
    visit.demand_known("switched")
    view = _view(visit)
    if "switched" in visit.query:
        view = replace(view, said=f"{view.name} is played from its start.", changed=visit.session.changed())
    return _page(view)


async def edit(visit: Visit, form: Mapping[str, str]) -> Page | Redirect:
    """Switch to a scenario by its name, or play the text of the editor; or only look for mistakes in it.

    A text with mistakes is shown again with them, and changes nothing.

    Raises:
        ConfigError: there is no scenario of that name.
        QueryError: the form names neither a scenario nor holds a text, or both.
    """
    session, config = visit.session, visit.config
    if ("name" in form) == ("yaml" in form):
        raise QueryError("say which scenario is to be played: one of name and yaml")
    if "name" in form:
        session.take(session.source_called(form["name"], config), config)
        return Redirect(f"{visit.base}/scenario?switched=1")
    yaml = form["yaml"].replace("\r\n", "\n")
    is_trial = form.get("do") == "check"
    covered = Covered.of(session.play.source.yaml)
    try:
        source = sources.written(covered.uncovered(yaml), magic_prefix=config.magic_prefix)
    except ScenarioError as error:
        mistakes = tuple(covered.seen(each, yaml) for each in error.mistakes)
        status = 200 if is_trial else status_of(error)
        return _page(replace(_view(visit), yaml=yaml, mistakes=mistakes, is_checked=True), status)
    if is_trial:
        return _page(replace(_view(visit), yaml=yaml, is_checked=True))
    session.take(source, config)
    return Redirect(f"{visit.base}/scenario?switched=1")


def _page(view: ScenarioView, status: int = 200) -> Page:
    return Page("scenario.html", f"Scenario {view.name}", view, tab="/scenario", status=status)


def _view(visit: Visit) -> ScenarioView:
    session, engine = visit.session, visit.engine
    rules = _rules(visit)
    source = session.play.source
    return ScenarioView(
        name=engine.scenario.name,
        description=engine.scenario.description,
        file=source.file,
        state=engine.progress.state,
        yaml=without_secrets(source.yaml) or _NEW,
        rules=rules,
        never=sum(not rule.matched for rule in rules),
        is_asked=bool(engine.store.counts()["requests"]),
        sample=_SAMPLE,
        picture=picture(
            states_of(engine.rulebook.rules),
            engine.progress.state,
            lambda name: rule_pages.link(visit.base, name),
        ),
        stories=_stories(visit),
    )


def _rules(visit: Visit) -> tuple[RuleLine, ...]:
    engine, added = visit.engine, {rule.name for rule in visit.session.added}
    progress = engine.progress
    return tuple(
        RuleLine(
            rule.name,
            progress.matched.get(rule.name, 0),
            rule.name in added,
            rule.name in progress.standing.gone,
            rule.before_checks,
            ", ".join(rule_pages.asks(rule)) or "any request",
            rule_pages.link(visit.base, rule.name),
        )
        for rule in engine.rulebook.rules
    )


def _stories(visit: Visit) -> tuple[Story, ...]:
    """Return the scenarios that can be switched to: the one that the session began with, and the built-in ones."""
    session = visit.session
    played, first = session.play.source.scenario.name, session.begun_with.source
    library = _library()
    if first.scenario.name not in library:
        library = {
            first.scenario.name: sources.opening(first.yaml) or (first.scenario.description,),
            **library,
        }
    return tuple(
        Story(name, paragraphs[0] if paragraphs else "", paragraphs[1:], name == played)
        for name, paragraphs in library.items()
    )


@cache
def _library() -> dict[str, tuple[str, ...]]:
    """Return what each built-in scenario says first, by name; read once, as it comes with the package."""
    return {
        name: sources.opening((contract.SCENARIOS / f"{name}.yaml").read_text("utf-8"))
        for name in sources.builtin_names()
    }


def without_secrets(yaml: str) -> str:
    """Return the text of a scenario with every key and secret masked: ``apiKey: se…et``."""
    return Covered.of(yaml).text
