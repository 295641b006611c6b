"""The forms in which a request may write a moment, read to aware UTC; and how answers write moments.

Knows neither the clock, which is an argument, nor what a moment is for beyond scheduling and expiry.
Sources: RFC 3339 §5.6, SMPP v3.4 §7.1.1.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from sandbox.core.spelling import excerpt


class MalformedTime(NamedTuple):
    """A text that names no moment, or none that may stand where it stood."""

    detail: str
    """What is wrong and what to do, without the parameter's name: ``'soon' is no time: …``."""


def parse_time(text: str, *, base: datetime, zone: tzinfo) -> datetime | MalformedTime:
    """Return the moment that *text* names, in UTC.

    Args:
        text: any text: ``2024-01-20T15:30:00+01:00``, ``2401201530``, ``240120153000004+``,
            ``000002000000000R`` (two days), ``3600`` (seconds).
        base: where relative times count from.
        zone: the zone of an absolute time that names none; of an hour that comes twice, the first.

    Source: SMPP v3.4 §7.1.1 for the 16-character forms.
    """
    for form in _FORMS:
        if match := form.pattern.fullmatch(text):
            try:
                return form.moment(match.groupdict(""), base, zone).astimezone(UTC)
            except OverflowError:
                fault = "lies outside the years 0001 to 9999"
            except ValueError as error:
                fault = str(error)
            return MalformedTime(f"'{excerpt(text)}', read as {form.name}: {fault}")
    return MalformedTime(f"'{excerpt(text)}' is no time: {_advice(text)}")


def scheduled_at(text: str, *, now: datetime, zone: tzinfo) -> datetime | MalformedTime:
    """Return the moment after *now* for which *text* schedules a message; relative times count from *now*."""
    moment = parse_time(text, base=now, zone=zone)
    if isinstance(moment, MalformedTime):
        return moment
    return _after_now(moment, now)


def expires_at(
    text: str, *, now: datetime, scheduled: datetime | None, zone: tzinfo
) -> datetime | MalformedTime:
    """Return the moment after *now*, and after *scheduled*, at which *text* lets a message expire.

    Relative times count from *scheduled*, or from *now* where nothing is scheduled.
    """
    moment = parse_time(text, base=now if scheduled is None else scheduled, zone=zone)
    if isinstance(moment, MalformedTime):
        return moment
    if scheduled is not None and moment <= scheduled:
        return MalformedTime(f"{rfc3339(moment)} is not after the scheduled time ({rfc3339(scheduled)})")
    return _after_now(moment, now)


def absolute(text: str) -> datetime | MalformedTime:
    """Return the moment that a date and a time of day name, in UTC where they name no zone."""
    if not _FORMS[0].pattern.fullmatch(text):
        return MalformedTime(f"'{excerpt(text)}' is no time: write it as 2024-01-15T10:30:45Z")
    return parse_time(text, base=datetime.min.replace(tzinfo=UTC), zone=UTC)


def rfc3339(at: datetime) -> str:
    """Return the whole second that *at* falls in: ``2024-01-15T10:30:45Z``."""
    return at.astimezone(UTC).isoformat()[:19] + "Z"


