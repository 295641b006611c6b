"""What the fixtures and marks of the pytest plugin do: servers, sessions, receivers, and what is told of them.

The plugin itself is `panelsms_sandbox_pytest`, which imports this when a test first needs it.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
from collections.abc import Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from itertools import count
from os import PathLike
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from sandbox import contract, sources
from sandbox.clock import VirtualClock
from sandbox.core.times import rfc3339
from sandbox.embedded import Sandbox
from sandbox.errors import ConfigError, SandboxError
from sandbox.kit.account import account
from sandbox.kit.choosing import choice_of, is_yaml, moment_of
from sandbox.kit.control import Control, ControlError, unreachable
from sandbox.kit.exercised import Exercised
from sandbox.kit.receiver import Post, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sandbox.kit.choosing import Scenario

REACH_S: Final = 10.0
"""How long the sandbox at ``--sms-url`` may take to say that it is there."""

Options = Mapping[str, str]
"""Those of the run that are given, without their ``--sms-``."""


class _Counted(Sandbox):
    """A sandbox that counts what it has met before it forgets it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.exercised = Exercised()

    def count(self) -> Exercised:
        """Return what it has met so far."""
        requests = self.requests
        # Most tests ask for no reports, and each look at the sandbox takes its share of a test's time.
        is_reported = any("confirmation" in request.parameters for request in requests)
        self.exercised.note(requests, self.callbacks if is_reported else (), self.readings)
        return self.exercised

    def reset(self) -> None:
        """Let everything be as at the beginning, but for what is counted."""
        self.count()
        super().reset()


class _Run:
    """What the tests of this process share."""

    def __init__(self, options: Options, config: pytest.Config) -> None:
        self.options = options
        self.url = options.get("url")
        folders = [config.invocation_params.dir, config.rootpath]
        self.scenario = _found(options.get("scenario", "default"), folders)
        # All tests begin at the same moment, so that it can be told and given again.
        self.start_at = rfc3339(moment_of(options.get("start-at")) or VirtualClock().now())
        seed = options.get("seed")
        if seed is not None and not re.fullmatch("[0-9]{1,18}", seed):
            raise ConfigError(f"--sms-seed is a whole number, not {seed}")
        if seed is not None and self.url is not None:
            raise ConfigError(
                "--sms-seed is for a sandbox that this run starts, not for the one at --sms-url"
            )
        self.seed = None if seed is None else int(seed)
        self.exercised: list[Exercised] = []
        self._numbers = count(1)

    def sandbox(self) -> _Counted:
        """Return the sandbox of all tests, not yet served."""
        if self.url is not None:
            return _Counted.at(self.url, token=self.options.get("admin-token"))
        return _Counted(self.scenario, start_at=self.start_at, seed=self.seed)

    def name(self, item: pytest.Item) -> str:
        """Return the name of a test's session, which no other run has that uses the same sandbox."""
        mine = "" if self.url is None else f"{socket.gethostname()[:15]}-{os.getpid()}-"
        return re.sub("[^A-Za-z0-9._-]+", "-", f"{mine}{item.name[:25]}-{next(self._numbers)}")

    def beginning(self, scenario: Scenario | None) -> dict[str, Any]:
        """Return how a session begins where that is not as the sandbox of all tests does."""
        if self.url is None:
            return {} if scenario is None else {"scenario": scenario}
        if scenario is None and "scenario" in self.options:
            scenario = self.scenario
        return {"scenario": scenario, "clock": "virtual", "start_at": self.start_at}

    def account(self, world: _Counted, item: pytest.Item) -> str:
        """Return what a test's sandbox has seen, and the command that runs the test as it was run."""
        try:
            told, seed = account(world), world.scenario["seed"]
        except SandboxError as error:
            return str(error)
        options = {**self.options, "start-at": self.start_at}
        if self.url is None:
            options["seed"] = seed
        options = {name: options[name] for name in options if name not in {"fail-under-codes", "admin-token"}}
        again = ["pytest", item.nodeid, *(f"--sms-{name}={value}" for name, value in options.items())]
        return f"{told}\nagain: {shlex.join(again)}"


