"""Command lines for tests: run in this process, or as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
from click.testing import CliRunner, Result

from sandbox.app import create_app
from sandbox.cli import cli
from sandbox.commands.teaching import TeachingCommand
from sandbox.config import Config
from sandbox.core.scenario import Rule, Scenario, Step
from sandbox.serving import serving

ROOT = Path(__file__).parent.parent
NOBODY = "http://127.0.0.1:1"
MESSAGE = ("--to", "+1222333444", "--message", "Hello")

AS_USERS_DO = ("-m", "sandbox")


def command_of(name: str) -> TeachingCommand:
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, TeachingCommand)
    return command


def run(*arguments: str, **environment: str) -> Result:
    """Run a command in this process, and in an environment of its own."""
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PANELSMS_SANDBOX_")}
    return CliRunner().invoke(cli, arguments, env={**clean, "NO_COLOR": None, **environment})


@contextmanager
def a_sandbox(*statuses: str, rules: tuple[Rule, ...] = (), config: Config | None = None) -> Iterator[str]:
    """Serve while the block runs; messages go through *statuses* at once."""
    steps = tuple(Step(timedelta(), status) for status in statuses)
    scenario = Scenario(name="quick", timeline=steps, rules=rules)
    with serving(create_app(config or Config(), scenario=scenario)) as url:
        yield url


def unmeasured() -> dict[str, str]:
    """Return this process's environment for a Python that runs what is none of ours: coverage does not follow it there."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def start(
    *arguments: str,
    program: tuple[str, ...] = AS_USERS_DO,
    environment: Mapping[str, str] | None = None,
    is_heard: bool = True,
) -> subprocess.Popen[str]:
    """Start a command as a process, in an environment of its own; its stderr goes nowhere unless it is heard."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PANELSMS_SANDBOX_")}
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env={**clean, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if is_heard else subprocess.DEVNULL,
        text=True,
    )


def finished(*arguments: str) -> tuple[int, str, str]:
    """Run a command that ends by itself; return its exit code, stdout and stderr."""
    with start(*arguments) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


class Served:
    """A server that is running, and how it ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ready = process.stdout.readline() if process.stdout else ""
        self.url = self.ready.removeprefix("panelsms-sandbox ready at ").rstrip("\n")
        self.rest = self.log = ""

    def next_log_line(self) -> str:
        """Wait for the next line of the log."""
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert line, "the server has ended"
        return line

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; return its exit code."""
        self._process.send_signal(number)
        self.rest, self.log = self._process.communicate(timeout=60)
        return self._process.returncode


@contextmanager
def serve(
    *arguments: str,
    program: tuple[str, ...] = AS_USERS_DO,
    environment: Mapping[str, str] | None = None,
    is_heard: bool = True,
) -> Iterator[Served]:
    """Run the command ``serve`` while the block runs; one that logs more than a pipe holds must not be heard."""
    with start(*arguments, program=program, environment=environment, is_heard=is_heard) as process:
        try:
            yield Served(process)
        finally:
            if process.poll() is None:
                process.kill()
