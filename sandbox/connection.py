"""The transport below a request: what is written to it goes out together, and it can be broken off.

Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What a socket does at its end: linger, for no time at all. Windows has shorts where others have ints.
_RESETS = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection:
    """A transport that sends what is written in one turn of the event loop at the end of that turn, and can be broken off.

    uvicorn writes an answer's head and body one by one: two system calls, and with TCP_NODELAY two packets,
    which cost each side more than many an application does. And an answer that is sent while others are yet to be worked
    out wakes its receiver by itself; of several that are sent one after the other, the first does that for all.
    """

    is_unanswered = False
    """Whether its request gets no answer: then nothing keeps it open once the sender has closed its side."""
    on_stop: Callable[[], None] | None = None
    """Is called when the server begins to stop, for an answer that would go on for as long as it is let."""
    _is_half_closed = False

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # asked at every request, and __getattr__ is slow
        self._call_soon = asyncio.get_running_loop().call_soon
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send octets with all that is written in this turn."""
        if not self._written:
            self._call_soon(self.flush)
        self._written.append(data)

    def close(self) -> None:
        """End the connection after what is written."""
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        """Send what is written, unless there is no longer anybody to send it to."""
        if self._written:
            if not self.is_closing():
                self._transport.write(b"".join(self._written))
            self._written.clear()

    def reset(self) -> None:
        """Break the connection off: what is unsent is lost, and the other side is told of a reset."""
        self._written.clear()
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
        self._transport.abort()

    def leave_unanswered(self) -> None:
        """Keep the connection open until the sender closes its side or the server stops."""
        self.is_unanswered = True
        if self._is_half_closed:
            self.close()

    def half_close(self) -> None:
        """Take note that the sender has closed its side."""
        self._is_half_closed = True
