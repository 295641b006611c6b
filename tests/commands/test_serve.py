"""The command ``serve``, as a process of its own: what it prints where, and how it ends."""

import http.client
import json
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import pytest

from sandbox.cli import COMMANDS
from sandbox.kit.receiver import Receiver
from sandbox.serving import listen
from tests.command_line import command_of, finished, run, serve, start

TELLING_ITS_MODULES = (
    "-c",
    """import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from sandbox.cli import main
main()""",
)


def ask(url: str, **parameters: str) -> tuple[str, Mapping[str, str]]:
    """Send a message without the client under test."""
    host = url.removeprefix("http://")
    valid = {"user": "a", "apiKey": "b", "to": "+1222333444", "message": "Hello"}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**valid, **parameters}.items())
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", f"/sendMtSms.php?{query}")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return body, dict(answer.getheaders())


def shown(url: str, path: str) -> Any:
    """Return what the control API shows at the name that it was told, to who knows the token."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request(
        "GET", path, headers={"Host": "sms.example.com", "Authorization": "Bearer correct-horse"}
    )
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, document
    return document


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("--port", "0")])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_one_ready_line_and_ends_well_by_a_signal(
    arguments: tuple[str, ...], number: signal.Signals
) -> None:
    with serve(*arguments) as server:
        assert re.fullmatch(r"panelsms-sandbox ready at http://127\.0\.0\.1:[0-9]+\n", server.ready)
        assert ask(server.url)[0] == "OK_1000001"
        assert server.stop(number) == 0
    assert server.rest == ""
    assert server.log.splitlines()[-1] == "stopped: no report was still due"


@pytest.mark.parametrize(
    ("messages", "line"),
    [(1, "stopped: 1 report was still due"), (2, "stopped: 2 reports were still due")],
)
def test_serve_says_at_its_end_how_many_reports_are_still_due(messages: int, line: str) -> None:
    with serve("serve", "--port", "0", "--callback-url", "http://127.0.0.1:1/dlr") as server:
        for _ in range(messages):
            ask(server.url, confirmation="true", scheduledDeliveryTime="3600")
        ask(server.url, scheduledDeliveryTime="3600")
        assert server.stop() == 0
    assert server.log.splitlines()[-1] == line


def test_serve_writes_its_log_as_json_to_the_last_line() -> None:
    with serve("--port", "0", "--log", "json") as server:
        ask(server.url)
        server.stop()
    events = [json.loads(line) for line in server.log.splitlines()]
    assert [event["event"] for event in events] == ["request", "stopped"]
    assert events[-1]["reportsDue"] == 0


def test_a_port_in_use_is_one_clear_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, out, err = finished("serve", "--port", str(port))
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"Error: cannot listen on 127\.0\.0\.1:{port}: .*choose another --port.*\n", err)


@pytest.mark.parametrize("host", ["name.invalid", "a" * 64, "198.51.100.1"])
def test_an_address_that_is_none_of_ours_is_one_clear_line(host: str) -> None:
    result = run("serve", "--port", "0", "--host", host)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(rf"Error: cannot listen on {host}:0: .*\n", result.stderr)


FULL = "os.dup2(os.open('/dev/full', os.O_WRONLY), {})"


@pytest.mark.parametrize(
    "spoil",
    [
        "os.close(1)",
        "os.close(2)",
        "os.close(1); os.close(2)",
        "os.close(0); os.close(1); os.close(2)",
        FULL.format(1),
        FULL.format(2),
    ],
)
def test_it_serves_and_ends_well_where_nothing_can_be_written(spoil: str) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    spoiled = (
        f"import os, sys; {spoil}; os.execv(sys.executable, [sys.executable, '-m', 'sandbox', *sys.argv[1:]])"
    )
    with start("serve", "--port", str(port), program=("-c", spoiled), is_heard=False) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            assert finished("health", "--wait", "--url", url)[0] == 0
            assert ask(url)[0] == "OK_1000001"
        finally:
            process.terminate()
        assert process.wait(timeout=30) == 0


NO_HOST = "name a host alone, such as callbacks.example.com"


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("--reading", "erors=bare", "there is no reading erors: did you mean errors?"),
        (
            "--reading",
            "errors=envelop",
            "reading errors cannot be envelop: it is bare or envelope: did you mean envelope?",
        ),
        ("--reading", "errors", "--reading errors: write NAME=VALUE, such as errors=envelope"),
        ("--callback-url", "ftp://x", "--callback-url ftp://x does not begin with http:// or https://"),
        ("--allow-callback", "http://x", f"--allow-callback http://x: {NO_HOST}"),
        ("--allow-callback", "x:80", f"--allow-callback x:80: {NO_HOST}"),
        ("--allow-host", "http://x", "--allow-host http://x: name a host alone, such as sandbox.example.com"),
        ("--allow-host", "x:80", "--allow-host x:80: name a host alone, such as sandbox.example.com"),
        *(
            (
                "--admin-token",
                token,
                "--admin-token cannot go into a header: write it in visible ASCII, without blanks",
            )
            for token in ("", " ", "a b", "a\n", "é")
        ),
        (
            "--clock",
            "fast",
            "a clock cannot be fast: it is real, virtual, or x and how many times as fast as real, x60 up to x999999",
        ),
        (
            "--magic-prefix",
            "500",
            "the magic prefix 500 begins no number: write + and 3 to 11 digits, the first not 0, such as +1500555",
        ),
        ("--scenario", "./no.yaml", "there is no file ./no.yaml"),
    ],
)
def test_an_option_that_cannot_work_is_one_clear_line(option: str, value: str, fault: str) -> None:
    result = run("serve", "--port", "0", option, value)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {fault}\n")


SCENARIO = """
name: mine
rules:
  - {when: {to: "{{ magic }}0001"}, respond: {error: 11}}
