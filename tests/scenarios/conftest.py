"""What the stories share: the scenario that a file is named after, and answers whose delays take no time."""

from collections.abc import Iterator

import pytest

from sandbox.core.scenario import Scenario
from sandbox.sources import builtin
from sandbox.web import faults
from tests.scenarios.stage import Stage, staged
from tests.scenarios.story import Story, scenario_of, told


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Scenario:
    """The built-in scenario that the file of the test is named after."""
    return builtin(scenario_of(request.path)).scenario


@pytest.fixture
def story(stage: Stage, scenario: Scenario) -> Iterator[Story]:
    """The scenario of the file, as just started."""
    with told(stage, scenario) as story:
        yield story


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no real time pass over an answer, and return how many seconds were to."""
    seconds: list[float] = []

    async def pass_at_once(line: faults.Line, pause_s: float) -> bool:
        assert line.connection is not None
        seconds.append(pause_s)
        return True

    monkeypatch.setattr(faults.Line, "pause", pass_at_once)
    return seconds