_RUN: Final = pytest.StashKey[_Run]()
_WORLDS: Final = pytest.StashKey[list[_Counted]]()
"""Those that a test is using."""


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Fail with what is wrong, and without the way to it through this package."""
    try:
        yield
    except SandboxError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


# -- fixtures --------------------------------------------------------------------------------------


@contextmanager
def server(config: pytest.Config, options: Options) -> Iterator[Sandbox]:
    """Serve the sandbox of all tests while the block runs, or ask the one that runs elsewhere."""
    with _told_plainly():
        run = _Run(options, config)
        sandbox = run.sandbox().start()
    config.stash[_RUN] = run
    try:
        yield sandbox
    finally:
        if run.url is None:
            with suppress(SandboxError):  # a test has stopped it
                run.exercised.append(sandbox.count())
        sandbox.stop()


@contextmanager
def session(item: pytest.Item, sandbox: _Counted, reading: tuple[str, str] | None) -> Iterator[Sandbox]:
    """Give a test a session of *sandbox*, as its marks have it, with one *reading* in place where it varies one."""
    run = item.config.stash[_RUN]
    with _told_plainly():
        _readings_of(item)  # what is wrong with the mark is told here where nobody was asked before
        world = sandbox.session(
            run.name(item), **run.beginning(_scenario_of(item)), readings=dict([reading] if reading else ())
        )
        if run.url is not None:
            world.reset()  # a run that was killed may have left one of that name
    item.stash[_WORLDS] = [world]
    try:
        yield world
    finally:
        with _told_plainly():
            run.exercised.append(world.count())
            world.stop()


@contextmanager
def post(options: Options) -> Iterator[Post]:
    """Take in the reports of all tests while the block runs, where the sandbox can reach this machine."""
    called = options.get("callback-host")
    with _told_plainly(), Post(_own_address(options), called=called) as there:
        yield there


@contextmanager
def receiver(there: Post) -> Iterator[Receiver]:
    """Give a test a receiver of reports."""
    one = Receiver()
    there.deliver_to(one)
    try:
        yield one
    finally:
        there.forget(one)


def _own_address(options: Options) -> str:
    """Return the address of this machine that the sandbox can reach."""
    if "callback-host" in options:
        return "0.0.0.0"  # noqa: S104 - the user has named a way in from outside
    if "url" not in options:
        return "127.0.0.1"
    parts = urlsplit(options["url"])
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10) as connection:
            return str(connection.getsockname()[0])
    except OSError as error:
        raise unreachable(options["url"], error) from None


# -- marks and options -----------------------------------------------------------------------------


def vary_readings(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each reading that its mark asks for; what is wrong with the mark, `check` says."""
    try:
        readings = _readings_of(metafunc.definition)
    except SandboxError:
        return
    if "_sms_reading" in metafunc.fixturenames:
        ids = [f"{name}={value}" for name, value in readings]
        metafunc.parametrize("_sms_reading", readings, ids=ids, indirect=True)


def mistakes(config: pytest.Config, options: Options, tests: Iterable[pytest.Item]) -> Iterator[str]:
    """Yield what is wrong with the options, and with the marks of each test."""
    try:
        run = _Run(options, config)
        _check(run.scenario)
        if run.url is not None:
            _check_there(run.url, options.get("admin-token"))
    except SandboxError as error:
        yield str(error)
    for test in tests:
        try:
            _check(_scenario_of(test))
            _readings_of(test)
        except SandboxError as error:
            yield f"{test.nodeid.partition('[')[0]}: {error}"


def _check_there(url: str, token: str | None) -> None:
    """Raise a SandboxError unless a sandbox answers at *url*, and to us."""
    with closing(Control(url, token=token, timeout_s=REACH_S)) as control:
        control.get("health")
        try:
            control.get("clock")
        except ControlError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            wrong = "wants its admin token" if token is None else "has another admin token"
            raise ConfigError(
                f"the sandbox at {url} {wrong}: give it by --sms-admin-token or PANELSMS_SANDBOX_ADMIN_TOKEN"
            ) from None


def _check(scenario: Scenario | None) -> None:
    if scenario is not None and not (isinstance(scenario, str) and scenario in sources.builtin_names()):
        choice_of(scenario, {})


def _scenario_of(test: pytest.Item) -> Scenario | None:
    mark = test.get_closest_marker("sms_scenario")
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], str | PathLike | Mapping):
        raise ConfigError(
            "the mark sms_scenario takes one scenario: a name, a file, YAML, or the same as a dict"
        )
    return _found(mark.args[0], [test.path.parent, test.config.rootpath])


def _found(scenario: Scenario, folders: Iterable[Path]) -> Scenario:
    """Return a scenario; a file is looked for in *folders*."""
    if isinstance(scenario, Mapping) or (
        isinstance(scenario, str) and (is_yaml(scenario) or scenario in sources.builtin_names())
    ):
        return scenario
    return next((path for folder in folders if (path := folder / scenario).is_file()), scenario)


def _readings_of(test: pytest.Item) -> list[tuple[str, str]]:
    """Return each reading that the marks name, with each of its values."""
    rows = {row.id: row for row in contract.reading_rows()}
    chosen: dict[str, None] = {}
    for mark in test.iter_markers("sms_readings"):
        if mark in test.own_markers and "sms_sandbox" not in getattr(test, "fixturenames", ()):
            raise ConfigError("the mark sms_readings is for tests that use the fixture sms_sandbox")
        if mark.kwargs or not all(isinstance(name, str) for name in mark.args):
            raise ConfigError('the mark sms_readings takes names of readings alone: "errors", "dlr_format"')
        for name in set(mark.args) - rows.keys():
            contract.check_reading(name, "")
        chosen |= dict.fromkeys(mark.args or rows)
    return [(name, value) for name in chosen for value in rows[name].values]


# -- what is told ----------------------------------------------------------------------------------


def complete(report: pytest.TestReport, item: pytest.Item) -> None:
    """Let a report carry what the test's sandbox has seen: where it failed as text, in any case as counts."""
    run = item.config.stash.get(_RUN, None)
    if run is None:
        return
    if report.failed and report.when != "teardown":
        for world in item.stash.get(_WORLDS, ()):
            report.sections.append(("SMS sandbox", run.account(world, item)))
    if report.when == "teardown" and run.exercised:
        # An attribute that JSON can carry comes through pytest-xdist.
        vars(report)["sms_exercised"] = [each.to_json() for each in run.exercised]
        run.exercised.clear()


def closing_lines(seen: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what a run tells at its end of all that its reports have carried."""
    total = Exercised()
    for each in seen:
        total.add(**each)
    return total.lines()
