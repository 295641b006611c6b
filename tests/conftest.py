"""What all tests share: how hypothesis runs, which event loop asynchronous tests run on, and what is measured."""

import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from hypothesis import settings

import sandbox

settings.register_profile("here", deadline=None)
settings.register_profile("continuous-integration", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("continuous-integration" if os.environ.get("CI") else "here")

# What coverage has set to measure this thread, if it has.
_measure = sys.gettrace()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


# -- what is measured ----------------------------------------------------------------------------------------
# A measured line of Python takes two to three times as long, also where it is none of ours: so pytest itself, which
# reads, rewrites and collects thousands of tests, goes unmeasured. Tests and their fixtures are measured.


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
    # Modules of tests are imported while nothing is measured, and what they import with them.
    for module in pkgutil.walk_packages(sandbox.__path__, "sandbox."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    with _traced(is_on=False):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Iterator[None]:
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
