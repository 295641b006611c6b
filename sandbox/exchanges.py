"""The exchanges of ``contract/examples``, read: each a request, what it needs, and what it is answered.

Knows how an exchange is written, which the first of the files says, and nothing of sending one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from sandbox.contract import CONTRACT, load_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BOUNDARY: Final = "sandbox-example-boundary"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, encoded as it is sent."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    body: bytes = b""
    raw: bytes | None = None
    """A whole request, or what is none, that is sent in place of all the rest."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an exchange needs of the server; what is None or empty it does not care about."""

    now: datetime | None = None
    accounts: tuple[Any, ...] = ()
    """As a scenario file writes them."""
    readings: Mapping[str, str] | None = None
    before: tuple[Request, ...] = ()
    """Sent first, whatever they are answered."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer has to be; what is None is not looked at."""

    status: int = 200
    media_type: str | None = None
    body: str | None = None
    body_matches: str | None = None
    """A regular expression for the whole body."""
    error_has: str | None = None
    hint_has: str | None = None
    """None: there is no hint."""
    headers: Mapping[str, str] | None = None
    closes: bool = False
    """What came was no HTTP: the connection is closed, and the sandbox's headers are not there."""

    @property
    def error(self) -> int | None:
        """The error code that is expected: 5 for ``ERROR_5`` in any of its spellings."""
        found = _ERROR.search(self.body or "")
        return int(found[1]) if found else None

    @property
    def is_error(self) -> bool:
        """Whether the answer has to say why it is an error."""
        return self.error is not None or self.status != 200


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange: a request, what it needs, what it is answered, and where that is said."""

    file: str
    name: str
    source: str
    """The reference's own sentences in quotes, or the rule of the sandbox."""
    given: Given
    request: Request
    expected: Expected
    strange: str | None = None
    """Why it is not for an account that somebody pays for, or for a recipient who is somebody: what it names."""


class Account(NamedTuple):
    """Whose messages the examples are, and to whom: these stand in them wherever they name no other."""

    user: str = "me@example.com"
    api_key: str = "key"
    to: str = "+1222333444"


EXAMPLE_ACCOUNT: Final = Account()
"""Who it is as the files have them."""


@cache
def load_examples(account: Account = EXAMPLE_ACCOUNT) -> tuple[Example, ...]:
    """Return all exchanges, in the order of the files' names.

    Args:
        account: in place of the one that the files name.

    Raises:
        ValueError: a file has a mistake; they are our own.
    """
    return tuple(
        _example(path.name, node, account)
        for path in sorted((CONTRACT / "examples").glob("*.yaml"))
        for node in load_yaml(path)
    )


def needs(example: Example) -> tuple[str, ...]:
    """Return what a server that runs already cannot be given for an exchange: ``("clock", "accounts")``."""
    given = example.given
    wanted = {"clock": given.now, "accounts": given.accounts, "readings": given.readings}
    return tuple(name for name, value in wanted.items() if value)


# -- reading -------------------------------------------------------------------------------------------------


def _example(file: str, node: Any, account: Account) -> Example:
    where = f"{file}: {node.get('name')}"
    _keys(node, where, {"name", "says", "rule", "given", "request", "expect"})
    if ("says" in node) == ("rule" in node):
        raise ValueError(f"{where}: one of says and rule")
    return Example(
        file=file,
        name=node["name"],
        source=f'"{node["says"]}"' if "says" in node else node["rule"],
        given=_given(node.get("given", {}), where, account),
        request=request_of(_with_account(node["request"], account), where),
        expected=_expected(node["expect"], where),
        strange=next(
            filter(None, map(_strange, [*node.get("given", {}).get("before", ()), node["request"]])), None
        ),
    )


def _given(node: Any, where: str, account: Account) -> Given:
    _keys(node, where, {"now", "accounts", "readings", "before"})
    return Given(
        now=datetime.fromisoformat(node["now"]) if "now" in node else None,
        accounts=tuple(node.get("accounts", ())),
        readings=node.get("readings"),
        before=tuple(request_of(_with_account(before, account), where) for before in node.get("before", ())),
    )


def _expected(node: Any, where: str) -> Expected:
    known = {"status", "type", "body", "body_matches", "error_has", "hint_has", "headers", "closes"}
    _keys(node, where, known)
    has_body = "body" in node or "body_matches" in node
    values = {key: value for key, value in node.items() if key != "type"}
    return Expected(media_type=node.get("type", "text/plain" if has_body else None), **values)


