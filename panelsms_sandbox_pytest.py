"""The pytest plugin of panelsms-sandbox: options, marks and fixtures; what they do is imported when a test asks for one.

It stands beside the package `sandbox`, under a name of its own: where a project has a folder called so, its tests
run as before, and only those that ask for our fixtures are told. (PYTEST_DONT_REWRITE: there are no asserts here.)
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import ModuleType

    from sandbox import Receiver, Sandbox
    from sandbox.kit.receiver import Post

OPTIONS = {
    "scenario": ("NAME|FILE", "the scenario that each test begins with, where no mark says otherwise"),
    "url": ("URL", "a sandbox that runs elsewhere, in place of one that this run starts"),
    "admin-token": ("TOKEN", "the admin token of the sandbox at --sms-url"),
    "callback-host": (
        "NAME",
        "what the sandbox at --sms-url calls this machine, such as host.docker.internal",
    ),
    "seed": ("N", "in place of the scenario's own"),
    "start-at": (
        "TIME",
        "what time it is when a test begins, such as 2024-01-15T10:30:45Z; else the real time",
    ),
    "fail-under-codes": ("N", "fail the run when its tests exercise fewer than N of the 15 error codes"),
}
"""Without their ``--sms-``. Each has a twin in the environment, and one in the ini file."""

MARKS = (
    "sms_scenario(scenario): the scenario of a test: a name, a file, YAML, or the same as a dict",
    "sms_readings(*names): run a test once for each value of each reading named; with no names, of every reading",
)

_loaded: list[ModuleType] = []
"""The module that does it all, once something has asked for it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each with its twins."""
    group = parser.getgroup("sms", "SMS sandbox")
    for name, (metavar, text) in OPTIONS.items():
        twins = f"environment: {_variable(name)}; ini: {_ini(name)}"
        group.addoption(f"--sms-{name}", metavar=metavar, default=None, help=f"{text} ({twins})")
        parser.addini(_ini(name), text, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and what tells of the run at its end."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if not _is_worker(config):
        wanted = _options(config).get("fail-under-codes")
        if wanted is not None and not re.fullmatch("[0-9]|1[0-5]", wanted):
            raise pytest.UsageError(f"--sms-fail-under-codes is a number from 0 to 15, not {wanted}")
        config.pluginmanager.register(_Closing(None if wanted is None else int(wanted)), "sms-closing")


def _is_worker(config: pytest.Config) -> bool:
    """Say whether this is one of the processes among which pytest-xdist deals the tests."""
    return hasattr(config, "workerinput")


def _variable(name: str) -> str:
    return f"PANELSMS_SANDBOX_{name.replace('-', '_').upper()}"


def _ini(name: str) -> str:
    return f"sms_{name.replace('-', '_')}"


def _options(config: pytest.Config) -> dict[str, str]:
    """Return the options that are given: on the command line, else in the environment, else in the ini file."""
    given = {
        name: config.getoption(_ini(name)) or os.environ.get(_variable(name)) or config.getini(_ini(name))
        for name in OPTIONS
    }
    return {name: str(value) for name, value in given.items() if value}


def _kit() -> ModuleType:
    """Return the module that does it all; fail where another package has taken the name of ours."""
    if not _loaded:
        ours = Path(__file__).parent / "sandbox" / "__init__.py"
        spec = find_spec("sandbox")
        there = None if spec is None else spec.origin
        if there is None or not Path(there).samefile(ours):
            pytest.fail(
                f"The fixtures of panelsms-sandbox need its package `sandbox`, but {there or 'a folder'} has that name "
                "and comes first: rename it, or start `panelsms-sandbox serve` and call its HTTP API.",
                pytrace=False,
            )
        _loaded.append(import_module("sandbox.pytest_plugin"))
    return _loaded[0]


# -- fixtures --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sms_sandbox_server(pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    """One sandbox for the whole run, or for each worker of pytest-xdist; tests that use it share its world."""
    with _kit().server(pytestconfig, _options(pytestconfig)) as sandbox:
        yield sandbox


@pytest.fixture
def sms_sandbox(
    request: pytest.FixtureRequest, sms_sandbox_server: Sandbox, _sms_reading: tuple[str, str] | None
) -> Iterator[Sandbox]:
    """A sandbox of the test's own: a session of `sms_sandbox_server`, its clock virtual, ended after the test."""
    with _kit().session(request.node, sms_sandbox_server, _sms_reading) as sandbox:
        yield sandbox


@pytest.fixture
def _sms_reading(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """The one reading that the mark `sms_readings` varies in this run of the test, and its value."""
    reading: tuple[str, str] | None = getattr(request, "param", None)
    return reading


@pytest.fixture(params=range(1, 16), ids="ERROR_{}".format)
def sms_error_code(request: pytest.FixtureRequest, sms_sandbox: Sandbox) -> int:
    """Each of the error codes in turn: the next valid send of the test is answered with it."""
    code: int = request.param
    sms_sandbox.when().respond(error=code, times=1)
    return code


@pytest.fixture(scope="session")
def _sms_post(pytestconfig: pytest.Config) -> Iterator[Post]:
    """Where the reports of all tests arrive."""
    with _kit().post(_options(pytestconfig)) as post:
        yield post


@pytest.fixture
def dlr_receiver(_sms_post: Post) -> Iterator[Receiver]:
    """A receiver of delivery reports with a URL of its own."""
    with _kit().receiver(_sms_post) as receiver:
        yield receiver


# -- hooks -----------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each reading that it asks for; what is wrong with that, the next hook says."""
    if metafunc.definition.get_closest_marker("sms_readings"):
        with suppress(pytest.fail.Exception):
            _kit().vary_readings(metafunc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what is wrong with options and marks before the first test; a worker's tests say it one by one."""
    if _is_worker(config):
        return
    ours = [item for item in items if "sms_sandbox_server" in getattr(item, "fixturenames", ())]
    marked = [item for item in items if any(map(item.get_closest_marker, ("sms_scenario", "sms_readings")))]
    if ours or marked:
        try:
            wrong = dict.fromkeys(_kit().mistakes(config, _options(config), marked))
        except pytest.fail.Exception as mistake:
            wrong = {str(mistake): None}
        if wrong:
            raise pytest.UsageError("\n".join(wrong))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a report carry what the test's sandbox has seen: where it failed as text, in any case as counts."""
    report = yield
    for module in _loaded:
        module.complete(report, item)
    return report


class _Closing:
    """What a run has exercised: told at its end, and held against what was asked for."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self._seen: list[dict[str, Any]] = []

    @property
    def _is_short(self) -> bool:
        codes = {code for seen in self._seen for code in seen["codes"]}
        return self._wanted is not None and len(codes) < self._wanted

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report carries; with pytest-xdist it comes from another process."""
        self._seen += getattr(report, "sms_exercised", ())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that has exercised fewer error codes than it was to."""
        if (
            self._is_short
            and session.exitstatus == pytest.ExitCode.OK
            and not session.config.option.collectonly
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what the run has exercised, where a test has used a sandbox."""
        if self._seen:
            for line in _kit().closing_lines(self._seen):
                terminalreporter.write_line(line)
        if self._is_short:
            terminalreporter.write_line(
                f"FAIL: fewer SMS error codes were exercised than the {self._wanted} of --sms-fail-under-codes",
                red=True,
            )
