"""The HTTP clients that could carry reports, compared: posts a second, CPU time for each, and what importing them costs.

Each posts the same report again and again to the same local receiver, 16 and 64 at once, in a process of its own on one
core; the receiver has the other. They take turns, several times. "asyncio" says whether a client can share the server's
event loop; one that cannot gets threads. Those that are not installed are left out: pip install aiosonic curl_cffi
httpx niquests requests adds them. The goal says that the client in use is worth it. Needs taskset and Linux.

    python benchmarks/clients.py [--quick] [--rounds 3] [--seconds 3]
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module, metadata
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import uvloop
from packaging.requirements import Requirement

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_least, sizes
from receiver import receiving
from server import SERVER_CORE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType

    Post = Callable[[bytes], Awaitable[int]]

GOAL = 0.9
IN_USE = "aiohttp"
FEW, MANY = 16, 64
HEADERS = {"User-Agent": "panelsms-sandbox", "Content-Type": "application/json"}


class Figures(NamedTuple):
    """What one process has measured."""

    import_ms: float
    rate: float
    cpu_us: float


# -- the clients -----------------------------------------------------------------------------------


async def _aiohttp(aiohttp: ModuleType, url: str, run: Runner) -> None:
    connector, jar = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:

        async def post(body: bytes) -> int:
            async with session.post(url, data=body, headers=HEADERS, allow_redirects=False) as response:
                await response.read()
                return int(response.status)

        await run(post)


async def _httpx(httpx: ModuleType, url: str, run: Runner) -> None:
    limits = httpx.Limits(max_connections=run.at_once, max_keepalive_connections=run.at_once)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as session:

        async def post(body: bytes) -> int:
            return int((await session.post(url, content=body, headers=HEADERS)).status_code)

        await run(post)


async def _httpcore(httpcore: ModuleType, url: str, run: Runner) -> None:
    pool = httpcore.AsyncConnectionPool(max_connections=run.at_once, max_keepalive_connections=run.at_once)
    headers = [*HEADERS.items(), ("Host", url.split("/")[2])]
    async with pool:

        async def post(body: bytes) -> int:
            length = ("Content-Length", str(len(body)))
            return int((await pool.request("POST", url, headers=[*headers, length], content=body)).status)

        await run(post)


async def _niquests(niquests: ModuleType, url: str, run: Runner) -> None:
    async with niquests.AsyncSession(pool_connections=1, pool_maxsize=run.at_once) as session:
        session.trust_env = False

        async def post(body: bytes) -> int:
            response = await session.post(url, data=body, headers=HEADERS, allow_redirects=False)
            return int(response.status_code)

        await run(post)


async def _aiosonic(aiosonic: ModuleType, url: str, run: Runner) -> None:
    configs = {":default": aiosonic.pools.PoolConfig(size=run.at_once)}
    async with aiosonic.HTTPClient(connector=aiosonic.TCPConnector(pool_configs=configs)) as session:

        async def post(body: bytes) -> int:
            response = await session.post(url, data=body, headers=HEADERS)
            await response.content()
            return int(response.status_code)

        await run(post)


async def _curl_cffi(curl_cffi: ModuleType, url: str, run: Runner) -> None:
    async with curl_cffi.AsyncSession(max_clients=run.at_once, trust_env=False) as session:

        async def post(body: bytes) -> int:
            response = await session.post(url, data=body, headers=HEADERS, allow_redirects=False)
            return int(response.status_code)

        await run(post)


async def _requests(requests: ModuleType, url: str, run: Runner) -> None:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=run.at_once))
    loop = asyncio.get_running_loop()
    with session, ThreadPoolExecutor(run.at_once) as threads:

        async def post(body: bytes) -> int:
            call = partial(session.post, url, data=body, headers=HEADERS, allow_redirects=False)
            return int((await loop.run_in_executor(threads, call)).status_code)

        await run(post)


CLIENTS = {
    "aiohttp": _aiohttp,
    "httpx": _httpx,
    "httpcore": _httpcore,
    "niquests": _niquests,
    "aiosonic": _aiosonic,
    "curl_cffi": _curl_cffi,
    "requests": _requests,
}
THREADED = {"requests"}


# -- the measurement -------------------------------------------------------------------------------


class Runner:
    """Posts for so many seconds, so many at once, and keeps what that took."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self.at_once = at_once
        self._seconds = seconds
        self.posts = 0
        self.wall_s = self.cpu_s = 0.0

    async def __call__(self, post: Post) -> None:
        """Post with *post*, after a little warming up."""
        await self._post_all(post, self._seconds / 4)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        self.posts = await self._post_all(post, self._seconds)
        self.wall_s, self.cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s

    async def _post_all(self, post: Post, seconds: float) -> int:
        body = b'{"transactionId":"123456789",%b}' % (b" " * 140)
        until = time.perf_counter() + seconds

        async def work() -> list[int]:
            statuses = []
            while time.perf_counter() < until:
                statuses.append(await post(body))
            return statuses

        statuses = [
            status for part in await asyncio.gather(*(work() for _ in range(self.at_once))) for status in part
        ]
        if set(statuses) != {200}:
            raise RuntimeError(f"posts were answered {set(statuses)}")
        return len(statuses)


