"""Bare posts with aiohttp: what the same reports cost a client that does nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT = aiohttp.ClientTimeout(total=5)
HEADERS = {"User-Agent": "panelsms-sandbox", "Content-Type": "application/json"}


def client() -> aiohttp.ClientSession:
    """Return a client with the sandbox's own settings, but for the guard at the socket."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    )


async def post_all(session: aiohttp.ClientSession, url: str, bodies: Iterable[bytes], *, at_once: int) -> int:
    """Post each of *bodies*, so many at once, and return how many were answered with 200."""
    bodies = iter(bodies)
    target = URL(url)

    async def work() -> int:
        arrived = 0
        for body in bodies:
            async with session.post(
                target, data=body, headers=HEADERS, allow_redirects=False, timeout=TIMEOUT
            ) as response:
                await response.read()
                arrived += response.status == 200
        return arrived

    return sum(await asyncio.gather(*(work() for _ in range(at_once))))
