"""Moments and spans of time as pages show them."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.web.inbox.moments import Moment, moment, span
from tests.worlds import NOON, at


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.0004, "1 ms"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (150, "2 min 30 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (3660, "1 h 1 min"),
        (48 * 3600, "2 d"),
        (49 * 3600 + 59, "2 d 1 h"),
        (-5, "−5 s"),
    ],
)
def test_a_span_is_shown_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert span(timedelta(seconds=seconds)) == shown


def test_a_moment_of_today_is_shown_as_its_time_of_day() -> None:
    assert moment(at(1.5), NOON) == Moment("2024-01-15T12:00:01Z", "12:00:01")


def test_a_moment_of_another_day_is_shown_with_its_date() -> None:
    assert moment(datetime(2023, 12, 31, 23, 59, tzinfo=UTC), NOON).shown == "2023-12-31 23:59:00"


def test_an_attempt_is_shown_to_the_millisecond() -> None:
    assert moment(at(0.25), NOON, millis=True) == Moment("2024-01-15T12:00:00.250Z", "12:00:00.250")
