"""The worlds of one server: its own, and one for each session, begun when something first asks for it.

Knows nothing of HTTP. What a session is made of, `app.py` decides.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from sandbox import contract, sources
from sandbox.clock import Stopwatch, VirtualClock
from sandbox.core.decide import Rulebook
from sandbox.core.difference import differences
from sandbox.errors import NotFoundError, did_you_mean
from sandbox.feed import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.clock import Clock
    from sandbox.config import Config
    from sandbox.core.model import Call
    from sandbox.core.readings import Readings
    from sandbox.core.scenario import CallbackSettings, Rule
    from sandbox.engine import Engine
    from sandbox.sources import Source

# Not dots alone, which are steps in a path.
_PATH: Final = re.compile(r"/s/(?!\.+(?:/|\Z))([A-Za-z0-9._-]{1,64})(/.*)?", re.DOTALL)

SESSION: Final = "sandbox.session"
"""Where a request's scope holds the session that its path names."""

SWEPT_EVERY_S: Final = 60.0


LONGEST_USER: Final = 255
_USER_PATH: Final = re.compile(rf"/s/([^/]{{1,{LONGEST_USER}}})(/.*)?", re.DOTALL)


def split_path(path: str, *, by_user: bool = False) -> tuple[str | None, str]:
    """Return the session that a path names, None for the server's own, and the path within it.

    ``/s/test-7/sendMtSms.php`` is ``("test-7", "/sendMtSms.php")``. Where each user is a session, any user is a name.
    """
    match = (_USER_PATH if by_user else _PATH).fullmatch(path)
    return (None, path) if match is None else (match[1], match[2] or "/")


@dataclass(frozen=True, slots=True)
class Play:
    """A scenario made ready to be played, with the server's options in place of its own; sessions share it."""

    source: Source
    rulebook: Rulebook
    readings: Readings
    callbacks: CallbackSettings

    @classmethod
    def of(cls, source: Source, config: Config) -> Play:
        """Return *source* as a server with these options plays it."""
        scenario = source.scenario
        if config.seed is not None:
            scenario = replace(scenario, seed=config.seed)
        allow = {name.lower() for name in (*scenario.callbacks.allow, *config.allow_callback)}
        return cls(
            source,
            Rulebook.compile(scenario),
            contract.readings({**scenario.readings, **config.readings}),
            replace(scenario.callbacks, allow=tuple(sorted(allow))),
        )


@dataclass(slots=True, eq=False)
class Session:
    """One world, and what it was told: its scenario, the rules added to it, and how its clock began."""

    name: str | None
    """None: the server's own, which has no name in a path."""
    engine: Engine
    play: Play
    """What it plays now."""
    begun_with: Play
    """What it plays again after a reset."""
    begun_at: Clock
    """The clock that a reset gives it anew."""
    before: Play | None = None
    """What it played before; None where it plays what it began with."""
    added: tuple[Rule, ...] = ()
    """Rules added by hand, tried before those of the scenario; the latest first."""
    idle: Stopwatch = field(default_factory=Stopwatch)
    """Since when nothing has asked for it."""
    _rules_added: int = 0

    def switch(self, play: Play) -> None:
        """Play another scenario, from its start; rules added by hand go with the old one."""
        self.before, self.play = self.play, play
        self.added = ()
        self._rules_added = 0
        self.engine.play(play.rulebook, play.readings)
        self.engine.dispatcher.settings = play.callbacks

    def source_called(self, name: str, config: Config) -> Source:
        """Return the scenario of that name: the one that the session began with, or a built-in one.

        Raises:
            ConfigError: there is none.
        """
        if name == self.begun_with.source.scenario.name:
            return self.begun_with.source
        return sources.builtin(name, magic_prefix=config.magic_prefix)

    def take(self, source: Source, config: Config) -> None:
        """Play a scenario that somebody has chosen, as a server with these options does, and tell of it."""
        self.switch(Play.of(source, config))
        self.engine.feed.tell(Kind.SCENARIO)

    def changed(self) -> tuple[str, ...]:
        """Return what is different from the scenario before, in words."""
        return (
            () if self.before is None else differences(self.before.source.scenario, self.play.source.scenario)
        )

    def add_rule(self, rule: Rule) -> Rule:
        """Let *rule* be tried before all others, in place of any of its name; return it with its name."""
        if not rule.name:
            self._rules_added += 1
            rule = replace(rule, name=f"added-{self._rules_added}")
        gone = self.engine.progress.standing.gone
        for each in self.added:
            if each.name in gone:
                self.engine.progress.forget(each.name)
        self.added = (rule, *(each for each in self.added if each.name not in gone | {rule.name}))
        self.engine.progress.forget(rule.name)
        self._follow_rules()
        return rule

    def remove_rule(self, name: str) -> None:
        """Drop a rule that was added.

        Raises:
            NotFoundError: none of that name was.
        """
        names = [rule.name for rule in self.added]
        if name not in names:
            is_own = any(rule.name == name for rule in self.play.rulebook.scenario.rules)
            hint = ": it is one of the scenario itself" if is_own else did_you_mean(name, names)
            raise NotFoundError(f"no rule {name} was added{hint}")
        self.added = tuple(rule for rule in self.added if rule.name != name)
        self.engine.progress.forget(name)
        self._follow_rules()

    def _follow_rules(self) -> None:
        self.engine.decide_by(Rulebook.compile(self.play.rulebook.scenario, self.added))

    async def reset(self) -> None:
        """Let everything be as just started: records, counters, balances, scenario, clock."""
        # Nothing is waited for in between: a request that comes meanwhile belongs to the time after.
        self.engine.begin_anew()
        self.engine.go_by(self.begun_at.afresh())
        self.switch(self.begun_with)
        await self.engine.dispatcher.stop()

    @property
    def is_expecting(self) -> bool:
        """Whether somebody waits for what happens in it, or something will still happen without anybody asking."""
        engine = self.engine
        return bool(engine.dispatcher.unfinished or engine.feed.listeners) or (
            not isinstance(engine.clock, VirtualClock) and bool(len(engine.agenda))
        )


