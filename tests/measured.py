"""A pytest plugin for runs under coverage: measures the tests and their fixtures, not pytest itself.

A measured line of Python takes two to three times as long, also where it is none of ours, and pytest reads, rewrites,
collects and tells of thousands of tests. Where nothing measures this thread by `sys.settrace`, it has no part.
"""

import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest

import sandbox

_measure = sys.gettrace()


@contextmanager
def _traced(*, is_on: bool) -> Iterator[None]:
    """Measure this thread, or do not, while the block runs; other threads go on as they are."""
    before = sys.gettrace()
    sys.settrace(_measure if is_on else None)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    # Here, while it is measured: modules of tests import it while nothing is.
    for module in pkgutil.walk_packages(sandbox.__path__, "sandbox."):
        if module.name != "sandbox.__main__":
            import_module(module.name)
    with _traced(is_on=False):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop() -> Iterator[None]:
    # Where xdist runs the tests elsewhere, this process only hears of them.
    with _traced(is_on=False):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup() -> Iterator[None]:
    with _traced(is_on=True):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call() -> Iterator[None]:
    with _traced(is_on=True):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    with _traced(is_on=True):
        return (yield)
