from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import contract
from sandbox.core import checks
from sandbox.core.checks import (
    CHECKS,
    RATE_CHECK,
    judge,
    room_beside,
)
from sandbox.core.coding import BINARY, Coding
from sandbox.core.model import Account, Barred, RateLimit, Refusal, Standing, Submission, Unreadable, Value
from sandbox.core.parameters import OPTIONAL, PARAMETERS, REQUIRED, name_hints
from tests import strategies
from tests.worlds import DESTINATION, NOON, RECEIVER, USER, VALID


def holder(**terms: Any) -> Account:
    """Return the account that VALID requests are of, on such terms."""
    return Account(user=USER, api_key="key", **terms)


ACCOUNT = holder()

NOT_UTF8 = Unreadable("is not UTF-8: octet FF at position 1", b"\xff")
AN_ARRAY = Unreadable("is a JSON array: send a string")


def verdict(
    parameters: Mapping[str, Value] = VALID,
    *,
    account: Account | None = ACCOUNT,
    standing: Standing = checks.NO_STANDING,
    is_json: bool = False,
    now: datetime = NOON,
    callback_url: str | None = None,
    hints: tuple[str, ...] = (),
    **readings: str,
) -> Submission | Refusal:
    return judge(
        parameters,
        json_names=parameters if is_json else (),
        account=account,
        standing=standing,
        now=now,
        readings=contract.readings(readings),
        callback_url=callback_url,
        hints=hints,
    )


def refused(parameters: Mapping[str, Value] = VALID, **circumstances: Any) -> Refusal:
    refusal = verdict(parameters, **circumstances)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def accepted(parameters: Mapping[str, Value] = VALID, **circumstances: Any) -> Submission:
    submission = verdict(parameters, **circumstances)
    assert isinstance(submission, Submission), submission
    return submission


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in VALID.items() if key != name}


# -- the order ------------------------------------------------------------------------------------------

# For each check in the contract's order: its code, and what makes it fail without touching another.
FAILURES: list[tuple[int, dict[str, Value], dict[str, Any], Standing]] = [
    (1, {}, {"disabled": True}, Standing()),
    (2, {"apiKey": "wrong"}, {}, Standing()),
    (7, {}, {"rate_limit": RateLimit(1, 1.0)}, Standing(rate_exceeded=True)),
    (6, {}, {"queue_limit": 5}, Standing(queued=5)),
    (15, {"validityPeriod": "60"}, {"unsupported": frozenset({"validity"})}, Standing()),
    (4, {"senderId": "##"}, {}, Standing()),
    (5, {"to": "recipient"}, {}, Standing()),
    (14, {"dcs": "5"}, {}, Standing()),
    (10, {"udh": "zz"}, {}, Standing()),
    (8, {"transactionId": "\x07"}, {}, Standing()),
    (13, {"message": "a" * 161}, {}, Standing()),
    (12, {"scheduledDeliveryTime": "soon"}, {}, Standing()),
    (11, {}, {"barred": (Barred(DESTINATION),)}, Standing()),
    (9, {}, {"balance": 0}, Standing(balance=0)),
]


def merged(*standings: Standing) -> Standing:
    """Return a standing that is as bad as all of these."""
    return Standing(
        rate_exceeded=any(standing.rate_exceeded for standing in standings),
        queued=max(standing.queued for standing in standings),
        balance=next((standing.balance for standing in standings if standing.balance is not None), None),
    )


def test_codes_stand_in_the_order_of_the_contract() -> None:
    assert [check.code for check in CHECKS] == [code for code, *_ in FAILURES]


@pytest.mark.parametrize("position", range(1, len(FAILURES) + 1))
def test_each_check_refuses_with_its_code_and_position(position: int) -> None:
    code, parameters, account, standing = FAILURES[position - 1]
    refusal = refused({**VALID, **parameters}, account=holder(**account), standing=standing)
    assert (refusal.code, refusal.position) == (code, position)


@pytest.mark.parametrize(("first", "second"), list(combinations(range(1, len(FAILURES) + 1), 2)))
def test_of_two_failing_checks_the_first_answers(first: int, second: int) -> None:
    code, parameters, account, standing = FAILURES[first - 1]
    _, other_parameters, other_account, other_standing = FAILURES[second - 1]
    refusal = refused(
        {**VALID, **parameters, **other_parameters},
        account=holder(**{**other_account, **account}),
        standing=merged(standing, other_standing),
    )
    assert (refusal.code, refusal.position) == (code, first)


