"""The pytest plugin as a project has it: whole runs, of tests that are written here."""

import json
import re
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from threading import Thread
from xml.etree import ElementTree as ET

import aiohttp  # noqa: F401 - so that no run within this one imports it, and takes it with it at its end
import pytest

import panelsms_sandbox_pytest as plugin
from sandbox import Sandbox, pytest_plugin
from sandbox.app import create_app
from sandbox.config import Config
from sandbox.contract import error_codes, reading_rows
from sandbox.serving import serving

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
CODES = len(error_codes())
PLUGIN = plugin.__name__
"""Also what its entry point is called, so that naming it twice does no harm."""
ALONE = ("-p", PLUGIN, "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:hypothesispytest")
"""Plugins of our own tests cost such a run more than what it is about."""


@pytest.fixture(autouse=True)
def _outside(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what is written here as if our own options and variables were not there."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # what runs in this process is measured
    for name in plugin.OPTIONS:
        monkeypatch.delenv(f"PANELSMS_SANDBOX_{name.replace('-', '_').upper()}", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")


def run(pytester: pytest.Pytester, tests: str, *options: str, in_process: bool = True) -> pytest.RunResult:
    """Run *tests*, which may use what is imported here."""
    pytester.makepyfile("import pytest, requests\nfrom sandbox import *\n\n" + dedent(tests))
    given = (*ALONE, *options)
    return (
        pytester.runpytest_inprocess(*given)
        if in_process
        else pytester.runpytest_subprocess(*given, timeout=100)
    )


@contextmanager
def thread_of(work: Callable[[], None]) -> Iterator[None]:
    """Let a thread work while the block runs, and until it is done."""
    thread = Thread(target=work)
    thread.start()
    yield
    thread.join()


@pytest.fixture
def remote() -> Iterator[str]:
    """A sandbox that runs elsewhere, on a clock that runs."""
    with serving(create_app(Config(clock="real")), grace_s=0) as url:
        yield url


def sessions(url: str) -> list[str]:
    with Sandbox.at(url) as sms:
        return [each["name"] for each in sms.control.get("sessions")["sessions"]]


# -- fixtures --------------------------------------------------------------------------------------


def test_each_test_has_a_sandbox_of_its_own_on_one_server(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        seen = []

        @pytest.mark.parametrize("number", range(3))
        def test_it(sms_sandbox, sms_sandbox_server, number):
            assert isinstance(sms_sandbox, Sandbox)
            assert (len(sms_sandbox.messages), sms_sandbox.clock.mode) == (0, "virtual")
            parameters = {"user": "u", "apiKey": "k", "to": "+1222333444", "message": "Hi"}
            assert requests.post(sms_sandbox.send_url, parameters).text.startswith("OK_")
            assert len(sms_sandbox.messages) == 1
            assert sms_sandbox.wait_for(status="delivered").text == "Hi"
            assert sms_sandbox.url.startswith(sms_sandbox_server.url + "/s/")
            seen.append((sms_sandbox.url, sms_sandbox_server.url))

        def test_nothing_is_left(sms_sandbox_server):
            assert sms_sandbox_server.control.get("sessions")["total"] == 0
            assert len(set(seen)) == 3 and len({server for _, server in seen}) == 1
        """,
    )
    outcome.assert_outcomes(passed=4)


def test_sessions_are_named_for_their_tests_whatever_these_are_called(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.parametrize("text", ["ñ/%", "a" * 100, "../.."])
        def test_it(sms_sandbox, text):
            assert "/s/test_it" in sms_sandbox.url
            assert sms_sandbox.send().error is None
        """,
    )
    outcome.assert_outcomes(passed=3)


def test_a_receiver_takes_the_reports_of_its_own_test(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.parametrize("number", range(2))
        def test_it(sms_sandbox, dlr_receiver, number):
            assert isinstance(dlr_receiver, Receiver)
            assert dlr_receiver.received == []
            dlr_receiver.respond(500, times=2)
            sms_sandbox.send(confirmation=True, callbackUrl=dlr_receiver.url)
            sms_sandbox.clock.advance("1h")
            assert [report["status"] for report in dlr_receiver.wait(3)] == ["delivered"] * 3
            assert [each["status"] for each in sms_sandbox.callbacks.last["attempts"]] == [500, 500, 200]
        """,
    )
    outcome.assert_outcomes(passed=2)


def test_each_error_code_is_what_the_next_valid_send_is_answered(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        def test_it(sms_error_code, sms_sandbox):
            assert sms_sandbox.send(to="1").error == 5
            assert sms_sandbox.send().error == sms_error_code
            assert sms_sandbox.send().error is None
        """,
        "-v",
    )
    outcome.assert_outcomes(passed=CODES)
    outcome.stdout.fnmatch_lines([f"*::test_it?ERROR_{row.code}? PASSED*" for row in error_codes()])


def test_the_fixtures_work_under_unittest_and_in_a_running_loop(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def sandbox(self, sms_sandbox):
                self.sms = sms_sandbox

            def test_it(self):
                self.assertIsNone(self.sms.send().error)

        @pytest.mark.anyio
        async def test_async(sms_sandbox):
            assert sms_sandbox.send().error is None
            assert sms_sandbox.wait_for(status="delivered")

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """,
    )
    outcome.assert_outcomes(passed=2)


# -- marks -----------------------------------------------------------------------------------------


def test_a_mark_chooses_the_scenario(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", mine="name: mine\nrules: [{name: r, respond: {error: 6}}]\n")
    outcome = run(
        pytester,
        """
        @pytest.mark.sms_scenario("carrier-outage")
        def test_by_name(sms_sandbox):
            assert sms_sandbox.scenario["name"] == "carrier-outage"

        @pytest.mark.sms_scenario("mine.yaml")
        def test_by_file(sms_sandbox):
            assert sms_sandbox.send().error == 6

        @pytest.mark.sms_scenario({"rules": [{"name": "r", "respond": {"error": 15}}]})
        class TestByDict:
            def test_it(self, sms_sandbox):
                assert sms_sandbox.send().error == 15

            @pytest.mark.sms_scenario("name: inner")
            def test_the_nearest_wins(self, sms_sandbox):
                assert sms_sandbox.scenario["name"] == "inner"

        def test_others_are_as_ever(sms_sandbox):
            assert sms_sandbox.scenario["name"] == "default"
        """,
    )
    outcome.assert_outcomes(passed=5)


def test_a_mark_runs_a_test_with_each_value_of_each_reading(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.sms_readings("errors", "validity_error")
        def test_it(sms_sandbox, request):
            name, _, value = request.node.name[len("test_it["):-1].partition("=")
            assert sms_sandbox.readings[name] == value
            answer = sms_sandbox.send(to="1", response_type="json").text
            assert (answer == "ERROR_5") == (value != "envelope")
        """,
        "-v",
    )
    values = [
        "errors=bare",
        "errors=envelope",
        "validity_error=12",
        "validity_error=8",
        "validity_error=ignore",
    ]
    outcome.assert_outcomes(passed=len(values))
    outcome.stdout.fnmatch_lines([f"*::test_it?{value}? PASSED*" for value in values])


def test_the_mark_without_names_varies_every_reading(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.sms_readings
        @pytest.mark.sms_scenario({"readings": {"error_code": "padded"}})
        def test_it(sms_sandbox):
            sms_sandbox.send()
        """,
    )
    outcome.assert_outcomes(passed=sum(len(row.values) for row in reading_rows()))
    outcome.stdout.fnmatch_lines([f"SMS readings exercised: {len(reading_rows())}/{len(reading_rows())}"])


def test_marks_combine_with_parameters_and_those_of_a_module_pass_over_other_tests(
    pytester: pytest.Pytester,
) -> None:
    outcome = run(
        pytester,
        """
        pytestmark = [pytest.mark.sms_readings("errors"), pytest.mark.sms_scenario("happy-path")]

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(sms_sandbox, number):
            assert sms_sandbox.scenario["name"] == "happy-path"

        def test_other():
            pass
        """,
    )
    outcome.assert_outcomes(passed=5)


MISTAKES = """
@pytest.mark.sms_scenario("defualt")
def test_name(sms_sandbox): ...

@pytest.mark.sms_scenario("nowhere.yaml")
def test_file(sms_sandbox): ...

@pytest.mark.sms_scenario({"rules": [{"respnd": {}}]})
def test_dict(sms_sandbox): ...

@pytest.mark.sms_scenario
def test_nothing(sms_sandbox): ...

@pytest.mark.sms_scenario(7)
def test_number(sms_sandbox): ...

@pytest.mark.sms_readings("eror")
def test_reading(sms_sandbox): ...

@pytest.mark.sms_readings(["errors"])
def test_list(sms_sandbox): ...

@pytest.mark.sms_readings(errors="bare")
def test_value(sms_sandbox): ...

@pytest.mark.sms_readings("errors")
def test_without(): ...
"""
TOLD = {
    "test_name": "there is no built-in scenario defualt: did you mean default?*",
    "test_file": "there is no file nowhere.yaml",
    "test_dict": '*there is no key "respnd" here: did you mean respond?*',
    "test_nothing": "the mark sms_scenario takes one scenario: a name, a file, YAML, or the same as a dict",
    "test_number": "the mark sms_scenario takes one scenario: a name, a file, YAML, or the same as a dict",
    "test_reading": "there is no reading eror: did you mean errors?",
    "test_list": "the mark sms_readings takes names of readings*",
    "test_value": "the mark sms_readings takes names of readings*",
    "test_without": "the mark sms_readings is for tests that use the fixture sms_sandbox",
}


def test_every_mistake_in_a_mark_is_told_before_the_first_test(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, MISTAKES)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    told = [f"*::{name}: {text}" for name, text in TOLD.items()]
    outcome.stderr.fnmatch_lines([f"ERROR: {told[0]}", *told[1:]])
    assert "Traceback" not in outcome.stdout.str() + outcome.stderr.str()


# -- options ---------------------------------------------------------------------------------------


def test_the_command_line_comes_before_the_environment_and_that_before_the_ini_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = """
        def test_it(sms_sandbox):
            print("plays", sms_sandbox.scenario["name"])
        """
    for expected in ("default", "happy-path", "carrier-outage", "expired-otp"):
        options = ["--sms-scenario", expected] if expected == "expired-otp" else []
        if expected == "happy-path":
            pytester.makeini("[pytest]\nsms_scenario = happy-path\n")
        if expected == "carrier-outage":
            monkeypatch.setenv("PANELSMS_SANDBOX_SCENARIO", "carrier-outage")
        outcome = run(pytester, tests, "-s", *options)
        outcome.assert_outcomes(passed=1)
        outcome.stdout.fnmatch_lines([f"*plays {expected}*"])


def test_help_names_each_option_with_its_twins(pytester: pytest.Pytester) -> None:
    told = " ".join(run(pytester, "", "--help").stdout.str().split())
    for name in plugin.OPTIONS:
        ini = f"sms_{name.replace('-', '_')}"
        assert f"--sms-{name}" in told
        assert f"environment: PANELSMS_SANDBOX_{name.replace('-', '_').upper()}; ini: {ini})" in told
    for mark in ("sms_scenario", "sms_readings"):
        assert f"@pytest.mark.{mark}(" in " ".join(run(pytester, "", "--markers").stdout.str().split())


def test_a_scenario_file_is_looked_for_from_where_pytest_runs(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", mine="name: mine\n")
    tests = """
        def test_it(sms_sandbox):
            assert sms_sandbox.scenario["name"] == "mine"
        """
    run(pytester, tests, "--sms-scenario", "mine.yaml").assert_outcomes(passed=1)
    run(pytester, tests, "--sms-scenario", "./mine.yaml").assert_outcomes(passed=1)


def test_every_test_begins_at_the_moment_and_with_the_seed_that_are_given(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.parametrize("number", range(2))
        def test_it(sms_sandbox, number):
            assert sms_sandbox.clock.now.isoformat() == "2024-01-15T12:00:00+00:00"
            assert sms_sandbox.scenario["seed"] == 42
            sms_sandbox.clock.advance("1h")
        """,
        "--sms-start-at=2024-01-15T12:00:00Z",
        "--sms-seed=42",
    )
    outcome.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--sms-scenario=defualt"], "there is no built-in scenario defualt: did you mean default?*"),
        (["--sms-url=http://127.0.0.1:1/sendMtSms.php"], "no sandbox answers at http://127.0.0.1:1: *"),
        (["--sms-url=localhost:1"], "the sandbox's URL localhost:1 does not begin with http:// or https://"),
        (
            ["--sms-url=http://127.0.0.1:1"],
            "no sandbox answers at http://127.0.0.1:1: connection refused; panelsms-sandbox serve starts one",
        ),
        (["--sms-start-at=soon"], "start_at 'soon' is no time: write it as 2024-01-15T10:30:45Z"),
        (["--sms-seed=x"], "--sms-seed is a whole number, not x"),
        (
            ["--sms-seed=1", "--sms-url=http://127.0.0.1:1"],
            "--sms-seed is for a sandbox that this run starts*",
        ),
        (["--sms-fail-under-codes=16"], "--sms-fail-under-codes is a number from 0 to 15, not 16"),
    ],
)
def test_a_wrong_option_is_told_in_a_line_before_the_first_test(
    pytester: pytest.Pytester, options: list[str], told: str
) -> None:
    outcome = run(pytester, "def test_it(sms_sandbox): ...", *options)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"ERROR: {told}"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "wants its admin token"),
        (("--sms-admin-token=wrong",), "has another admin token"),
    ],
)
def test_a_token_that_is_missing_or_wrong_is_told_before_the_first_test(
    pytester: pytest.Pytester, options: tuple[str, ...], told: str
) -> None:
    with serving(create_app(Config(admin_token="right")), grace_s=0) as url:
        outcome = run(pytester, "def test_it(sms_sandbox): ...", f"--sms-url={url}", *options)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"ERROR: the sandbox at {url} {told}: give it by --sms-admin-token or *"])


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"220 mail.example.com ESMTP\r\n", "no sandbox answers at *: 220 mail.example.com ESMTP"),
        (b"HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno", "* does not answer as a sandbox: HTTP 404 for *"),
        (None, "no sandbox answers at *: timed out"),
    ],
    ids=["no HTTP", "something else", "nothing at all"],
)
def test_what_is_no_sandbox_is_told_before_the_first_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, octets: bytes | None, told: str
) -> None:
    monkeypatch.setattr(pytest_plugin, "REACH_S", 0.2 if octets is None else 10)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(octets or b"")
                connection.recv(65_536)  # until the other side has had enough

        with thread_of(answer):
            outcome = run(pytester, "def test_it(sms_sandbox): ...", f"--sms-url={url}")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"ERROR: {told}"])


