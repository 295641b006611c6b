"""Whether the sandbox serves, and starting afresh."""

import pytest

from sandbox import __version__
from tests.web.control.client import Client
from tests.worlds import REPORTED

pytestmark = pytest.mark.anyio


async def test_health_of_a_sandbox_that_has_done_nothing(client: Client) -> None:
    assert await client.shown("health") == {
        "status": "ok",
        "version": __version__,
        "scenario": "test",
        "clock": {"now": "2024-01-15T12:00:00Z", "mode": "virtual", "nextDue": None},
        "counts": {
            "messages": 0,
            "requests": 0,
            "callbacks": 0,
            "due": 0,
            "callbacksUnfinished": 0,
            "messagesDropped": 0,
        },
    }


async def test_health_counts(client: Client) -> None:
    await client.submit()
    await client.submit(to="recipient")
    health = await client.shown("health")
    assert (health["counts"]["messages"], health["counts"]["requests"], health["counts"]["due"]) == (1, 2, 1)
    assert health["clock"]["nextDue"] == "2024-01-15T12:00:01Z"


async def test_reset_is_as_just_started(client: Client) -> None:
    fresh = await client.shown("health")
    rules = (await client.shown("scenario"))["rules"]
    await client.submit(**REPORTED)
    await client.submit(to="recipient")
    await client.done("POST", "rules", {"respond": {"error": 7}}, status=201)
    await client.done("POST", "clock/advance", {"by": "1h"})
    await client.done("PUT", "clock", {"mode": "x60"})
    await client.done("PUT", "scenario", {"name": "happy-path"})
    assert await client.done("POST", "reset") == {"reset": True, "scenario": "test"}
    assert await client.shown("health") == fresh
    assert (await client.shown("scenario"))["rules"] == rules
    assert await client.submit() == "OK_1000001"
    assert (await client.shown("messages/latest"))["id"] == "m1"
