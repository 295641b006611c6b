"""The form that sends a message: filled in, tried out, sent, and what came of it.

What it says is read as any form that a client posts, so that a message from here goes the way of all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from sandbox import contract
from sandbox.core.masking import without_secrets
from sandbox.core.match import Exact
from sandbox.core.model import Unreadable
from sandbox.core.parameters import PARAMETERS
from sandbox.explain import explain
from sandbox.web.inbox import anatomy, rules, tones, verdicts
from sandbox.web.inbox.credentials import credentials
from sandbox.web.inbox.moments import span
from sandbox.web.inbox.pages import Page, Redirect, known
from sandbox.web.inbox.request import found, view_of
from sandbox.web.inbox.snippets import ENDPOINT
from sandbox.web.wire import read_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.model import Call, RequestRecord
    from sandbox.core.scenario import Rule
    from sandbox.engine import Engine
    from sandbox.explain import Explanation, Planned
    from sandbox.web.inbox.anatomy import Encoding
    from sandbox.web.inbox.pages import Visit
    from sandbox.web.inbox.request import RequestView
    from sandbox.web.inbox.tones import Tone
    from sandbox.web.inbox.verdicts import AnswerView, ChecksView, RulesView

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_NUMBERS: Final = 60
_BUTTON: Final = b"do"
"""The name that the buttons send; the API has no such parameter."""

FIELDS: Final = tuple(name for name in sorted(PARAMETERS) if name != "apiKey")
"""What a link may fill in: all but the key, which no address may hold."""


class Example(NamedTuple):
    """A message worth a look."""

    name: str
    parameters: Mapping[str, str]


EXAMPLES: Final = (
    Example("Plain", {"message": "Your code is 1234"}),
    Example("Flash", {"message": "Evacuate the building", "udh": "0100"}),
    Example("Euro sign", {"message": "Only 9€ [today]", "dcs": "1"}),
    Example("Arabic", {"message": "رمز التحقق الخاص بك هو 1234", "dcs": "8"}),
    Example("Emoji", {"message": "On its way 📦🚚 ❤️", "dcs": "8"}),
    Example("Part 1 of 2", {"message": "The first half, ", "udh": "050003CC0201"}),
    Example("Part 2 of 2", {"message": "and the second.", "udh": "050003CC0202"}),
    Example("Binary", {"message": "0605040B8423F0DCFFEE", "dcs": "4"}),
)


class Link(NamedTuple):
    """An example as a link."""

    name: str
    href: str


class Number(NamedTuple):
    """A destination that a rule of the scenario is about."""

    to: str
    rule: str


class PlannedRow(NamedTuple):
    """One change of status that the message would go through."""

    after: str
    """``1 s``"""
    status: str
    tone: Tone
    reports: str
    """How it would be reported; empty for not at all."""


@dataclass(frozen=True, slots=True)
class TrialView:
    """What would come of the message, if it were sent now."""

    answer: AnswerView
    delay: str
    """How long the answer would wait; empty for not at all."""
    checks: ChecksView
    rules: RulesView
    encoding: Encoding | None
    planned: tuple[PlannedRow, ...]
    unreported: str


@dataclass(frozen=True, slots=True)
class SendView:
    """The form."""

    values: Mapping[str, str]
    """What stands in its fields, by parameter."""
    user: str
    """Who sends when the field is left empty."""
    examples: tuple[Link, ...]
    numbers: tuple[Number, ...]
    sent: RequestView | None
    """What came of the message that was just sent."""
    trial: TrialView | None
    """What would come of what stands in the form; None when nothing stands there, or it was just sent."""
    is_more_open: bool
    """Whether a field is filled in that most messages do without."""


def show(visit: Visit) -> Page:
    """Show the form: empty, filled in by the link, or with a request of before."""
    visit.demand_known("sent", "from", "code", *FIELDS)
    values = {name: value for name, value in visit.query.items() if name in FIELDS}
    sent = None
    for name in ("from", "sent"):
        if name in visit.query:
            record = found(visit, visit.query[name])
            values = {**_values(record), **values}
            sent = view_of(record, visit) if name == "sent" else None
    if "code" in visit.query:
        rows = {str(row.code): row for row in contract.error_codes()}
        example = rows[known(visit.query["code"], rows, "code")].example
        # The key alone cannot be handed over: the form would have to show it.
        values = {**{name: value for name, value in example.items() if name in FIELDS}, **values}
    trial = None
    if sent is None and values:
        trial = _trial(visit, _read(visit.engine, urlencode({**values, **_key_of(visit)}).encode()))
    return _page(visit, values, sent=sent, trial=trial)


def _key_of(visit: Visit) -> dict[str, str]:
    """Return the key that an example of an error code needs; the form shows none."""
    wanted = visit.query.get("code")
    row = next((row for row in contract.error_codes() if str(row.code) == wanted), None)
    return {"apiKey": row.example["apiKey"]} if row is not None and "apiKey" in row.example else {}


def try_out(visit: Visit, body: bytes) -> Page:
    """Show what would come of what stands in the form; nothing is sent."""
    call = _read(visit.engine, body)
    values = {name: value for name in FIELDS if isinstance(value := call.parameters.get(name), str)}
    return _page(visit, values, sent=None, trial=_trial(visit, call))


def _page(
    visit: Visit, values: Mapping[str, str], *, sent: RequestView | None, trial: TrialView | None
) -> Page:
    engine = visit.engine
    usual = {"to", "message", "senderId"}
    view = SendView(
        values={name: values.get(name, "") for name in FIELDS},
        user=credentials(engine.scenario, None)[0],
        examples=tuple(Link(name, _example(visit.base, parameters)) for name, parameters in EXAMPLES),
        numbers=_numbers(engine),
        sent=sent,
        trial=trial,
        is_more_open=any(values.get(name) for name in FIELDS if name not in usual),
    )
    return Page("send.html", "Send a message", view, tab="/send")


def _example(base: str, parameters: Mapping[str, str]) -> str:
    return f"{base}/send?{urlencode({'to': '+1222333444', **parameters})}"


def _values(record: RequestRecord) -> dict[str, str]:
    """Return what the form shows of a request: nothing that holds a secret."""
    return {
        name: value
        for name, value in record.call.parameters.items()
        if name in FIELDS and not isinstance(value, Unreadable) and without_secrets(value) == value
    }


def _numbers(engine: Engine) -> tuple[Number, ...]:
    found = [number for rule in engine.rulebook.rules if (number := _number(rule)) is not None]
    return tuple(found[:_MOST_NUMBERS])


def _number(rule: Rule) -> Number | None:
    matcher = dict(rule.when.texts).get("to")
    return Number(matcher.text, rule.name) if isinstance(matcher, Exact) else None


# -- what stands in the form --------------------------------------------------------------------------------------


def _read(engine: Engine, body: bytes) -> Call:
    """Return the call that a posted form makes.

    Empty fields are not sent, and a line ends as it does on a phone, not as browsers write it.
    """
    pairs = (pair.partition(b"=") for pair in body.replace(b"%0D%0A", b"%0A").split(b"&"))
    filled = b"&".join(name + b"=" + value for name, _, value in pairs if value and name != _BUTTON)
    return read_call("POST", ENDPOINT, b"", _FORM, filled, engine.readings)


def _signed(engine: Engine, call: Call) -> Call:
    """Return *call* with who sends, and the key, where they are left out."""
    given = call.parameters.get("user")
    user, key = credentials(engine.scenario, given if isinstance(given, str) else None)
    return call._replace(parameters={"user": user, "apiKey": key, **call.parameters})


async def send(visit: Visit, body: bytes) -> Redirect:
    """Send what stands in the form, and go where its answer is shown."""
    engine = visit.engine
    record = engine.handle(_signed(engine, _read(engine, body)))
    if record.is_reported_first:
        await engine.timelines.reported_before_answer(record)
    return Redirect(f"{visit.base}/send?sent=r{record.number}")


# -- what would come of it ----------------------------------------------------------------------------------------


def _trial(visit: Visit, call: Call) -> TrialView:
    signed = _signed(visit.engine, call)
    it = explain(visit.engine, signed)
    return TrialView(
        answer=verdicts.answer_view(
            it.answer,
            error=it.error,
            reason=it.reason,
            respond=it.respond,
            message=None,
            hints=it.hints,
            parameters=signed.parameters,
        ),
        delay="" if not it.delay_s else span(timedelta(seconds=it.delay_s)),
        checks=verdicts.checks_view(it.checks),
        rules=verdicts.rules_view(it.rules, it.drawn, is_accepted=it.accepted, hrefs=rules.links(visit)),
        encoding=_encoding(it, call),
        planned=tuple(map(_planned, it.timeline)),
        unreported=without_secrets(it.unreported or "") if it.accepted else "",
    )


def _encoding(it: Explanation, call: Call) -> Encoding | None:
    if it.encoding is None:
        return None
    dcs = call.parameters.get("dcs", "0")
    return anatomy.laid_open(
        it.encoding.encoded,
        it.encoding.udh,
        dcs=int(dcs) if isinstance(dcs, str) else 0,
        room=it.encoding.room,
    )


def _planned(planned: Planned) -> PlannedRow:
    change = planned.change
    reports = ""
    if planned.report_after_s is not None:
        times = f", {planned.reports} times" if planned.reports > 1 else ""
        late = planned.report_after_s - planned.after_s
        reports = f"reported{times}" + (f" {span(timedelta(seconds=late))} later" if late > 0 else "")
        reports += " before the answer" if planned.is_before_answer else ""
    after = span(timedelta(seconds=planned.after_s))
    return PlannedRow(after, change.status, tones.of_status(change.status), reports)
