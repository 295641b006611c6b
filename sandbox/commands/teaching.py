"""A command whose --help teaches: after the options come examples and the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TeachingCommand(click.Command):
    """A command with *examples*, each a whole line of a shell, and what its *exit_codes* mean."""

    def __init__(
        self, *arguments: Any, examples: Sequence[str], exit_codes: Mapping[int, str], **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples
        self.exit_codes = exit_codes

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the examples, never wrapped, and the exit codes."""
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in self.exit_codes.items()])