"""


def test_serve_takes_its_options_from_the_environment(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(SCENARIO, "utf-8")
    environment = {
        "PANELSMS_SANDBOX_PORT": "0",
        "PANELSMS_SANDBOX_HOST": "127.0.0.1",
        "PANELSMS_SANDBOX_SCENARIO": str(scenario),
        "PANELSMS_SANDBOX_WATCH": "1",
        "PANELSMS_SANDBOX_CLOCK": "virtual",
        "PANELSMS_SANDBOX_START_AT": "2024-01-15T12:00:00Z",
        "PANELSMS_SANDBOX_SEED": "7",
        "PANELSMS_SANDBOX_MAGIC_PREFIX": "+4470090",
        "PANELSMS_SANDBOX_SESSIONS_BY": "user",
        "PANELSMS_SANDBOX_MAX_SESSIONS": "2",
        "PANELSMS_SANDBOX_SESSION_IDLE": "30m",
        "PANELSMS_SANDBOX_ADMIN_TOKEN": "correct-horse",
        "PANELSMS_SANDBOX_ALLOW_HOST": "sms.example.com,other.example.com",
        "PANELSMS_SANDBOX_READING": "errors=envelope, error_code=padded",
        "PANELSMS_SANDBOX_CALLBACK_URL": "http://198.51.100.1:9/dlr",
        "PANELSMS_SANDBOX_ALLOW_CALLBACK": "a.example,b.example",
        "PANELSMS_SANDBOX_NO_SANDBOX_HEADERS": "1",
        "PANELSMS_SANDBOX_LOG": "json",
        "PANELSMS_SANDBOX_MAX_MESSAGES": "7",
        "PANELSMS_SANDBOX_STORE": f"sqlite:{tmp_path / 'sandbox.db'}",
    }
    with serve(environment=environment) as server:
        body, headers = ask(server.url, to="recipient", responseType="json")
        ask(server.url, confirmation="true", scheduledDeliveryTime="3600")
        assert ask(server.url, to="+44700900001")[0] == "ERROR_011"
        of_user = shown(server.url, "/s/a/_sandbox/scenario")
        clock = shown(server.url, "/_sandbox/clock")
        sessions = shown(server.url, "/_sandbox/sessions")
        server.stop()
    assert (of_user["name"], of_user["file"], of_user["seed"]) == ("mine", str(scenario), 7)
    assert of_user["rules"][0]["matched"] == 1
    assert (clock["mode"], clock["now"]) == ("virtual", "2024-01-15T12:00:00Z")
    assert ([session["name"] for session in sessions["sessions"]], sessions["most"]) == (["a"], 2)
    assert "correct-horse" not in server.log
    assert (tmp_path / "sandbox.db").stat().st_size > 0
    assert body == '{"response":{"status":"ERROR_005"}}'
    assert not [name for name in headers if name.lower().startswith("x-sandbox")]
    assert json.loads(server.log.splitlines()[-1]) == {"event": "stopped", "reportsDue": 1}
    assert {f"PANELSMS_SANDBOX_{option.upper().replace('-', '_')}" for option in serve_options()} == set(
        environment
    )


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {"PANELSMS_SANDBOX_PORT": "1", "PANELSMS_SANDBOX_LOG": "json"}
    with serve("--port", "0", "--log", "text", environment=environment) as server:
        server.stop()
    assert server.log == "stopped: no report was still due\n"


@pytest.mark.parametrize(
    "module", ["sandbox.client", "http.server", "aiohttp", "rich", "jsonschema", "hypothesis"]
)
def test_serving_imports_nothing_that_it_does_not_need(module: str, imported: frozenset[str]) -> None:
    assert module not in imported


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_serving_imports_no_other_command(command: str, imported: frozenset[str]) -> None:
    assert f"sandbox.commands.{command}" not in imported


@pytest.fixture(scope="module")
def imported() -> frozenset[str]:
    """Every module that a server has imported after its first answers."""
    with serve("--port", "0", program=TELLING_ITS_MODULES) as server:
        ask(server.url)
        ask(server.url, to="recipient")
        server.stop()
    modules = frozenset(server.log.splitlines()[-1].split())
    assert "sandbox.commands.serve" in modules
    return modules


def serve_options() -> dict[str, click.Option]:
    options = [option for option in command_of("serve").params if isinstance(option, click.Option)]
    return {option.opts[0].removeprefix("--"): option for option in options}


@pytest.mark.parametrize("option", serve_options())
def test_the_help_of_serve_names_each_option_and_its_environment_twin(option: str) -> None:
    text = " ".join(run("serve", "--help").stdout.split())
    twin = f"PANELSMS_SANDBOX_{option.upper().replace('-', '_')}"
    assert f"--{option} " in text
    assert f"[env var: {twin}" in text
    assert serve_options()[option].envvar == twin


# -- a store in a file ------------------------------------------------------------------------------------------


def sent(url: str) -> Any:
    """Return the messages that there are."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("GET", "/_sandbox/messages")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return document["messages"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_happened_outlives_the_server(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "sandbox.db"
    store = ("--store", f"sqlite:{file}")
    with serve("--port", "0", *store) as server:
        assert ask(server.url)[0] == "OK_1000001"
        log = file.with_name("sandbox.db-wal")  # where SQLite puts first what it is given
        before = next(
            found for _ in range(5000) if (found := sent(server.url)) and b"Hello" in log.read_bytes()
        )
        server.stop(number)
    with serve("--port", "0", *store) as server:
        (again,) = sent(server.url)
        # Both may be a second apart.
        assert {**again, "status": "", "timeline": []} == {**before[0], "status": "", "timeline": []}
        assert ask(server.url)[0] == "OK_1000002"
        assert server.stop() == 0


