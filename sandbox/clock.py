"""What time it is in the sandbox, and how long that is to wait in real time: the sole reader of system time.

Does not know what is waited for.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from sandbox.core.spelling import excerpt
from sandbox.core.timeline import after
from sandbox.core.times import rfc3339
from sandbox.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable


_THE_END: Final = datetime.max.replace(tzinfo=UTC)


class Clock(Protocol):
    """A sandbox's time: aware moments in UTC that never run backwards on purpose."""

    @property
    def mode(self) -> str:
        """How it runs: ``real``, ``x60`` or ``virtual``."""
        ...

    def now(self) -> datetime:
        """Return the sandbox's time."""
        ...

    def real_s_until(self, at: datetime) -> float | None:
        """Return the real seconds until *at*, 0 when it has come; None when that moment never comes by itself."""
        ...

    def afresh(self) -> Clock:
        """Return a clock that begins as this one did."""
        ...


class RunningClock:
    """Time that runs by itself: real, or *rate* times as fast, from *start_at* where that is given."""

    def __init__(self, *, start_at: datetime | None = None, rate: int = 1) -> None:
        self._rate = rate
        self._given_at = start_at
        self._began_at = datetime.now(UTC)
        self._start_at = start_at or self._began_at
        self._is_plain = rate == 1 and start_at is None

    @property
    def mode(self) -> str:
        """``real``, or ``x60`` for sixty times as fast."""
        return "real" if self._rate == 1 else f"x{self._rate}"

    def now(self) -> datetime:
        """Return the sandbox's time."""
        wall = datetime.now(UTC)
        if self._is_plain:
            return wall
        return after(self._start_at, (wall - self._began_at) * self._rate) or _THE_END

    def real_s_until(self, at: datetime) -> float:
        """Return the real seconds until *at*, 0 when it has come."""
        return max(0.0, (at - self.now()).total_seconds() / self._rate)

    def afresh(self) -> RunningClock:
        """Return a clock that begins as this one did."""
        return RunningClock(start_at=self._given_at, rate=self._rate)


class BackwardsError(ValueError):
    """A virtual clock was asked to go back."""


class VirtualClock:
    """Time that stands until it is moved, and only forward."""

    mode = "virtual"

    def __init__(self, start_at: datetime | None = None) -> None:
        self._given_at = start_at
        self._now = start_at or datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        """Return the sandbox's time."""
        return self._now

    def real_s_until(self, at: datetime) -> float | None:
        """Return 0 when *at* has come; else None: it comes when the clock is moved."""
        return 0.0 if at <= self._now else None

    def afresh(self) -> VirtualClock:
        """Return a clock that begins as this one did; one that was given no moment begins now."""
        return VirtualClock(self._given_at)

    def move_to(self, at: datetime) -> None:
        """Let *at* be the sandbox's time.

        Raises:
            BackwardsError: *at* is before the time it is.
        """
        self.demand_forward(at)
        self._now = at

    def demand_forward(self, at: datetime) -> None:
        """Do nothing where *at* is a moment that time can be moved to.

        Raises:
            BackwardsError: *at* is before the time it is.
        """
        if at < self._now:
            raise BackwardsError(f"{rfc3339(at)} is before {rfc3339(self._now)}: time only goes forward")


MODES: Final = "real, virtual, or x and how many times as fast as real, x60 up to x999999"


def clock_of(mode: str, start_at: datetime | None = None) -> Clock:
    """Return a clock that begins now, or at *start_at*.

    Args:
        mode: ``real``, ``virtual``, or ``x60`` for sixty times as fast.
        start_at: what time it is when it begins.

    Raises:
        ConfigError: there is no such mode.
    """
    check_mode(mode)
    if mode == "virtual":
        return VirtualClock(start_at)
    return RunningClock(start_at=start_at, rate=1 if mode == "real" else int(mode[1:]))


def check_mode(mode: str) -> None:
    """Do nothing where there is such a clock.

    Raises:
        ConfigError: there is none.
    """
    if mode not in {"real", "virtual"} and not re.fullmatch("x[1-9][0-9]{0,5}", mode):
        raise ConfigError(f"a clock cannot be {excerpt(mode)}: it is {MODES}")


async def real_pause(seconds: float, unless: Awaitable[object] | None = None) -> bool:
    """Let real time pass, whatever the sandbox's clock says.

    Args:
        seconds: how much of it.
        unless: what ends the pause early.

    Returns:
        Whether all of it passed.
    """
    try:
        async with asyncio.timeout(seconds):
            await (unless or asyncio.get_running_loop().create_future())
    except TimeoutError:
        return True
    return False


class Stopwatch:
    """Measures real time from when it is made, for what must not follow the sandbox's clock."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def ms(self) -> int:
        """Return the whole milliseconds since."""
        return round((time.perf_counter() - self._began) * 1000)


class Deadline:
    """The end of a wait, in real time: *seconds* from when it is made."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds that are left; 0 when it has passed."""
        return max(0.0, self._at - time.monotonic())
