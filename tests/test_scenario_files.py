"""Scenario files: what they say, what is told about each mistake, and that nothing in one can do harm."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox import contract
from sandbox.core.decide import Progress, Rulebook, decide
from sandbox.core.match import Absent, AllOf, AnyOf, Contains, Exact, Facts, Not, Prefix, Suffix, When, miss
from sandbox.core.model import Account, Accounts, Barred, RateLimit
from sandbox.core.scenario import (
    CallbackSettings,
    Fault,
    Fixed,
    Lognormal,
    Respond,
    Rule,
    Scenario,
    Step,
    Uniform,
)
from sandbox.errors import Mistake, ScenarioError
from sandbox.scenario_files import load, load_rule, load_when, schema
from sandbox.yaml_nodes import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = contract.reading_rows()
CODES = [row.code for row in contract.error_codes()]
SCHEMA = schema(reading_rows=ROWS, codes=CODES)


def read(content: str | bytes, **options: str) -> Scenario:
    return load(content, file="s.yaml", reading_rows=ROWS, codes=CODES, **options)


def mistakes(content: str | bytes) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(content)
    return [str(mistake).removeprefix("s.yaml:") for mistake in caught.value.mistakes]


def mistakes_or_none(content: str | bytes) -> tuple[Mistake, ...] | None:
    """Return the mistakes of a file, None when it is a scenario."""
    try:
        read(content)
    except ScenarioError as error:
        return error.mistakes
    return None


def rule(text: str) -> Rule:
    return load_rule(text, file="rule", codes=CODES, name="unnamed")


# -- what is read ---------------------------------------------------------------------------------


EVERYTHING = """
name: carrier-outage
description: The queue fills twice, then messages to Spain are slow.
seed: 42
readings: {errors: envelope, validity_error: 8, timezone: Europe/Madrid}
accounts:
  - user: you@example.com
    apiKey: secret
    balance: 100
    disabled: false
    callbackUrl: http://localhost:9000/dlr
    senderIds: [VERIFY, ORDER]
    barred: ["+34600000000", {prefix: +7}]
    unsupported: [binary, dcs:8]
    rateLimit: {requests: 10, per: 1s}
    queueLimit: 1000
  - any
rules:
  - name: queue-full-twice
    when: {to: {prefix: "+34"}, senderId: ORDER, message: {contains: code}, dcs: 1, flash: false, user: u,
           method: POST, nth: [1, 2], every: 3, per: senderId, probability: 0.25, state: start}
    respond: {error: 6}
    set_state: recovered
  - name: slow-spain
    when: {to: {prefix: "+34"}}
    dlr:
      - {after: 1s, status: enroute}
      - {after: 5s, jitter: 2s, status: delivered, weight: 8}
      - {after: 20s, status: undeliverable, errorCode: 11, weight: 2}
default:
  dlr: []
callbacks:
  timeout: 2
  retry: [1s, 5s]
  concurrency: 8
  allow: [callbacks.example.com, public, "[::1]"]
  signature: {secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}
  headers: {X-Env: test}
"""


ODDITIES = """
name: oddities
accounts: any
rules:
  - name: early
    before_checks: true
    when: {apiKey: {any_of: [invalid, {prefix: x}]}, user: {absent: false, not: {suffix: "@example.com"}}, every: 2}
    respond: {fault: truncate, delay: {uniform: [1s, 3s]}}
    times: 3
  - when: {confirmation: true, nth: 1, per: to, message: {regex: "^[0-9]+$"}, callbackUrl: {absent: true}}
    respond: {status: 503, headers: {Retry-After: 2}, body: "{{ to | json }}", delay: 250ms}
    submit: true
    dlr: [{status: delivered, before_answer: true}, {status: x, send_after: 4s, repeat: 2, body: "{{ status }}"}]
  - {when: {validityPeriod: "60"}, respond: {delay: {lognormal: {median: 200ms, sigma: 0.4}}}}
