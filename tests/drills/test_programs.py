"""Commands of the user's: read without a shell, bounded in what they print, and ended when they do not end."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.drills.programs import LONGEST_OUTPUT, Command, Ended, Runner
from sandbox.errors import ConfigError


def ran(line: str, timeout_s: float = 10, **variables: str) -> Ended:
    with Runner() as runner:
        return runner.run(Command.read("--client", line), variables, timeout_s)


def test_a_command_is_split_as_a_shell_would_and_no_shell_reads_it() -> None:
    assert ran("printf '%s|' a 'b c' '$HOME' '*' ';' '&&'").out == "a|b c|$HOME|*|;|&&|"


def test_the_drill_s_own_variables_stand_in_words_and_in_the_environment() -> None:
    ended = ran("sh -c 'printf %s:$1:$WHERE $0' '${WHERE}/x' $WHERE.$OTHER", WHERE="http://x")
    assert ended.out == "http://x/x:http://x.$OTHER:http://x"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "--client is empty: name a program and its arguments"),
        ("''", "--client is empty: name a program and its arguments"),
        ("sh 'x", "--client sh 'x: no closing quotation"),
        (
            "no-such-program --x",
            "--client: there is no program no-such-program; no shell reads the command: where you need one, write sh -c '…'",
        ),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Command.read("--client", line)
    assert str(caught.value) == complaint


def test_a_file_that_is_no_program_is_told(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x00\x01")
    program.chmod(0o755)
    with pytest.raises(ConfigError, match=r"--client: cannot run .*: Exec format error"):
        ran(str(program))


def test_exit_codes_and_both_streams_are_kept() -> None:
    ended = ran("sh -c 'echo out; echo err >&2; exit 7'")
    assert (ended.exit_code, ended.out, ended.err) == (7, "out\n", "err\n")


def test_a_signal_is_a_negative_exit_code() -> None:
    assert ran("sh -c 'kill -9 $$'").exit_code == -9


def test_a_command_that_does_not_end_is_ended() -> None:
    ended = ran("sh -c 'echo begun; sleep 60'", timeout_s=0.5)
    assert (ended.exit_code, ended.out) == (None, "begun\n")


def test_what_a_command_has_started_is_ended_with_it(tmp_path: Path) -> None:
    """A pipe ends when the last that holds it does."""
    os.mkfifo(tmp_path / "held")
    with ThreadPoolExecutor() as pool:
        end = pool.submit((tmp_path / "held").read_text)
        ran(f"sh -c 'sleep 30 > {tmp_path}/held & sleep 30'", timeout_s=1)
        assert end.result(timeout=10) == ""


def test_what_a_command_leaves_running_holds_up_nothing() -> None:
    ended = ran("sh -c 'sleep 60 & echo done'")
    assert (ended.exit_code, ended.out) == (0, "done\n")
    assert ended.took_ms < 5000


def test_there_is_nothing_to_read_on_standard_input() -> None:
    assert ran("cat").out == ""


def test_output_is_kept_up_to_a_bound() -> None:
    assert ran("head -c 1000000 /dev/zero").out == "\0" * LONGEST_OUTPUT


@pytest.mark.parametrize(
    ("octets", "is_text"),
    [(b"C\xc3\xb3digo", True), (b"\xff", False), (b"a" * (LONGEST_OUTPUT - 1) + "ó".encode(), True)],
)
def test_octets_that_are_no_text_are_said_to_be_none(tmp_path: Path, octets: bytes, *, is_text: bool) -> None:
    (tmp_path / "octets").write_bytes(octets)
    ended = ran(f"cat {tmp_path}/octets")
    assert ended.is_text is is_text
    assert ended.out.startswith("\\xff" if octets == b"\xff" else octets[:1].decode())


def test_at_the_end_of_the_block_nothing_is_left_running_and_nobody_goes_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "running")
    command = Command.read("--x", f"sh -c 'echo $$ > {tmp_path}/running; exec sleep 60'")
    with ThreadPoolExecutor() as pool:
        with Runner() as runner:
            run = pool.submit(runner.run, command, {}, 60)
            process_id = int((tmp_path / "running").read_text())
        with pytest.raises(ConfigError, match="it is over"):
            run.result(timeout=10)
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_after_the_block_nothing_is_begun() -> None:
    with Runner() as runner:
        pass
    with pytest.raises(ConfigError, match="it is over"):
        runner.run(Command.read("--x", "true"), {}, 1)


def test_a_command_says_itself_as_it_would_be_typed() -> None:
    assert str(Command.read("--x", f"{sys.executable}  -c 'a b'")) == f"{sys.executable} -c 'a b'"