# -- a sandbox that runs elsewhere -----------------------------------------------------------------


def test_tests_use_a_sandbox_that_runs_elsewhere_each_in_a_session_of_its_own(
    pytester: pytest.Pytester, remote: str
) -> None:
    outcome = run(
        pytester,
        """
        @pytest.mark.parametrize("number", range(2))
        def test_it(sms_sandbox, dlr_receiver, number):
            assert (len(sms_sandbox.requests), sms_sandbox.clock.mode) == (0, "virtual")
            assert sms_sandbox.scenario["name"] == "happy-path"
            sms_sandbox.send(confirmation=True, callbackUrl=dlr_receiver.url)
            sms_sandbox.clock.advance("1h")
            assert dlr_receiver.wait(1)
            sms_sandbox.reset()
            assert (len(sms_sandbox.requests), sms_sandbox.clock.mode) == (0, "virtual")
            assert sms_sandbox.scenario["name"] == "happy-path"
        """,
        f"--sms-url={remote}",
        "--sms-scenario=happy-path",
    )
    outcome.assert_outcomes(passed=2)
    outcome.stdout.fnmatch_lines(["SMS report statuses exercised: *"])
    assert sessions(remote) == []


def test_what_a_killed_run_has_left_is_not_seen(pytester: pytest.Pytester, remote: str) -> None:
    tests = """
        def test_it(sms_sandbox, request):
            assert sms_sandbox.requests == []
            sms_sandbox.send()
            sms_sandbox._running.pop_all()  # as if nobody had ended it
        """
    for _ in range(2):
        run(pytester, tests, f"--sms-url={remote}").assert_outcomes(passed=1)
    assert len(sessions(remote)) == 1


