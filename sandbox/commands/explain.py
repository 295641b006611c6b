"""``explain``: what the sandbox makes of one message, without a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.commands.options import api_parameters, as_sent, reading_option, readings_of
from sandbox.commands.teaching import TeachingCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.explain import Encoding, Explanation

_MARKS: Final = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not reached": ("·", "bright_black")}


@click.command(
    "explain",
    cls=TeachingCommand,
    examples=(
        'panelsms-sandbox explain --to +1222333444 --message "Código 1234"',
        "panelsms-sandbox explain --to +1222333444 --message Hi --udh 050003CC0201",
        "panelsms-sandbox explain --to +1222333444 --message € --reading latin1_overflow=ucs2",
    ),
    exit_codes={
        0: "explained, whether accepted or refused",
        2: "an option cannot work",
    },
)
@api_parameters
@reading_option
@click.option("--json", "as_json", is_flag=True, help="Explain a post of JSON instead of a form.")
def command(*, readings: tuple[str, ...], as_json: bool, **parameters: str | None) -> None:
    """Explain what the sandbox makes of one message.

    No server is needed. Shows each check in order (passed, failed, not reached), how the message travels
    and what makes it long, the rule of the scenario default that decides, and the answer, as for the first
    request to a fresh sandbox. The user and the key are filled in when they are left out.
    """
    from sandbox.app import build_engine  # noqa: PLC0415 - --help does without
    from sandbox.client import encoded  # noqa: PLC0415
    from sandbox.config import Config  # noqa: PLC0415
    from sandbox.explain import explanation  # noqa: PLC0415
    from sandbox.web.wire import read_call  # noqa: PLC0415

    engine = build_engine(Config(readings=readings_of(readings)))
    content_type, body = encoded(as_sent(parameters), as_json=as_json)
    call = read_call("POST", "/sendMtSms.php", b"", content_type, body, engine.readings)
    explained = explanation(call, *engine.preview(call), engine.readings)
    for line in _lines(explained, engine.descriptions):
        click.echo(line)


def _lines(explained: Explanation, descriptions: Mapping[int, str]) -> Iterator[str]:
    for row in explained.checks:
        mark, colour = _MARKS[row.verdict]
        text = f"{mark} {row.about}" if row.reason is None else f"{mark} {row.about:<10}  {row.reason}"
        yield click.style(text, fg=colour)
    yield ""
    if explained.encoding is None:
        yield _row("encoding", "none: the message, its dcs or its header cannot be read")
    else:
        yield from _encoding_lines(explained.encoding)
    if explained.accepted or explained.rule is not None:
        yield _row("rule", explained.rule or "none: the scenario's default decides")
    if explained.error is not None:
        yield _row("error", f"{explained.error}: {descriptions[explained.error]}")
        if all(row.reason is None for row in explained.checks):
            yield _row("why", explained.reason)
    answer = explained.answer
    yield _row("answer", click.style(answer.body, bold=True))
    yield _row("", f"HTTP {answer.status}, {answer.content_type}")
    for hint in explained.hints:
        yield _row("hint", hint)


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
