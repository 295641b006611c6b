"""Every form in which a moment may be written, every border of each, and what a malformed one is told."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.core.times import (
    MalformedTime,
    expires_at,
    parse_time,
    rfc3339,
    rfc3339_exact,
    rfc3339_millis,
    scheduled_at,
)

BASE = datetime(2024, 1, 15, 10, 30, 45, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
ISO = "YYYY-MM-DDThh:mm[:ss[.fff]][Z|+hh:mm]"
FORMS = f"send {ISO}, YYMMDDhhmm, YYMMDDhhmmsstnnp, YYMMDDhhmmss000R or whole seconds"
BLANK_FOR_PLUS = "a blank stands where the zone's + should be: an unencoded + becomes a blank, send %2B"

any_text = st.text(st.characters(exclude_categories=[]), max_size=30)
# Dense in the characters that decide, so that near misses are common.
time_like = st.text("0123456789-+:. TZR", max_size=26)
iso_like = st.from_regex(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,7})?)?"
    r"([Zz]|[+\- ][0-9]{2}:?[0-9]{2})?",
    fullmatch=True,
)
compact_like = st.from_regex(r"[0-9]{10}|[0-9]{15}[+\-R ]", fullmatch=True)
texts = any_text | time_like | iso_like | compact_like
moments = st.datetimes(timezones=st.just(UTC))
moments_20yy = st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from([UTC, MADRID, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def parse(text: str, *, base: datetime = BASE, zone: tzinfo = UTC) -> datetime | MalformedTime:
    return parse_time(text, base=base, zone=zone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-20T15:30:00", "2024-01-20T15:30:00"),
        ("2024-02-10 14:30:00", "2024-02-10T14:30:00"),
        ("2024-01-20T15:30", "2024-01-20T15:30:00"),
        ("2024-01-20 15:30Z", "2024-01-20T15:30:00"),
        ("2024-01-20T15:30:00Z", "2024-01-20T15:30:00"),
        ("2024-01-20T15:30:00.5", "2024-01-20T15:30:00.500000"),
        ("2024-01-20T15:30:00.123Z", "2024-01-20T15:30:00.123000"),
        ("2024-01-20T15:30:00.000001Z", "2024-01-20T15:30:00.000001"),
        ("2024-01-20T15:30:00+01:00", "2024-01-20T14:30:00"),
        ("2024-01-20T15:30:00+0100", "2024-01-20T14:30:00"),
        ("2024-01-20T15:30-03:30", "2024-01-20T19:00:00"),
        ("2024-01-20 15:30:00.250-0000", "2024-01-20T15:30:00.250000"),
        ("2024-12-31T23:59:59-23:59", "2025-01-01T23:58:59"),
        ("2024-02-29T00:00", "2024-02-29T00:00:00"),
        ("0001-01-01T00:00", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        ("2401201530", "2024-01-20T15:30:00"),
        ("0001010000", "2000-01-01T00:00:00"),
        ("9912312359", "2099-12-31T23:59:00"),
        ("240120153000000+", "2024-01-20T15:30:00"),
        ("240120153000000-", "2024-01-20T15:30:00"),
        ("240120153000004+", "2024-01-20T14:30:00"),
        ("240120153012714-", "2024-01-20T19:00:12.700000"),
        ("240120153000048+", "2024-01-20T03:30:00"),
        ("240120153000948-", "2024-01-21T03:30:00.900000"),
    ],
)
def test_absolute_forms(text: str, moment: str) -> None:
    assert parse(text) == utc(moment)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1", "2024-01-15T10:30:46"),
        ("3600", "2024-01-15T11:30:45"),
        ("060", "2024-01-15T10:31:45"),
        ("00000000060", "2024-01-15T10:31:45"),
        ("0" * 5000 + "60", "2024-01-15T10:31:45"),
        ("251000000000", "9977-11-30T00:44:05"),
        ("000000000001000R", "2024-01-15T10:30:46"),
        ("000002000000000R", "2024-01-17T10:30:45"),
        ("010203040506000R", "2025-03-18T14:35:51"),
        ("001300000000000R", "2025-02-15T10:30:45"),
        ("000099999999000R", "2024-04-27T15:11:24"),
        ("990000000000000R", "2123-01-15T10:30:45"),
        ("000000000000000R", "2024-01-15T10:30:45"),
        ("000002000000948R", "2024-01-17T10:30:45"),
    ],
)
def test_relative_forms_count_from_the_base(text: str, moment: str) -> None:
    assert parse(text) == utc(moment)


@pytest.mark.parametrize(
    ("base", "text", "moment"),
    [
        ("2024-01-31T12:00:00", "000100000000000R", "2024-02-29T12:00:00"),
        ("2023-01-31T12:00:00", "000100000000000R", "2023-02-28T12:00:00"),
        ("2024-02-29T12:00:00", "010000000000000R", "2025-02-28T12:00:00"),
        ("2024-02-29T12:00:00", "040000000000000R", "2028-02-29T12:00:00"),
        ("2024-01-31T12:00:00", "000101000000000R", "2024-03-01T12:00:00"),
        ("2024-12-31T23:59:59", "000200000001000R", "2025-03-01T00:00:00"),
    ],
)
def test_calendar_months_end_with_the_month(base: str, text: str, moment: str) -> None:
    """A day that the month reached does not have is its last; days and smaller units are added after that."""
    assert parse(text, base=utc(base)) == utc(moment)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-20T15:30:00", "2024-01-20T14:30:00"),
        ("2024-07-20 15:30", "2024-07-20T13:30:00"),
        ("2401201530", "2024-01-20T14:30:00"),
        # Named zones and relative times do not ask for the reading.
        ("2024-01-20T15:30:00Z", "2024-01-20T15:30:00"),
        ("2024-01-20T15:30:00-05:00", "2024-01-20T20:30:00"),
        ("240120153000000+", "2024-01-20T15:30:00"),
        ("3600", "2024-01-15T11:30:45"),
        ("000002000000000R", "2024-01-17T10:30:45"),
        # In the gap of spring the offset before it holds; of an autumn hour that comes twice, the first.
        ("2024-03-31T02:30", "2024-03-31T01:30:00"),
        ("2024-10-27T02:30", "2024-10-27T00:30:00"),
    ],
)
def test_a_time_without_a_zone_is_local_to_the_zone_given(text: str, moment: str) -> None:
    assert parse(text, zone=MADRID) == utc(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "tomorrow",
        "-5",
        "+3600",
        " 3600",
        "3600\n",
        "3_600",
        "1e3",
        "36.5",
        "٣٦٠٠",
        "2024-01-20T15",
        "2024-01-20T15:3",
        "2024-1-20T15:30",
        "2024-01-20T15:30.5",
        "2024-01-20T15:30:00.",
        "2024-01-20T15:30:00,5",
        "2024-01-20T15:30:00.1234567",
        "2024-01-20  15:30",
        "2024-01-20T15:30:00 Z",
        "2024-01-20T15:30:00+01",
        "2024-01-20T15:30:00+1:00",
        "2024-01-20T15:30:00Z\n",
        "2024/01/20 15:30",
        "20/01/2024 15:30",
        "+2024-01-20T15:30",
        "２０２４-01-20T15:30",
        "240120153000004*",
    ],
)
def test_a_text_of_no_form_is_told_the_forms(text: str) -> None:
    malformed = parse(text)
    assert isinstance(malformed, MalformedTime)
    assert malformed.detail.endswith(f"' is no time: {FORMS}")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("2024-01-20T15:30:00 01:00", f"'2024-01-20T15:30:00 01:00' is no time: {BLANK_FOR_PLUS}"),
        ("2024-01-20 15:30 0100", f"'2024-01-20 15:30 0100' is no time: {BLANK_FOR_PLUS}"),
        ("2024-01-20T15:30:00.123 01:00", f"'2024-01-20T15:30:00.123 01:00' is no time: {BLANK_FOR_PLUS}"),
        ("240120153000004 ", f"'240120153000004 ' is no time: {BLANK_FOR_PLUS}"),
        ("2024-01-20T15:30:00z", "'2024-01-20T15:30:00z' is no time: write T, Z and R in upper case"),
        ("2024-01-20t15:30", "'2024-01-20t15:30' is no time: write T, Z and R in upper case"),
        ("000002000000000r", "'000002000000000r' is no time: write T, Z and R in upper case"),
        ("2024-01-20", "'2024-01-20' is no time: the time of day is missing, add Thh:mm"),
        ("mañana", f"'maU+00F1ana' is no time: {FORMS}"),
        ("x" * 100, f"'{'x' * 37}...' is no time: {FORMS}"),
    ],
)
def test_a_near_miss_is_told_what_to_change(text: str, detail: str) -> None:
    assert parse(text) == MalformedTime(detail)


@pytest.mark.parametrize(
    ("text", "form", "fault"),
    [
        ("0000-01-01T00:00", ISO, "year 0000 is not 01 to 9999"),
        ("2024-13-01T00:00", ISO, "month 13 is not 01 to 12"),
        ("2024-00-01T00:00", ISO, "month 00 is not 01 to 12"),
        ("2024-02-30T00:00", ISO, "day 30 is not 01 to 29"),
        ("2023-02-29T00:00", ISO, "day 29 is not 01 to 28"),
        ("2024-01-00T00:00", ISO, "day 00 is not 01 to 31"),
        ("2024-01-20T24:00", ISO, "hour 24 is not 00 to 23"),
        ("2024-01-20T15:60", ISO, "minute 60 is not 00 to 59"),
        ("2024-01-20T15:30:60Z", ISO, "second 60 is not 00 to 59"),
        ("2024-01-20T15:30+24:00", ISO, "zone hour 24 is not 00 to 23"),
        ("2024-01-20T15:30-0160", ISO, "zone minute 60 is not 00 to 59"),
        ("1705764600", "YYMMDDhhmm", "day 76 is not 01 to 31"),
        ("0000003600", "YYMMDDhhmm", "month 00 is not 01 to 12"),
        ("2401202530", "YYMMDDhhmm", "hour 25 is not 00 to 23"),
        ("240120153060000+", "YYMMDDhhmmsstnnp", "second 60 is not 00 to 59"),
        ("240120153000049+", "YYMMDDhhmmsstnnp", "quarter hours 49 is not 00 to 48"),
        ("0", "whole seconds", "send 1 or more"),
        ("0" * 11, "whole seconds", "send 1 or more"),
        ("1705764600000", "whole seconds", "lies outside the years 0001 to 9999"),
        ("252000000000", "whole seconds", "lies outside the years 0001 to 9999"),
        (
            "0001-01-01T00:00+00:01",
            ISO,
            "lies outside the years 0001 to 9999",
        ),
        (
            "9999-12-31T23:59-00:01",
            ISO,
            "lies outside the years 0001 to 9999",
        ),
    ],
)
def test_an_impossible_time_is_told_its_form_and_the_range(text: str, form: str, fault: str) -> None:
    assert parse(text) == MalformedTime(f"'{text}', read as {form}: {fault}")


@pytest.mark.parametrize("text", ["9" * 4301, "9" * 100_000])
def test_thousands_of_digits_are_malformed(text: str) -> None:
    assert parse(text) == MalformedTime(
        f"'{'9' * 37}...', read as whole seconds: lies outside the years 0001 to 9999"
    )


@pytest.mark.parametrize("text", ["000000000001000R", "000100000000000R", "010000000000000R"])
def test_a_relative_time_beyond_the_last_year_is_malformed(text: str) -> None:
    malformed = parse(text, base=utc("9999-12-31T23:59:59"))
    assert malformed == MalformedTime(
        f"'{text}', read as YYMMDDhhmmss000R: lies outside the years 0001 to 9999"
    )


@given(texts, moments, zones)
@example("0001-01-01T00:00", BASE, MADRID)
@example("9999-12-31T23:59", BASE, ZoneInfo("America/St_Johns"))
def test_any_text_is_a_moment_in_utc_or_malformed(text: str, base: datetime, zone: tzinfo) -> None:
    moment = parse(text, base=base, zone=zone)
    if isinstance(moment, MalformedTime):
        assert moment.detail.isascii()
    else:
        assert moment.tzinfo is UTC


@given(st.from_regex(r"[0-9]{1,9}|[0-9]{11,14}|[0-9]{15}R", fullmatch=True), moments)
def test_a_relative_time_is_never_before_its_base(text: str, base: datetime) -> None:
    moment = parse(text, base=base)
    assert isinstance(moment, MalformedTime) or moment >= base


@given(
    moments,
    st.sampled_from(["T", " "]),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from([":", ""]),
)
def test_iso_round_trip(moment: datetime, separator: str, zone_minutes: int, colon: str) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=zone_minutes)))
    sign, (hours, minutes) = "-" if zone_minutes < 0 else "+", divmod(abs(zone_minutes), 60)
    wall = local.replace(tzinfo=None).isoformat(separator, "microseconds")
    parsed = parse(f"{wall}{sign}{hours:02}{colon}{minutes:02}")
    # Within a day of the first and last year, UTC has no such date.
    assert parsed == local or (isinstance(parsed, MalformedTime) and moment.year in {1, 9999})


@given(moments)
def test_iso_round_trip_without_a_zone_and_with_z(moment: datetime) -> None:
    wall = moment.replace(tzinfo=None).isoformat()
    assert parse(wall) == parse(f"{wall}Z") == moment


@given(moments_20yy)
def test_ten_digit_round_trip(moment: datetime) -> None:
    minute = moment.replace(second=0, microsecond=0)
    assert parse(f"{minute:%y%m%d%H%M}") == minute


@given(moments_20yy, st.integers(-48, 48))
def test_smpp_absolute_round_trip(moment: datetime, quarters: int) -> None:
    tenth = moment.microsecond // 100_000
    local = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    text = f"{local:%y%m%d%H%M%S}{tenth}{abs(quarters):02}{'-' if quarters < 0 else '+'}"
    assert parse(text) == moment.replace(microsecond=100_000 * tenth)


@given(st.integers(1, 10**9 - 1))
def test_seconds_round_trip(seconds: int) -> None:
    assert parse(str(seconds)) == BASE + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["2024-01-15T10:30:46Z", "1", "000000000001000R"])
def test_a_message_may_be_scheduled_one_second_ahead(text: str) -> None:
    assert scheduled_at(text, now=BASE, zone=UTC) == BASE + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-15T10:30:45Z", "2024-01-15T10:30:45Z"),
        ("2024-01-15T11:30:44.900+01:00", "2024-01-15T10:30:44Z"),
        ("2401151030", "2024-01-15T10:30:00Z"),
        ("000000000000000R", "2024-01-15T10:30:45Z"),
    ],
)
def test_a_moment_that_is_not_after_now_is_told_the_clock(text: str, moment: str) -> None:
    detail = f"{moment} is not after now (2024-01-15T10:30:45Z, the sandbox's clock)"
    assert scheduled_at(text, now=BASE, zone=UTC) == MalformedTime(detail)
    assert expires_at(text, now=BASE, scheduled=None, zone=UTC) == MalformedTime(detail)


def test_scheduling_and_expiry_use_the_zone() -> None:
    ten_utc = utc("2024-01-16T10:00:00")
    assert scheduled_at("2024-01-16T11:00", now=BASE, zone=MADRID) == ten_utc
    assert expires_at("2024-01-16T11:00", now=BASE, scheduled=None, zone=MADRID) == ten_utc


def test_a_malformed_text_is_malformed_as_schedule_and_as_expiry() -> None:
    assert scheduled_at("soon", now=BASE, zone=UTC) == parse("soon")
    assert expires_at("soon", now=BASE, scheduled=None, zone=UTC) == parse("soon")


def test_a_relative_expiry_counts_from_the_scheduled_time_when_there_is_one() -> None:
    scheduled = BASE + timedelta(days=1)
    assert expires_at("3600", now=BASE, scheduled=None, zone=UTC) == BASE + timedelta(hours=1)
    assert expires_at("3600", now=BASE, scheduled=scheduled, zone=UTC) == scheduled + timedelta(hours=1)


def test_an_absolute_expiry_must_be_after_the_scheduled_time() -> None:
    scheduled = utc("2024-01-20T15:30:00")
    late = expires_at("2024-01-20T15:30:01", now=BASE, scheduled=scheduled, zone=UTC)
    assert late == utc("2024-01-20T15:30:01")
    assert expires_at("2024-01-20T15:30:00", now=BASE, scheduled=scheduled, zone=UTC) == MalformedTime(
        "2024-01-20T15:30:00Z is not after the scheduled time (2024-01-20T15:30:00Z)"
    )


@pytest.mark.parametrize(
    ("at", "seconds", "millis"),
    [
        (BASE, "2024-01-15T10:30:45Z", "2024-01-15T10:30:45.000Z"),
        (
            BASE.replace(microsecond=999_999),
            "2024-01-15T10:30:45Z",
            "2024-01-15T10:30:45.999Z",
        ),
        (
            datetime(2024, 1, 15, 11, 30, 45, 123_456, tzinfo=MADRID),
            "2024-01-15T10:30:45Z",
            "2024-01-15T10:30:45.123Z",
        ),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_moments_are_written_in_utc_and_rounded_down(at: datetime, seconds: str, millis: str) -> None:
    assert rfc3339(at) == seconds
    assert rfc3339_millis(at) == millis


@given(moments)
def test_written_moments_read_back(moment: datetime) -> None:
    assert parse(rfc3339(moment)) == moment.replace(microsecond=0)
    assert parse(rfc3339_millis(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert datetime.fromisoformat(rfc3339_exact(moment)) == moment
    assert len(rfc3339_exact(moment)) in {20, 24, 27}
