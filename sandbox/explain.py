"""One request explained: each check in order, how the message travels, which rule decides, and the answer.

Pure: what the engine would make of the request is given. Knows nothing of how an explanation is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sandbox.core.checks import CHECKS, NO_STANDING, NOBODY, Draft, room_beside
from sandbox.core.coding import dear_character
from sandbox.web.records import encoding_json

if TYPE_CHECKING:
    from sandbox.core.coding import Encoded
    from sandbox.core.model import Answer, Call, JsonObject
    from sandbox.core.readings import Readings
    from sandbox.core.udh import InformationElement, Udh
    from sandbox.engine import Outcome


class Verdict(StrEnum):
    """What a check said."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of the request."""

    about: str
    code: int
    """What the request is answered when the check fails."""
    verdict: Verdict
    reason: str | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the message travels, whether or not it fits."""

    encoded: Encoded
    udh: Udh | None
    room: int
    """In the coding's unit."""

    @property
    def dear(self) -> str | None:
        """The first character that costs two: ``U+20AC at position 12 costs 2``."""
        return dear_character(self.encoded)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the sandbox makes of one request."""

    accepted: bool
    """Whether a message is stored; a rule may answer an error all the same."""
    error: int | None
    reason: str | None
    hints: tuple[str, ...]
    checks: tuple[Checked, ...]
    encoding: Encoding | None
    """None when the message cannot be read, or its dcs or header is not one."""
    rule: str | None
    """The rule that decides; None for the scenario's default."""
    answer: Answer
    readings: Readings

    def to_json(self) -> JsonObject:
        """Return the explanation as the control API shows it."""
        return {
            "accepted": self.accepted,
            "error": self.error,
            "reason": self.reason,
            "hints": list(self.hints),
            "checks": [
                {"about": row.about, "code": row.code, "verdict": row.verdict, "reason": row.reason}
                for row in self.checks
            ],
            "encoding": None if self.encoding is None else self._encoding_json(self.encoding),
            "rule": self.rule,
            "answer": {
                "status": self.answer.status,
                "contentType": self.answer.content_type,
                "body": self.answer.body,
            },
        }

    def _encoding_json(self, encoding: Encoding) -> JsonObject:
        udh = encoding.udh
        return {
            **encoding_json(encoding.encoded, udh, self.readings),
            "dear": encoding.dear,
            "flash": udh is not None and udh.is_flash,
            "elements": [
                {"iei": element.iei, "data": element.data.hex().upper(), "meaning": meaning(element)}
                for element in (udh.elements if udh is not None else ())
            ],
        }


def explanation(call: Call, outcome: Outcome, answer: Answer, readings: Readings) -> Explanation:
    """Return the explanation of *call*.

    Args:
        call: the request.
        outcome: what the engine would make of it.
        answer: what it would answer.
        readings: how the open questions are read.
    """
    refusal = outcome.refusal
    return Explanation(
        accepted=outcome.submission is not None,
        error=None if refusal is None else refusal.code,
        reason=None if refusal is None else refusal.reason,
        hints=tuple(outcome.hints),
        checks=_checks(call, outcome),
        encoding=_encoding(call, readings),
        rule=None if outcome.rule is None else outcome.rule.name,
        answer=answer,
        readings=readings,
    )


def meaning(element: InformationElement) -> str:
    """Say what an element of a header means: ``part 1 of 2, reference 204``."""
    data = element.data
    match element.iei, len(data):
        case (0x00, 3) | (0x08, 4):
            return f"part {data[-1]} of {data[-2]}, reference {int.from_bytes(data[:-2])}"
        case (0x04, 2) | (0x05, 4):
            half = len(data) // 2
            return f"to port {int.from_bytes(data[:half])}, from port {int.from_bytes(data[half:])}"
    return "carried as it is"


def _checks(call: Call, outcome: Outcome) -> tuple[Checked, ...]:
    refusal = outcome.refusal
    failed_at = refusal.position if refusal is not None else 0
    if refusal is None or not failed_at:
        failed_at = len(CHECKS) + 1 if _reached_checks(call, outcome) else 0
    return tuple(
        Checked(
            check.about,
            check.code if refusal is None or position != failed_at else refusal.code,
            _verdict(position, failed_at),
            refusal.reason if refusal is not None and position == failed_at else None,
        )
        for position, check in enumerate(CHECKS, 1)
    )


def _reached_checks(call: Call, outcome: Outcome) -> bool:
    """Say whether a request that no check refused got as far as the checks."""
    if call.too_large or call.unreadable_body is not None:
        return False
    rule = outcome.rule
    return rule is None or not rule.before_checks or rule.submit


def _verdict(position: int, failed_at: int) -> Verdict:
    if position == failed_at:
        return Verdict.FAILED
    return Verdict.PASSED if position < failed_at else Verdict.NOT_REACHED


def _encoding(call: Call, readings: Readings) -> Encoding | None:
    """Return how a message travels even where another parameter has it refused."""
    # Empty ones are left out: absent by one reading, refused by the other, they say nothing either way.
    parameters = {name: value for name in _READ if (value := call.parameters.get(name))}
    draft = Draft(parameters, call.json_names, NOBODY, NO_STANDING, _ANY_TIME, readings, [])
    if any(check.examine(draft) is not None for check in CHECKS if check.about in _READ):
        return None
    return Encoding(draft.encoded, draft.udh, room_beside(draft.encoded.coding, draft.udh, readings))


_READ: Final = frozenset({"dcs", "udh", "message"})
"""The parameters that say how the message travels, each with the check that reads it."""
_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)  # none of these checks looks at it
