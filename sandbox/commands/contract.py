"""``contract``: the exchanges of ``contract/examples`` replayed, against any server or one of our own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from sandbox.commands.teaching import TeachingCommand

if TYPE_CHECKING:
    from sandbox.examples import Verdict

_COLOURS: Final = {"ok": "green", "FAILED": "red", "not run": "yellow"}


@click.command(
    "contract",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox contract",
        "panelsms-sandbox contract --base-url http://127.0.0.1:7670",
        "panelsms-sandbox contract --base-url http://127.0.0.1:7670/s/mine | grep FAILED",
    ),
    exit_codes={
        0: "every exchange that was run went as it should",
        1: "one did not, or nothing answers at the address",
        2: "an option cannot work",
    },
)
@click.option("--base-url", metavar="URL", help="The server to ask; without it, one of its own.")
def command(*, base_url: str | None) -> None:
    """Replay the examples of the contract against a server.

    Prints a line for each exchange: ok, FAILED with the reason, or not run with what it would have needed: a
    server elsewhere cannot be given the clock, the accounts or the readings that some exchanges need. Without
    --base-url a sandbox of its own is set up for each exchange, and all are run.
    """
    from sandbox.examples import run_all  # noqa: PLC0415 - --help does without

    outcomes: Counter[str] = Counter()

    def show(verdict: Verdict) -> None:
        outcomes[verdict.outcome] += 1
        click.secho(verdict.line, fg=_COLOURS[verdict.outcome])

    has_passed = run_all(base_url, show)
    click.echo(f"{outcomes['ok']} passed, {outcomes['FAILED']} failed, {outcomes['not run']} not run")
    if not has_passed:
        raise Exit(1)
