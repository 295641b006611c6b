"""Whether the sandbox serves, its metrics, and starting afresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from sandbox import __version__
from sandbox.feed import Kind
from sandbox.web.control.clock import clock_json
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import COUNT, TEXT, members, ref

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.web.control.operation import Asked


async def health(asked: Asked) -> JSONResponse:
    """Say that the sandbox serves: version, scenario, clock, counts."""
    engine = asked.engine
    return JSONResponse(
        {
            "status": "ok",
            "version": __version__,
            "scenario": engine.scenario.name,
            "clock": clock_json(engine),
            "counts": {
                **engine.store.counts(),
                "due": len(engine.agenda),
                "callbacksUnfinished": engine.dispatcher.unfinished,
                "messagesDropped": engine.store.dropped,
            },
        }
    )


async def reset(asked: Asked) -> JSONResponse:
    """Let everything be as just started: records, counters, states, balances, scenario, clock."""
    await asked.session.reset()
    asked.engine.feed.tell(Kind.SCENARIO)
    asked.engine.feed.tell(Kind.CLOCK)
    return JSONResponse({"reset": True, "scenario": asked.engine.scenario.name})


async def metrics(asked: Asked) -> Response:
    """Show the counts of this session as Prometheus text; those of another are under its own path."""
    # It takes as long to import as all that is here, and few ask for it.
    from sandbox.web.control.metrics import exposition  # noqa: PLC0415

    return exposition(asked.engine, asked.sessions)


_HEALTH: Final = members(
    status={"const": "ok"},
    version=TEXT,
    scenario=TEXT,
    clock=ref("Clock"),
    counts=members(
        messages=COUNT,
        requests=COUNT,
        callbacks=COUNT,
        due=COUNT,
        callbacksUnfinished=COUNT,
        messagesDropped=COUNT,
    ),
)

OPERATIONS: Final = (
    Operation("GET", "/health", health, {200: Answer("It serves.", _HEALTH)}),
    Operation("GET", "/metrics", metrics, {200: Answer("The metrics.", TEXT, "text/plain")}),
    Operation(
        "POST",
        "/reset",
        reset,
        {200: Answer("Nothing has happened yet.", members(reset={"const": True}, scenario=TEXT))},
    ),
)
