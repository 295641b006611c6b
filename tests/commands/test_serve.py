"""The command ``serve``, as a process of its own: what it prints where, and how it ends."""

import http.client
import json
import re
import signal
from collections.abc import Mapping
from urllib.parse import quote

import click
import pytest

from sandbox.cli import COMMANDS
from sandbox.serving import listen
from tests.command_line import command_of, finished, run, serve

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
    ],
)
def test_an_option_that_cannot_work_is_one_clear_line(option: str, value: str, fault: str) -> None:
    result = run("serve", "--port", "0", option, value)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {fault}\n")


def test_serve_takes_its_options_from_the_environment() -> None:
    environment = {
        "PANELSMS_SANDBOX_PORT": "0",
        "PANELSMS_SANDBOX_HOST": "127.0.0.1",
        "PANELSMS_SANDBOX_READING": "errors=envelope, error_code=padded",
        "PANELSMS_SANDBOX_CALLBACK_URL": "http://198.51.100.1:9/dlr",
        "PANELSMS_SANDBOX_ALLOW_CALLBACK": "a.example,b.example",
        "PANELSMS_SANDBOX_NO_SANDBOX_HEADERS": "1",
        "PANELSMS_SANDBOX_LOG": "json",
        "PANELSMS_SANDBOX_MAX_MESSAGES": "7",
    }
    with serve(environment=environment) as server:
        body, headers = ask(server.url, to="recipient", responseType="json")
        ask(server.url, confirmation="true", scheduledDeliveryTime="3600")
        server.stop()
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
