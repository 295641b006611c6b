"""What an explanation says of a request, and that asking for one leaves no trace."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.app import build_engine
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.contract import reading_rows
from sandbox.core.checks import CHECKS
from sandbox.core.match import Contains, Exact, Prefix, When
from sandbox.core.model import Account, Accounts, Call, RateLimit, RequestRecord
from sandbox.core.scenario import Fault, Fixed, Respond, Rule, Scenario, Step, Uniform
from sandbox.engine import Engine
from sandbox.explain import Explanation, Verdict, explain, rule_traces

VALID = {"user": "you@example.com", "apiKey": "secret", "to": "+1222333444", "message": "Hello"}


def engine(scenario: Scenario | None = None, **readings: str) -> Engine:
    clock = VirtualClock(datetime(2024, 1, 15, 10, 30, 45, tzinfo=UTC))
    return build_engine(Config(readings=readings), scenario=scenario or Scenario(name="plain"), clock=clock)


def post(**parameters: str) -> Call:
    return Call("POST", "/sendMtSms.php", {**VALID, **parameters})


def verdicts(explained: Explanation) -> list[Verdict]:
    return [row.verdict for row in explained.checks]


def test_an_accepted_message_passed_every_check() -> None:
    explained = explain(engine(), post())
    assert explained.accepted
    assert (explained.error, explained.rule) == (None, None)
    assert set(verdicts(explained)) == {Verdict.PASSED}
    assert explained.answer.body == "OK_1000001"


def test_the_checks_stand_in_the_order_in_which_they_are_made() -> None:
    explained = explain(engine(), post())
    assert [(row.about, row.code) for row in explained.checks] == [
        (check.about, check.code) for check in CHECKS
    ]


@pytest.mark.parametrize(
    ("parameters", "about", "code"),
    [
        ({"user": ""}, "user", 1),
        ({"apiKey": ""}, "apiKey", 2),
        ({"senderId": "ABCDEFGHIJKL"}, "senderId", 4),
        ({"to": "recipient"}, "to", 5),
        ({"dcs": "5"}, "dcs", 14),
        ({"udh": "05"}, "udh", 10),
        ({"message": "€"}, "message", 8),
        ({"message": "a" * 161}, "length", 13),
        ({"validityPeriod": "soon"}, "times", 12),
    ],
)
def test_a_refusal_names_its_check_and_leaves_those_after_it_unreached(
    parameters: dict[str, str], about: str, code: int
) -> None:
    explained = explain(engine(), post(**parameters))
    assert not explained.accepted
    assert explained.error == code
    failed = [row for row in explained.checks if row.verdict is Verdict.FAILED]
    assert [(row.about, row.code) for row in failed] == [(about, code)]
    assert failed[0].reason == explained.reason
    position = explained.checks.index(failed[0])
    assert set(verdicts(explained)[:position]) <= {Verdict.PASSED}
    assert set(verdicts(explained)[position + 1 :]) <= {Verdict.NOT_REACHED}
    assert explained.answer.body == f"ERROR_{code}"


def test_a_check_that_a_reading_has_refuse_with_another_code_shows_that_code() -> None:
    explained = explain(engine(validity_error="8"), post(validityPeriod="soon"))
    failed = [(row.about, row.code) for row in explained.checks if row.verdict is Verdict.FAILED]
    assert failed == [("times", 8)]


@pytest.mark.parametrize(
    "call",
    [
        Call("POST", "/sendMtSms.php", VALID, too_large=True),
        Call("POST", "/sendMtSms.php", VALID, unreadable_body="the body is not JSON"),
    ],
)
def test_a_body_that_cannot_be_read_reaches_no_check(call: Call) -> None:
    explained = explain(engine(), call)
    assert explained.error == 8
    assert set(verdicts(explained)) == {Verdict.NOT_REACHED}


@pytest.mark.parametrize(
    ("before_checks", "submit", "verdict"),
    [
        (True, False, Verdict.NOT_REACHED),
        (True, True, Verdict.PASSED),
        (False, False, Verdict.PASSED),
        (False, True, Verdict.PASSED),
    ],
)
def test_a_rule_decides_before_the_checks_or_after_them(
    *, before_checks: bool, submit: bool, verdict: Verdict
) -> None:
    rule = Rule("roaming", When(), respond=Respond(error=3), submit=submit, before_checks=before_checks)
    explained = explain(engine(Scenario(name="one-rule", rules=(rule,))), post())
    assert (explained.rule, explained.error, explained.accepted) == ("roaming", 3, submit)
    assert set(verdicts(explained)) == {verdict}


@pytest.mark.parametrize(
    ("parameters", "facts"),
    [
        ({}, ("GSM7", 5, 160, None)),
        ({"message": "Código"}, ("UCS2", 6, 70, None)),
        ({"message": "a€", "dcs": "1"}, ("GSM7", 3, 160, "U+20AC at position 2 costs 2")),
        ({"message": "a😀", "dcs": "8"}, ("UCS2", 3, 70, "U+1F600 at position 2 costs 2")),
        ({"message": "C3A9", "dcs": "4"}, ("OCTETS", 2, 140, None)),
        ({"udh": "050003CC0201"}, ("GSM7", 5, 153, None)),
        ({"udh": ""}, ("GSM7", 5, 160, None)),
        ({"message": "a" * 161}, ("GSM7", 161, 160, None)),
        ({"to": "recipient"}, ("GSM7", 5, 160, None)),
        ({"transactionId": "\n"}, ("GSM7", 5, 160, None)),
    ],
)
def test_the_encoding_is_told_even_where_the_message_is_refused(
    parameters: dict[str, str], facts: tuple[str, int, int, str | None]
) -> None:
    encoding = explain(engine(), post(**parameters)).encoding
    assert encoding is not None
    assert (encoding.encoded.coding, encoding.encoded.used, encoding.room, encoding.dear) == facts


@pytest.mark.parametrize("parameters", [{"message": ""}, {"message": "€"}, {"dcs": "5"}, {"udh": "05"}])
def test_what_cannot_be_encoded_has_no_encoding(parameters: dict[str, str]) -> None:
    assert explain(engine(), post(**parameters)).encoding is None


@pytest.mark.parametrize(
    ("udh", "meanings"),
    [
        ("050003CC0201", ["part 1 of 2, reference 204"]),
        ("0608041234FF0A", ["part 10 of 255, reference 4660"]),
        ("060504158A158B", ["to port 5514, from port 5515"]),
        ("0404020A0B", ["to port 10, from port 11"]),
        ("03700101", ["carried as it is"]),
        ("0100", []),
        ("0904020A0B0003CC0201", ["to port 10, from port 11", "part 1 of 2, reference 204"]),
    ],
)
def test_each_element_of_the_header_is_told(udh: str, meanings: list[str]) -> None:
    shown = explain(engine(), post(udh=udh)).to_json()
    assert shown["error"] is None
    assert [element["meaning"] for element in shown["encoding"]["elements"]] == meanings
    assert shown["encoding"]["flash"] is (udh == "0100")


SPAIN = Rule("spain", When(texts=(("to", Prefix("+34")),)))
SPAIN_MISSED = "to is +1222333444, wanted: begins with +34"


def test_the_json_form() -> None:
    world = engine(Scenario(name="one-rule", rules=(SPAIN,)))
    assert explain(world, post(udh="050003CC0201", responseType="xml")).to_json() == {
        "accepted": True,
        "error": None,
        "reason": None,
        "hints": [],
        "checks": [
            {"about": check.about, "code": check.code, "verdict": "passed", "reason": None}
            for check in CHECKS
        ],
        "encoding": {
            "coding": "GSM7",
            "used": 5,
            "room": 153,
            "unit": "septets",
            "octets": "050003CC0201906536FB0D",
            "dear": None,
            "flash": False,
            "elements": [{"iei": 0, "data": "CC0201", "meaning": "part 1 of 2, reference 204"}],
        },
        "rule": None,
        "answer": {
            "status": 200,
            "contentType": "application/xml; charset=utf-8",
            "body": "<response><status>OK</status><transactionId>1000001</transactionId></response>",
            "headers": {},
            "fault": None,
            "delay": None,
        },
        "rules": [{"name": "spain", "matched": False, "miss": SPAIN_MISSED, "drawn": []}],
        "drawn": [],
        "timeline": [
            {
                "at": "2024-01-15T10:30:46Z",
                "after": 1.0,
                "status": "delivered",
                "errorCode": None,
                "reports": 0,
                "reportAfter": None,
            }
        ],
        "unreported": "confirmation is not true",
    }


# -- rules ----------------------------------------------------------------------------------------


def steps(*written: tuple[float, str], **more: Any) -> tuple[Step, ...]:
    return tuple(Step(timedelta(seconds=after_s), status, **more) for after_s, status in written)


EARLY = Rule("early", When(method="GET"), respond=Respond(error=1), submit=False, before_checks=True)
QUEUE = Rule(
    "queue", When(texts=(("to", Prefix("+1")),), nth=frozenset({2})), respond=Respond(error=6), submit=False
)
CODE = Rule("code", When(texts=(("message", Contains("lo")),)), timeline=steps((5, "delivered")))
REST = Rule("rest", When())
BOOK = Scenario(name="book", rules=(SPAIN, QUEUE, CODE, REST, EARLY))


def told(world: Engine, call: Call) -> list[tuple[str, str | None]]:
    return [(row.name, row.miss) for row in explain(world, call).rules]


def test_each_rule_is_told_in_the_order_in_which_it_is_tried_with_what_missed_first() -> None:
    assert told(engine(BOOK), post()) == [
        ("early", "method is POST, wanted: GET"),
        ("spain", SPAIN_MISSED),
        ("queue", "is request 1 of those that meet the rest, wanted: nth 2"),
        ("code", None),
        ("rest", "not tried: code decided"),
    ]


def test_a_rule_before_the_checks_leaves_the_others_untried() -> None:
    shown = told(engine(BOOK), Call("GET", "/sendMtSms.php", VALID))
    assert shown == [
        ("early", None),
        *((name, "not tried: early decided") for name in ("spain", "queue", "code", "rest")),
    ]


def test_rules_are_not_tried_on_what_the_checks_refuse_nor_on_what_is_not_read() -> None:
    behind = [
        (name, "not tried: the request was refused before") for name in ("spain", "queue", "code", "rest")
    ]
    assert told(engine(BOOK), post(to="x")) == [("early", "method is POST, wanted: GET"), *behind]
    too_large = Call("POST", "/sendMtSms.php", VALID, too_large=True)
    assert told(engine(BOOK), too_large) == [("early", behind[0][1]), *behind]


@pytest.mark.parametrize(
    ("when", "parameters", "readings"),
    [
        (When(flash=True), {"udh": "0100"}, {}),
        (When(flash=False), {"udh": ""}, {}),
        (
            When(texts=(("to", Exact("+1222333444")),)),
            {"to": "1 222 333 444"},
            {"destination_plus": "optional", "destination_spaces": "strip"},
        ),
        (When(texts=(("message", Exact("a?")),)), {"message": "a€"}, {"latin1_overflow": "question_mark"}),
        (When(texts=(("message", Exact("C3A9")),)), {"message": "C3A9", "dcs": "4"}, {}),
        (When(texts=(("transactionId", Exact("t")),)), {"transactionId": "t"}, {}),
    ],
)
def test_a_rule_is_told_of_the_request_as_the_checks_read_it(
    when: When, parameters: dict[str, str], readings: dict[str, str]
) -> None:
    explained = explain(
        engine(Scenario(name="one", rules=(Rule("one", when),)), **readings), post(**parameters)
    )
    assert explained.rule == "one"
    assert [row.matched for row in explained.rules] == [True]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "to": st.sampled_from(["+34600000001", "34600000001", "+34 600 000 001", " 34600000001"]),
            "message": st.sampled_from(["Hello", "C3A9", "Código", "a€", "a\u0411", "😀", "%C3%A9"]),
            "dcs": st.sampled_from(["", "0", "1", "2", "3", "4", "8"]),
            "udh": st.sampled_from(["", "0100", "050003CC0201", "\x01\x00"]),
            "transactionId": st.sampled_from(["", "t"]),
        },
    ),
    st.fixed_dictionaries({}, optional={row.id: st.sampled_from(row.values) for row in reading_rows()}),
)
def test_any_request_is_told_of_as_the_checks_read_it(
    parameters: dict[str, str], readings: dict[str, str]
) -> None:
    call = post(**parameters)
    submission = engine(None, **readings).preview(call).outcome.submission
    if submission is None:
        return
    text = call.parameters["message"] if submission.encoded.text is None else submission.encoded.text
    when = When(
        texts=(("to", Exact(submission.destination)), ("message", Exact(str(text)))),
        flash=submission.udh is not None and submission.udh.is_flash,
    )
    world = engine(Scenario(name="one", rules=(Rule("one", when, submit=False),)), **readings)
    assert [row.miss for row in explain(world, call).rules] == [None]


def test_what_chance_decided_is_told() -> None:
    weather = (
        *steps((1, "enroute")),
        Step(timedelta(seconds=5), "delivered", jitter=timedelta(seconds=2), weight=8),
        Step(timedelta(seconds=20), "undeliverable", weight=2),
    )
    chancy = Rule("chancy", When(probability=0.9999), respond=Respond(delay=Uniform(1, 3)), timeline=weather)
    drawn = [
        explain(engine(Scenario(name="weather", seed=seed, rules=(chancy,))), post()) for seed in range(20)
    ]
    assert {explained.rules[0].drawn for explained in drawn} == {explained.drawn for explained in drawn}
    assert len({explained.drawn for explained in drawn}) == 20
    assert {explained.timeline[-1].change.status for explained in drawn} == {"delivered", "undeliverable"}
    for explained in drawn:
        assert [text.split(" ")[0] for text in explained.drawn][:3] == ["probability", "delay:", "enroute"]
        assert f"delay: {explained.delay_s:.3f} s" in explained.drawn
        assert (
            explained.drawn[-1]
            == f"{explained.timeline[-1].change.status} after {explained.timeline[-1].after_s:g} s"
        )


def test_what_chance_decided_is_told_of_the_default_timeline_too() -> None:
    late = steps((1, "delivered"), jitter=timedelta(seconds=9))
    world = engine(Scenario(name="late", timeline=late))
    explained = explain(world, post())
    assert explained.drawn == (f"delivered after {explained.timeline[0].after_s:g} s",)
    assert 1 < explained.timeline[0].after_s < 10
    assert explain(world, post(to="x")).drawn == ()


LIVELY = Scenario(
    name="lively",
    rules=(
        Rule(
            "early",
            When(texts=(("apiKey", Exact("k")),), nth=frozenset({2})),
            submit=False,
            before_checks=True,
        ),
        Rule("flash", When(flash=True), respond=Respond(error=5), submit=False),
        Rule("spain", When(texts=(("to", Prefix("+34")),), every=2, per="to"), set_state="warm"),
        Rule(
            "warm",
            When(state="warm", probability=0.5),
            respond=Respond(error=6),
            submit=False,
            set_state="start",
        ),
        Rule("once", When(), respond=Respond(fault=Fault.RESET), submit=False, times=1),
    ),
)
SENT: tuple[dict[str, str], ...] = (
    {},
    {"to": "+34600000001"},
    {"to": "+34600000002"},
    {"to": "x"},
    {"udh": "0100"},
    {"apiKey": "k"},
)


@given(st.lists(st.sampled_from(SENT), max_size=12))
def test_the_trace_of_every_record_names_the_rule_that_decided(sent: list[dict[str, str]]) -> None:
    """Worked out once all requests are over, from what their records keep."""

    async def records() -> list[RequestRecord]:
        return [world.handle(post(**parameters)) for parameters in sent]

    world = engine(LIVELY)
    for record in asyncio.run(records()):
        rows = rule_traces(
            world.rulebook,
            record.call,
            record.marks,
            readings=world.readings,
            request_number=record.number,
        )
        assert [row.name for row in rows] == ["early", "flash", "spain", "warm", "once"]
        assert [row.name for row in rows if row.matched] == ([] if record.rule is None else [record.rule])
        assert all((row.miss is None) is row.matched for row in rows)


# -- what becomes of the message --------------------------------------------------------------------


REPORTED = {"confirmation": "true", "callbackUrl": "http://127.0.0.1:9000/dlr"}


def planned(timeline: tuple[Step, ...], parameters: Mapping[str, str] = {}, **readings: str) -> list[Any]:
    """Return what is told of each change: when, what, how many reports, and when they go out."""
    world = engine(Scenario(name="slow", timeline=timeline), **readings)
    explained = explain(world, post(**{**REPORTED, **parameters}))
    return [(row.after_s, row.change.status, row.reports, row.report_after_s) for row in explained.timeline]


def test_each_change_is_told_with_its_time_after_the_acceptance_and_its_reports() -> None:
    assert planned(
        (
            *steps((1, "accepted"), send_after=timedelta(seconds=9)),
            *steps((2, "enroute"), repeat=2),
            *steps((3, "delivered")),
        )
    ) == [(1, "accepted", 1, 9), (2, "enroute", 2, 2), (3, "delivered", 1, 3)]


@pytest.mark.parametrize(
    ("timeline", "parameters", "expected"),
    [
        ((), {}, []),
        (steps((1, "enroute")), {}, [(1, "enroute"), (172_800, "expired")]),
        (steps((90, "delivered")), {"validityPeriod": "60"}, [(60, "expired")]),
        (steps((1, "delivered")), {"scheduledDeliveryTime": "2024-01-15T10:31:45"}, [(61, "delivered")]),
        (steps((5, "delivered"), before_answer=True), {}, [(0, "delivered")]),
    ],
)
def test_a_timeline_begins_when_it_is_scheduled_and_ends_by_the_validity(
    timeline: tuple[Step, ...], parameters: dict[str, str], expected: list[tuple[float, str]]
) -> None:
    assert [row[:2] for row in planned(timeline, parameters)] == expected


def test_what_is_not_reported_is_told() -> None:
    timeline = steps((1, "enroute"), (2, "delivered"))
    final_only = planned(timeline, dlr_statuses="final_only")
    assert [row[2:] for row in final_only] == [(0, None), (1, 2)]
    assert [row[2:] for row in planned(timeline, {"confirmation": "false"})] == [(0, None), (0, None)]


@pytest.mark.parametrize(
    ("parameters", "unreported", "url"),
    [
        ({}, "confirmation is not true", None),
        (REPORTED, None, REPORTED["callbackUrl"]),
        ({**REPORTED, "callbackUrl": "x"}, "callbackUrl x does not begin with http:// or https://", None),
        ({**REPORTED, "to": "x"}, None, None),
    ],
)
def test_where_reports_go_or_why_none_goes(
    parameters: dict[str, str], unreported: str | None, url: str | None
) -> None:
    explained = explain(engine(), post(**parameters))
    assert (explained.unreported, explained.callback_url) == (unreported, url)


def test_what_a_rule_does_to_the_answer_is_told() -> None:
    respond = Respond(status=503, headers={"Retry-After": "2"}, delay=Fixed(0.25))
    world = engine(Scenario(name="busy", rules=(Rule("busy", When(), respond=respond, submit=False),)))
    shown = explain(world, post()).to_json()
    assert shown["answer"]["status"] == 503
    assert (shown["answer"]["headers"], shown["answer"]["delay"]) == ({"Retry-After": "2"}, 0.25)
    assert (shown["accepted"], shown["timeline"], shown["unreported"]) == (False, [], None)


# -- the rest -------------------------------------------------------------------------------------


def test_hints_are_told() -> None:
    assert explain(engine(), post(senderId="")).hints == ("senderId is empty and counts as absent",)


def test_a_preview_leaves_no_trace() -> None:
    """Neither records nor the rate limit, nor what rules count, nor the next transaction id."""
    account = Account("you@example.com", "secret", balance=1, rate_limit=RateLimit(1, 60), queue_limit=1)
    once = Rule("once", When(nth=frozenset({1})), respond=Respond(error=6), submit=False)
    world = engine(
        Scenario(name="tight", accounts=Accounts({"you@example.com": account}, anyone=False), rules=(once,))
    )
    for _ in range(3):
        assert explain(world, post()).rule == "once"
    assert world.store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
    record = world.handle(post())
    assert (record.number, record.rule, record.error) == (1, "once", 6)


parameter = st.sampled_from([*VALID, "dcs", "udh", "senderId", "validityPeriod", "transactionId"])


@given(st.dictionaries(parameter, st.one_of(st.text(max_size=20), st.sampled_from(["0", "8", "0100"]))))
def test_any_parameters_are_explained_as_they_are_answered(parameters: dict[str, str]) -> None:
    call = Call("POST", "/sendMtSms.php", parameters)
    world = engine()
    explained = explain(world, call)
    failed = [row.reason for row in explained.checks if row.verdict is Verdict.FAILED]
    # A message that is accepted goes on the agenda, for which an event loop must run.
    if explained.accepted:
        assert (failed, explained.answer.status) == ([], 200)
        return
    record = world.handle(call)
    assert (explained.error, explained.reason) == (record.error, record.reason)
    assert (explained.answer, explained.hints) == (record.answer, record.hints)
    assert failed == [record.reason]
