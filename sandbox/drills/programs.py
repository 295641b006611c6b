"""A command of the user's, run without a shell: its words, its environment, its end, and what it printed.

Knows nothing of drills. What a command prints is bounded, may be no text, and one that does not end is ended.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Final, Self

from sandbox.clock import Stopwatch
from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

LONGEST_OUTPUT: Final = 16_384
"""Octets that are kept of what a command prints on each stream."""
LISTENED_S: Final = 1.0
"""How long a command's output is listened to after its end: what it has started may hold it open."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as words, with the option that named it."""

    option: str
    words: tuple[str, ...]

    @classmethod
    def read(cls, option: str, line: str) -> Self:
        """Return the command that *line* names, as a shell would split it.

        Raises:
            ConfigError: a quote is not closed, or there is no such program.
        """
        try:
            words = tuple(shlex.split(line))
        except ValueError as error:
            raise ConfigError(f"{option} {excerpt(line, 80)}: {str(error).lower()}") from None
        if not words or not words[0]:
            raise ConfigError(f"{option} is empty: name a program and its arguments")
        if shutil.which(words[0]) is None:
            raise ConfigError(
                f"{option}: there is no program {excerpt(words[0], 200)}; "
                "no shell reads the command: where you need one, write sh -c '…'"
            )
        return cls(option, words)

    def __str__(self) -> str:
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    exit_code: int | None
    """Negative: the signal it died of. None: it had to be ended."""
    out: str
    err: str
    is_text: bool
    """Whether all that it printed is UTF-8."""
    took_ms: int


class Runner:
    """Runs commands; threads may share it. At the end of the block none is left running."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self._is_over = False

    def run(self, command: Command, variables: Mapping[str, str], timeout_s: float) -> Ended:
        """Run *command* to its end.

        Args:
            command: what to run; ``$NAME`` in a word stands for one of *variables*.
            variables: what its environment holds besides our own.
            timeout_s: after which it is ended, with all that it has started.

        Raises:
            ConfigError: it cannot be run, or the block has ended meanwhile.
        """
        watch = Stopwatch()
        process = self._start(command, variables)
        heard = [_Ear(stream) for stream in (process.stdout, process.stderr) if stream is not None]
        try:
            exit_code: int | None = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            exit_code = None
        took_ms = watch.ms()
        self._end(process)
        self._demand_more(command)
        octets = [ear.heard() for ear in heard]
        out, err = (each.decode("utf-8", "backslashreplace") for each in octets)
        return Ended(exit_code, out, err, is_text=all(map(_is_text, octets)), took_ms=took_ms)

    def _start(self, command: Command, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        words = [_filled_in(word, variables) for word in command.words]
        # One that began outside of the lock might be running, and at the end nobody would know.
        with self._lock:
            self._demand_more(command)
            try:
                process = subprocess.Popen(  # noqa: S603 - the very command that the user asks for
                    words,
                    env={**os.environ, **variables},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise ConfigError(
                    f"{command.option}: cannot run {excerpt(words[0], 200)}: {error.strerror}"
                ) from None
            self._running.add(process)
        return process

    def _demand_more(self, command: Command) -> None:
        """Raise a ConfigError once the block has ended: who runs a command in a thread is not to go on either."""
        if self._is_over:
            raise ConfigError(f"{command.option}: it is over, and nothing is run any more")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End a command and all that it has started, unless it has ended."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        else:  # pragma: no cover - Windows
            process.kill()
        process.wait()
        with self._lock:
            self._running.discard(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_over = True
            left = tuple(self._running)
        for process in left:
            self._end(process)


class _Ear:
    """Listens to a stream to its end, and keeps the first of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with self._stream:
            while more := os.read(self._stream.fileno(), 65_536):
                self._kept += more[: LONGEST_OUTPUT - len(self._kept)]

    def heard(self) -> bytes:
        self._thread.join(LISTENED_S)
        return bytes(self._kept)


def _is_text(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        # What is cut off in the middle of a character was text.
        return len(octets) == LONGEST_OUTPUT and error.reason == "unexpected end of data"
    return True


_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def _filled_in(word: str, variables: Mapping[str, str]) -> str:
    """Return *word* with ``$NAME`` and ``${NAME}`` replaced where they name one of *variables*, and else left alone."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], found[0]), word)
