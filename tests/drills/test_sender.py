"""The drill for senders: real programs, run under each condition against a real server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.drills.conditions import conditions
from sandbox.drills.outcome import Entry, Verdict
from sandbox.drills.programs import Command
from sandbox.drills.selection import select
from sandbox.drills.sender import SenderDrill
from sandbox.errors import ConfigError

# -- clients -------------------------------------------------------------------------------------------------

# Sockets alone: what else sends HTTP takes longer to import than to send.
SENDING = """
import os, socket, sys, time

PLACE, _, PATH = os.environ["PANELSMS_SEND_URL"].removeprefix("http://").partition("/")
HOST, PORT = PLACE.split(":")
TIMEOUT_S = 10

def call(**more):
    sms = {"user": "u", "apiKey": "k", "to": os.environ["PANELSMS_TO"], "message": "Hi", **more}
    if "PANELSMS_RESPONSE_TYPE" in os.environ and HEEDS_FORM:
        sms["responseType"] = os.environ["PANELSMS_RESPONSE_TYPE"]
    body = "{" + ",".join(f'"{name}":"{value}"' for name, value in sms.items()) + "}"
    head = f"POST /{PATH} HTTP/1.1\\r\\nHost: {PLACE}\\r\\nConnection: close\\r\\n"
    head += f"Content-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
    octets = b""
    try:
        with socket.create_connection((HOST, int(PORT)), TIMEOUT_S) as connection:
            connection.sendall((head + body).encode())
            while more := connection.recv(65536):
                octets += more
    except OSError as error:
        return 0, repr(error)
    head, _, answer = octets.decode("latin-1").partition("\\r\\n\\r\\n")
    if f"content-length: {len(answer)}\\r\\n" not in head.lower() + "\\r\\n":
        return 0, repr(octets)
    return int(head.split(" ")[1]), answer

HEEDS_FORM = True

def code_of(answer):
    for word in answer.replace("<", '"').replace(">", '"').split('"') + [answer]:
        if word == "OK" or word.startswith("OK_"):
            return 0
        if word.startswith("ERROR_"):
            return int(word[6:])
    return None
"""

GOOD = """
status, answer = call(transactionId="order-1")
code = code_of(answer) if status else None
if code in (6, 7) or status in (429, 500, 503):
    time.sleep(2.2 if status == 503 else 1.1 if status == 429 else 0.2)
    status, answer = call(transactionId="order-1")
    code = code_of(answer) if status else None
print(answer)
sys.exit(0 if code in (0, 3) and not answer.startswith("<html") else 1)
"""

BELIEVES_ALL = """
print(call()[1])
"""

BELIEVES_NOTHING = """
call()
sys.exit(1)
"""

ALWAYS_AGAIN = """
for _ in range(3):
    if code_of(call()[1]) == 0:
        sys.exit(0)
