"""Answers that are none."""

import json

import pytest

from tests.scenarios.story import Story
from tests.served import Heard


def first_calls(story: Story, count: int, *, method: str = "GET", sender: str = "ORDER") -> list[Heard]:
    return [
        story.call(method=method, senderId=sender, transactionId=f"t{number}", to="+34600000001")
        for number in range(1, count + 1)
    ]


def test_the_first_calls_of_a_sender_get_no_answer_of_the_api(story: Story) -> None:
    html, nothing, half, no_http, broken_off, another_shape, cached = first_calls(story, 7)
    assert (html.status, html.headers["content-type"]) == (200, "text/html")
    assert html.body.startswith("<html>")
    assert (nothing.status, nothing.body) == (200, "")
    assert int(half.headers["content-length"]) > len(half.body)
    assert not no_http.octets.startswith(b"HTTP")
    assert (broken_off.octets, broken_off.is_reset) == (b"", True)
    assert (another_shape.status, another_shape.headers["content-type"]) == (200, "application/json")
    assert json.loads(another_shape.body) == {"messages": [{"to": "+34600000001", "state": "queued"}]}
    assert (cached.status, cached.body) == (200, "OK_order_of_yesterday")
    assert cached.headers.items() >= {"content-type": "text/plain", "age": "86400", "x-cache": "HIT"}.items()


def test_no_message_was_accepted(story: Story) -> None:
    first_calls(story, 7)
    story.advance(60)
    assert story.messages == {}
    assert story.receiver.received == []


@pytest.mark.parametrize(("method", "calls"), [("GET", 7), ("POST", 6)])
def test_after_that_all_is_well(story: Story, method: str, calls: int) -> None:
    first_calls(story, calls, method=method)
    assert story.call(method=method, senderId="ORDER", transactionId="well").body == "OK_well"


def test_each_sender_begins_anew(story: Story) -> None:
    assert [shape(heard) for heard in first_calls(story, 8)] == [
        shape(heard) for heard in first_calls(story, 8, sender="VERIFY")
    ]


def shape(heard: Heard) -> tuple[bool, bytes, str]:
    """Return what is the same in the answers to two calls alike."""
    return heard.is_reset, heard.octets[:15], heard.body
