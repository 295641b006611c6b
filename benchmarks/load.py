"""Loading a server with wrk from the other core, and what came of it: requests a second and CPU time for each."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from server import LOAD_CORE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPConnection

    from server import Server

PATH = "/sendMtSms.php"
CONNECTIONS = 64
BUSY = 0.9
"""The share of a core that a server must have used for a round to count."""

PARAMETERS = {
    "user": "you@example.com",
    "apiKey": "a-key-of-20-letters.",
    "to": "+34600000001",
    "message": "Your verification code is: 482913",
    "senderId": "VERIFY",
}


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: requests a second, and the server's CPU time for each."""

    rate: float
    cpu_us: float
    busy: float

    def __str__(self) -> str:
        mark = "" if self.busy >= BUSY else "  (its core was not busy: says nothing)"
        return f"{self.rate:8.0f} requests/s  {self.cpu_us:6.1f} us CPU each  core {self.busy:4.0%}{mark}"


def sends(method: str) -> str:
    """Return the Lua that has wrk make a thousand sends in turn, no two of them to one number or with one text.

    Args:
        method: ``GET``, or ``POST`` for bodies of JSON.
    """
    requests = []
    for n in range(1000):
        code = n * 7919 % 1_000_000
        parameters = PARAMETERS | {
            "to": f"+34600000{n:03}",
            "message": f"Your verification code is: {code:06}",
        }
        if method == "GET":
            requests.append(f"GET', '{PATH}?{urlencode(parameters)}'")
        else:
            requests.append(
                f"POST', '{PATH}', {{['Content-Type'] = 'application/json'}}, '{json.dumps(parameters)}'"
            )
    return _IN_TURN % ",\n".join(f"wrk.format('{request})" for request in requests)


_IN_TURN = """
local requests, last = nil, 0
function init()
  requests = {%s}
end
function request()
  last = last %% #requests + 1
  return requests[last]
end
"""


def median(rounds: Sequence[Round]) -> Round:
    """Return the median round of those in which the server was busy; of all where it was busy in none."""
    counting = [each for each in rounds if each.busy >= BUSY] or rounds
    return sorted(counting, key=lambda each: each.rate)[len(counting) // 2]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two servers that were loaded in turn: the median of what neighbours make against each other."""

    rate: float
    """Requests a second of the first, against the second's."""
    lowest: float
    highest: float
    cpu: float
    """CPU time for each request, likewise."""
    more_us: float
    """How much more of it the first takes."""
    rounds: int
    """How many counted: those in which both were busy, or all where there were none."""

    def __str__(self) -> str:
        return f"{self.lowest:.2f} to {self.highest:.2f} in {self.rounds} rounds; CPU each {self.cpu:.2f}"


def compare(ones: Sequence[Round], others: Sequence[Round]) -> Compared:
    """Return what rounds make against those beside them: whatever else the machine does slows neighbours alike."""
    pairs = [*zip(ones, others, strict=True)]
    pairs = [pair for pair in pairs if min(pair[0].busy, pair[1].busy) >= BUSY] or pairs
    rates = [one.rate / other.rate for one, other in pairs]
    return Compared(
        statistics.median(rates),
        min(rates),
        max(rates),
        statistics.median(one.cpu_us / other.cpu_us for one, other in pairs),
        statistics.median(one.cpu_us - other.cpu_us for one, other in pairs),
        len(pairs),
    )


def warm_up(server: Server, script: str) -> None:
    """Load a server for a second, so that what happens once only has happened."""
    _wrk(server, script, 1)


def measure(server: Server, script: str, seconds: int) -> Round:
    """Load a server with what *script* sends; it is Lua, as wrk takes it."""
    before = server.cpu_s()
    requests = _wrk(server, script, seconds)
    used_s = server.cpu_s() - before
    return Round(requests / seconds, used_s / requests * 1_000_000, used_s / seconds)


def fill(connection: HTTPConnection, messages: int) -> None:
    """Send messages of 160 characters, one after the other, of which no two share a text or a number."""
    for number in range(messages):
        parameters = {**PARAMETERS, "to": f"+346{number:08}", "message": f"{number:08} ".ljust(160, "x")}
        connection.request("POST", PATH, json.dumps(parameters), {"Content-Type": "application/json"})
        answer = connection.getresponse().read()
        if not answer.startswith(b'{"response":{"status":"OK"'):
            raise RuntimeError(answer)


def _wrk(server: Server, script: str, seconds: int) -> int:
    """Load the server, and return how many requests it answered."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        output = subprocess.run(
            [
                *("taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"),
                *("-s", file.name, f"http://127.0.0.1:{server.port}"),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found = re.search(r"([0-9]+) requests in", output)
    if found is None or "Non-2xx" in output:
        raise RuntimeError(output)
    return int(found[1])
