"""The command ``panelsms-sandbox``: the table of its commands, and which exit code a failure has.

Each command is a module of ``sandbox.commands``, imported when it is run, so that ``serve`` pays for no
other.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, Final

import click

from sandbox import __version__
from sandbox.errors import SandboxError, ScenarioError, UnreachableError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "panelsms-sandbox"

COMMANDS: Final = (
    "serve",
    "check",
    "scenarios",
    "send",
    "explain",
    "codes",
    "schema",
    "contract",
    "health",
    "drill",
)
"""In the order of --help; the first is run when none is named."""

_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EIO, errno.EFBIG})
"""What writing to standard output fails with; whatever else a command writes to, it tells of itself."""

_OF_THE_GROUP: Final = frozenset({"-h", "--help", "--version"})


class _Mistake(click.ClickException):
    """An option that cannot work: one line on stderr."""

    exit_code = 2


class _Mistakes(_Mistake):
    """Mistakes in a scenario: one line each on stderr, as editors read them."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


class _Commands(click.Group):
    """The commands of the table, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> Sequence[str]:  # type: ignore[override] # noqa: ARG002
        return COMMANDS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"sandbox.commands.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        if not args or (args[0].startswith("-") and args[0] not in _OF_THE_GROUP):
            args = [COMMANDS[0], *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:
            ctx.fail(f"there is no command {args[0]}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnreachableError as error:
            raise click.ClickException(str(error)) from None
        except ScenarioError as error:
            raise _Mistakes(str(error)) from None
        except SandboxError as error:
            raise _Mistake(str(error)) from None


@click.group(
    NAME,
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
def cli() -> None:
    """A stand-in for the provider's SMS API: exact answers and delivery reports, offline.

    Without a command it serves: panelsms-sandbox --port 0 is panelsms-sandbox serve --port 0. Every command
    has its own --help, with examples and exit codes.
    """


def _stand_in_for_closed_streams() -> None:
    """Open the null device where a standard stream is closed.

    Else the next socket would take its number, and what is meant for the stream would go there. Without standard
    input there is still nothing to read.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            if name != "stdin":
                setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def main() -> None:
    """Run the command line."""
    _stand_in_for_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A message may hold characters that the terminal's encoding lacks.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name=NAME)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        # What is left in its buffer would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with suppress(OSError):
            click.echo(f"Error: standard output cannot be written: {error.strerror}", err=True)
        sys.exit(1)
