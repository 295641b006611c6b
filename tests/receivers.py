"""Receivers of reports on real sockets of 127.0.0.1, which keep what they get octet for octet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """A server that keeps the requests it gets, octet for octet, and answers each with the same octets."""

    def __init__(self, answer: bytes | None, *, closes: bool) -> None:
        self._answer = answer
        self._closes = closes
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = next(
                    (
                        int(line.partition(":")[2])
                        for line in head.lower().split("\r\n")
                        if line.startswith("content-length:")
                    ),
                    0,
                )
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                if self._answer is None:
                    await reader.read()  # until the other side has had enough
                else:
                    writer.write(self._answer)
                    await writer.drain()
                if self._closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def request_lines(self) -> list[str]:
        return [head.partition("\r\n")[0] for head in self.heads]

    @property
    def headers(self) -> list[dict[str, str]]:
        """The headers of each request, their names in lower case."""
        lines = ([line.partition(": ") for line in head.split("\r\n")[1:]] for head in self.heads)
        return [{name.lower(): value for name, _, value in each if name} for each in lines]

    def header(self, name: str) -> str | None:
        """Return a header of the latest request."""
        return self.headers[-1].get(name.lower())


@asynccontextmanager
async def receiver(answer: bytes | None = NO_CONTENT, *, closes: bool = False) -> AsyncIterator[Receiver]:
    """Serve on a free port of 127.0.0.1; an *answer* of None never comes."""
    there = Receiver(answer, closes=closes)
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield there
    finally:
        server.close()
