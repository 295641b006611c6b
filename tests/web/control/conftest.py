"""What the tests of the control API share."""

from collections.abc import AsyncIterator

import pytest

from tests.web.control.client import Client, talking


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with talking() as client:
        yield client
