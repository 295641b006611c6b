"""The exchanges of ``contract/examples``, replayed: sent octet by octet, and held against what comes back.

Knows nothing of how they are written in their files, or of the command that shows the verdicts.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from sandbox.client import base_of
from sandbox.contract import error_codes, reading_rows
from sandbox.core.callback_url import url_fault
from sandbox.core.masking import without_secrets
from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError
from sandbox.exchanges import Example, Expected, Given, Request, load_examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import Receive, Scope, Send

    from sandbox.core.scenario import Scenario

TIMEOUT_S: Final = 10.0
"""How long each step of an exchange may take."""
CLOSING_S: Final = 1.0
"""How long a server may take to close a connection after its answer."""
LONGEST_ANSWER: Final = 1 << 20
"""Octets of an answer that are read."""
NOW: Final = datetime(2024, 1, 15, 10, 30, 45, tzinfo=UTC)
"""Where the clock of our own server stands for an exchange that names no moment."""

_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


# -- on the wire ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """Where exchanges are sent."""

    host: str
    port: int
    base_path: str = ""
    is_tls: bool = False

    @classmethod
    def at(cls, url: str) -> Server:
        """Return the server at a base URL, ``http://127.0.0.1:7670/s/test-7``, or at the endpoint's own address.

        Raises:
            ConfigError: *url* is no URL of HTTP.
        """
        fault = url_fault(url)
        if fault is not None:
            raise ConfigError(f"--base-url {without_secrets(fault)}")
        parts = urlsplit(base_of(url))
        if parts.query or parts.fragment:
            raise ConfigError("--base-url ends with its path: leave out what begins with ? or #")
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        return cls(parts.hostname or "", port, quote(parts.path.rstrip("/"), safe="/%"), is_tls)

    @property
    def url(self) -> str:
        """The base URL, for people: without a password that may have been in it."""
        return f"{'https' if self.is_tls else 'http'}://{self.authority}{self.base_path}"

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        """Return a connection.

        Raises:
            OSError: there is none to be had.
        """
        connection = socket.create_connection((self.host, self.port), TIMEOUT_S)
        if not self.is_tls:
            return connection
        return ssl.create_default_context().wrap_socket(connection, server_hostname=self.host)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_closed: bool
    """Whether the server closed the connection after it."""


def to_http(request: Request, server: Server) -> bytes:
    """Return the octets of a request, for one connection each."""
    if request.raw is not None:
        return request.raw
    headers = {"Host": server.authority, "Connection": "close", **request.headers}
    if request.body or request.method in _METHODS_WITH_BODY:
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {server.base_path}{request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def exchange(request: Request, server: Server) -> Answer:
    """Send one request and return its answer.

    Raises:
        OSError: the connection failed, or nothing came in time.
        HTTPException: what came is no HTTP answer.
    """
    with server.connect() as connection:
        with suppress(OSError):  # whoever closes before all was sent may have answered all the same
            connection.sendall(to_http(request, server))
        with HTTPResponse(connection, method=request.method) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = response.read(LONGEST_ANSWER)
        return Answer(response.status, headers, body, is_closed=_is_closed(connection))


def cause(error: Exception) -> str:
    """Return why there is no answer, in printable ASCII."""
    return excerpt(str(error), 200) or type(error).__name__


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(CLOSING_S)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


# -- replaying -----------------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """What became of an exchange."""

    PASSED = "ok"
    FAILED = "FAILED"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an exchange went as it should, and why not."""

    example: Example
    outcome: Outcome
    why: str | None = None
    answer: Answer | None = None

    @property
    def line(self) -> str:
        """How the command ``contract`` shows it: ``FAILED   answer-text: the status is 500, not 200``."""
        text = f"{self.outcome:<7}  {self.example.name}"
        return f"{text}: {self.why}" if self.why else text


def replay(example: Example, server: Server) -> Verdict:
    """Send one exchange to a server that is as the exchange needs it, and judge the answer."""
    try:
        for request in example.given.before:
            exchange(request, server)
        answer = exchange(example.request, server)
    except (OSError, HTTPException) as error:
        return Verdict(example, Outcome.FAILED, f"no answer: {cause(error)}")
    faults = list(_faults(example.expected, answer))
    if faults:
        return Verdict(example, Outcome.FAILED, "; ".join(faults), answer)
    return Verdict(example, Outcome.PASSED, answer=answer)


