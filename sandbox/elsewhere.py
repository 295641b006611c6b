"""A server that runs already, held against the contract: what it answers, and which readings it appears to follow.

Knows what may be sent to whom: a public address is asked slowly, with its user's own account and recipient, and nothing
that names another. Who allows that, and who shows what is found, is known elsewhere.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from http.client import HTTPException
from threading import Event
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.clock import RunningClock
from sandbox.egress import objection
from sandbox.errors import UnreachableError
from sandbox.examples import Answer, Outcome, Server, Verdict, cause, exchange, own_server, replay
from sandbox.exchanges import EXAMPLE_ACCOUNT, Account, Example, Request, load_examples, needs
from sandbox.tells import Found, Seen, find_out, seen, tells

if TYPE_CHECKING:
    from collections.abc import Iterator

PACE_S: Final = 1.0
"""Between two requests to a public address."""


class Planned(NamedTuple):
    """A request that would be sent."""

    name: str
    is_accepted: bool
    """Whether a server that reads the reference as the sandbox does accepts it, and takes a credit for it."""

    @property
    def line(self) -> str:
        """How a dry run shows it."""
        return f"{'accepted' if self.is_accepted else 'refused ':<8} {self.name}"


class Elsewhere:
    """A server that runs already."""

    def __init__(
        self, base_url: str, account: Account = EXAMPLE_ACCOUNT, *, with_examples: bool = True
    ) -> None:
        """Build it; nothing is sent yet.

        Args:
            base_url: ``http://127.0.0.1:7670``, or a session's.
            account: whose messages they are, and to whom.
            with_examples: whether the examples are replayed; else it is only asked for its readings.

        Raises:
            ConfigError: *base_url* is no URL of HTTP.
        """
        self.server = Server.at(base_url)
        self._account = account
        self._with_examples = with_examples
        self._follows: dict[str, str] = {}
        self._is_sandbox = False
        self.is_public = False
        """Whether an address of its name is neither loopback nor private."""

    def resolve(self) -> None:
        """Find out where it is.

        Raises:
            UnreachableError: its name leads nowhere.
        """
        try:
            found = socket.getaddrinfo(self.server.host, self.server.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnreachableError(f"no address for {self.server.host}: {_cause(error)}") from None
        self.is_public = any(objection(str(address[0]), self.server.host, ()) for *_, address in found)

    def reach(self) -> None:
        """See whether something that speaks HTTP is there; what is sent for that names no account.

        Raises:
            UnreachableError: nothing does.
        """
        try:
            self._is_sandbox = (
                "x-sandbox-request-id" in self._exchange(Request("GET", "/sendMtSms.php", {})).headers
            )
        except ssl.SSLError as error:
            hint = "; http:// asks without TLS" if "WRONG_VERSION" in str(error) else ""
            raise UnreachableError(f"no TLS with {self.server.url}: {_cause(error)}{hint}") from None
        except HTTPException as error:
            raise UnreachableError(f"what answers at {self.server.url} is no HTTP: {cause(error)}") from None
        except OSError as error:
            hint = "" if self.is_public else "; panelsms-sandbox serve starts a sandbox"
            raise UnreachableError(f"no answer from {self.server.url}: {_cause(error)}{hint}") from None

    def plan(self) -> Iterator[Planned]:
        """Yield what would be sent, as far as that can be known before it is asked."""
        yield Planned("a plain message", is_accepted=True)
        for tell in tells():
            for ask in tell.asks:
                if tell.row.default in ask.expected:
                    yield Planned(f"reading {tell.row.id}: {ask.text}", ask.is_accepted(tell.row.default))
        for example in self._examples():
            if self._why_not(example) is None:
                yield from (
                    Planned(f"{example.name}, before it", is_accepted=True) for _ in example.given.before
                )
                yield Planned(example.name, not example.expected.is_error)

    def find_out(self) -> Iterator[Found]:
        """Ask for each reading, and yield what is found out."""
        for found in find_out(self._seen, self._account, self._now):
            if found.follows is not None:
                self._follows[found.row.id] = found.follows
            yield found

    def replay(self) -> Iterator[Verdict]:
        """Replay every example that the server can be asked, and yield a verdict on each.

        Where the server was asked for its readings before, a failure says whether they are all there is to it.
        """
        with ExitStack() as stack:
            judge = None
            for example in self._examples():
                why_not = self._why_not(example)
                if why_not is not None:
                    yield Verdict(example, Outcome.NOT_RUN, why_not)
                    continue
                for _ in (*example.given.before, example.request):
                    self._pause()
                verdict = replay(example, self.server)
                if verdict.outcome is Outcome.FAILED and verdict.answer and self._follows:
                    judge = judge or stack.enter_context(own_server())
                    as_read = judge(replace(example, given=replace(example.given, readings=self._follows)))
                    if as_read.answer and _alike(verdict.answer, as_read.answer):
                        verdict = replace(
                            verdict, why=f"{verdict.why} (as the readings that it follows have it)"
                        )
                yield verdict

    def _examples(self) -> tuple[Example, ...]:
        return load_examples(self._account) if self._with_examples else ()

    def _why_not(self, example: Example) -> str | None:
        """Say why an example is not for this server."""
        wanted = needs(example)
        if wanted:
            return f"needs its own {' and '.join(wanted)}"
        return f"not for a public address: {example.strange}" if self.is_public and example.strange else None

    def _exchange(self, request: Request) -> Answer:
        self._pause()
        return exchange(request, self.server)

    def _pause(self) -> None:
        if self.is_public:
            Event().wait(PACE_S)

    def _seen(self, request: Request) -> Seen | str:
        try:
            return seen(self._exchange(request))
        except (OSError, HTTPException) as error:
            return f"no answer: {cause(error)}"

    def _now(self) -> datetime:
        """Return what time it is for the server: a sandbox says it, any other has ours."""
        if self._is_sandbox:
            try:
                shown = json.loads(self._exchange(Request("GET", "/_sandbox/clock", {})).body)
                return datetime.fromisoformat(shown["now"])
            except (OSError, HTTPException, ValueError, KeyError, TypeError):
                pass  # its control API is not for us
        return RunningClock().now()


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or cause(error)


def _alike(one: Answer, other: Answer) -> bool:
    """Say whether two answers are the same but for ids that were generated."""

    def shape(answer: Answer) -> tuple[int, str, bytes]:
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return answer.status, media_type, re.sub(rb"[0-9]{5,}", b"#", answer.body)

    return shape(one) == shape(other)
