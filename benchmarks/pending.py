"""What reports on a virtual clock cost: scheduling them and advancing through them all, against the bare posts.

Two stories, each with as many messages. In "together", the reports fall due at ten moments, so that 64 are under way at
once; in "apart", each at a moment of its own, and as time stands at each until its receiver has answered, one at a time.
The sandbox's share is all that happens from the call of the endpoint on, without HTTP: the checks, the timeline, the
agenda, the clock, the report, its delivery by HTTP and its record. The bare share is as many posts of the same octets to
the same receiver by aiohttp, as many at once. Both are measured in turn, a tenth at a time, in one process on one core;
the receiver has the other. Needs taskset and Linux.

Memory is measured in processes of their own: resident memory for messages with one report to come, less that for the
same messages with an empty timeline, so with none to come. What remains is the planned change and its place on the agenda.

    python benchmarks/pending.py [--quick] [--messages 100000]
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1]))
from command import Size, at_most, sizes
from load import PARAMETERS
from posting import client, post_all
from receiver import receiving
from server import SERVER_CORE

from sandbox.advance import advance
from sandbox.app import build_engine
from sandbox.carrier import HttpCarrier
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.model import Call
from sandbox.core.scenario import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.engine import Engine

GOAL_RATIO = 1.5
GOAL_KIB = 1.0
PARTS = 10
NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)
LATER = timedelta(hours=1)
REPORTED = Scenario("benchmark", timeline=(Step(LATER, "delivered"),))
UNREPORTED = Scenario("benchmark", timeline=())


class Story(NamedTuple):
    """How the due moments lie."""

    name: str
    at_once: int
    is_apart: bool


STORIES = (Story("together", 64, is_apart=False), Story("apart", 1, is_apart=True))


class Times(NamedTuple):
    """CPU and wall-clock time, in seconds."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Times:
        """Return where the clocks stand."""
        return cls(time.perf_counter(), time.process_time())

    @classmethod
    def sum(cls, all_: Sequence[Times]) -> Times:
        """Return all of them together."""
        return cls(sum(each.wall for each in all_), sum(each.cpu for each in all_))

    def since(self, then: Times) -> Times:
        """Return what has passed since *then*."""
        return Times(self.wall - then.wall, self.cpu - then.cpu)


def main() -> int:
    """Measure, print both shares of each story and the memory, and say whether they reach the goals."""
    messages = sizes(__doc__, messages=Size(100_000, 10_000, "how many, each with one report"))["messages"]
    os.sched_setaffinity(0, {SERVER_CORE})
    # As `serve` has it.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    ratios = {}
    for story in STORIES:
        with receiving() as url:
            ratios[story.name] = uvloop.run(_compared(story, url, messages))
    kib = _memory_kib(REPORTED, messages) - _memory_kib(UNREPORTED, messages)
    reached = at_most(GOAL_KIB, kib, "KiB for each pending report")
    for story in STORIES:
        reached &= at_most(GOAL_RATIO, ratios[story.name], f"sandbox / bare posts, {story.name}")
    return 0 if reached else 1


async def _compared(story: Story, url: str, messages: int) -> float:
    """Return the time the sandbox takes for its messages, as a multiple of what the bare posts take."""
    clock = VirtualClock(NOON)
    carrier = HttpCarrier()
    engine = build_engine(Config(max_messages=messages), scenario=REPORTED, clock=clock, carrier=carrier)
    each = messages // PARTS
    ours, bare, accepting = [], [], []
    for part in range(PARTS):
        calls = [_call(number, url) for number in range(part * each, (part + 1) * each)]
        began = Times.now()
        for call in calls:
            _accept(engine, call)
            if story.is_apart:
                clock.move_to(clock.now() + timedelta(milliseconds=1))
        if not story.is_apart:
            clock.move_to(clock.now() + timedelta(minutes=1))
        accepting.append(Times.now().since(began))
    scheduling = Times.sum(accepting)
    print(f"{story.name:9} scheduled {each * PARTS}: {_told(scheduling, each * PARTS)}", flush=True)
    async with client() as session:
        bodies = [b'{"transactionId":"%09d",%b}' % (number, b" " * 140) for number in range(each)]
        await post_all(session, url, bodies[: story.at_once], at_once=story.at_once)
        for part in range(PARTS):
            began = Times.now()
            until = (
                NOON + LATER + timedelta(milliseconds=(part + 1) * each - 1)
                if story.is_apart
                else NOON + LATER + timedelta(minutes=part)
            )
            attempts = await advance(engine, until)
            ours.append(Times.now().since(began))
            if attempts != each:
                raise RuntimeError(f"{attempts} attempts instead of {each}")
            began = Times.now()
            arrived = await post_all(session, url, bodies, at_once=story.at_once)
            bare.append(Times.now().since(began))
            if arrived != each:
                raise RuntimeError(f"{arrived} bare posts arrived instead of {each}")
            print(
                f"{story.name:9} {(part + 1) * each:6}: sandbox {_told(ours[-1], each)}, bare {_told(bare[-1], each)}",
                flush=True,
            )
    await engine.dispatcher.stop()
    await carrier.close()
    sandbox, posts = Times.sum(ours), Times.sum(bare)
    cpu = (scheduling.cpu + sandbox.cpu) / posts.cpu
    print(f"{story.name:9} CPU time: sandbox / bare posts = {cpu:.2f}", flush=True)
    return (scheduling.wall + sandbox.wall) / posts.wall


def _call(number: int, url: str) -> Call:
    parameters = {
        **PARAMETERS,
        "to": f"+346{number:08}",
        "message": f"{number:08} ".ljust(160, "x"),
        "confirmation": "true",
        "callbackUrl": url,
    }
    return Call("POST", "/sendMtSms.php", parameters)


def _accept(engine: Engine, call: Call) -> None:
    record = engine.handle(call)
    if record.message_number is None:
        raise RuntimeError(record.reason)


def _told(times: Times, count: int) -> str:
    return f"{times.wall / count * 1e6:5.0f} us each ({times.cpu / count * 1e6:.0f} us CPU)"


def _memory_kib(scenario: Scenario, messages: int) -> float:
    """Return the resident memory for each message of a world, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_grown_kib, (scenario, messages))


def _grown_kib(scenario: Scenario, messages: int) -> float:
    return asyncio.run(_grown(scenario, messages))


async def _grown(scenario: Scenario, messages: int) -> float:
    engine = build_engine(Config(max_messages=2 * messages), scenario=scenario, clock=VirtualClock(NOON))
    for number in range(1000):
        _accept(engine, _call(number, "http://127.0.0.1/dlr"))
    before = _resident_kib()
    for number in range(1000, 1000 + messages):
        _accept(engine, _call(number, "http://127.0.0.1/dlr"))
    return (_resident_kib() - before) / messages


def _resident_kib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


if __name__ == "__main__":
    sys.exit(main())