def test_a_sandbox_elsewhere_reaches_a_receiver_by_the_name_that_it_has_for_this_machine(
    pytester: pytest.Pytester, remote: str
) -> None:
    tests = """
        def test_it(sms_sandbox, dlr_receiver):
            assert dlr_receiver.url.startswith("http://localhost:")
            sms_sandbox.send(confirmation=True, callbackUrl=dlr_receiver.url)
            sms_sandbox.clock.advance("1h")
            assert dlr_receiver.wait(1)
        """
    run(pytester, tests, f"--sms-url={remote}", "--sms-callback-host=localhost").assert_outcomes(passed=1)


def test_a_receiver_of_a_sandbox_that_does_not_answer_is_told_in_a_line(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, "def test_it(dlr_receiver): ...", "--sms-url=http://127.0.0.1:1")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["no sandbox answers at http://127.0.0.1:1: connection refused*"])


def test_a_sandbox_that_goes_away_is_told_in_a_line(pytester: pytest.Pytester) -> None:
    tests = """
        def test_it(sms_sandbox, sms_sandbox_server):
            sms_sandbox.send()
            sms_sandbox_server.stop()
            assert False
        """
    outcome = run(pytester, tests)
    outcome.assert_outcomes(failed=1, errors=1)
    outcome.stdout.fnmatch_lines(["no sandbox answers at http://127.0.0.1:*: connection refused*"])


