"""A recipient who is abroad."""

from tests.scenarios.story import Story

LONDON = "+447700900001"


def test_a_message_abroad_is_answered_with_a_code_and_delivered(story: Story) -> None:
    assert story.send(to=LONDON, transactionId="order_1") == "ERROR_3"
    story.advance(40)
    assert {report["transactionId"] for report in story.receiver.reports} == {"order_1"}
    assert story.receiver.statuses == ["enroute", "delivered"]
    moments = [moment for moment, _ in story.reported]
    assert moments[0] == 2
    assert 20 < moments[1] <= 40


def test_whoever_takes_the_code_for_a_refusal_writes_twice(story: Story) -> None:
    for _ in range(2):
        story.send(to=LONDON)
    story.advance(40)
    assert story.receiver.statuses.count("delivered") == 2


def test_a_flash_message_is_not_shown_abroad(story: Story) -> None:
    assert story.send(to=LONDON, udh="0100") == "ERROR_3"
    story.advance(40)
    assert story.reported == [(2, "enroute"), (20, "undeliverable")]


def test_at_home_nothing_is_different(story: Story) -> None:
    assert story.send(transactionId="home") == "OK_home"
