"""A gateway that is down for maintenance."""

import json

import pytest

from tests.scenarios.story import Story


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"apiKey": ""},
        {"user": ""},
        {"to": "recipient"},
    ],
)
def test_the_first_three_calls_are_told_to_come_back_whatever_they_say(
    story: Story, more: dict[str, str]
) -> None:
    for _ in range(3):
        heard = story.call(**{"transactionId": "order_1", **more})
        assert (heard.status, heard.headers["retry-after"]) == (503, "30")
        assert heard.headers["content-type"] == "application/json"
        assert json.loads(heard.body) == {"error": "down for maintenance", "transactionId": "order_1"}
    assert story.messages == {}


def test_then_the_gateway_is_back(story: Story) -> None:
    for _ in range(3):
        story.call()
    assert story.send(transactionId="order_1") == "OK_order_1"
    assert story.send(to="recipient") == "ERROR_5"
    story.advance(1)
    assert story.receiver.statuses == ["delivered"]
