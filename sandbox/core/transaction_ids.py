"""The transaction ids of a session: those that clients choose, and numbers for the others.

Source: the API reference, "Parameters" (if not provided, the system generates one).
"""

from __future__ import annotations

import re
from typing import Final

FIRST: Final = 1_000_001


class TransactionIds:
    """Generates ids that no client has chosen in this session; the same requests get the same ids on every run."""

    def __init__(self, first: int = FIRST) -> None:
        self.next = first
        """The number that is generated next, unless a client has chosen it by then."""
        self._chosen_ahead: set[int] = set()

    def copy(self) -> TransactionIds:
        """Return a copy, for trying a request that must leave no trace."""
        twin = TransactionIds(self.next)
        twin._chosen_ahead = set(self._chosen_ahead)
        return twin

    def take(self, chosen: str | None) -> str:
        """Return the id of a message: what its client chose, exactly, or the next free number."""
        if chosen is not None:
            # Only a number that is yet to be generated has to be remembered, and 18 digits are never reached.
            if _NUMBER.fullmatch(chosen) and int(chosen) >= self.next:
                self._chosen_ahead.add(int(chosen))
            return chosen
        while self.next in self._chosen_ahead:
            self._chosen_ahead.remove(self.next)
            self.next += 1
        self.next += 1
        return str(self.next - 1)


_NUMBER = re.compile("[1-9][0-9]{6,17}")