def test_a_request_that_fails_everything_is_told_of_its_user_first() -> None:
    assert refused({}, account=None).code == 1


def test_rate_check_is_the_third() -> None:
    assert RATE_CHECK == 3


def test_names_are_those_of_the_reference() -> None:
    assert len(PARAMETERS) == len(REQUIRED) + len(OPTIONAL) == 13


# -- who sends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "account", "code", "reason"),
    [
        (without("user"), None, 1, "user is missing"),
        ({**VALID, "user": ""}, None, 1, "user is empty"),
        (
            {**without("user"), "User": "x"},
            None,
            1,
            "user is missing; User was sent, names are case-sensitive",
        ),
        (VALID, None, 1, "user you@example.com is not an account of this scenario"),
        ({**VALID, "user": NOT_UTF8}, None, 1, "user is not UTF-8: octet FF at position 1"),
        ({**VALID, "user": AN_ARRAY}, None, 1, "user is a JSON array: send a string"),
        (VALID, holder(disabled=True), 1, "the account of user you@example.com is disabled"),
        (without("apiKey"), ACCOUNT, 2, "apiKey is missing"),
        ({**VALID, "apiKey": ""}, ACCOUNT, 2, "apiKey is empty"),
        (
            {**without("apiKey"), "apikey": "key"},
            ACCOUNT,
            2,
            "apiKey is missing; apikey was sent, names are case-sensitive",
        ),
        ({**VALID, "apiKey": "KEY"}, ACCOUNT, 2, "apiKey is not the key of user you@example.com"),
        ({**VALID, "apiKey": " key"}, ACCOUNT, 2, "apiKey is not the key of user you@example.com"),
        ({**VALID, "apiKey": AN_ARRAY}, ACCOUNT, 2, "apiKey is a JSON array: send a string"),
    ],
)
def test_credentials(parameters: dict[str, Value], account: Account | None, code: int, reason: str) -> None:
    refusal = refused(parameters, account=account)
    assert (refusal.code, refusal.reason) == (code, reason)


def test_an_open_account_takes_any_key_but_an_empty_one() -> None:
    anyone = Account(user=USER, api_key=None)
    assert accepted({**VALID, "apiKey": "whatever"}, account=anyone).user == USER
    assert refused({**VALID, "apiKey": ""}, account=anyone).code == 2


def test_the_key_is_never_shown() -> None:
    assert "s3cret" not in refused({**VALID, "apiKey": "s3cret"}).reason


# -- what the account may do ----------------------------------------------------------------------------


def test_rate_limit_sentence() -> None:
    limited = holder(rate_limit=RateLimit(10, 1.0))
    assert refused(account=limited, standing=Standing(rate_exceeded=True)).reason == (
        "the account may make 10 requests in 1 s: wait, then send again"
    )
    assert accepted(account=limited)


def test_a_queue_is_full_at_its_limit_and_not_before() -> None:
    limited = holder(queue_limit=3)
    assert accepted(account=limited, standing=Standing(queued=2))
    assert refused(account=limited, standing=Standing(queued=3)).reason == (
        "3 messages are without a final status, the account's queue holds 3: "
        "wait for reports, then send again"
    )


@pytest.mark.parametrize(("balance", "is_enough"), [(None, True), (1, True), (0, False), (-1, False)])
def test_a_message_costs_one_credit(balance: int | None, *, is_enough: bool) -> None:
    answer = verdict(standing=Standing(balance=balance))
    assert isinstance(answer, Submission) == is_enough


@pytest.mark.parametrize(
    ("unsupported", "parameters", "is_refused"),
    [
        ("binary", {"dcs": "2", "message": "00"}, True),
        ("binary", {"dcs": "4", "message": "00"}, True),
        ("binary", {"dcs": "8"}, False),
        ("flash", {"udh": "0100"}, True),
        ("flash", {"udh": "00"}, False),
        ("udh", {"udh": "00"}, True),
        ("udh", {"udh": "0100"}, True),
        ("udh", {"udh": "not even hex"}, True),
        ("udh", {}, False),
        ("scheduling", {"scheduledDeliveryTime": "60"}, True),
        ("scheduling", {"validityPeriod": "60"}, False),
        ("validity", {"validityPeriod": "60"}, True),
        ("validity", {"scheduledDeliveryTime": "60"}, False),
        ("dcs:0", {}, True),
        ("dcs:0", {"dcs": "0"}, True),
        ("dcs:0", {"dcs": ""}, True),
        ("dcs:0", {"dcs": "1"}, False),
        *((f"dcs:{dcs}", {"dcs": str(dcs), "message": "00"}, True) for dcs in (1, 2, 3, 4, 8)),
    ],
)
def test_what_an_account_is_without(
    unsupported: str, parameters: dict[str, str], *, is_refused: bool
) -> None:
    answer = verdict({**VALID, **parameters}, account=holder(unsupported=frozenset({unsupported})))
    assert (isinstance(answer, Refusal) and answer.code == 15) == is_refused


