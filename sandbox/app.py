"""The one place that builds everything and wires it together: a session's world, and the ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route, Router

from sandbox import contract
from sandbox.agenda import Agenda
from sandbox.carrier import HttpCarrier
from sandbox.clock import clock_of
from sandbox.config import Config
from sandbox.core.spelling import excerpt
from sandbox.dispatcher import Dispatcher
from sandbox.engine import Engine
from sandbox.errors import ConfigError
from sandbox.feed import Feed, Kind
from sandbox.places import Places
from sandbox.sessions import SESSION, Play, Session, Sessions, split_path
from sandbox.sources import Source, is_file, named
from sandbox.store.memory import MemoryStore
from sandbox.web.send import PATHS, SendEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.carrier import Carrier
    from sandbox.clock import Clock
    from sandbox.core.model import Call, Callback
    from sandbox.core.scenario import Scenario
    from sandbox.log import Log
    from sandbox.protocol import AtOnce, Whole
    from sandbox.store import Store
    from sandbox.store.sqlite import SqliteFile


def build_engine(
    config: Config,
    *,
    scenario: Scenario | Source | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Engine:
    """Return a world in which nothing has happened yet; arguments as for `create_app`."""
    return _Service(config, scenario=scenario, clock=clock, carrier=carrier, log=log).sessions.own.engine


def create_app(
    config: Config | None = None,
    *,
    scenario: Scenario | Source | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Starlette:
    """Return the ASGI application; its ``state.sessions`` are the worlds that it serves.

    Args:
        config: the server's options.
        scenario: what is answered; by default the one that the options name.
        clock: what time it is; by default the one that the options name.
        carrier: how reports are sent; by default over HTTP.
        log: what is told of requests and callbacks; by default nothing.
    """
    config = config or Config()
    service = _Service(config, scenario=scenario, clock=clock, carrier=carrier, log=log)
    app = _Application(routes=[Route(path, service.endpoint) for path in PATHS], lifespan=service.lifespan)
    app.router.redirect_slashes = False
    app.router.default = service.answer_the_rest
    app.state.sessions = service.sessions
    app.state.engine = service.sessions.own.engine
    app.at_once = service.at_once
    return app


_SENDS: Final = tuple(map(str.encode, PATHS))


class _Service:
    """What one server serves: its sessions, and how a request finds the one that it is for."""

    def __init__(
        self,
        config: Config,
        *,
        scenario: Scenario | Source | None,
        clock: Clock | None,
        carrier: Carrier | None,
        log: Log | None,
    ) -> None:
        if config.watch and not is_file(config.scenario):
            raise ConfigError(f"--watch needs a file to watch: {config.scenario} is a built-in scenario")
        self._config = config
        self._source = _source(config, scenario)
        self._begun_at = clock or clock_of(config.clock, config.start_at)
        self._carrier = carrier or HttpCarrier()
        self._log = log
        self._places = Places()
        play = Play.of(self._source, config)
        self._file = _store_file(config, log)
        self._is_by_user = config.sessions_by == "user"
        self.sessions = Sessions(
            self._begin,
            play,
            most=config.max_sessions,
            idle_s=config.session_idle_s,
        )
        self.endpoint = SendEndpoint(
            self._engine_of,
            engine_of_user=self._engine_of_user if self._is_by_user else None,
            has_sandbox_headers=config.has_sandbox_headers,
        )

    def _begin(self, name: str | None, play: Play) -> Session:
        """Begin a session, with a world in which nothing has happened yet."""
        config, log = self._config, self._log
        agenda = Agenda(self._begun_at if name is None else self._begun_at.afresh())
        feed = Feed()

        store: Store = (
            MemoryStore(config.max_messages)
            if self._file is None
            else self._file.store(name, lambda: engine.numbering)
        )

        def tell(callback: Callback) -> None:
            store.changed(callback)
            if log is not None:
                log.callback(callback, name)
            feed.tell(Kind.CALLBACK, callback)

        engine = Engine(
            rulebook=play.rulebook,
            readings=play.readings,
            descriptions={row.code: row.description for row in contract.error_codes()},
            agenda=agenda,
            dispatcher=Dispatcher(
                agenda=agenda,
                carrier=self._carrier,
                settings=play.callbacks,
                places=self._places,
                session=name or "",
                on_change=tell,
            ),
            store=store,
            feed=feed,
            callback_url=config.callback_url,
            on_request=None
            if log is None
            else log.request
            if name is None
            else partial(log.request, session=name),
        )
        return Session(name, engine, play, begun_with=play, begun_at=self._begun_at)

    def _session_of(self, scope: Scope) -> Session:
        session: Session = scope.get(SESSION, self.sessions.own)
        return session

    def _engine_of(self, scope: Scope) -> Engine:
        # As _session_of, without calling it: each send comes by here.
        session: Session = scope.get(SESSION, self.sessions.own)
        return session.engine

    def _engine_of_user(self, scope: Scope, call: Call) -> Engine:
        return (scope[SESSION] if SESSION in scope else self.sessions.of_user(call)).engine

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Go on where an earlier run has ended, watch the scenario's file while this one lasts, and end everything."""
        if self._file is not None:
            self._resume(self._file)
        watching = asyncio.create_task(self._watch()) if self._config.watch else None
        yield
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        await self.sessions.close()
        await self._carrier.close()
        if self._file is not None:
            self._file.close()

    def _resume(self, file: SqliteFile) -> None:
        for name, numbering in file.kept():
            session = self.sessions.own if name is None else self.sessions.called(name)
            session.engine.resume(numbering)
        file.start()

    async def _watch(self) -> None:
        from sandbox.watching import readings  # noqa: PLC0415 - few watch

        async for reading in readings(self._source, magic_prefix=self._config.magic_prefix):
            if reading.source is not None:
                self.sessions.start_with(Play.of(reading.source, self._config))
            if self._log is not None:
                self._log.scenario(reading)

    def at_once(self, path: bytes) -> AtOnce | None:
        """Return what answers sends to *path*, as it is written in a request, without waiting for anything."""
        if path in _SENDS:
            return self.endpoint.at_once
        if not path.startswith(b"/s/") or not path.endswith(_SENDS) or b"%" in path:
            return None
        name, within = split_path(path.decode(), by_user=self._is_by_user)
        if name is None or within not in PATHS:
            return None

        def answer(scope: Scope, body: bytes) -> Whole | ASGIApp:
            session = self.sessions.called(name)
            return self.endpoint.at_once({**scope, "path": within, SESSION: session}, body)

        return answer

    async def answer_the_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer all but the endpoint of the server's own session."""
        name, path = split_path(scope["path"], by_user=self._is_by_user)
        if name is not None and not (path == "/" and scope.get("method") == "DELETE"):
            # `/s/NAME` is its first page as well.
            scope = {
                **scope,
                "root_path": f"/s/{name}",
                "path": f"/s/{name}{path}",
                SESSION: self.sessions.called(name),
            }
            if path in PATHS:
                await self.endpoint({**scope, "path": path}, receive, send)
                return
        elif path.startswith("/s/") and path.endswith(PATHS):
            # The endpoint needs no token, nor does its absence: who may ask the rest is no question here.
            from sandbox.web.problems import nothing_at  # noqa: PLC0415 - as for _build_rest

            await nothing_at(path)(scope, receive, send)
            return
        await self._rest(scope, receive, send)

    @cached_property
    def _rest(self) -> ASGIApp:
        return _build_rest(self._config, self.sessions, self._session_of)


