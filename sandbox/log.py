"""What the server tells while it runs: one line for each request and for each callback that came to its end.

Lines are kept for a moment and written together, so that a line costs the endpoint next to nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, TextIO

from sandbox.core.model import CallbackState
from sandbox.core.spelling import excerpt
from sandbox.core.times import rfc3339_millis

if TYPE_CHECKING:
    from sandbox.core.model import Callback, RequestRecord

WRITTEN_EVERY_S: Final = 0.05


class Log:
    """Writes lines to *stream*, as text or as JSON."""

    def __init__(self, stream: TextIO, *, is_json: bool = False) -> None:
        self._stream = stream
        self._is_json = is_json
        self._lines: list[str] = []

    def request(self, record: RequestRecord) -> None:
        """Tell of a request and its answer."""
        if self._is_json:
            self._add_json(
                at=rfc3339_millis(record.at),
                event="request",
                id=f"r{record.number}",
                method=record.call.method,
                to=_shown(record.call.parameters.get("to")),
                status=record.answer.status,
                answer=record.answer.body,
                reason=record.reason,
                hints=list(record.hints),
            )
            return
        line = f"r{record.number} {record.call.method} {excerpt(record.answer.body, 80)}"
        if record.reason:
            line += f" - {excerpt(record.reason, 400)}"
        if record.hints:
            line += f" (hint: {excerpt('; '.join(record.hints), 400)})"
        self._add(line)

    def callback(self, callback: Callback) -> None:
        """Tell of a callback: where it stands after an attempt."""
        attempt = callback.attempts[-1] if callback.attempts else None
        what = callback.state if callback.state is not CallbackState.WAITING else "will be tried again"
        why = callback.reason or (attempt.error if attempt else None)
        if self._is_json:
            self._add_json(
                at=rfc3339_millis(attempt.at) if attempt else None,
                event="callback",
                id=f"c{callback.number}",
                transactionId=callback.message.transaction_id,
                url=callback.url,
                state=callback.state,
                attempts=len(callback.attempts),
                reason=why,
            )
            return
        line = f"c{callback.number} report to {excerpt(callback.url, 120)} {what}"
        self._add(f"{line} - {excerpt(why, 400)}" if why else line)

    def flush(self) -> None:
        """Write what is kept."""
        lines, self._lines = self._lines, []
        if lines:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()

    def _add_json(self, **members: Any) -> None:
        self._add(json.dumps(members, ensure_ascii=False))

    def _add(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(WRITTEN_EVERY_S, self.flush)
        self._lines.append(line)


def _shown(value: object) -> str | None:
    return value if isinstance(value, str) else None
