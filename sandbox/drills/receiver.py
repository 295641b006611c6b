"""A drill for a receiver of reports: each step sent, its answers judged, and what it holds where that can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event as Wait
from typing import TYPE_CHECKING, Final

from sandbox.clock import Deadline, RunningClock, Stopwatch
from sandbox.core.spelling import excerpt
from sandbox.drills.outcome import Entry, Event, Finding, Verdict
from sandbox.drills.post import Manner
from sandbox.drills.steps import Answers
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sandbox.drills.post import Answered, Post
    from sandbox.drills.programs import Command, Ended, Runner
    from sandbox.drills.reports import Writer
    from sandbox.drills.steps import Sending, Step

ANSWERS_ALONE: Final = (
    "This judges answers only. What the receiver has stored cannot be seen from outside: with --check, a command that "
    "prints the status it holds for $TRANSACTION_ID, that is judged too."
)
KNOWS_NO_MESSAGE: Final = (
    "The receiver knew none of these messages before their reports came. If it takes only reports about messages it "
    "knows, let --prepare tell it of $TRANSACTION_ID before each step."
)
NEEDS_SECRET: Final = "It needs the secret that reports are signed with: --secret"  # noqa: S105 - not one

PROGRAM_TIMEOUT_S: Final = 30.0
"""How long a run of --check or --prepare may take."""
ASKED_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what takes its time, in seconds."""

    before_retry_s: float = 1.0
    """Before a report that was not taken is sent once more, as the sandbox waits by default."""
    to_hold_s: float = 2.0
    """For a status that the receiver has taken and may store a little later."""


