"""A callback endpoint on loopback that keeps the reports it is sent, and can be down."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any, Self

TIMEOUT_S = 10


@dataclass(frozen=True)
class Received:
    """One attempt at a report, as it came, and when it came by the sandbox's clock."""

    at: datetime
    headers: dict[str, str]
    octets: bytes

    @property
    def report(self) -> dict[str, Any]:
        members = json.loads(self.octets)
        assert isinstance(members, dict)
        return members


class _Server(ThreadingTCPServer):
    daemon_threads = True  # the sandbox keeps its connections
    request_queue_size = 128  # many reports come at once


class Receiver:
    """The endpoint: its port refuses connections until it is opened."""

    now: Callable[[], datetime]
    """The sandbox's clock."""

    def __init__(self) -> None:
        self.answer = 204
        """The status of each answer."""
        self.on_arrival: Callable[[], object] = lambda: None
        """What is done before each answer."""
        self.received: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = TIMEOUT_S

            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(receiver.now(), dict(self.headers), octets))
                receiver.on_arrival()
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        self._serving = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/dlr"

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [one.report for one in self.received]

    @property
    def statuses(self) -> list[str]:
        return [str(report["status"]) for report in self.reports]

    def open(self) -> None:
        self._server.server_activate()
        self._serving.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._serving.is_alive():
            self._server.shutdown()
            self._serving.join()
        self._server.server_close()
