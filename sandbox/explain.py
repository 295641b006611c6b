"""One request explained: each check and each rule in order, how the message travels, the answer, and what follows.

Changes nothing: asks an engine what it would make of the request. Knows nothing of how an explanation is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sandbox.core.checks import CHECKS, NO_STANDING, NOBODY, Draft, room_beside
from sandbox.core.coding import dear_character
from sandbox.core.draw import draw_delay
from sandbox.core.match import Facts
from sandbox.core.report import is_reported
from sandbox.core.times import rfc3339
from sandbox.core.trace import RuleTrace, drawn_steps, trace
from sandbox.web.records import encoding_json

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sandbox.core.coding import Encoded
    from sandbox.core.decide import Mark, Rulebook
    from sandbox.core.model import Answer, Call, Change, JsonObject, Submission
    from sandbox.core.readings import Readings
    from sandbox.core.scenario import Respond
    from sandbox.core.udh import InformationElement, Udh
    from sandbox.engine import Engine, Outcome

NOT_TRIED: Final = "not tried: "
"""How the miss of a rule begins that was not reached."""


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
class Planned:
    """One change of status that a message will go through, and what is reported of it."""

    change: Change
    after_s: float
    """Counted from the acceptance."""
    reports: int
    """How many are sent."""
    report_after_s: float | None
    """When, counted likewise; None when none is."""

    @property
    def is_before_answer(self) -> bool:
        """Whether the report comes before the answer."""
        return self.change.step is not None and self.change.step.before_answer

    def to_json(self) -> JsonObject:
        """Return the change as the control API shows it; times after the acceptance in seconds."""
        return {
            "at": rfc3339(self.change.at),
            "after": self.after_s,
            "status": self.change.status,
            "errorCode": self.change.error_code,
            "reports": self.reports,
            "reportAfter": self.report_after_s,
        }


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
    respond: Respond | None
    """What the rule says of the answer."""
    delay_s: float | None
    """How long the answer waits because of it."""
    rules: tuple[RuleTrace, ...]
    """In the order in which they are tried."""
    drawn: tuple[str, ...]
    """What chance decided."""
    timeline: tuple[Planned, ...]
    """What becomes of the message; empty as well when none is accepted."""
    callback_url: str | None
    """Where it is reported."""
    unreported: str | None
    """Why it is not; None as well when no message is accepted."""
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
                "headers": {} if self.respond is None else dict(self.respond.headers),
                "fault": None if self.respond is None else self.respond.fault,
                "delay": self.delay_s,
            },
            "rules": [trace_json(row) for row in self.rules],
            "drawn": list(self.drawn),
            "timeline": [planned.to_json() for planned in self.timeline],
            "unreported": self.unreported,
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


def explain(engine: Engine, call: Call) -> Explanation:
    """Return what *engine* would make of *call*, a GET or POST, if it came now."""
    outcome, answer, request_number, marks, now, changes = engine.preview(call)
    rulebook, readings = engine.rulebook, engine.readings
    refusal, submission, rule = outcome.refusal, outcome.submission, outcome.rule
    respond = None if rule is None else rule.respond
    delay = None if respond is None else respond.delay
    unreported = None if submission is None else _unreported(submission)
    rules = rule_traces(rulebook, call, marks, readings=readings, request_number=request_number)
    is_accepted = submission is not None
    return Explanation(
        accepted=is_accepted,
        error=None if refusal is None else refusal.code,
        reason=None if refusal is None else refusal.reason,
        hints=tuple(outcome.hints),
        checks=_checks(call, outcome),
        encoding=_encoding(call, readings),
        rule=None if rule is None else rule.name,
        answer=answer,
        respond=respond,
        delay_s=None
        if delay is None
        else draw_delay(delay, seed=rulebook.scenario.seed, request_number=request_number),
        rules=rules,
        drawn=draws(rulebook, rules, is_accepted=is_accepted, request_number=request_number),
        timeline=tuple(
            _planned(change, now, is_reported=unreported is None and is_reported(change, readings))
            for change in changes
        ),
        callback_url=None if submission is None or unreported is not None else submission.callback_url,
        unreported=unreported,
        readings=readings,
    )


def rule_traces(
    book: Rulebook, call: Call, marks: Sequence[Mark], *, readings: Readings, request_number: int
) -> tuple[RuleTrace, ...]:
    """Return what became of each rule on a request, in the order in which they are tried.

    Args:
        book: the rules of then.
        call: the request.
        marks: as `RequestRecord.marks`.
        readings: those of then.
        request_number: counted in the session; draws hang on it.
    """
    rows: list[RuleTrace] = []
    phases = zip((book.before, book.after), (True, False), strict=True)
    for position, (phase, before_checks) in enumerate(phases):
        if position < len(marks):
            facts = facts_of(call, readings, before_checks=before_checks)
            rows += trace(
                book, marks[position], facts, request_number=request_number, before_checks=before_checks
            )
        else:
            winner = next((row.name for row in rows if row.matched), None)
            why = f"{NOT_TRIED}{winner} decided" if winner else f"{NOT_TRIED}the request was refused before"
            rows += [RuleTrace(rule.name, matched=False, miss=why) for rule in phase.rules]
    return tuple(rows)


def draws(
    book: Rulebook, rules: Sequence[RuleTrace], *, is_accepted: bool, request_number: int
) -> tuple[str, ...]:
    """Return what chance decided: for the rule that matched, or for the scenario's default.

    Args:
        book: the rules of then.
        rules: what became of them, from `rule_traces`.
        is_accepted: whether there is a message.
        request_number: as there.
    """
    winner = next((row for row in rules if row.matched), None)
    if winner is not None:
        return winner.drawn
    scenario = book.scenario
    return (
        drawn_steps(scenario.timeline, seed=scenario.seed, request_number=request_number)
        if is_accepted
        else ()
    )


def trace_json(row: RuleTrace) -> JsonObject:
    """Return what became of a rule as the control API shows it."""
    return {"name": row.name, "matched": row.matched, "miss": row.miss, "drawn": list(row.drawn)}


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
            verdict_at(position, failed_at),
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


def verdict_at(position: int, failed_at: int) -> Verdict:
    """Return what a check said; *failed_at* is 0 where none was reached, one past the last where none refused."""
    if position == failed_at:
        return Verdict.FAILED
    return Verdict.PASSED if position < failed_at else Verdict.NOT_REACHED


def _encoding(call: Call, readings: Readings) -> Encoding | None:
    """Return how a message travels even where another parameter has it refused."""
    draft, is_sound = _read(call, readings, _CARRIED)
    if not is_sound:
        return None
    return Encoding(draft.encoded, draft.udh, room_beside(draft.encoded.coding, draft.udh, readings))


def facts_of(call: Call, readings: Readings, *, before_checks: bool) -> Facts:
    """Return what a request looks like to a rule: before the checks as it came, after them as they have read it."""
    if before_checks:
        return Facts(call.method, call.parameters)
    draft, _ = _read(call, readings, _CARRIED | {"to"})
    is_flash = draft.udh is not None and draft.udh.is_flash
    return Facts(call.method, call.parameters, is_flash, draft.destination, draft.encoded.text)


def _read(call: Call, readings: Readings, names: Collection[str]) -> tuple[Draft, bool]:
    """Return what the checks of these parameters read, and whether none of them objects."""
    # Empty ones are left out: absent by one reading, refused by the other, they say nothing either way.
    parameters = {name: value for name in names if (value := call.parameters.get(name))}
    draft = Draft(parameters, call.json_names, NOBODY, NO_STANDING, _ANY_TIME, readings, [])
    return draft, all(check.examine(draft) is None for check in CHECKS if check.about in names)


def _unreported(submission: Submission) -> str | None:
    return submission.unreported if submission.confirmation else "confirmation is not true"


def _planned(change: Change, now: datetime, *, is_reported: bool) -> Planned:
    reports = (1 if change.step is None else change.step.repeat) if is_reported else 0
    return Planned(
        change,
        (change.at - now).total_seconds(),
        reports,
        (change.send_at - now).total_seconds() if reports else None,
    )


_CARRIED: Final = frozenset({"dcs", "udh", "message"})
"""The parameters that say how the message travels, each with the check that reads it."""
_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)  # none of these checks looks at it