# -- what is told ----------------------------------------------------------------------------------

FAILING = """
def test_it(sms_sandbox, dlr_receiver):
    dlr_receiver.respond(500, times=1)
    sms_sandbox.send(to="recipient")
    sms_sandbox.send(to="+34600000001", confirmation=True, callbackUrl=dlr_receiver.url)
    sms_sandbox.clock.advance("5s")
    sms_sandbox.send(to="+34600000002", message="later")
    sms_sandbox.assert_sent(to="+34600000003")
"""


def test_a_test_that_fails_shows_what_its_sandbox_has_seen(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, FAILING, "--sms-start-at=2024-01-15T12:00:00Z", "--sms-seed=42")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        [
            "E       AssertionError: No message with to='+34600000003' was sent; expected: at least 1",
            "*- SMS sandbox -*",
            "clock: virtual, 2024-01-15T12:00:05Z, next due: 2024-01-15T12:00:06Z",
            "scenario: default, seed 42",
            "requests:",
            "  <r1 POST to recipient: 'Hello', answered 'ERROR_5'>",
            "      to has letter 'r' at position 1: *",
            "  <r2 POST to +34600000001: 'Hello', answered 'OK_*'>",
            "messages:",
            "  <m1 to +34600000001: 'Hello', delivered>",
            "      delivered since 2024-01-15T12:00:01Z",
            "  <m2 to +34600000002: 'later', pending>",
            "      delivered due at 2024-01-15T12:00:06Z",
            "callbacks:",
            "  <c1 of m1 to http://127.0.0.1:*: delivered (500, 200)>",
            "      {'transactionId': *",
            "      attempt at 2024-01-15T12:00:01.000Z: HTTP 500, * ms",
            "      attempt at 2024-01-15T12:00:02.000Z: HTTP 200, * ms",
            "again: pytest *::test_it *--sms-seed=42*",
        ]
    )
    assert "sandbox/kit" not in outcome.stdout.str()


