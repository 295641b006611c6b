"""How the rules of a scenario are written: what is answered, and the timeline of reports.

Reads nodes into the core's values, and notes what contradicts itself. Knows nothing of what a rule does.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.match import PARAMETERS, When
from sandbox.core.scenario import Fault, Fixed, Lognormal, Respond, Rule, Step, Uniform
from sandbox.core.spelling import excerpt
from sandbox.core.template import faults
from sandbox.errors import did_you_mean
from sandbox.when_shape import COUNT, WHEN
from sandbox.yaml_scalars import Boolean, Duration, Integer, Number, Text, Word
from sandbox.yaml_shapes import BAD, Bad, ByKind, Keys, Listed, Made, Notes, Shape, Table, Written

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.core.scenario import Delay
    from sandbox.yaml_nodes import Node

MOST_STEPS: Final = 100
MOST_REPEATS: Final = 100
MOST_HEADERS: Final = 50
MOST_FAULTS: Final = 10
"""Mistakes that are told of one body at most."""

RESPONSE_NAMES: Final = PARAMETERS
"""What a response body's placeholders may name."""
REPORT_NAMES: Final = (*PARAMETERS, "status", "destination", "timestamp", "errorCode", "errorDescription")
"""What a report body's placeholders may name."""


# -- respond ---------------------------------------------------------------------------------------


def _body_shape(names: Collection[str]) -> Shape[str]:
    def check(body: str, node: Node, notes: Notes) -> str | Bad:
        found = [
            notes.add(
                node, fault.sentence + (did_you_mean(fault.word[:60], fault.choices) if fault.word else "")
            )
            for fault in islice(faults(body, names), MOST_FAULTS)
        ]
        return BAD if found else body

    return Made(Text(may_be_empty=True), check)


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_FRAMING = frozenset({"content-length", "transfer-encoding", "host"})


def _header_fault(name: str) -> str | None:
    if not _TOKEN.fullmatch(name):
        return f"{excerpt(name) or 'an empty name'} is no header name: letters, digits and dashes"
    if name.lower() in _FRAMING:
        return f"{name} is written by the sandbox: leave it out"
    return None


