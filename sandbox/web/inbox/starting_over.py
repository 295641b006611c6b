"""Starting over: a page that says what goes and what stays, and the two buttons that do it: messages alone, or all.

The page is the question, so neither can be hit by mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.decide import START
from sandbox.feed import Kind
from sandbox.web.inbox.pages import Page, Redirect, known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.web.inbox.pages import Visit

_FROM_START: Final = "all"
_MESSAGES: Final = "messages"


class StartView(NamedTuple):
    """What goes."""

    records: tuple[str, ...]
    """``3 messages``; empty where nothing is kept."""
    due: str
    """``2 reports that are due``; empty where none is."""
    rules: tuple[str, ...]
    """The names of the rules that were added by hand."""
    scenario: str
    """The one that is played from its start."""
    played: str
    """The one that is played now."""
    state: str
    """That the scenario is in; empty where it is its first."""
    has_decided: bool
    """Whether a rule has decided something, so that counters begin anew."""
    mode: str
    """Of the clock that time then goes by."""


def show(visit: Visit) -> Page:
    """Show what goes with each of the two."""
    visit.demand_known()
    session, engine = visit.session, visit.engine
    counts = engine.store.counts()
    kept = (("messages", "message"), ("requests", "request"), ("callbacks", "report"))
    due, state = engine.timelines.reports_due, engine.progress.state
    view = StartView(
        tuple(_counted(counts[key], word) for key, word in kept if counts[key]),
        f"{_counted(due, 'report')} still due" if due else "",
        tuple(rule.name for rule in session.added),
        session.begun_with.source.scenario.name,
        engine.scenario.name,
        "" if state == START else state,
        bool(engine.progress.matched),
        session.begun_at.mode,
    )
    return Page("start_over.html", "Start over", view)


async def start_over(visit: Visit, form: Mapping[str, str]) -> Redirect:
    """Forget all messages, or let everything be as just started.

    Raises:
        QueryError: the form does not say which of the two.
    """
    feed = visit.engine.feed
    if known(form.get("what", ""), (_MESSAGES, _FROM_START), "what") == _MESSAGES:
        await visit.engine.forget_messages()
    else:
        await visit.session.reset()
        feed.tell(Kind.SCENARIO)
    feed.tell(Kind.CLOCK)  # nothing is due any more
    return Redirect(f"{visit.base}/")


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
