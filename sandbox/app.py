"""The one place that builds everything and wires it together: a session's world, and the ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route, Router

from sandbox import contract
from sandbox.agenda import Agenda
from sandbox.carrier import HttpCarrier
from sandbox.clock import clock_of
from sandbox.config import Config
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


def build_engine(
    config: Config,
    *,
    scenario: Scenario | Source | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Engine:
    """Return a world in which nothing has happened yet.

    Args:
        config: the server's options.
        scenario: what is answered; by default the one that the options name.
        clock: what time it is; by default the one that the options name.
        carrier: how reports are sent; by default over HTTP.
        log: what is told of requests and callbacks; by default nothing.
    """
    play = Play.of(_source(config, scenario), config)
    clock = clock or clock_of(config.clock, config.start_at)
    return _engine(config, play, clock, carrier or HttpCarrier(), log, Places())


def _source(config: Config, scenario: Scenario | Source | None) -> Source:
    if isinstance(scenario, Source):
        return scenario
    if scenario is not None:
        return Source(scenario, yaml="", file=scenario.name)
    return named(config.scenario, magic_prefix=config.magic_prefix)


def _engine(
    config: Config,
    play: Play,
    clock: Clock,
    carrier: Carrier,
    log: Log | None,
    places: Places,
    session: str = "",
) -> Engine:
    agenda = Agenda(clock)
    feed = Feed()

    def tell(callback: Callback) -> None:
        if log is not None:
            log.callback(callback)
        feed.tell(Kind.CALLBACK, callback)

    dispatcher = Dispatcher(
        agenda=agenda,
        carrier=carrier,
        settings=play.callbacks,
        places=places,
        session=session,
        on_change=tell,
    )
    return Engine(
        rulebook=play.rulebook,
        readings=play.readings,
        descriptions={row.code: row.description for row in contract.error_codes()},
        agenda=agenda,
        dispatcher=dispatcher,
        store=MemoryStore(config.max_messages),
        feed=feed,
        callback_url=config.callback_url,
        on_request=log.request if log else None,
    )


class _Application(Starlette):
    """Starlette's routing and lifespan without its middleware, which would cost each send a tenth of its time.

    The endpoint answers whatever comes by itself, and the control API is an application of its own, with handlers.
    """

    def build_middleware_stack(self) -> ASGIApp:
        return self.router.middleware_stack


def create_app(
    config: Config | None = None,
    *,
    scenario: Scenario | Source | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Starlette:
    """Return the ASGI application; its ``state.sessions`` are the worlds that it serves."""
    config = config or Config()
    carrier = carrier or HttpCarrier()
    begun_at = clock or clock_of(config.clock, config.start_at)
    places = Places()

    def begin(name: str | None, play: Play) -> Session:
        clock = begun_at if name is None else begun_at.afresh()
        engine = _engine(config, play, clock, carrier, log, places, name or "")
        return Session(name, engine, play, begun_with=play, begun_at=begun_at)

    source = _source(config, scenario)
    if config.watch and not is_file(config.scenario):
        raise ConfigError(f"--watch needs a file to watch: {config.scenario} is a built-in scenario")
    sessions = Sessions(
        begin,
        Play.of(source, config),
        most=config.max_sessions,
        idle_s=config.session_idle_s,
    )

    def session_of(scope: Scope) -> Session:
        session: Session = scope.get(SESSION, sessions.own)
        return session

    def engine_of(scope: Scope) -> Engine:
        return session_of(scope).engine

    def engine_of_user(scope: Scope, call: Call) -> Engine:
        return (scope[SESSION] if SESSION in scope else sessions.of_user(call)).engine

    by_user = config.sessions_by == "user"
    endpoint = SendEndpoint(
        engine_of,
        engine_of_user=engine_of_user if by_user else None,
        has_sandbox_headers=config.has_sandbox_headers,
    )

    async def watch() -> None:
        from sandbox.watching import readings  # noqa: PLC0415 - few watch

        async for reading in readings(source, magic_prefix=config.magic_prefix):
            if reading.source is not None:
                sessions.start_with(Play.of(reading.source, config))
            if log is not None:
                log.scenario(reading)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch()) if config.watch else None
        yield
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        await sessions.close()
        await carrier.close()

    @cache
    def rest() -> ASGIApp:
        return _build_rest(config, sessions, session_of)

    async def answer_the_rest(scope: Scope, receive: Receive, send: Send) -> None:
        name, path = split_path(scope["path"], by_user=by_user)
        if name is not None and not (path == "/" and scope.get("method") == "DELETE"):
            # `/s/NAME` is its first page as well.
            scope = {
                **scope,
                "root_path": f"/s/{name}",
                "path": f"/s/{name}{path}",
                SESSION: sessions.called(name),
            }
            if path in PATHS:
                await endpoint({**scope, "path": path}, receive, send)
                return
        await rest()(scope, receive, send)

    app = _Application(routes=[Route(path, endpoint) for path in PATHS], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = answer_the_rest
    app.state.sessions = sessions
    app.state.engine = sessions.own.engine
    return app


def _build_rest(config: Config, sessions: Sessions, session_of: Callable[[Scope], Session]) -> ASGIApp:
    """Return the application that answers all but the endpoint; it is imported when something first asks for it."""
    from sandbox.web.control import OPERATIONS  # noqa: PLC0415 - the endpoint's first answer does not wait for it
    from sandbox.web.control.operation import routes  # noqa: PLC0415 - likewise
    from sandbox.web.control.sessions import AT_ROOT  # noqa: PLC0415 - likewise
    from sandbox.web.guard import Guard  # noqa: PLC0415 - likewise
    from sandbox.web.inbox import Inbox  # noqa: PLC0415 - likewise
    from sandbox.web.problems import HANDLERS, http_exception  # noqa: PLC0415 - likewise

    inbox = Inbox(session_of)
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
    return Guard(rest, token=config.admin_token, allow_host=config.allow_host)