def test_unsupported_sentence_names_the_feature() -> None:
    account = holder(unsupported=frozenset({"flash"}))
    assert refused({**VALID, "udh": "0100"}, account=account).reason == (
        "the account may not use flash (its unsupported list)"
    )


def test_raw_flash_header_is_flash_too() -> None:
    account = holder(unsupported=frozenset({"flash"}))
    assert refused({**VALID, "udh": "\x01\x00"}, account=account, udh_form="hex_or_raw").code == 15
    assert refused({**VALID, "udh": "\x01\x00"}, account=account).code == 10


@pytest.mark.parametrize(
    "entry", [Barred("+1222333444"), Barred("+1222", is_prefix=True), Barred("+1222333444", is_prefix=True)]
)
def test_barred_destinations(entry: Barred) -> None:
    assert refused(account=holder(barred=(Barred("+7", is_prefix=True), entry))).code == 11


@pytest.mark.parametrize(
    "entry", [Barred("+1222"), Barred("+12223334445", is_prefix=True), Barred("1222", is_prefix=True)]
)
def test_destinations_that_are_not_barred(entry: Barred) -> None:
    assert accepted(account=holder(barred=(entry,)))


def test_barred_sentences() -> None:
    assert refused(account=holder(barred=(Barred("+1", is_prefix=True),))).reason == (
        "to +1222333444 is barred for the account (all that begins with +1)"
    )
    assert refused(account=holder(barred=(Barred(DESTINATION),))).reason == (
        "to +1222333444 is barred for the account"
    )


# -- sender and destination -----------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["ORDER", "123", "+491234567", "Café", "[]{}a", "Ab 1", "VERIFY"])
def test_well_formed_senders(sender: str) -> None:
    assert accepted({**VALID, "senderId": sender}).sender_id == sender


@pytest.mark.parametrize(
    "sender", ["12", "1" * 16, "TWELVELETTER", "#!", "ë", "[[[[[[a", NOT_UTF8, AN_ARRAY, " ", "+"]
)
def test_malformed_senders(sender: Value) -> None:
    assert refused({**VALID, "senderId": sender}).code == 4


def test_absent_sender_passes_any_list() -> None:
    listed = holder(sender_ids=frozenset({"ORDER"}))
    assert accepted(account=listed).sender_id is None
    assert accepted({**VALID, "senderId": "ORDER"}, account=listed).sender_id == "ORDER"


def test_sender_that_is_not_on_the_list() -> None:
    listed = holder(sender_ids=frozenset({"VERIFY", "ORDER"}))
    assert refused({**VALID, "senderId": "Order"}, account=listed).reason == (
        "senderId Order is not on the account's list: ORDER, VERIFY"
    )


@pytest.mark.parametrize("to", ["+1222333444", "+1234567", "+123456789012345"])
def test_well_formed_destinations(to: str) -> None:
    assert accepted({**VALID, "to": to}).destination == to


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("recipient", "to has letter 'r' at position 1: digits only after the +"),
        ("", "to is empty"),
        (" 1222333444", "to begins with a blank: an unencoded + becomes a blank, send %2B"),
        ("1222333444", "to has no +: the international format is +<country><number>"),
        ("+0222333444", "to has a 0 after the +: no country code begins with 0"),
        ("+123456", "to is too short: 6 digits after the +, at least 7"),
        ("+1234567890123456", "to is too long: 16 digits after the +, at most 15"),
        ("+122233344٤", "to has U+0664 (a digit of another script) at position 11: digits only after the +"),
        ("+1222333444\n", "to has U+000A at position 12: digits only after the +"),
        (NOT_UTF8, "to is not UTF-8: octet FF at position 1"),
        (AN_ARRAY, "to is a JSON array: send a string"),
    ],
)
def test_malformed_destinations(to: Value, reason: str) -> None:
    refusal = refused({**VALID, "to": to})
    assert (refusal.code, refusal.reason) == (5, reason)


