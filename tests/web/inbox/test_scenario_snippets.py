"""A request written down as a rule and as a test: the rule decides such requests, the test passes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import anyio
import pytest
import requests
from hypothesis import given

from sandbox import contract, scenario_files
from sandbox.core.model import Call
from sandbox.core.scenario import Fault, Fixed, Lognormal, Respond, Rule, Scenario, Step, Uniform
from sandbox.sources import builtin
from sandbox.web.inbox.scenario_snippets import as_rule, as_test, of_request
from tests import strategies
from tests.served import Served, served
from tests.worlds import USER, VALID, get, world

pytestmark = pytest.mark.anyio

CODES = [row.code for row in contract.error_codes()]

STEPS = (
    Step(after=timedelta(seconds=1), status="accepted", repeat=2),
    Step(after=timedelta(seconds=2.5), status="NO", send_after=timedelta(seconds=90)),
    Step(after=timedelta(days=1), status="undeliverable", error_code=11, body='{"a": "{{ to }}"}'),
)


def loaded(yaml: str) -> Rule:
    """Return the rule that stands in a list of rules."""
    assert yaml.startswith("- ")
    return scenario_files.load_rule(" " + yaml[1:], file="rule", codes=CODES, name="unnamed")


def scenario_of(yaml: str) -> Scenario:
    text = "name: mine\nrules:\n" + "".join(f"  {line}\n" for line in yaml.splitlines())
    return scenario_files.load(text, file="mine.yaml", reading_rows=contract.reading_rows(), codes=CODES)


async def test_the_rule_of_an_accepted_message_gives_the_same_timeline() -> None:
    before = world(scenario=Scenario(name="before", timeline=STEPS))
    message = before.accept(VALID, senderId="ORDER", message='it\'s: #1 "x"\n- y', confirmation="true")
    record = before.engine.store.request(message.request_number)
    assert record is not None
    again = world(scenario=scenario_of(as_rule(record, message)))
    repeated = again.accept(VALID, senderId="ORDER", message='it\'s: #1 "x"\n- y')
    assert [(change.at, change.status, change.send_at) for change in repeated.timeline] == [
        (change.at, change.status, change.send_at) for change in message.timeline
    ]
    steps = loaded(as_rule(record, message)).timeline
    assert steps is not None
    assert [(step.repeat, step.error_code, step.body) for step in steps] == [
        (step.repeat, step.error_code, step.body) for step in STEPS
    ]
    again.accept(VALID, message="another")
    assert again.engine.progress.matched == {"like-r1": 1}


async def test_the_rule_of_a_scheduled_message_counts_from_its_time() -> None:
    before = world(scenario=Scenario(name="before", timeline=STEPS))
    message = before.accept(VALID, scheduledDeliveryTime="3600")
    record = before.engine.store.request(1)
    assert record is not None
    steps = loaded(as_rule(record, message)).timeline
    assert steps is not None
    assert [step.after for step in steps] == [step.after for step in STEPS]


async def test_the_rule_of_a_report_before_the_answer_says_so() -> None:
    step = Step(after=timedelta(0), status="delivered", before_answer=True)
    before = world(scenario=Scenario(name="before", timeline=(step,)))
    message = before.accept(VALID)
    record = before.engine.store.request(1)
    assert record is not None
    assert loaded(as_rule(record, message)).timeline == (step,)


async def test_the_rule_of_a_message_that_stays_pending_has_no_steps() -> None:
    before = world(scenario=Scenario(name="before", timeline=()))
    message = before.accept(VALID)
    record = before.engine.store.request(1)
    assert record is not None
    assert loaded(as_rule(record, message)).timeline == ()


@pytest.mark.parametrize(
    "wrong", [{"to": "recipient"}, {"senderId": "ABCDEFGHIJKL"}, {"udh": "05"}, {"dcs": "5"}]
)
async def test_the_rule_of_a_refused_request_comes_before_the_checks(wrong: dict[str, str]) -> None:
    record = world().send(VALID, **wrong)
    again = world(scenario=scenario_of(as_rule(record, None)))
    repeated = again.send(VALID, **wrong)
    assert (repeated.error, repeated.rule) == (record.error, "like-r1")
    assert again.send(VALID).rule is None


RESPONDS = [
    Respond(error=7),
    Respond(error=3),
    Respond(status=503, headers={"Retry-After": "2", "X-Odd": 'a: "b"'}, body="{{ to }} #1"),
    Respond(fault=Fault.RESET),
    Respond(delay=Fixed(0.25)),
    Respond(status=200, delay=Uniform(1, 3), body=""),
    Respond(error=6, delay=Lognormal(0.2, 0.4)),
]


@pytest.mark.parametrize("respond", RESPONDS, ids=str)
@pytest.mark.parametrize("submit", [True, False])
async def test_the_rule_of_what_a_rule_decided_does_the_same(respond: Respond, submit: bool) -> None:  # noqa: FBT001
    given_rule = Rule(name="given", when=loaded("- {when: {}}").when, respond=respond, submit=submit)
    before = world(scenario=Scenario(name="before", rules=(given_rule,)))
    record = before.send(VALID)
    message = before.engine.store.message(1)
    again = world(scenario=scenario_of(as_rule(record, message)))
    repeated = again.send(VALID)
    assert repeated.respond == record.respond
    assert repeated.answer == record.answer
    assert (repeated.error, repeated.message_number) == (record.error, record.message_number)


@given(strategies.likely_parameters)
def test_any_request_makes_a_rule_that_can_be_loaded(values: dict[str, Any]) -> None:
    async def make() -> None:
        before = world()
        record = before.engine.handle(get(values))
        message = before.engine.store.message(1)
        made = as_rule(record, message)
        assert loaded(made).name == "like-r1"
        again = world(scenario=scenario_of(made)).engine.handle(get(values))
        assert (again.answer, again.rule) == (record.answer, "like-r1") or record.answer.status == 413

    anyio.run(make)


# -- the test -----------------------------------------------------------------------------------------------------


@dataclass
class Fixture:
    """Stands for the fixture of the pytest plugin."""

    send_url: str
    running: Served
    asserted: list[dict[str, Any]] = field(default_factory=list)

    def assert_sent(self, *, to: str, times: int) -> None:
        self.asserted.append({"to": to, "times": times})
        assert len([each for each in self.running.messages if each.submission.destination == to]) == times


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    timeline = (Step(after=timedelta(0), status="delivered"),)
    with served(replace(builtin("default").scenario, timeline=timeline)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"transactionId": 'order "1"'},
        {"responseType": "json", "transactionId": "t"},
        {"responseType": "xml"},
        {"to": "recipient"},
        {"to": "+15005550003"},
        {"to": "+15005550007"},
        {"to": "+15005552001"},
        {"to": "+15005552003"},
        {"to": "+15005552004"},
        {"to": "+15005552005"},
        {"to": "+15005552006"},
        {"message": 'it\'s \\ "quoted" \n\x07 Ω', "dcs": "8"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_test_of_a_request_passes(values: dict[str, str], method: str, running: Served) -> None:
    running.start_afresh()
    running.call({**VALID, **values}, method)
    record = running.record
    text = as_test(record, scenario="default")
    running.start_afresh()
    host, port = running.address
    fixture = Fixture(f"http://{host}:{port}/sendMtSms.php", running)
    space: dict[str, Any] = {"requests": requests}
    exec(compile(text, "snippet.py", "exec"), space)  # noqa: S102 - that it runs is what is tested
    space["test_like_r1"](fixture)
    assert len(fixture.asserted) == (0 if record.message_number is None else 1)
    assert "YOUR_API_KEY" in text


async def test_the_test_of_another_scenario_chooses_it() -> None:
    record = world().send(VALID)
    text = as_test(record, scenario="carrier-outage")
    assert '@pytest.mark.sms_scenario("carrier-outage")\ndef test_like_r1(sms_sandbox):' in text
    assert text.startswith("import pytest\nimport requests\n")


async def test_the_key_is_never_written() -> None:
    record = world().send({"user": USER, "apiKey": "the-real-key", "to": "+1222333444", "message": "Hi"})
    assert not [each for each in of_request(record, None, scenario="default") if "the-real-key" in each.text]


def test_a_call_without_any_parameter_makes_a_rule_for_all() -> None:
    record = world().engine.handle(Call("GET", "/sendMtSms.php", {}))
    assert "when: {}" in as_rule(record, None)
