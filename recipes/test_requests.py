"""pytest, and a client built on requests.

    pip install pytest requests panelsms-sandbox
    pytest test_requests.py

`sms_sandbox` is a sandbox of the test's own, whose clock stands until it is advanced; `dlr_receiver` takes its reports.
With PANELSMS_SANDBOX_URL set, the tests ask the sandbox that runs there instead of starting one.
"""

import re

import pytest
import requests

from sandbox import Receiver, Sandbox

# -- the client: in your project this is an import -----------------------------------------------------------


class SmsRefusedError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"the API answered ERROR_{code}")
        self.code = code


class SmsClient:
    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/sendMtSms.php"
        self._account = {"user": "you@example.com", "apiKey": "secret"}

    def send(self, to: str, message: str, **more: str) -> str:
        """Send a message, and return its transaction id."""
        parameters = {**self._account, "to": to, "message": message, **more}
        answer = requests.post(self._url, json=parameters, timeout=10)
        answer.raise_for_status()
        if error := re.match(
            "ERROR_([0-9]+)", answer.text
        ):  # an error is bare text, also where JSON was asked for
            raise SmsRefusedError(int(error[1]))
        return str(answer.json()["response"]["transactionId"])


@pytest.fixture
def client(sms_sandbox: Sandbox) -> SmsClient:
    return SmsClient(sms_sandbox.url)


# -- the tests -----------------------------------------------------------------------------------------------


def test_a_message_is_delivered(client: SmsClient, sms_sandbox: Sandbox, dlr_receiver: Receiver) -> None:
    transaction_id = client.send(
        "+34600000001", "Código 1234", senderId="SHOP", confirmation="true", callbackUrl=dlr_receiver.url
    )
    sms_sandbox.assert_sent(to="+34600000001", senderId="SHOP", message="Código 1234", times=1)

    sms_sandbox.clock.advance("1s")
    (report,) = dlr_receiver.wait(1)
    assert (report.transaction_id, report.status) == (transaction_id, "delivered")


def test_an_empty_account_is_told_by_its_code(client: SmsClient, sms_sandbox: Sandbox) -> None:
    with pytest.raises(SmsRefusedError) as refused:
        client.send("+15005550009", "Hello")  # a number that always earns ERROR_9
    assert refused.value.code == 9
    sms_sandbox.assert_not_sent()


def test_a_message_expires_after_two_days(
    client: SmsClient, sms_sandbox: Sandbox, dlr_receiver: Receiver
) -> None:
    client.send("+15005551004", "Hello", confirmation="true", callbackUrl=dlr_receiver.url)

    sms_sandbox.clock.advance("47h")
    assert dlr_receiver.received == []
    sms_sandbox.clock.advance("1h")
    assert dlr_receiver.wait(1)[0].status == "expired"
