"""A receiver of reports that does all as it should, and can be told to do one thing wrong; on a real socket."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.core.statuses import FINAL, MEANINGS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Fault(StrEnum):
    """What a receiver can do wrong."""

    FAILS = auto()
    FAILS_AT_FIRST = auto()
    REDIRECTS = auto()
    SAYS_NOTHING = auto()
    REFUSES_ALL = auto()
    STORES_NOTHING = auto()
    STORES_LATER = auto()
    KEEPS_THE_LATEST = auto()
    FAILS_ON_DUPLICATES = auto()
    FORGETS_ON_DUPLICATES = auto()
    CRASHES_ON_WHAT_IT_CANNOT_READ = auto()
    REFUSES_WHAT_IT_DOES_NOT_KNOW = auto()
    TAKES_UNKNOWN_STATUSES_FOR_DELIVERY = auto()
    READS_HALF = auto()
    READS_ONCE = auto()
    TRUSTS_ANYBODY = auto()
    REMEMBERS_FORGERIES = auto()
    REFUSES_OLD_REPORTS = auto()
    KNOWS_LOWER_CASE_ONLY = auto()
    TAKES_ONLY_WHAT_IT_KNOWS = auto()


@dataclass
class Clerk:
    """What a receiver holds, and how it goes about it."""

    folder: Path
    """A file for each transaction id, which holds the status."""
    faults: frozenset[Fault]
    secret: str | None
    url: str = ""
    came: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)

    @property
    def check(self) -> str:
        return f"cat {self.folder}/$TRANSACTION_ID"

    @property
    def prepare(self) -> str:
        return f"touch {self.folder}/$TRANSACTION_ID"

    def handle(self, headers: dict[str, str], body: bytes, query: dict[str, str] | None = None) -> int:
        """Take a report, and return the HTTP status that it is answered; *query* is that of a GET."""
        for fault, answer in ((Fault.FAILS, 500), (Fault.REDIRECTS, 302), (Fault.REFUSES_ALL, 404)):
            if fault in self.faults:
                return answer
        if not self._is_genuine(headers, body):
            return 401
        try:
            report = query or json.loads(body)
            transaction_id, status, at = report["transactionId"], report["status"], report["timestamp"]
            assert isinstance(status, str)
        except (ValueError, KeyError, TypeError, AssertionError):
            return 500 if Fault.CRASHES_ON_WHAT_IT_CANNOT_READ in self.faults else 400
        return self._take(transaction_id, status, at)

    def _take(self, transaction_id: str, status: str, at: str) -> int:
        self.came[transaction_id] += 1
        status = status if Fault.KNOWS_LOWER_CASE_ONLY in self.faults else status.lower()
        file = self.folder / transaction_id
        held = file.read_text() if file.exists() else None
        if Fault.TAKES_ONLY_WHAT_IT_KNOWS in self.faults and held is None:
            return 404
        if Fault.FAILS_AT_FIRST in self.faults and self.came[transaction_id] == 1:
            return 500
        if self.came[transaction_id] > 1 and held == status:
            if Fault.FAILS_ON_DUPLICATES in self.faults:
                return 409
            if Fault.FORGETS_ON_DUPLICATES in self.faults:
                file.unlink()
                return 200
        if Fault.REFUSES_OLD_REPORTS in self.faults and self._is_old(at):
            return 410
        if status not in MEANINGS:
            if Fault.REFUSES_WHAT_IT_DOES_NOT_KNOW in self.faults:
                return 422
            if Fault.TAKES_UNKNOWN_STATUSES_FOR_DELIVERY in self.faults:
                status = "delivered"
        self._store(file, held, status)
        return 204

    def _is_old(self, at: str) -> bool:
        newest = max([at, *(path.name for path in (self.folder / "newest").glob("*"))])
        (self.folder / "newest").mkdir(exist_ok=True)
        (self.folder / "newest" / at).touch()
        return at[:10] != newest[:10]

    def _store(self, file: Path, held: str | None, status: str) -> None:
        if held in FINAL and Fault.KEEPS_THE_LATEST not in self.faults:
            return
        if Fault.STORES_LATER in self.faults:
            threading.Timer(0.15, file.write_text, (status,)).start()
        elif Fault.STORES_NOTHING not in self.faults:
            file.write_text(status)

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        if self.secret is None or Fault.TRUSTS_ANYBODY in self.faults:
            return True
        sent_before = headers.get("webhook-id", "") in self.ids
        if Fault.REMEMBERS_FORGERIES in self.faults:
            self.ids.add(headers.get("webhook-id", ""))
        try:
            Webhook(self.secret).verify(body.decode(), headers)
        except (WebhookVerificationError, json.JSONDecodeError, UnicodeDecodeError) as error:
            return isinstance(error, ValueError)  # what is signed well and no JSON is judged later
        return not sent_before


@contextmanager
def a_clerk(folder: Path, *faults: Fault, secret: str | None = None) -> Iterator[Clerk]:
    """Receive reports while the block runs."""
    clerk = Clerk(folder, frozenset(faults), secret)
    quiet = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            read = self.rfile.read1 if Fault.READS_ONCE in clerk.faults else self.rfile.read
            body = read(length)
            if len(body) < length and Fault.READS_HALF in clerk.faults:
                (clerk.folder / body.decode().split('"')[3]).write_text("delivered")
            if len(body) < length and Fault.READS_ONCE not in clerk.faults:
                return
            self._answer(clerk.handle({name.lower(): value for name, value in self.headers.items()}, body))

        def do_GET(self) -> None:
            query = {"timestamp": "2026-01-01", **dict(parse_qsl(urlsplit(self.path).query))}
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(clerk.handle(headers, b"", query))

        def _answer(self, status: int) -> None:
            if Fault.SAYS_NOTHING in clerk.faults:
                quiet.wait(10)
                return
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: object) -> None:
            """Say nothing of connections that break."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        clerk.url = f"http://127.0.0.1:{server.server_port}/dlr?from=drill"
        try:
            yield clerk
        finally:
            quiet.set()
            server.shutdown()
            thread.join()
