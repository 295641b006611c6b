"""``explain``: what the sandbox makes of one message, without a server."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.commands.options import (
    DEFAULTS,
    api_parameters,
    as_sent,
    environment,
    reading_option,
    readings_of,
)
from sandbox.commands.teaching import TeachingCommand
from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.core.trace import RuleTrace
    from sandbox.explain import Encoding, Explanation, Planned

_MARKS: Final = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not reached": ("·", "bright_black")}

MOST_ALIKE: Final = 3
"""Rules in a row that missed for the same value are told one by one up to this many, else together."""


@click.command(
    "explain",
    cls=TeachingCommand,
    examples=(
        'panelsms-sandbox explain --to +1222333444 --message "Código 1234"',
        "panelsms-sandbox explain --to +1222333444 --message Hi --udh 050003CC0201",
        "panelsms-sandbox explain --to +1222333444 --message € --reading latin1_overflow=ucs2",
        "panelsms-sandbox explain --to +34600000001 --message Hi --scenario mine.yaml --rules",
    ),
    exit_codes={
        0: "explained, whether accepted or refused",
        2: "an option cannot work, or the scenario has mistakes",
    },
)
@api_parameters
@click.option(
    "--scenario",
    default=DEFAULTS.scenario,
    metavar="NAME|FILE",
    envvar=environment("scenario"),
    show_envvar=True,
    show_default=True,
    help="Whose rules decide: a built-in scenario, or a file.",
)
@click.option(
    "--seed",
    type=click.IntRange(-(2**63), 2**63 - 1),
    envvar=environment("seed"),
    show_envvar=True,
    help="What chance hangs on, in place of the scenario's own seed.",
)
@click.option(
    "--magic-prefix",
    default=DEFAULTS.magic_prefix,
    metavar="PREFIX",
    envvar=environment("magic-prefix"),
    show_envvar=True,
    show_default=True,
    help="How magic destinations begin.",
)
@reading_option
@click.option("--json", "as_json", is_flag=True, help="Explain a post of JSON instead of a form.")
@click.option("--rules", "has_all_rules", is_flag=True, help="Show every rule, alike or not.")
def command(
    *,
    scenario: str,
    seed: int | None,
    magic_prefix: str,
    readings: tuple[str, ...],
    as_json: bool,
    has_all_rules: bool,
    **parameters: str | None,
) -> None:
    """Explain what the sandbox makes of one message.

    No server is needed. Shows each check in order (passed, failed, not reached), each rule that was tried
    with the first condition that missed, how the message travels and what makes it long, the rule that
    decides and what was drawn, the answer, and what becomes of the message: as for the first request to a
    fresh sandbox. The user and the key are filled in when they are left out.
    """
    from sandbox.app import build_engine  # noqa: PLC0415 - --help does without
    from sandbox.client import encoded  # noqa: PLC0415
    from sandbox.config import Config  # noqa: PLC0415
    from sandbox.explain import explain  # noqa: PLC0415
    from sandbox.web.wire import read_call  # noqa: PLC0415

    # Time stands, so that what is planned for a second later is a second away.
    config = Config(
        scenario=scenario,
        seed=seed,
        magic_prefix=magic_prefix,
        readings=readings_of(readings),
        clock="virtual",
    )
    engine = build_engine(config)
    content_type, body = encoded(as_sent(parameters), as_json=as_json)
    call = read_call("POST", "/sendMtSms.php", b"", content_type, body, engine.readings)
    for line in _lines(explain(engine, call), engine.descriptions, has_all_rules=has_all_rules):
        click.echo(line)


def _lines(explained: Explanation, descriptions: Mapping[int, str], *, has_all_rules: bool) -> Iterator[str]:
    for row in explained.checks:
        mark, colour = _MARKS[row.verdict]
        text = f"{mark} {row.about}" if row.reason is None else f"{mark} {row.about:<10}  {row.reason}"
        yield click.style(text, fg=colour)
    yield ""
    if explained.rules:
        yield from _rule_lines(explained.rules, has_all_rules=has_all_rules)
        yield ""
    if explained.encoding is None:
        yield _row("encoding", "none: the message, its dcs or its header cannot be read")
    else:
        yield from _encoding_lines(explained.encoding)
    if explained.accepted or explained.rule is not None:
        name = "none: the scenario's default decides" if explained.rule is None else excerpt(explained.rule)
        yield _row("rule", name)
    for drawn in explained.drawn:
        yield _row("drawn", drawn)
    if explained.error is not None:
        yield _row("error", f"{explained.error}: {descriptions[explained.error]}")
        if all(row.reason is None for row in explained.checks):
            yield _row("why", explained.reason)
    yield from _answer_lines(explained)
    if explained.accepted:
        yield from _message_lines(explained, descriptions)
    for hint in explained.hints:
        yield _row("hint", hint)


def _rule_lines(rows: Iterable[RuleTrace], *, has_all_rules: bool) -> Iterator[str]:
    told = list(_told(rows, has_all_rules=has_all_rules))
    width = max(len(name) for name, _ in told)
    for name, what in told:
        mark, colour = _MARKS["passed" if what == _DECIDES else "not reached"]
        yield click.style(f"{mark} {name:<{width}}  {what}", fg=colour)


def _told(rows: Iterable[RuleTrace], *, has_all_rules: bool) -> Iterator[tuple[str, str]]:
    """Yield what is told of each rule; many in a row that missed for the same value are told together."""
    for met, run in groupby(rows, key=lambda row: (row.miss or _DECIDES).partition(", wanted:")[0]):
        alike = list(run)
        if has_all_rules or len(alike) <= MOST_ALIKE:
            for row in alike:
                yield excerpt(row.name), excerpt(row.miss or _DECIDES, 160)
        else:
            yield f"{len(alike)} rules", f"{met}; --rules shows each"


def _answer_lines(explained: Explanation) -> Iterator[str]:
    answer, respond = explained.answer, explained.respond
    yield _row("answer", click.style(answer.body or "(an empty answer)", bold=True))
    yield _row("", f"HTTP {answer.status}, {answer.content_type}")
    if respond is not None:
        for name, value in respond.headers.items():
            yield _row("", f"{name}: {value}")
        if respond.fault is not None:
            yield _row("fault", respond.fault)
    if explained.delay_s is not None:
        yield _row("delay", _span(explained.delay_s))


def _message_lines(explained: Explanation, descriptions: Mapping[int, str]) -> Iterator[str]:
    rows = [_planned(planned, descriptions, explained) for planned in explained.timeline]
    for heading, text in zip(
        ["timeline", *[""] * len(rows)], rows or ["none: the message stays pending"], strict=False
    ):
        yield _row(heading, text)
    yield _row("reports", explained.callback_url or f"none: {explained.unreported}")


def _planned(planned: Planned, descriptions: Mapping[int, str], explained: Explanation) -> str:
    change = planned.change
    text = f"{excerpt(change.status)} after {_span(planned.after_s)}"
    if change.error_code is not None:
        text += f", error {change.error_code}: {descriptions[change.error_code]}"
    if explained.unreported is not None:
        return text
    if planned.report_after_s is None:
        return f"{text}, not reported"
    if planned.is_before_answer:
        text += ", reported before the answer"
    elif planned.report_after_s > planned.after_s:
        text += f", reported after {_span(planned.report_after_s)}"
    return text if planned.reports == 1 else f"{text}, {planned.reports} times"


def _encoding_lines(encoding: Encoding) -> Iterator[str]:
    from sandbox.explain import meaning  # noqa: PLC0415 - as above

    encoded, udh = encoding.encoded, encoding.udh
    facts = f"{encoded.coding}, {encoded.used} of {encoding.room} {encoded.coding.unit}"
    yield _row("encoding", f"{facts}; {encoding.dear}" if encoding.dear else facts)
    if encoded.text is not None:
        yield _row("text", json.dumps(encoded.text, ensure_ascii=False))
    if udh is None:
        return
    yield _row("udh", f"{udh.octets.hex().upper()}, {len(udh)} octets{', flash' if udh.is_flash else ''}")
    for element in udh.elements:
        yield _row("", f"element 0x{element.iei:02X}: {meaning(element)}")


def _row(name: str, text: Any) -> str:
    return f"{name:<10}{text}"


def _span(seconds: float) -> str:
    """Return a time span as scenario files write it, to the millisecond: ``1d 2h 3m 4.5s``."""
    left = round(seconds, 3)
    words = []
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        count, left = divmod(left, length)
        words += [f"{count:.0f}{unit}"] if count else []
    return " ".join(words if words and not round(left, 3) else [*words, f"{left:.6g}s"])


_DECIDES: Final = "decides"
