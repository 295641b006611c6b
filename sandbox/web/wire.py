"""From octets to a call: query string, JSON, form and multipart bodies, read as the contract says.

Pure; knows nothing of Starlette, sockets or the engine. Source: the API reference, "Parameters" and "URL Encoding";
RFC 8259 (JSON), RFC 7578 (multipart/form-data), the URL standard's application/x-www-form-urlencoded.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sandbox.core.model import Call, Unreadable, Value
from sandbox.core.parameters import PARAMETERS, name_hints
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.readings import Readings

BODY_LIMIT: Final = 65_536
"""Octets."""

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


class _UnreadableBodyError(ValueError):
    """A body that is not what its type says; the text says how."""


def read_call(
    method: str, path: str, query: bytes, content_type: str, body: bytes, readings: Readings
) -> Call:
    """Return what a request asks for.

    Args:
        method: such as ``POST``; only a POST has a body here.
        path: as it was asked for.
        query: the query string's octets, still encoded.
        content_type: the header's value, empty when there is none.
        body: its octets, at most BODY_LIMIT.
        readings: how the open questions are read.
    """
    hints: list[str] = []
    parameters = _read_urlencoded(query, readings, hints) if query else {}
    if method == "GET" or not body:
        if not parameters.keys() <= PARAMETERS:
            hints += name_hints(parameters)
        return Call(method, path, parameters, (), False, tuple(hints))
    media_type = _media_type(content_type)
    is_json = (
        media_type == _JSON or media_type.endswith("+json") or (not media_type and body.startswith(b"{"))
    )
    values: dict[str, Value] = {}
    fault = None
    try:
        if is_json:
            values = _read_json(body, readings, hints)
        elif media_type == _FORM:
            values = _read_form(body, readings, hints)
        elif media_type == _MULTIPART:
            values = _read_multipart(content_type, body, readings, hints)
        else:
            hints.append(
                f"the body is ignored: its Content-Type is {excerpt(media_type) or 'absent'}, "
                f"not {_JSON}, {_FORM} or {_MULTIPART}"
            )
    except _UnreadableBodyError as error:
        fault = str(error)
    if parameters:
        parameters.update(values)
    else:
        parameters = values
    json_names = values if is_json else ()
    if not parameters.keys() <= PARAMETERS:
        hints += name_hints(parameters)
    return Call(method, path, parameters, json_names, is_json, tuple(hints), fault)


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


# -- octets -------------------------------------------------------------------------------------------------------


def _read_urlencoded(octets: bytes, readings: Readings, hints: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for pair in _clearly_decoded(octets.replace(b"+", b" ")).split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            key = _NAMES.get(name) or _name(name)
            is_plain = value.isascii() and b"%" not in value
            values[key] = value.decode() if is_plain else _read_octets(key, value, readings, hints)
    return values


def _clearly_decoded(octets: bytes) -> bytes:
    """Return octets decoded in one go; unchanged where that would make separators, or leave a %."""
    first, *rest = octets.split(b"%")
    decoded = [first]
    for piece in rest:
        octet = _CLEAR_OCTETS.get(piece[:2])
        if octet is None:
            return octets
        decoded += (octet, piece[2:])
    return b"".join(decoded)


def _name(octets: bytes) -> str:
    name = _percent_decoded(octets).decode("utf-8", "backslashreplace")
    return _KNOWN.get(name, name)


def _percent_decoded(octets: bytes) -> bytes:
    """Return octets decoded once: ``%2B`` is an octet, and a % without two hex digits stays as it is."""
    first, *rest = octets.split(b"%")
    decoded = [first]
    for piece in rest:
        octet = _OCTETS.get(piece[:2])
        decoded += (b"%", piece) if octet is None else (octet, piece[2:])
    return b"".join(decoded)


def _read_octets(name: str, octets: bytes, readings: Readings, hints: list[str]) -> Value:
    """Return an encoded value, its plus signs already spaces, as text; what is odd about it becomes a hint."""
    if b"%" not in octets:
        return _as_text(octets)
    decoded = _percent_decoded(octets)
    if b"%" in decoded:
        broken = _BROKEN_PERCENT.search(octets)
        if broken is not None:
            hints.append(
                f"{name} has a % without two hex digits at position {broken.start() + 1}, which stays as it is: "
                "a percent sign is sent as %25"
            )
        if b"%25" in octets and _PERCENT_TRIPLET.search(decoded):
            decoded = _decoded_again(name, decoded, readings, hints)
    return _as_text(decoded)


def _decoded_again(name: str, octets: bytes, readings: Readings, hints: list[str]) -> bytes:
    if readings.double_encoding == "decode":
        return _percent_decoded(octets.replace(b"+", b" "))
    hints.append(f"{name} still holds percent-encoding after decoding: encode it once, not twice")
    return octets


def _as_text(octets: bytes) -> Value:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        at = error.start
        return Unreadable(
            f"is not UTF-8: octet {octets[at]:02X} at position {at + 1}; percent-encode the text's UTF-8 octets",
            octets,
        )


def _read_form(body: bytes, readings: Readings, hints: list[str]) -> dict[str, Value]:
    if body.startswith(b"{") and _is_json(body):
        hints.append(f"the body is ignored: it is JSON, but its Content-Type is {_FORM}; send {_JSON}")
        return {}
    return _read_urlencoded(body, readings, hints)


def _read_multipart(content_type: str, body: bytes, readings: Readings, hints: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, content in _multipart_fields(content_type, body):
        if readings.multipart_percent == "literal":
            values[name] = _as_text(content)
            continue
        if name == "to" and content.startswith(b"+"):
            hints.append(
                "a + in a multipart value is a space: send %2B, or read it with multipart_percent=literal"
            )
        values[name] = _read_octets(name, content.replace(b"+", b" "), readings, hints)
    return values


def _multipart_fields(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return the names and contents of the fields of a multipart body."""
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415 - few requests are multipart
    from python_multipart.multipart import MultipartParser, parse_options_header  # noqa: PLC0415

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _UnreadableBodyError("the multipart body cannot be read: its Content-Type names no boundary")
    fields: list[tuple[str, bytes]] = []
    header, value, content = bytearray(), bytearray(), bytearray()
    names: list[str] = []
    ended: list[bool] = []

    def header_end() -> None:
        if header.lower() == b"content-disposition":
            name = parse_options_header(bytes(value))[1].get(b"name", b"")
            names.append(name.decode("utf-8", "backslashreplace"))
        header.clear()
        value.clear()

    def part_end() -> None:
        if not names:
            raise _UnreadableBodyError("the multipart body cannot be read: a part has no name")
        fields.append((names.pop(), bytes(content)))
        content.clear()

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: value.extend(data[start:end]),
                "on_header_end": header_end,
                "on_part_data": lambda data, start, end: content.extend(data[start:end]),
                "on_part_end": part_end,
                "on_end": lambda: ended.append(True),
            },
        )
        parser.write(body)
    except FormParserError as error:
        raise _UnreadableBodyError(f"the multipart body cannot be read: {error}") from None
    if not ended:
        raise _UnreadableBodyError("the multipart body cannot be read: its closing boundary is missing")
    return fields


