"""What the pytest fixture costs: how much it adds to a test, how soon the first test begins, and what is left behind.

Half of the tests of one run send a message in a sandbox of their own, the others to one that all share. The first test
is compared with a run whose test asks for no fixture; the difference is held against how long serving takes to be
ready. Needs taskset.

    python benchmarks/fixture.py [--quick] [--tests 1000] [--rounds 7]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from command import Size, at_most, sizes
from server import HERE, SANDBOX, SERVER_CORE, running

GOAL_MS = 5.0
GOAL_FIRST = 1.3

TESTS = """
import http.client, pytest, urllib.parse
from urllib.parse import urlsplit

BODY = "user=you%40example.com&apiKey=key&to=%2B1222333444&message=Hello"

def send(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", parts.path, BODY, {"Content-Type": "application/x-www-form-urlencoded"})
    assert connection.getresponse().read().startswith(b"OK_")
    connection.close()

@pytest.mark.parametrize("number", range(TESTS))
class TestInTurn:
    def test_with(self, number, sms_sandbox):
        send(sms_sandbox.send_url)

    def test_without(self, number, shared):
        send(shared)

@pytest.fixture(scope="session")
def shared(sms_sandbox_server):
    return sms_sandbox_server.send_url

def test_no_session_is_left(sms_sandbox_server):
    assert sms_sandbox_server.control.get("sessions")["total"] == 0
"""

CONFTEST = """
import json, os, threading, time, pytest

taken = {"test_with": [], "test_without": []}

def held():
    sockets = sum(os.readlink(f"/proc/self/fd/{fd}").startswith("socket:") for fd in os.listdir("/proc/self/fd")
                  if os.path.lexists(f"/proc/self/fd/{fd}"))
    return {"threads": threading.active_count(), "sockets": sockets}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    began = time.perf_counter()
    outcome = yield
    taken.get(item.originalname, []).append((time.perf_counter() - began) * 1000)
    return outcome

def pytest_configure():
    global before
    before = held()

def pytest_sessionfinish(session):
    after = held()
    with open(os.environ["FOUND"], "w") as file:
        json.dump({"taken": taken, "left": {name: after[name] - before[name] for name in after},
                   "failed": session.testsfailed}, file)
"""

FIRST = """
import os, time
began_at = time.clock_gettime(time.CLOCK_MONOTONIC)

def test_first({fixture}):
    with open(os.environ["FOUND"], "w") as file:
        file.write(str(time.clock_gettime(time.CLOCK_MONOTONIC)))
"""


def main() -> int:
    """Measure, print the figures, and say whether they reach the goals."""
    chosen = sizes(
        __doc__,
        tests=Size(1000, 100, "how many tests of each kind are run"),
        rounds=Size(7, 3, "how often each first test is started"),
    )
    with tempfile.TemporaryDirectory() as folder:
        is_cheap = _added(Path(folder), chosen["tests"])
    return 0 if all([is_cheap, _first(chosen["rounds"])]) else 1


def _added(folder: Path, tests: int) -> bool:
    """Measure what the fixture adds, and look at what a run leaves behind."""
    (folder / "test_fixture.py").write_text(TESTS.replace("TESTS", str(tests)), "utf-8")
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    found = json.loads(_pytest(folder))
    medians = {name: statistics.median(times[1:]) for name, times in found["taken"].items()}
    for name, median in medians.items():
        print(f"{name:12} {median:6.2f} ms (median of {tests})")
    left = ", ".join(f"{number} {what}" for what, number in found["left"].items())
    print(
        f"left behind by {2 * tests} tests: {left}, no session"
        if not found["failed"]
        else "sessions are left behind"
    )
    is_clean = not found["failed"] and not any(found["left"].values())
    return (
        at_most(GOAL_MS, medians["test_with"] - medians["test_without"], "ms that the fixture adds")
        and is_clean
    )


def _first(rounds: int) -> bool:
    """Measure how long the first test waits for its sandbox, against how long serving takes to be ready."""
    taken: dict[str, list[float]] = {"serve": [], "no fixture": [], "sms_sandbox": []}
    for _ in range(rounds + 1):
        began = time.monotonic()
        with running(SANDBOX):
            taken["serve"].append((time.monotonic() - began) * 1000)
        for name, fixture in (("no fixture", ""), ("sms_sandbox", "sms_sandbox")):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "test_first.py").write_text(FIRST.format(fixture=fixture), "utf-8")
                began = time.clock_gettime(time.CLOCK_MONOTONIC)
                taken[name].append((float(_pytest(Path(folder))) - began) * 1000)
    # The first round reads files that later ones find in memory.
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    print(
        f"serve        {medians['serve']:6.0f} ms from process start to the first answer (median of {rounds})"
    )
    for name in ("no fixture", "sms_sandbox"):
        print(f"{name:12} {medians[name]:6.0f} ms from process start to the first test")
    waited = medians["sms_sandbox"] - medians["no fixture"]
    return at_most(GOAL_FIRST, waited / medians["serve"], "what the fixture adds to the first test / serve")


def _pytest(folder: Path) -> str:
    """Run the tests in *folder* on the server's core, and return what they have found."""
    found = folder / "found"
    environment = {**os.environ, "FOUND": str(found), "PYTHONPATH": str(HERE.parent)}
    plugins = ("-p", "panelsms_sandbox_pytest", "-p", "no:cacheprovider", "-p", "no:randomly")
    subprocess.run(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "pytest", "-q", *plugins, str(folder)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return found.read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
