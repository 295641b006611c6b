"""What changes while a world goes on: its scenario, its rules, its clock, and statuses given by hand."""

import json
from dataclasses import replace

import pytest

from sandbox.clock import VirtualClock
from sandbox.contract import readings
from sandbox.core.decide import Rulebook
from sandbox.core.match import When
from sandbox.core.model import Account, Accounts, RateLimit
from sandbox.core.scenario import Respond, Rule, Scenario
from tests.worlds import READINGS, REPORTED, USER, World, at, step, world

pytestmark = pytest.mark.anyio


def refusing(code: int, when: When | None = None, **more: object) -> Rule:
    return Rule(name=f"refuse-{code}", when=when or When(), respond=Respond(error=code), submit=False, **more)  # type: ignore[arg-type]


def played(*rules: Rule, **more: object) -> Rulebook:
    return Rulebook.compile(Scenario("other", rules=rules, **more))  # type: ignore[arg-type]


def statuses(here: World) -> list[str]:
    return [json.loads(body or "")["status"] for body in here.carrier.bodies]


# -- another scenario -----------------------------------------------------------------------------------


async def test_another_scenario_decides_from_the_next_request_on_and_records_stay() -> None:
    here = world()
    here.accept()
    here.engine.play(played(refusing(7)), readings({"error_code": "padded"}))
    record = here.send()
    assert (record.number, record.answer.body, here.engine.scenario.name) == (2, "ERROR_007", "other")
    assert here.engine.store.counts()["messages"] == 1


async def test_what_was_accepted_keeps_its_timeline() -> None:
    here = world()
    here.accept(REPORTED)
    here.engine.play(played(timeline=(step(1, "rejected"),)), READINGS)
    here.accept(REPORTED)
    await here.pass_time(1)
    assert statuses(here) == ["delivered", "rejected"]


async def test_another_scenario_begins_with_its_own_counts_states_and_balances() -> None:
    twice = refusing(7, When(nth=frozenset({1, 2})))
    accounts = Accounts({USER: Account(USER, api_key="key", balance=1)}, anyone=False)
    here = world(scenario=Scenario("test", rules=(twice,), accounts=accounts))
    first = [here.send().answer.body for _ in range(4)]
    here.engine.play(here.engine.rulebook, READINGS)
    assert first == ["ERROR_7", "ERROR_7", "OK_1000001", "ERROR_9"]
    assert [here.send().answer.body for _ in range(4)] == ["ERROR_7", "ERROR_7", "OK_1000002", "ERROR_9"]


async def test_what_is_unfinished_stands_in_the_queues_of_another_scenario() -> None:
    here = world(scenario=Scenario("test", timeline=(step(10, "delivered"),)))
    here.accept()
    limited = Accounts({USER: Account(USER, api_key="key", queue_limit=2)}, anyone=False)
    here.engine.play(played(accounts=limited), READINGS)
    assert [here.send().answer.body for _ in range(2)] == ["OK_1000002", "ERROR_6"]
    await here.pass_time(10)
    assert here.send().answer.body == "OK_1000003"


async def test_the_rules_of_then_are_known_later() -> None:
    here = world()
    books = [here.engine.rulebook]
    here.send()
    for code in (6, 7):
        books.append(played(refusing(code)))
        here.engine.decide_by(books[-1])
        here.send()
    decided = [here.engine.decided_by(number) for number in (1, 2, 3)]
    assert [each and each[0] for each in decided] == books


async def test_the_readings_of_then_are_known_later() -> None:
    here = world()
    here.send()
    here.engine.play(played(), readings({"errors": "envelope"}))
    here.send()
    decided = [here.engine.decided_by(number) for number in (1, 2)]
    assert [each and each[1].errors for each in decided] == ["bare", "envelope"]


async def test_so_many_changes_of_the_rules_are_remembered_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sandbox.engine.REIGNS_KEPT", 2)
    here = world()
    for _ in range(3):
        here.send()
        here.engine.decide_by(here.engine.rulebook)
    assert [here.engine.decided_by(number) is None for number in (1, 2, 3)] == [True, True, False]


# -- another clock --------------------------------------------------------------------------------------


async def test_what_is_due_by_the_time_of_another_clock_happens() -> None:
    here = world()
    message = here.accept()
    here.engine.go_by(VirtualClock(at(1)))
    here.engine.agenda.run_due()
    assert (message.status, here.send().at) == ("delivered", at(1))


async def test_no_rate_limit_remembers_requests_of_a_time_that_has_yet_to_come() -> None:
    here = world(Account(USER, api_key="key", rate_limit=RateLimit(1, 60.0)))
    assert [here.send().answer.body for _ in range(2)] == ["OK_1000001", "ERROR_7"]
    here.engine.go_by(VirtualClock(at(-3600)))
    assert here.send().answer.body == "OK_1000002"


async def test_a_clock_that_is_moved_on_leaves_rate_limits_as_they_are() -> None:
    here = world(Account(USER, api_key="key", rate_limit=RateLimit(1, 60.0)))
    here.send()
    here.engine.go_by(VirtualClock(at(59)))
    assert here.send().answer.body == "ERROR_7"


# -- by hand --------------------------------------------------------------------------------------------


async def test_a_status_given_by_hand_is_reported_at_once_and_what_was_planned_goes_on() -> None:
    here = world(scenario=Scenario("test", timeline=(step(5, "enroute"), step(10, "delivered"))))
    message = here.accept(REPORTED)
    callback = here.engine.timelines.report_by_hand(message, "accepted", 11)
    assert json.loads(callback.body or "")["errorCode"] == 11
    assert (message.status, message.done) == ("accepted", 1)
    await here.pass_time(10)
    assert statuses(here) == ["accepted", "enroute", "delivered"]
    assert [change.status for change in message.timeline] == ["accepted", "enroute", "delivered"]


async def test_a_final_status_given_by_hand_ends_what_was_planned() -> None:
    here = world(Account(USER, api_key="key", queue_limit=1))
    message = here.accept(REPORTED)
    assert here.send().answer.body == "ERROR_6"
    here.engine.timelines.report_by_hand(message, "undeliverable")
    assert here.send().answer.body == "OK_1000002"
    await here.pass_time(60)
    assert statuses(here) == ["undeliverable"]
    assert message.status == "undeliverable"


async def test_any_status_can_be_given_by_hand_after_the_end_as_well() -> None:
    here = world(Account(USER, api_key="key", queue_limit=1))
    message = here.accept(REPORTED)
    await here.pass_time(1)
    for status in ("rejected", "delivered", "on holiday"):
        here.engine.timelines.report_by_hand(message, status)
    await here.pass_time(0)
    assert statuses(here) == ["delivered", "rejected", "delivered", "on holiday"]
    assert here.engine.ledger.standing(here.engine.scenario.accounts.listed[USER], at(1)).queued == 0


async def test_a_report_by_hand_needs_no_confirmation() -> None:
    here = world()
    message = here.accept({**REPORTED, "confirmation": "false"})
    here.engine.timelines.report_by_hand(message, "delivered")
    await here.pass_time(5)
    assert statuses(here) == ["delivered"]


async def test_a_report_that_goes_out_later_does_not_go_out_for_a_message_that_was_forgotten() -> None:
    late = replace(step(1, "delivered"), send_after=step(5, "").after)
    here = world(scenario=Scenario("test", timeline=(late,)), max_messages=1)
    here.accept(REPORTED)
    await here.pass_time(2)
    here.accept()
    await here.pass_time(10)
    assert here.carrier.parcels == []
    assert here.engine.store.counts()["callbacks"] == 0
