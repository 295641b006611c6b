"""What is made of what a client did under a condition: one table, a row for each thing that can be said honestly.

Knows nothing of how clients are run. Each row says when it applies, how bad it is, and why.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.core.spelling import excerpt
from sandbox.drills.conditions import Retry, Telling
from sandbox.drills.outcome import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.drills.conditions import Condition
    from sandbox.drills.programs import Ended

AT_ONCE_MS: Final = 100
"""What is called again sooner than this was not waited with."""
MOST_CALLS: Final = 10
"""For one message in one run, beyond which a client does not try again but hammers."""

Content = tuple[str, ...]
"""What makes two calls the same message: destination, text, header, sender."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call of a client, and what became of it."""

    content: Content
    transaction_id: str | None
    """As the client chose it."""
    began_ms: int
    ended_ms: int | None
    """None: it is still not answered."""
    is_answered: bool
    """Whether all of an answer went out."""
    is_accepted: bool
    is_by_condition: bool
    """Whether the condition decided its answer."""
    answer: str
    """What it was answered, or would have been."""
    content_type: str = ""
    reason: str | None = None
    """Why it was refused."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a client under a condition."""

    condition: Condition
    ended: Ended
    calls: tuple[Seen, ...]
    usual: Mapping[Content, int]
    """How often it calls with the same content when all is well, where that is more than once."""
    timeout_s: float
    elsewhere: tuple[str, ...] = ()
    """Calls to something beside the API: ``GET /other``."""

    @property
    def says_accepted(self) -> bool:
        """Whether its exit code says that all was accepted."""
        return self.ended.exit_code == 0

    @property
    def says_refused(self) -> bool:
        """Whether its exit code says that something was not."""
        return self.ended.exit_code is not None and not self.says_accepted

    @property
    def is_waiting(self) -> bool:
        """Whether it had to be ended while it waited for an answer."""
        return self.ended.exit_code is None and any(not call.is_answered for call in self.calls[-1:])

    @property
    def is_accepted(self) -> bool:
        """Whether each of its messages was accepted, at whatever call."""
        accepted = {call.content for call in self.calls if call.is_accepted}
        return bool(self.calls) and all(call.content in accepted for call in self.calls)

    @property
    def has_been_told(self) -> bool:
        """Whether an answer has told it of each message that it was accepted."""
        told = {call.content for call in self.calls if call.is_accepted and self.tells(call)}
        return bool(self.calls) and all(call.content in told for call in self.calls)

    def tells(self, call: Seen) -> bool:
        """Say whether the answer to a call went out whole, and says what became of the message."""
        by_condition = call.is_by_condition and self.condition.telling is Telling.NOTHING
        return call.is_answered and not by_condition

    @property
    def repeats(self) -> list[tuple[Seen, Seen]]:
        """Each call for a message that an earlier one was for, with that one, as far as that is not usual."""
        seen: dict[Content, list[Seen]] = {}
        pairs = []
        for call in self.calls:
            before = seen.setdefault(call.content, [])
            if len(before) >= self.usual.get(call.content, 1):
                pairs.append((before[-1], call))
            before.append(call)
        return pairs

    @property
    def copies(self) -> list[list[Seen]]:
        """The accepted calls of each message that was accepted more often than usual."""
        accepted: dict[Content, list[Seen]] = {}
        for call in self.calls:
            if call.is_accepted:
                accepted.setdefault(call.content, []).append(call)
        return [calls for content, calls in accepted.items() if len(calls) > self.usual.get(content, 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can be said of a run."""

    name: str
    verdict: Verdict
    notice: Callable[[Run], str | None]
    """Says it in a sentence, None where it does not apply."""
    why: str


def judge(run: Run) -> tuple[Finding, ...]:
    """Return all that can be said of a run, the worst first."""
    said = [(row, row.notice(run)) for row in ROWS]
    found = [Finding(_verdict(row, run), text, row.why) for row, text in said if text is not None]
    return tuple(sorted(found, key=lambda finding: tuple(Verdict).index(finding.verdict), reverse=True))


def _verdict(row: Row, run: Run) -> Verdict:
    return run.condition.impatience if row.name == "waits-for-ever" else row.verdict


# -- what is noticed ----------------------------------------------------------------------------------------------


def _never_called(run: Run) -> str | None:
    if run.calls:
        return None
    beside = f", but {_listed(run.elsewhere)}" if run.elsewhere else ""
    return f"It made no call to the API{beside}."


def _waits_for_ever(run: Run) -> str | None:
    if not run.is_waiting:
        return None
    return f"It still waited for an answer when it was stopped after {run.timeout_s:g} s."


def _does_not_end(run: Run) -> str | None:
    if run.ended.exit_code is not None or run.is_waiting or run.repeats:
        return None
    return f"It had not ended after {run.timeout_s:g} s, although nothing kept it waiting."


def _still_trying(run: Run) -> str | None:
    if run.ended.exit_code is not None or run.is_waiting or not run.repeats:
        return None
    return f"It was still trying when it was stopped after {run.timeout_s:g} s."


def _believes_accepted(run: Run) -> str | None:
    if not run.says_accepted or not run.calls or run.is_accepted:
        return None
    last = next(call for call in reversed(run.calls) if not call.is_accepted)
    answer = (
        f"the answer was {excerpt(last.answer, 80)}" if run.tells(last) else "it was told nothing of the kind"
    )
    return f"It ended with exit code 0, as if the message were accepted, and it was not: {answer}."


def _believes_refused(run: Run) -> str | None:
    if not run.says_refused or not run.has_been_told:
        return None
    told = next(call for call in reversed(run.calls) if call.is_accepted and run.tells(call))
    return (
        f"It ended with exit code {run.ended.exit_code}, as if the message were refused, and it was accepted: the answer "
        f"was {excerpt(told.answer, 80)}."
    )


def _guesses(run: Run) -> str | None:
    if not run.says_accepted or not run.is_accepted or run.has_been_told:
        return None
    return "It ended with exit code 0; the message was indeed accepted, but no answer has told it so."


def _cannot_know(run: Run) -> str | None:
    if not run.says_refused or not run.is_accepted or run.has_been_told:
        return None
    return (
        f"It ended with exit code {run.ended.exit_code}, and the message was accepted: it could not know. "
        "Whoever sends it again by hand sends it twice."
    )


def _retries_in_vain(run: Run) -> str | None:
    pairs = run.repeats
    in_vain = [
        before
        for before, _ in pairs
        if run.condition.retry is Retry.IS_IN_VAIN and before.is_by_condition and not before.is_accepted
    ]
    if not in_vain:
        return None
    return f"It called again after {excerpt(in_vain[0].answer, 60)}, {_times(len(in_vain))}."


def _sends_twice(run: Run) -> str | None:
    copies = next((calls for calls in run.copies if not _is_told_apart(calls)), None)
    if copies is None:
        return None
    ids = [call.transaction_id for call in copies]
    mark = (
        "without a transactionId" if not any(ids) else "with a transactionId that is not the same each time"
    )
    return f"It sent the same message {_times(len(copies))}, {mark}: {_why_again(run, copies)}."


def _sends_twice_marked(run: Run) -> str | None:
    copies = next((calls for calls in run.copies if _is_told_apart(calls)), None)
    if copies is None:
        return None
    shown = excerpt(copies[0].transaction_id or "", 60)
    return (
        f"It sent the same message {_times(len(copies))}, each time with the transactionId {shown}: "
        f"{_why_again(run, copies)}."
    )


def _is_told_apart(copies: list[Seen]) -> bool:
    return bool(copies[0].transaction_id) and len({call.transaction_id for call in copies}) == 1


def _why_again(run: Run, copies: list[Seen]) -> str:
    first = copies[0]
    if run.tells(first):
        return f"the first answer had told it {excerpt(first.answer, 80)}"
    return "the first answer was lost, the message was not"


def _does_not_wait(run: Run) -> str | None:
    wanted_s = run.condition.retry_after_s
    for before, after in run.repeats:
        gap_ms = _gap_ms(before, after)
        if wanted_s is not None and before.is_by_condition and gap_ms < wanted_s * 1000 - AT_ONCE_MS:
            return f"It called again after {gap_ms} ms, where Retry-After had asked for {wanted_s:g} s."
    return None


def _calls_at_once(run: Run) -> str | None:
    if run.condition.retry is Retry.IS_IN_VAIN or run.condition.retry_after_s is not None:
        return None
    gaps = [_gap_ms(before, after) for before, after in run.repeats if not before.is_accepted]
    if not gaps or min(gaps) >= AT_ONCE_MS:
        return None
    return f"It called again after {min(gaps)} ms."


def _hammers(run: Run) -> str | None:
    most = max(Counter(call.content for call in run.calls).values(), default=0)
    return f"It called {most} times for one message." if most > MOST_CALLS else None


def _dies(run: Run) -> str | None:
    code = run.ended.exit_code
    return f"It died of signal {-code}." if code is not None and code < 0 else None


# What interpreters print of what nobody has caught: Python, Node.js, PHP, Java and .NET, Go, Rust, Ruby.
_UNCAUGHT = re.compile(
    r"^(?:Traceback \(most recent call last\)|Uncaught |PHP Fatal error|Fatal error|Exception in thread|"
    r"Unhandled exception|panic: |thread '.*' panicked|.*\(unhandledRejection\)|node:internal/)",
    re.MULTILINE,
)


def _crashes(run: Run) -> str | None:
    found = _UNCAUGHT.search(run.ended.err) or _UNCAUGHT.search(run.ended.out)
    if found is None or run.ended.exit_code is None:
        return None
    lines = (run.ended.err or run.ended.out).strip().splitlines()
    return f"It ended by an error that it does not catch: {excerpt(lines[-1], 160)}."


def _prints_no_text(run: Run) -> str | None:
    return None if run.ended.is_text else "What it printed is not text in UTF-8; the octets are shown as \\x."


def _gap_ms(before: Seen, after: Seen) -> int:
    """Return the milliseconds between the end of a call and the next one."""
    ended_ms = before.began_ms if before.ended_ms is None else min(before.ended_ms, after.began_ms)
    return after.began_ms - ended_ms


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(excerpt(text, 80) for text in texts[:3])


ROWS: Final = (
    Row(
        "never-called",
        Verdict.FAILED,
        _never_called,
        "It must send to the address in its environment: PANELSMS_SEND_URL, or PANELSMS_URL and the API's path.",
    ),
    Row(
        "waits-for-ever",
        Verdict.FAILED,
        _waits_for_ever,
        "A timeout on each read does not end an answer that trickles, and no timeout ends nothing: the whole exchange "
        "needs one.",
    ),
    Row("does-not-end", Verdict.FAILED, _does_not_end, "It keeps whoever has started it waiting."),
    Row(
        "still-trying", Verdict.OK, _still_trying, "Its exit code was not seen; a longer --timeout shows it."
    ),
    Row(
        "believes-accepted",
        Verdict.FAILED,
        _believes_accepted,
        "The message is lost, and nobody is told.",
    ),
    Row(
        "believes-refused",
        Verdict.FAILED,
        _believes_refused,
        "Whoever sends it again, since it seems to have failed, sends it twice.",
    ),
    Row(
        "guesses",
        Verdict.DOUBTFUL,
        _guesses,
        "It would say the same of a message that never arrived.",
    ),
    Row("cannot-know", Verdict.OK, _cannot_know, ""),
    Row(
        "retries-in-vain",
        Verdict.FAILED,
        _retries_in_vain,
        "Nothing changes by itself: each further call gets the same answer, and counts against the rate limit.",
    ),
    Row(
        "sends-twice",
        Verdict.FAILED,
        _sends_twice,
        "The handset shows it each time and each is paid for, and nothing in the reports tells that they are one message.",
    ),
    Row(
        "sends-twice-marked",
        Verdict.DOUBTFUL,
        _sends_twice_marked,
        "A transactionId need not be unique, so the API accepts each and the handset shows each; the id tells "
        "afterwards that they are one.",
    ),
    Row("does-not-wait", Verdict.DOUBTFUL, _does_not_wait, "Retry-After says when it is worth trying."),
    Row(
        "calls-at-once",
        Verdict.DOUBTFUL,
        _calls_at_once,
        "What failed a moment ago most likely fails again: wait, and longer each time.",
    ),
    Row(
        "hammers",
        Verdict.FAILED,
        _hammers,
        "Calls without an end keep a busy server busy, and use up the account's rate limit for all others.",
    ),
    Row("dies", Verdict.FAILED, _dies, "Nobody is told what became of the message."),
    Row(
        "crashes",
        Verdict.DOUBTFUL,
        _crashes,
        "The exit code is right by luck, and whoever reads the log learns where the program broke, not what became of "
        "the message.",
    ),
    Row("prints-no-text", Verdict.OK, _prints_no_text, ""),
)