# -- JSON ---------------------------------------------------------------------------------------------------------


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Numbers stay as they are spelled, so that 1.0 is not 1, and none is too large to read.
_JSON_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(_JSON_DECODER.decode(body.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _read_json(body: bytes, readings: Readings, hints: list[str]) -> dict[str, Value]:
    if body.startswith(b"\xef\xbb\xbf"):
        raise _UnreadableBodyError("the body cannot be read as JSON: it begins with a byte order mark")
    try:
        members = _JSON_DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise _UnreadableBodyError(
            f"the body cannot be read as JSON: octet {body[error.start]:02X} at position {error.start + 1} is not UTF-8"
        ) from None
    except RecursionError:
        raise _UnreadableBodyError("the body cannot be read as JSON: it is nested too deeply") from None
    except ValueError as error:
        raise _UnreadableBodyError(f"the body cannot be read as JSON: {error}") from None
    if not isinstance(members, dict):
        raise _UnreadableBodyError('the body is JSON, but no object: send {"user": ...}')
    return _read_members(members, readings, hints)


def _read_members(members: Mapping[str, Any], readings: Readings, hints: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key, member in members.items():
        # A name may hold unpaired surrogates, and every record must be writable: they are spelled as in a query's name.
        name = _KNOWN.get(key) or key.encode("utf-8", "backslashreplace").decode()
        if isinstance(member, list) and readings.json_arrays == "unwrap" and len(member) == 1:
            member = member[0]  # noqa: PLW2901 - from here on it is as if it had been sent so
        if isinstance(member, str):
            is_plain = member.isascii() and "%" not in member
            values[name] = member if is_plain else _read_string(name, member, readings, hints)
        elif isinstance(member, bool):
            values[name] = "true" if member else "false"
        elif member is not None:
            kind = "array" if isinstance(member, list) else "object"
            values[name] = Unreadable(f"is a JSON {kind}: send a string")
            hints.append(f"{name} is a JSON {kind}, not a string")
    return values


def _read_string(name: str, text: str, readings: Readings, hints: list[str]) -> Value:
    surrogate = _SURROGATE.search(text)
    if surrogate is not None:
        return Unreadable(
            f"has the unpaired surrogate U+{ord(surrogate[0]):04X} at position {surrogate.start() + 1}"
        )
    if "%" in text and _PERCENT_TRIPLET.search(text.encode()):
        if readings.json_percent == "decode":
            return _as_text(_percent_decoded(text.encode()))
        if name == "to":
            hints.append("to holds percent-encoding: JSON strings are taken as they are, send +")
    return text


# Every record keeps its parameters: known names are these very strings, not copies of them.
_NAMES = {name.encode(): name for name in PARAMETERS}
_KNOWN = {name: name for name in PARAMETERS}
_HEX = "0123456789ABCDEFabcdef"
_OCTETS = {f"{high}{low}".encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX}
"""What two hex digits after a % stand for."""
_CLEAR_OCTETS = {digits: octet for digits, octet in _OCTETS.items() if octet not in b"%&="}
_PERCENT_TRIPLET = re.compile(rb"%[0-9A-Fa-f]{2}")
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SURROGATE = re.compile("[\ud800-\udfff]")
