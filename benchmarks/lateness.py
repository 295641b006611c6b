"""How late reports are in real time, at 300 a second, beside bare timers of asyncio that send nothing.

A message comes every 1/300 s, and its report is due a second later. It is late by what lies between that moment and its
arrival at the receiver, so the way there counts too. A bare timer is set a second ahead just as often, and is late by
what lies between its moment and its call. Both have the same event loop on the same core, in turn, a few seconds at a
time; the receiver has the other core. The first reports are left out, as they wait until aiohttp is imported; how
long is printed. Needs taskset and Linux.

    python benchmarks/lateness.py [--quick] [--rounds 4] [--seconds 5]
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1]))
from command import Size, at_most, sizes
from load import PARAMETERS
from receiver import receiving
from server import SERVER_CORE

from sandbox.app import build_engine
from sandbox.carrier import HttpCarrier
from sandbox.config import Config
from sandbox.core.model import Call
from sandbox.core.scenario import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.engine import Engine

GOAL_MS = 50.0
RATE = 300
AHEAD_S = 1.0
SCENARIO = Scenario("benchmark", timeline=(Step(timedelta(seconds=AHEAD_S), "delivered"),))


def main() -> int:
    """Measure, print both distributions, and say whether the difference reaches the goal."""
    chosen = sizes(
        __doc__,
        rounds=Size(4, 1, "how often each is measured"),
        seconds=Size(5, 3, "how long each time"),
    )
    os.sched_setaffinity(0, {SERVER_CORE})
    # As `serve` has it.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    with receiving() as url:
        reports, timers = uvloop.run(_measured(url, **chosen))
    _tell("reports", reports)
    _tell("timers", timers)
    later = _share(reports, 0.99) - _share(timers, 0.99)
    return 0 if at_most(GOAL_MS, later, "p99 of the reports, less that of the timers, in ms") else 1


async def _measured(url: str, *, rounds: int, seconds: int) -> tuple[list[float], list[float]]:
    """Return how late reports and timers were, in ms."""
    carrier = HttpCarrier()
    engine = build_engine(Config(), scenario=SCENARIO, carrier=carrier)
    first = await _reports(engine, url, 1)
    print(f"the first report, which waits for aiohttp, was {first[0]:.0f} ms late", flush=True)
    reports, timers = [], []
    for _ in range(rounds):
        reports += await _reports(engine, url, RATE * seconds)
        timers += await _timers(RATE * seconds)
        print(f"{len(reports)} of {RATE * seconds * rounds}", flush=True)
    await engine.dispatcher.stop()
    await carrier.close()
    return reports, timers


async def _reports(engine: Engine, url: str, count: int) -> list[float]:
    """Return how late each of *count* reports was."""
    parameters = {**PARAMETERS, "confirmation": "true", "callbackUrl": url}
    due: dict[str, float] = {}

    def accept() -> None:
        record = engine.handle(Call("POST", "/sendMtSms.php", parameters))
        message = engine.store.message(record.message_number or 0)
        if message is None:
            raise RuntimeError(record.reason)
        due[message.transaction_id] = message.timeline[0].send_at.timestamp()

    await _spread(accept, count)
    await engine.dispatcher.quiet()
    arrivals = await asyncio.to_thread(_arrivals, url)
    if arrivals.keys() != due.keys():
        raise RuntimeError(f"{len(arrivals)} of {len(due)} reports arrived")
    return [(arrivals[each] - due[each]) * 1000 for each in due]


def _arrivals(url: str) -> dict[str, float]:
    """Return when each report arrived since this was last asked, by transaction id."""
    with urlopen(url) as answer:
        arrivals: dict[str, float] = json.load(answer)
        return arrivals


async def _timers(count: int) -> list[float]:
    """Return how late each of *count* bare timers was."""
    loop = asyncio.get_running_loop()
    late: list[float] = []

    def begin() -> None:
        at = time.time() + AHEAD_S
        loop.call_later(AHEAD_S, lambda: late.append((time.time() - at) * 1000))

    await _spread(begin, count)
    return late


async def _spread(action: Callable[[], None], count: int) -> None:
    """Call *action* so often, evenly, and return when what it has set has come."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for number in range(count):
        loop.call_at(begin + number / RATE, action)
    await asyncio.sleep(count / RATE + AHEAD_S + 0.5)


def _tell(name: str, late: Sequence[float]) -> None:
    shares = "  ".join(f"p{share:g} {_share(late, share / 100):6.2f}" for share in (50, 90, 99))
    print(f"{name:8} late by, in ms: {shares}  max {max(late):6.2f}  ({len(late)} at {RATE} a second)")


def _share(late: Sequence[float], share: float) -> float:
    """Return what that share of all was not later than."""
    return sorted(late)[min(len(late) - 1, int(share * len(late)))]


if __name__ == "__main__":
    sys.exit(main())
