"""From reports that are due to attempts: order for each message, retries, and a limit for each receiver.

Does not know why a report is due. Time comes from the session's clock; the attempts themselves take real time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sandbox.carrier import Arrived, HeldBack, Parcel
from sandbox.core.model import Attempt, Callback, CallbackState
from sandbox.core.timeline import after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sandbox.agenda import Agenda
    from sandbox.carrier import Carrier
    from sandbox.clock import Clock
    from sandbox.core.scenario import CallbackSettings

IN_ALL: Final = 512
"""Attempts under way at once, to whatever receivers, in one session."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(slots=True, eq=False)
class _Receiver:
    """One host and port: the callbacks that are ready for it, and how many workers take them from there."""

    ready: deque[Callback] = field(default_factory=deque)
    under_way: int = 0


class Dispatcher:
    """Carries the callbacks of one session, at least once each, and those of one message in order."""

    def __init__(
        self,
        *,
        clock: Clock,
        agenda: Agenda,
        carrier: Carrier,
        settings: CallbackSettings,
        on_change: Callable[[Callback], None] | None = None,
    ) -> None:
        self._clock = clock
        self._agenda = agenda
        self._carrier = carrier
        self._settings = settings
        self._on_change = on_change
        self._behind: dict[int, deque[Callback]] = {}
        self._receivers: dict[tuple[str | None, int | None], _Receiver] = {}
        self._crowded_out: dict[_Receiver, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: asyncio.Future[None] | None = None
        """Done when something is next told of any callback; None while nobody waits for that."""

    @property
    def under_way(self) -> int:
        """How many attempts are being made right now."""
        return len(self._tasks)

    @property
    def unfinished(self) -> int:
        """How many callbacks have neither arrived nor been given up."""
        return sum(1 + len(later) for later in self._behind.values())

    def dispatch(self, callback: Callback) -> None:
        """Send *callback* as soon as those of the same message before it are done, and its receiver has room."""
        behind = self._behind.get(callback.message.number)
        if behind is None:
            self._behind[callback.message.number] = deque()
            self._make_ready(callback)
        else:
            behind.append(callback)

    async def first_tries(self, callbacks: Sequence[Callback]) -> None:
        """Return when each of *callbacks* has arrived, or one has not at its first try; those behind it wait."""
        while True:
            waiting = next(
                (callback for callback in callbacks if callback.state is CallbackState.WAITING), None
            )
            if waiting is None or waiting.attempts:
                return
            self._told = self._told or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._told)

    async def quiet(self) -> None:
        """Return when no attempt is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Break off what is under way, and forget the rest; what is dispatched from now on is not touched."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for receiver in self._receivers.values():
            receiver.ready.clear()
        self._behind.clear()
        self._receivers.clear()
        self._crowded_out.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _make_ready(self, callback: Callback) -> None:
        if callback.message.number not in self._behind:
            return
        parts = urlsplit(callback.url)
        address = parts.hostname, parts.port or _PORTS.get(parts.scheme)
        receiver = self._receivers.setdefault(address, _Receiver())
        receiver.ready.append(callback)
        self._fill(receiver)

    def _fill(self, receiver: _Receiver) -> None:
        """Start a worker for each callback that is ready, as far as there are places."""
        while receiver.ready and receiver.under_way < self._settings.concurrency:
            if len(self._tasks) >= IN_ALL:
                self._crowded_out.setdefault(receiver)
                return
            receiver.under_way += 1
            task = asyncio.get_running_loop().create_task(self._work(receiver))
            self._tasks.add(task)
            task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[None]) -> None:
        """Give a worker's place to a receiver that found none."""
        self._tasks.discard(task)
        while self._crowded_out and len(self._tasks) < IN_ALL:
            receiver = next(iter(self._crowded_out))
            del self._crowded_out[receiver]
            self._fill(receiver)

    async def _work(self, receiver: _Receiver) -> None:
        try:
            while receiver.ready:
                await self._attempt(receiver.ready.popleft())
                if self._crowded_out:
                    break
        finally:
            receiver.under_way -= 1
            if receiver.ready:
                self._crowded_out.setdefault(receiver)

    async def _attempt(self, callback: Callback) -> None:
        """Make one attempt, record it, and decide how the callback goes on."""
        at = self._clock.now()
        outcome = await self._carrier.carry(self._parcel(callback))
        if isinstance(outcome, HeldBack):
            self._finish(callback, CallbackState.REFUSED, outcome.why)
            return
        if isinstance(outcome, Arrived):
            status, error = outcome.status, _failure(outcome)
        else:
            status, error = None, outcome.why
        callback.attempts += (Attempt(at, status, error, outcome.ms),)
        if error is None:
            self._finish(callback, CallbackState.DELIVERED, None)
            return
        retry_at = self._retry_at(len(callback.attempts))
        if retry_at is None:
            count = len(callback.attempts)
            tries = "1 attempt" if count == 1 else f"{count} attempts"
            self._finish(callback, CallbackState.FAILED, f"gave up after {tries}: {error}")
        else:
            self._agenda.add(retry_at, self._make_ready, callback)
            self._tell(callback)

    def _retry_at(self, attempts: int) -> datetime | None:
        """Return when the next attempt is due after so many; None when there is none."""
        waits_s = self._settings.retry_s
        if attempts > len(waits_s):
            return None
        return after(self._clock.now(), timedelta(seconds=waits_s[attempts - 1]))

    def _parcel(self, callback: Callback) -> Parcel:
        headers = {"User-Agent": "panelsms-sandbox", **self._settings.headers}
        if callback.body is not None:
            headers = {"Content-Type": "application/json", **headers}
        settings = self._settings
        return Parcel(
            callback.method, callback.url, headers, callback.body, settings.timeout_s, settings.allow
        )

    def _finish(self, callback: Callback, state: CallbackState, reason: str | None) -> None:
        callback.state = state
        callback.reason = reason
        behind = self._behind.get(callback.message.number)
        if behind:
            self._make_ready(behind.popleft())
        else:
            self._behind.pop(callback.message.number, None)
        self._tell(callback)

    def _tell(self, callback: Callback) -> None:
        if self._told is not None:
            self._told.set_result(None)
            self._told = None
        if self._on_change is not None:
            self._on_change(callback)


def _failure(outcome: Arrived) -> str | None:
    """Say why an answer is no success, None for any 2xx."""
    if 200 <= outcome.status < 300:
        return None
    if 300 <= outcome.status < 400:
        return f"HTTP {outcome.status}: redirects are not followed"
    return f"HTTP {outcome.status}"
