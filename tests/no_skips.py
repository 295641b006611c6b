"""A pytest plugin for runs that must be whole: a test skipped, deselected or expected to fail is a failure.

Loaded by name: ``pytest -p tests.no_skips``.
"""

import pytest

_LEFT_OUT = ("skipped", "deselected", "xfailed", "xpassed")


def _left_out(config: pytest.Config) -> dict[str, int]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if isinstance(reporter, pytest.TerminalReporter) else {}
    return {kind: len(stats[kind]) for kind in _LEFT_OUT if stats.get(kind)}


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := _left_out(config):
        counts = ", ".join(f"{count} {kind}" for kind, count in left_out.items())
        terminalreporter.section("not everything was run", red=True)
        terminalreporter.line(f"This run must be whole, and had {counts}.")
