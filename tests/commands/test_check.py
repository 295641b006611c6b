"""The command ``check``: the mistakes of scenario files, for people, editors and CI."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click
import pytest

from tests.command_line import ROOT, finished, run

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "name: good\n"
BAD = "nam: bad\nrules:\n- when: {sendrId: x}\n  respond: {error: 99}\n"
TOLD = (
    "{}:1:1: name is missing",
    '{}:1:1: there is no key "nam" here: did you mean name?',
    '{}:3:10: when: there is no key "sendrId" here: did you mean senderId?',
    '{}:4:20: error: is "99", wanted: 1 to 15',
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    for name, content in (("good", GOOD), ("bad", BAD), ("worse", "[")):
        (tmp_path / f"{name}.yaml").write_text(content)
    return {path.stem: str(path) for path in tmp_path.iterdir()}


def told(file: str) -> list[str]:
    return [line.format(file) for line in TOLD]


def test_a_file_without_mistakes_is_fine_and_nothing_is_on_stdout(files: dict[str, str]) -> None:
    result = run("check", files["good"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{files['good']}: fine\n")


def test_every_mistake_of_every_file_is_a_line_on_stdout(files: dict[str, str]) -> None:
    result = run("check", files["bad"], files["good"], files["worse"])
    assert result.exit_code == 1
    *first, last = result.stdout.splitlines()
    assert first == told(files["bad"])
    assert last.startswith(f"{files['worse']}:1:2: the file ends where a value is wanted")
    assert result.stderr == f"{files['good']}: fine\n"


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked(
    files: dict[str, str], tmp_path: Path
) -> None:
    result = run("check", str(tmp_path), "nowhere.yaml", files["bad"])
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"Error: {tmp_path} is a directory: name a file in it",
        "Error: there is no file nowhere.yaml",
    ]
    assert result.stdout.splitlines() == told(files["bad"])


def test_a_dash_stands_for_standard_input() -> None:
    for content, code, out, err in (
        (GOOD, 0, "", "<stdin>: fine\n"),
        (BAD, 1, "".join(f"{line}\n" for line in told("<stdin>")), ""),
    ):
        program = [sys.executable, "-m", "sandbox", "check", "-"]
        ended = subprocess.run(program, cwd=ROOT, input=content, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (code, out, err)


def test_where_there_is_no_standard_input_that_is_told() -> None:
    shell = f"{sys.executable} -m sandbox check - <&-"
    ended = subprocess.run(["/bin/sh", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "Error: there is no standard input\n")


def test_the_built_in_scenarios_are_fine() -> None:
    scenarios = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "scenarios").glob("*.yaml"))
    code, out, err = finished("check", *scenarios)
    assert (code, out, err.splitlines()) == (0, "", [f"{path}: fine" for path in scenarios])


def test_without_a_file_there_is_nothing_to_check() -> None:
    result = run("check")
    assert result.exit_code == 2
    assert "Missing argument 'FILE...'" in result.stderr


# -- on a terminal --------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env={**clean, "COLUMNS": str(columns), "LINES": "24", "PYTHONIOENCODING": "utf-8", **environment},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        shown = bytearray()
        with suppress(OSError):  # how Linux says that the other side is closed
            while more := os.read(ours, 4096):
                shown += more
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("name: x\nsed: 1\n", ["    2 | sed: 1", "      | ^"]),
        ("name: x\nseed: no\n", ["    2 | seed: no", "      |       ^"]),
        ("# a\r\n# b\rname: x\r\nseed: no", ["    4 | seed: no", "      |       ^"]),
        ("# a\u2028name: x\nseed: no", ["    3 | seed: no", "      |       ^"]),
        ("{name: 日本語e\u0301, seed: no}", ["    1 | {name: 日本語e\u0301, seed: no}", f"      | {'':22}^"]),
        ("{name: x,\tseed: no}", ["    1 | {name: x, seed: no}", f"      | {'':16}^"]),
        ("{name: \u202e, seed: no}", ["    1 | {name: \ufffd, seed: no}", f"      | {'':16}^"]),
        ("name: \x1b[2J", ["    1 | name: \ufffd[2J", f"      | {'':6}^"]),
        ("x" * 200 + ": 1\nname: x", ["    1 | " + "x" * 72, "      | ^"]),
        ("{name: " + "x" * 200 + ", seed: no}", ["    1 | " + "x" * 27 + ", seed: no}", f"      | {'':35}^"]),
        ("name: x\nrules: [", ["    2 | rules: [", "      |         ^"]),
        ("name: [\n", ["    2 | ", "      | ^"]),
        ("", ["    1 | ", "      | ^"]),
    ],
)
def test_a_terminal_shows_the_place(tmp_path: Path, content: str, shown: list[str]) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content.encode())
    lines = click.unstyle(on_a_terminal("check", str(file))).splitlines()
    assert lines[0].startswith(f"{file}:")
    assert lines[1:3] == shown


def test_a_terminal_shows_colours_unless_they_are_unwanted(files: dict[str, str]) -> None:
    coloured = on_a_terminal("check", files["bad"])
    plain = on_a_terminal("check", files["bad"], NO_COLOR="1")
    assert "\x1b[" in coloured
    assert plain == click.unstyle(coloured)
    assert plain.splitlines()[::3] == told(files["bad"])


def test_octets_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"name: \xff\n")
    lines = click.unstyle(on_a_terminal("check", str(file))).splitlines()
    assert lines[1:] == ["    1 | name: \ufffd", f"      | {'':6}^"]
