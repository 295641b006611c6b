"""Parts of concatenated messages, grouped as they arrive so that the whole can be shown.

Must not know how parts are stored, or what time it is: the moment of each arrival is given.
Source: 3GPP TS 23.040 §9.2.3.24.1 (what makes parts one message; a reference may be used again).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

REPEAT_WITHIN: Final = timedelta(seconds=60)


class PartKey(NamedTuple):
    """What the parts of one message have in common."""

    user: str
    sender_id: str | None
    destination: str
    coding: str
    reference: int
    reference_bits: int
    total: int


class Part(NamedTuple):
    """One part as it first arrived."""

    text: str
    arrived_at: datetime


@dataclass(slots=True, eq=False)
class Group:
    """The parts of one message that are here; two groups of the same key are two messages."""

    key: PartKey
    parts: dict[int, Part] = field(default_factory=dict)
    """By sequence, 1 to the total."""

    @property
    def joined(self) -> str | None:
        """The whole text; None while parts are missing."""
        if len(self.parts) < self.key.total:
            return None
        return "".join(self.parts[sequence].text for sequence in sorted(self.parts))


class Assembly:
    """The current group of each key."""

    def __init__(self) -> None:
        self._current: dict[PartKey, Group] = {}

    def add(self, key: PartKey, sequence: int, text: str, at: datetime) -> Group:
        """Return the group that the part belongs to, with the part in it.

        The text that a held part already has, up to 60 s after that part arrived, is a repeat and changes
        nothing. Anything else for a held part begins a new group, so that a complete message never changes.

        Args:
            key: what the part has in common with the others of its message.
            sequence: which part it is, 1 to ``key.total``.
            text: its decoded text.
            at: when it arrived.
        """
        part = Part(text, at)
        group = self._current.setdefault(key, Group(key))
        held = group.parts.setdefault(sequence, part)
        if held is part or (held.text == text and at - held.arrived_at <= REPEAT_WITHIN):
            return group
        self._current[key] = Group(key, {sequence: part})
        return self._current[key]

    def forget(self, group: Group) -> None:
        """Let go of a group whose messages are gone; one that is not current is not held here anyway."""
        if self._current.get(group.key) is group:
            del self._current[group.key]
