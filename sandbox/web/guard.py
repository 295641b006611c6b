"""Who may ask the control API and the pages: the Host that is asked, the site that asks, and the admin token.

Wraps the application that answers them; the endpoint never comes by here. The decisions are pure functions.
Source: INTERFACE, "Who may ask"; RFC 6750 (bearer tokens), RFC 6454 (Origin), RFC 6265 (cookies).
"""

from __future__ import annotations

import hmac
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from sandbox.core.spelling import excerpt
from sandbox.web.problems import problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    Headers = Iterable[tuple[bytes, bytes]]

OPEN: Final = "/_sandbox/health"
"""What is answered without a token."""

TOKEN_COOKIE: Final = "panelsms_sandbox_token"  # noqa: S105 - the name of the cookie

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="panelsms-sandbox"'}
"""The header that an answer 401 carries."""

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""

_OWN_NAMES: Final = frozenset({"localhost", "host.docker.internal"})
_SINGLE_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class Guard:
    """Lets through to an application what may come."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None = None,
        allow_host: Collection[str] = (),
        sign_in: ASGIApp | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: what is guarded.
            token: what the control API must be asked with; None: nothing.
            allow_host: names that Host may be besides those that can only be meant.
            sign_in: answers for the pages while somebody has not shown the token; None: with a problem, as the
                control API does.
        """
        self._app = app
        self._token = token
        self._allow_host = frozenset(map(_plain, allow_host))
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        headers = scope["headers"]
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        answer: ASGIApp = self._app
        if fault := host_fault(_values(headers, b"host"), self._allow_host):
            answer = problem(421, fault)
        elif scope["method"] not in SAFE and (fault := site_fault(headers, self._allow_host)):
            answer = problem(403, fault)
        elif self._token is not None and path != OPEN and not has_token(headers, self._token):
            is_control = path.startswith("/_sandbox") or scope["method"] not in SAFE | {"POST"}
            answer = _UNAUTHORIZED if is_control or self._sign_in is None else self._sign_in
        await answer(scope, receive, send)


def host_fault(hosts: Sequence[str], allowed: Collection[str]) -> str | None:
    """Return why a request for these Hosts is not answered, None when it is.

    A page of another site whose name has come to mean this machine (DNS rebinding) asks with that site's Host.

    Args:
        hosts: the values of the header; a request has one.
        allowed: names that are let pass besides IP addresses, localhost, names without a dot and
            host.docker.internal.
    """
    if not hosts:
        return "the request has no Host: name the address in it, such as 127.0.0.1:7670"
    for host in hosts:
        name = host_name(host)
        if name is None or not (_is_own(name) or name in allowed):
            return (
                f"the control API and the pages do not answer to the Host {excerpt(host) or 'without a name'}: "
                f"ask by IP address or as localhost, or start with --allow-host {excerpt(name or 'NAME')}"
            )
    return None


def site_fault(headers: Headers, allowed: Collection[str] = ()) -> str | None:
    """Return why a write is refused that a page of another site has a browser make, None when it is none.

    Args:
        headers: of the request.
        allowed: hosts that are known to be ours whatever Host says, as behind a proxy.
    """
    hosts = {host_name(host) for host in _values(headers, b"host")}
    for origin in _values(headers, b"origin"):
        site = _site(origin)
        if site is None or (site not in hosts and site not in allowed):
            return (
                f"a page of another site, {excerpt(origin, 80) or 'without a name'}, may change nothing here"
            )
    if "cross-site" in _values(headers, b"sec-fetch-site"):
        return "a page of another site may change nothing here"
    return None


def has_token(headers: Headers, token: str) -> bool:
    """Say whether a request shows the admin token, as a bearer or in the cookie that `cookie` makes."""
    given = [
        value.encode("latin-1")
        for scheme, _, value in (each.partition(" ") for each in _values(headers, b"authorization"))
        if scheme.lower() == "bearer"
    ]
    for line in _values(headers, b"cookie"):
        for pair in line.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == TOKEN_COOKIE:
                given.append(unquote_to_bytes(value))
    return any(is_token(each.strip(), token) for each in given)


def is_token(given: bytes, token: str) -> bool:
    """Say whether *given* is the token, in a time that tells nothing of where it differs."""
    return hmac.compare_digest(given, token.encode())


def cookie(token: str, *, is_secure: bool = False) -> str:
    """Return the Set-Cookie header that keeps a token in the browser, out of reach of scripts and other sites."""
    secure = "; Secure" if is_secure else ""
    return f"{TOKEN_COOKIE}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict{secure}"


def cookie_end() -> str:
    """Return the Set-Cookie header that takes the token out of the browser again."""
    return f"{TOKEN_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"


def host_name(host: str) -> str | None:
    """Return the name in a Host header, plain, without port; None when it is no such header.

    ``Sandbox.Example:7670`` is ``sandbox.example``, ``[::1]:7670`` is ``::1``.
    """
    match = _HOST.fullmatch(host)
    return None if match is None else _plain(match[1] or match[2])


_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@\[\]]+))(?::[0-9]{0,5})?")


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_own(name: str) -> bool:
    if name in _OWN_NAMES or _SINGLE_LABEL.fullmatch(name):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _site(origin: str) -> str | None:
    """Return the host of an origin; None for ``null``, and what is none."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return host_name(parts.netloc) if parts.scheme in {"http", "https"} else None


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in headers if key.lower() == name]


_UNAUTHORIZED: Final = problem(
    401,
    "the admin token is missing or wrong: send the header Authorization: Bearer TOKEN, with the --admin-token "
    "that the server was started with",
    CHALLENGE,
)
