"""A client of one application's control API, and the world behind it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette

from sandbox.app import create_app
from sandbox.carrier import Arrived, Lost, Parcel
from sandbox.clock import Clock, VirtualClock
from sandbox.config import Config
from sandbox.core.scenario import Scenario
from sandbox.engine import Engine
from sandbox.sources import Source, written
from tests.worlds import NOON, VALID, FakeCarrier, World

PATH = "/sendMtSms.php"


class Client(httpx.AsyncClient):
    """Calls the endpoint and the control API of one application."""

    app: Starlette
    world: World

    async def send(self, *arguments: Any, **more: Any) -> httpx.Response:  # what httpx itself calls
        return await super().send(*arguments, **more)

    async def submit(self, **parameters: str) -> str:
        return (await self.get(PATH, params={**VALID, **parameters})).text

    async def shown(self, path: str, **query: Any) -> Any:
        """Return what a GET shows."""
        return await self.done("GET", path, query=query)

    async def done(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> Any:
        """Return the answer of what must work."""
        answer = await self.request(method, f"/_sandbox/{path}", params=query, json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()

    async def problem(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Return the problem that must be the answer."""
        answer = await self.request(method, f"/_sandbox/{path}", params=query, json=body)
        return problem_in(answer)

    async def refused(self, method: str, path: str, status: int, body: Any = None, **query: Any) -> str:
        """Return the detail of the problem that must be the answer."""
        problem = await self.problem(method, path, body, **query)
        assert problem["status"] == status, problem
        detail = problem["detail"]
        assert isinstance(detail, str)
        return detail


def problem_in(answer: httpx.Response) -> Any:
    """Return the problem document that an answer must be."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem


def carrying(parcel: Parcel) -> Arrived | Lost:
    """Let every report arrive, unless its URL says otherwise."""
    return Lost("connection refused", 2) if "lost" in parcel.url else Arrived(204, 3)


@asynccontextmanager
async def talking(
    scenario: Scenario | Source | str | None = None,
    *,
    config: Config | None = None,
    clock: Clock | None = None,
    carrier: FakeCarrier | None = None,
) -> AsyncIterator[Client]:
    """Give a client of a sandbox at noon; a scenario may be given as YAML."""
    if isinstance(scenario, str):
        scenario = written(scenario)
    clock, carrier = clock or VirtualClock(NOON), carrier or FakeCarrier(carrying)
    app = create_app(config, scenario=scenario or Scenario(name="test"), clock=clock, carrier=carrier)
    engine = app.state.engine
    assert isinstance(engine, Engine)
    async with Client(transport=httpx.ASGITransport(app), base_url="http://sandbox") as client:
        client.app = app
        if isinstance(clock, VirtualClock):
            client.world = World(engine, clock, carrier)
        yield client
