"""What a message can be: what each status means, which are final, and which may follow which.

The table says what is legal, not what is possible: a scenario may send any text in any order. Knows nothing of moments.
Source: SMPP v3.4 §5.2.28 (message states), and the sandbox's own two from before the first of them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sandbox.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDS: Final = (
    Status.DELIVERED,
    Status.EXPIRED,
    Status.DELETED,
    Status.UNDELIVERABLE,
    Status.UNKNOWN,
    Status.REJECTED,
)

FINAL: Final = frozenset(_ENDS)
"""The statuses that end a timeline."""

MEANINGS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.SCHEDULED: "Accepted by the API, and its scheduled time has not come.",
        Status.PENDING: "Accepted by the API, and nothing has happened to it yet.",
        Status.ACCEPTED: "The network has taken it, and has not tried to deliver it.",
        Status.ENROUTE: "The network is trying to deliver it.",
        Status.DELIVERED: "It is on the handset.",
        Status.EXPIRED: "Its validity period ended before it was delivered.",
        Status.DELETED: "It was withdrawn before it was delivered.",
        Status.UNDELIVERABLE: "It cannot be delivered, now or later.",
        Status.UNKNOWN: "The network cannot say what became of it, and never will.",
        Status.REJECTED: "The network refuses it.",
    }
)
"""What each status says of a message, in the order in which a message comes to them."""

LEGAL: Final[Mapping[str, tuple[Status, ...]]] = MappingProxyType(
    {
        Status.SCHEDULED: (Status.PENDING, Status.DELETED),
        Status.PENDING: (Status.ACCEPTED, Status.ENROUTE, *_ENDS),
        Status.ACCEPTED: (Status.ENROUTE, *_ENDS),
        Status.ENROUTE: _ENDS,
        **dict.fromkeys(_ENDS, ()),
    }
)
"""What each status may be followed by.

In SMPP itself `accepted` is an end: customer service has read the message for the subscriber. Gateways report it for a
message that the next network has taken, so it comes before `enroute` here.
"""


def is_final(status: str) -> bool:
    """Say whether nothing comes after *status*; any text that is no message state is not final."""
    return status in FINAL


def is_legal(before: str, after: str) -> bool:
    """Say whether a message may become *after* when it is *before*; of any other text that is not said."""
    return after in LEGAL.get(before, ())


def mermaid() -> str:
    """Return the table of legal changes as a diagram: a Mermaid ``stateDiagram-v2``, with a newline at its end.

    The statuses that may become any of the final ones stand in a box, whose arrows hold for each of them. An arrow
    to the box leads to the first of them.
    """
    box = [status for status, nexts in LEGAL.items() if FINAL.issubset(nexts)]
    changes = [(before, after) for before, nexts in LEGAL.items() for after in nexts]
    inside = [(before, after) for before, after in changes if before in box and after in box]
    outside = [("[*]", Status.SCHEDULED), ("[*]", Status.PENDING)]
    outside += [change for change in changes if change not in inside]
    around = dict.fromkeys(tuple("open" if end in box else end for end in change) for change in outside)
    lines = ["stateDiagram-v2", "    state open {"]
    lines += [f"        {before} --> {after}" for before, after in [("[*]", box[0]), *inside]]
    lines += ["    }", *(f"    {before} --> {after}" for before, after in around)]
    return "\n".join([*lines, ""])