def test_missing_destination_is_looked_for_under_another_case() -> None:
    assert refused({**without("to"), "TO": DESTINATION}).reason == (
        "to is missing; TO was sent, names are case-sensitive"
    )


def test_destination_readings() -> None:
    assert accepted({**VALID, "to": "1222333444"}, destination_plus="optional").destination == DESTINATION
    assert accepted({**VALID, "to": "+1 222 333 444"}, destination_spaces="strip").destination == DESTINATION
    assert refused({**VALID, "to": "1 222 333 444"}, destination_spaces="strip").code == 5
    assert refused({**VALID, "to": "+1 222 333 444"}, destination_plus="optional").code == 5
    both = {"destination_plus": "optional", "destination_spaces": "strip"}
    assert accepted({**VALID, "to": "1 222 333 444"}, **both).destination == DESTINATION


# -- content --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dcs", ["5", "00", "08", "+1", " 0", "0 ", "1.0", "true", "-0", "٣", "256", NOT_UTF8, AN_ARRAY]
)
def test_dcs_is_matched_exactly(dcs: Value) -> None:
    assert refused({**VALID, "dcs": dcs}).code == 14


def test_dcs_sentence() -> None:
    assert refused({**VALID, "dcs": "16"}).reason == "dcs 16 is not exactly one of 0, 1, 2, 3, 4, 8"


def test_absent_dcs_is_0() -> None:
    assert accepted().dcs == 0


@pytest.mark.parametrize(
    "udh", ["0100", "00", "050003CC0201", "050003cc0201", "0608041234020206050415811581"[:14]]
)
def test_well_formed_headers(udh: str) -> None:
    header = accepted({**VALID, "udh": udh}).udh
    assert header is not None
    assert header.octets == bytes.fromhex(udh)


@pytest.mark.parametrize(
    "udh", ["01", "zz", "0", "05 00 03 CC 02 01", "050003CC0203", "0x0100", "\x01\x00", NOT_UTF8, AN_ARRAY]
)
def test_malformed_headers(udh: Value) -> None:
    assert refused({**VALID, "udh": udh}).code == 10


@pytest.mark.parametrize(
    ("udh", "is_json"),
    [
        ("\x01\x00", False),
        ("\x01\x00", True),
        ("\x05\x00\x03\xcc\x02\x01", True),
        (Unreadable("is not UTF-8", b"\x05\x00\x03\xcc\x02\x01"), False),
        ("050003CC0201", False),
    ],
)
def test_raw_headers_by_reading(udh: Value, *, is_json: bool) -> None:
    assert accepted({**VALID, "udh": udh}, is_json=is_json, udh_form="hex_or_raw").udh is not None


@pytest.mark.parametrize("udh", ["\u0101\x00", "\x02\x00", AN_ARRAY, Unreadable("is not UTF-8", b"\xff")])
def test_raw_headers_must_be_headers(udh: Value) -> None:
    assert refused({**VALID, "udh": udh}, is_json=True, udh_form="hex_or_raw").code == 10


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (without("message"), "message is missing"),
        ({**VALID, "message": ""}, "message is empty"),
        ({**VALID, "message": "", "dcs": "4"}, "message is empty"),
        (
            {**without("message"), "Message": "x"},
            "message is missing; Message was sent, names are case-sensitive",
        ),
        ({**VALID, "message": NOT_UTF8}, "message is not UTF-8: octet FF at position 1"),
        ({**VALID, "message": AN_ARRAY, "dcs": "2"}, "message is a JSON array: send a string"),
        (
            {**VALID, "message": "5 €"},
            "message does not fit dcs=0: U+20AC at position 3 is not in ISO-8859-1: send it with dcs=8",
        ),
        (
            {**VALID, "message": "`", "dcs": "1"},
            (
                "message does not fit dcs=1: '`' at position 1 is not in the GSM 7-bit alphabet: "
                "send it with dcs=8, or replace it"
            ),
        ),
        ({**VALID, "transactionId": "a" * 256}, "transactionId has 256 characters, at most 255 are allowed"),
        ({**VALID, "transactionId": "a\nb"}, "transactionId has the control character U+000A at position 2"),
        ({**VALID, "transactionId": "\x85"}, "transactionId has the control character U+0085 at position 1"),
        ({**VALID, "transactionId": AN_ARRAY}, "transactionId is a JSON array: send a string"),
    ],
)
def test_invalid_message_data(parameters: dict[str, Value], reason: str) -> None:
    refusal = refused(parameters)
    assert (refusal.code, refusal.reason) == (8, reason)


