"""Small worlds for tests: an engine, a clock moved by hand, and a carrier that keeps what it is given."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from anyio.lowlevel import checkpoint

from sandbox import contract
from sandbox.app import build_engine
from sandbox.carrier import Arrived, Outcome, Parcel
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.core.coding import Coding, Encoded
from sandbox.core.model import Account, Accounts, Call, Message, RequestRecord, Submission, Value
from sandbox.core.scenario import Scenario, Step
from sandbox.engine import Engine

NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)

USER = "you@example.com"
DESTINATION = "+1222333444"
VALID: Mapping[str, str] = {"user": USER, "apiKey": "key", "to": DESTINATION, "message": "Hello"}

RECEIVER = "http://127.0.0.1:9000/dlr"
REPORTED: Mapping[str, str] = {**VALID, "confirmation": "true", "callbackUrl": RECEIVER}

READINGS = contract.readings()


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def step(after_s: float, status: str) -> Step:
    return Step(after=timedelta(seconds=after_s), status=status)


def a_message(number: int = 1, **more: Any) -> Message:
    """Return an accepted message that asks for reports, with other fields as given."""
    submission = Submission(
        user=USER,
        destination=DESTINATION,
        sender_id=None,
        dcs=0,
        encoded=Encoded(Coding.GSM7, 1, "a"),
        udh=None,
        transaction_id=None,
        confirmation=True,
        callback_url=RECEIVER,
        unreported=None,
        scheduled_at=None,
        expires_at=None,
    )
    fields: dict[str, Any] = {
        "request_number": number,
        "submission": submission,
        "transaction_id": f"t{number}",
        "received_at": NOON,
        "expires_at": None,
        "timeline": (),
        "status": "pending",
        **more,
    }
    return Message(number=number, **fields)


def get(parameters: Mapping[str, Value]) -> Call:
    """Return a GET of the endpoint with these parameters."""
    return Call("GET", "/sendMtSms.php", parameters)


@dataclass
class FakeCarrier:
    """Keeps the parcels it is given, and answers as told; a host that is held answers when it is let go."""

    answer: Callable[[Parcel], Outcome] = lambda _: Arrived(200, 1)
    parcels: list[Parcel] = field(default_factory=list)
    most_at_once: int = 0
    is_closed: bool = False
    _at_once: int = 0
    _held: dict[str, asyncio.Event] = field(default_factory=dict)

    def hold(self, host: str) -> None:
        """Let attempts whose URL holds *host* hang."""
        self._held[host] = asyncio.Event()

    def let_go(self, host: str) -> None:
        self._held.pop(host).set()

    async def carry(self, parcel: Parcel) -> Outcome:
        self.parcels.append(parcel)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await checkpoint()
            for host, gate in list(self._held.items()):
                if host in parcel.url:
                    await gate.wait()
        finally:
            self._at_once -= 1
        return self.answer(parcel)

    async def close(self) -> None:
        self.is_closed = True

    @property
    def bodies(self) -> list[str | None]:
        return [parcel.body for parcel in self.parcels]

    @property
    def urls(self) -> list[str]:
        return [parcel.url for parcel in self.parcels]


async def turns(count: int = 50) -> None:
    """Let the event loop turn, so that whatever can go on without time passing does."""
    for _ in range(count):
        await checkpoint()


@dataclass
class World:
    """One engine, its clock and its carrier."""

    engine: Engine
    clock: VirtualClock
    carrier: FakeCarrier

    def send(self, parameters: Mapping[str, Value] = VALID, **more: Value) -> RequestRecord:
        return self.engine.handle(get({**parameters, **more}))

    def accept(self, parameters: Mapping[str, Value] = VALID, **more: Value) -> Message:
        """Send what must be accepted, and return the message."""
        record = self.send(parameters, **more)
        assert record.message_number is not None, record.reason
        message = self.engine.store.message(record.message_number)
        assert message is not None
        return message

    async def pass_time(self, seconds: float = 0) -> None:
        """Let time pass, standing at each due moment in turn until everything due then is done."""
        until = self.clock.now() + timedelta(seconds=seconds)
        await self._settle()
        while (due := self.engine.agenda.next_due_at) is not None and due <= until:
            self.clock.move_to(max(due, self.clock.now()))
            await self._settle()
        self.clock.move_to(until)

    async def _settle(self) -> None:
        while self.engine.agenda.run_due() or self.engine.dispatcher.under_way:
            await self.engine.dispatcher.quiet()


def world(
    *accounts: Account,
    scenario: Scenario | None = None,
    carrier: FakeCarrier | None = None,
    clock_at: datetime = NOON,
    callback_url: str | None = None,
    max_messages: int = 100_000,
    **readings: str,
) -> World:
    """Return a world in which nothing has happened yet; the *accounts* alone may send, if there are any."""
    scenario = scenario or Scenario(name="test")
    if accounts:
        listed = {account.user: account for account in accounts}
        scenario = replace(scenario, accounts=Accounts(listed, anyone=False))
    clock, carrier = VirtualClock(clock_at), carrier or FakeCarrier()
    config = Config(readings=readings, callback_url=callback_url, max_messages=max_messages)
    return World(build_engine(config, scenario=scenario, clock=clock, carrier=carrier), clock, carrier)
