"""A server that runs already, held against the contract; and what may never happen where messages cost credits."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from click.testing import Result

from sandbox import elsewhere
from sandbox.app import create_app
from sandbox.client import Client
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.contract import reading_rows
from sandbox.elsewhere import Elsewhere
from sandbox.errors import UnreachableError
from sandbox.examples import Outcome, Verdict
from sandbox.exchanges import Account, load_examples, needs
from sandbox.serving import serving
from tests.command_line import NOBODY, run
from tests.worlds import NOON


def verdicts_of(url: str) -> dict[str, Verdict]:
    there = Elsewhere(url)
    there.reach()
    list(there.find_out())
    return {verdict.example.name: verdict for verdict in there.replay()}


# -- what it answers ----------------------------------------------------------------------------------------


def test_a_running_server_is_asked_all_that_it_can_be_asked() -> None:
    with serving(create_app(clock=VirtualClock(NOON))) as url:
        verdicts = verdicts_of(f"{url}/s/mine")
    assert [verdict.example for verdict in verdicts.values()] == list(load_examples())
    not_run = {name for name, verdict in verdicts.items() if verdict.outcome is Outcome.NOT_RUN}
    assert not_run == {example.name for example in load_examples() if needs(example)}
    assert verdicts["time-to-the-second"].line == "not run  time-to-the-second: needs its own clock"
    assert verdicts["answer-text"].line == "ok       answer-text"
    assert [verdict.line for verdict in verdicts.values() if verdict.outcome is Outcome.FAILED] == []


def test_a_failure_says_whether_the_readings_are_all_there_is_to_it() -> None:
    readings = {"errors": "envelope", "error_http_status": "4xx"}
    with serving(create_app(Config(readings=readings), clock=VirtualClock(NOON))) as url:
        verdicts = verdicts_of(url)
    failed = [verdict for verdict in verdicts.values() if verdict.outcome is Outcome.FAILED]
    assert len(failed) > 100
    assert {
        (verdict.why or "").endswith(" (as the readings that it follows have it)") for verdict in failed
    } == {True}


def test_a_server_that_answers_otherwise_fails_whatever_it_reads() -> None:
    async def teapot(scope: Any, _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serving(teapot) as url:
        verdicts = verdicts_of(url)
    line = verdicts["answer-text"].line
    assert line.startswith(
        "FAILED   answer-text: the status is 418, not 200; the Content-Type is absent, not text/plain"
    )
    assert not line.endswith("have it)")


# -- what is not there ---------------------------------------------------------------------------------------


@contextmanager
def answering(octets: bytes) -> Iterator[str]:
    """Serve these octets to whoever connects, and close."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(octets)

        thread = Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def failure(url: str) -> str:
    """Return the one line that the command says about an address, which is all that it says."""
    result = run("contract", "--base-url", url)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    return line


def test_nobody_answers() -> None:
    line = failure(NOBODY)
    assert (
        line == f"Error: no answer from {NOBODY}: Connection refused; panelsms-sandbox serve starts a sandbox"
    )


@pytest.mark.parametrize("octets", [b"220 mail.example.com ESMTP\r\n", b"\xff\xfe\x00\x01\r\n"])
def test_what_answers_is_no_http(octets: bytes) -> None:
    with answering(octets) as url:
        line = failure(url)
    assert line.startswith(f"Error: what answers at {url} is no HTTP: ")
    assert line.isascii()
    assert line.isprintable()


def test_a_server_that_hangs_up_is_no_http() -> None:
    with answering(b"") as url:
        assert failure(url).startswith("Error: ")


def test_a_server_without_tls_is_told_under_https() -> None:
    with serving(create_app()) as url:
        line = failure(url.replace("http://", "https://"))
    assert line.startswith("Error: no TLS with https://127.0.0.1:")
    assert line.endswith("; http:// asks without TLS")


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert failure("http://no.such.host") == "Error: no address for no.such.host: Name or service not known"
    with pytest.raises(UnreachableError):
        Elsewhere("http://no.such.host").resolve()


def test_an_answer_that_is_no_text_is_a_failure_in_ascii() -> None:
    octets = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 4\r\n\r\n\xff\x00\x1b["
    )
    with answering(octets) as url:
        result = run("contract", "--base-url", url)
    assert result.exit_code == 1
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert "a plain message gets no answer of the API as text" in result.stdout


def test_a_server_that_goes_away_meanwhile_is_told_of_each_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise ConnectionResetError("Connection reset by peer")

    with serving(create_app()) as url:
        there = Elsewhere(url)
        there.reach()
        monkeypatch.setattr(elsewhere, "exchange", gone)
        told = {found.row.id: found.text for found in there.find_out()}
    assert told["errors"] == (
        "cannot be told from outside: a plain message gets no answer: Connection reset by peer"
    )


# -- a public address ----------------------------------------------------------------------------------------

