"""All that a test asks of a sandbox that runs, and tells it: whoever serves it, it goes over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from sandbox import contract
from sandbox.client import Client
from sandbox.errors import ConfigError, SandboxError
from sandbox.kit import assertions
from sandbox.kit.answer import Answer, parameters
from sandbox.kit.assertions import conditions
from sandbox.kit.choosing import choice_of
from sandbox.kit.clock import Clock
from sandbox.kit.lists import Callbacks, Messages, Requests
from sandbox.kit.rules import AddedRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.model import JsonObject
    from sandbox.kit.choosing import Scenario
    from sandbox.kit.control import Control
    from sandbox.kit.records import Message


class NotStartedError(SandboxError):
    """A sandbox is asked something before it is started, or after it has stopped."""


class World:
    """A sandbox that runs: its own world, or that of one session.

    Parameters of the API are spelled as the API does, ``senderId``; ``sender_id`` is taken for the same.
    """

    def __init__(self, control: Control | None = None) -> None:
        """Build the face of the sandbox that *control* asks."""
        self._there = control
        self._begun_with: tuple[tuple[str, JsonObject], ...] = ()
        """What a reset does not know and is told anew: paths of the control API, and what is put there."""
        self._readings: Mapping[str, str] = contract.readings()._asdict()

    def __repr__(self) -> str:
        return f"<Sandbox at {'no address yet' if self._there is None else self._there.url}>"

    @property
    def control(self) -> Control:
        """Its control API, for what has no method here: ``sms.control.get("health")``.

        Raises:
            NotStartedError: it does not run.
        """
        if self._there is None:
            raise NotStartedError(
                "the sandbox does not run: write `with Sandbox(...) as sms:`, or call its start()"
            )
        return self._there

    @property
    def url(self) -> str:
        """The base URL for a client: ``http://127.0.0.1:40001``."""
        return self.control.url

    @property
    def send_url(self) -> str:
        """The endpoint itself: ``http://127.0.0.1:40001/sendMtSms.php``."""
        return f"{self.url}/sendMtSms.php"

    # -- what is to happen -----------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """What time it is there; ``sms.clock.advance("1h")``."""
        return Clock(self.control)

    def when(self, **when: Any) -> AddedRule:
        """Return a rule for requests that meet *when*: ``sms.when(to={"prefix": "+34"}).respond(error=7, times=1)``.

        Args:
            when: all that a rule's ``when`` may hold; nothing for every request.
        """
        return AddedRule(self.control, conditions(when))

    def play(self, scenario: Scenario, *, readings: Mapping[str, str] | None = None) -> None:
        """Play another scenario from its start; what was sent stays.

        Args:
            scenario: a built-in one's name, a file's path, YAML, or the same as a mapping.
            readings: in place of the scenario's own.

        Raises:
            SandboxError: one of them is wrong; the old one goes on.
        """
        choice, in_force = choice_of(scenario, readings or {})
        self._demand(readings or {}, self.control.ask("PUT", "scenario", choice))
        self._readings = in_force

    def _demand(self, readings: Mapping[str, str], shown: JsonObject) -> None:
        """Raise a ConfigError where the scenario is *shown* to be played with other readings than these."""
        for name, value in readings.items():
            if shown["readings"][name] != value:
                stands = f"{name}={shown['readings'][name]}"
                raise ConfigError(
                    f"{name} cannot be {value} here: the sandbox was started with --reading {stands}, which stands"
                )

    @property
    def scenario(self) -> JsonObject:
        """What is played: its ``name``, ``seed``, ``state``, ``yaml``, and ``rules`` with how often each has matched."""
        return self.control.get("scenario")

    @property
    def readings(self) -> Mapping[str, str]:
        """How each open question of the API reference is read, as far as this test kit has chosen it."""
        return self._readings

    def reset(self) -> None:
        """Let everything be as at the beginning: records, rules, counters, balances, scenario, clock."""
        self.control.ask("POST", "reset")
        self._begin()

    def _begin(self) -> None:
        for path, body in self._begun_with:
            self.control.ask("PUT", path, body)

    # -- what has happened -----------------------------------------------------------------------------------------

    @property
    def messages(self) -> Messages:
        """The messages accepted so far, oldest first."""
        return Messages(self.control)

    @property
    def requests(self) -> Requests:
        """The calls made so far, refused ones too, oldest first."""
        return Requests(self.control)

    @property
    def callbacks(self) -> Callbacks:
        """The reports so far, each with its attempts, oldest first."""
        return Callbacks(self.control)

    @overload
    def wait_for(
        self,
        *,
        count: int,
        status: str | None = None,
        text: str | None = None,
        timeout: float = 5,
        **when: Any,
    ) -> list[Message]: ...
    @overload
    def wait_for(
        self, *, status: str | None = None, text: str | None = None, timeout: float = 5, **when: Any
    ) -> Message: ...
    def wait_for(
        self,
        *,
        count: int | None = None,
        status: str | None = None,
        text: str | None = None,
        timeout: float = 5,
        **when: Any,
    ) -> Message | list[Message]:
        """Return the newest message that is as it should be, or with *count* all of them, as soon as there are so many.

        A virtual clock is moved from one due moment to the next for that.

        Args:
            count: how many there are to be.
            status: the status that they are to have: ``delivered``.
            text: a part of their text.
            timeout: how long it may take, in real seconds.
            when: what they are to meet, as a rule's ``when``.

        Raises:
            AssertionError: it does not come to that, with what there is instead.
        """
        __tracebackhide__ = True
        found = assertions.wait_for(
            self.control,
            self.clock,
            conditions(when),
            status=status,
            text=text,
            count=1 if count is None else count,
            timeout_s=timeout,
        )
        return found[0] if count is None else found

    def assert_sent(self, *, times: int | None = None, **when: Any) -> None:
        """Raise an AssertionError unless a message that meets *when* was accepted, or exactly so many were.

        Args:
            times: how many there are to be; None for one or more.
            when: as a rule's ``when``: ``to={"prefix": "+34"}, message={"contains": "code"}``.
        """
        __tracebackhide__ = True
        assertions.assert_sent(self.control, conditions(when), times)

    def assert_not_sent(self, **when: Any) -> None:
        """Raise an AssertionError if a message that meets *when* was accepted; refused ones were not."""
        __tracebackhide__ = True
        assertions.assert_sent(self.control, conditions(when), 0)

    def assert_refused(self, code: int, *, times: int | None = None, **when: Any) -> None:
        """Raise an AssertionError unless a request that meets *when* was answered with this error code.

        Args:
            code: from 1 to 15.
            times: how many there are to be; None for one or more.
            when: as a rule's ``when``.
        """
        __tracebackhide__ = True
        assertions.assert_refused(self.control, code, conditions(when), times)

    # -- without a client of one's own -----------------------------------------------------------------------------

    def send(self, **more: Any) -> Answer:
        """Send a message, and return the answer; what is not given is valid.

        Args:
            more: parameters of the API: ``to="+34600000001", message="Hi", confirmation=True``.

        Raises:
            UnreachableError: no answer came, or a broken one.
        """
        reply = Client(self.url).send(parameters(more))
        return Answer(reply.status, reply.body, reply.headers)

    def explain(self, **more: Any) -> JsonObject:
        """Return what would become of a message, without sending it: ``accepted``, ``error``, ``checks``, ``rule`` ….

        Args:
            more: parameters of the API, as for `send`.
        """
        return self.control.ask("POST", "explain", parameters(more))
