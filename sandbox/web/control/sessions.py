"""Sessions: those that there are, and ending one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from sandbox.web.control.clock import clock_json
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import COUNT, TEXT, listed, members, ref

if TYPE_CHECKING:
    from sandbox.sessions import Session
    from sandbox.web.control.operation import Asked


def session_json(session: Session) -> dict[str, Any]:
    """Return what there is to say about a session in a line."""
    engine = session.engine
    return {
        "name": session.name,
        "scenario": engine.scenario.name,
        "clock": clock_json(engine),
        "counts": engine.store.counts(),
        "idleSeconds": session.idle.ms() // 1000,
    }


async def sessions(asked: Asked) -> JSONResponse:
    """List the sessions that have a name, the one used longest ago first."""
    there = asked.sessions
    return JSONResponse(
        {
            "sessions": [session_json(each) for each in there],
            "total": len(there),
            "most": asked.config.max_sessions,
            "ended": there.ended,
        }
    )


async def end_session(asked: Asked) -> JSONResponse:
    """End a session: its records are gone, and what is due in it never happens."""
    name = asked.path["name"]
    await asked.sessions.end(name)
    return JSONResponse({"ended": name})


_SESSION: Final = members(
    name=TEXT,
    scenario=TEXT,
    clock=ref("Clock"),
    counts=members(messages=COUNT, requests=COUNT, callbacks=COUNT),
    idleSeconds=COUNT,
)

OPERATIONS: Final = (
    Operation(
        "GET",
        "/sessions",
        sessions,
        {
            200: Answer(
                "How many there are, how many there may be, and how many have ended unasked.",
                members(sessions=listed(_SESSION), total=COUNT, most=COUNT, ended=COUNT),
            )
        },
    ),
)

AT_ROOT: Final = (
    Operation("DELETE", "/s/{name}", end_session, {200: Answer("It has ended.", members(ended=TEXT))}),
)
"""What stands at the root of the server, beside ``/_sandbox``."""
