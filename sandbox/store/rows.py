"""Records as JSON and back: objects by the names of their fields; a field with its usual value is left out.

How each is written follows from its type. What is read may be damaged, or come from a stranger: it becomes exactly
these records or a `DamagedError`, and nothing in it is ever run.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from sandbox.core.callback_url import url_fault
from sandbox.core.coding import Encoded
from sandbox.core.concatenation import Group
from sandbox.core.decide import Mark
from sandbox.core.model import Callback, Message, RequestRecord
from sandbox.core.scenario import Respond, Step
from sandbox.core.udh import Udh

if TYPE_CHECKING:
    from collections.abc import Callable

# What the annotations of records name, and their modules import for type checkers alone.
_NAMES: Final = {
    each.__name__: each for each in (Collection, Encoded, Group, Mapping, Mark, Respond, Step, Udh, datetime)
}


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class DamagedError(ValueError):
    """A row does not hold the record that it should."""


def to_json(record: RequestRecord | Message | Callback) -> str:
    """Return a record as JSON: of a callback's message its number, and no group, which the parts make anew."""
    kind: Any = type(record)
    return _ENCODER.encode(_form(kind).write(record))


def request_from(text: object) -> RequestRecord:
    """Return the request that `to_json` has written.

    Raises:
        DamagedError: *text* is something else.
    """
    request: RequestRecord = _read(RequestRecord, text)
    return request


def message_from(text: object) -> Message:
    """Return the message that `to_json` has written, without its group.

    Raises:
        DamagedError: *text* is something else.
    """
    message: Message = _read(Message, text)
    return message


def callback_from(text: object, message_of: Callable[[int], Message | None]) -> Callback:
    """Return the callback that `to_json` has written.

    Args:
        text: of its row.
        message_of: returns the message of a number, None where there is none.

    Raises:
        DamagedError: *text* is something else, there is no such message, or nothing can be sent to its URL.
    """
    callback: Callback = _read(Callback, text)
    number: Any = callback.message
    message = message_of(number)
    if message is None:
        raise DamagedError(f"there is no message {number}")
    fault = url_fault(callback.url)
    if fault is not None:
        raise DamagedError(f"url {fault}")
    callback.message = message
    return callback


def _read(kind: type, text: object) -> Any:
    try:
        return _form(kind).read(json.loads(_demand(str, text)))
    except DamagedError:
        raise
    except (ValueError, OverflowError, RecursionError) as error:
        raise DamagedError(str(error)) from None


class _Form(NamedTuple):
    """How values of one type are written, and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


@cache
def _form(hint: Any) -> _Form:
    """Return how values of a type are written; `TypeError` where nobody has said how."""
    if _is_record(hint):
        return _record_form(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, str):
        return _Form(str, hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return _union_form(arguments)
    if origin is Mapping:
        _, value = map(_form, arguments)
        return _Form(
            lambda mapping: {key: value.write(member) for key, member in mapping.items()},
            lambda data: {key: value.read(member) for key, member in _demand(dict, data).items()},
        )
    if origin in {tuple, frozenset, Collection}:
        item = _form(arguments[0])
        made: Any = tuple if origin is Collection else origin
        return _Form(
            lambda items: [item.write(each) for each in (sorted(items) if made is frozenset else items)],
            lambda data: made(item.read(each) for each in _demand(list, data)),
        )
    raise TypeError(f"records hold no {hint}")


def _demand(kind: type, data: Any) -> Any:
    """Return *data* where it is of that type of JSON, exactly: True is no number."""
    if type(data) is not kind:
        raise DamagedError(f"{repr(data)[:40]} is no {kind.__name__}")
    return data


def _same(value: Any) -> Any:
    return value


def _moment(data: Any) -> datetime:
    moment = datetime.fromisoformat(_demand(str, data))
    if moment.tzinfo is None:
        raise DamagedError(f"{data} names no zone")
    return moment


def _number(data: Any) -> float:
    return float(data) if type(data) is int else _demand(float, data)


_PLAIN: Final[dict[Any, _Form]] = {
    str: _Form(_same, lambda data: _demand(str, data)),
    int: _Form(_same, lambda data: _demand(int, data)),
    bool: _Form(_same, lambda data: _demand(bool, data)),
    float: _Form(_same, _number),
    bytes: _Form(bytes.hex, lambda data: bytes.fromhex(_demand(str, data))),
    datetime: _Form(datetime.isoformat, _moment),
    timedelta: _Form(timedelta.total_seconds, lambda data: timedelta(seconds=_number(data))),
}


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields"))


def _union_form(kinds: tuple[Any, ...]) -> _Form:
    """Return how one of several types is written: of records, the names of the fields tell which it is."""
    records = {frozenset(_defaults(kind)): _form(kind) for kind in kinds if _is_record(kind)}
    others = {kind: _form(kind) for kind in kinds if kind is not NoneType and not _is_record(kind)}
    written = {kind: _form(kind).write for kind in kinds if kind is not NoneType}

    def write(value: Any) -> Any:
        return None if value is None else written[type(value)](value)

    def read(data: Any) -> Any:
        if data is None and NoneType in kinds:
            return None
        if type(data) is dict:
            for names, form in records.items():
                if names.issuperset(data):
                    return form.read(data)
        for form in others.values():
            return form.read(data)
        raise DamagedError(f"{repr(data)[:40]} is none of what it may be")

    return _Form(write, read)


_NO_DEFAULT: Final = object()


def _defaults(kind: Any) -> dict[str, Any]:
    """Return the fields of a record in order, each with what it holds unless it is told."""
    if hasattr(kind, "_fields"):
        return {name: kind._field_defaults.get(name, _NO_DEFAULT) for name in kind._fields}
    return {
        each.name: each.default_factory()
        if each.default_factory is not MISSING
        else _NO_DEFAULT
        if each.default is MISSING
        else each.default
        for each in fields(kind)
    }


def _record_form(kind: Any) -> _Form:
    hints = get_type_hints(kind, localns=_NAMES)
    defaults = _defaults(kind)
    # A group is more than one message's, and a callback's message has a row of its own.
    forms = {
        name: _NUMBER if hints[name] is Message else _form(hints[name])
        for name in defaults
        if name != "group"
    }
    writing = tuple((name, defaults[name], form.write) for name, form in forms.items())
    reading = {name: form.read for name, form in forms.items()}
    needed = frozenset(name for name in forms if defaults[name] is _NO_DEFAULT)

    def write(record: Any) -> dict[str, Any]:
        return {
            name: write_field(value)
            for name, default, write_field in writing
            if (value := getattr(record, name)) is not default and value != default
        }

    def read(data: Any) -> Any:
        members = _demand(dict, data)
        if not needed.issubset(members):
            raise DamagedError(f"{min(needed - members.keys())} is missing")
        name = ""
        try:
            for name in members:
                members[name] = reading[name](members[name])
        except KeyError:
            raise DamagedError(f"{name[:40]} is unknown") from None
        except (ValueError, OverflowError) as error:
            raise DamagedError(f"{name}: {error}") from None
        return _shared(kind(**members)) if kind in _SHARED else kind(**members)

    return _Form(write, read)


_NUMBER: Final = _Form(lambda message: message.number, _PLAIN[int].read)

_SHARED: Final = {Mark, Step}
"""What many records have in common, once it comes from a scenario."""


@lru_cache(maxsize=1024)
def _shared(value: Any) -> Any:
    """Return a value that equals *value*, the same for all records."""
    return value