def test_binary_messages_may_hold_any_octets() -> None:
    assert accepted({**VALID, "message": NOT_UTF8, "dcs": "4"}).encoded.octets == b"\xff"
    assert accepted({**VALID, "message": "é", "dcs": "4"}).encoded.octets == b"\xc3\xa9"
    assert accepted({**VALID, "message": "é", "dcs": "4"}, is_json=True).encoded.octets == b"\xe9"
    assert accepted({**VALID, "message": "c3A9", "dcs": "4"}).encoded.octets == b"\xc3\xa9"
    assert refused({**VALID, "message": "€", "dcs": "4"}, is_json=True).code == 8


@pytest.mark.parametrize("transaction_id", ["a", "é" * 255, "order 1", "<&>", "0"])
def test_transaction_ids_are_kept_exactly(transaction_id: str) -> None:
    assert accepted({**VALID, "transactionId": transaction_id}).transaction_id == transaction_id


@pytest.mark.parametrize(
    ("message", "parameters", "reason"),
    [
        ("a" * 161, {}, "message has 161 septets, room for 160"),
        (
            "a" * 11 + "€" + "a" * 148,
            {"dcs": "1"},
            "message has 161 septets, room for 160: U+20AC at position 12 costs 2",
        ),
        (
            "ó" * 71,
            {},
            (
                "message has 71 code units, room for 70: it travels as UCS-2, "
                "since not every character is in the GSM alphabet"
            ),
        ),
        ("a" * 71, {"dcs": "8"}, "message has 71 code units, room for 70"),
        (
            "a" * 69 + "\U0001f600",
            {"dcs": "8"},
            "message has 71 code units, room for 70: U+1F600 at position 70 costs 2",
        ),
        ("00" * 141, {"dcs": "4"}, "message has 141 octets, room for 140"),
        (
            "a" * 154,
            {"udh": "050003CC0201"},
            "message has 154 septets, room for 153 beside a header of 6 octets",
        ),
        ("a" * 158, {"udh": "0100"}, "message has 158 septets, room for 157 beside a header of 2 octets"),
    ],
)
def test_too_long(message: str, parameters: dict[str, str], reason: str) -> None:
    refusal = refused({**VALID, "message": message, **parameters})
    assert (refusal.code, refusal.reason) == (13, reason)


@pytest.mark.parametrize(
    ("character", "parameters", "room"),
    [
        ("a", {}, 160),
        ("a", {"dcs": "1"}, 160),
        ("a", {"dcs": "3"}, 160),
        ("a", {"dcs": "8"}, 70),
        ("ç", {"dcs": "0"}, 70),
        ("00", {"dcs": "2"}, 140),
        ("00", {"dcs": "4"}, 140),
        ("a", {"udh": "050003CC0201"}, 153),
        ("a", {"udh": "06080412340201"}, 152),
        ("00", {"udh": "050003CC0201", "dcs": "4"}, 134),
        ("a", {"udh": "050003CC0201", "dcs": "8"}, 67),
        ("a", {"udh": "06080412340201", "dcs": "8"}, 66),
        ("a", {"udh": "0100"}, 157),
    ],
)
def test_the_border_of_each_room(character: str, parameters: dict[str, str], room: int) -> None:
    assert accepted({**VALID, "message": character * room, **parameters}).encoded.used == room
    assert refused({**VALID, "message": character * (room + 1), **parameters}).code == 13


def test_a_header_may_leave_no_room() -> None:
    header = "8B700089"[:4] + "89" + "00" * 137
    assert refused({**VALID, "udh": header, "message": "a"}).code == 13


def test_flash_room_by_reading() -> None:
    flash = {**VALID, "udh": "0100", "message": "a" * 160}
    assert accepted(flash, flash_room="160").encoded.used == 160
    assert refused(flash).code == 13
    assert refused({**VALID, "udh": "00", "message": "a" * 160}, flash_room="160").code == 13


