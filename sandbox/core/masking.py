"""Secrets as records, listings and logs show them: enough to tell two apart, too little to use.

Knows how a key's name may be spelled, and where URLs hold secrets; nothing of what is shown where.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.model import RequestRecord, Value


def masked(secret: str) -> str:
    """Return a secret's first and last two characters, or nothing of a short one: ``se…et``."""
    return f"{secret[:2]}…{secret[-2:]}" if len(secret) > 5 else "…"


def is_key(name: str) -> bool:
    """Say whether a parameter is the key, however its name is spelled: ``apiKey``, ``api_key``, ``APIKEY``."""
    return _NOT_LETTERS.sub("", name.lower()) == "apikey"


def without_secrets(text: str) -> str:
    """Return a text in which URLs show neither a password nor a key.

    ``http://me:secret@host/?apiKey=secret`` is ``http://me:…@host/?apiKey=se…et``.
    """
    if "://" in text:
        text = _PASSWORD.sub(r"\1…\2", text)
    return _KEY_IN_QUERY.sub(lambda found: found[1] + masked(found[2]), text) if "=" in text else text


def without_key(text: str, parameters: Mapping[str, Value]) -> str:
    """Return a text in which the key of a request's *parameters* does not stand."""
    for name, value in parameters.items():
        if is_key(name) and isinstance(value, str) and value:
            text = text.replace(value, masked(value))
    return text


def shown_answer(record: RequestRecord) -> str:
    """Return the body of an answer; one that a rule has written may hold the key of the request."""
    body, respond = record.answer.body, record.respond
    return body if respond is None or respond.body is None else without_key(body, record.call.parameters)


_NOT_LETTERS = re.compile("[^a-z]")
# An excerpt may have lost the @ behind a long password.
_PASSWORD = re.compile(r"(://[^/?#@:\s]*:)(?![0-9]+\.\.\.)[^/?#\s]*(@|\.\.\.)")
_KEY_IN_QUERY = re.compile(r"([?&;]api[_-]?key=)([^&;#\s]+)", re.IGNORECASE)
