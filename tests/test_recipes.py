"""The recipes, each copied to a folder of its own and run there, as users do who copy one."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.app import create_app
from sandbox.client import Client
from sandbox.serving import serving
from tests.command_line import NOBODY, unmeasured

RECIPES = Path(__file__).parents[1] / "recipes"
WITHIN_S = 120

# Schemathesis is our own: users' runs are spared what it imports.
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-W",
    "error",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:schemathesis",
)
RUN_BY: dict[str, tuple[str, ...]] = {
    "test_requests.py": PYTEST,
    "test_httpx.py": PYTEST,
    "test_aiohttp.py": PYTEST,
    "test_django.py": PYTEST,
    "test_fastapi.py": PYTEST,
    "test_unittest.py": (sys.executable, "-W", "error", "-m", "unittest", "-v"),
    "sms.test.mjs": ("node", "--test"),
    "sms_test.php": ("php",),
    "sms_test.sh": ("sh",),
    "SmsTest.java": ("java",),
}
ALSO_NEEDED = {"sh": "curl", "java": "javac"}
"""By the program that runs a recipe; without its compiler Java runs no source file."""
IN_PYTHON = [name for name in RUN_BY if name.endswith(".py")]
PASSED = re.compile(r"^ok |^(?:test_\w+ .*\.\.\. ok)$|(?<=\n)([0-9]+) passed", re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A sandbox that serves all recipes, as one does that somebody has started by hand."""
    with serving(create_app()) as url:
        yield url


def run(
    names: list[str], folder: Path, url: str | None, program: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    """Run recipes as users do, who have neither our configuration nor our environment."""
    for needed in (program[0], ALSO_NEEDED.get(program[0], program[0])):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed here; scripts/test installs it when it may")
    for name in names:
        shutil.copy(RECIPES / name, folder)
    ours = ("PANELSMS_SANDBOX_", "PYTEST_")
    environment = {
        key: value
        for key, value in unmeasured().items()
        if not key.startswith(ours) and not key.lower().endswith("_proxy")
    }
    return subprocess.run(
        [*program, *names],
        cwd=folder,
        env=environment if url is None else {**environment, "PANELSMS_SANDBOX_URL": url},
        capture_output=True,
        encoding="utf-8",
        timeout=WITHIN_S,
        check=False,
    )


def passed(result: subprocess.CompletedProcess[str]) -> int:
    """Return how many tests a run has passed, by what it prints of them."""
    return sum(int(found or 1) for found in PASSED.findall(f"\n{result.stdout}\n{result.stderr}"))


def test_every_recipe_is_run_here() -> None:
    assert {path.name for path in RECIPES.iterdir() if path.is_file()} == set(RUN_BY)


@pytest.mark.parametrize("name", RUN_BY)
def test_a_recipe_passes_and_leaves_nothing_behind(name: str, server: str, tmp_path: Path) -> None:
    result = run([name], tmp_path, server, RUN_BY[name])
    assert result.returncode == 0, result.stdout + result.stderr
    assert passed(result) >= 3
    assert Client(server).control("sessions")["sessions"] == []


def test_the_recipes_in_python_need_no_server(tmp_path: Path) -> None:
    result = run(IN_PYTHON, tmp_path, None, PYTEST)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", [name for name in RUN_BY if name not in IN_PYTHON])
def test_a_recipe_fails_where_nobody_answers(name: str, tmp_path: Path) -> None:
    result = run([name], tmp_path, NOBODY, RUN_BY[name])
    assert result.returncode != 0
    assert passed(result) == 0
