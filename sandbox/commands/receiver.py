"""A receiver of reports on a free port of this machine, for the time of one command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from types import TracebackType

LONGEST_REPORT: Final = 65_536
"""Octets of a body that are read."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it came."""

    members: dict[str, Any]
    """Of its JSON object, or of the query of a GET; empty when it is neither."""
    raw: str
    """Its body, or its query."""

    @property
    def status(self) -> str:
        """What became of the message, in lower case; the empty text when the report does not say."""
        return str(self.members.get("status", "")).lower()

    def __str__(self) -> str:
        if not self.status:
            return f"a report that is none: {excerpt(self.raw, 120) or 'it is empty'}"
        when = self.members.get("timestamp") or self.members.get("date")
        code = self.members.get("errorCode")
        why = "" if code is None else f" (errorCode {code}: {self.members.get('errorDescription')})"
        return excerpt(f"{self.status} at {when}{why}", 400)


class Receiver:
    """Takes reports while the block runs; every one is answered 200."""

    def __init__(self) -> None:
        self._reports: SimpleQueue[Report] = SimpleQueue()
        reports = self._reports

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                octets = int(length) if length.isascii() and length.isdigit() and len(length) < 10 else 0
                self._take(_posted(self.rfile.read(min(octets, LONGEST_REPORT)).decode("utf-8", "replace")))

            def do_GET(self) -> None:
                query = urlsplit(self.path).query
                self._take(Report(dict(parse_qsl(query)), query))

            def _take(self, report: Report) -> None:
                reports.put(report)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing: the command shows the reports."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # the last report is answered before the end
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where reports are to go."""
        return f"http://127.0.0.1:{self._server.server_port}/dlr"

    def next(self, timeout_s: float) -> Report | None:
        """Return the next report; None when none comes within *timeout_s*."""
        try:
            return self._reports.get(timeout=timeout_s)
        except Empty:
            return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _posted(body: str) -> Report:
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        members = None
    return Report(members if isinstance(members, dict) else {}, body)
