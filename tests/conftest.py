"""What all tests share: how hypothesis runs, and which event loop asynchronous tests run on."""

import os

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("continuous-integration", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("continuous-integration" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
