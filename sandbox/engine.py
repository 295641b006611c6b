"""One isolated world: a call comes in, is checked, decided, stored, and given its timeline.

``Engine.handle`` is the one path from request to answer. Knows nothing of HTTP servers, YAML, or the client that carries
reports.
"""

from __future__ import annotations

from bisect import bisect_right
from copy import copy, deepcopy
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core import checks, timeline
from sandbox.core.answer import CONTENT_TYPES, choose_format, failure, success
from sandbox.core.concatenation import Assembly, PartKey
from sandbox.core.decide import Progress, Rulebook, decide
from sandbox.core.draw import draw_timeline
from sandbox.core.ledger import Ledger
from sandbox.core.match import Facts
from sandbox.core.model import (
    Answer,
    Call,
    Change,
    Format,
    Message,
    Numbering,
    Refusal,
    RequestRecord,
    Status,
    Submission,
)
from sandbox.core.respond import EMPTY, SHOWN, blame, is_replaced, replacement
from sandbox.core.statuses import is_final
from sandbox.core.transaction_ids import TransactionIds
from sandbox.feed import Kind
from sandbox.timelines import Timelines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sandbox.agenda import Agenda
    from sandbox.clock import Clock
    from sandbox.core.decide import Mark
    from sandbox.core.readings import Readings
    from sandbox.core.scenario import Rule
    from sandbox.dispatcher import Dispatcher
    from sandbox.feed import Feed
    from sandbox.store import Store

METHODS: Final = frozenset({"GET", "POST"})

METHOD_NOT_ALLOWED: Final = Answer(405, CONTENT_TYPES[Format.TEXT], "Method Not Allowed")

REIGNS_KEPT: Final = 1000
"""How many changes of the rules are remembered, to say later why an earlier request was answered as it was."""


class _Reign(NamedTuple):
    """The rules and readings that decided the requests from number *since* on."""

    since: int
    rulebook: Rulebook
    readings: Readings


class Outcome(NamedTuple):
    """What is to become of a call."""

    refusal: Refusal | None = None
    submission: Submission | None = None
    """What is accepted, whatever the answer says; None when nothing is."""
    rule: Rule | None = None
    hints: Sequence[str] = ()
    http_status: int | None = None
    """One that stands whatever the readings say."""


class Preview(NamedTuple):
    """What would become of a call, had it come now."""

    outcome: Outcome
    answer: Answer
    request_number: int
    marks: tuple[Mark, ...]
    """As `RequestRecord.marks`."""
    at: datetime
    """When it would have come."""
    changes: tuple[Change, ...]
    """What would become of the message; empty when none is accepted, or nothing ever happens to it."""