def _source(config: Config, scenario: Scenario | Source | None) -> Source:
    if isinstance(scenario, Source):
        return scenario
    if scenario is not None:
        return Source(scenario, yaml="", file=scenario.name)
    return named(config.scenario, magic_prefix=config.magic_prefix)


def _store_file(config: Config, log: Log | None) -> SqliteFile | None:
    """Return the file that records are kept in beyond this run; None for memory alone.

    Raises:
        ConfigError: it cannot be used, or the option says something else.
    """
    kind, _, path = config.store.partition(":")
    if config.store == "memory":
        return None
    if kind != "sqlite" or not path:
        raise ConfigError(
            f"--store cannot be {excerpt(config.store)}: it is memory, or sqlite: and a file, as in sqlite:sandbox.db"
        )
    from sandbox.store.sqlite import SqliteFile  # noqa: PLC0415 - few keep records beyond a run

    tell = None if log is None else log.store
    return SqliteFile(Path(path).expanduser(), cap=config.max_messages, tell=tell)


class _Application(Starlette):
    """Starlette's routing and lifespan without its middleware, which would cost each send a tenth of its time.

    The endpoint answers whatever comes by itself, and the control API is an application of its own, with handlers.
    """

    at_once: Callable[[bytes], AtOnce | None]
    """Gives what the protocol may ask past all that, for a path as it is written."""

    def build_middleware_stack(self) -> ASGIApp:
        return self.router.middleware_stack


def _build_rest(config: Config, sessions: Sessions, session_of: Callable[[Scope], Session]) -> ASGIApp:
    """Return the application that answers all but the endpoint; it is imported when something first asks for it."""
    from sandbox.web.control import OPERATIONS  # noqa: PLC0415 - the endpoint's first answer does not wait for it
    from sandbox.web.control.operation import routes  # noqa: PLC0415 - likewise
    from sandbox.web.control.sessions import AT_ROOT  # noqa: PLC0415 - likewise
    from sandbox.web.guard import Guard  # noqa: PLC0415 - likewise
    from sandbox.web.inbox import Inbox  # noqa: PLC0415 - likewise
    from sandbox.web.problems import HANDLERS, http_exception  # noqa: PLC0415 - likewise

    inbox = Inbox(session_of, config)
    control = Router(routes(OPERATIONS, config, sessions, session_of), redirect_slashes=False)
    rest = Starlette(
        routes=[
            Mount("/_sandbox", control),
            *routes(AT_ROOT, config, sessions, session_of),
            *inbox.routes(),
        ],
        exception_handlers={**HANDLERS, HTTPException: inbox.or_page(http_exception)},
    )
    rest.router.redirect_slashes = False
    return Guard(
        inbox.or_kept(rest), token=config.admin_token, allow_host=config.allow_host, sign_in=inbox.sign_in
    )
