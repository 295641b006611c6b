"""A drill for a sender: its command run once under each condition, against a sandbox of its own.

All runs share one embedded server, each in a session; what a run did is read from the session's records.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox.config import Config
from sandbox.core.model import Format
from sandbox.core.spelling import excerpt
from sandbox.drills.conditions import ACCEPTED, RULE, conditions
from sandbox.drills.outcome import Entry, Event, Finding, Verdict
from sandbox.drills.programs import Runner
from sandbox.drills.switchboard import Switchboard
from sandbox.drills.verdicts import Run, Seen, judge
from sandbox.errors import ConfigError
from sandbox.kit.control import Control

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from sandbox.core.model import JsonObject
    from sandbox.drills.conditions import Condition
    from sandbox.drills.programs import Command, Ended
    from sandbox.drills.switchboard import Line
    from sandbox.drills.verdicts import Content

NOTE: Final = (
    "What a client believes is judged by its exit code alone: 0 says that the message was accepted, any other that it "
    "was not, or that nothing is known."
)
MOST_CALLS_READ: Final = 1000
_GAPS_SHOWN: Final = 6

_FORMS: Final = {"text/plain": Format.TEXT, "application/json": Format.JSON, "application/xml": Format.XML}


class SenderDrill:
    """Takes a client through conditions, while the block runs."""

    def __init__(self, client: Command, *, timeout_s: float, jobs: int = 1) -> None:
        """Build a drill.

        Args:
            client: the command.
            timeout_s: how long each run may take.
            jobs: how many run at once.
        """
        self._client = client
        self._timeout_s = timeout_s
        self._jobs = jobs
        self._runner = Runner()
        self._usual: Mapping[Content, int] = {}
        self._forms: dict[Format, Format | None] = {}
        """The form of answer that the client asks for when it is told to ask for another, as far as that is known."""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        from sandbox.app import create_app  # noqa: PLC0415 - with the server
        from sandbox.serving import serving  # noqa: PLC0415 - likewise

        self._switchboard = Switchboard(create_app(Config(clock="real")))
        self._url = self._open.enter_context(serving(self._switchboard, grace_s=0))
        self._control = Control(self._url)
        self._open.callback(self._control.close)
        self._open.enter_context(self._runner)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def run(self, chosen: Sequence[Condition]) -> Iterator[Entry]:
        """Yield what comes of each condition, in their order.

        Raises:
            ConfigError: the command cannot be run, sends nothing, or its message is refused when all is well.
        """
        known = {ACCEPTED.trial.name: self._try_when_all_is_well()}
        wanted = {condition.form for condition in chosen}
        for condition in conditions():
            form = condition.form
            if form is not None and form in wanted and condition.respond is None:
                known[condition.trial.name] = self._try_form(condition, form)

        def entry(condition: Condition) -> Entry:
            return known.get(condition.trial.name) or self._entry(condition)

        pool = ThreadPoolExecutor(self._jobs)
        try:
            yield from pool.map(entry, chosen)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _try_when_all_is_well(self) -> Entry:
        """Run the client once with nothing in its way, and learn what is usual."""
        run = self._run(ACCEPTED)
        if not run.calls:
            said = excerpt((run.ended.err or run.ended.out).strip()[-300:].replace("\n", " | "), 300)
            beside = f", but {', '.join(run.elsewhere[:3])}" if run.elsewhere else ""
            raise ConfigError(
                f"--client called nothing at {self._url}/s/…{beside}: it must send to the address in PANELSMS_SEND_URL, "
                f"or to /sendMtSms.php under PANELSMS_URL. Its end: {_end(run.ended, self._timeout_s)}"
                + (f", and printed: {said}" if said else "")
            )
        refused = next((call for call in run.calls if not call.is_accepted), None)
        if refused is not None:
            raise ConfigError(
                f"--client sends a message that is refused when all is well, with {excerpt(refused.answer, 60)}: "
                f"{refused.reason or 'no reason is known'}. Mend that first: nothing else can be tried without it"
            )
        counted = Counter(call.content for call in run.calls)
        # Who tries again although it was told OK does nothing usual.
        self._usual = (
            {} if run.ended.exit_code != 0 else {content: n for content, n in counted.items() if n > 1}
        )
        return self._entry_of(run)

    def _try_form(self, condition: Condition, form: Format) -> Entry:
        """Run the client once, told to ask for a form of answer, and learn which it asks for."""
        run = self._run(condition)
        asked = _form_of(run.calls)
        self._forms[form] = asked
        return self._entry_of(run) if asked is form else _not_run(condition, asked)

    def _entry(self, condition: Condition) -> Entry:
        if condition.form is not None and self._forms[condition.form] is not condition.form:
            return _not_run(condition, self._forms[condition.form])
        return self._entry_of(self._run(condition))

    def _run(self, condition: Condition) -> Run:
        """Run the client once, in a session of its own."""
        session = condition.trial.name
        control = self._control.beneath(f"/s/{session}")
        control.ask("PUT", "scenario", {"yaml": json.dumps(condition.scenario())})
        strays_before = len(self._switchboard.strays())
        ended = self._runner.run(self._client, self._variables(condition), self._timeout_s)
        lines = self._switchboard.lines(session)
        records = control.get("requests", {"limit": MOST_CALLS_READ})["requests"]
        to_endpoint = [line for line in lines if line.is_to_endpoint]
        strays = [*(line for line in lines if not line.is_to_endpoint)]
        if self._jobs == 1 or not to_endpoint:
            strays += self._switchboard.strays()[strays_before:]
        return Run(
            condition,
            ended,
            tuple(_seen(line, record) for line, record in zip(to_endpoint, reversed(records), strict=False)),
            self._usual,
            self._timeout_s,
            tuple(f"{line.method} {line.path}" for line in strays),
        )

    def _variables(self, condition: Condition) -> dict[str, str]:
        url = f"{self._url}/s/{condition.trial.name}"
        no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        reached_directly = ",".join(filter(None, (no_proxy, "127.0.0.1")))
        form = {} if condition.form is None else {"PANELSMS_RESPONSE_TYPE": condition.form}
        return {
            "PANELSMS_URL": url,
            "PANELSMS_SEND_URL": f"{url}/sendMtSms.php",
            "PANELSMS_USER": "you@example.com",
            "PANELSMS_API_KEY": "secret",
            "PANELSMS_TO": "+1222333444",
            "PANELSMS_MESSAGE": "Your code is 1234",
            "PANELSMS_CONDITION": condition.trial.name,
            "no_proxy": reached_directly,
            "NO_PROXY": reached_directly,
            **form,
        }

    def _entry_of(self, run: Run) -> Entry:
        ended, calls = run.ended, run.calls
        return Entry(
            run.condition.trial,
            events=tuple(_events(run)),
            findings=judge(run),
            took_ms=ended.took_ms,
            facts={
                "exit": "stopped" if ended.exit_code is None else ended.exit_code,
                "calls": len(calls),
                "accepted": sum(call.is_accepted for call in calls),
                "between": _between(calls),
            },
        )


def _seen(line: Line, record: JsonObject) -> Seen:
    parameters: Mapping[str, Any] = record["parameters"]
    return Seen(
        content=tuple(parameters.get(name, "") for name in ("to", "message", "udh", "senderId", "dcs")),
        transaction_id=parameters.get("transactionId") or None,
        began_ms=line.began_ms,
        ended_ms=line.ended_ms,
        is_answered=line.is_answered,
        is_accepted=record["messageId"] is not None,
        is_by_condition=record["rule"] == RULE,
        answer=record["answer"],
        content_type=record["contentType"],
        reason=record["reason"],
    )


def _events(run: Run) -> Iterator[Event]:
    before: Seen | None = None
    for call in run.calls:
        since = (
            "" if before is None else f", {_seconds(call.began_ms - before.began_ms)} after the one before"
        )
        to, message, *_ = call.content
        marked = f", transactionId {call.transaction_id}" if call.transaction_id else ""
        yield Event("called", f"to {to}, message {message}{marked}{since}")
        became = "accepted" if call.is_accepted else "not accepted"
        if call.is_answered:
            yield Event("answered", f"{call.answer or '(nothing)'} ({became})")
        else:
            yield Event("answered", f"no whole answer ({became})")
        before = call
    for stray in run.elsewhere[:5]:
        yield Event("called", f"{stray}, which is not the API")
    yield Event("end", _end(run.ended, run.timeout_s))
    for name, text in (("printed", run.ended.out), ("complained", run.ended.err)):
        if text.strip():
            yield Event(name, text.strip())


def _between(calls: Sequence[Seen]) -> str:
    """Return how long it was from each call to the next: ``1.0 s, 2.1 s``."""
    gaps = [after.began_ms - before.began_ms for before, after in pairwise(calls)]
    shown = ", ".join(map(_seconds, gaps[:_GAPS_SHOWN]))
    return f"{shown}, ..." if len(gaps) > _GAPS_SHOWN else shown


def _end(ended: Ended, timeout_s: float) -> str:
    if ended.exit_code is None:
        return f"stopped after {timeout_s:g} s"
    if ended.exit_code < 0:
        return f"signal {-ended.exit_code} after {_seconds(ended.took_ms)}"
    return f"exit code {ended.exit_code} after {_seconds(ended.took_ms)}"


def _seconds(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _form_of(calls: Sequence[Seen]) -> Format | None:
    """Return the form of the answers to these calls; None where there is none."""
    return next((_FORMS.get(call.content_type.partition(";")[0]) for call in calls), None)


def _not_run(condition: Condition, asked: Format | None) -> Entry:
    instead = "calls nothing then" if asked is None else f"asks for {asked} all the same"
    text = f"PANELSMS_RESPONSE_TYPE is {condition.form}, and the client {instead}."
    return Entry(condition.trial, findings=(Finding(Verdict.NOT_RUN, text),))