def main() -> int:
    """Measure, print a table, and say whether the client in use reaches the goal."""
    chosen = sizes(
        __doc__,
        seconds=Size(3, 1, "how long each time"),
        rounds=Size(3, 1, "how often each is measured"),
    )
    os.sched_setaffinity(0, {SERVER_CORE})
    names = []
    for name in CLIENTS:
        if _is_installed(name):
            names.append(name)
        else:
            print(f"{name}: not installed, left out")
    found: dict[tuple[str, int], list[Figures]] = defaultdict(list)
    with receiving() as url:
        for _ in range(chosen["rounds"]):
            for name, at_once in product(names, (FEW, MANY)):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    figures = pool.apply(_measured, (name, url, at_once, chosen["seconds"]))
                found[name, at_once].append(figures)
    rates = {case: statistics.median(each.rate for each in figures) for case, figures in found.items()}
    print(
        f"client     posts/s: {FEW} at once  {MANY} at once  us CPU each  import ms  distributions  asyncio"
    )
    for name in sorted(names, key=lambda name: -rates[name, MANY]):
        cpu_us = statistics.median(each.cpu_us for each in found[name, MANY])
        import_ms = min(each.import_ms for each in found[name, FEW] + found[name, MANY])
        print(
            f"{name:10} {rates[name, FEW]:19.0f} {rates[name, MANY]:11.0f} {cpu_us:12.0f} {import_ms:10.0f}"
            f" {len(set(_distributions(name))):14}  {'threads' if name in THREADED else 'yes'}"
        )
    best = max((name for name in names if name != IN_USE), key=lambda name: rates[name, MANY])
    what = f"{IN_USE}, the one in use / {best}, the best of the others"
    return 0 if at_least(GOAL, rates[IN_USE, MANY] / rates[best, MANY], what) else 1


def _measured(name: str, url: str, at_once: int, seconds: int) -> Figures:
    """Return the figures of one client, in a process that has imported none."""
    began = time.perf_counter()
    library = import_module(name)
    import_ms = (time.perf_counter() - began) * 1000
    runner = Runner(at_once, seconds)
    client: Callable[[Any, str, Runner], Any] = CLIENTS[name]
    uvloop.run(client(library, url, runner))
    return Figures(import_ms, runner.posts / runner.wall_s, runner.cpu_s / runner.posts * 1_000_000)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _distributions(name: str) -> Iterator[str]:
    """Yield the names of all that an installation of *name* brings, itself included."""
    waiting, seen = [name], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name.lower().replace("_", "-"))


if __name__ == "__main__":
    sys.exit(main())
