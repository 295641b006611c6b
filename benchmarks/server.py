"""Starting and watching the servers that are measured: each in a process of its own, pinned to one core."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = 0, 1
SANDBOX = (sys.executable, "-m", "sandbox", "serve", "--port")
BASELINE = (sys.executable, str(HERE / "baseline.py"))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU time that it has used so far, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """Return its resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise LookupError("no VmRSS line")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], *options: str) -> Iterator[Server]:
    """Run a server on a free port, on the server's core, and wait until it answers."""
    port = free_port()
    arguments = [*command, str(port), *options]
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=HERE.parent,
    )
    try:
        if not _has_answered(process, port):
            raise RuntimeError(f"this does not serve: {shlex.join(arguments)}")
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _has_answered(process: subprocess.Popen[bytes], port: int, timeout_s: float = 30) -> bool:
    """Return when the server on *port* has answered its first request, or will not: say which."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
                connection.sendall(
                    b"GET /sendMtSms.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                if connection.recv(1):
                    return True
        except ConnectionRefusedError:
            if process.poll() is not None:
                return False
            time.sleep(0.002)
    return False
