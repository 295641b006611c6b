"""Why a request was answered as it was: the answer in words, each check, each rule.

The same for requests of before, and for those that are only tried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox import contract
from sandbox.core.masking import without_key, without_secrets
from sandbox.core.trace import closest
from sandbox.explain import NOT_TRIED, Verdict
from sandbox.web.inbox import tones
from sandbox.web.inbox.pages import cut
from sandbox.web.inbox.rules import BesideView, clear

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sandbox.core.model import Answer, Value
    from sandbox.core.scenario import Fault, Respond
    from sandbox.core.trace import RuleTrace
    from sandbox.explain import Checked
    from sandbox.web.inbox.tones import Tone

_LONGEST: Final = 2000
"""Characters of a body."""
_MOST_RULES: Final = 100
"""How many rules are listed."""


class AnswerView(NamedTuple):
    """What a client is answered, and why."""

    tone: Tone
    outcome: str
    """``OK``, ``ERROR_5``, ``HTTP 503``, ``reset``"""
    description: str
    """Of the error code; empty without one."""
    solution: str
    reason: str
    fault: Fault | None
    """How a rule breaks the answer on its way."""
    http_status: int
    content_type: str
    body: str
    message: str | None
    """What was accepted: ``m3``."""
    hints: tuple[str, ...]


class CheckRow(NamedTuple):
    """One check of the request."""

    number: int
    about: str
    code: int
    verdict: Verdict
    reason: str


class ChecksView(NamedTuple):
    """All checks."""

    rows: tuple[CheckRow, ...]
    told: str
    has_refused: bool


class RuleRow(NamedTuple):
    """One rule of the scenario."""

    name: str
    matched: bool
    miss: str
    """The first condition that missed; empty when it matched."""
    href: str
    """Empty where there is no such rule any more."""


class RulesView(NamedTuple):
    """What became of the rules."""

    rows: tuple[RuleRow, ...]
    """Those that were tried."""
    left_out: int
    """How many of them found no room."""
    untried: int
    drawn: tuple[str, ...]
    told: str
    has_matched: bool
    closest: BesideView | None
    """The rule that came nearest where none decided; None where none came near."""


def outcome(answer: Answer, error: int | None, respond: Respond | None) -> str:
    """Return in a word how a request is answered: ``OK``, ``ERROR_5``, ``HTTP 503``, ``reset``."""
    if respond is not None and respond.fault is not None:
        return str(respond.fault)
    if error is not None:
        return f"ERROR_{error}"
    return "OK" if answer.status < 400 else f"HTTP {answer.status}"


def tone_of(answer: Answer, error: int | None, respond: Respond | None) -> Tone:
    """Return how a request went for the client that made it."""
    is_broken = respond is not None and respond.fault is not None
    return tones.Tone.FAILED if is_broken else tones.of_answer(answer.status, error)


def answer_view(
    answer: Answer,
    *,
    error: int | None,
    reason: str | None,
    respond: Respond | None,
    message: str | None,
    hints: Sequence[str],
    parameters: Mapping[str, Value],
) -> AnswerView:
    """Return an answer as it is shown.

    Args:
        answer: what was composed.
        error: its code.
        reason: why it is an error, or no success.
        respond: what a rule makes of it.
        message: the id of what was accepted.
        hints: what was odd.
        parameters: of the request; its key is kept out of what is shown.
    """
    code = next((row for row in contract.error_codes() if row.code == error), None)
    return AnswerView(
        tone_of(answer, error, respond),
        outcome(answer, error, respond),
        "" if code is None else code.description,
        "" if code is None else code.solution,
        without_secrets(reason or ""),
        None if respond is None else respond.fault,
        answer.status,
        answer.content_type,
        cut(without_key(answer.body, parameters), _LONGEST),
        message,
        tuple(map(without_secrets, hints)),
    )


# -- checks -------------------------------------------------------------------------------------------------------


def checks_view(checks: Iterable[Checked]) -> ChecksView:
    """Return each check, and what it said."""
    rows = tuple(
        CheckRow(number, check.about, check.code, check.verdict, without_secrets(check.reason or ""))
        for number, check in enumerate(checks, 1)
    )
    failed = next((row for row in rows if row.verdict is Verdict.FAILED), None)
    if failed is not None:
        told = f"Check {failed.number} of {len(rows)}, {failed.about}, refused it."
    elif rows[-1].verdict is Verdict.PASSED:
        told = f"It passed all {len(rows)} checks."
    else:
        told = "It was answered before the checks."
    return ChecksView(rows, told, failed is not None)


# -- rules --------------------------------------------------------------------------------------------------------


def rules_view(
    traces: Sequence[RuleTrace],
    drawn: tuple[str, ...],
    *,
    is_accepted: bool,
    hrefs: Mapping[str, str],
    request: str = "",
) -> RulesView:
    """Return rules for showing: the one that matched, then those that missed, as far as there is room.

    Args:
        traces: what became of each.
        drawn: what chance decided.
        is_accepted: whether there is a message.
        hrefs: the links to those rules that are still there, by name.
        request: its id; empty for one that is only tried out.
    """
    rows = tuple(
        RuleRow(trace.name, trace.matched, without_secrets(trace.miss or ""), hrefs.get(trace.name, ""))
        for trace in traces
        if not (trace.miss or "").startswith(NOT_TRIED)
    )
    winner = next((row for row in rows if row.matched), None)
    shown = sorted(rows, key=lambda row: not row.matched)[:_MOST_RULES]
    if winner is not None:
        told = f"Rule {winner.name} decided."
    elif is_accepted:
        told = "No rule matched: the scenario's default applies." if traces else "The scenario has no rules."
    else:
        told = "No rule before the checks matched." if rows else "No rule was tried."
    near = closest(traces)
    return RulesView(
        tuple(shown),
        len(rows) - len(shown),
        len(traces) - len(rows),
        drawn,
        told,
        winner is not None,
        None
        if near is None
        else BesideView(near.name, hrefs.get(near.name, ""), request, clear(near.conditions)),
    )
