"""What a server is told when it starts: one frozen value, whichever way it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.core.scenario import MAGIC_PREFIX
from sandbox.store.memory import DEFAULT_CAP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Config:
    """The options of ``serve``, checked."""

    host: str = "127.0.0.1"
    port: int = 7670
    """0 takes a free one."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """Chosen in place of the defaults, and of the scenario's own."""
    scenario: str = "default"
    """A built-in one, or the path of a file."""
    watch: bool = False
    """Whether the scenario's file is read again when it changes."""
    clock: str = "real"
    """``real``, ``virtual``, or ``x60`` for sixty times as fast as real."""
    start_at: datetime | None = None
    """What time it is when the clock begins; None for the real time."""
    seed: int | None = None
    """In place of the scenario's own."""
    magic_prefix: str = MAGIC_PREFIX
    """What ``{{ magic }}`` stands for in scenarios."""
    sessions_by: str = "path"
    """``path``, or ``user``: then each user is a session without asking for one."""
    max_sessions: int = 1000
    """How many may have a name."""
    session_idle_s: float = 3600.0
    """After how long a session ends that nobody asks for."""
    callback_url: str | None = None
    """Where reports go when neither the request nor its account names a URL."""
    allow_callback: tuple[str, ...] = ()
    """Hosts that may be reached besides loopback and private addresses; ``public`` for all public ones."""
    admin_token: str | None = field(default=None, repr=False)
    """What the control API and the pages are asked with; None: nothing."""
    allow_host: tuple[str, ...] = ()
    """Names that they answer to besides IP addresses, localhost and names without a dot."""
    has_sandbox_headers: bool = True
    log: str = "text"
    """``text`` or ``json``: one line on stderr for each request and each callback."""
    max_messages: int = DEFAULT_CAP
    """How many a session keeps."""
    store: str = "memory"
    """``memory``, or ``sqlite:`` and the path of a file that outlives the server."""
