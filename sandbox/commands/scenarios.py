"""``scenarios``: the built-in scenarios, and each as it is written."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import wrap

import click

from sandbox.commands.teaching import TeachingCommand
from sandbox.errors import did_you_mean


@click.command(
    "scenarios",
    cls=TeachingCommand,
    examples=(
        "panelsms-sandbox scenarios",
        "panelsms-sandbox scenarios show default",
        "panelsms-sandbox scenarios show default > mine.yaml",
    ),
    exit_codes={
        0: "shown",
        2: "there is no such scenario",
    },
)
@click.argument("words", nargs=-1, metavar="[show NAME]")
def command(*, words: tuple[str, ...]) -> None:
    """List the built-in scenarios, or show one as YAML.

    The list has a line for each: its name, which serve and explain take as --scenario, and its story. Shown
    as YAML, one says in its first comment what a client should survive, and makes a start for your own.
    """
    from sandbox.sources import builtin, builtin_names  # noqa: PLC0415 - --help does without

    names = builtin_names()
    match words:
        case ():
            # In a pipe each stays on one line, so that it can be searched for.
            width = get_terminal_size().columns if sys.stdout.isatty() else 10_000
            indent = max(map(len, names)) + 2
            for name in names:
                story = " ".join(builtin(name).scenario.description.split())
                first, *more = wrap(story, max(width - indent, 20)) or [""]
                click.echo(f"{click.style(name, bold=True)}{'':{indent - len(name)}}{first}".rstrip())
                for line in more:
                    click.echo(f"{'':{indent}}{line}")
        case ("show", name):
            click.echo(builtin(name).yaml.encode(), nl=False)
        case ("show", *_):
            raise click.UsageError(f"show one scenario: {', '.join(names)}")
        case (word, *_):
            hint = f": did you mean show {word}?" if word in names else did_you_mean(word, ["show"])
            raise click.UsageError(f"there is nothing called {word} here{hint}")