default: {dlr: []}
callbacks: {retry: svix}
"""


def test_a_file_says_everything_that_a_scenario_has() -> None:
    assert read(EVERYTHING) == Scenario(
        name="carrier-outage",
        description="The queue fills twice, then messages to Spain are slow.",
        seed=42,
        readings={"errors": "envelope", "validity_error": "8", "timezone": "Europe/Madrid"},
        accounts=Accounts(
            {
                "you@example.com": Account(
                    user="you@example.com",
                    api_key="secret",
                    balance=100,
                    callback_url="http://localhost:9000/dlr",
                    sender_ids=frozenset({"VERIFY", "ORDER"}),
                    barred=(Barred("+34600000000"), Barred("+7", is_prefix=True)),
                    unsupported=frozenset({"binary", "dcs:8"}),
                    rate_limit=RateLimit(10, 1.0),
                    queue_limit=1000,
                )
            },
            anyone=True,
        ),
        rules=(
            Rule(
                "queue-full-twice",
                When(
                    texts=(
                        ("to", Prefix("+34")),
                        ("senderId", Exact("ORDER")),
                        ("message", Contains("code")),
                        ("dcs", Exact("1")),
                        ("user", Exact("u")),
                    ),
                    method="POST",
                    flash=False,
                    state="start",
                    probability=0.25,
                    nth=frozenset({1, 2}),
                    every=3,
                    per="senderId",
                ),
                Respond(error=6),
                submit=False,
                set_state="recovered",
            ),
            Rule(
                "slow-spain",
                When(texts=(("to", Prefix("+34")),)),
                timeline=(
                    Step(timedelta(seconds=1), "enroute"),
                    Step(timedelta(seconds=5), "delivered", jitter=timedelta(seconds=2), weight=8),
                    Step(timedelta(seconds=20), "undeliverable", error_code=11, weight=2),
                ),
            ),
        ),
        timeline=(),
        callbacks=CallbackSettings(
            timeout_s=2,
            retry_s=(1, 5),
            concurrency=8,
            allow=("callbacks.example.com", "public", "[::1]"),
            secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers={"X-Env": "test"},
        ),
    )


def test_every_key_but_the_name_may_be_left_out() -> None:
    assert read("name: x") == Scenario(name="x")


def test_what_is_left_out_is_as_in_the_default_scenario() -> None:
    default = read((contract.SCENARIOS / "default.yaml").read_text("utf-8"))
    bare = Scenario(name="x")
    assert (bare.timeline, bare.callbacks, bare.readings) == (
        default.timeline,
        default.callbacks,
        default.readings,
    )
    assert bare.accounts.anyone
    assert default.accounts.anyone
    assert [(a.user, a.disabled) for a in bare.accounts.listed.values()] == [
        (a.user, a.disabled) for a in default.accounts.listed.values()
    ]


@pytest.mark.parametrize(
    "written", ["+34600000000", "NO", "0100", "1.0", "1e3", "on", "0x1F", "12:30", "2024-01-01"]
)
@pytest.mark.parametrize("quotes", ["{}", '"{}"', "'{}'"])
def test_a_text_is_the_scalar_as_it_is_written(written: str, quotes: str) -> None:
    assert load_when(f"senderId: {quotes.format(written)}", file="w").texts == (("senderId", Exact(written)),)


@pytest.mark.parametrize(
    ("written", "matcher"),
    [
        ("{prefix: +34}", Prefix("+34")),
        ("{suffix: 99}", Suffix("99")),
        ("{contains: a}", Contains("a")),
        ("{any_of: [a, {prefix: b}]}", AnyOf((Exact("a"), Prefix("b")))),
        ("{not: a}", Not(Exact("a"))),
        ("{absent: true}", Absent()),
        ("{absent: false}", Absent(absent=False)),
        ("{suffix: z, prefix: a}", AllOf((Prefix("a"), Suffix("z")))),
        ("''", Exact("")),
    ],
)
def test_a_matcher_is_a_text_or_a_mapping(written: str, matcher: object) -> None:
    assert load_when(f"senderId: {written}", file="w").texts == (("senderId", matcher),)


def test_a_regex_searches() -> None:
    when = load_when("message: {regex: 'code: [0-9]{4}$'}", file="w")
    assert miss(when, Facts("POST", {"message": "Your code: 1234"})) is None
    assert miss(when, Facts("POST", {"message": "Your code: 12345"})) is not None


def test_dcs_0_is_also_one_that_is_absent() -> None:
    when = load_when("dcs: 0", file="w")
    assert miss(when, Facts("POST", {})) is None
    assert miss(when, Facts("POST", {"dcs": "0"})) is None
    assert miss(when, Facts("POST", {"dcs": "1"})) == "dcs is 1, wanted: is 0 or is absent"


def test_confirmation_is_true_or_false_or_matched_as_a_text() -> None:
    assert load_when("confirmation: true", file="w") == When(confirmation=True)
    assert load_when("confirmation: {absent: true}", file="w") == When(texts=(("confirmation", Absent()),))


def test_nth_may_be_one_number() -> None:
    assert load_when("nth: 2", file="w") == When(nth=frozenset({2}))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5),
        ("2m", 120),
        ("1h", 3600),
        ("3d", 259_200),
        ("1.5s", 1.5),
        ("5", 5),
        ("'5'", 5),
        ("0.5", 0.5),
        ("1e2", 100),
        ("0", 0),
    ],
)
def test_durations(written: str, seconds: float) -> None:
    assert rule(f"respond: {{delay: {written}}}").respond == Respond(delay=Fixed(seconds))


@pytest.mark.parametrize(
    ("written", "respond", "submit"),
    [
        ("{error: 6}", Respond(error=6), False),
        ("{error: 3}", Respond(error=3), True),
        ("{delay: 1s}", Respond(delay=Fixed(1)), True),
        ("{delay: {uniform: [1s, 3s]}}", Respond(delay=Uniform(1, 3)), True),
        ("{delay: {lognormal: {median: 200ms, sigma: 0.4}}}", Respond(delay=Lognormal(0.2, 0.4)), True),
        ("{error: 6, delay: 1s}", Respond(error=6, delay=Fixed(1)), False),
        ("{fault: drip, delay: 1s}", Respond(fault=Fault.DRIP, delay=Fixed(1)), False),
        (
            "{status: 503, headers: {Retry-After: 2}, body: 'to {{ to | upper }}'}",
            Respond(status=503, headers={"Retry-After": "2"}, body="to {{ to | upper }}"),
            False,
        ),
        ("{body: ''}", Respond(status=200, body=""), False),
        ("{status: 204}", Respond(status=204), False),
    ],
)
def test_an_answer_says_by_itself_whether_the_message_is_accepted(
    written: str,
    respond: Respond,
    submit: bool,  # noqa: FBT001
) -> None:
    assert rule(f"respond: {written}") == Rule("unnamed", When(), respond, submit=submit)
    assert rule(f"{{respond: {written}, submit: {str(not submit).lower()}}}").submit is not submit


def test_a_step_says_everything_about_its_report() -> None:
    assert rule(
        "dlr: [{after: 1s, status: x, repeat: 2, send_after: 4s, body: '{{ status }}'}, "
        "{status: y, before_answer: true}]"
    ).timeline == (
        Step(timedelta(seconds=1), "x", repeat=2, send_after=timedelta(seconds=4), body="{{ status }}"),
        Step(timedelta(), "y", before_answer=True),
    )


@pytest.mark.parametrize(
    ("written", "accounts"),
    [
        ("any", Accounts()),
        ("[any]", Accounts()),
        ("[]", Accounts(anyone=False)),
        ("[{user: a, apiKey: b}]", Accounts({"a": Account("a", "b")}, anyone=False)),
    ],
)
def test_accounts_are_listed_or_anybody_or_both(written: str, accounts: Accounts) -> None:
    assert read(f"{{name: x, accounts: {written}}}").accounts == accounts


@pytest.mark.parametrize(
    ("preset", "first", "count", "total_s"),
    [
        ("default", 1, 5, 756),
        ("none", None, 0, 0),
        ("standard-webhooks", 5, 9, 272_105),
        ("svix", 5, 7, 99_305),
        ("sinch", 5, 15, 163_835),
        ("vonage", 5, 102, 85_875),
        ("8x8", 1, 4, 131),
    ],
)
def test_retry_schedules_have_names(preset: str, first: float | None, count: int, total_s: float) -> None:
    waits = read(f"{{name: x, callbacks: {{retry: {preset}}}}}").callbacks.retry_s
    assert (next(iter(waits), None), len(waits), sum(waits)) == (first, count, total_s)


def test_rules_without_a_name_are_called_by_their_place() -> None:
    rules = read("{name: x, rules: [{when: {to: a}}, {name: rule-3, when: {to: b}}, {when: {to: c}}]}").rules
    assert [rule.name for rule in rules] == ["rule-1", "rule-3", "rule-3_"]


def test_magic_stands_for_the_prefix_that_is_chosen() -> None:
    text = '{name: x, rules: [{when: {to: "{{ magic }}0001", senderId: "{{ magic }}"}}]}'
    assert read(text).rules[0].when.texts == (
        ("to", Exact("+15005550001")),
        ("senderId", Exact("{{ magic }}")),
    )
    assert read(text, magic_prefix="+99").rules[0].when.texts[0] == ("to", Exact("+990001"))


def test_aliases_stand_for_what_they_name() -> None:
    rules = read(
        "name: x\nrules: [{when: {to: a}, respond: &r {error: 5}}, {when: {to: b}, respond: *r}]"
    ).rules
    assert [rule.respond for rule in rules] == [Respond(error=5)] * 2


def test_json_is_read_too() -> None:
    document = {"name": "é 😀", "rules": [{"when": {"to": {"prefix": "+34"}}, "respond": {"error": 6}}]}
    assert read(json.dumps(document, ensure_ascii=False)).name == "é 😀"


def test_utf8_is_read_with_or_without_a_byte_order_mark() -> None:
    assert read("name: é".encode()) == read(b"\xef\xbb\xbfname: \xc3\xa9") == Scenario(name="é")


def test_the_example_reads_the_same_through_the_pure_python_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    with_c = read(EVERYTHING)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert read(EVERYTHING) == with_c


# -- the default scenario ---------------------------------------------------------------------------


DEFAULT = read((contract.SCENARIOS / "default.yaml").read_bytes())
BOOK = Rulebook.compile(DEFAULT)


def decided(number: int = 1, progress: Progress | None = None, **parameters: str) -> Rule | None:
    """Return the rule that decides a request: after the checks, or before them where it has no ``to``."""
    return decide(
        BOOK,
        progress or Progress.fresh(),
        Facts("POST", parameters),
        request_number=number,
        before_checks="to" not in parameters,
    )


@pytest.mark.parametrize("code", CODES)
def test_a_magic_destination_answers_each_error_code(code: int) -> None:
    found = decided(to=f"+150055500{code:02}")
    assert found is not None
    assert found.respond == Respond(error=code)
    assert found.submit is (code == 3)


@pytest.mark.parametrize(
    ("number", "statuses"),
    [
        (1, [(0, "delivered")]),
        (2, [(1, "accepted"), (2, "enroute"), (3, "delivered")]),
        (3, [(1, "undeliverable")]),
        (5, [(1, "rejected")]),
        (6, []),
        (7, [(1, "delivered")]),
        (8, [(1, "accepted"), (2, "enroute"), (3, "delivered")]),
        (9, [(0, "delivered")]),
        (10, [(60, "delivered")]),
        (11, [(1, "delivered")]),
        (12, [(1, "unknown")]),
    ],
)
def test_a_magic_destination_chooses_each_delivery(number: int, statuses: list[tuple[int, str]]) -> None:
    found = decided(to=f"+15005551{number:03}")
    assert found is not None
    assert found.timeline is not None
    assert [(step.after.total_seconds(), step.status) for step in found.timeline] == statuses
    assert found.submit


@pytest.mark.parametrize(
    ("number", "status", "fault", "is_accepted"),
    [
        (1, 500, None, False),
        (2, 503, None, False),
        (3, None, Fault.RESET, False),
        (4, None, Fault.TRUNCATE, False),
        (5, None, Fault.EMPTY, False),
        (6, 200, None, False),
        (7, None, None, True),
        (8, None, Fault.DRIP, True),
        (9, 429, None, False),
        (10, 500, None, False),
        (11, None, Fault.RESET, True),
    ],
)
def test_a_magic_destination_breaks_the_transport(
    *, number: int, status: int | None, fault: Fault | None, is_accepted: bool
) -> None:
    found = decided(to=f"+15005552{number:03}")
    assert found is not None
    assert found.respond is not None
    assert (found.respond.status, found.respond.fault, found.submit) == (status, fault, is_accepted)


def test_the_server_error_comes_twice_for_each_sender_and_then_no_more() -> None:
    progress = Progress.fresh()
    found = [decided(progress=progress, to="+15005552010", senderId=sender) for sender in "AABAB"]
    assert [rule is not None for rule in found] == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("user", "is_refused"),
    [("you@example.com", True), ("disabled@example.com", False), ("", False), (None, False)],
)
def test_the_key_invalid_is_refused_but_for_users_who_are_refused_anyway(
    *, user: str | None, is_refused: bool
) -> None:
    found = decided(apiKey="invalid") if user is None else decided(apiKey="invalid", user=user)
    assert (found is not None) is is_refused


def test_any_other_destination_is_delivered_after_a_second() -> None:
    assert decided(to="+1222333444") is None
    assert DEFAULT.timeline == (Step(timedelta(seconds=1), "delivered"),)


# -- mistakes -------------------------------------------------------------------------------------


def blocks() -> Iterator[tuple[str, list[str]]]:
    """Yield the files of ``scenario_mistakes.txt`` and what is told about each."""
    text = (Path(__file__).parent / "scenario_mistakes.txt").read_text("utf-8")
    for block in text.split("\n\n"):
        content, *told = block.rstrip("\n").split("\n>>> ")
        if told:
            yield content, told


@pytest.mark.parametrize(("content", "expected"), list(blocks()))
def test_each_mistake_is_told_at_its_place(content: str, expected: list[str]) -> None:
    assert mistakes(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "1:1: the file is empty: a scenario has a name at least"),
        (b"name: \xff", "1:7: the file is not UTF-8 from here on: save it as UTF-8"),
        ("name: x\nseed: \x00", "2:7: U+0000 cannot stand in YAML: write it as an escape"),
        ("name: \ud800", "1:7: U+D800 cannot stand in YAML: write it as an escape"),
        ("name: x\nseed: " + "9" * 5000, f'2:7: seed: is "{"9" * 37}...", wanted: a whole number'),
    ],
    ids=["empty", "octets", "control", "surrogate", "digits"],
)
def test_content_that_no_editor_shows_is_told_too(content: str | bytes, expected: str) -> None:
    assert mistakes(content) == [expected]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    content = dedent("""\
        name: x
        sed: 1
        rules:
          - when: {too: x}
            respond: {error: 99, delay: soon}
          - dlr: [{status: delivered, wieght: 1}, {after: never}]
        callbacks: {timeout: 0, headers: {a b: c}}
        """)
    assert [line.split(" ")[0] for line in mistakes(content)] == [
        "2:1:", "4:12:", "5:22:", "5:33:", "6:31:", "6:43:", "6:51:", "7:22:", "7:35:",
    ]  # fmt: skip


def test_a_mistake_prints_as_editors_and_terminals_expect() -> None:
    assert str(Mistake("scenario.yaml", 3, 7, "why")) == "scenario.yaml:3:7: why"


@pytest.mark.parametrize(
    "rules",
    [
        "[{name: a, when: {to: x}}, {name: b}, {name: c, before_checks: true, when: {to: x}}]",
        "[{name: a, times: 1}, {name: b}]",
        "[{name: a, when: {probability: 0.5}}, {name: b, when: {probability: 0.5}}]",
        "[{name: a, when: {nth: 1}}, {name: b, when: {nth: 2}}]",
        "[{name: a, when: {to: x}, before_checks: true}, {name: b, when: {to: x}}]",
    ],
)
def test_rules_that_can_be_reached_are_no_mistake(rules: str) -> None:
    assert len(read(f"{{name: x, rules: {rules}}}").rules) > 1


def test_nothing_is_said_about_rules_behind_one_whose_when_cannot_be_read() -> None:
    assert mistakes("name: x\nrules:\n- when: &w {too: x}\n- {when: *w}\n- {name: b}") == [
        '3:13: when: there is no key "too" here: did you mean to?'
    ]


def test_a_single_rule_and_a_single_when_tell_their_mistakes_too() -> None:
    with pytest.raises(ScenarioError, match=r'^rule:1:19: error: is "0", wanted: 1 to 15$'):
        rule('{"respond": {"error": 0}}'.replace('"', ""))
    with pytest.raises(ScenarioError, match=r'^w:1:1: there is no key "too" here: did you mean to\?$'):
        load_when("too: x", file="w")


# -- what is hostile ------------------------------------------------------------------------------


def rules_of(*rules: str) -> str:
    """Return a file with these rules, a line each."""
    return "name: x\nrules:\n" + "".join(f"- {rule}\n" for rule in rules)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BOMB, "over 50000 values up to here, aliases counted in full: no scenario may hold more"),
        ("[" * 100_000, "lists and mappings stand more than 24 deep in one another"),
        ("- " * 100_000, "lists and mappings stand more than 24 deep in one another"),
        ("{a: " * 100_000, "lists and mappings stand more than 24 deep in one another"),
        ("a: &a {b: {c: {d: {e: {f: g}}}}}\nb: " + "[" * 20 + "*a", "more than 24 deep"),
        ("name: x\nrules: [" + "{}," * 200_000 + "]", "over 50000 values"),
        ("name: x\nrules: [" + "{}," * 6_000 + "]", "a list of 6000, wanted: at most 5000"),
        ("name: x\nrules:\n" + "- {}\n" * 1_000_000, "the file is over 1 MiB: split it"),
        ("name: x\ncallbacks: {headers: {" + "".join(f"A{n}: b, " for n in range(60)) + "}}", "at most 50"),
        ("name: " + "x" * (1 << 20), "the file is over 1 MiB: split it"),
        (rules_of("when: {to: {regex: '" + "a" * 1001 + "'}}"), "too long, it has over 1000 characters"),
        (
            rules_of(*(f"when: {{to: {{regex: 'a{n}'}}}}" for n in range(501))),
            "503:22: regex: the regular expressions up to this one are too large together: use fewer",
        ),
        (
            rules_of(*(f"when: {{to: {{regex: '{n}[ab]{{450}}'}}}}" for n in range(150))),
            "the regular expressions up to this one are too large together: use fewer",
        ),
        (rules_of("respond: {delay: " + "9" * 500_000 + "d}"), "wanted: a duration from 0 to 3650d"),
    ],
)
def test_whatever_is_over_a_bound_is_refused(content: str, expected: str) -> None:
    assert expected in mistakes(content)[-1]


KEYS = sorted({key for shape in SCHEMA["$defs"].values() for key in shape["properties"]})


def test_as_many_regular_expressions_as_a_large_scenario_has_are_no_mistake() -> None:
    rules = (f"when: {{to: {{regex: '^[+]34[67]{n}[0-9]{{5,7}}$'}}}}" for n in range(200))
    assert len(read(rules_of(*rules)).rules) == 200


def test_only_so_many_mistakes_are_told_of_one_body() -> None:
    body = "".join(f"{{{{ x{n:02} }}}}" for n in range(99))
    assert mistakes(rules_of(f"respond: {{body: '{body}'}}")) == [
        f"3:19: body: there is nothing called x{n:02} to put here" for n in range(10)
    ]


def test_only_so_many_mistakes_are_told() -> None:
    told = mistakes("name: x\n" + "".join(f"key{n}: 1\n" for n in range(10_000)))
    assert len(told) == 101
    assert told[-1] == "101:1: there may be more mistakes from here on"


@given(
    st.text() | st.binary() | st.text(st.sampled_from("name: x&*[]{}-?|>!'\"#%\n\t,rulestowhen"), max_size=60)
)
@example("name: x\nrules: [{respond: {status: 1e4}}]")
@example("? \n")
@example("name: x\nrules:\n-")
@example("name: x\nrules:\n- when:")
@example("name:\r\n\r")
@example(b"\xef\xbb\xbf\xff")
@example("%YAML 1.1\n---\nname: x")
@example("- &a\n- *a")
def test_any_content_is_a_scenario_or_mistakes(content: str | bytes) -> None:
    found = mistakes_or_none(content)
    if found is not None:
        assert found
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        lines = lines_of(text.removeprefix("\ufeff"))
        assert all(1 <= mistake.line <= len(lines) for mistake in found)
        assert all(1 <= mistake.column <= len(lines[mistake.line - 1]) + 1 for mistake in found)
        assert all(str(mistake).isprintable() for mistake in found)


any_structure = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(KEYS), any_structure))
def test_any_structure_is_a_scenario_or_mistakes(structure: dict[str, Any]) -> None:
    found = mistakes_or_none(json.dumps({"name": "x", **structure}))
    assert found is None or found


# -- the schema -----------------------------------------------------------------------------------


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2.5, -1, 16, 10**12, 1e300),
    *("", "x", "1", "5s", "+34", "true", "any", "GET", "default"),
    *([], [1], ["any"], ["1s", "2s"], {}, {"x": 1}, {"prefix": "+34"}, {"status": "x"}),
)


def half(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what is right, sometimes anything."""
    return st.integers(0, 39).flatmap(lambda dice: st.sampled_from(ODD) if dice == 0 else good)