def request_of(node: Any, where: str) -> Request:
    """Return the request that a node of YAML describes, as the examples have it; *where* is for its mistakes.

    Raises:
        ValueError: it has a mistake.
    """
    _keys(node, where, {"method", "path", "query", "target", "headers", "raw", "raw_hex", *BODIES})
    if "raw" in node or "raw_hex" in node:
        raw = _text(node["raw"]).encode() if "raw" in node else bytes.fromhex(node["raw_hex"])
        return Request("GET", "", {}, raw=raw)
    kinds = [kind for kind in BODIES if kind in node]
    if len(kinds) > 1 or ("target" in node and ("path" in node or "query" in node)):
        raise ValueError(f"{where}: one body, and either a target or a path and a query")
    content_type, body = BODIES[kinds[0]](node[kinds[0]]) if kinds else (None, b"")
    target = node.get("target") or node.get("path", "/sendMtSms.php")
    if "query" in node:
        target += f"?{_urlencoded(node['query'])}"
    headers = {name: _text(value) for name, value in node.get("headers", {}).items()}
    if content_type is not None:
        headers = {"Content-Type": content_type, **headers}
    return Request(node.get("method", "POST" if kinds else "GET"), target, headers, body)


_OF_THE_ACCOUNT: Final = dict(zip(("user", "apiKey", "to"), EXAMPLE_ACCOUNT, strict=True))


def _with_account(node: Any, account: Account) -> Any:
    """Return a request as it is written, with this account where it names the one of the examples."""
    if account == EXAMPLE_ACCOUNT:
        return node
    mine = dict(zip(_OF_THE_ACCOUNT, account, strict=True))
    changed = {
        kind: {
            name: mine[name] if name in mine and value == _OF_THE_ACCOUNT[name] else value
            for name, value in node[kind].items()
        }
        for kind in _WRITTEN_BY_NAME & node.keys()
        if isinstance(node[kind], dict)
    }
    return {**node, **changed}


def _strange(node: Any) -> str | None:
    """Say what a request names that is not the account's; None when it names nothing else."""
    parameters = [node[kind] for kind in _WRITTEN_BY_NAME & node.keys()]
    if not all(isinstance(each, dict) for each in parameters) or node.keys() - _WRITTEN_BY_NAME - _HARMLESS:
        return "it is written octet by octet, with an account and a recipient of its own"
    for given in parameters:
        for name, words in (("user", "another user"), ("apiKey", "another key")):
            if given.get(name, "") not in ("", _OF_THE_ACCOUNT[name]):
                return f"it names {words}"
        to = given.get("to", "")
        if to != _OF_THE_ACCOUNT["to"] and any(char.isdigit() for char in str(to)):
            return "it names another recipient"
        if "callbackUrl" in given:
            return "it names a callback URL"
    return None


_WRITTEN_BY_NAME: Final = {"query", "form", "json", "multipart"}
_HARMLESS: Final = {"method", "path", "headers"}


def _keys(node: Any, where: str, known: set[str]) -> None:
    unknown = node.keys() - known
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(sorted(unknown))}")


def _text(value: Any) -> str:
    """Return a text, which may be a list of pieces: ``["a", {"repeat": "b", "times": 3}]`` is ``abbb``."""
    if isinstance(value, str):
        return value
    return "".join(piece if isinstance(piece, str) else piece["repeat"] * piece["times"] for piece in value)


def _urlencoded(parameters: Mapping[str, Any]) -> str:
    return "&".join(
        f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in parameters.items()
    )


def _multipart(fields: Mapping[str, Any]) -> bytes:
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_text(value)}\r\n'
        for name, value in fields.items()
    ]
    return f"{''.join(parts)}--{_BOUNDARY}--\r\n".encode()


BODIES: Final[Mapping[str, Callable[[Any], tuple[str | None, bytes]]]] = {
    "json": lambda value: ("application/json", json.dumps(value, ensure_ascii=False).encode()),
    "form": lambda value: ("application/x-www-form-urlencoded", _urlencoded(value).encode()),
    "multipart": lambda value: (f"multipart/form-data; boundary={_BOUNDARY}", _multipart(value)),
    "body": lambda value: (None, _text(value).encode()),
    "body_hex": lambda value: (None, bytes.fromhex(value)),
}
"""How each way of writing a body becomes a Content-Type and octets."""

_ERROR = re.compile("ERROR_0*([0-9]+)")
