"""``health``: whether a sandbox serves, for containers and CI."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Final

import click

from sandbox.commands.options import timeout_option, url_option
from sandbox.commands.teaching import TeachingCommand
from sandbox.errors import UnreachableError

if TYPE_CHECKING:
    from sandbox.core.model import JsonObject

ASKED_EVERY_S: Final = 0.1
ANSWER_WITHIN_S: Final = 5.0


@click.command(
    "health",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox health",
        "panelsms-sandbox health --wait --timeout 30s",
        "PANELSMS_SANDBOX_PORT=8080 panelsms-sandbox health",
    ),
    exit_codes={
        0: "it serves",
        1: "it does not, or not in time",
        2: "an option cannot work",
    },
)
@url_option
@click.option("--wait", is_flag=True, help="Ask again until it serves.")
@timeout_option
def command(*, url: str, wait: bool, timeout_s: float) -> None:
    """Say whether a sandbox serves.

    Without --url it is looked for where serve listens in the same environment, so that a container's health
    check needs no options.
    """
    health = _health(url, timeout_s if wait else 0)
    serving = click.style("serving", fg="green")
    click.echo(f"{serving}: panelsms-sandbox {health.get('version')}, scenario {health.get('scenario')}")


def _health(url: str, timeout_s: float) -> JsonObject:
    """Ask until an answer comes, or *timeout_s* is over; once at least."""
    from sandbox.client import Client  # noqa: PLC0415 - --help does without
    from sandbox.clock import Deadline  # noqa: PLC0415

    client = Client(url, timeout_s=ANSWER_WITHIN_S)
    deadline = Deadline(timeout_s)
    while True:
        try:
            return client.control("health")
        except UnreachableError:
            if not deadline.left_s():
                raise
        Event().wait(min(ASKED_EVERY_S, deadline.left_s()))
