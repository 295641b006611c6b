"""One attempt to carry a callback over HTTP: the client library, the timeout, and the guard at the socket.

Knows nothing of retries, order or reports. aiohttp is imported when the first report is due, not before.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from errno import EACCES
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from sandbox.clock import Stopwatch
from sandbox.core.spelling import excerpt
from sandbox.egress import objection

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiohttp import AddrInfoType, ClientSession, ClientTimeout

SHOWN_OCTETS: Final = 2048
"""How much of a receiver's answer is read; what is longer costs it the kept-alive connection."""

KEPT_S: Final = 4.0
"""How long an idle connection is kept: uvicorn and Node.js close theirs after 5 s, and a report must not cross that."""

POOLS_KEPT: Final = 64
"""How many lists of allowed hosts have connections of their own, beside those in use."""


class Parcel(NamedTuple):
    """What one attempt sends."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None
    timeout_s: float
    allowed: Collection[str] = ()
    """Hosts that may be reached although they are public, or the word ``public``; in lower case."""


class Arrived(NamedTuple):
    """The receiver answered; whether that is a success is not decided here."""

    status: int
    ms: int = 0


class Lost(NamedTuple):
    """No answer came."""

    why: str
    ms: int = 0


class HeldBack(NamedTuple):
    """Nothing was sent, since the address may not be reached."""

    why: str


Outcome = Arrived | Lost | HeldBack


class Carrier(Protocol):
    """Carries parcels; tests put their own in its place."""

    async def carry(self, parcel: Parcel) -> Outcome:
        """Send *parcel* once and return what came of it; never raises for what a receiver does."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(slots=True)
class _Guard:
    """What the guard at the socket found while one parcel was carried."""

    url: str
    allowed: Collection[str]
    objection: str | None = None
    has_passed: bool = False


_guard: ContextVar[_Guard] = ContextVar("guard")


@dataclass(slots=True, eq=False)
class _Pool:
    """The client and the connections it keeps, for all parcels that allow the same hosts."""

    client: ClientSession
    in_use: int = 0
    """By how many parcels."""


class HttpCarrier:
    """Carries parcels with aiohttp, which ignores proxy variables and follows no redirect.

    The guard sees an address when it is connected to. So a connection that one session's list of allowed hosts let
    through is kept for parcels with the same list alone.
    """

    def __init__(self) -> None:
        self._pools: dict[frozenset[str], _Pool] = {}
        """By the hosts allowed; the one used last stands last."""
        self._opening = asyncio.Lock()

    async def carry(self, parcel: Parcel) -> Outcome:
        """Send *parcel* once and return what came of it."""
        pool = await self._pool(frozenset(parcel.allowed))
        pool.in_use += 1
        try:
            return await self._carry(parcel, pool.client)
        finally:
            pool.in_use -= 1

    async def _carry(self, parcel: Parcel, client: ClientSession) -> Outcome:
        watch = Stopwatch()
        guard = _Guard(parcel.url, parcel.allowed)
        _guard.set(guard)
        try:
            status = await self._exchange(client, parcel)
        except TimeoutError:
            return Lost(f"no answer within {parcel.timeout_s:g} s", watch.ms())
        except Exception as error:  # noqa: BLE001 - whatever a receiver does, the reports behind it go on
            if guard.objection is not None and not guard.has_passed:
                return HeldBack(guard.objection)
            return Lost(_cause(error), watch.ms())
        return Arrived(status, watch.ms())

    @staticmethod
    async def _exchange(client: ClientSession, parcel: Parcel) -> int:
        from yarl import URL  # noqa: PLC0415 - see _open

        async with client.request(
            parcel.method,
            # What is percent-encoded, and how, is left as the client wrote it: a token may hang on it.
            URL(parcel.url, encoded=parcel.url.isascii()),
            data=None if parcel.body is None else octets(parcel.body),
            headers=parcel.headers,
            allow_redirects=False,
            timeout=_timeout(parcel.timeout_s),
        ) as response:
            await response.content.read(SHOWN_OCTETS)
            return response.status

    async def close(self) -> None:
        """Let go of every connection."""
        async with self._opening:
            while self._pools:
                _, pool = self._pools.popitem()
                await pool.client.close()

    async def _pool(self, allowed: frozenset[str]) -> _Pool:
        """Return the pool for parcels that allow these hosts, made when the first of them is to be carried."""
        pool = self._pools.pop(allowed, None)
        if pool is None:
            async with self._opening:
                pool = self._pools.pop(allowed, None)
                if pool is None:
                    await self._make_room()
                    pool = _Pool(await self._open())
        self._pools[allowed] = pool
        return pool

    async def _make_room(self) -> None:
        """Let go of pools until there is room for one more: those that nobody uses, the longest unused first."""
        idle = [allowed for allowed, pool in self._pools.items() if not pool.in_use]
        for allowed in idle[: max(0, len(self._pools) + 1 - POOLS_KEPT)]:
            await self._pools.pop(allowed).client.close()

    async def _open(self) -> ClientSession:
        # Importing aiohttp costs as much as starting the whole server, and many runs send no report; it is done in a
        # thread, since requests go on arriving meanwhile.
        aiohttp = await asyncio.to_thread(import_module, "aiohttp")
        # The limits on what is under way at once are the dispatcher's, for each receiver and in all.
        connector = aiohttp.TCPConnector(
            limit=0, keepalive_timeout=KEPT_S, socket_factory=self._guarded_socket, use_dns_cache=False
        )
        client: ClientSession = aiohttp.ClientSession(
            connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        # By itself it sends a GET a second time when the connection breaks, and tells nobody.
        client._retry_connection = False  # noqa: SLF001 - there is no other switch
        return client

    @staticmethod
    def _guarded_socket(info: AddrInfoType) -> socket.socket:
        """Make the socket for an address that is about to be connected to, unless it may not be reached."""
        family, kind, protocol, _, address = info
        guard = _guard.get()
        why = objection(str(address[0]), urlsplit(guard.url).hostname or "", guard.allowed)
        if why is not None:
            guard.objection = why
            raise OSError(EACCES, why)
        guard.has_passed = True
        return socket.socket(family, kind, protocol)


@lru_cache(64)
def _timeout(total_s: float) -> ClientTimeout:
    from aiohttp import ClientTimeout  # noqa: PLC0415 - see HttpCarrier._open

    return ClientTimeout(total=total_s)


def octets(body: str) -> bytes:
    """Return what is sent of a body: always UTF-8, as a receiver could neither read nor verify anything else."""
    return body.encode("utf-8", "replace")


def _cause(error: Exception) -> str:
    """Return what went wrong below aiohttp where it says so: ``Connection refused``, a name that is not known."""
    from aiohttp import ClientResponseError  # noqa: PLC0415 - see HttpCarrier._open

    if isinstance(error, ClientResponseError):
        # Its text begins with a 400 that nobody answered, and draws a ^ below what it objects to.
        why = " ".join(error.message.replace("^", " ").split())
        return excerpt(f"the answer cannot be read as HTTP: {why}", 200)
    below = getattr(error, "os_error", None) or error
    if isinstance(below, OSError) and below.errno and not isinstance(below, socket.gaierror):
        return os.strerror(below.errno)
    return excerpt(getattr(below, "strerror", None) or str(below) or type(below).__name__, 200)