sys.exit(1)
"""


@contextmanager
def a_drill(line: str, *, timeout_s: float = 20, jobs: int = 2) -> Iterator[SenderDrill]:
    with SenderDrill(Command.read("--client", line), timeout_s=timeout_s, jobs=jobs) as drill:
        yield drill


def python(folder: Path, program: str) -> str:
    file = folder / "client.py"
    file.write_text(SENDING + program)
    return f"{sys.executable} -S -E {file}"


def drilled(line: str, *only: str, timeout_s: float = 20, jobs: int = 2) -> dict[str, Entry]:
    with a_drill(line, timeout_s=timeout_s, jobs=jobs) as drill:
        return {entry.trial.name: entry for entry in drill.run(select(conditions(), only))}


def verdicts(entries: dict[str, Entry]) -> dict[str, Verdict]:
    return {name: entry.verdict for name, entry in entries.items()}


def events(entry: Entry, what: str) -> list[str]:
    return [event.text for event in entry.events if event.what == what]


# -- good and bad --------------------------------------------------------------------------------------------


def test_a_good_client_does_well_under_every_condition_that_takes_no_patience(tmp_path: Path) -> None:
    """Those of 5 seconds and more stand in a test of their own."""
    patient = {"slow", "very-slow", "drip", "hang"}
    quick = [each.trial.name for each in conditions() if each.trial.name not in patient]
    entries = drilled(python(tmp_path, GOOD), *quick, jobs=3)
    assert set(entries) == set(quick)
    # A JSON body is answered in JSON, and there is no responseType that asks for text.
    assert {name: verdict for name, verdict in verdicts(entries).items() if verdict is not Verdict.OK} == {
        "accepted-text": Verdict.NOT_RUN
    }


def test_a_client_that_believes_every_answer_is_told_so_for_each_refusal(tmp_path: Path) -> None:
    only = (
        "accepted",
        "error-3-text",
        "error-5-*",
        "error-7-text",
        "reset",
        "html",
        "http-500",
        "answer-lost",
    )
    entries = drilled(python(tmp_path, BELIEVES_ALL), *only)
    assert verdicts(entries) == {
        "accepted": Verdict.OK,
        "error-3-text": Verdict.OK,
        "error-5-text": Verdict.FAILED,
        "error-5-json": Verdict.FAILED,
        "error-5-xml": Verdict.FAILED,
        "error-7-text": Verdict.FAILED,
        "reset": Verdict.FAILED,
        "html": Verdict.FAILED,
        "answer-lost": Verdict.DOUBTFUL,
        "http-500": Verdict.FAILED,
    }
    assert entries["error-5-xml"].findings[0].text.endswith("<response><status>ERROR_5</status></response>.")


def test_a_client_that_believes_nothing_is_told_so_where_it_was_told_ok(tmp_path: Path) -> None:
    entries = drilled(
        python(tmp_path, BELIEVES_NOTHING), "accepted", "error-3-text", "error-5-text", "answer-lost"
    )
    assert verdicts(entries) == {
        "accepted": Verdict.FAILED,
        "error-3-text": Verdict.FAILED,
        "error-5-text": Verdict.OK,
        "answer-lost": Verdict.OK,
    }


def test_a_client_that_always_calls_again_is_told_where_that_is_in_vain_or_sends_twice(
    tmp_path: Path,
) -> None:
    only = ("error-5-text", "error-6-text", "answer-lost-once", "http-500", "http-503")
    entries = drilled(python(tmp_path, ALWAYS_AGAIN), *only, jobs=1)
    assert verdicts(entries) == {
        "error-5-text": Verdict.FAILED,
        "error-6-text": Verdict.DOUBTFUL,
        "answer-lost-once": Verdict.FAILED,
        "http-500": Verdict.DOUBTFUL,
        "http-503": Verdict.DOUBTFUL,
    }
    assert entries["error-5-text"].findings[0].text == "It called again after ERROR_5, twice."
    assert (
        entries["answer-lost-once"].findings[0].text.startswith("It sent the same message twice, without a")
    )
    assert entries["answer-lost-once"].facts["accepted"] == 2
    assert entries["http-503"].findings[0].text.endswith("where Retry-After had asked for 2 s.")
    assert len(str(entries["http-500"].facts["between"]).split(", ")) == 2


def test_a_client_that_waits_for_ever_is_stopped(tmp_path: Path) -> None:
    forever = python(tmp_path, "TIMEOUT_S = None\n" + GOOD)
    entries = drilled(forever, "hang", "drip", timeout_s=4)
    assert verdicts(entries) == {"hang": Verdict.FAILED, "drip": Verdict.DOUBTFUL}
    assert entries["hang"].facts == {"exit": "stopped", "calls": 1, "accepted": 0, "between": ""}
    assert events(entries["hang"], "end") == ["stopped after 4 s"]


def test_a_client_that_gives_up_on_a_slow_answer_cannot_know(tmp_path: Path) -> None:
    entry = drilled(python(tmp_path, "TIMEOUT_S = 1.5\n" + GOOD), "slow")["slow"]
    assert entry.verdict is Verdict.OK
    assert [finding.text.partition(":")[0] for finding in entry.findings] == [
        "It ended with exit code 1, and the message was accepted"
    ]


# -- the forms of answer -------------------------------------------------------------------------------------


def test_a_form_that_the_client_does_not_ask_for_is_not_tried(tmp_path: Path) -> None:
    stubborn = python(tmp_path, "HEEDS_FORM = False\n" + GOOD)
    entries = drilled(stubborn, "accepted", "accepted-*", "error-5-*", "error-9-xml")
    assert verdicts(entries) == {
        "accepted": Verdict.OK,
        "accepted-text": Verdict.NOT_RUN,
        "accepted-json": Verdict.OK,
        "accepted-xml": Verdict.NOT_RUN,
        "error-5-text": Verdict.OK,
        "error-5-json": Verdict.OK,
        "error-5-xml": Verdict.NOT_RUN,
        "error-9-xml": Verdict.NOT_RUN,
    }
    assert entries["error-9-xml"].findings[0].text == (
        "PANELSMS_RESPONSE_TYPE is xml, and the client asks for json all the same."
    )


# -- what is told --------------------------------------------------------------------------------------------


def test_what_the_client_called_was_answered_and_printed_is_told(tmp_path: Path) -> None:
    line = python(tmp_path, "status, answer = call(transactionId='o1')\nprint(answer)\nsys.exit('no & <b>')")
    entry = drilled(line, "error-13-text")["error-13-text"]
    assert events(entry, "called") == ["to +1222333444, message Hi, transactionId o1"]
    assert events(entry, "answered") == ["ERROR_13 (not accepted)"]
    assert events(entry, "printed") == ["ERROR_13"]
    assert events(entry, "complained") == ["no & <b>"]
    assert events(entry, "end")[0].startswith("exit code 1 after ")


def test_a_call_beside_the_api_is_told() -> None:
    line = "sh -c 'curl -s $PANELSMS_URL/balance; curl -s \"$PANELSMS_SEND_URL?user=u&apiKey=k&to=%2B1222333444&message=x\"'"
    entry = drilled(line, "accepted")["accepted"]
    assert events(entry, "called")[1] == "GET /balance, which is not the API"
    assert (entry.verdict, entry.facts["calls"]) == (Verdict.OK, 1)


def test_the_environment_says_where_and_what_to_send() -> None:
    shell = "sh -c 'env | grep -i -e PANELSMS -e no_proxy | sort; exec curl -s -G $PANELSMS_SEND_URL -d user=u -d apiKey=k "
    shell += '--data-urlencode to=$PANELSMS_TO --data-urlencode message="$PANELSMS_MESSAGE"\''
    entry = drilled(shell, "reading-errors-envelope-error-5")["reading-errors-envelope-error-5"]
    (printed,) = events(entry, "printed")
    variables = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert variables["PANELSMS_URL"].endswith("/s/reading-errors-envelope-error-5")
    assert variables["PANELSMS_SEND_URL"] == variables["PANELSMS_URL"] + "/sendMtSms.php"
    assert variables["PANELSMS_CONDITION"] == "reading-errors-envelope-error-5"
    assert "PANELSMS_RESPONSE_TYPE" not in variables
    assert "127.0.0.1" in variables["no_proxy"]
    assert printed.endswith("ERROR_5")
    assert {"PANELSMS_USER", "PANELSMS_API_KEY", "PANELSMS_TO", "PANELSMS_MESSAGE"} <= variables.keys()


def test_runs_at_once_are_kept_apart_and_told_in_order(tmp_path: Path) -> None:
    only = [f"error-{code}-text" for code in (1, 2, 4, 5, 8, 9)]
    entries = drilled(python(tmp_path, BELIEVES_NOTHING), *only, jobs=6)
    assert list(entries) == only
    assert [events(entry, "answered") for entry in entries.values()] == [
        [f"ERROR_{code} (not accepted)"] for code in (1, 2, 4, 5, 8, 9)
    ]


def test_a_client_that_sends_several_messages_is_judged_by_all_of_them(tmp_path: Path) -> None:
    both = "first, second = call(message='one'), call(message='two')\nsys.exit(first[1][:3] == second[1][:3] == 'ERR')"
    entries = drilled(python(tmp_path, both), "accepted", "http-500-twice", "answer-lost-once")
    assert verdicts(entries)["accepted"] is Verdict.OK
    assert entries["accepted"].facts["calls"] == 2
    assert entries["answer-lost-once"].findings[0].verdict is Verdict.DOUBTFUL


# -- what ends a drill ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "true",
            r"--client called nothing at http://127\.0\.0\.1:[0-9]+/s/…: it must send to the address in PANELSMS_SEND_URL",
        ),
        ("sh -c 'echo no key >&2; exit 3'", "Its end: exit code 3 after [0-9]+ ms, and printed: no key"),
        ("sleep 60", "Its end: stopped after 0.3 s"),
        ("curl -s $PANELSMS_URL/sms", "called nothing at .*, but GET /sms: it must send"),
        ("curl -s http://127.0.0.1:$PORT/sendMtSms.php", "called nothing at"),
        (
            "curl -s $PANELSMS_SEND_URL?user=u&apiKey=k&to=me&message=x",
            "a message that is refused when all is well, with ERROR_5: to has letter 'm' at position 1",
        ),
    ],
)
def test_a_command_that_sends_no_good_message_ends_the_drill(line: str, why: str) -> None:
    with (
        a_drill(line, timeout_s=0.3 if line == "sleep 60" else 20) as drill,
        pytest.raises(ConfigError, match=why),
    ):
        next(drill.run(select(conditions(), ["reset"])))


def test_a_call_that_leaves_out_the_path_of_the_session_is_recognised() -> None:
    line = "sh -c 'curl -s ${PANELSMS_URL%/s/*}/sendMtSms.php?user=u'"
    with a_drill(line) as drill, pytest.raises(ConfigError, match=r"but GET /sendMtSms.php: it must send"):
        next(drill.run(select(conditions(), [])))
