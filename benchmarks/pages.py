"""What the first page costs with 10,000 messages against 10, in the server's CPU time, and how much a browser loads.

Two servers on a clock that stands are filled by JSON POST, one with few messages and one with many. Their first page is
then asked for in turn, some times each in one round, over one connection. The weight is the page with many, and all
scripts, styles and pictures that it names, as they are sent. Needs taskset.

    python benchmarks/pages.py [--quick] [--messages 10000] [--rounds 5] [--pages 100]
"""

from __future__ import annotations

import http.client
import re
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_most, sizes
from load import fill
from server import SANDBOX, Server, running

FEW = 10
GOAL = 5.0
GOAL_KB = 150.0
LISTS = {"messages": "/", "requests": "/requests"}


def main() -> int:
    """Measure, print the figures, and say whether they reach the goals."""
    chosen = sizes(
        __doc__,
        messages=Size(10_000, 2_000, "how many are stored in the larger server"),
        rounds=Size(5, 2, "how often each is measured"),
        pages=Size(100, 50, "how many pages each time"),
    )
    with ExitStack() as open_until_end:
        filled = {}
        for count in (FEW, chosen["messages"]):
            server = open_until_end.enter_context(running(SANDBOX, "--clock", "virtual"))
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            fill(connection, count)
            filled[count] = (server, connection)
        is_quick = True
        for name, path in LISTS.items():
            is_quick &= _compared(name, path, filled, chosen["rounds"], chosen["pages"])
        is_light = _light(filled[chosen["messages"]][1])
    return 0 if is_quick and is_light else 1


def _compared(
    name: str,
    path: str,
    filled: dict[int, tuple[Server, http.client.HTTPConnection]],
    rounds: int,
    pages: int,
) -> bool:
    taken: dict[int, list[float]] = {count: [] for count in filled}
    for number in range(rounds + 1):
        for count, (server, connection) in filled.items():
            connection.close()  # the server may have, while the other one was asked
            before = server.cpu_s()
            for _ in range(pages):
                _get(connection, path)
            if number:  # the first round reads templates and warms up
                taken[count].append((server.cpu_s() - before) / pages * 1000)
    few, many = (statistics.median(each) for each in taken.values())
    print(f"{name}: {few:.2f} ms CPU for a page with {FEW}, {many:.2f} ms with {max(filled):,}", flush=True)
    return at_most(GOAL, many / few, f"{name}: first page with {max(filled):,} / with {FEW}, CPU time")


def _light(connection: http.client.HTTPConnection) -> bool:
    page = _get(connection, "/")
    named = re.findall(rb'(?:src|href)="(/static/[^"]+)"', page)
    weights = {"page": len(page), **{path.decode(): len(_get(connection, path.decode())) for path in named}}
    print(", ".join(f"{name} {octets / 1000:.1f}" for name, octets in weights.items()))
    return at_most(GOAL_KB, sum(weights.values()) / 1000, "kB that a browser loads for the first page")


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Accept": "text/html"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return body


if __name__ == "__main__":
    sys.exit(main())
