"""``drill``: a receiver of reports, or a sender, tried with all that can happen to it; told in a table."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from sandbox.commands.options import Duration, Several, environment
from sandbox.commands.teaching import TeachingCommand
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.drills.conditions import Condition
    from sandbox.drills.outcome import Entry, Outcome, Trial
    from sandbox.drills.steps import Step

ANSWER_WITHIN_S: Final = 5.0
END_WITHIN_S: Final = 30.0
JOBS: Final = 2

FORMATS: Final = ("text", "json", "junit", "html")

_OF_ONE_KIND: Final = {
    "callback_url": ("check", "prepare", "secret", "allow_callback"),
    "client": ("jobs",),
}
"""The options that only one kind of drill takes, by the option that chooses it."""


@click.command(
    "drill",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox drill --callback-url http://localhost:9000/dlr",
        "panelsms-sandbox drill --callback-url http://localhost:9000/dlr --check './status.sh $TRANSACTION_ID'",
        "panelsms-sandbox drill --client 'python send.py' --jobs 4 --format html --output drill.html",
        "panelsms-sandbox drill --client 'php send.php' --only transport --only 'error-7*'",
        "panelsms-sandbox drill --client 'node send.mjs' --format junit --output drill.xml",
    ),
    exit_codes={
        0: "nothing failed",
        1: "something did",
        2: "an option cannot work, nobody listens at the URL, or the command sends nothing",
    },
)
@click.option("--callback-url", metavar="URL", help="Try the receiver of reports that listens here.")
@click.option("--client", metavar="COMMAND", help="Try a sender: run this, once for each condition.")
@click.option(
    "--check",
    metavar="COMMAND",
    help="Prints the status that the receiver holds for $TRANSACTION_ID, which is then judged too.",
)
@click.option(
    "--prepare",
    metavar="COMMAND",
    help="Tells the receiver of the message $TRANSACTION_ID, where it takes only reports of messages it knows.",
)
@click.option(
    "--secret",
    metavar="SECRET",
    envvar=environment("secret"),
    show_envvar=True,
    help="Signs the reports by the Standard Webhooks specification, and tries forgeries: whsec_ and base64.",
)
@click.option(
    "--allow-callback",
    type=Several(),
    multiple=True,
    metavar="HOST",
    help="A host that may be reached although it is public, or the word public; may be repeated.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="How many conditions are tried at once; 2 unless given. 1 is for a command that cannot run beside itself.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=Duration(),
    metavar="DURATION",
    help="How long a receiver may take to answer (5s unless given), or a client to end (30s).",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Try this alone: a name, a group, or a pattern such as 'error-*'; may be repeated.",
)
@click.option("--list", "is_list", is_flag=True, help="List what would be tried, and try nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How the outcome is written: html is one page for people, junit is XML for CI.",
)
@click.option("--output", metavar="FILE", help="Write the outcome here instead of to stdout.")
def command(
    *,
    callback_url: str | None,
    client: str | None,
    check: str | None,
    prepare: str | None,
    secret: str | None,
    allow_callback: tuple[str, ...],
    jobs: int | None,
    timeout_s: float | None,
    only: tuple[str, ...],
    is_list: bool,
    form: str,
    output: str | None,
) -> None:
    """Try a receiver of reports, or a sender, with all that can happen to it.

    With --callback-url a receiver gets reports twice, out of order, early, late, malformed, badly signed, in
    pieces. With --client a command that sends one message is run once for each error code, each reading of
    the API reference and each way in which a connection breaks; its environment names the sandbox in
    PANELSMS_URL, the endpoint itself in PANELSMS_SEND_URL, and a valid PANELSMS_USER, PANELSMS_API_KEY,
    PANELSMS_TO and PANELSMS_MESSAGE. Its exit code says whether it takes the message for accepted: 0 or
    another. Where PANELSMS_RESPONSE_TYPE is set, a client that can is to ask for that form of answer.

    No shell reads the commands. $NAME in one of their words stands for a variable that the drill sets; for
    pipes and the like write sh -c '...'.
    """
    given = {
        "check": check,
        "prepare": prepare,
        "secret": secret,
        "allow_callback": allow_callback,
        "jobs": jobs,
    }
    _demand_one_kind(callback_url, client, {name for name, value in given.items() if value})
    if is_list:
        steps, conditions = (_steps(only), None) if client is None else (None, _conditions(only))
        for line in _listed([each.trial for each in steps or conditions or ()]):
            click.echo(line)
        return
    show = _Display("receiver" if client is None else "sender", form, output)
    if callback_url is not None:
        outcome = _try_receiver(
            callback_url,
            _steps(only),
            check=check,
            prepare=prepare,
            secret=secret,
            allowed=allow_callback,
            timeout_s=timeout_s or ANSWER_WITHIN_S,
            on_entry=show.entry,
        )
    else:
        outcome = _try_sender(
            client or "",
            _conditions(only),
            jobs=jobs or JOBS,
            timeout_s=timeout_s or END_WITHIN_S,
            on_entry=show.entry,
        )
    show.whole(outcome)
    if outcome.has_failed:
        raise Exit(1)


def _demand_one_kind(callback_url: str | None, client: str | None, given: set[str]) -> None:
    """Raise a ConfigError unless one kind of drill is asked for, with options of its own."""
    if callback_url is None and client is None:
        raise ConfigError(
            "what is to be tried? --callback-url URL for a receiver, --client COMMAND for a sender"
        )
    if callback_url is not None and client is not None:
        raise ConfigError("--callback-url and --client are two drills: name one of them")
    kind, other = ("--callback-url", "client") if client is None else ("--client", "callback_url")
    for name in _OF_ONE_KIND[other]:
        if name in given:
            raise ConfigError(f"--{name.replace('_', '-')} has no meaning with {kind}: leave it out")


def _steps(only: Sequence[str]) -> list[Step]:
    from sandbox.drills.selection import select  # noqa: PLC0415 - --help does without
    from sandbox.drills.steps import STEPS  # noqa: PLC0415

    return select(STEPS, only)


def _conditions(only: Sequence[str]) -> list[Condition]:
    from sandbox.drills.conditions import conditions  # noqa: PLC0415 - --help does without
    from sandbox.drills.selection import select  # noqa: PLC0415

    return select(conditions(), only)


def _try_receiver(
    url: str,
    steps: Sequence[Step],
    *,
    check: str | None,
    prepare: str | None,
    secret: str | None,
    allowed: Sequence[str],
    timeout_s: float,
    on_entry: Callable[[Entry], None],
) -> Outcome:
    from sandbox.clock import RunningClock  # noqa: PLC0415 - --help does without
    from sandbox.drills.outcome import Outcome  # noqa: PLC0415
    from sandbox.drills.post import Post  # noqa: PLC0415
    from sandbox.drills.programs import Command, Runner  # noqa: PLC0415
    from sandbox.drills.receiver import ReceiverDrill  # noqa: PLC0415
    from sandbox.drills.reports import Writer, check_secret  # noqa: PLC0415

    if secret is not None:
        check_secret(secret)
    began_at = RunningClock().now()
    programs = [
        None if line is None else Command.read(option, line)
        for option, line in (("--check", check), ("--prepare", prepare))
    ]
    with Runner() as runner:
        drill = ReceiverDrill(
            Post(url, timeout_s=timeout_s, allowed=allowed),
            Writer(url, secret, began_at),
            runner,
            check=programs[0],
            prepare=programs[1],
        )
        entries = tuple(_told(drill.run(steps), on_entry))
    return Outcome("receiver", url, began_at, entries, drill.notes)


def _try_sender(
    line: str,
    conditions: Sequence[Condition],
    *,
    jobs: int,
    timeout_s: float,
    on_entry: Callable[[Entry], None],
) -> Outcome:
    from sandbox.clock import RunningClock  # noqa: PLC0415 - --help does without
    from sandbox.drills.outcome import Outcome  # noqa: PLC0415
    from sandbox.drills.programs import Command  # noqa: PLC0415
    from sandbox.drills.sender import NOTE, SenderDrill  # noqa: PLC0415

    began_at = RunningClock().now()
    client = Command.read("--client", line)
    with SenderDrill(client, timeout_s=timeout_s, jobs=jobs) as drill:
        entries = tuple(_told(drill.run(conditions), on_entry))
    return Outcome("sender", str(client), began_at, entries, (NOTE,))


def _told(entries: Iterable[Entry], on_entry: Callable[[Entry], None]) -> Iterator[Entry]:
    for entry in entries:
        on_entry(entry)
        yield entry


class _Display:
    """Shows an outcome in the form that is asked for: text as it comes, all else at the end."""

    def __init__(self, kind: str, form: str, output: str | None) -> None:
        self._kind = kind
        self._form = form
        self._file = None if output in {None, "-"} else Path(output or "")
        self._is_shown_at_once = form == "text" and self._file is None
        self._has_begun = False
        if self._file is not None:  # before anything is tried for minutes
            _write(self._file, "")

    def entry(self, entry: Entry) -> None:
        """Show an entry, or that it is done."""
        from sandbox.drills.text import entry_lines, opening_lines  # noqa: PLC0415 - --help does without

        if not self._is_shown_at_once:
            click.echo(f"{entry.verdict:<8}  {entry.trial.name}", err=True)
            return
        lines = [] if self._has_begun else [*opening_lines(self._kind)]
        self._has_begun = True
        for line in (*lines, *entry_lines(self._kind, entry, width=_width())):
            click.echo(line)

    def whole(self, outcome: Outcome) -> None:
        """Show the rest."""
        from sandbox.drills.outcome import summary  # noqa: PLC0415 - --help does without
        from sandbox.drills.text import closing_lines  # noqa: PLC0415

        if self._is_shown_at_once:
            for line in closing_lines(outcome, width=_width()):
                click.echo(line)
            return
        content = _rendered(outcome, self._form)
        if self._file is None:
            click.echo(content, nl=False)
        else:
            _write(self._file, content)
        click.echo(summary(outcome), err=True)


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, "utf-8", "backslashreplace")
    except OSError as error:
        raise ConfigError(f"--output {file}: {error.strerror}") from None


def _rendered(outcome: Outcome, form: str) -> str:
    from sandbox.drills import forms  # noqa: PLC0415 - --help does without

    if form == "html":
        from sandbox.drills.page import to_html  # noqa: PLC0415 - Jinja, which the others do without

        return to_html(outcome)
    if form == "text":
        from sandbox.drills.text import plain  # noqa: PLC0415

        return plain(outcome)
    return {"json": forms.to_json, "junit": forms.to_junit}[form](outcome)


def _width() -> int:
    # In a pipe each fact stays on one line, so that it can be searched for.
    return get_terminal_size().columns if sys.stdout.isatty() else 1000


def _listed(trials: Sequence[Trial]) -> Iterator[str]:
    width = max((len(trial.name) for trial in trials), default=0)
    group = None
    for trial in trials:
        if trial.group != group:
            group = trial.group
            yield click.style(f"{group}:", bold=True)
        yield f"  {trial.name:<{width}}  {trial.title}"
