"""The clock: what time it is, moving it, and choosing another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import JSONResponse

from sandbox.clock import check_mode
from sandbox.core.times import MalformedTime, absolute, rfc3339_exact
from sandbox.errors import ConfigError
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import COUNT, MOMENT, members, ref
from sandbox.web.endings import whole
from sandbox.web.moving import choose, move_by, move_to
from sandbox.yaml_scalars import Duration, Text
from sandbox.yaml_shapes import Bad, Keys, Made

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.engine import Engine
    from sandbox.web.control.operation import Asked
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Notes, Written


def clock_json(engine: Engine) -> dict[str, Any]:
    """Return what time it is, how it passes, and when something is due next."""
    due_at = engine.agenda.next_due_at
    return {
        "now": rfc3339_exact(engine.clock.now()),
        "mode": engine.clock.mode,
        "nextDue": None if due_at is None else rfc3339_exact(due_at),
    }


class _By(NamedTuple):
    seconds: float


async def clock(asked: Asked) -> JSONResponse:
    """Show what time it is, how it passes, and when something is due next."""
    return JSONResponse(clock_json(asked.engine))


async def advance_clock(asked: Asked) -> JSONResponse:
    """Move a virtual clock forward; all that falls due on the way is attempted, in order, before the answer."""
    engine, distance = asked.engine, asked.body
    move = move_by(engine, distance.seconds) if isinstance(distance, _By) else move_to(engine, distance)
    made = await whole(engine, asked.request.scope, move)
    return JSONResponse({"now": rfc3339_exact(engine.clock.now()), "callbacks": made})


async def put_clock(asked: Asked) -> JSONResponse:
    """Go by another clock from now on; what is due by its time happens at once."""
    choose(asked.engine, *asked.body)
    return JSONResponse(clock_json(asked.engine))


def _moment(text: str, node: Node, notes: Notes) -> datetime | Bad:
    moment = absolute(text)
    return notes.add(node, moment.detail) if isinstance(moment, MalformedTime) else moment


def _mode(text: str, node: Node, notes: Notes) -> str | Bad:
    try:
        check_mode(text)
    except ConfigError as error:
        return notes.add(node, str(error))
    return text


_MOMENT: Final = Made(Text(what="a time"), _moment)


def _distance(written: Written, _: Notes) -> _By | datetime:
    by = written.get("by")
    to: datetime = written.get("to")
    return to if by is None else _By(by)


_ADVANCE: Final = Keys(
    "advance", {"by": Duration(), "to": _MOMENT}, _distance, exclusive=(("by", "to"),), least=1
)
_CLOCK: Final = Keys(
    "clockChoice",
    {"mode": Made(Text(), _mode), "now": _MOMENT},
    lambda written, _: (written.get("mode"), written.get("now")),
    required=("mode",),
)

OPERATIONS: Final = (
    Operation("GET", "/clock", clock, {200: Answer("What time it is.", ref("Clock"))}),
    Operation("PUT", "/clock", put_clock, {200: Answer("What time it is now.", ref("Clock"))}, body=_CLOCK),
    Operation(
        "POST",
        "/clock/advance",
        advance_clock,
        {
            200: Answer(
                "What time it is now, and how many attempts at callbacks were made.",
                members(now=MOMENT, callbacks=COUNT),
            ),
            409: Answer("The clock is not virtual, or the session has ended on the way.", members()),
        },
        body=_ADVANCE,
    ),
)