def rfc3339_millis(at: datetime) -> str:
    """Return the whole millisecond that *at* falls in: ``2024-01-15T10:30:45.123Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def rfc3339_exact(at: datetime) -> str:
    """Return *at* to the microsecond, with as few decimals as say it: ``2024-01-15T10:30:45Z``, ``…:45.250Z``."""
    precision = (
        "seconds" if not at.microsecond else "microseconds" if at.microsecond % 1000 else "milliseconds"
    )
    return at.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def _after_now(moment: datetime, now: datetime) -> datetime | MalformedTime:
    if moment > now:
        return moment
    return MalformedTime(f"{rfc3339(moment)} is not after now ({rfc3339(now)}, the sandbox's clock)")


def _within(unit: str, digits: str, least: int, most: int) -> int:
    """Return the number that *digits* write; ValueError, fit for a detail, when it is out of range."""
    if least <= (number := int(digits)) <= most:
        return number
    raise ValueError(f"{unit} {digits} is not {least:02} to {most:02}")


def _civil(year: int, fields: Mapping[str, str], zone: tzinfo) -> datetime:
    """Return the moment of a calendar date and a time of day to the second."""
    month = _within("month", fields["month"], 1, 12)
    return datetime(
        year,
        month,
        _within("day", fields["day"], 1, monthrange(year, month)[1]),
        _within("hour", fields["hour"], 0, 23),
        _within("minute", fields["minute"], 0, 59),
        _within("second", fields.get("second") or "00", 0, 59),
        tzinfo=zone,
    )


def _offset(sign: str, offset: timedelta) -> timezone:
    return timezone(-offset if sign == "-" else offset)


def _iso(fields: Mapping[str, str], _base: datetime, zone: tzinfo) -> datetime:
    if fields["zone"]:
        hours = _within("zone hour", fields["zone_hour"] or "00", 0, 23)
        minutes = _within("zone minute", fields["zone_minute"] or "00", 0, 59)
        zone = _offset(fields["sign"], timedelta(hours=hours, minutes=minutes))
    moment = _civil(_within("year", fields["year"], 1, 9999), fields, zone)
    return moment.replace(microsecond=int(fields["fraction"].ljust(6, "0")))


def _ten_digits(fields: Mapping[str, str], _base: datetime, zone: tzinfo) -> datetime:
    return _civil(2000 + int(fields["yy"]), fields, zone)


def _smpp_absolute(fields: Mapping[str, str], _base: datetime, _zone: tzinfo) -> datetime:
    quarters = _within("quarter hours", fields["quarters"], 0, 48)
    zone = _offset(fields["sign"], timedelta(minutes=15 * quarters))
    moment = _civil(2000 + int(fields["yy"]), fields, zone)
    return moment.replace(microsecond=100_000 * int(fields["tenth"]))


def _smpp_relative(fields: Mapping[str, str], base: datetime, _zone: tzinfo) -> datetime:
    count = {unit: int(digits) for unit, digits in fields.items()}
    years, month0 = divmod(base.month - 1 + count["months"], 12)
    year, month = base.year + count["years"] + years, month0 + 1
    if year > 9999:
        raise OverflowError
    # A month after January 31 is the last day of February: there is no other end of that month to mean.
    day = min(base.day, monthrange(year, month)[1])
    return base.replace(year=year, month=month, day=day) + timedelta(
        days=count["days"], hours=count["hours"], minutes=count["minutes"], seconds=count["seconds"]
    )


def _seconds(fields: Mapping[str, str], base: datetime, _zone: tzinfo) -> datetime:
    # 13 digits are 31,000 years, so the rest changes nothing; and int() refuses texts of 4,301 digits.
    seconds = int(fields["seconds"].lstrip("0")[:13] or "0")
    if seconds == 0:
        raise ValueError("send 1 or more")
    return base + timedelta(seconds=seconds)


class _Form(NamedTuple):
    name: str
    """As a detail names it; ``p`` is + or -."""
    pattern: re.Pattern[str]
    moment: Callable[[Mapping[str, str], datetime, tzinfo], datetime]
    """From the pattern's groups (empty when absent), base and zone; ValueError says what is out of range."""


_DATE_TIME = (
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
)
_YYMMDDHHMM = r"(?P<yy>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})"

# The first that matches is the one: ten digits are a date before they are a number of seconds.
_FORMS = (
    # RFC 3339 §5.6, with seconds, zone and the zone's colon optional; §5.6 itself allows the blank for T.
    _Form(
        "YYYY-MM-DDThh:mm[:ss[.fff]][Z|+hh:mm]",
        re.compile(
            _DATE_TIME + r"(?P<zone>Z|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):?(?P<zone_minute>[0-9]{2}))?"
        ),
        _iso,
    ),
    # The provider's own short form.
    _Form("YYMMDDhhmm", re.compile(_YYMMDDHHMM), _ten_digits),
    # SMPP v3.4 §7.1.1.1: tenths of a second, then quarter hours by which local time is ahead (+) of UTC.
    _Form(
        "YYMMDDhhmmsstnnp",
        re.compile(_YYMMDDHHMM + r"(?P<second>[0-9]{2})(?P<tenth>[0-9])(?P<quarters>[0-9]{2})(?P<sign>[+-])"),
        _smpp_absolute,
    ),
    # SMPP v3.4 §7.1.1.2: counts, not a date; the zeros are a recommendation, what stands there is ignored.
    _Form(
        "YYMMDDhhmmss000R",
        re.compile(
            r"(?P<years>[0-9]{2})(?P<months>[0-9]{2})(?P<days>[0-9]{2})"
            r"(?P<hours>[0-9]{2})(?P<minutes>[0-9]{2})(?P<seconds>[0-9]{2})[0-9]{3}R"
        ),
        _smpp_relative,
    ),
    _Form("whole seconds", re.compile(r"(?P<seconds>[0-9]+)"), _seconds),
)

# Near misses, each with what to do about it.
_ADVICE = (
    (
        re.compile(_DATE_TIME + r" [0-9]{2}:?[0-9]{2}|[0-9]{15} "),
        "a blank stands where the zone's + should be: an unencoded + becomes a blank, send %2B",
    ),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "the time of day is missing, add Thh:mm"),
)


def _advice(text: str) -> str:
    if any(form.pattern.fullmatch(text.upper()) for form in _FORMS):
        return "write T, Z and R in upper case"
    for pattern, advice in _ADVICE:
        if pattern.fullmatch(text):
            return advice
    *names, last = (form.name for form in _FORMS)
    return f"send {', '.join(names)} or {last}"
