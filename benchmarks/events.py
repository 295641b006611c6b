"""What a hundred who watch cost the endpoint, and how soon a message is seen in an open page while it is under load.

wrk sends by GET from the other core, and the server's CPU time for each request is compared in one run: nobody watching,
so many open streams of events, and as many open pages. What those who watch cost is a share of the core, the same however
many requests there are: the CPU time that each takes more, times how many there were in a second. A core that is busy
answers so many fewer. A page does what its script does: it listens, asks for itself
afresh when it is told of something, and rests for 300 ms. How soon a message is seen is measured with one page that
searches for a number which the load does not send to: from the answer of the endpoint to the page that shows it, as events
under such a load tell of the newest records only. Needs wrk and taskset.

    python benchmarks/events.py [--quick] [--watchers 100] [--rounds 3] [--seconds 4] [--messages 20]
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import select
import socket
import statistics
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_most, sizes
from load import PARAMETERS, Round, measure, median, sends, warm_up
from server import LOAD_CORE, SANDBOX, Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Event

GOAL = 0.2
GOAL_S = 1.0
REST_S = 0.3
SENDS = sends("GET")
OTHER = "+34999999"


def main() -> int:
    """Measure, print the figures, and say whether they reach the goals."""
    chosen = sizes(
        __doc__,
        watchers=Size(100, 100, "how many streams and pages are open"),
        rounds=Size(3, 1, "how often each is measured"),
        seconds=Size(4, 2, "how long each time"),
        messages=Size(20, 5, "how many are looked for"),
    )
    rounds: dict[str, list[Round]] = {"nobody": [], "streams": [], "pages": []}
    for _ in range(chosen["rounds"]):
        for who, measured in rounds.items():
            with running(SANDBOX, "--max-messages", "20000") as server:
                warm_up(server, SENDS)
                watchers = 0 if who == "nobody" else chosen["watchers"]
                with _watching(server, watchers, has_pages=who == "pages") as asked:
                    before = asked.value
                    measured.append(measure(server, SENDS, chosen["seconds"]))
                    pages = (asked.value - before) / chosen["seconds"]
            print(f"{who:8} {measured[-1]}  {pages:4.0f} pages/s", flush=True)
    alone = median(rounds["nobody"]).cpu_us
    reached = []
    for who in ("streams", "pages"):
        costs = [(each.cpu_us - alone) * each.rate / 1_000_000 for each in rounds[who]]
        what = f"share of a core that {chosen['watchers']} {who} cost"
        reached.append(at_most(GOAL, statistics.median(costs), what))
    with running(SANDBOX, "--max-messages", "20000") as server:
        seen = _seen(server, chosen["messages"])
    print(f"from the answer to the page that shows the message: median {statistics.median(seen):.2f} s")
    reached.append(at_most(GOAL_S, max(seen), f"s from answer to page, the longest of {len(seen)}"))
    return 0 if all(reached) else 1


# -- those who watch ----------------------------------------------------------------------------------------------


@contextmanager
def _watching(server: Server, count: int, *, has_pages: bool) -> Iterator[Synchronized[int]]:
    """Let so many watch from the load's core while the block runs; give how many pages they have got."""
    got = multiprocessing.Value("l", 0)
    if not count:
        yield got
        return
    are_there = multiprocessing.Event()
    process = multiprocessing.Process(
        target=_watch, args=(server.port, count, has_pages, are_there, got), daemon=True
    )
    process.start()
    are_there.wait(30)
    try:
        yield got
    finally:
        process.terminate()
        process.join()


def _watch(port: int, count: int, has_pages: bool, are_there: Event, got: Synchronized[int]) -> None:  # noqa: FBT001 - of a process
    """Read so many streams for ever, and ask for a page when one tells of something."""
    os.sched_setaffinity(0, {LOAD_CORE})
    streams = [_stream(port) for _ in range(count)]
    pages = {stream: http.client.HTTPConnection("127.0.0.1", port) for stream in streams}
    rested_at = dict.fromkeys(streams, 0.0)
    has_news = dict.fromkeys(streams, False)
    waiting: dict[socket.socket, socket.socket] = {}
    poll = select.poll()
    by_number = {}
    for stream in streams:
        poll.register(stream, select.POLLIN)
        by_number[stream.fileno()] = stream
    are_there.set()
    while True:
        for number, _ in poll.poll(50):
            stream = by_number[number]
            if stream in waiting:  # the answer to a page's own question
                page = waiting.pop(stream)
                poll.unregister(number)
                del by_number[number]
                pages[page].getresponse().read()
                got.value += 1
                rested_at[page] = time.monotonic() + REST_S
            else:
                has_news[stream] |= b"event: " in stream.recv(1 << 20)
        now = time.monotonic()
        asking = set(waiting.values())
        for stream in streams if has_pages else ():
            if has_news[stream] and now >= rested_at[stream] and stream not in asking:
                has_news[stream] = False
                _ask(pages[stream])
                answer = pages[stream].sock
                poll.register(answer, select.POLLIN)
                by_number[answer.fileno()] = answer
                waiting[answer] = stream


def _ask(page: http.client.HTTPConnection, path: str = "/") -> None:
    page.request("GET", path, headers={"Accept": "text/html", "Sandbox-Told": "1"})


def _stream(port: int) -> socket.socket:
    """Open a stream of events, and read what it begins with."""
    stream = socket.create_connection(("127.0.0.1", port))
    stream.sendall(b"GET /_sandbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while b"retry:" not in received:
        received += stream.recv(1 << 16)
    return stream


# -- how soon a message is seen -----------------------------------------------------------------------------------


def _seen(server: Server, messages: int) -> list[float]:
    """Return for each message how long after its answer a page showed it, in seconds."""
    load = threading.Thread(target=measure, args=(server, SENDS, 2 + messages))
    load.start()
    time.sleep(1)
    stream = _stream(server.port)
    page, sender = (http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(2))
    seen = []
    for number in range(messages):
        to = f"{OTHER}{number:04}"
        query = urlencode({**PARAMETERS, "to": to, "message": "Look for this"})
        sender.request("GET", f"/sendMtSms.php?{query}")
        sender.getresponse().read()
        answered_at = time.monotonic()
        while True:
            if b"event: " in stream.recv(1 << 20):
                _ask(page, f"/?{urlencode({'q': f'to:{to}'})}")
                if b"Look for this" in page.getresponse().read():
                    break
                time.sleep(REST_S)
        seen.append(time.monotonic() - answered_at)
    if not load.is_alive():
        raise RuntimeError("the load was over before the last message was seen")
    load.join()
    return seen


if __name__ == "__main__":
    sys.exit(main())