def test_room_beside_no_header_is_all_of_it() -> None:
    assert room_beside(Coding.GSM7, None, contract.readings()) == 160


# -- times ----------------------------------------------------------------------------------------------


def test_times_are_read_from_the_sandbox_clock() -> None:
    timed = accepted({**VALID, "scheduledDeliveryTime": "2024-01-15T12:00:01Z", "validityPeriod": "60"})
    assert timed.scheduled_at == NOON + timedelta(seconds=1)
    assert timed.expires_at == NOON + timedelta(seconds=61)
    assert accepted({**VALID, "validityPeriod": "60"}).expires_at == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("name", ["scheduledDeliveryTime", "validityPeriod"])
@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2024-01-15T12:00:00Z",
        "2023-01-01T00:00",
        "0",
        "2024-13-01T00:00",
        "9" * 30,
        NOT_UTF8,
        AN_ARRAY,
    ],
)
def test_times_that_are_none_or_not_in_the_future(name: str, value: Value) -> None:
    refusal = refused({**VALID, name: value})
    assert refusal.code == 12
    assert refusal.reason.startswith(f"{name} ")


def test_validity_must_end_after_the_scheduled_time() -> None:
    times = {"scheduledDeliveryTime": "2024-01-15T13:00", "validityPeriod": "2024-01-15T12:30"}
    assert refused({**VALID, **times}).code == 12


@pytest.mark.parametrize("validity", ["soon", "0", NOT_UTF8])
def test_readings_of_a_bad_validity_period(validity: Value) -> None:
    wrong = {**VALID, "validityPeriod": validity}
    assert refused(wrong, validity_error="12").code == 12
    by_8 = refused(wrong, validity_error="8")
    assert (by_8.code, by_8.position) == (8, 12)
    ignored = accepted(wrong, validity_error="ignore")
    assert ignored.expires_at is None
    assert ignored.hints[0].startswith("validityPeriod is ignored: it ")


def test_a_bad_scheduled_time_is_12_whatever_the_reading_of_validity() -> None:
    assert refused({**VALID, "scheduledDeliveryTime": "soon"}, validity_error="8").code == 12


def test_a_time_without_a_zone_is_in_the_zone_of_the_reading() -> None:
    timed = {**VALID, "scheduledDeliveryTime": "2024-01-15T15:30"}
    assert accepted(timed).scheduled_at == datetime(2024, 1, 15, 15, 30, tzinfo=UTC)
    assert accepted(timed, timezone="Europe/Madrid").scheduled_at == datetime(2024, 1, 15, 14, 30, tzinfo=UTC)


# -- what never refuses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "is_confirmed", "hint"),
    [
        ("true", True, None),
        ("TRUE", True, None),
        ("1", True, None),
        ("false", False, None),
        ("False", False, None),
        ("0", False, None),
        ("yes", False, "confirmation yes counts as false: send true or false"),
        ("", False, "confirmation is empty and counts as absent"),
        (AN_ARRAY, False, "confirmation counts as absent: it is a JSON array: send a string"),
    ],
)
def test_confirmation(value: Value, hint: str | None, *, is_confirmed: bool) -> None:
    submission = accepted({**VALID, "confirmation": value, "callbackUrl": RECEIVER})
    assert submission.confirmation == is_confirmed
    assert submission.hints == (() if hint is None else (hint,))


def test_absent_confirmation_is_false() -> None:
    assert not accepted().confirmation


def test_the_url_of_the_request_goes_before_the_account_s() -> None:
    asked = {**VALID, "confirmation": "true"}
    other = "http://localhost/other"
    assert accepted(asked, callback_url=other).callback_url == other
    assert accepted({**asked, "callbackUrl": RECEIVER}, callback_url=other).callback_url == RECEIVER
    assert accepted({**asked, "callbackUrl": ""}, callback_url=other).callback_url == other
    assert accepted({**asked, "callbackUrl": AN_ARRAY}, callback_url=other).callback_url == other


def test_no_url_anywhere_is_no_reason_to_refuse() -> None:
    submission = accepted({**VALID, "confirmation": "true"})
    why = "confirmation is true, but neither the request, the account nor the server names a callback URL"
    assert submission.unreported == why
    assert submission.hints == (f"no report will be sent: {why}",)


