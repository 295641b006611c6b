"""What all tests share: how hypothesis runs, and which event loop asynchronous tests run on."""

import os
import sys

import pytest
from hypothesis import settings

from tests import measured

settings.register_profile("here", deadline=None)
settings.register_profile("continuous-integration", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("continuous-integration" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    if sys.gettrace() is not None:
        config.pluginmanager.register(measured)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
