"""What every page is made from and of: a visit, and the template with its view; nothing here knows Starlette or Jinja."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox.config import Config
from sandbox.core.spelling import excerpt
from sandbox.errors import NotFoundError, did_you_mean
from sandbox.web.ids import number_of
from sandbox.web.inbox.moments import moment, span
from sandbox.web.problems import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping
    from datetime import datetime

    from sandbox.engine import Engine
    from sandbox.sessions import Session
    from sandbox.web.inbox.moments import Moment

ROWS: Final = 100
"""Of a list, on one page."""

SCANNED: Final = 10_000
"""How many records a search looks through for one page, so that none holds up the endpoint."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody asks for a page."""

    session: Session
    base: str
    """What every link begins with: nothing, or ``/s/NAME``."""
    origin: str
    """``http://127.0.0.1:7670``, as the browser knows it."""
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    """What the path names: ``{"id": "m1"}``."""
    config: Config = field(default_factory=Config)
    """The server's options."""
    scope: MutableMapping[str, Any] = field(default_factory=dict)
    """Of the request, as the server has it."""

    @property
    def engine(self) -> Engine:
        """The world that is looked at."""
        return self.session.engine

    @property
    def now(self) -> datetime:
        """What time it is in it."""
        return self.session.engine.clock.now()

    def demand_known(self, *names: str) -> None:
        """Do nothing where each query parameter is one of *names*.

        Raises:
            QueryError: one is not.
        """
        for name in self.query:
            if name not in names:
                takes = f"it takes {', '.join(sorted(names))}" if names else "it takes none"
                raise QueryError(
                    f"there is no parameter {excerpt(name)} here, {takes}{did_you_mean(name[:60], names)}"
                )


class Page(NamedTuple):
    """What is shown."""

    template: str
    title: str
    view: object
    """What the template finds as ``view``."""
    tab: str = ""
    """Which entry of the navigation it belongs to."""
    status: int = 200


class Redirect(NamedTuple):
    """Where the browser goes instead."""

    to: str
    """With the base."""


class Tab(NamedTuple):
    """An entry of the navigation."""

    name: str
    path: str
    key: str
    """Typed after g, it goes there."""
    counted: str = ""
    """Which of the counts stands beside it."""


TABS: Final = (
    Tab("Messages", "/", "m", "messages"),
    Tab("Requests", "/requests", "r", "requests"),
    Tab("Scenario", "/scenario", "s"),
    Tab("Clock", "/clock", "c"),
    Tab("Send", "/send", "n"),
    Tab("Codes", "/codes", "e"),
    Tab("Readings", "/readings", "q"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    base: str
    session: str | None
    scenario: str
    mode: str
    rate: int
    """How many times as fast as real the clock runs; 0 for one that stands."""
    now: Moment
    due: str | None
    """In how long the next thing happens: ``1 s``; None when nothing is due."""
    due_at: Moment | None
    counts: Mapping[str, int]
    is_guarded: bool
    """Whether one signs in to see the pages."""
    tabs: tuple[Tab, ...] = TABS


def frame(visit: Visit) -> Frame:
    """Return what stands around a page; takes the same time however much is stored."""
    engine, now = visit.engine, visit.now
    due_at = engine.agenda.next_due_at
    return Frame(
        base=visit.base,
        session=visit.session.name,
        scenario=engine.scenario.name,
        mode=engine.clock.mode,
        rate=rate_of(engine.clock.mode),
        now=moment(now, now),
        due=None if due_at is None else span(max(due_at, now) - now),
        due_at=None if due_at is None else moment(due_at, now),
        counts=engine.store.counts(),
        is_guarded=visit.config.admin_token is not None,
    )


def rate_of(mode: str) -> int:
    """Return how many times as fast as real a clock of this mode runs: 0 for ``virtual``, 60 for ``x60``."""
    known_rates = {"virtual": 0, "real": 1}
    return known_rates[mode] if mode in known_rates else int(mode[1:])


def after_of(visit: Visit, prefix: str) -> int | None:
    """Return the number of the last record on the page before, None on the first page.

    Raises:
        QueryError: ``after`` is no id.
    """
    text = visit.query.get("after")
    if text is None:
        return None
    try:
        return number_of(text, prefix)
    except NotFoundError as error:
        raise QueryError(f"after: {error}") from None


def cut(text: str, limit: int) -> str:
    """Return *text*, or its beginning and how much more there is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def known(value: str, choices: Collection[str], name: str) -> str:
    """Return *value* where it is one of *choices*.

    Raises:
        QueryError: it is not.
    """
    if value not in choices:
        raise QueryError(
            f"{name} cannot be {excerpt(value)}: it is {', '.join(choices)}{did_you_mean(value[:60], choices)}"
        )
    return value
