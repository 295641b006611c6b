"""What a test run has exercised of the contract: error codes, statuses of reports, readings.

Sums and words only; knows nothing of pytest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from sandbox import contract
from sandbox.core.model import Status
from sandbox.core.statuses import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sandbox.core.model import JsonObject
    from sandbox.kit.records import Callback, Request

REPORTED = tuple(status.value for status in MEANINGS if status not in {Status.SCHEDULED, Status.PENDING})
"""The statuses that a report can say, in the order in which a message comes to them."""


@dataclass(slots=True)
class Exercised:
    """What has been met so far."""

    codes: set[int] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    readings: set[str] = field(default_factory=set)
    """Each with its value: ``errors=envelope``."""

    def note(
        self, requests: Iterable[Request], callbacks: Iterable[Callback], readings: Mapping[str, str]
    ) -> None:
        """Count what one sandbox has met; readings count once anything was sent."""
        errors = [request.error for request in requests]
        self.codes.update(error for error in errors if error is not None)
        self.statuses.update(filter(None, map(_status, callbacks)))
        if errors:
            self.readings.update(f"{name}={value}" for name, value in readings.items())

    def to_json(self) -> JsonObject:
        """Return it as JSON can carry it from one process to another."""
        return {
            "codes": sorted(self.codes),
            "statuses": sorted(self.statuses),
            "readings": sorted(self.readings),
        }

    def add(self, codes: Iterable[int], statuses: Iterable[str], readings: Iterable[str]) -> Self:
        """Count what another has met, as `to_json` gives it."""
        self.codes.update(codes)
        self.statuses.update(statuses)
        self.readings.update(readings)
        return self

    def lines(self) -> list[str]:
        """Return the closing lines of a run: ``SMS error codes exercised: 11/15 (missing 3, 6, 12, 15)``.

        A reading is exercised when each of its values is.
        """
        rows = contract.reading_rows()
        met = [
            row.id for row in rows if self.readings.issuperset(f"{row.id}={value}" for value in row.values)
        ]
        return [
            _line("error codes", [row.code for row in contract.error_codes()], self.codes),
            _line("report statuses", REPORTED, self.statuses),
            _line("readings", [row.id for row in rows], met),
        ]


def _line(what: str, there: Collection[object], met: Collection[object]) -> str:
    missing = [str(each) for each in there if each not in met]
    end = f" (missing {', '.join(missing)})" if missing else ""
    return f"SMS {what} exercised: {len(there) - len(missing)}/{len(there)}{end}"


def _status(callback: Callback) -> str | None:
    """Return the status that a report says, in lower case; one that was not tried says nothing."""
    if not callback.attempts:
        return None
    body = callback.body
    said = (
        body.get("status")
        if isinstance(body, dict)
        else parse_qs(urlsplit(callback.url).query).get("status", [None])[0]
    )
    return said.lower() if isinstance(said, str) else None
