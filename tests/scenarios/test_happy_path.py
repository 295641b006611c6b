"""A good day."""

from tests.scenarios.story import Story


def test_a_message_is_accepted_then_on_its_way_then_delivered(story: Story) -> None:
    assert story.send(transactionId="order_1") == "OK_order_1"
    story.advance(6)
    assert story.reported[:2] == [(0.5, "accepted"), (1, "enroute")]
    assert story.receiver.statuses[2:] == ["delivered"]
    assert {report["transactionId"] for report in story.receiver.reports} == {"order_1"}
    assert story.messages == {"order_1": "delivered"}


def test_every_message_is_delivered_within_two_to_six_seconds(story: Story) -> None:
    for number in range(20):
        story.send(transactionId=f"order_{number}")
    story.advance(6)
    delivered = [moment for moment, status in story.reported if status == "delivered"]
    assert len(delivered) == 20
    assert all(2 <= moment <= 6 for moment in delivered)
    assert len(set(delivered)) == 20
