"""``contract``: the examples of the contract replayed, and which readings the other side appears to follow."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click
from click.exceptions import Exit

from sandbox.commands.options import environment
from sandbox.commands.teaching import TeachingCommand
from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.elsewhere import Elsewhere
    from sandbox.examples import Verdict
    from sandbox.exchanges import Account
    from sandbox.tells import Found

_COLOURS: Final = {"ok": "green", "FAILED": "red", "not run": "yellow"}


@click.command(
    "contract",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox contract",
        "panelsms-sandbox contract --base-url http://127.0.0.1:7670/s/mine | grep FAILED",
        "panelsms-sandbox contract --base-url http://127.0.0.1:7670 --readings-only",
        "panelsms-sandbox contract --base-url https://api.example.com --readings-only --to +34600000001",
    ),
    exit_codes={
        0: "every exchange that was run went as it should; or it was a dry run, or only readings were asked for",
        1: "one did not, or nothing that speaks HTTP answers at the address",
        2: "an option cannot work, or what a public address needs is missing",
    },
)
@click.option("--base-url", metavar="URL", help="The server to ask; without it, one of its own.")
@click.option(
    "--user",
    metavar="TEXT",
    envvar=environment("user"),
    show_envvar=True,
    help="Your account, for --base-url.",
)
@click.option(
    "--api-key",
    metavar="TEXT",
    envvar=environment("api-key"),
    show_envvar=True,
    help="Its key, which is never shown; best given in the environment.",
)
@click.option(
    "--to",
    metavar="TEXT",
    envvar=environment("to"),
    show_envvar=True,
    help="Who gets the messages that are accepted: a number of your own.",
)
@click.option("--readings-only", is_flag=True, help="Ask only what tells the readings, some 20 requests.")
@click.option(
    "--spend-credits",
    is_flag=True,
    help="Really send to a public address; else it is told what would be sent.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def command(
    *,
    base_url: str | None,
    user: str | None,
    api_key: str | None,
    to: str | None,
    readings_only: bool,
    spend_credits: bool,
    as_json: bool,
) -> None:
    """Replay the examples of the contract against a server, and tell which readings it appears to follow.

    Prints a line for each reading: what the server appears to follow, neither value, or why that cannot be told; and
    one for each exchange: ok, FAILED with the reason, or not run with what it would have needed: a server elsewhere
    cannot be given the clock, the accounts or the readings that some exchanges need. Without --base-url a sandbox of
    its own is set up for each exchange, and all are run.

    A message that a provider accepts is sent and costs credits. So a public address is asked only with your own --user,
    --api-key and --to, one request a second, and nothing is sent before you say --spend-credits.
    """
    from sandbox.elsewhere import Elsewhere  # noqa: PLC0415 - --help does without
    from sandbox.examples import run_all  # noqa: PLC0415 - likewise

    run = _Run(_hiding(user, api_key, to), as_json=as_json)
    if base_url is None:
        if readings_only or spend_credits:
            raise ConfigError(
                "--readings-only and --spend-credits are about the server at --base-url, which is missing"
            )
        run_all(run.verdict)
        run.end()
        return
    there = Elsewhere(base_url, _account(user, api_key, to), with_examples=not readings_only)
    there.resolve()
    if there.is_public:
        _demand({"--user": user, "--api-key": api_key, "--to": to}, there.server.host)
        if not spend_credits:
            run.plan(there)
            return
        click.echo(
            f"sending to {there.server.host}, a request a second; what it accepts costs credits", err=True
        )
    there.reach()
    for found in there.find_out():
        run.found(found)
    for verdict in there.replay():
        run.verdict(verdict)
    run.end()


def _account(user: str | None, api_key: str | None, to: str | None) -> Account:
    from sandbox.exchanges import EXAMPLE_ACCOUNT  # noqa: PLC0415 - as above

    if to and not re.fullmatch(r"\+[1-9][0-9]{6,14}", to):
        raise ConfigError("--to is no number: write a + and 7 to 15 digits, such as +34600000001")
    given = {"user": user, "api_key": api_key, "to": to}
    return EXAMPLE_ACCOUNT._replace(**{name: value for name, value in given.items() if value})


def _demand(given: dict[str, str | None], host: str) -> None:
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ConfigError(
            f"{host} is a public address, where messages are sent and cost credits: it is asked only with an account and "
            f"a recipient of your own, so name {' and '.join(missing)}"
        )


def _hiding(*secrets: str | None) -> Callable[[str], str]:
    """Return what takes an account's own words out of a text, wherever a server has sent them back."""
    known = [way for each in secrets if each for way in (each, quote(each, safe=""), excerpt(each, 1000))]
    # An excerpt may end within one.
    ends = [each[:length] for each in known for length in range(len(each) - 1, 2, -1)]
    pattern = "|".join(
        [
            *map(re.escape, sorted(known, key=len, reverse=True)),
            *(f"{re.escape(each)}(?=[.]{{3}})" for each in ends),
        ]
    )
    return lambda text: re.sub(pattern, "…", text) if known else text


class _Run:
    """What a run has found, shown as it comes, or at its end as JSON."""

    def __init__(self, hide: Callable[[str], str], *, as_json: bool) -> None:
        self._hide = hide
        self._as_json = as_json
        self._outcomes: Counter[str] = Counter()
        self._readings: list[dict[str, Any]] = []
        self._examples: list[dict[str, Any]] = []

    def found(self, found: Found) -> None:
        """Take what was found out about a reading."""
        verdict = "neither" if found.is_neither else "untold" if found.follows is None else "follows"
        why = found.why and self._hide(found.why)
        row = found.row
        self._readings.append(
            {
                "reading": row.id,
                "verdict": verdict,
                "follows": found.follows,
                "default": row.default,
                "why": why,
            }
        )
        differs = found.is_neither or found.follows not in {None, row.default}
        self._echo(found.line, "yellow" if differs else None)

    def verdict(self, verdict: Verdict) -> None:
        """Take the verdict on an exchange."""
        self._outcomes[verdict.outcome] += 1
        why = verdict.why and self._hide(verdict.why)
        self._examples.append({"name": verdict.example.name, "outcome": verdict.outcome, "why": why})
        self._echo(verdict.line, _COLOURS[verdict.outcome])

    def end(self) -> None:
        """Show the sum, and fail where an exchange has failed."""
        counts = {word: self._outcomes[word] for word in _COLOURS}
        if self._as_json:
            content = {"readings": self._readings, "examples": self._examples}
            names = ("passed", "failed", "notRun")
            click.echo(json.dumps({**content, **dict(zip(names, counts.values(), strict=True))}))
        elif self._examples:
            passed, failed, not_run = counts.values()
            click.echo(f"{passed} passed, {failed} failed, {not_run} not run")
        if self._outcomes["FAILED"]:
            raise Exit(1)

    def plan(self, there: Elsewhere) -> None:
        """Show what would be sent."""
        planned = list(there.plan())
        accepted = sum(each.is_accepted for each in planned)
        if self._as_json:
            requests = [each._asdict() for each in planned]
            click.echo(json.dumps({"dryRun": True, "requests": requests, "accepted": accepted}))
            return
        for each in planned:
            self._echo(each.line, None)
        click.echo(
            f"Nothing was sent. {len(planned)} requests would go to {there.server.host}; some {accepted} of them would be "
            "accepted, reach your recipient and cost credits. --spend-credits sends them; --readings-only sends few."
        )

    def _echo(self, line: str, colour: str | None) -> None:
        if not self._as_json:
            click.secho(self._hide(line), fg=colour)
