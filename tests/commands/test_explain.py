"""The command ``explain``: how an explanation is shown."""

import re
from pathlib import Path

import pytest

from sandbox.core import checks
from tests.command_line import MESSAGE, run


def test_explain_shows_each_check_the_encoding_and_the_answer() -> None:
    result = run("explain", *MESSAGE, "--udh", "050003CC0201")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        *(f"✓ {check.about}" for check in checks.CHECKS),
        "",
        "· invalid-key  apiKey is another, wanted: is invalid",
        "· 38 rules     to is +1222333444; --rules shows each",
        "",
        "encoding  GSM7, 5 of 153 septets",
        'text      "Hello"',
        "udh       050003CC0201, 6 octets",
        "          element 0x00: part 1 of 2, reference 204",
        "rule      none: the scenario's default decides",
        "answer    OK_1000001",
        "          HTTP 200, text/plain; charset=utf-8",
        "timeline  delivered after 1s",
        "reports   none: confirmation is not true",
    ]


def test_explain_shows_where_a_message_fails_and_still_ends_well() -> None:
    result = run(
        "explain", "--to", "+1222333444", "--message", "a" * 159 + "€", "--dcs", "1", "--senderId", ""
    )
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    reason = "message has 161 septets, room for 160: U+20AC at position 160 costs 2"
    assert shown[9:12] == ["✓ message", f"✗ length      {reason}", "· times"]
    assert shown[18] == "encoding  GSM7, 161 of 160 septets; U+20AC at position 160 costs 2"
    assert shown[20:] == [
        "error     13: Message too long",
        "answer    ERROR_13",
        "          HTTP 200, text/plain; charset=utf-8",
        "hint      senderId is empty and counts as absent",
    ]


def test_explain_shows_a_binary_message_and_a_flash_header() -> None:
    shown = run("explain", "--to", "+1222333444", "--message", "C3A9", "--dcs", "4", "--udh", "0100").stdout
    assert "encoding  OCTETS, 2 of 138 octets\nudh       0100, 2 octets, flash\nrule" in shown


def test_explain_says_that_nothing_can_be_encoded() -> None:
    shown = run("explain", "--to", "+1222333444", "--message", "€").stdout
    assert "encoding  none: the message, its dcs or its header cannot be read\nerror     8:" in shown


def test_explain_takes_readings() -> None:
    arguments = ("--message", "€", "--reading", "latin1_overflow=ucs2")
    given = run("explain", "--to", "+1222333444", *arguments)
    assert "encoding  UCS2, 1 of 70 code units" in given.stdout
    by_environment = run("explain", *MESSAGE, "--dcs", "7", PANELSMS_SANDBOX_READING="error_code=padded")
    assert "answer    ERROR_014" in by_environment.stdout


def test_explain_as_json_is_answered_as_json() -> None:
    assert 'answer    {"response":{"status":"OK"' in run("explain", *MESSAGE, "--json").stdout


# -- rules and what follows ----------------------------------------------------------------------

SCENARIO = """
name: mine
rules:
  - {name: early, before_checks: true, when: {method: GET}, respond: {error: 1}}
  - {name: chancy, when: {to: {prefix: +34}, probability: 0.0001}, respond: {error: 6}}
  - {name: second, when: {to: {prefix: +34}, nth: 2}, respond: {error: 6}}
  - name: slow-spain
    when: {to: {prefix: +34}}
    respond: {delay: {uniform: [1s, 3s]}}
    dlr:
      - {after: 1s, status: enroute, before_answer: true}
      - {after: 2m, status: accepted, send_after: 1d, repeat: 2}
      - {after: 1h, status: undeliverable, errorCode: 11, jitter: 1h}
  - {name: busy, when: {to: "{{ magic }}0001"}, respond: {status: 503, headers: {Retry-After: 2}, delay: 250ms}}
  - {name: lost, when: {to: "{{ magic }}0002"}, respond: {fault: empty}, submit: true, dlr: []}
"""
REPORTED = ("--confirmation", "true", "--callbackUrl", "http://127.0.0.1:9000/dlr")


@pytest.fixture
def mine(tmp_path: Path) -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO)
    return str(file)


def explained(*arguments: str, to: str = "+34600000001", **environment: str) -> list[str]:
    """Return what is shown after the checks."""
    result = run("explain", "--to", to, "--message", "Hi", *arguments, **environment)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[15:]


