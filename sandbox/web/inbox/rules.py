"""One rule: what it asks and does in words, what it has decided, and the requests that came nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from sandbox import contract
from sandbox.core.masking import without_secrets
from sandbox.core.match import describe
from sandbox.core.scenario import Fixed, Uniform
from sandbox.core.trace import NEAR, nearness
from sandbox.errors import NotFoundError, did_you_mean
from sandbox.hindsight import beside
from sandbox.web.ids import number_of
from sandbox.web.inbox.first_call import first_call
from sandbox.web.inbox.moments import moment, span
from sandbox.web.inbox.pages import Page, cut
from sandbox.web.problems import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.core.match import Compared
    from sandbox.core.model import RequestRecord
    from sandbox.core.scenario import Delay, Rule, Step
    from sandbox.web.inbox.moments import Moment
    from sandbox.web.inbox.pages import Visit

LOOKED_AT: Final = 200
"""How many of the newest requests are looked at for those that a rule decided, or nearly did."""

_SHOWN: Final = 5
"""How many of each are listed."""

_LONGEST: Final = 120
"""Characters of a value."""


class BesideView(NamedTuple):
    """A rule's conditions, each beside what a request had."""

    rule: str
    rule_href: str
    """Empty where there is no such rule any more."""
    request: str
    """``r3``; empty for one that is only tried out."""
    rows: tuple[Compared, ...]


class RequestLink(NamedTuple):
    """A request, by what it is known."""

    id: str
    to: str
    at: Moment
    differs: int
    """How many conditions missed."""


