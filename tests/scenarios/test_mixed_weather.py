"""An ordinary bad day."""

from collections import Counter
from dataclasses import replace

import pytest

from sandbox.core.scenario import Scenario
from tests.scenarios.stage import Stage
from tests.scenarios.story import HOUR, Story, told
from tests.served import Heard

CALLS = 300

pytestmark = pytest.mark.usefixtures("pauses")


def calls(story: Story, count: int = CALLS) -> list[Heard]:
    return [story.call(transactionId=f"t{number}") for number in range(count)]


def undated(heard: Heard) -> bytes:
    return b"\r\n".join(line for line in heard.octets.split(b"\r\n") if not line.startswith(b"date: "))


def outcome(heard: Heard) -> str:
    return "reset" if heard.is_reset else f"{heard.status} {heard.body.partition('_t')[0]}"


def test_the_same_requests_meet_the_same_weather_and_another_seed_another(
    stage: Stage, scenario: Scenario, pauses: list[float]
) -> None:
    days = []
    for seed in (scenario.seed, scenario.seed, scenario.seed + 1):
        pauses.clear()
        with told(stage, replace(scenario, seed=seed)) as story:
            answers = [undated(heard) for heard in calls(story, 100)]
            story.advance(2 * HOUR)
            days.append((answers, tuple(pauses), sorted(one.octets for one in story.receiver.received)))
    assert days[0] == days[1]
    assert all(this != that for this, that in zip(days[1], days[2], strict=True))


def test_some_calls_fail_and_most_do_not(story: Story, pauses: list[float]) -> None:
    outcomes = Counter(map(outcome, calls(story)))
    assert set(outcomes) == {"200 OK", "200 ERROR_6", "503 Service Unavailable", "reset"}
    assert outcomes["200 OK"] > 0.8 * CALLS
    assert len(story.messages) == outcomes["200 OK"] + outcomes["reset"]
    assert 0.04 * CALLS < len(pauses) < 0.16 * CALLS
    assert all(0.1 <= pause <= 0.9 for pause in pauses)


def test_messages_end_in_many_ways_and_most_are_delivered(story: Story) -> None:
    calls(story)
    story.advance(2 * HOUR)
    became = Counter(story.messages.values())
    failed = set(became) - {"delivered"}
    assert {"undeliverable", "rejected"} <= failed <= {"undeliverable", "rejected", "expired", "unknown"}
    assert became["delivered"] > 0.8 * len(story.messages)
    on_their_way = {moment for moment, status in story.reported if status == "enroute"}
    assert 1 <= min(on_their_way) < max(on_their_way) <= 2
    reported = Counter(story.receiver.statuses)
    assert reported == {**became, "enroute": len(story.messages)}
