"""Answers that do not simply arrive: later, in pieces, broken off, or not at all.

Knows nothing of rules or of the engine. A connection is broken below HTTP, through the extension of the ASGI
scope that `CONNECTION` names; where an application is called without a socket, as by a test's client, there
is none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from sandbox.clock import real_pause
from sandbox.core.scenario import Fault
from sandbox.web.endings import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send


GARBAGE: Final = b"\x15\x03\x03\x00\x02\x02\x50"
"""What is sent where HTTP is awaited: the alert of a port that speaks TLS."""

LONGEST_HANG_S: Final = 300.0
"""How long a client that waits for ever is kept waiting: longer than the timeouts of HTTP clients in use."""

DRIP_S: Final = 1.0
"""From one byte to the next."""


class Connection(Protocol):
    """The connection that a request came by."""

    on_stop: Callable[[], None] | None
    """Is called when the server begins to stop."""

    def write(self, data: bytes) -> None:
        """Send octets as they are."""
        ...

    def close(self) -> None:
        """End the connection after what is written."""
        ...

    def reset(self) -> None:
        """Break the connection off, so that the client is told of a reset."""
        ...

    def leave_unanswered(self) -> None:
        """Keep the connection until the client closes its side, and not until an answer is sent."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """The way back to the client of one request."""

    receive: Receive
    send: Send
    connection: Connection | None
    stopping: asyncio.Event
    """Is set when the server begins to stop: what is under way is then answered without further delay."""

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> Self:
        """Return the line of a request."""
        connection = scope.get("extensions", {}).get(CONNECTION)
        stopping = asyncio.Event()
        if connection is not None:
            connection.on_stop = stopping.set
        return cls(receive, send, connection, stopping)

    async def pause(self, seconds: float) -> bool:
        """Let real time pass while the client waits and the server runs, and say whether the client still does."""
        end, stop = asyncio.ensure_future(self.end()), asyncio.ensure_future(self.stopping.wait())
        try:
            await real_pause(seconds, unless=asyncio.wait((end, stop), return_when=asyncio.FIRST_COMPLETED))
            return not end.done()
        finally:
            end.cancel()
            stop.cancel()

    async def end(self) -> None:
        """Return when the connection has ended."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def give_up(self) -> None:
        """End the connection although it has no whole answer."""
        if self.connection is not None:
            self.connection.close()

    async def answer(self, start: Message, body: bytes) -> None:
        """Send an answer whole."""
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    async def fail(self, fault: Fault, start: Message, body: bytes) -> None:
        """Send an answer as *fault* would have it.

        Args:
            fault: how.
            start: the answer's head, as ASGI has it.
            body: the answer's body, whole.

        Raises:
            ConnectionResetError: there is no connection to break.
        """
        if fault is Fault.EMPTY:
            await self.answer(start, body)
        elif fault is Fault.DRIP:
            await self._drip(start, body)
        elif self.connection is None:
            raise ConnectionResetError(
                f"the scenario breaks the connection ({fault}), and an application called without a socket "
                "has none: serve it to see what the client makes of that"
            )
        else:
            await self._break(self.connection, fault, start, body)

    async def _drip(self, start: Message, body: bytes) -> None:
        await self.send(start)
        for position in range(1, len(body)):
            await self._send_piece(body[position - 1 : position])
            if not await self.pause(DRIP_S):
                return
        await self.send({"type": "http.response.body", "body": body[-1:]})

    async def _break(self, connection: Connection, fault: Fault, start: Message, body: bytes) -> None:
        match fault:
            case Fault.TRUNCATE:
                await self.send(start)
                await self._send_piece(body[: len(body) // 2])
                connection.close()
            case Fault.GARBAGE:
                connection.write(GARBAGE)
                connection.close()
            case Fault.HANG:
                connection.leave_unanswered()
                await self.pause(LONGEST_HANG_S)
                connection.close()
            case _:
                connection.reset()
        # Until the server is told of the end, it would itself answer a request that is left unanswered.
        await self.end()

    async def _send_piece(self, piece: bytes) -> None:
        await self.send({"type": "http.response.body", "body": piece, "more_body": True})
