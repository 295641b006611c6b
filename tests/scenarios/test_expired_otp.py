"""A one-time code for a phone that is switched off."""

import pytest

from tests.scenarios.story import MINUTE, Story

CODES = ["Your code is 123456", "4711 is yours", "Use this code: abc"]


@pytest.mark.parametrize("message", CODES)
def test_a_code_expires_with_its_validity_period(story: Story, message: str) -> None:
    story.send(message=message, validityPeriod="300")
    story.advance(20 * MINUTE)
    assert story.reported == [(1, "enroute"), (5 * MINUTE, "expired")]


@pytest.mark.parametrize("message", CODES)
def test_a_code_without_a_validity_period_arrives_when_it_is_worthless(story: Story, message: str) -> None:
    story.send(message=message)
    story.advance(20 * MINUTE)
    assert story.reported == [(1, "enroute"), (10 * MINUTE, "delivered")]


def test_the_second_code_to_a_number_arrives_at_once(story: Story) -> None:
    for number in range(1, 3):
        story.send(message="Your code is 123456", validityPeriod="300", transactionId=f"t{number}")
    story.send(message="Your code is 123456", to="+34600000001", transactionId="elsewhere")
    story.advance(2)
    assert story.messages == {"t1": "enroute", "t2": "delivered", "elsewhere": "enroute"}


@pytest.mark.parametrize("message", ["Hello", "Your order of 3 books has been sent"])
def test_a_message_without_a_code_arrives_at_once(story: Story, message: str) -> None:
    story.send(message=message)
    story.advance(2)
    assert story.reported == [(2, "delivered")]