class Engine:
    """The state of one session, and what happens to it."""

    def __init__(
        self,
        *,
        rulebook: Rulebook,
        readings: Readings,
        descriptions: Mapping[int, str],
        agenda: Agenda,
        dispatcher: Dispatcher,
        store: Store,
        feed: Feed,
        callback_url: str | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        """Build a world in which nothing has happened yet.

        Args:
            rulebook: of the scenario, which says what is answered and what becomes of messages.
            readings: how the open questions of the reference are read.
            descriptions: of the error codes, by code.
            agenda: where what is due later is kept, and what time it is.
            dispatcher: who carries the reports.
            store: where the records go.
            feed: is told of what happens.
            callback_url: where reports go when neither the request nor its account names a URL.
            on_request: is told of each request.
        """
        self.scenario = rulebook.scenario
        self.rulebook = rulebook
        self.readings = readings
        self.descriptions = descriptions
        self.agenda = agenda
        self.dispatcher = dispatcher
        self.store = store
        self.callback_url = callback_url
        self._on_request = on_request
        self.feed = feed
        self.ledger = Ledger()
        self.timelines = Timelines(
            agenda=agenda,
            dispatcher=dispatcher,
            store=store,
            feed=feed,
            descriptions=descriptions,
            readings=readings,
            ledger=self.ledger,
        )
        self._begin()

    def _begin(self) -> None:
        """Let nothing have happened yet."""
        self.ledger.begin_anew()
        self.progress = Progress.fresh()
        self._assembly = Assembly()
        self._requests = 0
        self._decided_by = [_Reign(1, self.rulebook, self.readings)]
        self._messages = 0
        self.timelines.callbacks = 0
        self._transaction_ids = TransactionIds()
        self._marks: tuple[Mark, ...] = ()
        self._usual_marks: tuple[Mark, ...] = ()

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.agenda.clock

    @property
    def numbering(self) -> Numbering:
        """How far it has counted."""
        return Numbering(self._requests, self._messages, self.timelines.callbacks, self._transaction_ids.next)

    def resume(self, numbering: Numbering) -> None:
        """Go on with what the store has kept of an earlier run, which had counted so far.

        What became due meanwhile happens soon, in order. Where the rules and accounts stood then is not kept.
        """
        self._requests, self._messages, self.timelines.callbacks, next_transaction_id = numbering
        self._transaction_ids = TransactionIds(next_transaction_id)
        self._decided_by = [_Reign(self._requests + 1, self.rulebook, self.readings)]
        self._queue_unfinished()
        for message in reversed([*self.store.messages()]):
            if message.submission.transaction_id is not None:
                self._transaction_ids.take(message.submission.transaction_id)
            if message.submission.udh is not None:
                self._join(message, message.received_at)
        self.timelines.resume()

    def play(self, rulebook: Rulebook, readings: Readings) -> None:
        """Let another scenario decide from now on, from its start: its state, counters and balances.

        What has been accepted keeps its timeline; all records stay.
        """
        self.scenario = rulebook.scenario
        self.readings = self.timelines.readings = readings
        self.progress = Progress.fresh()
        self.ledger.begin_anew()
        self._queue_unfinished()
        self.decide_by(rulebook)

    def _queue_unfinished(self) -> None:
        """Let all messages without a final status stand in the queues of their accounts."""
        for message in self.store.messages():
            account = self.scenario.accounts.find(message.submission.user)
            if account is not None and not is_final(message.status):
                self.ledger.accept(account, price=0)

    def decide_by(self, rulebook: Rulebook) -> None:
        """Let these rules of the same scenario decide from now on; what they have counted so far stands."""
        self.rulebook = rulebook
        self._decided_by.append(_Reign(self._requests + 1, rulebook, self.readings))
        del self._decided_by[:-REIGNS_KEPT]

    def decided_by(self, request_number: int) -> tuple[Rulebook, Readings] | None:
        """Return the rules and readings of when a request came; None when they are no longer kept."""
        position = bisect_right(self._decided_by, request_number, key=attrgetter("since"))
        if not position:
            return None
        reign = self._decided_by[position - 1]
        return reign.rulebook, reign.readings

    def go_by(self, clock: Clock) -> None:
        """Go by another clock from now on; where that takes time back, no rate limit remembers the future."""
        if clock.now() < self.clock.now():
            self.ledger.forget_requests()
        self.agenda.follow(clock)

    async def reset(self) -> None:
        """Let everything be as just started: records, counters, balances, and what is still due."""
        self.begin_anew()
        await self.dispatcher.stop()

    def begin_anew(self) -> None:
        """Let nothing have happened; attempts that are under way have yet to be stopped."""
        self._forget_all()
        self._begin()

    async def forget_messages(self) -> None:
        """Let go of all records and of what is still due; counters and balances go on."""
        self._forget_all()
        await self.dispatcher.stop()

    def _forget_all(self) -> None:
        # Before anything is waited for: a request that comes while attempts are broken off belongs to the time after.
        self.agenda.clear()
        for message in self.store.messages():
            self._forget(message)
        self.store.clear()

    # -- a request ------------------------------------------------------------------------------------------------

    def handle(self, call: Call) -> RequestRecord:
        """Take a call to the endpoint from reading to answer, and return its record, which holds the answer."""
        now = self.agenda.clock.now()
        self._requests += 1
        if call.method not in METHODS:
            reason = f"{call.method} is not allowed: send GET or POST"
            return self._keep(RequestRecord(self._requests, now, call, METHOD_NOT_ALLOWED, reason=reason))
        form, hints = self._read(call)
        self._marks = ()
        outcome = self._outcome(call, now, hints)
        refusal, submission, rule, all_hints, _ = outcome
        respond = why = error = rule_name = message_number = transaction_id = None
        is_reported_first = False
        if rule is not None:
            respond, rule_name = rule.respond, rule.name
            why = blame(rule, self.scenario.name)
        if refusal is not None:
            why = refusal.reason
            error = None if is_replaced(respond) else refusal.code
        if self._marks != self._usual_marks:
            self._usual_marks = self._marks
        if submission is not None:
            message = self._accept(submission, rule, now)
            message_number, transaction_id = message.number, message.transaction_id
            is_reported_first = message.callback_numbers != ()
        # In the order of its fields: twelve names would cost what three checks do.
        return self._keep(
            RequestRecord(
                self._requests,
                now,
                call,
                self._answer(outcome, form, call, transaction_id),
                error,
                why,
                tuple(all_hints),
                rule_name,
                message_number,
                respond,
                is_reported_first,
                self._usual_marks,
            )
        )

    def preview(self, call: Call) -> Preview:
        """Return what `handle` would make of a GET or POST now; nothing is stored, counted or used up."""
        twin: Engine = copy(self)
        twin.progress, twin.ledger = self.progress.copy(), deepcopy(self.ledger)
        twin._transaction_ids = self._transaction_ids.copy()
        twin._requests += 1
        twin._marks = ()
        form, hints = twin._read(call)
        now = twin.clock.now()
        outcome = twin._outcome(call, now, hints)
        submission = outcome.submission
        transaction_id = None
        changes: tuple[Change, ...] = ()
        if submission is not None:
            transaction_id = twin._transaction_ids.take(submission.transaction_id)
            _, changes = twin._plan(submission, outcome.rule, now)
        answer = twin._answer(outcome, form, call, transaction_id)
        return Preview(outcome, answer, twin._requests, twin._marks, now, changes)

    def _read(self, call: Call) -> tuple[Format, list[str]]:
        """Return the format of the answer to a call, and the hints on how the call is written."""
        form, format_hint = choose_format(call, self.readings)
        return form, [*call.hints] if format_hint is None else [*call.hints, format_hint]

    def _outcome(self, call: Call, now: datetime, hints: list[str]) -> Outcome:
        """Return what is to become of a call: the first objection to it, or the message that it is."""
        if call.too_large:
            return Outcome(Refusal(8, "the body is over 64 KiB"), hints=hints, http_status=413)
        early_rule = self._decide(call)
        if early_rule is not None and not early_rule.submit:
            return Outcome(self._refusal_by(early_rule), rule=early_rule, hints=hints)
        if call.unreadable_body is not None:
            return Outcome(Refusal(8, call.unreadable_body), rule=early_rule, hints=hints)
        submission = self._judge(call, now, hints)
        if isinstance(submission, Refusal):
            return Outcome(submission, rule=early_rule, hints=submission.hints)
        rule = early_rule or self._decide(call, submission)
        refusal = None if rule is None else self._refusal_by(rule)
        if rule is not None and not rule.submit:
            return Outcome(refusal, rule=rule, hints=submission.hints)
        return Outcome(refusal, submission, rule, submission.hints)

    def _judge(self, call: Call, now: datetime, hints: list[str]) -> Submission | Refusal:
        """Put a call to the checks, and count it against its account's rate limit where it got that far."""
        user = call.parameters.get("user")
        account = self.scenario.accounts.find(user) if isinstance(user, str) and user else None
        verdict = checks.judge(
            call.parameters,
            json_names=call.json_names,
            account=account,
            standing=checks.NO_STANDING if account is None else self.ledger.standing(account, now),
            now=now,
            readings=self.readings,
            callback_url=(account and account.callback_url) or self.callback_url,
            hints=hints,
        )
        if account is not None and (isinstance(verdict, Submission) or verdict.position > checks.RATE_CHECK):
            self.ledger.count_request(account, now)
        return verdict

    def _decide(self, call: Call, submission: Submission | None = None) -> Rule | None:
        """Return the rule that decides a call: before the checks, or after them when they have made a submission."""
        if submission is None:
            facts = Facts(call.method, call.parameters)
        else:
            udh = submission.udh
            is_flash = udh is not None and udh.is_flash
            facts = Facts(
                call.method, call.parameters, is_flash, submission.destination, submission.encoded.text
            )
        rule = decide(
            self.rulebook,
            self.progress,
            facts,
            request_number=self._requests,
            before_checks=submission is None,
        )
        self._marks += (self.progress.mark,)
        return rule

    def _refusal_by(self, rule: Rule) -> Refusal | None:
        error = rule.respond.error if rule.respond is not None else None
        if error is None:
            return None
        return Refusal(
            error,
            f"rule {rule.name} of scenario {self.scenario.name} answers {error}: {self.descriptions[error]}",
        )

    def _answer(self, outcome: Outcome, form: Format, call: Call, transaction_id: str | None) -> Answer:
        refusal, _, rule, _, http_status = outcome
        respond = None if rule is None else rule.respond
        if respond is not None:
            instead = replacement(respond, call.parameters, transaction_id)
            if instead is not None:
                return instead
        if refusal is not None:
            return failure(refusal.code, form, self.readings, http_status=http_status)
        if transaction_id is None and respond is not None and respond.fault in SHOWN:
            chosen = call.parameters.get("transactionId")
            transaction_id = self._transaction_ids.take(
                chosen if isinstance(chosen, str) and chosen else None
            )
        return EMPTY if transaction_id is None else success(transaction_id, form)

    def _keep(self, record: RequestRecord) -> RequestRecord:
        self.store.add_request(record)
        if self._on_request is not None:
            self._on_request(record)
        if self.feed.listeners:
            self.feed.tell(Kind.REQUEST, record)
        return record

    # -- a message ------------------------------------------------------------------------------------------------

    def _accept(self, submission: Submission, rule: Rule | None, now: datetime) -> Message:
        """Store an accepted message, and put its timeline on the agenda."""
        expires_at, changes = self._plan(submission, rule, now)
        self._messages += 1
        message = Message(
            self._messages,
            self._requests,
            submission,
            self._transaction_ids.take(submission.transaction_id),
            now,
            expires_at,
            changes,
            Status.PENDING if submission.scheduled_at is None else Status.SCHEDULED,
        )
        if submission.udh is not None:
            self._join(message, now)
        for dropped in self.store.add_message(message):
            self._forget(dropped)
        account = self.scenario.accounts.find(submission.user)
        if account is not None:
            self.ledger.accept(account, checks.MESSAGE_PRICE)
        self.timelines.begin(message)
        if self.feed.listeners:
            self.feed.tell(Kind.MESSAGE, message)
        return message

    def _plan(
        self, submission: Submission, rule: Rule | None, now: datetime
    ) -> tuple[datetime | None, tuple[Change, ...]]:
        """Return when a message expires, None for never, and the changes that it goes through."""
        start_at = submission.scheduled_at or now
        scenario = self.scenario
        steps = scenario.timeline if rule is None or rule.timeline is None else rule.timeline
        steps = draw_timeline(steps, seed=scenario.seed, request_number=self._requests)
        expires_at = timeline.expiry(start_at, submission.expires_at)
        changes = timeline.plan(steps, start_at=start_at, expires_at=expires_at, accepted_at=now)
        return expires_at if steps else None, changes

    def _join(self, message: Message, now: datetime) -> None:
        submission = message.submission
        part = submission.udh.concatenation if submission.udh is not None else None
        text = submission.encoded.text
        if part is None or text is None:
            return
        key = PartKey(
            user=submission.user,
            sender_id=submission.sender_id,
            destination=submission.destination,
            coding=submission.encoded.coding,
            reference=part.reference,
            reference_bits=part.reference_bits,
            total=part.total,
        )
        message.group = self._assembly.add(key, part.sequence, text, now)

    def _forget(self, message: Message) -> None:
        """Let go of what a dropped message still holds."""
        if message.group is not None:
            self._assembly.forget(message.group)
        if not is_final(message.status):
            self.ledger.finish(message.submission.user)
