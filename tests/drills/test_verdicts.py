"""What is made of a run: each row of the table applies where it should, and nowhere else."""

from dataclasses import replace

import pytest

from sandbox.drills.conditions import ACCEPTED, Condition, conditions
from sandbox.drills.outcome import Verdict
from sandbox.drills.programs import Ended
from sandbox.drills.verdicts import ROWS, Run, Seen, judge

BY_NAME = {condition.trial.name: condition for condition in conditions()}
HELLO = ("+1222333444", "Hello", "", "", "")
OTHER = ("+1222333444", "Other", "", "", "")


def ended(exit_code: int | None = 0, out: str = "", err: str = "", *, is_text: bool = True) -> Ended:
    return Ended(exit_code, out, err, is_text=is_text, took_ms=10)


def call(began_ms: int = 0, **more: object) -> Seen:
    """Return a call that was accepted, and told so."""
    seen = Seen(
        content=HELLO,
        transaction_id=None,
        began_ms=began_ms,
        ended_ms=began_ms + 5,
        is_answered=True,
        is_accepted=True,
        is_by_condition=False,
        answer="OK_1000001",
    )
    return replace(seen, **more)  # type: ignore[arg-type]


def refused(began_ms: int = 0, answer: str = "ERROR_5") -> Seen:
    return call(began_ms, is_accepted=False, is_by_condition=True, answer=answer)


def lost(began_ms: int = 0, transaction_id: str | None = None, *, is_accepted: bool = True) -> Seen:
    """Return a call whose answer never came whole."""
    return call(
        began_ms,
        is_answered=False,
        is_accepted=is_accepted,
        is_by_condition=True,
        transaction_id=transaction_id,
    )


def a_run(condition: Condition | str, end: Ended, *calls: Seen, **more: object) -> Run:
    named = BY_NAME[condition] if isinstance(condition, str) else condition
    run = Run(named, end, calls, usual={}, timeout_s=30)
    return replace(run, **more)  # type: ignore[arg-type]


def rows(run: Run) -> set[str]:
    """Return the names of the rows that apply."""
    return {row.name for row in ROWS if row.notice(run) is not None}


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        # all as it should be
        (a_run(ACCEPTED, ended(0), call()), set()),
        (a_run("error-5-text", ended(1), refused()), set()),
        (a_run("error-7-text", ended(0), refused(answer="ERROR_7"), call(1000)), set()),
        (a_run("reset", ended(1), lost(is_accepted=False)), set()),
        (a_run("http-503", ended(0), refused(answer="no"), call(2100)), set()),
        (a_run("error-3-text", ended(0), call(is_by_condition=True, answer="ERROR_3")), set()),
        (a_run("slow", ended(0), call(is_by_condition=True)), set()),
        (a_run(ACCEPTED, ended(0), call(), call(content=OTHER)), set()),
        (a_run(ACCEPTED, ended(0), call(), call(), usual={HELLO: 2}), set()),
        (a_run("error-5-text", ended(1), refused(), refused(1000), usual={HELLO: 2}), set()),
        # one thing wrong
        (a_run(ACCEPTED, ended(1)), {"never-called"}),
        (a_run("hang", ended(None), lost(is_accepted=False)), {"waits-for-ever"}),
        (a_run(ACCEPTED, ended(None), call()), {"does-not-end"}),
        (a_run("http-500", ended(None), refused(), refused(1000)), {"still-trying"}),
        (a_run("error-5-text", ended(0), refused()), {"believes-accepted"}),
        (a_run("reset", ended(0), lost(is_accepted=False)), {"believes-accepted"}),
        (a_run(ACCEPTED, ended(1), call()), {"believes-refused"}),
        (
            a_run("error-3-text", ended(1), call(is_by_condition=True, answer="ERROR_3")),
            {"believes-refused"},
        ),
        (a_run("answer-lost", ended(0), lost()), {"guesses"}),
        (a_run("answer-lost", ended(1), lost()), {"cannot-know"}),
        (a_run("error-5-text", ended(1), refused(), refused(1000)), {"retries-in-vain"}),
        (a_run("answer-lost-once", ended(0), lost(), call(1000)), {"sends-twice"}),
        (
            a_run(
                "answer-lost-once",
                ended(0),
                lost(transaction_id="a"),
                call(1000, transaction_id="b"),
            ),
            {"sends-twice"},
        ),
        (
            a_run(
                "answer-lost-once",
                ended(0),
                lost(transaction_id="a"),
                call(1000, transaction_id="a"),
            ),
            {"sends-twice-marked"},
        ),
        (a_run(ACCEPTED, ended(0), call(), call(1000)), {"sends-twice"}),
        (a_run("http-503", ended(0), refused(), call(1000)), {"does-not-wait"}),
        (a_run("error-6-text", ended(0), refused(), call(20)), {"calls-at-once"}),
        (a_run("http-500", ended(1), *(refused(1000 * n) for n in range(11))), {"hammers"}),
        (a_run("reset", ended(-11), lost(is_accepted=False)), {"dies"}),
        (
            a_run("html", ended(1, err="Traceback (most recent call last):\n  x\nValueError: x"), refused()),
            {"crashes"},
        ),
        (a_run("html", ended(255, out="PHP Fatal error:  Uncaught JsonException"), refused()), {"crashes"}),
        (a_run("html", ended(1, is_text=False), refused()), {"prints-no-text"}),
    ],
)
def test_what_is_said_of_a_run(run: Run, expected: set[str]) -> None:
    assert rows(run) == expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_one_of_those_that_are_tried_above(row: object) -> None:
    tried = set[str]()
    for mark in test_what_is_said_of_a_run.pytestmark:  # type: ignore[attr-defined]
        tried |= set().union(*(expected for _, expected in mark.args[1]))
    assert row in [each for each in ROWS if each.name in tried]


