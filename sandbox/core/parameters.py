"""The parameters of the API by name, and what a request's values are as text and as octets.

Knows nothing of codes or of what a value must be. Source: the API reference, "Parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.core.model import Unreadable
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.core.model import Value

REQUIRED: Final = ("user", "apiKey", "to", "message")
OPTIONAL: Final = (
    "senderId",
    "transactionId",
    "confirmation",
    "dcs",
    "udh",
    "validityPeriod",
    "scheduledDeliveryTime",
    "responseType",
    "callbackUrl",
)
PARAMETERS: Final = frozenset(REQUIRED + OPTIONAL)
"""Every parameter of the API reference, as it is spelled there."""


def name_hints(parameters: Mapping[str, Value]) -> list[str]:
    """Return a hint for each unknown parameter whose name is that of a known one but for its case."""
    return [
        f"{excerpt(name)} is ignored: {known} is meant, names are case-sensitive"
        for name in parameters
        if name not in PARAMETERS
        and (known := _BY_LOWER_CASE.get(name.lower())) is not None
        and known not in parameters
    ]


def missing(parameters: Mapping[str, Value], name: str) -> str:
    """Say how a required parameter is missing: sent in another case, empty, unreadable, or not sent at all."""
    value = parameters.get(name)
    if isinstance(value, Unreadable):
        return f"{name} {value.why}"
    if value == "":
        return f"{name} is empty"
    for other in parameters:
        if other.lower() == name.lower():
            return f"{name} is missing; {excerpt(other)} was sent, names are case-sensitive"
    return f"{name} is missing"


def octets_of(parameters: Mapping[str, Value], name: str, json_names: Collection[str]) -> bytes | None:
    """Return the octets that a parameter stands for; None when it is JSON and no string, or has a character above U+00FF.

    Args:
        parameters: by wire name.
        name: of one that is there.
        json_names: those that came in a JSON body, whose characters stand for octets one to one.
    """
    value = parameters[name]
    if isinstance(value, Unreadable):
        return value.octets
    if name not in json_names:
        return value.encode()
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return None


_BY_LOWER_CASE = {name.lower(): name for name in PARAMETERS}