class ReceiverDrill:
    """Takes a receiver through steps."""

    def __init__(
        self,
        post: Post,
        writer: Writer,
        runner: Runner,
        *,
        check: Command | None = None,
        prepare: Command | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Build a drill.

        Args:
            post: carries reports to the receiver.
            writer: writes them.
            runner: runs the commands.
            check: prints the status that the receiver holds for ``$TRANSACTION_ID``.
            prepare: tells the receiver of the message ``$TRANSACTION_ID``.
            patience: how long is waited.
        """
        self._post = post
        self._writer = writer
        self._runner = runner
        self._check = check
        self._prepare = prepare
        self._patience = patience or Patience()
        self._clock = RunningClock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the outcome must know."""
        notes = () if self._check else (ANSWERS_ALONE,)
        return notes if self._prepare else (*notes, KNOWS_NO_MESSAGE)

    def run(self, steps: Iterable[Step]) -> Iterator[Entry]:
        """Yield what comes of each step, as it comes.

        Raises:
            ConfigError: a command cannot be run.
        """
        for step in steps:
            if step.needs_secret and self._writer.secret is None:
                yield Entry(step.trial, findings=(Finding(Verdict.NOT_RUN, NEEDS_SECRET),))
            else:
                yield self._take(step)

    def _take(self, step: Step) -> Entry:
        watch = Stopwatch()
        drill = f"drill-{self._writer.began_at:%Y%m%dT%H%M%S%f}"[:-3]
        course = _Course(step, f"{drill}-{step.trial.name}", self._clock.now())
        course.happened("about", course.transaction_id)
        if step.is_known_before:
            self._tell_of(course)
        for sending in step.sendings:
            self._send(course, sending)
        statuses = [answer.status for answer in course.answers]
        shown = ", ".join("-" if status is None else str(status) for status in statuses)
        return Entry(
            step.trial,
            events=tuple(course.events),
            findings=tuple(course.findings),
            took_ms=watch.ms(),
            facts={"answered": shown, "holds": course.held},
        )

    def _send(self, course: _Course, sending: Sending) -> None:
        answer = self._carry(course, sending)
        wanted = sending.answers
        if not course.step.is_known_before and self._prepare is not None:
            self._tell_of(course)
            if not _is_taken(answer):  # as it should be: it comes again, and by now the message is known
                answer, wanted = self._carry_again(course, sending), Answers.TAKEN
        elif wanted in {Answers.TAKEN, Answers.RATHER_TAKEN} and not _is_taken(answer):
            retried = self._carry_again(course, sending)
            if _is_taken(retried):
                course.find(
                    Verdict.DOUBTFUL,
                    f'It did not take "{sending.what}" at first ({_in_short(answer)}), but at the second attempt.',
                )
                answer = retried
        verdict = wanted.judge(answer.status)
        if verdict is not Verdict.OK:
            course.find(verdict, f"{_told(answer, sending)} It should answer {wanted}.")
        if self._check is not None and not sending.is_strange:
            self._ask(course, sending, self._check)

    def _carry(self, course: _Course, sending: Sending) -> Answered:
        transaction_id = course.transaction_id + ("-strange" if sending.is_strange else "")
        report = self._writer.write(
            sending.wanted,
            transaction_id,
            step_began_at=course.began_at,
            now=self._clock.now(),
            signed=sending.signed,
        )
        how = "" if sending.manner is Manner.WHOLE else f" ({sending.manner})"
        content = report.url if report.body is None else report.body.decode() or "(nothing)"
        course.happened("sent", f"{sending.what}{how}: {report.method} {content}")
        answer = self._post.carry(report, sending.manner)
        course.happened("answered", str(answer))
        course.answers.append(answer)
        return answer

    def _carry_again(self, course: _Course, sending: Sending) -> Answered:
        Wait().wait(self._patience.before_retry_s)
        return self._carry(course, sending)

    def _tell_of(self, course: _Course) -> None:
        if self._prepare is None:
            return
        ended = self._run(self._prepare, course)
        if ended.exit_code != 0:
            raise ConfigError(
                f"--prepare ended with exit code {ended.exit_code} for {course.transaction_id}: "
                f"{_last_line(ended) or 'it printed nothing'}"
            )

    def _ask(self, course: _Course, sending: Sending, check: Command) -> None:
        """Ask what the receiver holds, again for a while where that is not yet what it should be."""
        deadline = Deadline(self._patience.to_hold_s)
        ended = self._run(check, course)
        while sending.holds is not None and _held(ended) != sending.holds and deadline.left_s():
            Wait().wait(ASKED_EVERY_S)
            ended = self._run(check, course)
        held = course.held = _held(ended)
        course.happened("held", excerpt(held, 200) or f"nothing: the check {_why_nothing(ended)}")
        if sending.holds is not None and held != sending.holds:
            instead = excerpt(held, 80) or f"nothing: the check {_why_nothing(ended)}"
            course.find(
                Verdict.FAILED, f'After "{sending.what}" it should hold {sending.holds}, and holds {instead}.'
            )
        elif held in sending.holds_none_of:
            course.find(
                Verdict.FAILED, f'After "{sending.what}" it holds {held}, which nothing has told it rightly.'
            )

    def _run(self, command: Command, course: _Course) -> Ended:
        variables = {
            "TRANSACTION_ID": course.transaction_id,
            "DRILL_STEP": course.step.trial.name,
            "CALLBACK_URL": self._writer.url,
        }
        ended = self._runner.run(command, variables, PROGRAM_TIMEOUT_S)
        if ended.exit_code is None:
            raise ConfigError(f"{command.option} did not end within {PROGRAM_TIMEOUT_S:g} s: {command}")
        return ended


class _Course:
    """How one step goes."""

    def __init__(self, step: Step, transaction_id: str, began_at: datetime) -> None:
        self.step = step
        self.transaction_id = transaction_id
        self.began_at = began_at
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self.answers: list[Answered] = []
        self.held: str | None = None

    def happened(self, what: str, text: str) -> None:
        self.events.append(Event(what, text))

    def find(self, verdict: Verdict, text: str) -> None:
        is_too_much = verdict is Verdict.FAILED and self.step.at_worst is Verdict.DOUBTFUL
        self.findings.append(Finding(Verdict.DOUBTFUL if is_too_much else verdict, text))


def _is_taken(answer: Answered) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _in_short(answer: Answered) -> str:
    return answer.lost or f"HTTP {answer.status}"


def _told(answer: Answered, sending: Sending) -> str:
    if answer.status is None:
        return f'It gave no answer to "{sending.what}": {answer.lost}.'
    if 300 <= answer.status < 400:
        return f'It answered HTTP {answer.status} to "{sending.what}", and redirects are not followed.'
    return f'It answered HTTP {answer.status} to "{sending.what}".'


def _held(ended: Ended) -> str:
    """Return the status that a check has printed, in lower case; what JSON puts around a text is left out."""
    return ended.out.strip().strip('"').lower()


def _why_nothing(ended: Ended) -> str:
    said = _last_line(ended)
    code = "" if ended.exit_code == 0 else f" and ended with exit code {ended.exit_code}"
    return f"printed nothing{code}{f': {said}' if said else ''}"


def _last_line(ended: Ended) -> str:
    lines = (ended.err or ended.out).strip().splitlines()
    return excerpt(lines[-1], 200) if lines else ""
