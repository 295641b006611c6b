"""Reports that never come."""

from tests.scenarios.story import DAY, Story


def test_every_third_message_is_never_heard_of_again(story: Story) -> None:
    for number in range(1, 7):
        assert story.send(transactionId=f"t{number}") == f"OK_t{number}"
    story.advance(7 * DAY)
    reported = sorted(report["transactionId"] for report in story.receiver.reports)
    assert reported == ["t1", "t2", "t4", "t5"]
    assert {story.messages["t3"], story.messages["t6"]} == {"pending"}


def test_a_report_that_is_not_taken_does_not_come_again(story: Story) -> None:
    story.receiver.answer = 500
    story.send()
    assert story.advance(1) == 1
    story.receiver.answer = 204
    assert story.advance(7 * DAY) == 0
    assert story.messages.popitem()[1] == "delivered"
