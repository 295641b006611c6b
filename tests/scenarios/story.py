"""A scenario told from outside: a client that sends, a receiver that is sent reports, and time that passes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from sandbox.app import create_app
from sandbox.carrier import HttpCarrier
from sandbox.clock import VirtualClock
from sandbox.core.scenario import Scenario
from tests.scenarios.receiver import Receiver
from tests.scenarios.stage import Stage
from tests.served import Heard, Served
from tests.worlds import DESTINATION, NOON, USER, FakeCarrier

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def scenario_of(test_file: Path) -> str:
    """Return the scenario whose story a file of tests tells: ``happy-path`` for ``test_happy_path.py``."""
    return test_file.stem.removeprefix("test_").replace("_", "-")


@dataclass(frozen=True)
class Story:
    """A sandbox on a socket that plays one scenario, at noon, and an endpoint for its reports."""

    sandbox: Served
    receiver: Receiver

    @property
    def url(self) -> str:
        """Where the sandbox is."""
        host, port = self.sandbox.address
        return f"http://{host}:{port}"

    def parameters(self, **more: str) -> dict[str, str]:
        """Return a message that asks for reports, with other parameters as given."""
        usual = {"user": USER, "apiKey": "secret", "to": DESTINATION, "message": "Hello"}
        return {**usual, "confirmation": "true", "callbackUrl": self.receiver.url, **more}

    def call(self, *, method: str = "GET", **more: str) -> Heard:
        """Send a message, and return all that is heard."""
        return self.sandbox.call(self.parameters(**more), method)

    def send(self, **more: str) -> str:
        """Send a message, and return the body of the answer."""
        return self.call(**more).body

    def advance(self, seconds: float) -> int:
        """Let time pass, and return how many attempts at reports were made."""
        return self.sandbox.advance(seconds)

    @property
    def reported(self) -> list[tuple[float, str]]:
        """When each report came, in seconds after noon, and what it said."""
        arrived_s = [(one.at - NOON).total_seconds() for one in self.receiver.received]
        return list(zip(arrived_s, self.receiver.statuses, strict=True))

    @property
    def happened(self) -> list[float]:
        """Of when each report tells, in seconds after noon."""
        moments = [datetime.fromisoformat(report["timestamp"]) for report in self.receiver.reports]
        return [(moment - NOON).total_seconds() for moment in moments]

    @property
    def messages(self) -> dict[str, str]:
        """What became of each message that was accepted: its status, by its transaction id."""
        return {message.transaction_id: message.status for message in reversed(self.sandbox.messages)}


@contextmanager
def told(stage: Stage, scenario: Scenario, *, receiver_is_open: bool = True) -> Iterator[Story]:
    """Play *scenario* while the block runs."""
    carrier = HttpCarrier()
    app = create_app(scenario=scenario, clock=VirtualClock(NOON), carrier=carrier)
    with Receiver() as receiver, stage.plays(app):
        receiver.now = app.state.engine.clock.now
        if receiver_is_open:
            receiver.open()
        # Other tests look into the carrier of a `Served`; here a receiver sees what is really sent.
        sandbox = Served(stage.address, app.state.engine, cast("FakeCarrier", carrier), stage.loop)
        yield Story(sandbox, receiver)
