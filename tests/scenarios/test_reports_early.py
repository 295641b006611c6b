"""Reports that are quicker than the answer."""

from select import select

import pytest

from tests.scenarios.story import Story
from tests.served import heard, request_octets


@pytest.mark.parametrize(("earlier_messages", "status"), [(0, "delivered"), (1, "enroute"), (2, "delivered")])
def test_a_report_comes_while_the_answer_is_awaited(story: Story, earlier_messages: int, status: str) -> None:
    for _ in range(earlier_messages):
        story.send()
    story.receiver.received.clear()
    answered: list[bool] = []
    with story.sandbox.connect() as connection:
        story.receiver.on_arrival = lambda: answered.append(bool(select([connection], [], [], 0)[0]))
        connection.sendall(request_octets(story.parameters(transactionId="order_1")))
        assert heard(connection).body == "OK_order_1"
    assert answered == [False]
    assert story.reported == [(0, status)]
    assert story.receiver.reports[0]["transactionId"] == "order_1"


def test_after_an_early_enroute_delivered_comes_in_its_time(story: Story) -> None:
    story.send()
    story.send(transactionId="second")
    story.advance(3)
    assert story.reported == [(0, "delivered"), (0, "enroute"), (3, "delivered")]
    assert story.messages["second"] == "delivered"
