"""pytest, and an asynchronous client built on aiohttp.

    pip install pytest anyio aiohttp panelsms-sandbox
    pytest test_aiohttp.py

The plugin of anyio runs the tests; with that of pytest-asyncio, write `pytest.mark.asyncio` and drop `anyio_backend`.
With PANELSMS_SANDBOX_URL set, the tests ask the sandbox that runs there instead of starting one.
"""

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Self

import aiohttp
import pytest

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

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(raise_for_status=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, to: str, message: str, **more: str) -> str:
        """Send a message, and return its transaction id."""
        form = {**self._account, "to": to, "message": message, **more}
        async with self._session.post(self._url, data=form) as response:
            answer = await response.text()
        if answer.startswith("ERROR_"):
            raise SmsRefusedError(int(answer.removeprefix("ERROR_")))
        return answer.removeprefix("OK_")


# -- the tests -----------------------------------------------------------------------------------------------

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_message_is_delivered(sms_sandbox: Sandbox, dlr_receiver: Receiver) -> None:
    async with SmsClient(sms_sandbox.url) as client:
        sent = await client.send("+34600000001", "Hi", confirmation="true", callbackUrl=dlr_receiver.url)
    sms_sandbox.clock.advance("1s")
    (report,) = dlr_receiver.wait(1)
    assert (report.transaction_id, report.status) == (sent, "delivered")


async def test_one_refusal_among_many_messages_stops_no_other(sms_sandbox: Sandbox) -> None:
    numbers = [f"+346000000{number:02}" for number in range(20)]
    sms_sandbox.when(to=numbers[7]).respond(error=7)
    async with SmsClient(sms_sandbox.url) as client:
        sending = (client.send(number, "Hello") for number in numbers)
        outcomes = await asyncio.gather(*sending, return_exceptions=True)
    assert [number for number, outcome in enumerate(outcomes) if isinstance(outcome, SmsRefusedError)] == [7]
    assert len(sms_sandbox.messages) == 19


async def test_a_connection_that_is_reset_is_an_error_of_aiohttp_s_own(sms_sandbox: Sandbox) -> None:
    async with SmsClient(sms_sandbox.url) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.send("+15005552003", "Hello")
    sms_sandbox.assert_not_sent()


async def test_a_reminder_goes_out_when_its_time_comes(sms_sandbox: Sandbox) -> None:
    in_a_week = (sms_sandbox.clock.now + timedelta(days=7)).isoformat()
    async with SmsClient(sms_sandbox.url) as client:
        await client.send("+34600000001", "See you soon", scheduledDeliveryTime=in_a_week)
    assert sms_sandbox.messages.last.status == "scheduled"
    sms_sandbox.clock.advance("7d")
    assert sms_sandbox.messages.last.status == "pending"
    sms_sandbox.clock.advance("1s")
    assert sms_sandbox.messages.last.status == "delivered"
