"""A gateway that speaks a newer language."""

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.core.scenario import Scenario
from tests.scenarios.story import Story


def test_a_status_that_no_document_names_comes_before_delivered(story: Story) -> None:
    story.send()
    story.advance(2)
    assert story.reported == [(1, "HANDED_TO_CARRIER"), (2, "DELIVERED")]


def test_an_error_code_is_a_string(story: Story) -> None:
    story.send(to="+34600000099")
    story.advance(2)
    assert story.reported == [(2, "UNDELIVERABLE")]
    assert story.receiver.reports[0]["errorCode"] == "5"


def test_reports_have_members_that_nobody_has_seen(story: Story) -> None:
    story.send(senderId="ORDER", transactionId='order "1"', to="+34600000001")
    story.advance(2)
    (report,) = story.receiver.reports
    assert report == {
        "version": 2,
        "status": "DELIVERED",
        "transactionId": 'order "1"',
        "network": {"mcc": "214", "mnc": "07"},
        "price": 0.045,
        "destination": "+34600000001",
        "timestamp": "2024-01-15T12:00:02Z",
        "errorCode": None,
        "errorDescription": None,
    }


@pytest.mark.parametrize(
    ("response_type", "answer"),
    [
        ("text", "ERROR_005"),
        ("json", '{"response":{"status":"ERROR_005"}}'),
        ("xml", "<response><status>ERROR_005</status></response>"),
    ],
)
def test_an_error_is_padded_and_shaped_like_a_success(story: Story, response_type: str, answer: str) -> None:
    more = {} if response_type == "text" else {"responseType": response_type}
    assert story.send(to="recipient", **more) == answer


def test_every_report_is_signed_as_it_came(story: Story, scenario: Scenario) -> None:
    story.send()
    story.advance(2)
    webhook = Webhook(scenario.callbacks.secret or "")
    for received in story.receiver.received:
        assert webhook.verify(received.octets, received.headers) == received.report
        with pytest.raises(WebhookVerificationError):
            webhook.verify(received.octets.lower(), received.headers)
