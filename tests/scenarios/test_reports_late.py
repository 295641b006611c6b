"""Reports that come hours or days after what they report."""

from tests.scenarios.story import DAY, HOUR, Story


def test_a_delivery_of_seconds_is_reported_after_six_hours(story: Story) -> None:
    for number in range(4):
        story.send(transactionId=f"t{number}")
    story.advance(25)
    assert set(story.messages.values()) == {"delivered"}
    assert story.advance(6 * HOUR - 25) == 0
    assert story.advance(20) == 4
    assert 5 <= min(story.happened) < max(story.happened) <= 25


def test_every_fifth_delivery_is_reported_after_three_days(story: Story) -> None:
    for number in range(1, 6):
        story.send(transactionId=f"t{number}")
    story.advance(DAY)
    assert {report["transactionId"] for report in story.receiver.reports} == {"t1", "t2", "t3", "t4"}
    story.advance(2 * DAY)
    assert story.receiver.reports[-1]["transactionId"] == "t5"
    assert story.happened[-1] == 5
