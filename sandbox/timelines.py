"""What becomes of the messages of a session once they are accepted: their changes of status, and the reports of these.

Knows nothing of requests or rules.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Final

from sandbox.core import report
from sandbox.core.model import Callback, CallbackState, Change, Message
from sandbox.core.statuses import is_final
from sandbox.feed import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sandbox.agenda import Agenda
    from sandbox.core.ledger import Ledger
    from sandbox.core.model import RequestRecord
    from sandbox.core.readings import Readings
    from sandbox.dispatcher import Dispatcher
    from sandbox.feed import Feed
    from sandbox.store import Store

REPORTED_WITHIN_S: Final = 2.0
"""How long an answer waits for the reports that are to come before it, in real time."""


class Timelines:
    """The planned changes of all messages of a session, each happening when its moment comes."""

    def __init__(
        self,
        *,
        agenda: Agenda,
        dispatcher: Dispatcher,
        store: Store,
        feed: Feed,
        descriptions: Mapping[int, str],
        readings: Readings,
        ledger: Ledger,
    ) -> None:
        """Begin without any.

        Args:
            agenda: where what is due later is kept, and what time it is.
            dispatcher: who carries the reports.
            store: where messages are, and callbacks go.
            feed: is told of what happens.
            descriptions: of the error codes, by code.
            readings: how the open questions of the reference are read.
            ledger: where a message with its final status leaves the queue of its account.
        """
        self.readings = readings
        self.callbacks = 0
        """How many there have been."""
        self._agenda = agenda
        self._dispatcher = dispatcher
        self._store = store
        self._feed = feed
        self._descriptions = descriptions
        self._ledger = ledger

    def begin(self, message: Message) -> None:
        """Put an accepted message's timeline on the agenda; what is reported before the answer happens now."""
        for change in message.timeline:
            if change.step is not None and change.step.before_answer:
                self._change(message, change)
            else:
                self._agenda.add(change.at, self._change, message, change)

    def resume(self) -> None:
        """Go on with what the store has kept of an earlier run; what became due meanwhile happens soon, in order."""
        for message in reversed([*self._store.messages()]):
            for change in message.unsent:
                self._agenda.add(change.send_at, self._report_late, message, change)
            for change in message.timeline[message.done :]:
                self._agenda.add(change.at, self._change, message, change)
        waiting = [each for each in self._store.callbacks() if each.state is CallbackState.WAITING]
        # One that has been tried before others of its message were behind it, whatever their numbers.
        for callback in sorted(waiting, key=lambda each: each.retry_at is None):
            self._dispatcher.dispatch(callback)

    async def reported_before_answer(self, record: RequestRecord) -> None:
        """Return when the reports that come before an answer have arrived, or one has not at its first try.

        That takes REPORTED_WITHIN_S seconds at most.
        """
        message = self._store.message(record.message_number or 0)
        numbers = () if message is None else message.callback_numbers
        callbacks = [callback for number in numbers if (callback := self._store.callback(number)) is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORTED_WITHIN_S):
                await self._dispatcher.first_tries(callbacks)

    # -- what is yet to come --------------------------------------------------------------------------------------

    @property
    def reports_due(self) -> int:
        """How many reports have yet to arrive: those of changes to come, and those still on their way."""
        planned = sum(1 if change.step is None else change.step.repeat for change in self._to_report())
        waiting = sum(callback.state is CallbackState.WAITING for callback in self._store.callbacks())
        return planned + waiting

    @property
    def is_report_due(self) -> bool:
        """Whether a report is to be sent, or tried again, at a moment to come."""
        return bool(len(self._agenda)) and (
            any(True for _ in self._to_report()) or any(True for _ in self._dispatcher.retries_at())
        )

    @property
    def next_report_at(self) -> datetime | None:
        """The moment to come at which a report is next sent or tried again; None when none will be."""
        now = self._agenda.clock.now()
        planned = (change.send_at for change in self._to_report())
        return min((at for at in chain(planned, self._dispatcher.retries_at()) if at > now), default=None)

    def _to_report(self) -> Iterator[Change]:
        """Yield the planned changes whose reports have yet to be sent, those of the newest message first."""
        for message in self._store.messages():
            if message.submission.confirmation and message.submission.callback_url is not None:
                for change in chain(message.unsent, message.timeline[message.done :]):
                    if report.is_reported(change, self.readings):
                        yield change

    def coming(self, most: int) -> Iterator[tuple[datetime, Message, Change | Callback]]:
        """Yield what is due next: when, of which message, and the change or the callback that is tried again.

        Args:
            most: how many entries of the agenda are looked at; those that have come to nothing are left out.
        """
        for at, arguments in self._agenda.soonest(most):
            match arguments:
                case (Message() as message, Change() as change):
                    is_stored = self._store.message(message.number) is message
                    if is_stored and (change.at < at or change in message.timeline[message.done :]):
                        yield at, message, change
                case (Callback() as callback, *_) if callback.state is CallbackState.WAITING:
                    yield at, callback.message, callback

    # -- what happens ---------------------------------------------------------------------------------------------

    def _change(self, message: Message, change: Change) -> None:
        """Let a change of status happen, and report it now or when the scenario says."""
        if self._store.message(message.number) is not message or not message.is_next(change):
            return
        self._take_status(message, change)
        if message.submission.confirmation and message.submission.callback_url is not None:
            if change.send_at > change.at:
                message.unsent += (change,)
                self._agenda.add(change.send_at, self._report_late, message, change)
            else:
                self._report(message, change)

    def _take_status(self, message: Message, change: Change) -> None:
        """Let a message have the status of the change that is next in its timeline."""
        if is_final(change.status) and not is_final(message.status):
            self._store.finish(message)
            self._ledger.finish(message.submission.user)
        message.status = change.status
        message.done += 1
        self._store.changed(message)
        if self._feed.listeners:
            self._feed.tell(Kind.MESSAGE, message)

    def report_by_hand(self, message: Message, status: str, error_code: int | None = None) -> Callback:
        """Let a message have *status* now and report it, whether or not reports were asked for.

        A final status ends what was planned. The message names a callback URL.
        """
        now = self._agenda.clock.now()
        change = Change(now, status, now, error_code=error_code)
        planned = () if is_final(status) else message.timeline[message.done :]
        message.timeline = (*message.timeline[: message.done], change, *planned)
        self._take_status(message, change)
        (callback,) = self._send(message, change)
        return callback

    def replay(self, callback: Callback) -> None:
        """Send a callback once more, as it was; one that waits for its next attempt is sent at once."""
        self._dispatcher.replay(callback)
        self._store.changed(callback)
        self._feed.tell(Kind.CALLBACK, callback)

    def _report_late(self, message: Message, change: Change) -> None:
        """Report a change that happened before, unless its message is gone."""
        message.unsent = tuple(each for each in message.unsent if each is not change)
        self._store.changed(message)
        self._report(message, change)

    def _report(self, message: Message, change: Change) -> None:
        if self._store.message(message.number) is message and report.is_reported(change, self.readings):
            self._send(message, change)

    def _send(self, message: Message, change: Change) -> list[Callback]:
        """Hand a change's report to the dispatcher, as many times as the scenario says."""
        url = message.submission.callback_url
        if url is None:
            return []
        method, url, body = report.compose(
            message, change, url, readings=self.readings, descriptions=self._descriptions
        )
        sent = []
        for _ in range(1 if change.step is None else change.step.repeat):
            self.callbacks += 1
            callback = Callback(number=self.callbacks, message=message, url=url, method=method, body=body)
            self._store.add_callback(callback)
            self._dispatcher.dispatch(callback)
            sent.append(callback)
            if self._feed.listeners:
                self._feed.tell(Kind.CALLBACK, callback)
        return sent
