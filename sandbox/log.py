"""What the server tells while it runs: lines about requests, callbacks after an attempt, and the scenario's file.

Records are kept for a moment and written together, so that a line costs the endpoint next to nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TextIO

from sandbox.core.masking import shown_answer, without_secrets
from sandbox.core.model import CallbackState, RequestRecord
from sandbox.core.spelling import excerpt
from sandbox.core.times import rfc3339_millis

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.core.model import Callback
    from sandbox.watching import Reading

WRITTEN_EVERY_S: Final = 0.05


class _InSession(NamedTuple):
    """A request of a session that has a name."""

    session: str
    record: RequestRecord


_Entry = RequestRecord | _InSession | str


class Log:
    """Writes lines to *stream*, as text or as JSON."""

    def __init__(self, stream: TextIO, *, is_json: bool = False) -> None:
        self._stream = stream
        self._is_json = is_json
        self._waiting: list[_Entry] = []

    def request(self, record: RequestRecord, session: str | None = None) -> None:
        """Tell of a request and its answer, in a session or the server's own."""
        entry = record if session is None else _InSession(session, record)
        if self._waiting:  # as in _add, which each send would have to call
            self._waiting.append(entry)
        else:
            self._add(entry)

    def callback(self, callback: Callback, session: str | None = None) -> None:
        """Tell of a callback: where it stands now, which may be another place when the line is written."""
        spell = _callback_json if self._is_json else _callback_text
        self._add(spell(callback, session))

    def scenario(self, reading: Reading) -> None:
        """Tell what came of reading the scenario's file again."""
        self._add(_reading_json(reading) if self._is_json else _reading_text(reading))

    def store(self, what: str) -> None:
        """Tell what becomes of the store's file."""
        self._add(_json(event="store", what=what) if self._is_json else excerpt(what, 400))

    def flush(self) -> None:
        """Write what is kept; a stream that nobody reads any more is no reason to stop serving."""
        waiting, self._waiting = self._waiting, []
        spell = _request_json if self._is_json else _request_text
        lines = [
            entry
            if isinstance(entry, str)
            else spell(entry.record, entry.session)
            if isinstance(entry, _InSession)
            else spell(entry, None)
            for entry in waiting
        ]
        try:
            self._stream.write("\n".join([*lines, ""]))
            self._stream.flush()
        except (OSError, ValueError):
            self._waiting.clear()

    def _add(self, entry: _Entry) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(WRITTEN_EVERY_S, self.flush)
        self._waiting.append(entry)


def _request_text(record: RequestRecord, session: str | None) -> str:
    line = f"{_clock(record.at)} {_where(session)}r{record.number} {record.call.method} {excerpt(shown_answer(record), 80)}"
    if record.reason:
        line += f" - {excerpt(without_secrets(record.reason), 400)}"
    if record.hints:
        line += f" (hint: {excerpt(without_secrets('; '.join(record.hints)), 400)})"
    return line


def _request_json(record: RequestRecord, session: str | None) -> str:
    to = record.call.parameters.get("to")
    return _json(
        at=rfc3339_millis(record.at),
        event="request",
        session=session,
        id=f"r{record.number}",
        method=record.call.method,
        to=to if isinstance(to, str) else None,
        status=record.answer.status,
        answer=shown_answer(record),
        reason=None if record.reason is None else without_secrets(record.reason),
        hints=list(map(without_secrets, record.hints)),
    )


def _callback_text(callback: Callback, session: str | None) -> str:
    state = "failed, will be tried again" if callback.state is CallbackState.WAITING else callback.state
    line = (
        f"{_where(session)}c{callback.number} report to {excerpt(without_secrets(callback.url), 120)} {state}"
    )
    at, why = _latest(callback)
    return (f"{_clock(at)} " if at else "") + line + (f" - {excerpt(why, 400)}" if why else "")


def _callback_json(callback: Callback, session: str | None) -> str:
    at, why = _latest(callback)
    return _json(
        at=rfc3339_millis(at) if at else None,
        event="callback",
        session=session,
        id=f"c{callback.number}",
        transactionId=callback.message.transaction_id,
        url=without_secrets(callback.url),
        state=callback.state,
        attempts=len(callback.attempts),
        reason=why,
    )


def _reading_text(reading: Reading) -> str:
    if reading.mistakes:
        return "\n".join(
            [*reading.mistakes, f"{reading.file} was not taken: the scenario from before goes on"]
        )
    changed = ", ".join(reading.differences) or "only comments or layout changed"
    return f"{reading.file} was read again, and the scenario begins anew: {excerpt(changed, 400)}"


def _reading_json(reading: Reading) -> str:
    return _json(
        event="scenario",
        file=reading.file,
        taken=not reading.mistakes,
        changed=list(reading.differences),
        mistakes=list(reading.mistakes),
    )


def _where(session: str | None) -> str:
    """Return what goes before an id, as each session counts for itself: ``/s/test-7 ``."""
    return "" if session is None else f"/s/{excerpt(session)} "


def _clock(at: datetime) -> str:
    """Return the time of day; by hand, since isoformat() alone would cost what the rest of a line does."""
    return f"{_TWO_DIGITS[at.hour]}:{_TWO_DIGITS[at.minute]}:{_TWO_DIGITS[at.second]}"


_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))


def _latest(callback: Callback) -> tuple[datetime | None, str | None]:
    """Return when the latest attempt was made, and why the callback has not arrived; None for what there is not."""
    if not callback.attempts:
        return None, callback.reason
    attempt = callback.attempts[-1]
    return attempt.at, callback.reason or attempt.error


def _json(**members: Any) -> str:
    return json.dumps(members, ensure_ascii=False)
