"""What is released: the wheel and the source archive, opened, and the wheel installed and used."""

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from sandbox import __version__
from sandbox.cli import COMMANDS
from sandbox.contract import error_codes, reading_rows
from tests.command_line import unmeasured

ROOT = Path(__file__).parent.parent
WITHIN_S = 120
DATA = ("contract", "scenarios")


def run(*arguments: str, cwd: Path) -> str:
    """Run a Python of our own kind in *cwd*, unmeasured: what it imports is no file of this checkout."""
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def files_under(folder: str) -> set[str]:
    """Return the files of a folder of this checkout: ``{"contract/openapi.yaml", …}``."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts)
    }


@dataclass(frozen=True, slots=True)
class Release:
    wheel: Path
    source: Path

    @property
    def in_wheel(self) -> set[str]:
        with ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    @property
    def in_source(self) -> set[str]:
        """The files, relative to the archive's one folder."""
        with tarfile.open(self.source) as archive:
            return {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "hatchling", "build", "--directory", str(folder), cwd=ROOT)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Release(wheel, source)


@pytest.fixture(scope="module")
def installed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs, beside no other of our files."""
    folder = tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")
    run(*pip, "--target", str(folder), str(release.wheel), cwd=folder)
    return folder


def use(installed: Path, code: str, *arguments: str) -> str:
    """Run code on the installed package, out of this checkout's reach."""
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); {code}"
    return run("-I", "-c", code, *arguments, cwd=installed.parent)


def top_level(names: Iterable[str]) -> set[str]:
    return {PurePosixPath(name).parts[0] for name in names}


def test_the_wheel_holds_the_package_its_pytest_plugin_and_nothing_beside_them(release: Release) -> None:
    assert top_level(release.in_wheel) == {
        "sandbox",
        "panelsms_sandbox_pytest.py",
        f"panelsms_sandbox-{__version__}.dist-info",
    }


def test_the_wheel_holds_what_pages_are_made_of(release: Release) -> None:
    assert {
        "sandbox/web/inbox/templates/layout.html",
        "sandbox/web/inbox/static/inbox.css",
    } <= release.in_wheel


def test_the_wheel_holds_every_module_and_says_that_they_are_typed(release: Release) -> None:
    assert files_under("sandbox") <= release.in_wheel
    assert "sandbox/py.typed" in release.in_wheel


@pytest.mark.parametrize("folder", DATA)
def test_the_wheel_holds_the_data_whole(release: Release, folder: str) -> None:
    expected = {f"sandbox/_data/{name}" for name in files_under(folder)}
    assert {name for name in release.in_wheel if name.startswith(f"sandbox/_data/{folder}/")} == expected


def test_the_wheel_installs_the_command(release: Release) -> None:
    with ZipFile(release.wheel) as archive:
        entry_points = archive.read(f"panelsms_sandbox-{__version__}.dist-info/entry_points.txt").decode()
    assert "[console_scripts]\npanelsms-sandbox = sandbox.cli:main\n" in entry_points
    assert "[pytest11]\npanelsms_sandbox_pytest = panelsms_sandbox_pytest\n" in entry_points


def test_the_source_archive_builds_the_same_wheel(release: Release, tmp_path: Path) -> None:
    with tarfile.open(release.source) as archive:
        if hasattr(
            tarfile, "data_filter"
        ):  # what Python warns of where it is left open, and does not know before 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)  # noqa: S202 - it is ours, made a moment ago
    (unpacked,) = tmp_path.iterdir()
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path), cwd=unpacked)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.read_bytes() == release.wheel.read_bytes()


def test_the_image_s_build_is_handed_all_that_the_wheel_is_built_from(
    release: Release, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            path = ROOT / line.removeprefix("!")
            copy = shutil.copytree if path.is_dir() else shutil.copy2
            copy(path, source / path.name)
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path), cwd=source)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if "__pycache__" not in name} == release.in_wheel


def test_the_source_archive_holds_the_tests_and_what_they_read(release: Release) -> None:
    read = {"tests/test_release.py", "README.md", "CHANGELOG.md", "scripts/test", "pyproject.toml"}
    assert read <= release.in_source


def test_the_contract_is_read_from_the_installed_wheel(installed: Path) -> None:
    printed = use(
        installed,
        "from sandbox import app, config, contract; "
        "print(contract.CONTRACT, len(contract.error_codes()), len(contract.reading_rows()), "
        "app.build_engine(config.Config()).scenario.name)",
    )
    data = installed / "sandbox" / "_data" / "contract"
    assert printed.split() == [str(data), str(len(error_codes())), str(len(reading_rows())), "default"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_installed_wheel_has_its_help(installed: Path, command: str) -> None:
    printed = use(installed, "from sandbox.cli import main; main()", command, "--help")
    assert printed.startswith(f"Usage: panelsms-sandbox {command} ")


def test_the_codes_are_shown_from_the_installed_wheel(installed: Path) -> None:
    printed = use(installed, "from sandbox.cli import main; main()", "codes")
    assert all(row.description in printed for row in error_codes())
