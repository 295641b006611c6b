"""The command ``send``: the answer, why it is a refusal, and what becomes of the message."""

import http.client
import os
import re

import pytest

from sandbox.commands.options import local_url
from sandbox.commands.receiver import Receiver
from sandbox.commands.send import show_reports
from sandbox.config import Config
from sandbox.core.match import When
from sandbox.core.scenario import Respond, Rule
from tests.command_line import MESSAGE, NOBODY, a_sandbox, finished, run, serve


def post(receiver: Receiver, body: str) -> None:
    """Post a report without the dispatcher."""
    host = receiver.url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("POST", "/dlr", body)
    assert connection.getresponse().status == 200
    connection.close()


def test_send_prints_the_answer_and_ends_well_when_it_is_accepted() -> None:
    with a_sandbox() as url:
        result = run("send", *MESSAGE, "--url", url)
    assert (result.exit_code, result.output) == (0, "OK_1000001\n")


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("--json",), '{"response":{"status":"OK","transactionId":"1000001"}}'),
        (
            ("--responseType", "xml"),
            "<response><status>OK</status><transactionId>1000001</transactionId></response>",
        ),
        (("--transactionId", "ORDER_9"), "OK_ORDER_9"),
    ],
)  # fmt: skip
def test_send_knows_every_form_of_an_accepted_answer(arguments: tuple[str, ...], answer: str) -> None:
    with a_sandbox() as url:
        result = run("send", *MESSAGE, "--url", url, *arguments)
    assert (result.exit_code, result.output) == (0, f"{answer}\n")


@pytest.mark.parametrize("wait", [(), ("--wait",)])
def test_send_says_why_a_message_is_refused(wait: tuple[str, ...]) -> None:
    with a_sandbox() as url:
        result = run("send", "--to", "recipient", "--message", "Hi", "--senderId", "", "--url", url, *wait)
    assert result.exit_code == 1
    answer, why, hint = result.stdout.splitlines()
    assert answer == "ERROR_5"
    assert why.startswith("  why: to ")
    assert hint == "  hint: senderId is empty and counts as absent"


@pytest.mark.parametrize(("submit", "code"), [(True, 0), (False, 1)])
def test_code_3_counts_as_accepted_other_codes_do_not(*, submit: bool, code: int) -> None:
    rule = Rule("r", When(), respond=Respond(error=3 if submit else 7), submit=submit)
    with a_sandbox("delivered", rules=(rule,)) as url:
        result = run("send", *MESSAGE, "--url", url, "--wait")
    assert result.exit_code == code
    assert ("report: delivered" in result.stdout) is submit


def test_send_says_that_nobody_answers() -> None:
    result = run("send", *MESSAGE, "--url", NOBODY)
    assert (result.exit_code, result.stdout) == (1, "")
    line = f"no answer from {NOBODY}: connection refused; panelsms-sandbox serve starts a sandbox"
    assert result.stderr == f"Error: {line}\n"


