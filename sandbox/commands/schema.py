"""``schema``: the JSON Schema of scenario files."""

from __future__ import annotations

import json

import click

from sandbox.commands.teaching import TeachingCommand


@click.command(
    "schema",
    cls=TeachingCommand,
    examples=("panelsms-sandbox schema > scenario.schema.json",),
    exit_codes={0: "printed"},
)
def command() -> None:
    """Print the JSON Schema of scenario files, for editors.

    Keep it beside your scenarios, and name it in their first line; an editor with a YAML language server,
    such as VS Code with its YAML extension, then completes keys and marks mistakes as you type:

    \b
      # yaml-language-server: $schema=./scenario.schema.json

    What hangs on two values, such as a rule that is never reached, only panelsms-sandbox check tells.
    """  # noqa: D301 - the backspace is click's mark of a block that is not wrapped
    from sandbox.sources import schema  # noqa: PLC0415 - --help does without

    click.echo(json.dumps(schema(), indent=2))