@pytest.mark.parametrize(
    ("run", "verdict", "text"),
    [
        (
            a_run("error-5-text", ended(0), refused()),
            Verdict.FAILED,
            "It ended with exit code 0, as if the message were accepted, and it was not: the answer was ERROR_5.",
        ),
        (
            a_run("html", ended(0), refused(answer="<h1>back soon</h1>")),
            Verdict.FAILED,
            "It ended with exit code 0, as if the message were accepted, and it was not: it was told nothing of the kind.",
        ),
        (
            a_run("answer-lost", ended(1), lost(), lost(1000), lost(2000)),
            Verdict.FAILED,
            "It sent the same message 3 times, without a transactionId: the first answer was lost, the message was not.",
        ),
        (
            a_run("reading-json_post_default-text", ended(0), call(), call(500)),
            Verdict.FAILED,
            "It sent the same message twice, without a transactionId: the first answer had told it OK_1000001.",
        ),
        (
            a_run("answer-lost-once", ended(0), lost(transaction_id="o1"), call(900, transaction_id="o1")),
            Verdict.DOUBTFUL,
            (
                "It sent the same message twice, each time with the transactionId o1: the first answer was lost, "
                "the message was not."
            ),
        ),
        (
            a_run("http-429", ended(1), refused(), refused(105)),
            Verdict.DOUBTFUL,
            "It called again after 100 ms, where Retry-After had asked for 1 s.",
        ),
        (
            a_run("hang", ended(None), lost(is_accepted=False)),
            Verdict.FAILED,
            "It still waited for an answer when it was stopped after 30 s.",
        ),
        (
            a_run("drip", ended(None), lost()),
            Verdict.DOUBTFUL,
            "It still waited for an answer when it was stopped after 30 s.",
        ),
        (
            a_run(ACCEPTED, ended(1), elsewhere=("GET /", "POST /send")),
            Verdict.FAILED,
            "It made no call to the API, but GET /, POST /send.",
        ),
    ],
)
def test_how_bad_it_is_and_how_it_is_said(run: Run, verdict: Verdict, text: str) -> None:
    finding = judge(run)[0]
    assert (finding.verdict, finding.text) == (verdict, text)


def test_the_worst_is_said_first() -> None:
    found = judge(a_run("answer-lost", ended(0), lost(), lost(1000)))
    assert [finding.verdict for finding in found] == [Verdict.FAILED, Verdict.DOUBTFUL]
