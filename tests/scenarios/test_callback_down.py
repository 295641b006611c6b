"""An endpoint that is down for ten minutes."""

from threading import Barrier, Lock

from sandbox.core.scenario import Scenario
from tests.scenarios.stage import Stage
from tests.scenarios.story import MINUTE, Story, told

TRIES_OF_THE_FIRST_REPORT = [1, 2, 7, 37, 157, 757]


def test_a_report_is_tried_until_the_endpoint_is_back(story: Story) -> None:
    story.receiver.answer = 500
    story.send(transactionId="order_1")
    story.advance(10 * MINUTE)
    assert story.reported == [(moment, "enroute") for moment in TRIES_OF_THE_FIRST_REPORT[:-1]]
    story.receiver.answer = 204
    story.advance(10 * MINUTE)
    assert story.reported[-2:] == [(757, "enroute"), (757, "delivered")]
    assert len({one.octets for one in story.receiver.received if one.report["status"] == "enroute"}) == 1
    assert story.happened[-2:] == [1, 3]


def test_reports_arrive_in_order_after_their_port_has_refused_connections(
    stage: Stage, scenario: Scenario
) -> None:
    with told(stage, scenario, receiver_is_open=False) as story:
        story.send()
        story.advance(10 * MINUTE)
        story.receiver.open()
        story.advance(10 * MINUTE)
        assert story.reported == [(757, "enroute"), (757, "delivered")]
        attempts = [attempt for callback in story.sandbox.callbacks for attempt in callback.attempts]
        assert [attempt.status for attempt in attempts] == [None] * 5 + [204] * 2


def test_a_report_is_given_up_when_the_outage_lasts_longer(story: Story) -> None:
    story.receiver.answer = 500
    story.send(transactionId="order_1")
    story.advance(20 * MINUTE)
    story.receiver.answer = 204
    story.advance(60 * MINUTE)
    assert [moment for moment, status in story.reported if status == "enroute"] == TRIES_OF_THE_FIRST_REPORT
    assert story.reported[-1] == (1513, "delivered")


def test_four_reports_come_at_once_and_no_more(story: Story) -> None:
    """None is answered before there are four, which is before the sandbox would give them up."""
    here: list[None] = []
    counts: list[int] = []
    all_four, alone = Barrier(4, timeout=4), Lock()

    def arrive() -> None:
        with alone:
            here.append(None)
            counts.append(len(here))
        all_four.wait()
        with alone:
            here.pop()

    story.receiver.on_arrival = arrive
    for _ in range(40):
        story.send()
    story.advance(1)
    assert story.receiver.statuses == ["enroute"] * 40
    assert max(counts) == 4


def test_each_report_names_the_environment(story: Story) -> None:
    story.send()
    story.advance(3)
    assert {one.headers["X-Environment"] for one in story.receiver.received} == {"test"}


def test_a_request_that_names_no_endpoint_is_reported_to_that_of_the_account(story: Story) -> None:
    story.call(callbackUrl="", transactionId="order_1")
    (message,) = story.sandbox.messages
    assert message.submission.callback_url == "http://localhost:9000/dlr"
    story.call(callbackUrl="", user="other@example.com")
    assert story.sandbox.messages[0].submission.callback_url is None
