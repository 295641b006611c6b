"""The benchmarks' one command: what it can run, and how it answers. What they measure needs a quiet machine, not a test."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import unmeasured

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted(
    path.stem
    for path in (ROOT / "benchmarks").glob("*.py")
    if f"python benchmarks/{path.name} [--quick]" in path.read_text("utf-8")
)


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_command_knows_every_benchmark() -> None:
    told = run("-m", "benchmarks", "--help")
    assert told.returncode == 0
    listed = told.stdout.partition("\nbenchmarks:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in listed) == BENCHMARKS
    assert len(BENCHMARKS) >= 7


def test_a_benchmark_that_there_is_none_of_is_one_clear_line() -> None:
    told = run("-m", "benchmarks", "rulez")
    assert told.returncode == 2
    assert "there is no benchmark rulez: choose from " in told.stderr


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_says_what_it_measures_and_takes_sizes(name: str) -> None:
    told = run(f"benchmarks/{name}.py", "--help")
    assert told.returncode == 0, told.stderr
    assert "small sizes: a look, not a measurement" in told.stdout
    assert "quick: " in told.stdout


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        ("at_least(0.7, 0.7, 'ratio')", "True ratio = 0.70; goal: at least 0.70: reached"),
        ("at_least(0.7, 0.69, 'ratio')", "False ratio = 0.69; goal: at least 0.70: missed"),
        ("at_most(1.5, 1.5, 'ratio')", "True ratio = 1.50; goal: at most 1.50: reached"),
        ("at_most(1.5, 1.51, 'ratio')", "False ratio = 1.51; goal: at most 1.50: missed"),
    ],
)
def test_a_figure_is_held_against_its_goal(verdict: str, line: str) -> None:
    told = run("-c", f"from command import *; print({verdict})", folder=ROOT / "benchmarks")
    said, is_reached = told.stdout.splitlines()
    assert f"{is_reached} {said}" == line
