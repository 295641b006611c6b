"""Reports that come more than once."""

from collections import Counter

from tests.scenarios.story import MINUTE, Story


def test_delivered_is_reported_twice_in_the_same_octets(story: Story) -> None:
    story.send(transactionId="order_1")
    story.advance(3)
    assert story.reported == [(1, "enroute"), (3, "delivered"), (3, "delivered")]
    _, first, second = story.receiver.received
    assert first.octets == second.octets


def test_every_fourth_message_is_reported_three_times(story: Story) -> None:
    for number in range(1, 9):
        story.send(transactionId=f"t{number}")
    story.advance(3)
    reports = Counter((report["transactionId"], report["status"]) for report in story.receiver.reports)
    assert [reports[f"t{number}", "delivered"] for number in range(1, 9)] == [2, 2, 2, 3, 2, 2, 2, 3]
    assert [reports[f"t{number}", "enroute"] for number in range(1, 9)] == [1] * 8
    assert story.reported == [(1, "enroute")] * 8 + [(3, "delivered")] * 18


def test_a_receiver_that_answers_500_gets_the_same_report_once_more(story: Story) -> None:
    story.send()
    story.receiver.answer = 500
    story.advance(1)
    story.receiver.answer = 204
    story.advance(MINUTE)
    assert story.reported == [(1, "enroute"), (6, "enroute"), (6, "delivered"), (6, "delivered")]
    assert story.receiver.received[0].octets == story.receiver.received[1].octets
