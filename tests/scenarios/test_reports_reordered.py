"""Reports that overtake each other."""

from tests.scenarios.story import Story


def test_delivered_is_reported_first(story: Story) -> None:
    story.send()
    story.advance(10)
    assert story.reported == [(4, "delivered"), (8, "enroute"), (10, "accepted")]


def test_the_timestamps_tell_what_came_first(story: Story) -> None:
    story.send()
    story.advance(10)
    in_order = [status for _, status in sorted(zip(story.happened, story.receiver.statuses, strict=True))]
    assert in_order == ["accepted", "enroute", "delivered"]


def test_a_delivered_message_stays_so(story: Story) -> None:
    story.send(transactionId="order_1")
    story.advance(10)
    assert story.messages == {"order_1": "delivered"}