class Sessions:
    """The server's own session, and those that have a name, the one used last at the end."""

    def __init__(
        self, build: Callable[[str | None, Play], Session], play: Play, *, most: int, idle_s: float
    ) -> None:
        """Begin the server's own session.

        Args:
            build: begins a session with a scenario.
            play: the start-up scenario.
            most: how many may have a name; the one used longest ago ends when there would be more.
            idle_s: seconds after which one ends that nothing has asked for and nothing will happen in.
        """
        self._build = build
        self._play = play
        self._most = most
        self._idle_s = idle_s
        self._named: dict[str, Session] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self.ended = 0
        """How many have ended because they were idle, or too many."""
        self.own = build(None, play)

    def __iter__(self) -> Iterator[Session]:
        """Yield the sessions that have a name, the one used longest ago first."""
        return iter(tuple(self._named.values()))

    def __len__(self) -> int:
        """Return how many sessions have a name."""
        return len(self._named)

    @property
    def reports_due(self) -> int:
        """How many reports have yet to arrive, of all sessions."""
        return sum(session.engine.timelines.reports_due for session in (self.own, *self._named.values()))

    def called(self, name: str) -> Session:
        """Return the session of that name; it begins when there is none."""
        session = self._named.pop(name, None)
        if session is None:
            if len(self._named) >= self._most:
                self._end_early(next(iter(self._named)))
            session = self._build(name, self._play)
            self._set_sweep()
        else:
            session.idle = Stopwatch()
        self._named[name] = session
        return session

    def start_with(self, play: Play) -> None:
        """Let this be the start-up scenario: of new sessions, of a reset, and of all that play the old one."""
        for session in (self.own, *self._named.values()):
            session.begun_with = play
            if session.play is self._play:
                session.switch(play)
                session.engine.feed.tell(Kind.SCENARIO)
        self._play = play

    def of_user(self, call: Call) -> Session:
        """Return the session of the user who makes a call; the server's own where there is no such user."""
        user = call.parameters.get("user")
        return self.called(user) if isinstance(user, str) and 0 < len(user) <= LONGEST_USER else self.own

    async def end(self, name: str) -> None:
        """End a session: its records are gone, and what is due in it never happens.

        Raises:
            NotFoundError: there is none of that name.
        """
        session = self._named.pop(name, None)
        if session is None:
            raise NotFoundError(f"there is no session {name}{did_you_mean(name, self._named)}")
        session.engine.store.end()
        await _close(session)

    async def close(self) -> None:
        """Stop what is under way in all of them."""
        if self._sweep is not None:
            self._sweep.cancel()
        for session in (self.own, *self._named.values()):
            await _close(session)
        await asyncio.gather(*self._ending)

    def _set_sweep(self) -> None:
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(
                min(SWEPT_EVERY_S, self._idle_s), self._end_idle
            )

    def _end_idle(self) -> None:
        self._sweep = None
        for name, session in list(self._named.items()):
            if session.idle.ms() >= self._idle_s * 1000 and not session.is_expecting:
                self._end_early(name)
        if self._named:
            self._set_sweep()

    def _end_early(self, name: str) -> None:
        session = self._named.pop(name)
        session.engine.store.end()
        task = asyncio.get_running_loop().create_task(_close(session))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self.ended += 1


async def _close(session: Session) -> None:
    session.engine.feed.end()
    session.engine.agenda.clear()
    await session.engine.dispatcher.stop()