def test_a_report_that_became_due_while_no_server_ran_is_sent_by_the_next(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:{tmp_path / 'sandbox.db'}")
    with Receiver() as receiver:
        with serve(
            "--port", "0", *store, "--clock", "virtual", "--start-at", "2024-01-15T12:00:00Z"
        ) as server:
            ask(server.url, confirmation="true", callbackUrl=receiver.url)
            assert server.stop() == 0
        assert "1 report was still due" in server.log
        with serve("--port", "0", *store, "--clock", "real") as server:
            receiver.wait(1, timeout=30)
            assert server.stop() == 0


def test_a_store_that_another_server_has_is_one_clear_line(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:{tmp_path / 'sandbox.db'}")
    with serve("--port", "0", *store) as server:
        code, out, err = finished("serve", "--port", "0", *store)
        assert server.stop() == 0
    assert (code, out) == (2, "")
    assert re.fullmatch(
        "Error: --store sqlite:.*: another server, or another program, is using it; .*\n", err
    )


def test_a_store_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    result = run("serve", "--port", "0", PANELSMS_SANDBOX_STORE=f"sqlite:{tmp_path}")
    assert (result.exit_code, result.stdout) == (2, "")
    why = "unable to open database file; name a file that can be written, in a folder that exists"
    assert result.stderr == f"Error: --store sqlite:{tmp_path}: {why}\n"
