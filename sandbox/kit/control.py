"""The control API of a running sandbox, asked over connections that are kept: JSON in, JSON out.

Knows nothing of what the answers mean. Threads may share it.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from sandbox.client import base_of
from sandbox.core.callback_url import url_fault
from sandbox.errors import ConfigError, SandboxError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

    from sandbox.core.model import JsonObject

ANSWER_TIMEOUT_S: Final = 60.0
"""Without a sign of life; an advance takes as long as the receivers of its reports do."""


class ControlError(SandboxError):
    """A sandbox will not do what it was asked; *problem* is its document, with a *detail* that says why."""

    def __init__(self, status: int, problem: JsonObject) -> None:
        self.status = status
        self.problem = problem
        super().__init__(problem.get("detail") or f"HTTP {status}")


class _Connections:
    """Connections to one host, each lent to one exchange at a time and kept for the next."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._address = parts.hostname or "", parts.port
        self._timeout_s = timeout_s
        self._idle: list[HTTPConnection] = []

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        """Return an answer and its body; one connection that was closed meanwhile is replaced."""
        while True:
            is_kept = bool(self._idle)
            connection = self._idle.pop() if is_kept else self._kind(*self._address, timeout=self._timeout_s)
            try:
                connection.request(method, path, body, dict(headers))
                response = connection.getresponse()
                content = response.read()
            except ConnectionError:
                # A server lets go of connections that are idle: this one's end was on its way to us.
                connection.close()
                if not is_kept:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                self._idle.append(connection)
                return response, content

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    __del__ = close  # a sandbox elsewhere, asked in passing, leaves no socket behind


class Control:
    """Asks the sandbox, or the session of one, that is at *url*."""

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Build a client; nothing is connected to yet.

        Args:
            url: ``http://127.0.0.1:7670``, ``http://127.0.0.1:7670/s/test-7``, or the endpoint's own address.
            token: the sandbox's admin token, where it has one.
            timeout_s: how long each step of an exchange may take.

        Raises:
            ConfigError: *url* is no URL of HTTP.
        """
        fault = url_fault(url)
        if fault is not None:
            raise ConfigError(f"the sandbox's URL {fault}")
        self.url = base_of(url)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._connections = _Connections(self.url, timeout_s)

    def beneath(self, path: str) -> Control:
        """Return what asks at *path* below, ``/s/test-7``, over the same connections."""
        twin = object.__new__(Control)
        twin.url = self.url + path
        twin._headers = self._headers
        twin._connections = self._connections
        return twin

    def get(
        self, path: str, query: Mapping[str, object] | None = None, *, also: int | None = None
    ) -> JsonObject:
        """Return what stands at *path*, such as ``messages/m1``; a None in *query* is left out."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return self.ask("GET", f"{path}?{urlencode(asked, quote_via=quote)}" if asked else path, also=also)

    def ask(self, method: str, path: str, body: Any = None, *, also: int | None = None) -> JsonObject:
        """Return what the control API answers.

        Args:
            method: of HTTP.
            path: below ``/_sandbox/``; one that begins with a slash stands beside it.
            body: what goes out as JSON; None for nothing.
            also: a status of HTTP that is an answer, though it refuses: its problem document is returned.

        Raises:
            ControlError: it says why not.
            UnreachableError: nobody answers there, or no sandbox does.
        """
        beside = path if path.startswith("/") else f"/_sandbox/{path}"
        target = quote(urlsplit(self.url).path, safe="/%") + beside
        octets = None if body is None else json.dumps(body).encode()
        headers = self._headers if octets is None else {**self._headers, "Content-Type": "application/json"}
        try:
            response, content = self._connections.exchange(method, target, octets, headers)
        except (OSError, HTTPException) as error:
            raise unreachable(self.url, error) from None
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise UnreachableError(
                f"{self.url} does not answer as a sandbox: HTTP {response.status} for {beside}"
            )
        if response.status >= 400 and response.status != also:
            raise ControlError(response.status, answer)
        return answer

    def close(self) -> None:
        """Let go of the connections; those who share them open new ones."""
        self._connections.close()


def unreachable(url: str, error: Exception) -> UnreachableError:
    """Return what to say when an exchange with the sandbox at *url* has failed so."""
    if isinstance(error, ConnectionRefusedError):
        cause = "connection refused; panelsms-sandbox serve starts one"
    else:
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UnreachableError(f"no sandbox answers at {url}: {cause}")
