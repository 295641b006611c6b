"""What the tests of the test kit share: one sandbox for all, a session and a receiver of reports for each."""

from collections.abc import Iterator
from itertools import count

import pytest

from sandbox import Receiver, Sandbox
from sandbox.kit.receiver import Post
from tests.worlds import NOON

_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    """A sandbox whose clock begins at noon."""
    with Sandbox(start_at=NOON) as sandbox:
        yield sandbox


@pytest.fixture
def sms(server: Sandbox) -> Iterator[Sandbox]:
    with server.session(f"test-{next(_numbers)}") as session:
        yield session


@pytest.fixture(scope="session")
def post() -> Iterator[Post]:
    with Post() as post:
        yield post


@pytest.fixture
def dlr(post: Post) -> Iterator[Receiver]:
    receiver = Receiver()
    post.deliver_to(receiver)
    yield receiver
    post.forget(receiver)