def _header_value(value: str, node: Node, notes: Notes) -> str | Bad:
    if re.fullmatch(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?", value):
        return value
    return notes.add(node, f'"{excerpt(value)}" is no header value: one line of ASCII, no blanks around it')


def _headers(headers: dict[str, str], node: Node, notes: Notes) -> dict[str, str]:
    if len({name.lower() for name in headers}) < len(headers):
        notes.add(node, "a header stands here twice: their names are the same in any case")
    return headers


HEADERS: Final[Shape[dict[str, str]]] = Made(
    Table(Made(Text(may_be_empty=True), _header_value), most=MOST_HEADERS, check=_header_fault), _headers
)
"""HTTP headers, by name."""


def _delay(written: Written, _: Notes) -> Delay | Bad:
    return written.get("uniform") or written.get("lognormal") or BAD


def _uniform(bounds: tuple[float, ...], node: Node, notes: Notes) -> Uniform | Bad:
    if len(bounds) < 2:
        return BAD  # what is wrong with the other is noted
    if bounds[0] > bounds[1]:
        return notes.add(node, f"{bounds[0]:g} s is more than {bounds[1]:g} s: the lower bound comes first")
    return Uniform(*bounds)


_DELAY: Final[Shape[Delay]] = ByKind(
    "a duration, {uniform: [1s, 3s]} or {lognormal: {median: 200ms, sigma: 0.4}}",
    scalar=Made(Duration(), lambda seconds, _, __: Fixed(seconds)),
    pairs=Keys(
        "delay",
        {
            "uniform": Made(Listed(Duration(), most=2, least=2), _uniform),
            "lognormal": Keys(
                "lognormal",
                {"median": Duration(least_s=0.001), "sigma": Number(0, 5)},
                lambda written, _: Lognormal(written.get("median"), written.get("sigma")),
                required=("median", "sigma"),
            ),
        },
        _delay,
        exclusive=(("uniform", "lognormal"),),
        least=1,
    ),
)


def _respond(written: Written, notes: Notes) -> Respond:
    says_http = {"headers", "body"} & written.nodes.keys()
    status = written.get("status", 200 if says_http else None)
    if status in {204, 304} and written.get("body"):
        notes.add(written.nodes["body"], f"an answer with status {status} has no body: leave it out")
    return Respond(
        error=written.get("error"),
        status=status,
        headers=written.get("headers", {}),
        body=written.get("body"),
        fault=written.get("fault"),
        delay=written.get("delay"),
    )


def _respond_shape(codes: Collection[int]) -> Shape[Respond]:
    return Keys(
        "respond",
        {
            "error": Integer(min(codes), max(codes)),
            "status": Integer(200, 599),
            "headers": HEADERS,
            "body": _body_shape(RESPONSE_NAMES),
            "fault": Made(Word(tuple(Fault)), lambda word, _, __: Fault(word)),
            "delay": _DELAY,
        },
        _respond,
        exclusive=(
            ("error", "status"),
            ("error", "fault"),
            ("status", "fault"),
            ("error", "headers"),
            ("error", "body"),
            ("fault", "headers"),
            ("fault", "body"),
        ),
        least=1,
    )


# -- dlr -------------------------------------------------------------------------------------------


def _step(written: Written, notes: Notes) -> Step:
    after, send_after = written.get("after", 0.0), written.get("send_after")
    if send_after is not None and send_after < after:
        notes.add(
            written.nodes["send_after"],
            f"a report cannot go out {send_after:g} s after the start, before its change at {after:g} s: "
            "send_after is at least after",
        )
    return Step(
        after=timedelta(seconds=after),
        status=written.get("status"),
        jitter=timedelta(seconds=written.get("jitter", 0.0)),
        error_code=written.get("errorCode"),
        weight=written.get("weight"),
        repeat=written.get("repeat", 1),
        send_after=None if send_after is None else timedelta(seconds=send_after),
        before_answer=written.get("before_answer", False),
        body=written.get("body"),
    )


def _timeline(steps: tuple[Step, ...], node: Node, notes: Notes) -> tuple[Step, ...]:
    weights = [step.weight for step in steps if step.weight is not None]
    if weights and not any(weights):
        notes.add(node, "no step can be drawn: every weight is 0")
    return steps


def timeline_shape(codes: Collection[int]) -> Shape[tuple[Step, ...]]:
    """Return the shape of a ``dlr`` whose steps may have the error codes *codes*."""
    step = Keys(
        "step",
        {
            "after": Duration(),
            "status": Text(),
            "jitter": Duration(),
            "errorCode": Integer(min(codes), max(codes)),
            "weight": Number(0, 1_000_000),
            "repeat": Integer(1, MOST_REPEATS),
            "send_after": Duration(),
            "before_answer": Boolean(),
            "body": _body_shape(REPORT_NAMES),
        },
        _step,
        required=("status",),
        exclusive=(("send_after", "before_answer"),),
    )
    return Made(Listed(step, most=MOST_STEPS), _timeline)


# -- rules -----------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """A rule, and where mistakes about it as one of many belong."""

    rule: Rule
    """Its name is empty when none is written."""
    node: Node
    """Its name where it has one."""
    is_flawed: bool
    """Whether its ``when`` holds mistakes, so that nothing can be said about it."""


def _rule(written: Written, notes: Notes) -> Placed:
    respond: Respond | None = written.get("respond")
    submit = written.get("submit", _submits(respond))
    if written.get("dlr") and not submit and not {"respond", "submit"} & set(written.flawed):
        notes.add(
            written.nodes["dlr"],
            "a message that is not accepted has no reports: add submit: true, or leave dlr out",
        )
    when: When = written.get("when", When())
    if written.get("before_checks") and when.flash is not None:
        notes.add(
            written.nodes["when"],
            "before the checks nobody knows whether a message is flash: leave flash or before_checks out",
        )
    rule = Rule(
        name=written.get("name", ""),
        when=when,
        respond=respond,
        submit=submit,
        before_checks=written.get("before_checks", False),
        set_state=written.get("set_state"),
        timeline=written.get("dlr"),
        times=written.get("times"),
    )
    return Placed(rule, written.nodes.get("name", written.node), "when" in written.flawed)


def _submits(respond: Respond | None) -> bool:
    """Say whether the message is accepted where the rule does not say: for a delay alone, and for code 3."""
    if respond is None:
        return True
    return respond.error == 3 or (respond.error is None and respond.status is None and respond.fault is None)


def rule_shape(codes: Collection[int]) -> Shape[Placed]:
    """Return the shape of a rule that may answer the error codes *codes*."""
    return Keys(
        "rule",
        {
            "name": Text(),
            "when": WHEN,
            "respond": _respond_shape(codes),
            "submit": Boolean(),
            "before_checks": Boolean(),
            "set_state": Text(),
            "dlr": timeline_shape(codes),
            "times": COUNT,
        },
        _rule,
    )