def test_the_command_that_it_shows_runs_the_test_as_it_was(pytester: pytest.Pytester) -> None:
    first = run(pytester, FAILING)
    lines = first.stdout.lines
    again = shlex.split(next(line for line in lines if line.startswith("again: pytest ")))[2:]
    second = run(pytester, FAILING, *again)
    told = [
        [line for line in outcome.stdout.lines if line.startswith(("clock:", "scenario:", "      delivered"))]
        for outcome in (first, second)
    ]
    assert told[0] == told[1] != []


def test_readings_and_broken_set_ups_are_shown_too_and_nothing_sent_is_told_as_such(
    pytester: pytest.Pytester,
) -> None:
    outcome = run(
        pytester,
        """
        @pytest.fixture
        def broken(sms_sandbox):
            assert False

        @pytest.mark.sms_readings("error_code")
        def test_it(broken): ...
        """,
    )
    outcome.assert_outcomes(errors=2)
    outcome.stdout.fnmatch_lines(
        [
            "scenario: default, seed 0, readings error_code=padded",
            "requests: none",
            "messages: none",
            "callbacks: none",
        ]
    )


def test_a_report_that_was_held_back_is_shown_with_the_reason_and_so_is_where_the_sandbox_runs(
    pytester: pytest.Pytester, remote: str
) -> None:
    outcome = run(
        pytester,
        """
        def test_it(sms_sandbox):
            sms_sandbox.send(confirmation=True, callbackUrl="http://192.0.2.1/dlr")
            sms_sandbox.clock.advance("1s")
            assert False
        """,
        f"--sms-url={remote}",
        "--sms-admin-token=secret",
    )
    outcome.stdout.fnmatch_lines(
        [
            "  <c1 of m1 to http://192.0.2.1/dlr: refused (not tried)>",
            "      *192.0.2.1*",
            f"again: pytest *::test_it --sms-url={remote} --sms-start-at=*",
        ]
    )
    assert "secret" not in outcome.stdout.str()
    outcome.stdout.no_fnmatch_line("again: *--sms-seed*")


