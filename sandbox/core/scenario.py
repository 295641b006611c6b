"""What a scenario says: rules, the answers and timelines they choose, and how callbacks are sent.

Plain frozen values. How they are written in YAML, and which rule wins, is known elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.model import Account, Accounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.core.match import When


MAGIC_PREFIX: Final = "+1500555"
"""What ``{{ magic }}`` stands for in a rule's ``to``, unless another prefix is chosen."""


class Fault(StrEnum):
    """A broken transport."""

    RESET = "reset"
    EMPTY = "empty"
    TRUNCATE = "truncate"
    GARBAGE = "garbage"
    HANG = "hang"
    DRIP = "drip"


class Fixed(NamedTuple):
    """A delay that is always the same."""

    seconds: float


class Uniform(NamedTuple):
    """A delay drawn evenly between two bounds, in seconds."""

    low_s: float
    high_s: float


class Lognormal(NamedTuple):
    """A delay with a long tail: its median in seconds, and the sigma of its logarithm."""

    median_s: float
    sigma: float


Delay = Fixed | Uniform | Lognormal


@dataclass(frozen=True, slots=True)
class Respond:
    """What a rule answers instead of, or around, the answer that the checks earned."""

    error: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    """A template, as ``template.py`` renders."""
    fault: Fault | None = None
    delay: Delay | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a timeline: what the message becomes, and what its report looks like."""

    after: timedelta
    """Counted from the acceptance, or the scheduled time."""
    status: str
    jitter: timedelta = timedelta()
    """The step comes up to this much later, drawn evenly."""
    error_code: int | None = None
    weight: float | None = None
    """One of the steps that have a weight is drawn; those without one always happen."""
    repeat: int = 1
    """How many times the report is sent."""
    send_after: timedelta | None = None
    """When the report goes out, where that is not when the change happens; counted as *after* is."""
    before_answer: bool = False
    """The report is sent before the answer, which waits for it."""
    body: str | None = None
    """A template that is sent instead of the report's JSON."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the requests it is for, what they are answered, and what becomes of the message."""

    name: str
    when: When
    respond: Respond | None = None
    submit: bool = True
    """Whether the message is accepted although the rule answers something else."""
    before_checks: bool = False
    set_state: str | None = None
    timeline: tuple[Step, ...] | None = None
    """None: the scenario's default timeline."""
    times: int | None = None
    """How many requests the rule decides before it goes away; None for all."""


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """How reports are carried to their receivers; durations in seconds."""

    timeout_s: float = 5.0
    retry_s: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0, 600.0)
    """The wait before each retry, counted from the attempt before."""
    concurrency: int = 64
    """Attempts under way at once for each receiver (host and port)."""
    allow: tuple[str, ...] = ()
    """Hosts that may be reached besides loopback and private addresses; ``public`` for all public ones."""
    secret: str | None = None
    """Signs each attempt by the Standard Webhooks specification: ``whsec_…``, or its base64 alone."""
    headers: Mapping[str, str] = field(default_factory=dict)


DEFAULT_ACCOUNTS: Final = Accounts(
    {"disabled@example.com": Account("disabled@example.com", api_key=None, disabled=True)}
)
"""Anybody may send, but for the one user whose account is always disabled."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario, checked: no later code doubts it."""

    name: str
    description: str = ""
    seed: int = 0
    readings: Mapping[str, str] = field(default_factory=dict)
    accounts: Accounts = DEFAULT_ACCOUNTS
    rules: tuple[Rule, ...] = ()
    timeline: tuple[Step, ...] = (Step(after=timedelta(seconds=1), status="delivered"),)
    callbacks: CallbackSettings = field(default_factory=CallbackSettings)
