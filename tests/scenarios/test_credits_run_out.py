"""Credits that do not last."""

import httpx

from tests.scenarios.story import Story


def test_the_sixth_message_is_not_paid_for(story: Story) -> None:
    answers = [story.send(transactionId=f"t{number}") for number in range(7)]
    assert answers == ["OK_t0", "OK_t1", "OK_t2", "OK_t3", "OK_t4", "ERROR_9", "ERROR_9"]


def test_what_was_paid_for_is_delivered(story: Story) -> None:
    for _ in range(7):
        story.send()
    story.advance(1)
    assert story.receiver.statuses == ["delivered"] * 5


def test_whoever_adds_credits_goes_on_where_it_stopped(story: Story) -> None:
    for _ in range(6):
        story.send()
    httpx.patch(f"{story.url}/_sandbox/accounts/you@example.com", json={"balance": 1}).raise_for_status()
    assert [story.send(transactionId=f"t{number}") for number in (6, 7)] == ["OK_t6", "ERROR_9"]


def test_a_message_that_is_refused_for_another_reason_costs_nothing(story: Story) -> None:
    assert [story.send(to="recipient") for _ in range(6)] == ["ERROR_5"] * 6
    assert story.send(transactionId="paid") == "OK_paid"


def test_credits_can_run_out_between_two_parts_of_a_long_message(story: Story) -> None:
    for _ in range(3):
        story.send()
    parts = [
        story.send(udh=f"0500032A03{part:02}", message=f"part {part}", transactionId=f"part_{part}")
        for part in (1, 2, 3)
    ]
    assert parts == ["OK_part_1", "OK_part_2", "ERROR_9"]


def test_an_account_without_a_balance_never_runs_out(story: Story) -> None:
    for _ in range(20):
        assert story.send(user="unlimited@example.com").startswith("OK_")
