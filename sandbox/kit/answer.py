"""One message sent from a test, without a client of its own: its parameters, and the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.kit.rules import api_names

if TYPE_CHECKING:
    from collections.abc import Mapping

VALID: Final = {"user": "you@example.com", "apiKey": "key", "to": "+1222333444", "message": "Hello"}
"""What every scenario's checks let pass that does not list its accounts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint answered."""

    status: int
    """Of HTTP."""
    text: str
    """The body: ``OK_1000000001``, ``ERROR_5``, or as the responseType has it."""
    headers: Mapping[str, str]
    """By name in lower case."""

    def __str__(self) -> str:
        return self.text

    @property
    def error(self) -> int | None:
        """The error code; None when it is none."""
        match = re.search("ERROR_0*([0-9]+)", self.text)
        return None if match is None else int(match[1])

    @property
    def hint(self) -> str | None:
        """What was odd about the request."""
        return self.headers.get("x-sandbox-hint")

    @property
    def request_id(self) -> str | None:
        """The id of its record: ``r1``."""
        return self.headers.get("x-sandbox-request-id")


def parameters(more: Mapping[str, Any]) -> dict[str, str]:
    """Return a valid message's parameters with *more* in place; one that is None is left out."""
    given = {**VALID, **api_names(more)}
    return {name: _text(value) for name, value in given.items() if value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
