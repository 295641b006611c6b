"""What a server is told when it starts: one frozen value, whichever way it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.store.memory import DEFAULT_CAP

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Config:
    """The options of ``serve``, checked."""

    host: str = "127.0.0.1"
    port: int = 7670
    """0 takes a free one."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """Chosen in place of the defaults, and of the scenario's own."""
    callback_url: str | None = None
    """Where reports go when neither the request nor its account names a URL."""
    allow_callback: tuple[str, ...] = ()
    """Hosts that may be reached besides loopback and private addresses; ``public`` for all public ones."""
    has_sandbox_headers: bool = True
    log: str = "text"
    """``text`` or ``json``: one line on stderr for each request and each callback."""
    max_messages: int = DEFAULT_CAP
