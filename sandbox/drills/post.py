"""Carrying one report to a receiver: whole, octet by octet, or broken off; and only to addresses that may be reached.

Knows nothing of what is in it.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit, urlunsplit

from sandbox.clock import Deadline, Stopwatch
from sandbox.core.callback_url import url_fault
from sandbox.core.spelling import excerpt
from sandbox.egress import objection
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sandbox.drills.reports import Written

LONGEST_ANSWER: Final = 2048
"""Octets of an answer that are read, as the sandbox reads of a receiver's."""
PAUSE_S: Final = 0.002
"""From one octet to the next."""
FIRST_PAUSE_S: Final = 0.25
"""From the first octet to the second: who takes a body to be what comes first is to see that octet alone."""


class Manner(StrEnum):
    """How a report is sent."""

    WHOLE = "whole"
    OCTET_BY_OCTET = "one octet at a time"
    BROKEN_OFF = "its connection closed in the middle of the body"
    UNHEARD = "its connection closed at the first octet of the answer"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a receiver answered; no *status* where it did not."""

    status: int | None
    ms: int
    text: str = ""
    """The beginning of its body."""
    lost: str | None = None
    """Why there is no answer."""

    def __str__(self) -> str:
        if self.status is None:
            return f"no answer: {self.lost}"
        body = f": {excerpt(self.text, 120)}" if self.text.strip() else ""
        return f"HTTP {self.status} after {self.ms} ms{body}"


class Post:
    """Carries reports to one receiver, each over a connection of its own."""

    def __init__(self, url: str, *, timeout_s: float, allowed: Collection[str] = ()) -> None:
        """Find out where *url* leads, and that somebody listens there.

        Args:
            url: of the receiver.
            timeout_s: for each report, from connecting to its answer.
            allowed: hosts that may be reached although they are public, or the word ``public``.

        Raises:
            ConfigError: *url* is none, may not be reached, or nobody listens there.
        """
        fault = url_fault(url)
        if fault is not None:
            raise ConfigError(f"--callback-url {fault}")
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._timeout_s = timeout_s
        self._address = ""
        self._address = self._resolved(url, {name.lower() for name in allowed})
        try:
            self._connected(timeout_s).close()
        except OSError as error:
            raise ConfigError(
                f"--callback-url {url}: {_cause(error)}; start the receiver, and name the URL that it listens at"
            ) from None

    def carry(self, report: Written, manner: Manner) -> Answered:
        """Send a report, and return what was answered; never raises for what a receiver does."""
        watch = Stopwatch()
        deadline = Deadline(self._timeout_s)
        try:
            with self._connected(self._timeout_s) as line, _shut_after(deadline.left_s(), line):
                connection = HTTPConnection(self._host, self._port)
                connection.default_port = 443 if self._is_tls else 80
                connection.sock = line
                with closing(connection):
                    return self._exchange(connection, line, report, manner, watch)
        except (OSError, HTTPException, ValueError) as error:
            is_late = isinstance(error, TimeoutError) or not deadline.left_s()
            lost = f"nothing whole came within {self._timeout_s:g} s" if is_late else _cause(error)
            return Answered(None, watch.ms(), lost=lost)

    def _exchange(
        self,
        connection: HTTPConnection,
        line: socket.socket,
        report: Written,
        manner: Manner,
        watch: Stopwatch,
    ) -> Answered:
        body = report.body or b""
        connection.putrequest(report.method, _target(report.url))
        for name, value in {**report.headers, "Connection": "close"}.items():
            connection.putheader(name, value)
        if report.body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        match manner:
            case Manner.BROKEN_OFF:
                connection.send(body[: len(body) // 2])
                _hang_up(line)
                return Answered(None, watch.ms(), lost="it was not waited for")
            case Manner.OCTET_BY_OCTET:
                # Who answers before the end has been told enough.
                with suppress(ConnectionError):
                    for position in range(len(body)):
                        connection.send(body[position : position + 1])
                        Event().wait(PAUSE_S if position else FIRST_PAUSE_S)
            case _:
                with suppress(ConnectionError):
                    connection.send(body)
        if manner is Manner.UNHEARD and line.recv(1):
            return Answered(None, watch.ms(), lost="it was not listened to")
        response = connection.getresponse()
        text = response.read(LONGEST_ANSWER).decode("utf-8", "backslashreplace")
        return Answered(response.status, watch.ms(), text)

    def _connected(self, timeout_s: float) -> socket.socket:
        plain = socket.create_connection((self._address, self._port), timeout_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._is_tls:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self._host)

    def _resolved(self, url: str, allowed: Collection[str]) -> str:
        """Return the first of the receiver's addresses that may be reached and where somebody listens."""
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"--callback-url {url}: {_cause(error)}") from None
        addresses = [str(address[0]) for *_, address in found]
        objections = {address: objection(address, self._host, allowed) for address in addresses}
        reachable = [address for address in addresses if objections[address] is None]
        if not reachable:
            raise ConfigError(f"--callback-url {url}: {objections[addresses[0]]}")
        for address in reachable:
            with suppress(OSError), socket.create_connection((address, self._port), self._timeout_s):
                return address
        return reachable[0]


@contextmanager
def _shut_after(seconds: float, line: socket.socket) -> Iterator[None]:
    """Shut a connection once the time is over, however much still comes: a timeout of the socket counts from each octet."""

    def shut() -> None:
        with suppress(OSError):  # it may have ended by itself
            line.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(line: socket.socket) -> None:
    """Close our side of a connection, and see the receiver out: then it has made of it what it does."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_WR)
        while line.recv(LONGEST_ANSWER):
            pass


def _target(url: str) -> str:
    """Return what stands in the request line for *url*."""
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    return urlunsplit(("", "", path, quote(parts.query, safe="/%:@!$&'()*+,;=~?"), ""))


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "nobody answers in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:1].lower() + str(text)[1:]
