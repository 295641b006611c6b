"""A client of a running sandbox: the very octets that are meant, no redirects, no proxies.

Knows nothing of the command line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from sandbox.core.callback_url import url_fault
from sandbox.errors import ConfigError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_TIMEOUT_S: Final = 60.0
"""Without a sign of life; the slowest answers of the default scenario come after 30 s."""
LONGEST_ANSWER: Final = 1 << 20
"""Octets of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


def encoded(parameters: Mapping[str, str], *, as_json: bool = False) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a POST of *parameters*, as a form or as JSON.

    In a form, octets of the command line that are not UTF-8 go out as they are.
    """
    if as_json:
        return "application/json", json.dumps(parameters).encode()
    form = urlencode(parameters, quote_via=quote, safe="", errors="surrogateescape")
    return "application/x-www-form-urlencoded", form.encode()


def base_of(url: str) -> str:
    """Return the base URL of an API that is named by it, or by the endpoint's own address."""
    return _ENDPOINT.sub("", url)


class Client:
    """Asks the sandbox at one address."""

    def __init__(self, url: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Build a client; nothing is connected to yet.

        Args:
            url: ``http://127.0.0.1:7670``, ``http://127.0.0.1:7670/s/test-7``, or the endpoint's own address.
            timeout_s: how long each step of an exchange may take.

        Raises:
            ConfigError: *url* is no URL of HTTP.
        """
        fault = url_fault(url)
        if fault is not None:
            raise ConfigError(f"--url {fault}")
        self.url = base_of(url)
        self._parts = urlsplit(self.url)
        self._timeout_s = timeout_s

    def send(self, parameters: Mapping[str, str], *, as_json: bool = False) -> Reply:
        """Post *parameters* to the endpoint.

        Raises:
            UnreachableError: no answer came.
        """
        content_type, body = encoded(parameters, as_json=as_json)
        return self._exchange("POST", "/sendMtSms.php", body, {"Content-Type": content_type})

    def control(self, path: str) -> dict[str, Any]:
        """Return what the control API shows at *path*, such as ``messages/m1``.

        Raises:
            UnreachableError: no answer came, or none of a sandbox.
        """
        reply = self._exchange("GET", f"/_sandbox/{path}")
        try:
            content = json.loads(reply.body)
        except ValueError:
            content = None
        if reply.status != 200 or not isinstance(content, dict):
            raise UnreachableError(f"{self.url} does not answer as a sandbox: HTTP {reply.status} for {path}")
        return content

    def _exchange(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        try:
            connection.request(method, quote(self._parts.path, safe="/%") + path, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read(LONGEST_ANSWER)
        except (OSError, HTTPException, ValueError) as error:
            raise UnreachableError(f"no answer from {self.url}: {_cause(error)}") from None
        finally:
            connection.close()
        return Reply(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            content.decode("utf-8", "replace"),
        )


def _cause(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; panelsms-sandbox serve starts a sandbox"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


_ENDPOINT = re.compile(r"(?:(?:/httpinput)?/sendMtSms\.php)?/*\Z")
