"""An account that is disabled in the middle of a campaign."""

import pytest

from tests.scenarios.story import Story


def test_after_three_messages_every_call_is_refused_five_times(story: Story) -> None:
    answers = [story.send(transactionId=f"t{number}") for number in range(1, 10)]
    assert answers == ["OK_t1", "OK_t2", "OK_t3", *["ERROR_1"] * 5, "OK_t9"]


@pytest.mark.parametrize("more", [{"to": "recipient"}, {"apiKey": ""}, {"user": "somebody@example.com"}])
def test_a_disabled_account_is_told_nothing_else(story: Story, more: dict[str, str]) -> None:
    for _ in range(3):
        story.send()
    assert story.send(**more) == "ERROR_1"


def test_what_is_on_its_way_is_still_reported(story: Story) -> None:
    for number in range(1, 5):
        story.send(transactionId=f"t{number}")
    story.advance(3)
    assert story.reported == [(2, "delivered"), (2, "delivered"), (3, "deleted")]
    assert story.messages == {"t1": "delivered", "t2": "delivered", "t3": "deleted"}


def test_once_enabled_again_it_stays_so(story: Story) -> None:
    for _ in range(8):
        story.send()
    assert all(story.send().startswith("OK_") for _ in range(10))


def test_one_account_was_never_enabled(story: Story) -> None:
    assert story.send(user="former@example.com") == "ERROR_1"
