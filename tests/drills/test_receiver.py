"""The drill for receivers: good ones pass, and each thing that one does wrong is seen."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.drills.outcome import Entry, Verdict
from sandbox.drills.post import Post
from sandbox.drills.programs import Command, Runner
from sandbox.drills.receiver import ANSWERS_ALONE, KNOWS_NO_MESSAGE, Patience, ReceiverDrill
from sandbox.drills.reports import Writer
from sandbox.drills.selection import select
from sandbox.drills.steps import STEPS
from sandbox.errors import ConfigError
from tests.drills.clerk import SECRET, Clerk, Fault, a_clerk

BEGAN_AT = datetime(2026, 3, 4, 5, 6, 7, 8000, UTC)
SIGNATURES = {step.trial.name for step in STEPS if step.needs_secret}
READINGS = {step.trial.name for step in STEPS if step.trial.group == "readings"}
ALL = {step.trial.name for step in STEPS}


def drilled(
    clerk: Clerk,
    *only: str,
    check: str | None = None,
    prepare: str | None = None,
    timeout_s: float = 5,
    to_hold_s: float = 0.0,
) -> dict[str, Entry]:
    """Take a receiver through steps; return the entries by name."""
    with Runner() as runner:
        drill = ReceiverDrill(
            Post(clerk.url, timeout_s=timeout_s),
            Writer(clerk.url, clerk.secret, BEGAN_AT),
            runner,
            check=None if check is None else Command.read("--check", check),
            prepare=None if prepare is None else Command.read("--prepare", prepare),
            patience=Patience(before_retry_s=0, to_hold_s=to_hold_s),
        )
        return {entry.trial.name: entry for entry in drill.run(select(STEPS, only))}


def with_verdict(entries: dict[str, Entry], verdict: Verdict) -> set[str]:
    return {name for name, entry in entries.items() if entry.verdict is verdict}


def findings(entry: Entry) -> list[str]:
    return [finding.text for finding in entry.findings]


# -- good receivers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_checked", [True, False])
@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_good_receiver_does_well_in_every_step(
    tmp_path: Path, *, is_checked: bool, is_prepared: bool
) -> None:
    with a_clerk(tmp_path, secret=SECRET) as clerk:
        entries = drilled(
            clerk,
            check=clerk.check if is_checked else None,
            prepare=clerk.prepare if is_prepared else None,
        )
    assert {name for name, entry in entries.items() if not entry.findings} == ALL


def test_without_a_secret_signatures_are_not_tried(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        entries = drilled(clerk)
    assert with_verdict(entries, Verdict.NOT_RUN) == SIGNATURES
    assert with_verdict(entries, Verdict.OK) == ALL - SIGNATURES


def test_a_receiver_that_knows_its_messages_alone_passes_when_it_is_told_of_them(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.TAKES_ONLY_WHAT_IT_KNOWS) as clerk:
        entries = drilled(clerk, check=clerk.check, prepare=clerk.prepare)
    assert with_verdict(entries, Verdict.OK) == ALL - SIGNATURES
    answers = [event for event in told(entries["early"]) if event[0] == "answered"]
    assert answers == [("answered", "HTTP 404"), ("answered", "HTTP 204")]


def test_what_is_stored_a_moment_after_the_answer_is_waited_for(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.STORES_LATER) as clerk:
        entries = drilled(clerk, "normal", check=clerk.check, to_hold_s=10)
    assert entries["normal"].verdict is Verdict.OK


# -- what one does wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (Fault.FAILS, ALL - SIGNATURES - READINGS),
        (Fault.REDIRECTS, ALL - SIGNATURES - READINGS),
        (Fault.REFUSES_ALL, ALL - SIGNATURES - READINGS - {"early"}),
        (Fault.FAILS_ON_DUPLICATES, {"duplicate", "retries"}),
        (Fault.CRASHES_ON_WHAT_IT_CANNOT_READ, {"malformed-body", "wrong-shapes"}),
        (Fault.REFUSES_OLD_REPORTS, {"late"}),
    ],
)
def test_answers_alone_show_these_faults(tmp_path: Path, fault: Fault, failed: set[str]) -> None:
    with a_clerk(tmp_path, fault) as clerk:
        entries = drilled(clerk)
    assert (
        with_verdict(entries, Verdict.FAILED) == failed - {"early"} if fault is Fault.REFUSES_ALL else failed
    )


def test_a_receiver_that_takes_the_first_octets_for_all_of_them_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.drills.post.FIRST_PAUSE_S", 2.0)
    with a_clerk(tmp_path, Fault.READS_ONCE) as clerk:
        entry = drilled(clerk, "octet-by-octet")["octet-by-octet"]
    assert entry.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (Fault.STORES_NOTHING, {"every-change", "late", "octet-by-octet", "status-in-capitals"}),
        (Fault.KEEPS_THE_LATEST, {"reordered"}),
        (Fault.FORGETS_ON_DUPLICATES, {"duplicate", "retries"}),
        (Fault.TAKES_UNKNOWN_STATUSES_FOR_DELIVERY, {"unknown-status"}),
        (Fault.READS_HALF, {"closed-in-the-body"}),
    ],
)
def test_what_is_held_shows_these_faults_and_answers_do_not(
    tmp_path: Path, fault: Fault, failed: set[str]
) -> None:
    with a_clerk(tmp_path, fault) as clerk:
        assert with_verdict(drilled(clerk, *failed), Verdict.FAILED) == set()
        for file in tmp_path.iterdir():
            file.unlink()
        clerk.came.clear()
        entries = drilled(clerk, *failed, check=clerk.check)
    bad = with_verdict(entries, Verdict.FAILED) | with_verdict(entries, Verdict.DOUBTFUL)
    assert bad == failed


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (Fault.TRUSTS_ANYBODY, SIGNATURES - {"signature"}),
        (
            Fault.REMEMBERS_FORGERIES,
            {*SIGNATURES - {"signature", "signature-missing"}, "duplicate", "retries"},
        ),
    ],
)
def test_forgeries_show_these_faults(tmp_path: Path, fault: Fault, failed: set[str]) -> None:
    with a_clerk(tmp_path, fault, secret=SECRET) as clerk:
        entries = drilled(clerk)
    assert with_verdict(entries, Verdict.FAILED) == failed


def test_another_secret_than_the_receiver_s_is_seen_at_once(tmp_path: Path) -> None:
    with a_clerk(tmp_path, secret=SECRET) as clerk:
        clerk.secret = "whsec_c29tZXRoaW5nIGVsc2U="
        with Runner() as runner:
            drill = ReceiverDrill(Post(clerk.url, timeout_s=5), Writer(clerk.url, SECRET, BEGAN_AT), runner)
            (entry,) = drill.run(select(STEPS, ["signature-wrong"]))
    assert findings(entry) == [
        'It answered HTTP 401 to "delivered, signed well". It should answer 2xx.',
    ]


@pytest.mark.parametrize(
    ("fault", "step", "why"),
    [
        (
            Fault.FAILS_AT_FIRST,
            "normal",
            'It did not take "delivered" at first (HTTP 500), but at the second attempt.',
        ),
        (
            Fault.REFUSES_WHAT_IT_DOES_NOT_KNOW,
            "unknown-status",
            'It answered HTTP 422 to "held_at_customs". It should answer 2xx, or 4xx to have it again later.',
        ),
        (
            Fault.TAKES_ONLY_WHAT_IT_KNOWS,
            "early",
            'It answered HTTP 404 to "delivered". It should answer 2xx, or 4xx to have it again later.',
        ),
    ],
)
def test_what_may_be_meant_so_is_doubtful(tmp_path: Path, fault: Fault, step: str, why: str) -> None:
    with a_clerk(tmp_path, fault) as clerk:
        entry = drilled(clerk, step)[step]
    assert (entry.verdict, findings(entry)) == (Verdict.DOUBTFUL, [why])


def test_where_the_reference_leaves_it_open_a_fault_is_doubtful(tmp_path: Path) -> None:
    faults = (Fault.KNOWS_LOWER_CASE_ONLY, Fault.REFUSES_WHAT_IT_DOES_NOT_KNOW)
    with a_clerk(tmp_path, *faults) as clerk:
        entry = drilled(clerk, "status-in-capitals")["status-in-capitals"]
    assert (entry.verdict, findings(entry)) == (
        Verdict.DOUBTFUL,
        ['It answered HTTP 422 to "delivered, spelled so". It should answer 2xx.'],
    )


def test_a_receiver_that_never_answers_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.SAYS_NOTHING) as clerk:
        entry = drilled(clerk, "normal", timeout_s=0.1)["normal"]
    assert findings(entry) == [
        'It gave no answer to "delivered": nothing whole came within 0.1 s. It should answer 2xx.'
    ]


def test_a_redirect_is_not_followed_and_the_finding_says_so(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.REDIRECTS) as clerk:
        entry = drilled(clerk, "normal")["normal"]
    assert findings(entry) == [
        'It answered HTTP 302 to "delivered", and redirects are not followed. It should answer 2xx.'
    ]


# -- what is told --------------------------------------------------------------------------------------------


def told(entry: Entry) -> list[tuple[str, str]]:
    return [(event.what, event.text.partition(" after ")[0]) for event in entry.events]


def test_each_report_each_answer_and_what_is_held_is_told_in_order(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.KEEPS_THE_LATEST) as clerk:
        entry = drilled(clerk, "closed-in-the-body", check=clerk.check)["closed-in-the-body"]
    transaction_id = "drill-20260304T050607008-closed-in-the-body"
    events = told(entry)
    assert [what for what, _ in events] == ["about", "sent", "answered", "held", "sent", "answered", "held"]
    assert events[0][1] == transaction_id
    assert events[1][1].startswith(
        "delivered, the first half of the octets (its connection closed in the middle of the body): "
        f'POST {{"transactionId":"{transaction_id}","status":"delivered"'
    )
    assert events[2][1] == "no answer: it was not waited for"
    assert events[3][1].startswith("nothing: the check printed nothing and ended with exit code 1: cat: ")
    assert events[5:] == [("answered", "HTTP 204"), ("held", "delivered")]


def test_what_a_receiver_says_with_its_answer_is_told(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.FAILS) as clerk:
        entry = drilled(clerk, "normal")["normal"]
    assert entry.facts == {"answered": "500, 500", "holds": None}


@pytest.mark.parametrize(
    ("check", "prepare", "notes"),
    [
        (None, None, (ANSWERS_ALONE, KNOWS_NO_MESSAGE)),
        ("true", None, (KNOWS_NO_MESSAGE,)),
        ("true", "true", ()),
    ],
)
def test_what_was_not_judged_is_said(
    tmp_path: Path, check: str | None, prepare: str | None, notes: Sequence[str]
) -> None:
    commands = [None if line is None else Command.read("--x", line) for line in (check, prepare)]
    with a_clerk(tmp_path) as clerk, Runner() as runner:
        post, writer = Post(clerk.url, timeout_s=5), Writer(clerk.url, None, BEGAN_AT)
        drill = ReceiverDrill(post, writer, runner, check=commands[0], prepare=commands[1])
        assert drill.notes == tuple(notes)


# -- commands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("printed", ["delivered", " Delivered ", '"delivered"', "DELIVERED\\n"])
def test_a_check_may_print_the_status_in_any_case_and_as_json(tmp_path: Path, printed: str) -> None:
    with a_clerk(tmp_path) as clerk:
        entry = drilled(clerk, "normal", check=f"printf '{printed}'")["normal"]
    assert entry.verdict is Verdict.OK


def test_a_check_that_prints_something_else_is_quoted(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        entry = drilled(clerk, "normal", check="printf 'status: delivered'")["normal"]
    assert findings(entry) == ['After "delivered" it should hold delivered, and holds status: delivered.']


def test_a_check_is_told_the_step_the_url_and_the_id(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        check = "sh -c 'echo $DRILL_STEP $CALLBACK_URL $TRANSACTION_ID >> told; echo delivered'"
        drilled(clerk, "normal", check=check.replace("told", str(tmp_path / "told")))
        said = (tmp_path / "told").read_text()
    assert said == f"normal {clerk.url} drill-20260304T050607008-normal\n"


def test_a_prepare_that_fails_ends_the_drill(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk, pytest.raises(ConfigError) as caught:
        drilled(clerk, "normal", prepare="sh -c 'echo no such table >&2; exit 3'")
    assert str(caught.value) == (
        "--prepare ended with exit code 3 for drill-20260304T050607008-normal: no such table"
    )


def test_a_check_that_does_not_end_ends_the_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.drills.receiver.PROGRAM_TIMEOUT_S", 0.1)
    with (
        a_clerk(tmp_path) as clerk,
        pytest.raises(ConfigError, match=r"--check did not end within 0\.1 s: sleep 60"),
    ):
        drilled(clerk, "normal", check="sleep 60")