def run_all(report: Callable[[Verdict], None]) -> None:
    """Replay every exchange against a server of our own, which is set up for each, and report each verdict as it falls."""
    with own_server() as judge:
        for example in load_examples():
            report(judge(example))


def _faults(expected: Expected, answer: Answer) -> Iterator[str]:
    if answer.status != expected.status:
        yield f"the status is {answer.status}, not {expected.status}"
    content_type = answer.headers.get("content-type", "")
    media_type, _, parameters = content_type.lower().partition(";")
    if expected.media_type is not None and media_type.strip() != expected.media_type:
        yield f"the Content-Type is {excerpt(content_type) or 'absent'}, not {expected.media_type}"
    elif "charset" in parameters and "utf-8" not in parameters:
        yield f"the Content-Type is {excerpt(content_type)}, not UTF-8"
    body = answer.body.decode("utf-8", "backslashreplace")
    if expected.body is not None and body != expected.body:
        yield f'the body is "{excerpt(body, 200)}", not "{excerpt(expected.body, 200)}"'
    if expected.body_matches is not None and not re.fullmatch(expected.body_matches, body):
        yield f'the body is "{excerpt(body, 200)}", which does not match {expected.body_matches}'
    for name, value in (expected.headers or {}).items():
        if answer.headers.get(name.lower()) != value:
            yield f"{name} is {answer.headers.get(name.lower(), 'absent')}, not {value}"
    if expected.closes:
        if not answer.is_closed:
            yield "the connection stays open"
    elif (
        "x-sandbox-request-id" in answer.headers
    ):  # the headers can be switched off, and other servers have none
        error, hint = (answer.headers.get(f"x-sandbox-{name}") for name in ("error", "hint"))
        yield from _sentence_faults("X-Sandbox-Error", error, expected.error_has, is_due=expected.is_error)
        yield from _sentence_faults(
            "X-Sandbox-Hint", hint, expected.hint_has, is_due=expected.hint_has is not None
        )


def _sentence_faults(name: str, sentence: str | None, part: str | None, *, is_due: bool) -> Iterator[str]:
    if is_due and sentence is None:
        yield f"{name} is absent"
    elif sentence is not None and not is_due:
        yield f"{name} is there: {sentence}"
    elif sentence is not None and part is not None and part not in sentence:
        yield f"{name} is {sentence!r}, which does not say {part!r}"


# -- servers -------------------------------------------------------------------------------------------------


class _Stage:
    """An ASGI application whose world is made anew for each exchange."""

    def __init__(self) -> None:
        self.prepare(Given())

    def prepare(self, given: Given) -> None:
        from sandbox.app import create_app  # noqa: PLC0415 - a server elsewhere needs none of ours
        from sandbox.clock import VirtualClock  # noqa: PLC0415
        from sandbox.config import Config  # noqa: PLC0415

        self._app = create_app(
            Config(readings=given.readings or {}),
            scenario=_scenario(given),
            clock=VirtualClock(given.now or NOW),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


@contextmanager
def own_server() -> Iterator[Callable[[Example], Verdict]]:
    """Serve in a thread while the block runs, and give it what judges an exchange in a world of its own."""
    from sandbox.serving import serving  # noqa: PLC0415 - a server elsewhere needs none of ours

    stage = _Stage()

    def judge(example: Example) -> Verdict:
        stage.prepare(example.given)
        return replay(example, server)

    with serving(stage) as url:
        server = Server.at(url)
        yield judge


@cache
def _default_scenario() -> Scenario:
    from sandbox.sources import builtin  # noqa: PLC0415 - a server elsewhere needs none of ours

    return builtin("default").scenario


def _scenario(given: Given) -> Scenario:
    """Return the scenario "default", or one with the accounts that are given and nothing else."""
    if not given.accounts:
        return _default_scenario()
    from sandbox.scenario_files import load  # noqa: PLC0415 - a server elsewhere needs none of ours

    content = json.dumps({"name": "example", "accounts": given.accounts})  # JSON is YAML
    codes = {row.code for row in error_codes()}
    return load(content, file="accounts", reading_rows=reading_rows(), codes=codes)
