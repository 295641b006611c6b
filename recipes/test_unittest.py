"""unittest, and a client built on urllib: nothing to install but the sandbox.

    pip install panelsms-sandbox
    python -m unittest test_unittest.py

With PANELSMS_SANDBOX_URL set, the tests ask the sandbox that runs there instead of starting one.
"""

import json
import os
import unittest
from urllib.parse import urlencode
from urllib.request import urlopen

from sandbox import Receiver, Sandbox

# -- the client: in your project this is an import -----------------------------------------------------------


class SmsRefusedError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"the API answered ERROR_{code}")
        self.code = code


class SmsClient:
    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/sendMtSms.php"
        self._account = {"user": "you@example.com", "apiKey": "secret", "responseType": "json"}

    def send(self, to: str, message: str, **more: str) -> str:
        """Send a message, and return its transaction id."""
        form = urlencode({**self._account, "to": to, "message": message, **more})
        with urlopen(self._url, form.encode(), timeout=10) as response:
            answer = response.read().decode()
        if answer.startswith("ERROR_"):
            raise SmsRefusedError(int(answer.removeprefix("ERROR_")))
        return str(json.loads(answer)["response"]["transactionId"])


# -- the tests -----------------------------------------------------------------------------------------------


class SmsTest(unittest.TestCase):
    server: Sandbox
    """One for all tests; each has a session of its own there."""

    @classmethod
    def setUpClass(cls) -> None:
        url = os.environ.get("PANELSMS_SANDBOX_URL")
        cls.server = cls.enterClassContext(Sandbox.at(url) if url else Sandbox())

    def setUp(self) -> None:
        name = f"{os.getpid()}-{self._testMethodName}"[:64]
        self.sms = self.enterContext(self.server.session(name, clock="virtual"))
        self.client = SmsClient(self.sms.url)

    def test_a_message_is_delivered(self) -> None:
        dlr = self.enterContext(Receiver())
        sent = self.client.send("+34600000001", "Hello", confirmation="true", callbackUrl=dlr.url)
        self.sms.assert_sent(to="+34600000001", message="Hello", times=1)

        self.sms.clock.advance("1s")
        (report,) = dlr.wait(1)
        self.assertEqual((report.transaction_id, report.status), (sent, "delivered"))

    def test_a_refusal_is_told_by_its_code(self) -> None:
        with self.assertRaises(SmsRefusedError) as refused:
            self.client.send("+15005550009", "Hello")
        self.assertEqual(refused.exception.code, 9)
        self.sms.assert_not_sent()

    def test_a_report_is_sent_again_when_it_was_not_taken(self) -> None:
        dlr = self.enterContext(Receiver())
        dlr.respond(500, times=2)
        self.client.send("+34600000001", "Hello", confirmation="true", callbackUrl=dlr.url)

        self.sms.clock.advance("1m")  # delivered after 1 s; tried again after 1 s, then after 5 s more
        self.assertEqual([report.status for report in dlr.received], ["delivered"] * 3)
        self.assertEqual(self.sms.callbacks.last.state, "delivered")


if __name__ == "__main__":
    unittest.main()
