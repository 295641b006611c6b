"""How much memory a stored message takes, together with its request record.

Messages are sent to a running server over one connection each in turn by JSON POST; its resident memory is read before
and after, once it has been warmed up. Needs taskset.

    python benchmarks/memory.py [--quick] [--messages 20000]
"""

from __future__ import annotations

import http.client
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_most, sizes
from load import fill
from server import SANDBOX, running

GOAL_KIB = 4.0
WARM_UP = 2000


def main() -> int:
    """Measure, print the figure, and say whether it reaches the goal."""
    messages = sizes(__doc__, messages=Size(20_000, 5_000, "how many are sent"))["messages"]
    with running(SANDBOX) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        fill(connection, WARM_UP)
        before = server.memory_kib()
        fill(connection, messages)
        each = (server.memory_kib() - before) / messages
        connection.close()
    return 0 if at_most(GOAL_KIB, each, "KiB for each stored message with its request record") else 1


if __name__ == "__main__":
    sys.exit(main())
