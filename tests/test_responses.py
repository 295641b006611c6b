"""What a rule's answer and a request's record have to do with each other."""

import pytest

from sandbox.core.decide import Mark
from sandbox.core.match import Exact, Facts, When
from sandbox.core.model import Call
from sandbox.core.scenario import Fault, Fixed, Respond, Rule, Scenario, Step
from sandbox.core.trace import trace
from tests.worlds import NOON, REPORTED, VALID, World, at, get, step, world

pytestmark = pytest.mark.anyio

BROKEN = Respond(status=503, body="down")
CUT = Respond(fault=Fault.TRUNCATE)
REFUSED = {**VALID, "to": "recipient"}
EARLY = Rule(
    "early", When(texts=(("user", Exact("early")),)), Respond(error=1), submit=False, before_checks=True
)


def ruled(respond: Respond | None, *, submit: bool = False, before_checks: bool = False) -> World:
    """Return a world with one rule, which is for every request."""
    rule = Rule("r", When(), respond, submit=submit, before_checks=before_checks)
    return world(scenario=Scenario("test", rules=(rule,)))


@pytest.mark.parametrize("before_checks", [True, False])
async def test_the_record_shows_what_the_rule_answers_and_no_error(*, before_checks: bool) -> None:
    record = ruled(BROKEN, before_checks=before_checks).send()
    assert (record.answer.status, record.answer.body, record.error) == (503, "down", None)
    assert (record.rule, record.reason) == ("r", "rule r of scenario test answers HTTP 503")
    assert (record.respond, record.message_number) == (BROKEN, None)


@pytest.mark.parametrize("respond", [BROKEN, CUT])
async def test_a_rule_that_submits_has_its_answer_and_the_message_too(respond: Respond) -> None:
    sandbox = ruled(respond, submit=True)
    record = sandbox.send(transactionId="order_1")
    assert record.message_number == 1
    assert record.answer.body == ("down" if respond is BROKEN else "OK_order_1")
    await sandbox.pass_time(1)
    message = sandbox.engine.store.message(1)
    assert message is not None
    assert message.status == "delivered"


@pytest.mark.parametrize(
    ("respond", "body", "error"),
    [
        (BROKEN, "down", None),
        (CUT, "ERROR_5", None),
        (Respond(fault=Fault.EMPTY), "", None),
        (Respond(delay=Fixed(1)), "ERROR_5", 5),
    ],
)
async def test_a_rule_before_the_checks_has_its_answer_whatever_they_find(
    respond: Respond, body: str, error: int | None
) -> None:
    record = ruled(respond, submit=True, before_checks=True).send(REFUSED)
    assert (record.answer.body, record.error, record.message_number) == (body, error, None)
    assert record.reason == "to has letter 'r' at position 1: digits only after the +"


async def test_answers_that_are_made_up_do_not_share_a_transaction_id() -> None:
    sandbox = ruled(CUT)
    bodies = [sandbox.send().answer.body for _ in range(2)]
    assert bodies == ["OK_1000001", "OK_1000002"]


async def test_a_preview_shows_the_rule_s_answer_and_uses_nothing_up() -> None:
    sandbox = ruled(CUT)
    previewed = sandbox.engine.preview(get(VALID)).answer
    assert previewed == sandbox.send().answer
    assert previewed.body == "OK_1000001"


async def test_what_no_rule_touches_is_sent_as_it_is() -> None:
    sandbox = world()
    for record in (sandbox.send(), sandbox.send(REFUSED), sandbox.send(REPORTED)):
        assert (record.respond, record.is_reported_first) == (None, False)


@pytest.mark.parametrize(
    ("parameters", "is_first"), [(REPORTED, True), (VALID, False)], ids=["reported", "not reported"]
)
async def test_a_step_before_the_answer_has_happened_when_there_is_one(
    parameters: dict[str, str], *, is_first: bool
) -> None:
    before = Step(NOON - NOON, "accepted", before_answer=True)
    sandbox = world(scenario=Scenario("test", timeline=(before, step(1, "delivered"))))
    record = sandbox.send(parameters, scheduledDeliveryTime="3600")
    assert record.is_reported_first == is_first
    message = sandbox.engine.store.message(1)
    assert message is not None
    assert (message.status, message.done) == ("accepted", 1)
    assert [change.at for change in message.timeline] == [at(0), at(3601)]
    await sandbox.pass_time(3601)
    assert message.status == "delivered"
    assert len(sandbox.carrier.parcels) == (2 if is_first else 0)


# -- what a trace is worked out from ---------------------------------------------------------------


async def test_records_keep_what_the_rules_were_tried_with() -> None:
    counted = Rule("second", When(nth=frozenset({2})), BROKEN)
    sandbox = world(scenario=Scenario("test", rules=(EARLY, counted)))
    first, second = sandbox.send(), sandbox.send()
    assert [record.marks for record in (first, second)] == [
        (Mark(), Mark(counts=(1,))),
        (Mark(), Mark(counts=(2,))),
    ]
    (row,) = trace(
        sandbox.engine.rulebook,
        first.marks[1],
        Facts(first.call.method, first.call.parameters),
        request_number=first.number,
        before_checks=False,
    )
    assert row.miss == "is request 1 of those that meet the rest, wanted: nth 2"


async def test_rules_that_were_not_tried_have_no_mark() -> None:
    sandbox = world(scenario=Scenario("test", rules=(EARLY,)))
    assert sandbox.send(user="early").marks == (Mark(),)
    assert sandbox.send(REFUSED).marks == (Mark(),)
    assert sandbox.send().marks == (Mark(), Mark())
    assert sandbox.engine.handle(Call("PUT", "/", {})).marks == ()
    assert sandbox.engine.handle(Call("POST", "/", {}, too_large=True)).marks == ()


async def test_records_share_their_marks() -> None:
    sandbox = world()
    first, second = sandbox.send(), sandbox.send()
    assert first.marks is second.marks
