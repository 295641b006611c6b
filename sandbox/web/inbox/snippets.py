"""A call written down again, for a shell and in three languages: each text is complete, and makes the same call.

Pure. The key is never written, a placeholder stands for it. What cannot be seen is escaped, so that nothing hides in
what somebody copies.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote_from_bytes, quote_plus

from sandbox.core.masking import is_key, without_secrets
from sandbox.core.model import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.core.model import Call, Value

PLACEHOLDER: Final = "YOUR_API_KEY"

ENDPOINT: Final = "/sendMtSms.php"
"""Where messages are sent to, in each session."""

_TIMEOUT_S: Final = 10


class Snippet(NamedTuple):
    """One way to write a request."""

    id: str
    """``curl``; unique, and fit for an attribute."""
    name: str
    """``curl``, ``Python``, as people say it."""
    text: str


class Parts(NamedTuple):
    """A call as a client makes it: parameters by name, text or octets, and where each goes."""

    url: str
    is_get: bool
    query: Mapping[str, str | bytes]
    """In the address of a POST of JSON."""
    body: Mapping[str, str | bytes]
    """The parameters of a form or of JSON; of a GET those of the query string."""
    is_json: bool


def of_call(call: Call, *, base_url: str) -> tuple[Snippet, ...]:
    """Return a call for a shell and in three languages.

    Args:
        call: a GET or POST.
        base_url: where the session is: ``http://127.0.0.1:7670/s/test-7``.
    """
    parts = parts_of(call, base_url)
    return (
        Snippet("curl", "curl", curl(parts)),
        Snippet("python", "Python", python(parts)),
        Snippet("php", "PHP", php(parts)),
        Snippet("javascript", "JavaScript", javascript(parts)),
    )


def parts_of(call: Call, base_url: str) -> Parts:
    """Return what a client puts where to make *call* again."""
    prefix = "/httpinput" if call.path.startswith("/httpinput/") else ""
    values = {name: _shown(name, value, call) for name, value in call.parameters.items()}
    in_body = set(call.json_names) if call.has_json_body else set(values)
    return Parts(
        url=f"{base_url}{prefix}{ENDPOINT}",
        is_get=call.method != "POST",
        query={name: value for name, value in values.items() if name not in in_body},
        body={name: value for name, value in values.items() if name in in_body},
        is_json=call.has_json_body,
    )


def _shown(name: str, value: Value, call: Call) -> str | bytes:
    if is_key(name):
        return PLACEHOLDER
    if not isinstance(value, Unreadable):
        return without_secrets(value) if name == "callbackUrl" else value
    if value.octets is None:
        return f"({value.why})"  # what it was is not kept
    return value.octets.decode("latin-1") if name in call.json_names else value.octets


def _target(parts: Parts) -> str:
    return f"{parts.url}?{_urlencoded(parts.query)}" if parts.query else parts.url


def _urlencoded(values: Mapping[str, str | bytes]) -> str:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in values.items())


# -- a shell ------------------------------------------------------------------------------------------------------


def curl(parts: Parts) -> str:
    """Return a command for a POSIX shell."""
    words = ["curl", quote(_target(parts))]
    lines = [" ".join(words)]
    if parts.is_json:
        lines += ["-H 'Content-Type: application/json'", f"--data {quote(_json(parts.body))}"]
    else:
        if parts.is_get:
            lines[0] = f"curl -G {quote(_target(parts))}"
        lines += [_curl_field(name, value) for name, value in parts.body.items()]
    return " \\\n  ".join(lines)


def _curl_field(name: str, value: str | bytes) -> str:
    # A shell's argument can hold no NUL, and a reader sees no other control character.
    if isinstance(value, bytes) or not value.isprintable():
        octets = value if isinstance(value, bytes) else value.encode()
        field = f"{quote_plus(name)}={quote_from_bytes(octets, safe='')}"
        return f"--data {quote(field)}"
    return f"--data-urlencode {quote(f'{quote_plus(name)}={value}')}"


# -- three languages ----------------------------------------------------------------------------------------------


def python(parts: Parts) -> str:
    """Return a program that uses requests."""
    return f"import requests\n\n{python_call(parts, python_text(parts.url))}print(answer.text)\n"


def python_call(parts: Parts, url: str) -> str:
    """Return the statement of Python that makes the call; *url* is an expression."""
    method = "get" if parts.is_get else "post"
    lines = [f"answer = requests.{method}(", f"    {url},"]
    if parts.query:
        lines += _block("    params={", parts.query, "    },", _python_pair)
    name = "params" if parts.is_get else "json" if parts.is_json else "data"
    lines += _block(f"    {name}={{", parts.body, "    },", _python_pair)
    return "\n".join([*lines, f"    timeout={_TIMEOUT_S},", ")\n"])


def php(parts: Parts) -> str:
    """Return a program that needs no extension."""
    lines = ["<?php", ""]
    url = _php_text(_target(parts))
    if parts.is_get:
        lines += _block("$query = http_build_query([", parts.body, "]);", _php_pair, indent="    ")
        lines.append("$context = stream_context_create(['http' => [")
        url = f"{url} . '?' . $query"
    else:
        opening, closing = ("json_encode((object) [", "])") if parts.is_json else ("http_build_query([", "])")
        kind = "application/json" if parts.is_json else "application/x-www-form-urlencoded"
        lines.append("$context = stream_context_create(['http' => [")
        lines += ["    'method' => 'POST',", f"    'header' => 'Content-Type: {kind}',"]
        lines += _block(f"    'content' => {opening}", parts.body, f"    {closing},", _php_pair)
    lines += [f"    'timeout' => {_TIMEOUT_S},", "    'ignore_errors' => true,", "]]);"]
    return "\n".join([*lines, f"echo file_get_contents({url}, false, $context), PHP_EOL;", ""])


def javascript(parts: Parts) -> str:
    """Return a module for Node or a browser."""
    if parts.is_get:
        lines = [*_form(parts.body, "const query = ", ";"), ""]
        lines += [f"const answer = await fetch(`{_js_template(_target(parts))}?${{query}}`, {{"]
    else:
        lines = [f"const answer = await fetch({json_text(_target(parts))}, {{", '  method: "POST",']
        if parts.is_json:
            lines.append('  headers: { "Content-Type": "application/json" },')
            lines += _block("  body: JSON.stringify({", parts.body, "  }),", _js_pair, indent="    ")
        else:
            if _has_octets(parts.body):
                lines.append('  headers: { "Content-Type": "application/x-www-form-urlencoded" },')
            lines += _form(parts.body, "  body: ", ",")
    lines += [
        f"  signal: AbortSignal.timeout({_TIMEOUT_S}_000),",
        "});",
        "console.log(await answer.text());",
        "",
    ]
    return "\n".join(lines)


def _form(values: Mapping[str, str | bytes], before: str, after: str) -> list[str]:
    """Return parameters as JavaScript has them; it has no text for octets that are not UTF-8."""
    if _has_octets(values):
        return [f"{before}{json_text(_urlencoded(values))}{after}"]
    indent = " " * (len(before) - len(before.lstrip()))
    return _block(
        f"{before}new URLSearchParams({{", values, f"{indent}}}){after}", _js_pair, indent=f"{indent}  "
    )


def _has_octets(values: Mapping[str, str | bytes]) -> bool:
    return any(isinstance(value, bytes) for value in values.values())


def _block(
    opening: str,
    values: Mapping[str, str | bytes],
    closing: str,
    pair: Callable[[str, str | bytes], str],
    *,
    indent: str = "        ",
) -> list[str]:
    return [opening, *(f"{indent}{pair(name, value)}," for name, value in values.items()), closing]


# -- how each language writes a text ------------------------------------------------------------------------------


def _escaped(text: str, escapes: Mapping[str, str], unseen: Callable[[int], str]) -> str:
    """Return *text* between double quotes; what cannot be seen, or has a meaning there, is escaped."""
    return (
        '"'
        + "".join(escapes.get(char) or (char if char.isprintable() else unseen(ord(char))) for char in text)
        + '"'
    )


def _wide(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _surrogates(point: int) -> str:
    units = chr(point).encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def python_text(text: str | bytes) -> str:
    """Return a text, or octets, as Python has it."""
    return repr(text) if isinstance(text, bytes) else _escaped(text, _ESCAPES, _wide)


def _python_pair(name: str, value: str | bytes) -> str:
    return f"{python_text(name)}: {python_text(value)}"


def json_text(text: str | bytes) -> str:
    """Return a text as JSON, JavaScript and YAML have it; octets as the characters of their numbers."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    return _escaped(text, _ESCAPES, _surrogates)


def _json(values: Mapping[str, str | bytes]) -> str:
    return "{" + ", ".join(f"{json_text(name)}: {json_text(value)}" for name, value in values.items()) + "}"


def _js_pair(name: str, value: str | bytes) -> str:
    # __proto__ would be no member; between brackets it is a name like any other.
    key = name if re.fullmatch("[A-Za-z][A-Za-z0-9]*", name) else f"[{json_text(name)}]"
    return f"{key}: {json_text(value)}"


def _js_template(text: str) -> str:
    return text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")


def _php_text(text: str | bytes) -> str:
    if isinstance(text, bytes):
        return '"' + "".join(f"\\x{octet:02X}" for octet in text) + '"'
    return _escaped(text, {**_ESCAPES, "$": "\\$"}, lambda point: f"\\u{{{point:X}}}")


def _php_pair(name: str, value: str | bytes) -> str:
    return f"{_php_text(name)} => {_php_text(value)}"
