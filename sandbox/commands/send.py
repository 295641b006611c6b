"""``send``: one message to a running sandbox, its answer, and what becomes of it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click
from click.exceptions import Exit

from sandbox.commands.options import api_parameters, as_sent, timeout_option, url_option
from sandbox.commands.teaching import TeachingCommand
from sandbox.core.spelling import excerpt
from sandbox.core.statuses import is_final
from sandbox.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.client import Client, Reply
    from sandbox.commands.receiver import Receiver
    from sandbox.core.model import JsonObject

ASKED_EVERY_S: Final = 0.25


@click.command(
    "send",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox send --to +1222333444 --message Hello --wait",
        "panelsms-sandbox send --to +15005551003 --message Hello --wait",
        "panelsms-sandbox send --to +1222333444 --message Hello --wait --callbackUrl http://localhost:9000/dlr",
        "panelsms-sandbox send --to recipient --message Hello",
    ),
    exit_codes={
        0: "accepted, whether or not reports came; ERROR_3 too, since it stores the message",
        1: "refused, or no sandbox answers",
        2: "an option cannot work",
    },
)
@api_parameters
@url_option
@click.option("--json", "as_json", is_flag=True, help="Post JSON instead of a form.")
@click.option("--wait", is_flag=True, help="Show what becomes of the message, up to its final status.")
@timeout_option
def command(*, url: str, as_json: bool, wait: bool, timeout_s: float, **parameters: str | None) -> None:
    """Send one message to a running sandbox, and show its answer.

    The user and the key are filled in when they are left out. With --wait, reports are asked for and
    received on a free port of this machine, and each is shown as it arrives; with a --callbackUrl or a
    --confirmation of your own, the sandbox is asked instead how the message and its callbacks go on.
    """
    from sandbox.client import Client  # noqa: PLC0415 - --help does without

    client = Client(url)
    sent = as_sent(parameters)
    with ExitStack() as stack:
        receiver = None
        if wait and "confirmation" not in sent:
            sent["confirmation"] = "true"
            if "callbackUrl" not in sent:
                from sandbox.commands.receiver import Receiver  # noqa: PLC0415 - few messages need it

                receiver = stack.enter_context(Receiver())
                sent["callbackUrl"] = receiver.url
        reply = client.send(sent, as_json=as_json)
        accepted = _is_accepted(reply)
        for line in _answer_lines(reply, is_accepted=accepted):
            click.echo(line)
        if not accepted:
            raise Exit(1)
        if receiver is not None:
            show_reports(receiver, timeout_s, lambda: _what_is_awaited(client))
        elif wait:
            _follow(client, reply, timeout_s)


def _is_accepted(reply: Reply) -> bool:
    """Say whether an answer is the API's OK in any of its forms, or the error that stores the message."""
    return reply.status == 200 and _ACCEPTED.search(reply.body) is not None


def _answer_lines(reply: Reply, *, is_accepted: bool) -> Iterator[str]:
    yield click.style(reply.body or "(an empty answer)", fg="green" if is_accepted else "red", bold=True)
    if reply.status != 200:
        yield f"  HTTP {reply.status}"
    for header, name in (("x-sandbox-error", "why"), ("x-sandbox-hint", "hint")):
        if header in reply.headers:
            yield f"  {name}: {reply.headers[header]}"


def show_reports(receiver: Receiver, timeout_s: float, what_is_awaited: Callable[[], str]) -> None:
    """Show each report as it arrives, up to the first with a final status."""
    from sandbox.clock import Deadline  # noqa: PLC0415 - only --wait needs it

    deadline = Deadline(timeout_s)
    seen = 0
    while (report := receiver.next(deadline.left_s())) is not None:
        seen += 1
        click.echo(f"  report: {report}")
        if is_final(report.status):
            return
    click.echo(f"  {'no further' if seen else 'no'} report came within {timeout_s:g} s{what_is_awaited()}")


def _what_is_awaited(client: Client) -> str:
    """Return when something is due next, for whoever has waited in vain; empty where that cannot be told."""
    try:
        clock = client.control("clock")
    except UnreachableError:
        return ""
    if clock["nextDue"] is None:
        return "; nothing more is due"
    way = (
        "; POST /_sandbox/clock/advance moves its clock, which is virtual"
        if clock["mode"] == "virtual"
        else ""
    )
    return f"; the next is due at {clock['nextDue']}, and the sandbox has {clock['now']}{way}"


def _follow(client: Client, reply: Reply, timeout_s: float) -> None:
    """Show how the sandbox says that the message and its callbacks go on, up to the end of both."""
    from sandbox.clock import Deadline  # noqa: PLC0415 - only --wait needs it

    request_id = reply.headers.get("x-sandbox-request-id")
    if request_id is None:
        click.echo("  cannot follow the message: its answer has no X-Sandbox-Request-Id", err=True)
        return
    deadline = Deadline(timeout_s)
    shown: set[str] = set()
    try:
        message_id = client.control(f"requests/{request_id}")["messageId"]
        while True:
            message = client.control(f"messages/{message_id}")
            callbacks = _callbacks(client, message)
            for line in _progress(message, callbacks):
                if line not in shown:
                    shown.add(line)
                    click.echo(line)
            if is_final(message["status"]) and all(one["state"] != "waiting" for one in callbacks):
                return
            if not deadline.left_s():
                click.echo(f"  no further change came within {timeout_s:g} s{_what_is_awaited(client)}")
                return
            Event().wait(min(ASKED_EVERY_S, deadline.left_s()))
    except UnreachableError as error:
        click.echo(f"  cannot follow the message: {error}", err=True)


def _callbacks(client: Client, message: JsonObject) -> list[JsonObject]:
    if not message["callbacks"]:
        return []
    listed = client.control(f"callbacks?{urlencode({'transactionId': message['transactionId']})}")
    return [one for one in listed["callbacks"] if one["messageId"] == message["id"]]


def _progress(message: JsonObject, callbacks: list[JsonObject]) -> Iterator[str]:
    """Yield a line for each thing that has happened; each is always worded the same."""
    for change in message["timeline"]:
        if change["done"]:
            yield f"  {excerpt(change['status'])} at {change['at']}"
    for one in callbacks:
        for number, attempt in enumerate(one["attempts"], 1):
            outcome = attempt["error"] or f"HTTP {attempt['status']}"
            yield f"  report {one['id']}, attempt {number}: {outcome}"
        if one["state"] == "refused":
            yield f"  report {one['id']}, not sent: {one['reason']}"
    if message["unreported"]:
        yield f"  no report: {message['unreported']}"


# Text, JSON, XML; code 3 is an error that stores the message all the same.
_ACCEPTED = re.compile(
    r'\AOK_|\A\s*\{\s*"response"\s*:\s*\{\s*"status"\s*:\s*"OK"|<status>OK</status>|\bERROR_0*3\b'
)
