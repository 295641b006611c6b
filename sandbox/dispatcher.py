"""From reports that are due to attempts: order for each message, retries, and a limit for each receiver.

Does not know why a report is due. Time comes from the session's clock; the attempts themselves take real time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sandbox import signature
from sandbox.carrier import Arrived, HeldBack, Parcel, octets
from sandbox.clock import RunningClock
from sandbox.core.model import Attempt, Callback, CallbackState
from sandbox.core.timeline import after
from sandbox.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sandbox.agenda import Agenda
    from sandbox.carrier import Carrier, Outcome
    from sandbox.clock import Clock
    from sandbox.core.scenario import CallbackSettings
    from sandbox.places import Address

_PORTS: Final = {"http": 80, "https": 443}

_OWN: Final = {"User-Agent": "panelsms-sandbox"}
_OWN_WITH_BODY: Final = {**_OWN, "Content-Type": "application/json"}


@dataclass(slots=True, eq=False)
class _Try:
    """One attempt, from when it is due until its outcome is there."""

    callback: Callback


@dataclass(slots=True, eq=False)
class _Receiver:
    """One host and port: the attempts that are due there, and how many are under way."""

    address: Address
    due: deque[_Try] = field(default_factory=deque)
    under_way: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    """One task that makes attempts at a receiver."""

    receiver: _Receiver
    has_place: bool = True


class Dispatcher:
    """Carries the callbacks of one session, at least once each, and those of one message in order."""

    def __init__(
        self,
        *,
        agenda: Agenda,
        carrier: Carrier,
        settings: CallbackSettings,
        places: Places | None = None,
        session: str = "",
        on_change: Callable[[Callback], None] | None = None,
        real_clock: Clock | None = None,
    ) -> None:
        """Begin with nothing to carry.

        Args:
            agenda: where retries wait for their time, and what time it is.
            carrier: who makes the attempts.
            settings: how they are made; may be replaced at any time, and each attempt goes by those of its moment.
            places: how many attempts may be under way; shared with the dispatchers of other sessions.
            session: its name, which makes the ids of signed callbacks its own.
            on_change: is told of a callback after each attempt, and when it has ended.
            real_clock: what signatures are stamped with; by default the real time, whatever the agenda's clock.
        """
        self.settings = settings
        self._agenda = agenda
        self._carrier = carrier
        self._places = places or Places()
        self._session = session
        self._on_change = on_change
        self._real_clock = real_clock or RunningClock()
        self._lines: dict[int, list[Callback]] = {}
        """What each message, by its number, has still to report: the first is on its way, the others wait for it."""
        self._to_retry: dict[int, Callback] = {}
        """The first in a message's line, where it waits for the moment at which it is tried again."""
        self._receivers: dict[Address, _Receiver] = {}
        self._tries: set[_Try] = set()
        """Those that are under way, or wait for a place."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self._told: asyncio.Future[None] | None = None
        """Done when something is next told of any callback; None while nobody waits for that."""

    @property
    def under_way(self) -> int:
        """How many attempts are being made right now, or will be as soon as there is a place for them."""
        return len(self._tries)

    @property
    def unfinished(self) -> int:
        """How many callbacks have neither arrived nor been given up."""
        return sum(map(len, self._lines.values()))

    def dispatch(self, callback: Callback) -> None:
        """Send *callback* as soon as those of the same message before it are done, and its receiver has room.

        One that an earlier run has left waiting for its next try waits for that moment.
        """
        line = self._lines.setdefault(callback.message.number, [])
        line.append(callback)
        if len(line) > 1:
            return
        if callback.retry_at is None:
            self._make_ready(callback)
        else:
            self._try_again_at(callback, callback.retry_at)

    def replay(self, callback: Callback) -> None:
        """Send *callback* again, with all its retries, behind what its message has still to report.

        One that waits for its next try is tried at once; one that is about to be sent anyway is left alone.
        """
        number = callback.message.number
        if not any(waiting is callback for waiting in self._lines.get(number, ())):
            callback.state, callback.reason, callback.retry_at = CallbackState.WAITING, None, None
            callback.replayed_after = len(callback.attempts)
            self.dispatch(callback)
        elif self._is_first(callback) and number in self._to_retry:
            callback.replayed_after = len(callback.attempts)
            self._make_ready(callback)

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
        """Return when no attempt is under way, or waits for its place."""
        while self.under_way:
            await self._is_quiet.wait()

    async def stop(self) -> None:
        """Break off what is under way, and forget the rest; what is dispatched from now on is not touched."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for receiver in self._receivers.values():
            receiver.due.clear()
        self._receivers.clear()
        self._tries.clear()
        self._lines.clear()
        self._to_retry.clear()
        self._note_quiet()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- who begins -----------------------------------------------------------------------------------------------

    def _make_ready(self, callback: Callback) -> None:
        if callback.retry_at is not None:
            callback.retry_at = None
            self._to_retry.pop(callback.message.number, None)
        address = _address(callback.url)
        receiver = self._receivers.get(address)
        if receiver is None:
            receiver = self._receivers[address] = _Receiver(address)
        attempt = _Try(callback)
        receiver.due.append(attempt)
        self._tries.add(attempt)
        self._is_quiet.clear()
        self._fill(receiver)

    def _fill(self, receiver: _Receiver) -> None:
        """Begin the attempts that are due, as far as there are places."""
        while (attempt := self._take(receiver)) is not None:
            worker = _Worker(receiver)
            task = asyncio.get_running_loop().create_task(self._work(worker, attempt))
            self._tasks.add(task)
            task.add_done_callback(partial(self._leave, worker))

    def _take(self, receiver: _Receiver) -> _Try | None:
        """Return the next attempt that is due and has a place now; None when there is none."""
        if (
            receiver.due
            and receiver.under_way < self.settings.concurrency
            and self._places.take(self, receiver.address, partial(self._fill, receiver))
        ):
            receiver.under_way += 1
            return receiver.due.popleft()
        return None

    async def _work(self, worker: _Worker, attempt: _Try) -> None:
        """Make an attempt, and then, in the same task, those that are due when the one before has ended."""
        following: _Try | None = attempt
        while following is not None:
            await self._attempt(following)
            self._give_back(worker)
            following = self._take(worker.receiver)
            worker.has_place = following is not None

    def _give_back(self, worker: _Worker) -> None:
        """Give a worker's place back: whoever has waited longer for one begins first."""
        worker.has_place = False
        worker.receiver.under_way -= 1
        self._places.give_back(self, worker.receiver.address)

    def _leave(self, worker: _Worker, task: asyncio.Task[None]) -> None:
        """Let go of a worker that has ended, or was broken off, and of a receiver that has nothing to do."""
        self._tasks.discard(task)
        receiver = worker.receiver
        if worker.has_place:
            self._give_back(worker)
            self._fill(receiver)
        if not (receiver.due or receiver.under_way) and self._receivers.get(receiver.address) is receiver:
            del self._receivers[receiver.address]
        self._note_quiet()

    def _note_quiet(self) -> None:
        if not self._tries:
            self._is_quiet.set()

    # -- an attempt -----------------------------------------------------------------------------------------------

    async def _attempt(self, attempt: _Try) -> None:
        """Make one attempt, and let its outcome count unless all was stopped meanwhile."""
        callback = attempt.callback
        at = self._agenda.clock.now()
        try:
            outcome = await self._carrier.carry(self._parcel(callback))
        finally:
            # Whoever is told of the outcome finds the attempt ended.
            self._tries.discard(attempt)
        if self._is_first(callback):
            self._go_on(attempt, at, outcome)

    def _go_on(self, attempt: _Try, at: datetime, outcome: Outcome) -> None:
        """Record an attempt, and decide how its callback goes on."""
        callback = attempt.callback
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
        retry_at = self._next_try_at(len(callback.attempts) - callback.replayed_after)
        if retry_at is None:
            count = len(callback.attempts)
            attempts = "1 attempt" if count == 1 else f"{count} attempts"
            self._finish(callback, CallbackState.FAILED, f"gave up after {attempts}: {error}")
        else:
            self._try_again_at(callback, retry_at)
            self._tell(callback)

    def _try_again_at(self, callback: Callback, retry_at: datetime) -> None:
        callback.retry_at = retry_at
        self._to_retry[callback.message.number] = callback
        self._agenda.add(retry_at, self._retry, callback, retry_at)

    def retries_at(self) -> Iterator[datetime]:
        """Yield the moments at which callbacks that did not arrive are tried again."""
        return (callback.retry_at for callback in self._to_retry.values() if callback.retry_at is not None)

    def _next_try_at(self, made: int) -> datetime | None:
        """Return when the next attempt is due after so many; None when there is none."""
        waits_s = self.settings.retry_s
        if made > len(waits_s):
            return None
        return after(self._agenda.clock.now(), timedelta(seconds=waits_s[made - 1]))

    def _retry(self, callback: Callback, retry_at: datetime) -> None:
        """Try again, unless that is not waited for any more: after a stop, or a replay."""
        if self._is_first(callback) and callback.retry_at == retry_at:
            self._make_ready(callback)

    def _is_first(self, callback: Callback) -> bool:
        line = self._lines.get(callback.message.number)
        return line is not None and line[0] is callback

    def _parcel(self, callback: Callback) -> Parcel:
        settings, body = self.settings, callback.body
        headers: Mapping[str, str] = _OWN if body is None else _OWN_WITH_BODY
        signed: Mapping[str, str] = {}
        if settings.secret is not None:
            signed = signature.headers(
                settings.secret,
                webhook_id=signature.webhook_id(callback, self._session),
                at=self._real_clock.now(),
                body=octets(body or ""),
            )
        if settings.headers or signed:
            # A signature that the scenario's headers replace would be refused, and nobody would see why.
            headers = _merged(headers, settings.headers, signed)
        return Parcel(callback.method, callback.url, headers, body, settings.timeout_s, settings.allow)

    def _finish(self, callback: Callback, state: CallbackState, reason: str | None) -> None:
        callback.state = state
        callback.reason = reason
        line = self._lines[callback.message.number]
        del line[0]
        if line:
            self._make_ready(line[0])
        else:
            del self._lines[callback.message.number]
        self._tell(callback)

    def _tell(self, callback: Callback) -> None:
        if self._told is not None:
            self._told.set_result(None)
            self._told = None
        if self._on_change is not None:
            self._on_change(callback)


@lru_cache(256)
def _address(url: str) -> Address:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _merged(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return headers of which the later win, in whatever case their names are written."""
    headers = {name.lower(): (name, value) for layer in layers for name, value in layer.items()}
    return dict(headers.values())


def _failure(outcome: Arrived) -> str | None:
    """Say why an answer is no success, None for any 2xx."""
    if 200 <= outcome.status < 300:
        return None
    if 300 <= outcome.status < 400:
        return f"HTTP {outcome.status}: redirects are not followed"
    return f"HTTP {outcome.status}"
