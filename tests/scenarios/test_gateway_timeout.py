"""A gateway that answers late, or not at all."""

import pytest

from sandbox.web.faults import DRIP_S, LONGEST_HANG_S
from tests.scenarios.story import Story


def test_every_answer_is_slow_some_by_far(story: Story, pauses: list[float]) -> None:
    answers = [story.send() for _ in range(5)]
    assert all(answer.startswith("OK_") for answer in answers)
    assert len(pauses) == 5
    assert all(pause > 0 for pause in pauses)
    assert len(set(pauses)) == 5


def test_every_sixth_call_is_never_answered_and_its_message_delivered(
    story: Story, pauses: list[float]
) -> None:
    for _ in range(5):
        story.send()
    assert story.call(transactionId="unanswered").octets == b""
    assert pauses[-1] == LONGEST_HANG_S
    story.advance(1)
    assert story.messages["unanswered"] == "delivered"


def test_every_seventh_call_ends_at_the_proxy_and_its_message_is_delivered(
    story: Story, pauses: list[float]
) -> None:
    for _ in range(6):
        story.call()
    heard = story.call(transactionId="unanswered")
    assert (heard.status, heard.headers["content-type"]) == (504, "text/html")
    assert "504 Gateway Time-out" in heard.body
    assert 2 <= pauses[-1] <= 4
    story.advance(1)
    assert story.messages["unanswered"] == "delivered"


def test_every_ninth_answer_trickles_in(story: Story, pauses: list[float]) -> None:
    for _ in range(8):
        story.call()
    pauses.clear()
    assert story.send(transactionId="slow") == "OK_slow"
    assert pauses == [DRIP_S] * (len("OK_slow") - 1)
    story.advance(1)
    assert story.messages["slow"] == "delivered"


@pytest.mark.usefixtures("pauses")
def test_whoever_sends_again_without_an_answer_writes_more_than_once(story: Story) -> None:
    for _ in range(5):
        story.send()
    while not story.call(to="+34600000001").octets.startswith(b"HTTP/1.1 200"):
        pass
    story.advance(1)
    reached = [report["destination"] for report in story.receiver.reports]
    assert reached.count("+34600000001") == 3
