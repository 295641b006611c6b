"""A server on a socket that plays one application after the other: to start and stop one takes longer than a test."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.serving import serving
from tests.served import TIMEOUT_S


class Stage:
    """What is on a socket; the application changes, the socket and its event loop stay."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop
        self.address: tuple[str, int]
        self._playing: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        if scope["type"] == "lifespan":
            await Starlette()(scope, receive, send)
        else:
            assert self._playing is not None
            await self._playing(scope, receive, send)

    @contextmanager
    def plays(self, app: Starlette) -> Iterator[None]:
        """Play *app*, from its start to its end."""
        begun, end = Event(), asyncio.Event()

        async def live() -> None:
            async with app.router.lifespan_context(app):
                begun.set()
                await end.wait()

        life = asyncio.run_coroutine_threadsafe(live(), self.loop)
        assert begun.wait(TIMEOUT_S)
        self._playing = app
        try:
            yield
        finally:
            self.loop.call_soon_threadsafe(end.set)
            life.result(TIMEOUT_S)


@contextmanager
def staged() -> Iterator[Stage]:
    """Keep a stage open while the block runs."""
    stage = Stage()
    with serving(stage, grace_s=0) as url:
        parts = urlsplit(url)
        stage.address = (parts.hostname or "", parts.port or 0)
        yield stage
