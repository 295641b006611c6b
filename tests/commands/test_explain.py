"""The command ``explain``: how an explanation is shown."""

from sandbox.core import checks
from tests.command_line import MESSAGE, run


def test_explain_shows_each_check_the_encoding_and_the_answer() -> None:
    result = run("explain", *MESSAGE, "--udh", "050003CC0201")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        *(f"✓ {check.about}" for check in checks.CHECKS),
        "",
        "encoding  GSM7, 5 of 153 septets",
        'text      "Hello"',
        "udh       050003CC0201, 6 octets",
        "          element 0x00: part 1 of 2, reference 204",
        "rule      none: the scenario's default decides",
        "answer    OK_1000001",
        "          HTTP 200, text/plain; charset=utf-8",
    ]


def test_explain_shows_where_a_message_fails_and_still_ends_well() -> None:
    result = run(
        "explain", "--to", "+1222333444", "--message", "a" * 159 + "€", "--dcs", "1", "--senderId", ""
    )
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    reason = "message has 161 septets, room for 160: U+20AC at position 160 costs 2"
    assert shown[9:12] == ["✓ message", f"✗ length      {reason}", "· times"]
    assert shown[15] == "encoding  GSM7, 161 of 160 septets; U+20AC at position 160 costs 2"
    assert shown[17:] == [
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