MINE = Account("owner@example.org", "a-key-of-mine", "+34699999999")
OPTIONS = ("--user", MINE.user, "--api-key", MINE.api_key, "--to", MINE.to)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every address be a public one, and nobody wait."""
    monkeypatch.setattr(elsewhere, "objection", lambda *_: "it is public")
    monkeypatch.setattr(elsewhere, "PACE_S", 0)


def contract(url: str, *options: str, **environment: str) -> Result:
    result = run("contract", "--base-url", url, *options, **environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def requests_at(url: str) -> list[dict[str, Any]]:
    there: list[dict[str, Any]] = []
    page = Client(url).control("requests?limit=1000")
    there += page["requests"]
    assert page["next"] is None
    return there


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ((), "--user and --api-key and --to"),
        (("--spend-credits",), "--user and --api-key and --to"),
        (("--spend-credits", *OPTIONS[2:]), "--user"),
        (("--spend-credits", *OPTIONS[:4]), "--to"),
        (("--spend-credits", *OPTIONS[:4], "--to", ""), "--to"),
    ],
)
def test_it_is_not_asked_without_an_account_and_a_recipient_of_one_s_own(
    options: tuple[str, ...], missing: str
) -> None:
    with serving(create_app()) as url:
        result = contract(url, *options)
        assert requests_at(url) == []
    assert (result.exit_code, result.stdout) == (2, "")
    assert "127.0.0.1 is a public address" in result.stderr
    assert result.stderr.rstrip().endswith(f"so name {missing}")


@pytest.mark.usefixtures("public")
def test_nothing_is_sent_before_somebody_says_so() -> None:
    with serving(create_app()) as url:
        result = contract(url, *OPTIONS)
        as_json = json.loads(contract(url, *OPTIONS, "--json").stdout)
        assert requests_at(url) == []
    *lines, total = result.stdout.splitlines()
    accepted = sum(line.startswith("accepted ") for line in lines)
    assert result.exit_code == 0
    assert total.startswith(
        f"Nothing was sent. {len(lines)} requests would go to 127.0.0.1; some {accepted} of them"
    )
    assert "cost credits" in total
    assert lines[0] == "accepted a plain message"
    assert "refused  reading destination_plus: to in a form" in lines
    assert (as_json["dryRun"], as_json["accepted"], len(as_json["requests"])) == (True, accepted, len(lines))


OTHERS = {row.id: row.alternatives[-1] for row in reading_rows()}


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("readings", [{}, OTHERS], ids=["the defaults", "all others"])
def test_no_message_is_another_s_or_for_another_however_it_is_read(readings: dict[str, str]) -> None:
    with serving(create_app(Config(readings=readings))) as url:
        result = contract(url, *OPTIONS, "--spend-credits")
        messages = Client(url).control("messages?limit=1000")["messages"]
        sent = requests_at(url)
    assert {(message["user"], message["to"]) for message in messages} == {(MINE.user, MINE.to)}
    assert {message["callbackUrl"] for message in messages} == {None}
    assert {each["parameters"].get("user", "") for each in sent} <= {MINE.user, ""}
    assert {each["parameters"].get("apiKey", "") for each in sent} <= {"a-…ne", ""}
    assert [each for each in sent if "callbackUrl" in each["parameters"]] == []
    assert len(sent) < 300
    assert "FAILED" not in result.stdout or readings
    assert "costs credits" in result.stderr


@pytest.mark.usefixtures("public")
def test_what_would_be_sent_is_what_is_sent_and_accepted() -> None:
    with serving(create_app()) as url:
        planned = json.loads(contract(url, *OPTIONS, "--json").stdout)
        contract(url, *OPTIONS, "--spend-credits")
        sent = requests_at(url)
    assert sum(each["messageId"] is not None for each in sent) == planned["accepted"]
    assert len(sent) == 1 + len(planned["requests"])  # the first one asks only whether somebody is there


@pytest.mark.usefixtures("public")
def test_readings_alone_take_few_requests() -> None:
    with serving(create_app()) as url:
        result = contract(url, *OPTIONS, "--spend-credits", "--readings-only")
        assert len(requests_at(url)) <= 30
    assert {line.partition("  ")[0] for line in result.stdout.splitlines()} == {"reading"}
    assert result.exit_code == 0


def test_requests_to_a_public_address_are_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    class Pause:
        def wait(self, seconds: float) -> None:
            pauses.append(seconds)

    monkeypatch.setattr(elsewhere, "Event", Pause)
    monkeypatch.setattr(elsewhere, "objection", lambda *_: "it is public")
    with serving(create_app()) as url:
        contract(url, *OPTIONS, "--spend-credits")
        sent = requests_at(url)
    assert len(pauses) >= len(sent)
    assert set(pauses) == {elsewhere.PACE_S}


def test_a_private_address_is_asked_at_once_and_as_anybody() -> None:
    with serving(create_app()) as url:
        result = contract(url, "--readings-only")
    assert result.exit_code == 0
    assert "costs credits" not in result.stderr


# -- what is never shown -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["as text", "as JSON"])
def test_an_account_is_never_shown_even_where_a_server_sends_it_back(options: tuple[str, ...]) -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = (await receive()).get("body", b"")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["query_string"] + body})

    environment = {
        "PANELSMS_SANDBOX_USER": MINE.user,
        "PANELSMS_SANDBOX_API_KEY": f"{MINE.api_key}{'!' * 300}",  # so long that what is shown ends within it
        "PANELSMS_SANDBOX_TO": MINE.to,
    }
    with serving(echo) as url:
        result = contract(url.replace("//", "//me:a-password@"), *options, **environment)
    assert "FAILED" in result.stdout
    for secret in (*MINE, "owner%40example", "%2B34699", "a-key", "a-password"):
        assert secret not in result.output


@pytest.mark.parametrize("to", ["34699999999", "+1", "+34 699 999 999", "me"])
def test_a_recipient_that_is_no_number_is_refused(to: str) -> None:
    result = contract(NOBODY, "--to", to)
    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: --to is no number: write a + and 7 to 15 digits, such as +34600000001\n"
    )


@pytest.mark.parametrize("option", ["--readings-only", "--spend-credits"])
def test_what_is_about_a_server_elsewhere_needs_one(option: str) -> None:
    result = run("contract", option)
    assert result.exit_code == 2
    assert "--base-url, which is missing" in result.stderr
