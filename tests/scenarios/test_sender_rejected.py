"""Senders that are not registered."""

import pytest

from tests.scenarios.story import Story

PARIS, BOSTON = "+33600000001", "+16175550100"


@pytest.mark.parametrize("sender", ["VERIFY", "ORDER", "80100"])
def test_a_registered_sender_is_let_through(story: Story, sender: str) -> None:
    assert story.send(to=PARIS, senderId=sender, transactionId="t") == "OK_t"
    story.advance(2)
    assert story.receiver.statuses == ["delivered"]


@pytest.mark.parametrize("sender", ["Verify", "Shop", "+34600000001"])
def test_any_other_sender_is_refused(story: Story, sender: str) -> None:
    assert story.send(to=PARIS, senderId=sender) == "ERROR_4"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"senderId": "VERIFY"}, "rejected", 4),
        ({"senderId": "80100"}, "delivered", None),
        ({}, "delivered", None),
    ],
)
def test_in_north_america_names_are_rejected_after_the_ok(
    story: Story, more: dict[str, str], status: str, code: int | None
) -> None:
    assert story.send(to=BOSTON, transactionId="t", **more) == "OK_t"
    story.advance(2)
    assert story.reported == [(2 if status == "rejected" else 1, status)]
    (report,) = story.receiver.reports
    assert (report["status"], report["errorCode"]) == (status, code)
