"""Answers that take time, and the end of the session or the server: then they are given, rather than broken off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from sandbox.core.times import rfc3339_exact
from sandbox.web.problems import ConflictError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Scope

    from sandbox.engine import Engine

T = TypeVar("T")

CONNECTION: Final = "panelsms.connection"
"""The extension of a scope that tells when the server stops; `connection.Connection` says how."""


def end_with_server(engine: Engine, scope: Scope) -> None:
    """Let a session's feed end when the server stops, for an answer that hangs on it."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is not None:
        connection.on_stop = engine.feed.end


async def whole(engine: Engine, scope: Scope, work: Coroutine[object, object, T]) -> T:
    """Return what *work* comes to, though whoever asks may have gone.

    Raises:
        ConflictError: the session or the server has ended first; with how far its time had come.
    """
    made = await ended_first(engine, scope, work)
    if made is None:
        now = rfc3339_exact(engine.clock.now())
        raise ConflictError(f"the session or the server has ended on the way, when it was {now}")
    return made


async def ended_first(
    engine: Engine,
    scope: Scope,
    work: Coroutine[object, object, T],
    *others: asyncio.Future[None],
    timeout_s: float | None = None,
) -> T | None:
    """Return what *work* comes to; None when the time, one of the others, the session or the server ends first."""
    end_with_server(engine, scope)
    over = asyncio.get_running_loop().create_future()
    tasks = (asyncio.ensure_future(work), over, *others)

    def give_up() -> None:
        over.cancel()

    at_end = engine.feed.at_end
    at_end.append(give_up)
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        at_end.remove(give_up)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
