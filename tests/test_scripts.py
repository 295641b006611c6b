"""The scripts: when they set up what, and that a run which must be whole is one.

Environments, apt-get and sudo are stand-ins that write down how they were called.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WITHIN_S = 60


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


# -- setting up ----------------------------------------------------------------------------------------------


class Checkout:
    """A checkout whose environment is there and only writes down what it is asked to install."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "checkout"
        shutil.copytree(ROOT / "scripts", self._folder / "scripts")
        self.requires("click")
        self.venv = folder / "some where"
        program(self.venv / "bin" / "python", 'case $2 in pip) echo "$*" >>"$(dirname "$0")/../asked";; esac')
        program(self.venv / "bin" / "panelsms-sandbox", 'printf "%s\\n" "$*" "$(pwd)"')

    def requires(self, distribution: str) -> None:
        (self._folder / "pyproject.toml").write_text(f'dependencies = ["{distribution}"]\n')

    def serve(self, *arguments: str, venv: Path | None = None) -> subprocess.CompletedProcess[str]:
        script = self._folder / "scripts" / "serve"
        return run(str(script), *arguments, cwd=self.venv, VENV=str(venv or self.venv))

    def installs(self) -> int:
        """Return how often pip was asked to install the checkout, each time the whole of it."""
        asked = self.venv / "asked"
        lines = asked.read_text().splitlines() if asked.exists() else []
        assert all(line.startswith("-m pip install ") and line.endswith(f" {self._folder}") for line in lines)
        return len(lines)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_serve_installs_the_checkout_once(checkout: Checkout) -> None:
    assert [checkout.serve().returncode for _ in range(3)] == [0, 0, 0]
    assert checkout.installs() == 1


def test_serve_installs_anew_when_the_dependencies_have_changed(checkout: Checkout) -> None:
    checkout.serve()
    checkout.requires("click>=8")
    checkout.serve()
    checkout.serve()
    assert checkout.installs() == 2


def test_serve_installs_anew_after_an_installation_that_failed(checkout: Checkout) -> None:
    working = (checkout.venv / "bin" / "python").read_text()
    program(checkout.venv / "bin" / "python", "case $2 in pip) exit 1;; esac")
    failed = checkout.serve()
    program(checkout.venv / "bin" / "python", working)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "pip could not install the package" in failed.stderr
    assert checkout.serve().returncode == 0
    assert checkout.installs() == 1


def test_serve_hands_its_arguments_on_and_says_nothing_on_stdout(checkout: Checkout) -> None:
    """Where the caller stands stays where the server does, so that its files are found."""
    served = checkout.serve("--port", "0", "--reading", "errors=envelope")
    assert served.stdout.splitlines() == [
        "serve --port 0 --reading errors=envelope",
        str(checkout.venv.resolve()),
    ]


def test_the_environment_may_be_named_relative_to_where_the_caller_stands(checkout: Checkout) -> None:
    assert checkout.serve(venv=Path("../some where")).returncode == 0
    assert checkout.installs() == 1


# -- Debian packages -----------------------------------------------------------------------------------------


def apt_install(folder: Path, *, uid: int, sudo: bool, apt: bool = True) -> tuple[int, str, str]:
    """Ask for two packages; return the exit code, what was run as root, and what was said."""
    commands = folder / "bin"
    called = folder / "called"
    called.touch()
    program(commands / "id", f"echo {uid}")
    program(commands / "sudo", f'[ "$1" = -n ] || exit 9; shift; {"exec" if sudo else "exit 1;"} "$@"')
    if apt:
        program(commands / "apt-get", f'echo "apt-get $*" >>"{called}"')
    for needed in ("env", "true", "sh"):
        (commands / needed).symlink_to(shutil.which(needed) or needed)
    bash = shutil.which("bash") or "bash"
    script = f'set -euo pipefail; . "{ROOT}/scripts/environment.sh"; apt_install php-cli nodejs'
    done = run(bash, "-c", script, "scripts/test", PATH=str(commands))
    return done.returncode, called.read_text(), done.stderr


INSTALLED = "apt-get update -qq\napt-get install -qq --no-install-recommends php-cli nodejs\n"


@pytest.mark.parametrize(("uid", "sudo"), [(0, False), (0, True), (1000, True)])
def test_packages_are_installed_by_root_and_by_a_sudo_that_asks_nothing(
    tmp_path: Path, *, uid: int, sudo: bool
) -> None:
    assert apt_install(tmp_path, uid=uid, sudo=sudo)[:2] == (0, INSTALLED)


def test_packages_that_may_not_be_installed_are_named_with_the_command_that_would(tmp_path: Path) -> None:
    code, called, said = apt_install(tmp_path, uid=1000, sudo=False)
    assert (code, called) == (1, "")
    assert said.endswith("please run: sudo apt-get install php-cli nodejs\n")


def test_packages_are_named_where_there_is_no_apt_get(tmp_path: Path) -> None:
    code, _, said = apt_install(tmp_path, uid=0, sudo=False, apt=False)
    assert code == 1
    assert "missing here: php-cli nodejs; there is no apt-get" in said


# -- a run that must be whole --------------------------------------------------------------------------------

WHOLE = "def test_it(): pass\n"


@pytest.mark.parametrize(
    ("module", "options", "said"),
    [
        ("@pytest.mark.skip\ndef test_it(): pass", (), "1 skipped"),
        ("pytest.skip('not here', allow_module_level=True)", (), "1 skipped"),
        ("@pytest.mark.xfail\ndef test_it(): assert False", (), "1 xfailed"),
        ("@pytest.mark.xfail\ndef test_it(): pass", (), "1 xpassed"),
        ("def test_other(): pass", ("-k", "whole"), "1 deselected"),
    ],
)
def test_a_run_that_leaves_something_out_fails(
    tmp_path: Path, module: str, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "test_whole.py").write_text(WHOLE)
    (tmp_path / "test_left_out.py").write_text(f"import pytest\n{module}\n")
    done = pytest_in(tmp_path, *options)
    assert f"This run must be whole, and had {said}." in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_run_that_leaves_nothing_out_passes(tmp_path: Path) -> None:
    (tmp_path / "test_whole.py").write_text(WHOLE)
    done = pytest_in(tmp_path)
    assert "must be whole" not in done.stdout
    assert done.returncode == pytest.ExitCode.OK


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    pytest_alone = ("-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.no_skips", "-c", os.devnull)
    return run(
        *(sys.executable, *pytest_alone, "--rootdir", str(folder), str(folder), *options),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",  # what others bring costs more than the run
    )