def test_send_finds_the_sandbox_by_the_environment() -> None:
    with a_sandbox() as url:
        port = url.rpartition(":")[2]
        by_port = run("send", *MESSAGE, PANELSMS_SANDBOX_PORT=port, PANELSMS_SANDBOX_HOST="0.0.0.0")
        by_url = run("send", *MESSAGE, PANELSMS_SANDBOX_URL=url, PANELSMS_SANDBOX_PORT="1")
    assert (by_port.output, by_url.output) == ("OK_1000001\n", "OK_1000002\n")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("10.0.0.9", "http://10.0.0.9:8080"),
        ("", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_that_means_all_is_reached_at_loopback(
    host: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("PANELSMS_SANDBOX_HOST", host)
    monkeypatch.setenv("PANELSMS_SANDBOX_PORT", "8080")
    assert local_url() == url


def test_send_wait_shows_each_report_up_to_the_final_one() -> None:
    with a_sandbox("accepted", "enroute", "undeliverable") as url:
        result = run("send", *MESSAGE, "--url", url, "--wait")
    assert result.exit_code == 0
    statuses = re.findall(r"^  report: (\w+) at 2\d{3}-\S+Z$", result.stdout, re.MULTILINE)
    assert statuses == ["accepted", "enroute", "undeliverable"]


def test_send_wait_reads_the_older_report_too() -> None:
    config = Config(readings={"dlr_format": "wiki_get"})
    with a_sandbox("delivered", config=config) as url:
        result = run("send", *MESSAGE, "--url", url, "--wait")
    assert re.search(r"^  report: delivered at [0-9]{10}$", result.stdout, re.MULTILINE)


def test_send_wait_says_that_no_report_came() -> None:
    with a_sandbox() as url:
        result = run("send", *MESSAGE, "--url", url, "--wait", "--timeout", "10ms")
    assert (result.exit_code, result.stdout.splitlines()[1:]) == (
        0,
        ["  no report came within 0.01 s; nothing more is due"],
    )


def test_send_wait_says_that_no_final_report_came(capsys: pytest.CaptureFixture[str]) -> None:
    with Receiver() as receiver:
        post(receiver, '{"status":"enroute","timestamp":"T"}')
        show_reports(receiver, 0, lambda: "; the next is due")
    assert (
        capsys.readouterr().out
        == "  report: enroute at T\n  no further report came within 0 s; the next is due\n"
    )


def test_send_wait_says_what_a_virtual_clock_waits_for() -> None:
    with serve("--clock", "virtual", "--start-at", "2024-01-15T10:30:45Z") as server:
        result = run("send", *MESSAGE, "--url", server.url, "--wait", "--timeout", "10ms")
    assert result.stdout.splitlines()[-1] == (
        "  no report came within 0.01 s; the next is due at 2024-01-15T10:30:46Z, and the sandbox has "
        "2024-01-15T10:30:45Z; POST /_sandbox/clock/advance moves its clock, which is virtual"
    )


def test_send_wait_follows_the_callbacks_to_a_receiver_of_ones_own() -> None:
    with a_sandbox("enroute", "delivered") as url, Receiver() as receiver:
        result = run("send", *MESSAGE, "--url", url, "--wait", "--callbackUrl", receiver.url)
        reports = [receiver.next(30), receiver.next(30)]
    assert result.exit_code == 0
    shown = [line.split(" at ")[0].strip() for line in result.stdout.splitlines()]
    assert sorted(shown[1:]) == sorted(
        ["enroute", "delivered", "report c1, attempt 1: HTTP 200", "report c2, attempt 1: HTTP 200"]
    )
    assert [report and report.status for report in reports] == ["enroute", "delivered"]


def test_send_wait_shows_why_a_report_is_not_sent() -> None:
    with a_sandbox("delivered") as url:
        held_back = run("send", *MESSAGE, "--url", url, "--wait", "--callbackUrl", "http://169.254.169.254/")
        nowhere = run("send", *MESSAGE, "--url", url, "--wait", "--confirmation", "true")
    assert "report c1, not sent: 169.254.169.254 is a link-local" in held_back.stdout
    assert "no report: confirmation is true, but neither" in nowhere.stdout
    assert (held_back.exit_code, nowhere.exit_code) == (0, 0)


def test_send_wait_gives_up_following_after_the_timeout() -> None:
    with a_sandbox() as url:
        result = run("send", *MESSAGE, "--url", url, "--wait", "--confirmation", "no", "--timeout", "10ms")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        0,
        "  no further change came within 0.01 s; nothing more is due",
    )


def test_send_wait_cannot_follow_without_the_sandbox_headers() -> None:
    with a_sandbox("delivered", config=Config(has_sandbox_headers=False)) as url:
        result = run("send", *MESSAGE, "--url", url, "--wait", "--confirmation", "false")
    assert (result.exit_code, result.stdout) == (0, "OK_1000001\n")
    assert "its answer has no X-Sandbox-Request-Id" in result.stderr


def test_octets_of_the_command_line_that_are_no_text_go_out_as_they_are() -> None:
    with a_sandbox() as url:
        code, out, _ = finished(
            "send", "--to", "+1222333444", "--message", os.fsdecode(b"a\xff"), "--url", url
        )
    assert code == 1
    assert "message is not UTF-8: octet FF at position 2" in out


def test_a_server_that_is_no_sandbox_is_said_to_be_none() -> None:
    with Receiver() as other:
        sent = run("send", *MESSAGE, "--url", other.url)
        health = run("health", "--url", other.url)
    assert (sent.exit_code, sent.output) == (1, "(an empty answer)\n")
    assert health.exit_code == 1
    assert "does not answer as a sandbox: HTTP 200 for health" in health.stderr


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"status":"Delivered","timestamp":"T","errorCode":null}', "delivered at T"),
        ('{"status":"rejected","timestamp":"T","errorCode":11,"errorDescription":"Barred"}',
         "rejected at T (errorCode 11: Barred)"),
        ("[]", "a report that is none: []"),
        ("[" * 50_000, f"a report that is none: {'[' * 117}..."),
        ("\x1b[2J", "a report that is none: U+001B[2J"),
        ("", "a report that is none: it is empty"),
    ],
)  # fmt: skip
def test_a_report_is_shown_in_one_line_whatever_it_is(body: str, shown: str) -> None:
    with Receiver() as receiver:
        post(receiver, body)
        assert str(receiver.next(30)) == shown
