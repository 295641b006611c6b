"""The carrier in Spain goes down, and comes back."""

from collections import Counter

import pytest

from sandbox.core.scenario import Scenario
from tests.scenarios.stage import Stage
from tests.scenarios.story import MINUTE, Story, told

SPAIN = "+34600000001"


@pytest.fixture
def backlog(story: Story) -> list[str]:
    """The answers to the three messages before the backlog and the five of it."""
    return [story.send(to=SPAIN, transactionId=f"order_{number}") for number in range(8)]


def test_the_queue_is_full_three_times_then_messages_are_accepted(backlog: list[str]) -> None:
    assert backlog == ["ERROR_6"] * 3 + [f"OK_order_{number}" for number in range(3, 8)]


@pytest.mark.usefixtures("backlog")
def test_the_backlog_comes_through_ten_minutes_late(story: Story) -> None:
    story.advance(10 * MINUTE - 1)
    assert story.reported == [(2, "enroute")] * 5
    story.advance(2 * MINUTE + 1)
    assert len({moment for moment, _ in story.reported[5:]}) == 5
    assert set(story.messages.values()) <= {"delivered", "undeliverable"}


def test_some_of_the_backlog_is_lost_and_most_is_not(stage: Stage, scenario: Scenario) -> None:
    became: Counter[str] = Counter()
    for requests_before in range(10):
        with told(stage, scenario) as story:
            for _ in range(requests_before):
                story.send(to="recipient")
            for _ in range(8):
                story.send(to=SPAIN)
            story.advance(12 * MINUTE)
            became += Counter(story.messages.values())
    assert became.total() == 50
    assert 0 < became["undeliverable"] < 25
    assert became["delivered"] + became["undeliverable"] == 50


@pytest.mark.usefixtures("backlog")
def test_after_the_backlog_messages_are_delivered_at_once(story: Story) -> None:
    for after in ("first", "second", "third"):
        assert story.send(to=SPAIN, transactionId=after) == f"OK_{after}"
        story.advance(1)
        assert story.messages[after] == "delivered"


def test_other_countries_notice_nothing(story: Story) -> None:
    for number in range(8):
        story.send(to=SPAIN, transactionId=f"spain_{number}")
        assert story.send(transactionId=f"elsewhere_{number}") == f"OK_elsewhere_{number}"
    story.advance(1)
    assert story.messages == {
        **{f"spain_{number}": "pending" for number in range(3, 8)},
        **{f"elsewhere_{number}": "delivered" for number in range(8)},
    }


def test_whoever_sends_again_until_it_is_accepted_is_heard_once(story: Story) -> None:
    answers = [story.send(to=SPAIN, transactionId="patient") for _ in range(4)]
    assert answers[3] == "OK_patient"
    assert len(story.messages) == 1