def keys(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries({}, optional={key: half(good) for key, good in optional.items()})
    return st.tuples(known, st.sampled_from([*[{}] * 15, {"x": 1}])).map(lambda both: {**both[0], **both[1]})


durations = st.sampled_from(["250ms", "5s", "1.5h", "3d", 0, 5, 0.5, "5 s", "s", "-1s", "1e3"])
short = st.sampled_from(["a", "+34600000001", 5, True])
texts = st.recursive(
    short,
    lambda inner: keys(
        prefix=short,
        suffix=short,
        contains=short,
        any_of=st.lists(inner, max_size=2),
        absent=st.booleans(),
        **{"not": inner},
    ),
    max_leaves=3,
)
steps = st.lists(
    keys(
        after=durations,
        status=short,
        jitter=durations,
        errorCode=st.integers(1, 15),
        weight=st.floats(0, 9),
        repeat=st.integers(1, 3),
        send_after=durations,
        before_answer=st.booleans(),
        body=st.just("{{ to }}"),
    ),
    max_size=2,
)
documents = keys(
    name=short,
    description=short,
    seed=st.integers(),
    readings=keys(
        errors=st.sampled_from(["bare", "envelope", "x"]), validity_error=st.sampled_from([8, 12, "12", 9])
    ),
    accounts=st.just("any")
    | st.lists(
        st.just("any")
        | keys(
            user=short,
            apiKey=short,
            balance=st.integers(-1, 9),
            disabled=st.booleans(),
            callbackUrl=st.just("http://localhost/"),
            senderIds=st.lists(short, max_size=2),
            barred=st.lists(short | keys(prefix=short), max_size=2),
            unsupported=st.lists(st.sampled_from(["flash", "dcs:8", "dcs:5"]), max_size=2),
            rateLimit=keys(requests=st.integers(0, 3), per=durations),
            queueLimit=st.integers(0, 3),
        ),
        max_size=2,
    ),
    rules=st.lists(
        keys(
            name=short,
            when=keys(
                to=texts,
                senderId=texts,
                dcs=texts,
                confirmation=st.booleans() | texts,
                flash=st.booleans(),
                method=st.sampled_from(["GET", "POST", "PUT"]),
                nth=st.integers(0, 3) | st.lists(st.integers(1, 3), max_size=2),
                every=st.integers(0, 3),
                per=st.sampled_from(["to", "xx"]),
                probability=st.floats(-0.5, 1.5),
                state=short,
            ),
            respond=keys(
                error=st.integers(0, 16),
                status=st.integers(199, 600),
                body=short,
                headers=st.just({"A": "b"}),
                fault=st.sampled_from(["reset", "x"]),
                delay=durations
                | keys(
                    uniform=st.lists(durations, max_size=3),
                    lognormal=keys(median=durations, sigma=st.floats(0, 2)),
                ),
            ),
            submit=st.booleans(),
            before_checks=st.booleans(),
            set_state=short,
            dlr=steps,
            times=st.integers(0, 2),
        ),
        max_size=2,
    ),
    default=keys(dlr=steps),
    callbacks=keys(
        timeout=durations,
        retry=st.lists(durations, max_size=2) | st.sampled_from(["svix", "x"]),
        concurrency=st.integers(0, 3),
        allow=st.lists(short, max_size=2),
        signature=keys(secret=st.just("whsec_MfKQ")),
        headers=st.just({"A": "b"}),
    ),
)

BEYOND_THE_SCHEMA = re.compile(
    r"can never be reached|of its own|comes last, and once|there is an account"
    r"|is no (\+|header|callback|host|secret|regular)|reading timezone cannot be"
    r"|lower bound comes first|every weight is 0|before its change|has no reports|has no body"
    r"|is empty: send|has no \+|too short|too long|digits? after the \+|at position|has no letter"
    r"|septets, room|, at least 3"
)
"""What hangs on two values, or on what is inside a text."""

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def assert_agreement(document: Any) -> None:
    found = mistakes_or_none(json.dumps(document, ensure_ascii=False)) or ()
    is_fit = all(BEYOND_THE_SCHEMA.search(mistake.message) for mistake in found)
    assert VALIDATOR.is_valid(document) is is_fit, (found, list(VALIDATOR.iter_errors(document)))


@given(documents)
def test_the_loader_and_the_schema_agree(document: dict[str, Any]) -> None:
    assert_agreement(document)


VALID_ONES = [yaml.safe_load(EVERYTHING), yaml.safe_load(ODDITIES)]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place inside of *value*: a list or a mapping, and an index or a key of it."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("document", VALID_ONES, ids=lambda document: str(document["name"]))
@pytest.mark.parametrize("odd", [None, True, -1, 2.5, "x", "5s", [], {"x": 1}], ids=repr)
def test_the_loader_and_the_schema_agree_wherever_something_odd_stands(document: Any, odd: Any) -> None:
    for inside, key in places(document):
        right = inside[key]
        inside[key] = odd
        assert_agreement(document)
        inside[key] = right


@given(st.data())
def test_the_loader_and_the_schema_agree_on_what_is_nearly_right(data: st.DataObject) -> None:
    """A file that says all there is to say, with one or two of its places changed."""
    document = deepcopy(data.draw(st.sampled_from(VALID_ONES)))
    for _ in range(data.draw(st.integers(1, 2))):
        inside, key = data.draw(st.sampled_from(list(places(document)) or [({"": 0}, "")]))
        match data.draw(st.sampled_from(["replace", "replace", "remove", "rename", "add", "wrap", "double"])):
            case "replace":
                inside[key] = deepcopy(data.draw(st.sampled_from(ODD)))
            case "remove":
                del inside[key]
            case "rename" if isinstance(inside, dict):
                inside[data.draw(st.sampled_from(KEYS))] = inside.pop(key)
            case "add" if isinstance(inside, dict):
                inside.setdefault(data.draw(st.sampled_from(KEYS)), deepcopy(data.draw(st.sampled_from(ODD))))
            case "double" if isinstance(inside, list):
                inside.insert(key, deepcopy(inside[key]))
            case _:
                inside[key] = [inside[key]]
    assert_agreement(document)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(contract.SCENARIOS.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_the_built_in_scenarios_keep_to_the_schema_as_an_editor_reads_them(path: Any) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text("utf-8")))


def test_an_editor_may_take_a_text_for_a_number_or_a_truth_value() -> None:
    VALIDATOR.validate(yaml.safe_load(EVERYTHING))
    VALIDATOR.validate(yaml.safe_load("{name: 0100, rules: [{when: {to: +34600, senderId: NO}}]}"))
