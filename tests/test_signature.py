"""Signed reports: what is signed, with which id and time, and that the specification's own library takes it."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox import signature
from sandbox.agenda import Agenda
from sandbox.carrier import Arrived, Carrier, HttpCarrier, Lost, Outcome, Parcel
from sandbox.clock import VirtualClock
from sandbox.core.model import Callback, CallbackState
from sandbox.core.scenario import CallbackSettings
from sandbox.dispatcher import Dispatcher
from tests.receivers import receiver
from tests.worlds import NOON, RECEIVER, FakeCarrier, a_message, at

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"transactionId":"order_1","status":"delivered"}'
THE_REAL_TIME = datetime(2026, 3, 4, 5, 6, 7, 999_999, tzinfo=UTC)


def a_callback(number: int = 1, body: str | None = BODY, url: str = RECEIVER) -> Callback:
    method = "GET" if body is None else "POST"
    return Callback(number=number, message=a_message(), url=url, method=method, body=body)


# -- one signature -----------------------------------------------------------------------------------------


def test_the_example_of_the_specification_s_libraries() -> None:
    assert signature.headers(
        SECRET,
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1_614_265_330, UTC),
        body=b'{"test": 2432232314}',
    ) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), "whsec_c2VjcmV0cw=="])
@pytest.mark.parametrize("body", [b"", b"{}", BODY.encode(), '{"text":"Código \N{GRINNING FACE}"}'.encode()])
def test_id_time_and_body_are_signed_as_the_specification_says(secret: str, body: bytes) -> None:
    key = b64decode(secret.removeprefix("whsec_"))
    expected = hmac.digest(key, b"msg_1.1772600767." + body, "sha256")
    headers = signature.headers(secret, webhook_id="msg_1", at=THE_REAL_TIME, body=body)
    assert headers["webhook-timestamp"] == "1772600767"
    assert headers["webhook-signature"] == f"v1,{b64encode(expected).decode()}"


# -- the id --------------------------------------------------------------------------------------------


def test_an_id_is_one_word_without_a_full_stop() -> None:
    assert re.fullmatch("msg_[0-9a-f]{32}", signature.webhook_id(a_callback(), "test-7"))
    assert re.fullmatch("msg_[0-9a-f]{32}", signature.webhook_id(a_callback(body="é\ud800"), "."))


def test_the_same_callback_has_the_same_id_in_each_run() -> None:
    assert signature.webhook_id(a_callback(), "") == "msg_601e83729f144a217fec7fd2e08fc79d"


def test_where_a_receiver_listens_changes_no_id() -> None:
    """It listens on another port in each run."""
    elsewhere = a_callback(url="http://127.0.0.1:40001/dlr")
    assert signature.webhook_id(elsewhere, "") == signature.webhook_id(a_callback(), "")


@pytest.mark.parametrize(
    ("other", "session"),
    [
        (a_callback(2), ""),
        (a_callback(), "test-7"),
        (a_callback(body="{}"), ""),
        (a_callback(body=None), ""),
        (replace(a_callback(), message=a_message(received_at=NOON + timedelta(microseconds=1))), ""),
        (replace(a_callback(), message=a_message(transaction_id="t2")), ""),
    ],
    ids=["number", "session", "body", "get", "moment", "transaction id"],
)
def test_another_callback_has_another_id(other: Callback, session: str) -> None:
    assert signature.webhook_id(other, session) != signature.webhook_id(a_callback(), "")


# -- attempts ------------------------------------------------------------------------------------------


class Desk:
    """A dispatcher whose sandbox stands in 2024, and whose signatures say another time."""

    def __init__(
        self,
        answer: Callable[[Parcel], Outcome] = lambda _: Arrived(204),
        *,
        secret: str | None = SECRET,
        headers: dict[str, str] | None = None,
        session: str = "",
    ) -> None:
        self.carrier = FakeCarrier(answer)
        self.clock, self.real_clock = VirtualClock(NOON), VirtualClock(THE_REAL_TIME)
        self.agenda = Agenda(self.clock)
        self.dispatcher = Dispatcher(
            agenda=self.agenda,
            carrier=self.carrier,
            settings=CallbackSettings(secret=secret, headers=headers or {}),
            session=session,
            real_clock=self.real_clock,
        )

    async def carry(self, *callbacks: Callback) -> list[dict[str, str]]:
        """Carry callbacks, and return the headers of every attempt so far, their names in lower case."""
        for callback in callbacks:
            self.dispatcher.dispatch(callback)
        await self.dispatcher.quiet()
        return [
            {name.lower(): value for name, value in parcel.headers.items()} for parcel in self.carrier.parcels
        ]


async def test_each_attempt_has_the_callback_s_id_and_its_own_time() -> None:
    desk = Desk(lambda _: Lost("connection refused"))
    await desk.carry(a_callback())
    desk.real_clock.move_to(THE_REAL_TIME + timedelta(seconds=60))
    desk.clock.move_to(at(1))
    desk.agenda.run_due()
    first, second = await desk.carry()
    assert first["webhook-id"] == second["webhook-id"] == signature.webhook_id(a_callback(), "")
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1772600767", "1772600827")
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_a_replay_has_the_same_id_and_a_double_its_own() -> None:
    desk = Desk()
    once, twice = a_callback(1), a_callback(2)
    await desk.carry(once, twice)
    desk.dispatcher.replay(once)
    ids = [headers["webhook-id"] for headers in await desk.carry()]
    assert ids[0] == ids[2] != ids[1]


async def test_sessions_that_report_to_one_receiver_have_different_ids() -> None:
    (one,), (other,) = (
        await Desk(session="a").carry(a_callback()),
        await Desk(session="b").carry(a_callback()),
    )
    assert one["webhook-id"] != other["webhook-id"]


async def test_a_get_is_signed_with_an_empty_body() -> None:
    (sent,) = await Desk().carry(a_callback(body=None))
    expected = signature.headers(
        SECRET, webhook_id=signature.webhook_id(a_callback(body=None), ""), at=THE_REAL_TIME, body=b""
    )
    assert expected.items() <= sent.items()


@pytest.mark.parametrize("spell", [str.lower, str.title, str.upper])
async def test_the_scenario_s_headers_cannot_spoil_a_signature(spell: Callable[[str], str]) -> None:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    desk = Desk(headers={spell(name): "mine" for name in names} | {"X-Env": "test"})
    (sent,) = await desk.carry(a_callback())
    assert "mine" not in sent.values()
    assert len(desk.carrier.parcels[0].headers) == len(sent) == 6
    assert sent["x-env"] == "test"


async def test_without_a_secret_nothing_is_signed_and_the_scenario_may_write_what_it_likes() -> None:
    (plain,) = await Desk(secret=None).carry(a_callback())
    assert not any(name.startswith("webhook-") for name in plain)
    (forged,) = await Desk(secret=None, headers={"Webhook-Signature": "v1,forged"}).carry(a_callback())
    assert forged["webhook-signature"] == "v1,forged"


# -- over real sockets -----------------------------------------------------------------------------------


def dispatcher_in_2024(carrier: Carrier) -> Dispatcher:
    """Return one that signs with the real time, as nothing else was said."""
    settings = CallbackSettings(secret=SECRET)
    return Dispatcher(agenda=Agenda(VirtualClock(NOON)), carrier=carrier, settings=settings)


@pytest.mark.parametrize("body", [BODY, '{"text":"Código"}', '"a\ud800"', "", None])
async def test_a_receiver_that_uses_the_library_takes_a_report_whatever_time_it_is_in_the_sandbox(
    body: str | None,
) -> None:
    carrier = HttpCarrier()
    async with receiver() as there:
        callback = a_callback(body=body, url=there.url)
        dispatcher = dispatcher_in_2024(carrier)
        dispatcher.dispatch(callback)
        await dispatcher.quiet()
        await carrier.close()
    assert callback.state == CallbackState.DELIVERED
    assert callback.attempts[0].at == NOON
    Webhook(SECRET).verify(there.bodies[0], there.headers[0], json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(there.bodies[0] + b" ", there.headers[0], json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_b3RoZXI=").verify(there.bodies[0], there.headers[0], json_parse=False)
