"""One request: what it was answered and why, each check and each rule, and the same call to copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.model import Unreadable
from sandbox.engine import METHODS
from sandbox.errors import NotFoundError
from sandbox.hindsight import hindsight
from sandbox.web.ids import number_of
from sandbox.web.inbox import rules, scenario_snippets, snippets, verdicts
from sandbox.web.inbox.moments import moment
from sandbox.web.inbox.pages import Page, cut
from sandbox.web.records import parameters_json

if TYPE_CHECKING:
    from sandbox.core.model import RequestRecord
    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.snippets import Snippet
    from sandbox.web.inbox.verdicts import AnswerView, ChecksView, RulesView

_LONGEST: Final = 2000
"""Characters of a value."""
_LONGEST_SNIPPET: Final = 12_000


class ParameterRow(NamedTuple):
    """One parameter as it came."""

    name: str
    value: str
    note: str
    """Why it cannot be read; empty when it can."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """All of it."""

    id: str
    method: str
    path: str
    at: Moment
    answer: AnswerView
    parameters: tuple[ParameterRow, ...]
    checks: ChecksView
    rules: RulesView | None
    """None when they are no longer known."""
    snippets: tuple[Snippet, ...]
    again: str
    """A link to the form with this request in it."""
    newer: str | None
    older: str | None


def show(visit: Visit) -> Page:
    """Show one request."""
    visit.demand_known()
    record = found(visit, visit.path["id"])
    return Page("request.html", f"Request r{record.number}", view_of(record, visit), tab="/requests")


def found(visit: Visit, wanted: str) -> RequestRecord:
    """Return the request with this id.

    Raises:
        NotFoundError: there is none.
    """
    number = number_of(wanted, "r")
    record = visit.engine.store.request(number)
    if record is None:
        raise NotFoundError(f"There is no request r{number}: it never was, or has been deleted.")
    return record


def view_of(record: RequestRecord, visit: Visit) -> RequestView:
    """Return all there is to say about a request."""
    checks, traces, drawn = hindsight(visit.engine, record)
    number = f"r{record.number}"
    return RequestView(
        id=number,
        method=cut(record.call.method, _LONGEST),
        path=record.call.path,
        at=moment(record.at, visit.now),
        answer=verdicts.answer_view(
            record.answer,
            error=record.error,
            reason=record.reason,
            respond=record.respond,
            message=None if record.message_number is None else f"m{record.message_number}",
            hints=record.hints,
            parameters=record.call.parameters,
        ),
        parameters=_parameters(record),
        checks=verdicts.checks_view(checks),
        rules=None
        if traces is None
        else verdicts.rules_view(
            traces,
            drawn,
            is_accepted=record.message_number is not None,
            hrefs=rules.links(visit, number),
            request=number,
        ),
        snippets=_snippets(record, visit),
        again=f"{visit.base}/send?from=r{record.number}",
        newer=_link(visit, record.number + 1),
        older=_link(visit, record.number - 1),
    )


def _link(visit: Visit, number: int) -> str | None:
    there = number > 0 and visit.engine.store.request(number) is not None
    return f"{visit.base}/requests/r{number}" if there else None


def _snippets(record: RequestRecord, visit: Visit) -> tuple[Snippet, ...]:
    """Return a GET or POST in every way it can be written; nothing of what is no call, or too long to copy."""
    if record.call.method not in METHODS or record.call.too_large:
        return ()
    engine = visit.engine
    message = None if record.message_number is None else engine.store.message(record.message_number)
    made = (
        *snippets.of_call(record.call, base_url=f"{visit.origin}{visit.base}"),
        *scenario_snippets.of_request(record, message, scenario=engine.scenario.name),
    )
    return made if all(len(snippet.text) <= _LONGEST_SNIPPET for snippet in made) else ()


def _parameters(record: RequestRecord) -> tuple[ParameterRow, ...]:
    shown = parameters_json(record.call.parameters)
    return tuple(
        ParameterRow(
            cut(name, _LONGEST),
            cut(shown[name], _LONGEST),
            value.why if isinstance(value, Unreadable) else "",
        )
        for name, value in record.call.parameters.items()
    )
