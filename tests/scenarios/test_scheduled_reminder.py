"""Reminders for the next morning."""

import pytest

from tests.scenarios.story import HOUR, Story

TOMORROW_AT_NINE = 20 * HOUR  # in Madrid, from noon in Greenwich


@pytest.mark.parametrize(
    "time", ["2024-01-16 09:00", "2024-01-16T09:00+01:00", "2024-01-16T08:00Z", "2401160900"]
)
def test_a_reminder_goes_out_at_its_time_and_not_before(story: Story, time: str) -> None:
    assert story.send(scheduledDeliveryTime=time, transactionId="reminder") == "OK_reminder"
    assert story.advance(TOMORROW_AT_NINE) == 0
    assert story.messages == {"reminder": "scheduled"}
    story.advance(3)
    assert story.reported == [(TOMORROW_AT_NINE + 1, "enroute"), (TOMORROW_AT_NINE + 3, "delivered")]


def test_a_number_that_was_given_back_fails_the_next_morning(story: Story) -> None:
    story.send(to="+34600000100", scheduledDeliveryTime="2024-01-16 09:00")
    story.advance(TOMORROW_AT_NINE + 3)
    assert story.reported == [(TOMORROW_AT_NINE + 1, "enroute"), (TOMORROW_AT_NINE + 3, "undeliverable")]
    assert story.receiver.reports[-1]["errorCode"] == 5


def test_today_that_number_is_still_its_owners(story: Story) -> None:
    story.send(to="+34600000100")
    story.advance(3)
    assert story.receiver.statuses == ["enroute", "delivered"]


@pytest.mark.parametrize("time", ["2024-01-15 12:30", "tomorrow at nine", "16/01/2024 09:00"])
def test_a_time_that_has_passed_in_madrid_or_is_none_is_refused(story: Story, time: str) -> None:
    assert story.send(scheduledDeliveryTime=time) == "ERROR_12"
