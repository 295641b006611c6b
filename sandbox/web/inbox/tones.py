"""The three colours with a meaning: went well, still to come, went wrong. Pure."""

from __future__ import annotations

from enum import StrEnum

from sandbox.core.model import CallbackState, Status
from sandbox.core.statuses import is_final


class Tone(StrEnum):
    """How things stand; the name of a class in the stylesheet."""

    OK = "ok"
    WAITING = "waiting"
    FAILED = "failed"


def of_status(status: str) -> Tone:
    """Return how a message with this status stands; any text of a scenario's own is still to come."""
    if status == Status.DELIVERED:
        return Tone.OK
    return Tone.FAILED if is_final(status) else Tone.WAITING


def of_callback(state: CallbackState) -> Tone:
    """Return how a callback stands."""
    match state:
        case CallbackState.DELIVERED:
            return Tone.OK
        case CallbackState.WAITING:
            return Tone.WAITING
    return Tone.FAILED


def of_answer(status: int, error: int | None) -> Tone:
    """Return how a request went: its HTTP status and its error code."""
    return Tone.FAILED if error is not None or status >= 400 else Tone.OK