def test_explain_shows_each_rule_what_was_drawn_and_what_becomes_of_the_message(mine: str) -> None:
    shown = explained("--scenario", mine, "--seed", "1", *REPORTED)
    patterns = [
        r"· early       method is POST, wanted: GET",
        r"· chancy      drew 0\.[0-9]{4}, wanted: below the probability 0\.0001",
        r"· second      is request 1 of those that meet the rest, wanted: nth 2",
        r"✓ slow-spain  decides",
        r"· busy        not tried: slow-spain decided",
        r"· lost        not tried: slow-spain decided",
        r"",
        r"encoding  GSM7, 2 of 160 septets",
        r'text      "Hi"',
        r"rule      slow-spain",
        r"drawn     delay: [12]\.[0-9]{3} s",
        r"drawn     enroute after 1 s",
        r"drawn     accepted after 120 s",
        r"drawn     undeliverable after [3-7][0-9.]+ s",
        r"answer    OK_1000001",
        r"          HTTP 200, text/plain; charset=utf-8",
        r"delay     [12]\.[0-9]{3}s",
        r"timeline  enroute after 0s, reported before the answer",
        r"          accepted after 2m, reported after 1d, 2 times",
        r"          undeliverable after 1h [0-9m.s ]+, error 11: Destination barred",
        r"reports   http://127\.0\.0\.1:9000/dlr",
    ]
    assert len(shown) == len(patterns)
    assert [
        line for line, pattern in zip(shown, patterns, strict=True) if not re.fullmatch(pattern, line)
    ] == []


def test_what_chance_decides_hangs_on_the_seed(mine: str) -> None:
    first, again, other = (explained("--scenario", mine, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again != other
    assert explained("--scenario", mine, PANELSMS_SANDBOX_SEED="2") == other


def test_what_a_rule_does_to_the_answer_is_shown(mine: str) -> None:
    busy = explained("--scenario", mine, to="+15005550001")
    assert busy[busy.index("rule      busy") + 1 :] == [
        "answer    (an empty answer)",
        "          HTTP 503, text/plain; charset=utf-8",
        "          Retry-After: 2",
        "delay     0.25s",
    ]
    lost = explained("--scenario", mine, to="+15005550002")
    assert lost[lost.index("rule      lost") + 1 :] == [
        "answer    (an empty answer)",
        "          HTTP 200, text/plain; charset=utf-8",
        "fault     empty",
        "timeline  none: the message stays pending",
        "reports   none: confirmation is not true",
    ]


def test_rules_that_miss_alike_are_counted_unless_all_are_asked_for(mine: str) -> None:
    alike = explained("--scenario", mine, to="+15005550009")
    assert alike[:2] == [
        "· early    method is POST, wanted: GET",
        "· 5 rules  to is +15005550009; --rules shows each",
    ]
    every = explained("--scenario", mine, "--rules", to="+15005550009")
    assert every[1] == "· chancy      to is +15005550009, wanted: begins with +34"
    assert [line.split()[1] for line in every[:6]] == [
        "early",
        "chancy",
        "second",
        "slow-spain",
        "busy",
        "lost",
    ]
    assert every[6:] == alike[2:]


def test_magic_destinations_begin_with_the_prefix_that_is_chosen() -> None:
    for prefix in (("--magic-prefix", "+3460000"), ()):
        environment = {} if prefix else {"PANELSMS_SANDBOX_MAGIC_PREFIX": "+3460000"}
        assert "rule      error-6" in explained(*prefix, to="+34600000006", **environment)
    assert "rule      none: the scenario's default decides" in explained(to="+34600000006")


@pytest.mark.parametrize("refused", ["--scheduledDeliveryTime", "--senderId"])
def test_what_is_refused_has_no_timeline(mine: str, refused: str) -> None:
    shown = explained("--scenario", mine, refused, "no such thing")
    assert "· 5 rules  not tried: the request was refused before; --rules shows each" in shown
    assert not [line for line in shown if line.startswith(("timeline", "reports", "rule "))]


def test_what_is_not_reported_is_shown(mine: str) -> None:
    shown = explained("--scenario", mine, *REPORTED, "--reading", "dlr_statuses=final_only")
    assert "timeline  enroute after 0s, not reported" in shown
    assert "reports   none: confirmation is not true" in explained("--scenario", mine)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "nam: x\nrules: [{when: {too: x}}]",
            ["{}:1:1: name is missing", "{}:1:1: there is no key", "{}:2:17:"],
        ),
        ("[", ["{}:1:2: the file ends where a value is wanted"]),
    ],
)
def test_the_mistakes_of_a_scenario_are_told(tmp_path: Path, content: str, told: list[str]) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(content)
    result = run("explain", *MESSAGE, "--scenario", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert [line[: len(begin.format(file))] for line, begin in zip(lines, told, strict=True)] == [
        begin.format(file) for begin in told
    ]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--scenario", "defalt", "there is no built-in scenario defalt: did you mean default?"),
        ("--magic-prefix", "5", "the magic prefix 5 begins no number"),
        ("--seed", "x", "'x' is not a valid integer"),
        ("--seed", str(2**63), "is not in the range"),
    ],
)
def test_an_option_that_cannot_work_is_a_clear_line(option: str, value: str, told: str) -> None:
    result = run("explain", *MESSAGE, option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
