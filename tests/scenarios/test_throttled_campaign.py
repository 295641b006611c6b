"""A campaign that is faster than its account."""

from tests.scenarios.story import Story


def send_all(story: Story, count: int) -> list[str]:
    """Send so many messages at once, and return the first words of their answers."""
    return [story.send(transactionId=f"t{number}").partition("_t")[0] for number in range(count)]


def test_the_sixth_request_in_ten_seconds_is_throttled(story: Story) -> None:
    assert send_all(story, 6) == ["OK"] * 5 + ["ERROR_7"]
    story.advance(9.999)
    assert send_all(story, 1) == ["ERROR_7"]
    story.advance(0.001)
    assert send_all(story, 1) == ["OK"]


def test_the_ninth_message_on_its_way_finds_the_queue_full(story: Story) -> None:
    send_all(story, 5)
    story.advance(10)
    assert send_all(story, 4) == ["OK"] * 3 + ["ERROR_6"]
    story.advance(20)
    assert story.reported == [(1, "enroute")] * 5 + [(11, "enroute")] * 3 + [(30, "delivered")] * 5
    assert send_all(story, 1) == ["OK"]


def test_a_client_that_waits_and_sends_again_reaches_everybody_once(story: Story) -> None:
    recipients = [f"+346000000{number:02}" for number in range(20)]
    for recipient in recipients:
        while story.send(to=recipient) in {"ERROR_6", "ERROR_7"}:
            story.advance(5)
    story.advance(30)
    delivered = [
        report["destination"] for report in story.receiver.reports if report["status"] == "delivered"
    ]
    assert sorted(delivered) == recipients


def test_nobody_else_has_an_account(story: Story) -> None:
    assert story.send(user="somebody@example.com") == "ERROR_1"
    assert story.send(apiKey="another") == "ERROR_2"
