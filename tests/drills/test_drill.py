"""The command ``drill``: what it takes, what it prints and writes, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner

from sandbox.cli import cli
from sandbox.drills.conditions import conditions
from sandbox.drills.steps import STEPS
from tests.command_line import NOBODY, ROOT, run, start
from tests.drills.clerk import SECRET, Fault, a_clerk

CLIENT = """sh -c 'curl -s --max-time 3 "$PANELSMS_SEND_URL?user=u&apiKey=k&to=%2B1222333444&message=Hi" | grep ^OK_'"""
BLIND = CLIENT.replace(" | grep ^OK_", "; true")


# -- exit codes ----------------------------------------------------------------------------------------------


def test_a_good_receiver_is_exit_code_0_and_the_text_says_all_of_it(tmp_path: Path) -> None:
    with a_clerk(tmp_path, secret=SECRET) as clerk:
        result = run("drill", "--callback-url", clerk.url, "--check", clerk.check, "--secret", SECRET)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("ok ")] == [
        step.trial.name for step in STEPS
    ]
    assert lines[-1] == f"{len(STEPS)} ok"
    for word in ("sent", "answered", "held", "should", "because"):
        assert f"          {word:<10}  " in result.stdout


def test_without_a_check_the_text_says_that_answers_alone_are_judged(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        result = run("drill", "--callback-url", clerk.url, "--only", "normal")
    assert (result.exit_code, "This judges answers only." in result.stdout) == (0, True)


def test_a_bad_receiver_is_exit_code_1(tmp_path: Path) -> None:
    with a_clerk(tmp_path, Fault.CRASHES_ON_WHAT_IT_CANNOT_READ) as clerk:
        result = run("drill", "--callback-url", clerk.url, "--only", "malformed-body")
    assert result.exit_code == 1
    assert "FAILED    malformed-body" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 FAILED"


def test_a_client_is_judged_and_its_table_printed() -> None:
    good = run("drill", "--client", CLIENT, "--only", "error-5-text", "--only", "http-*", "--jobs", "3")
    bad = run("drill", "--client", BLIND, "--only", "error-5-text")
    assert good.exit_code == 0, good.output
    assert [line.split()[:5] for line in good.stdout.splitlines()[:3]] == [
        ["verdict", "condition", "exit", "calls", "accepted"],
        ["ok", "error-5-text", "1", "1", "0"],
        ["ok", "http-500", "1", "1", "0"],
    ]
    assert bad.exit_code == 1
    assert bad.stdout.splitlines()[1].split() == ["FAILED", "error-5-text", "0", "1", "0"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "what is to be tried? --callback-url URL for a receiver, --client COMMAND for a sender"),
        (("--callback-url", NOBODY, "--client", "true"), "are two drills: name one of them"),
        (("--client", "true", "--check", "true"), "--check has no meaning with --client: leave it out"),
        (
            ("--client", "true", "--allow-callback", "x"),
            "--allow-callback has no meaning with --client: leave it out",
        ),
        (
            ("--callback-url", NOBODY, "--jobs", "2"),
            "--jobs has no meaning with --callback-url: leave it out",
        ),
        (("--callback-url", NOBODY), "connection refused; start the receiver"),
        (("--callback-url", NOBODY, "--secret", "x"), "--secret is no secret: write whsec_ and base64"),
        (
            ("--callback-url", NOBODY, "--check", "no-such-program"),
            "--check: there is no program no-such-program",
        ),
        (
            ("--callback-url", NOBODY, "--only", "normle"),
            "--only normle names nothing here: did you mean normal?",
        ),
        (("--callback-url", NOBODY, "--only", "zzz*"), "names nothing here; --list shows what there is"),
        (
            ("--callback-url", NOBODY, "--output", "/nowhere/x"),
            "--output /nowhere/x: No such file or directory",
        ),
        (("--client", "true"), "--client called nothing at"),
        (("--client", ""), "--client is empty"),
        (("--callback-url", NOBODY, "--timeout", "soon"), "soon is no duration"),
        (("--callback-url", NOBODY, "--format", "yaml"), "'yaml' is not one of"),
        (("--client", "true", "--jobs", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_work_is_exit_code_2_and_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    result = run("drill", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert isinstance(result.exception, SystemExit)


# -- lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "trials"),
    [
        (("--callback-url", NOBODY), [step.trial for step in STEPS]),
        (("--client", "no-such-program"), [condition.trial for condition in conditions()]),
    ],
)
def test_what_would_be_tried_is_listed_and_nothing_is(kind: tuple[str, str], trials: list[object]) -> None:
    result = run("drill", *kind, "--list")
    assert result.exit_code == 0
    listed = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert listed == [trial.name for trial in trials]  # type: ignore[attr-defined]


def test_a_list_may_be_cut_by_name_group_and_pattern() -> None:
    only = ("--only", "error-1-*", "--only", "drip", "--only", "success")
    listed = run("drill", "--client", "x", "--list", *only).stdout.splitlines()
    assert [line.split()[0] for line in listed] == [
        *("success:", "accepted", "accepted-text", "accepted-json", "accepted-xml"),
        *("errors:", "error-1-text", "error-1-json", "error-1-xml"),
        *("transport:", "drip"),
    ]


# -- forms ---------------------------------------------------------------------------------------------------


def test_other_forms_go_to_stdout_whole_and_the_progress_to_stderr(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        result = run(
            "drill",
            "--callback-url",
            clerk.url,
            "--only",
            "normal",
            "--only",
            "signature",
            "--format",
            "json",
        )
    told = json.loads(result.stdout)
    assert [entry["name"] for entry in told["entries"]] == ["normal", "signature"]
    assert result.stderr.splitlines() == ["ok        normal", "not run   signature", "1 ok, 1 not run"]


@pytest.mark.parametrize("form", ["text", "json", "junit", "html"])
def test_each_form_is_written_to_a_file(tmp_path: Path, form: str) -> None:
    file = tmp_path / "out" / "x"
    file.parent.mkdir()
    with a_clerk(tmp_path, Fault.CRASHES_ON_WHAT_IT_CANNOT_READ) as clerk:
        result = run(
            "drill",
            "--callback-url",
            clerk.url,
            "--only",
            "malformed-body",
            "--format",
            form,
            "--output",
            str(file),
        )
    assert (result.exit_code, result.stdout) == (1, "")
    content = file.read_text("utf-8")
    if form == "junit":
        assert ET.fromstring(content).get("failures") == "1"  # noqa: S314 - our own
    elif form == "json":
        assert json.loads(content)["counts"]["failed"] == 1
    else:
        assert content.startswith("<!doctype html>" if form == "html" else "FAILED    malformed-body  ")
        assert "1 FAILED" in content or "1 of 1 went wrong" in content


def test_a_terminal_shows_colours_unless_they_are_unwanted(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        arguments = ("drill", "--callback-url", clerk.url, "--only", "normal")
        coloured = CliRunner().invoke(cli, arguments, color=True, env={"NO_COLOR": None}).stdout
        plain = CliRunner().invoke(cli, arguments, color=True, env={"NO_COLOR": "1"}).stdout
    assert coloured.startswith("\x1b[32m\x1b[1mok")
    assert plain == click.unstyle(plain)


def test_the_secret_may_come_from_the_environment(tmp_path: Path) -> None:
    with a_clerk(tmp_path, secret=SECRET) as clerk:
        result = run(
            "drill", "--callback-url", clerk.url, "--only", "signature", PANELSMS_SANDBOX_SECRET=SECRET
        )
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 ok")


# -- the end -------------------------------------------------------------------------------------------------


# A process that is started in the background may have been told to ignore Ctrl-C, and hands that on.
INTERRUPTIBLE = (
    "-c",
    "import signal; from sandbox.cli import main; signal.signal(signal.SIGINT, signal.default_int_handler); main()",
)


def test_ctrl_c_ends_the_drill_and_the_client_that_runs(tmp_path: Path) -> None:
    script = tmp_path / "client.sh"
    script.write_text(
        'curl -s "$PANELSMS_SEND_URL?user=u&apiKey=k&to=%2B1222333444&message=Hi"\n'
        f"[ $PANELSMS_CONDITION = accepted ] || {{ echo $$ >> {tmp_path}/running; exec sleep 60; }}\n"
    )
    os.mkfifo(tmp_path / "running")
    with start("drill", "--client", f"sh {script}", "--only", "reset", program=INTERRUPTIBLE) as process:
        client = int((tmp_path / "running").read_text())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in err) == (1, False)
    with pytest.raises(ProcessLookupError):
        os.kill(client, 0)


def test_the_help_costs_no_drill() -> None:
    program = (
        "import sys; from sandbox.cli import cli\n"
        "try: cli(['drill', '--help'])\n"
        "except SystemExit: print([name for name in sys.modules if name.startswith('sandbox.drills')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.endswith("\n[]\n")