class Deed(NamedTuple):
    """One thing that a rule does."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleView:
    """All of it."""

    name: str
    kinds: tuple[str, ...]
    matched: int
    asks: tuple[str, ...]
    does: tuple[Deed, ...]
    decided: tuple[RequestLink, ...]
    """The newest requests that it decided."""
    all_decided: str
    """A link to all of them."""
    beside: BesideView | None
    told: str
    """What came of the request that it stands beside, or why there is none."""
    is_chosen: bool
    """Whether somebody asked for this request; else it is the one that came nearest."""
    near: tuple[RequestLink, ...]
    """Those that came nearest, the nearest first."""
    looked_at: int
    first: str
    """A call to begin with; empty where one has come."""


def link(base: str, name: str, request: str = "") -> str:
    """Return the link to a rule, beside a request where one is named."""
    return f"{base}/scenario/rule?{urlencode({'name': name, **({'request': request} if request else {})})}"


def links(visit: Visit, request: str = "") -> dict[str, str]:
    """Return the links to all rules in force, by name, beside a request where one is named."""
    return {rule.name: link(visit.base, rule.name, request) for rule in visit.engine.rulebook.rules}


def show(visit: Visit) -> Page:
    """Show one rule of those in force, beside the request that came nearest, or one that is asked for.

    Raises:
        NotFoundError: there is no such rule, or no such request.
        QueryError: the query names no rule, or holds something else.
    """
    visit.demand_known("name", "request")
    if "name" not in visit.query:
        raise QueryError("say which rule is to be shown: ?name=…")
    engine, name = visit.engine, visit.query["name"]
    rule = next((rule for rule in engine.rulebook.rules if rule.name == name), None)
    if rule is None:
        names = [rule.name for rule in engine.rulebook.rules]
        raise NotFoundError(
            f"Scenario {engine.scenario.name} has no rule {cut(name, _LONGEST)}{did_you_mean(name[:60], names)}"
        )
    return Page("rule.html", f"Rule {name}", _view(visit, rule), tab="/scenario")


def _view(visit: Visit, rule: Rule) -> RuleView:
    engine, name = visit.engine, rule.name
    newest = tuple(islice(engine.store.requests(), LOOKED_AT))
    decided = [record for record in newest if record.rule == name]
    near = _nearest(visit, rule, newest)
    chosen = _chosen(visit)
    record = chosen or next((record for record, _ in near), None)
    conditions = None if record is None else beside(engine, record, name)
    progress = engine.progress
    kinds = (
        ("before checks", rule.before_checks),
        ("added", any(each.name == name for each in visit.session.added)),
        ("used up", name in progress.standing.gone),
    )
    return RuleView(
        name=name,
        kinds=tuple(kind for kind, is_so in kinds if is_so),
        matched=progress.matched.get(name, 0),
        asks=tuple(map(without_secrets, asks(rule))) or ("any request",),
        does=tuple(_does(rule)),
        decided=tuple(_request(visit, each, ()) for each in decided[:_SHOWN]),
        all_decided=f"{visit.base}/requests?{urlencode({'q': _search(name)})}",
        beside=None
        if conditions is None or record is None
        else BesideView(name, "", f"r{record.number}", clear(conditions)),
        told=_told(rule, record, conditions, len(newest)),
        is_chosen=chosen is not None,
        near=tuple(_request(visit, each, missed) for each, missed in near),
        looked_at=len(newest),
        first="" if newest else first_call(visit).curl,
    )


def _search(name: str) -> str:
    return f'rule:"{name}"' if " " in name else f"rule:{name}"


def _chosen(visit: Visit) -> RequestRecord | None:
    wanted = visit.query.get("request")
    if wanted is None:
        return None
    record = visit.engine.store.request(number_of(wanted, "r"))
    if record is None:
        raise NotFoundError(f"There is no request {cut(wanted, 20)}: it never was, or has been deleted.")
    return record


def _nearest(
    visit: Visit, rule: Rule, records: Iterable[RequestRecord]
) -> list[tuple[RequestRecord, Sequence[Compared]]]:
    """Return those of *records* that came near to a rule that did not decide them, the nearest first."""
    found = []
    for record in records:
        if record.rule != rule.name:
            conditions = beside(visit.engine, record, rule.name, is_counted=False) or ()
            if (near := nearness(conditions)) >= NEAR:
                found.append((near, record, conditions))
    found.sort(key=lambda each: -each[0])
    return [(record, conditions) for _, record, conditions in found[:_SHOWN]]


def _told(rule: Rule, record: RequestRecord | None, conditions: Sequence[Compared] | None, seen: int) -> str:
    if record is None:
        return (
            "No request has come yet."
            if not seen
            else f"None of the newest {seen} came near, or it decided them."
        )
    number = f"r{record.number}"
    if record.rule == rule.name:
        return f"It decided {number}."
    if conditions is None:
        return f"{number} came before this rule was there, or was answered before such rules are tried."
    differs = sum(each.holds is False for each in conditions)
    if not differs:
        first = (
            f"rule {record.rule} comes first, and decided it" if record.rule else "none was tried any more"
        )
        return f"{number} meets all that it asks; {first}."
    instead = f" Rule {record.rule} decided it." if record.rule else ""
    return f"{differs} of {len(conditions)} {'differs' if differs == 1 else 'differ'}.{instead}"


def _request(visit: Visit, record: RequestRecord, conditions: Sequence[Compared]) -> RequestLink:
    to = record.call.parameters.get("to")
    return RequestLink(
        f"r{record.number}",
        cut(to, _LONGEST) if isinstance(to, str) else "",
        moment(record.at, visit.now),
        sum(each.holds is False for each in conditions),
    )


def clear(conditions: Sequence[Compared]) -> tuple[Compared, ...]:
    """Return conditions as a page may show them: without secrets."""
    return tuple(
        each._replace(asked=without_secrets(each.asked), met=without_secrets(each.met)) for each in conditions
    )


# -- in words -----------------------------------------------------------------------------------------------------


def asks(rule: Rule) -> list[str]:
    """Return what a rule asks of a request, in words; nothing where any will do."""
    when = rule.when
    said = [f"{name} {describe(matcher)}" for name, matcher in when.texts]
    if when.method is not None:
        said.append(f"method is {when.method}")
    if when.flash is not None:
        said.append("is flash" if when.flash else "is not flash")
    if when.confirmation is not None:
        said.append("asks for reports" if when.confirmation else "asks for no reports")
    if when.nth:
        said.append(f"request {', '.join(map(str, sorted(when.nth)))}")
    if when.every is not None:
        said.append(f"every {when.every}")
    if when.per is not None:
        said.append(f"counted per {when.per}")
    if when.probability is not None:
        said.append(f"with probability {when.probability:g}")
    if when.state is not None:
        said.append(f"in state {when.state}")
    return said


def _does(rule: Rule) -> Iterable[Deed]:
    yield Deed("Answers", _answers(rule))
    if rule.respond is not None and rule.respond.delay is not None:
        yield Deed("Waits", _delay(rule.respond.delay))
    if not rule.submit:
        yield Deed("Message", "none is accepted")
    elif rule.timeline is None:
        yield Deed("Message", "goes the scenario's default way")
    else:
        steps = ", ".join(map(_step, rule.timeline))
        yield Deed("Message", steps or "nothing ever happens to it")
    if rule.set_state is not None:
        yield Deed("Then", f"the scenario is in state {rule.set_state}")
    if rule.times is not None:
        yield Deed("Times", f"{rule.times}, then it is used up")


def _answers(rule: Rule) -> str:
    respond = rule.respond
    said = []
    if respond is not None and respond.error is not None:
        description = next(row.description for row in contract.error_codes() if row.code == respond.error)
        said.append(f"ERROR_{respond.error}, {description}")
    if respond is not None and respond.status is not None:
        said.append(f"HTTP {respond.status}")
    if respond is not None and respond.body is not None:
        said.append("a text of its own")
    if respond is not None and respond.fault is not None:
        said.append(f"broken on its way: {respond.fault}")
    return ", ".join(said) or "as the checks have it"


def _delay(delay: Delay) -> str:
    match delay:
        case Fixed(seconds):
            return f"{seconds:g} s"
        case Uniform(low, high):
            return f"{low:g} to {high:g} s"
    return f"{delay.median_s:g} s in the middle, now and then far longer"


def _step(step: Step) -> str:
    said = f"{step.status} after {span(step.after)}"
    if step.jitter:
        said += f" to {span(step.after + step.jitter)}"
    if step.weight is not None:
        said += f" (drawn by weight {step.weight:g})"
    if step.repeat > 1:
        said += f", reported {step.repeat} times"
    return said
