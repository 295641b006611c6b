"""pytest, and a client built on httpx: every error code, a broken connection, a rule made for one test.

    pip install pytest httpx panelsms-sandbox
    pytest test_httpx.py

`sms_error_code` runs its test once for each of the 15 codes; the closing line of the run says which were met.
With PANELSMS_SANDBOX_URL set, the tests ask the sandbox that runs there instead of starting one.
"""

from collections.abc import Iterator

import httpx
import pytest

from sandbox import Receiver, Sandbox

# -- the client: in your project this is an import -----------------------------------------------------------


class SmsRefusedError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"the API answered ERROR_{code}")
        self.code = code


class SmsUncertainError(Exception):
    """No answer came: the message may have been sent or not."""


class SmsClient:
    FULL = 6
    """The error code of a queue that is full."""
    STORED = 3
    """The error code of a message that is stored, and delivered all the same."""

    def __init__(self, base_url: str, *, attempts: int = 3) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=10)
        self._account = {"user": "you@example.com", "apiKey": "secret"}
        self._attempts = attempts

    def send(self, to: str, message: str, **more: str) -> None:
        """Send a message; where the queue is full, try again."""
        for attempt in range(1, self._attempts + 1):
            code = self._send({**self._account, "to": to, "message": message, **more})
            if code in {None, self.STORED}:
                return
            if code != self.FULL or attempt == self._attempts:
                raise SmsRefusedError(code or 0)

    def _send(self, parameters: dict[str, str]) -> int | None:
        """Return the error code, None where there is none."""
        try:
            answer = self._http.post("/sendMtSms.php", data=parameters).raise_for_status().text
        except httpx.HTTPError as error:
            raise SmsUncertainError(str(error)) from error
        return int(answer.removeprefix("ERROR_")) if answer.startswith("ERROR_") else None

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def client(sms_sandbox: Sandbox) -> Iterator[SmsClient]:
    client = SmsClient(sms_sandbox.url)
    yield client
    client.close()


# -- the tests -----------------------------------------------------------------------------------------------


def test_a_message_is_delivered(client: SmsClient, sms_sandbox: Sandbox, dlr_receiver: Receiver) -> None:
    client.send("+34600000001", "Hello", confirmation="true", callbackUrl=dlr_receiver.url)
    sms_sandbox.clock.advance("1s")
    assert [report.status for report in dlr_receiver.wait(1)] == ["delivered"]


def test_each_error_code_is_understood(client: SmsClient, sms_sandbox: Sandbox, sms_error_code: int) -> None:
    if sms_error_code == SmsClient.STORED:
        client.send("+34600000001", "Hello")
        sms_sandbox.assert_sent(times=1)
    elif sms_error_code == SmsClient.FULL:
        client.send("+34600000001", "Hello")  # the second attempt is accepted
        sms_sandbox.assert_refused(sms_error_code, times=1)
    else:
        with pytest.raises(SmsRefusedError) as refused:
            client.send("+34600000001", "Hello")
        assert refused.value.code == sms_error_code


def test_a_queue_that_stays_full_is_given_up_after_three_attempts(
    client: SmsClient, sms_sandbox: Sandbox
) -> None:
    sms_sandbox.when(to={"prefix": "+34"}).respond(error=6)
    with pytest.raises(SmsRefusedError):
        client.send("+34600000001", "Hello")
    sms_sandbox.assert_refused(6, times=3)


def test_a_lost_answer_is_no_reason_to_send_twice(client: SmsClient, sms_sandbox: Sandbox) -> None:
    with pytest.raises(SmsUncertainError):
        client.send("+15005552011", "Hello")  # accepted, but the connection is reset
    sms_sandbox.assert_sent(to="+15005552011", times=1)
