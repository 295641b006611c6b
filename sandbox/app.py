"""The one place that builds everything and wires it together: a session's world, and the ASGI application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount, Route, Router

from sandbox import contract
from sandbox.agenda import Agenda
from sandbox.builtin import load_builtin
from sandbox.carrier import HttpCarrier
from sandbox.clock import RunningClock
from sandbox.config import Config
from sandbox.dispatcher import Dispatcher
from sandbox.engine import Engine
from sandbox.store.memory import MemoryStore
from sandbox.web.send import PATHS, SendEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.carrier import Carrier
    from sandbox.clock import Clock
    from sandbox.core.scenario import Scenario
    from sandbox.log import Log


def build_engine(
    config: Config,
    *,
    scenario: Scenario | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Engine:
    """Return a world in which nothing has happened yet.

    Args:
        config: the server's options.
        scenario: what is answered; by default the built-in ``default``.
        clock: what time it is; by default the real time.
        carrier: how reports are sent; by default over HTTP.
        log: what is told of requests and callbacks; by default nothing.
    """
    scenario = scenario or load_builtin("default")
    clock = clock or RunningClock()
    agenda = Agenda(clock)
    allow = frozenset(name.lower() for name in (*scenario.callbacks.allow, *config.allow_callback))
    dispatcher = Dispatcher(
        clock=clock,
        agenda=agenda,
        carrier=carrier or HttpCarrier(),
        settings=replace(scenario.callbacks, allow=tuple(allow)),
        on_change=log.callback if log else None,
    )
    return Engine(
        scenario=scenario,
        readings=contract.readings({**scenario.readings, **config.readings}),
        descriptions={row.code: row.description for row in contract.error_codes()},
        clock=clock,
        agenda=agenda,
        dispatcher=dispatcher,
        store=MemoryStore(config.max_messages),
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
    scenario: Scenario | None = None,
    clock: Clock | None = None,
    carrier: Carrier | None = None,
    log: Log | None = None,
) -> Starlette:
    """Return the ASGI application; its ``state.engine`` is the world that it serves."""
    config = config or Config()
    carrier = carrier or HttpCarrier()
    engine = build_engine(config, scenario=scenario, clock=clock, carrier=carrier, log=log)
    endpoint = SendEndpoint(lambda _: engine, has_sandbox_headers=config.has_sandbox_headers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await engine.dispatcher.stop()
        await carrier.close()

    @cache
    def rest() -> ASGIApp:
        return _build_rest(engine)

    async def answer_the_rest(scope: Scope, receive: Receive, send: Send) -> None:
        await rest()(scope, receive, send)

    app = _Application(routes=[Route(path, endpoint) for path in PATHS], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = answer_the_rest
    app.state.engine = engine
    return app


def _build_rest(engine: Engine) -> ASGIApp:
    """Return the application that answers all but the endpoint; it is imported when something first asks for it."""
    from sandbox.web.control import Control  # noqa: PLC0415 - the first answer of the endpoint does not wait for it
    from sandbox.web.problems import HANDLERS  # noqa: PLC0415 - likewise

    control = Router(Control(lambda _: engine).routes(), redirect_slashes=False)
    rest = Starlette(routes=[Mount("/_sandbox", control)], exception_handlers=HANDLERS)
    rest.router.redirect_slashes = False
    return rest