def test_an_unusable_url_is_no_reason_to_refuse_and_none_takes_its_place() -> None:
    submission = accepted({**VALID, "confirmation": "true", "callbackUrl": "ftp://x"}, callback_url=RECEIVER)
    assert submission.callback_url is None
    assert submission.unreported == "callbackUrl ftp://x does not begin with http:// or https://"
    assert submission.hints == (f"no report will be sent: {submission.unreported}",)


def test_an_unusable_url_goes_unnoticed_where_no_report_was_asked_for() -> None:
    submission = accepted({**VALID, "callbackUrl": "ftp://x"})
    assert (submission.callback_url, submission.unreported, submission.hints) == (None, None, ())


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_empty_optional_parameter_is_absent_with_a_hint(name: str) -> None:
    submission = accepted({**VALID, name: ""})
    assert submission.hints == (f"{name} is empty and counts as absent",)
    assert submission._replace(hints=()) == accepted()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("senderId", 4),
        ("dcs", 14),
        ("udh", 10),
        ("transactionId", 8),
        ("scheduledDeliveryTime", 12),
        ("validityPeriod", 12),
    ],
)
def test_an_empty_optional_parameter_may_be_refused_by_reading(name: str, code: int) -> None:
    refusal = refused({**VALID, name: ""}, empty_optional="reject")
    assert (refusal.code, refusal.reason) == (code, f"{name} is empty: leave it out, or give it a value")


@pytest.mark.parametrize("name", ["confirmation", "callbackUrl"])
def test_an_empty_parameter_that_never_refuses_counts_as_absent_by_either_reading(name: str) -> None:
    submission = accepted({**VALID, name: ""}, empty_optional="reject")
    assert submission.hints == (f"{name} counts as absent: it is empty: leave it out, or give it a value",)


def test_hints_so_far_are_carried_on() -> None:
    assert accepted(hints=("odd",)).hints == ("odd",)


def test_a_refusal_keeps_its_hints() -> None:
    refusal = refused({**VALID, "senderId": "", "to": "x"}, hints=("odd",))
    assert refusal.hints == ("odd", "senderId is empty and counts as absent")


@pytest.mark.parametrize(
    ("parameters", "hints"),
    [
        ({"apikey": "k"}, ["apikey is ignored: apiKey is meant, names are case-sensitive"]),
        ({"SENDERID": "k"}, ["SENDERID is ignored: senderId is meant, names are case-sensitive"]),
        ({"apikey": "k", "apiKey": "k"}, []),
        ({"page": "1", "": "", "toto": "x"}, []),
        ({"İd": "x"}, []),
    ],
)
def test_names_in_the_wrong_case(parameters: dict[str, Value], hints: list[str]) -> None:
    assert name_hints(parameters) == hints


# -- any request ----------------------------------------------------------------------------------------

DOCUMENTED = {row.code for row in contract.error_codes()}

accounts = st.sampled_from(
    [
        None,
        ACCOUNT,
        Account(user=USER, api_key=None),
        holder(unsupported=frozenset(checks.UNSUPPORTED)),
        holder(sender_ids=frozenset({"ORDER"}), barred=(Barred("+1", is_prefix=True),)),
        holder(balance=0, queue_limit=1, rate_limit=RateLimit(1, 1.0)),
    ]
)
standings = st.builds(Standing, st.booleans(), st.integers(0, 2), st.none() | st.integers(-1, 2))
chosen_readings = st.fixed_dictionaries(
    {}, optional={row.id: st.sampled_from(row.values) for row in contract.reading_rows()}
)


@given(
    strategies.parameters | strategies.likely_parameters, accounts, standings, st.booleans(), chosen_readings
)
def test_any_request_is_accepted_or_refused_with_a_documented_code(
    parameters: dict[str, Value],
    account: Account | None,
    standing: Standing,
    is_json: bool,  # noqa: FBT001 - hypothesis hands it over
    readings: dict[str, Any],
) -> None:
    answer = verdict(parameters, account=account, standing=standing, is_json=is_json, **readings)
    if isinstance(answer, Refusal):
        assert answer.code in DOCUMENTED - {3}
        assert 1 <= answer.position <= len(CHECKS)
        assert answer.reason.isascii()
        assert answer.reason.isprintable()
        return
    room = room_beside(answer.encoded.coding, answer.udh, contract.readings(readings))
    assert 0 < answer.encoded.used <= room
    assert (answer.encoded.octets is not None) == (answer.dcs in BINARY)
    assert all(hint.isascii() and hint.isprintable() for hint in answer.hints)
