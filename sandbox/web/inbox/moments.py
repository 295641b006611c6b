"""Moments and spans of time as a page shows them. Pure: what time it is, is given."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.core.times import rfc3339, rfc3339_millis

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


class Moment(NamedTuple):
    """A moment, for people and for programs."""

    iso: str
    """``2024-01-15T10:30:45Z``"""
    shown: str
    """``10:30:45``, with the date before it where that is not today's."""


def moment(at: datetime, now: datetime, *, millis: bool = False) -> Moment:
    """Return *at* as it is shown at *now*, in UTC; to the millisecond where that matters."""
    iso = rfc3339_millis(at) if millis else rfc3339(at)
    day, time = iso[:10], iso[11:-1]
    return Moment(iso, time if day == _day(now) else f"{day} {time}")


@lru_cache(maxsize=8)  # all moments of a page are shown at the same time
def _day(at: datetime) -> str:
    return rfc3339(at)[:10]


def span(length: timedelta) -> str:
    """Return a span of time in its two largest units: ``250 ms``, ``1 s``, ``2 min 30 s``, ``2 d``."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"−{span(-length)}"
    if 0 < seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 s"
