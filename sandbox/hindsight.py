"""Why a request that is kept was answered as it was: each check, each rule, what was drawn. Worked out when asked.

Changes nothing. Knows nothing of how it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.checks import CHECKS, NO_STANDING, judge
from sandbox.core.model import Refusal
from sandbox.core.trace import compare_rule
from sandbox.engine import METHODS
from sandbox.explain import Checked, draws, facts_of, rule_traces, verdict_at

if TYPE_CHECKING:
    from sandbox.core.decide import Rulebook
    from sandbox.core.match import Compared
    from sandbox.core.model import RequestRecord
    from sandbox.core.readings import Readings
    from sandbox.core.trace import RuleTrace
    from sandbox.engine import Engine

_OF_STANDING: Final = {
    check.code: position for position, check in enumerate(CHECKS, 1) if check.code in {6, 7, 9}
}
"""The checks that hang on more than the request: where the account stood then is not kept."""


class Hindsight(NamedTuple):
    """What became of one request, step by step."""

    checks: tuple[Checked, ...]
    rules: tuple[RuleTrace, ...] | None
    """In the order in which they were tried; None when those of then are no longer known."""
    drawn: tuple[str, ...]
    """What chance decided."""


def hindsight(engine: Engine, record: RequestRecord) -> Hindsight:
    """Return why *record*, which *engine* has made, is as it is."""
    decided_by = engine.decided_by(record.number)
    book, readings = decided_by or (engine.rulebook, engine.readings)
    failed_at = _failed_at(record, book, readings)
    checks = tuple(
        Checked(
            check.about,
            record.error if position == failed_at and record.error is not None else check.code,
            verdict_at(position, failed_at),
            record.reason if position == failed_at else None,
        )
        for position, check in enumerate(CHECKS, 1)
    )
    if decided_by is None:
        return Hindsight(checks, None, ())
    number = record.number
    rules = rule_traces(book, record.call, record.marks, readings=readings, request_number=number)
    is_accepted = record.message_number is not None
    return Hindsight(checks, rules, draws(book, rules, is_accepted=is_accepted, request_number=number))


def beside(
    engine: Engine, record: RequestRecord, name: str, *, is_counted: bool = True
) -> tuple[Compared, ...] | None:
    """Return each condition of the rule *name* beside a request, whichever rule decided it.

    Without *is_counted*, ``nth`` and ``every`` are left open: for a look at many requests.

    None where there was no such rule when the request came, or it was answered before such rules are tried.
    """
    decided_by = engine.decided_by(record.number)
    if decided_by is None:
        return None
    book, readings = decided_by
    rule = next((rule for rule in book.rules if rule.name == name), None)
    if rule is None or len(record.marks) < (1 if rule.before_checks else 2):
        return None
    return compare_rule(
        book,
        name,
        record.marks[0 if rule.before_checks else 1],
        facts_of(record.call, readings, before_checks=rule.before_checks),
        request_number=record.number,
        is_counted=is_counted,
    )


def _failed_at(record: RequestRecord, book: Rulebook, readings: Readings) -> int:
    """Return the position of the check that refused a request: 0 for none reached, one past the last for all passed."""
    call = record.call
    if call.method not in METHODS or call.too_large or call.unreadable_body is not None:
        return 0
    # The rules after the checks leave a mark of their own; a message tells as well that all were passed.
    if len(record.marks) > 1 or record.message_number is not None:
        return len(CHECKS) + 1
    if any(rule.name == record.rule and not rule.submit for rule in book.rules):
        return 0
    if record.error in _OF_STANDING:
        return _OF_STANDING[record.error]
    user = call.parameters.get("user")
    verdict = judge(
        call.parameters,
        json_names=call.json_names,
        account=book.scenario.accounts.find(user) if isinstance(user, str) and user else None,
        standing=NO_STANDING,
        now=record.at,
        readings=readings,
    )
    return verdict.position if isinstance(verdict, Refusal) else 0