def test_many_records_are_cut_to_the_last(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        def test_it(sms_sandbox):
            for _ in range(25):
                sms_sandbox.send()
            assert False
        """,
    )
    outcome.stdout.fnmatch_lines(["requests, the last 20 of 25:", "  <r6 *"])
    outcome.stdout.no_fnmatch_line("  <r5 *")


def test_the_account_is_part_of_what_is_written_as_xml(pytester: pytest.Pytester) -> None:
    run(pytester, FAILING, "--junitxml=found.xml", "-o", "junit_logging=all")
    tree = ET.parse(Path(pytester.path, "found.xml"))  # noqa: S314 - our own
    assert tree.find(".//failure") is not None


# -- what a run has exercised ----------------------------------------------------------------------

EXERCISING = """
@pytest.mark.parametrize("code", [1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14])
def test_codes(sms_sandbox, code):
    sms_sandbox.send(to=f"+150055500{code:02}")

def test_reports(sms_sandbox, dlr_receiver):
    sms_sandbox.send(to="+15005551002", confirmation=True, callbackUrl=dlr_receiver.url)
    sms_sandbox.clock.advance("1h")
    sms_sandbox.reset()
    sms_sandbox.send(to="+15005551005", confirmation=True, callbackUrl=dlr_receiver.url)
    sms_sandbox.clock.advance("1h")
"""
CLOSING = [
    "SMS error codes exercised: 11/15 (missing 3, 6, 12, 15)",
    "SMS report statuses exercised: 4/8 (missing expired, deleted, undeliverable, unknown)",
    f"SMS readings exercised: 0/{len(reading_rows())} (missing double_encoding, *",
]


def test_a_run_closes_with_what_it_has_exercised(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, EXERCISING)
    outcome.assert_outcomes(passed=12)
    outcome.stdout.fnmatch_lines(CLOSING)


def test_each_report_carries_what_its_own_test_has_met(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_runtest_logreport(report):
            if report.when == "teardown":
                print("met", [each["codes"] for each in report.sms_exercised])
        """
    )
    outcome = run(pytester, EXERCISING, "-s", "-k", "codes and (1 or 5) and not 10 and not 13 and not 14")
    assert re.findall("met (.*)", outcome.stdout.str()) == ["[[1]]", "[[5]]", "[[11], []]"]


def test_what_was_sent_to_the_shared_world_counts_as_well(pytester: pytest.Pytester) -> None:
    outcome = run(
        pytester,
        """
        def test_it(sms_sandbox_server):
            assert sms_sandbox_server.send(to="1").error == 5
        """,
    )
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(["SMS error codes exercised: 1/15 (missing 1, 2, 3, 4, 6, *"])


def test_a_run_that_uses_no_fixture_says_nothing(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, "def test_it(): ...")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.no_fnmatch_line("SMS *")


@pytest.mark.parametrize(
    ("least", "ret", "in_environment"),
    [
        ("11", pytest.ExitCode.OK, False),
        ("12", pytest.ExitCode.TESTS_FAILED, False),
        ("15", pytest.ExitCode.TESTS_FAILED, True),
    ],
)
def test_a_run_that_exercises_too_few_codes_fails_where_that_is_asked(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    least: str,
    ret: int,
    in_environment: bool,  # noqa: FBT001 - a parameter
) -> None:
    if in_environment:
        monkeypatch.setenv("PANELSMS_SANDBOX_FAIL_UNDER_CODES", least)
    outcome = run(pytester, EXERCISING, *([] if in_environment else [f"--sms-fail-under-codes={least}"]))
    outcome.assert_outcomes(passed=12)
    assert outcome.ret == ret
    outcome.stdout.fnmatch_lines(CLOSING)
    told = f"FAIL: fewer SMS error codes were exercised than the {least} of --sms-fail-under-codes"
    assert (told in outcome.stdout.str()) == (ret != 0)


