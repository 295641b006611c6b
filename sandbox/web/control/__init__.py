"""The control API under ``/_sandbox/``: one module for each kind of thing, each a table of its operations.

`operation.py` says what an operation is and reads what it takes; the modules call the engine and render.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.web.control import (
    accounts,
    callbacks,
    clock,
    events,
    health,
    messages,
    openapi,
    questions,
    requests,
    scenario,
    sessions,
)

if TYPE_CHECKING:
    from sandbox.web.control.operation import Operation

_OPERATIONS: Final = (
    *health.OPERATIONS,
    *messages.OPERATIONS,
    *requests.OPERATIONS,
    *callbacks.OPERATIONS,
    *scenario.OPERATIONS,
    *clock.OPERATIONS,
    *questions.OPERATIONS,
    *accounts.OPERATIONS,
    *sessions.OPERATIONS,
    *events.OPERATIONS,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *_OPERATIONS,
    openapi.operation(_OPERATIONS, sessions.AT_ROOT),
)
"""All that the control API can do under ``/_sandbox``."""
