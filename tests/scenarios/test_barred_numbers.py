"""Numbers that may not be written to."""

import pytest

from tests.scenarios.story import Story


@pytest.mark.parametrize("to", ["+34600000000", "+79000000001"])
def test_a_barred_number_is_refused_and_the_others_are_not(story: Story, to: str) -> None:
    assert story.send(to=to) == "ERROR_11"
    assert story.send(to="+34600000001", transactionId="next") == "OK_next"
    story.advance(1)
    assert story.messages == {"next": "delivered"}


@pytest.mark.parametrize("to", ["+33899000001", "+44909000001"])
def test_a_number_that_the_carrier_bars_is_accepted_then_rejected(story: Story, to: str) -> None:
    assert story.send(to=to, transactionId="premium") == "OK_premium"
    story.advance(3)
    assert story.reported == [(1, "enroute"), (3, "rejected")]
    assert story.receiver.reports[-1]["errorCode"] == 11
    assert story.receiver.reports[-1]["errorDescription"] == "Destination barred"


def test_what_one_account_may_not_do_another_may(story: Story) -> None:
    assert story.send(to="+79000000001", user="other@example.com", transactionId="t") == "OK_t"