def test_the_gate_counts_a_run_that_uses_no_fixture_and_leaves_a_mere_collection_alone(
    pytester: pytest.Pytester,
) -> None:
    assert run(pytester, "def test_it(): ...", "--sms-fail-under-codes=1").ret == pytest.ExitCode.TESTS_FAILED
    assert run(pytester, EXERCISING, "--collect-only", "--sms-fail-under-codes=1").ret == pytest.ExitCode.OK


# -- beside pytest-xdist ---------------------------------------------------------------------------


@pytest.mark.parametrize("tests", [EXERCISING])
def test_under_xdist_each_worker_has_a_server_and_the_run_closes_as_ever(
    pytester: pytest.Pytester, tests: str
) -> None:
    outcome = run(pytester, tests, "-n", "2", "--sms-fail-under-codes=12")
    outcome.assert_outcomes(passed=12)
    outcome.stdout.fnmatch_lines(CLOSING)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED


def test_under_xdist_a_test_that_fails_shows_its_account_and_mistakes_are_told_by_the_tests(
    pytester: pytest.Pytester,
) -> None:
    outcome = run(pytester, FAILING + MISTAKES, "-n", "2")
    outcome.assert_outcomes(failed=1, errors=len(TOLD) - 1, passed=1)
    outcome.stdout.fnmatch_lines_random(
        ["*- SMS sandbox -*", "again: pytest *::test_it *", TOLD["test_reading"], TOLD["test_nothing"]]
    )


# -- the package's name ----------------------------------------------------------------------------


def test_a_project_with_a_folder_of_our_package_s_name_runs_its_tests(pytester: pytest.Pytester) -> None:
    theirs = pytester.mkpydir("sandbox")
    (theirs / "pytest_plugin.py").write_text("raise RuntimeError('not ours')", "utf-8")
    pytester.makepyfile(
        test_theirs="""
        import sandbox

        def test_it():
            assert not hasattr(sandbox, "Sandbox")
        """,
        test_ours="""
        import pytest

        def test_fixture(sms_sandbox): ...

        @pytest.mark.sms_readings
        def test_mark(): ...
        """,
    )
    given = (sys.executable, "-m", "pytest", *ALONE)
    outcome = pytester.run(*given, "test_theirs.py", timeout=100)
    outcome.assert_outcomes(passed=1)
    for test in ("test_fixture", "test_mark"):
        outcome = pytester.run(*given, f"test_ours.py::{test}", timeout=100)
        assert outcome.ret == pytest.ExitCode.USAGE_ERROR
        outcome.stderr.fnmatch_lines(
            [
                f"ERROR: The fixtures of panelsms-sandbox need its package `sandbox`, but {theirs}/__init__.py has that*"
            ]
        )
        assert "Traceback" not in outcome.stdout.str() + outcome.stderr.str()


def test_a_run_without_our_fixtures_does_not_import_us(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert not [name for name in sys.modules if name.split(".")[0] == "sandbox"]
        """
    )
    outcome = pytester.runpytest_subprocess(*ALONE, timeout=100)
    outcome.assert_outcomes(passed=1)


def test_a_run_leaves_no_thread_and_no_socket(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import json, os, pathlib, threading

        def held():
            folder = pathlib.Path("/proc/self/fd")
            links = [os.readlink(file) for file in folder.iterdir() if os.path.lexists(file)]
            return [threading.active_count(), sum(link.startswith("socket:") for link in links)]

        before = held()

        def pytest_unconfigure():
            pathlib.Path("held.json").write_text(json.dumps([before, held()]))
        """
    )
    run(pytester, EXERCISING, in_process=False).assert_outcomes(passed=12)
    before, after = json.loads(Path(pytester.path, "held.json").read_text("utf-8"))
    assert before == after
