"""A receiver of reports that costs next to nothing: it answers each POST with 200, and remembers when each came.

Run by the benchmarks, on the other core. ``GET /`` gives the moments of arrival since the last time, as a JSON object
from transaction ids to Unix time, where the bodies have one. Prints its port.

    python benchmarks/receiver.py
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import uvloop
from server import HERE, LOAD_CORE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_ID = re.compile(rb'"transactionId":"([^"]*)"')
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@contextmanager
def receiving() -> Iterator[str]:
    """Run a receiver in a process of its own, on the load's core, and give the block its URL."""
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, str(HERE / "receiver.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            port = int(process.stdout.readline()) if process.stdout else 0
            yield f"http://127.0.0.1:{port}/dlr"
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    """One connection; requests may come in pieces, or several at once."""

    arrivals: dict[str, float] = {}  # noqa: RUF012 - of all connections

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, length = self._received[:end], 0
            if found := _LENGTH.search(head):
                length = int(found[1])
            if len(self._received) < end + 4 + length:
                return
            body, self._received = self._received[end + 4 :][:length], self._received[end + 4 + length :]
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET"):
            told = json.dumps(self.arrivals).encode()
            self.arrivals.clear()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told)
        if found := _ID.search(body):
            self.arrivals[found[1].decode()] = time.time()
        return _OK


async def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = await asyncio.get_running_loop().create_server(_Connection, sock=listener)
    print(listener.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
