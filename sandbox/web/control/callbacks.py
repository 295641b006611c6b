"""Callbacks: listed with their attempts, sent again, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from sandbox.advance import settle as settled
from sandbox.core.model import CallbackState
from sandbox.core.times import rfc3339_exact
from sandbox.errors import NotFoundError
from sandbox.web.control.messages import WAIT_S
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import COUNT, MOMENT_OR_NULL, listed, members, ref
from sandbox.web.ids import number_of
from sandbox.web.problems import ConflictError
from sandbox.web.records import callback_json
from sandbox.yaml_scalars import Duration, Text
from sandbox.yaml_shapes import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.core.model import Callback
    from sandbox.engine import Engine
    from sandbox.web.control.operation import Asked


def found(asked: Asked) -> Callback:
    """Return the callback that the path names.

    Raises:
        NotFoundError: there is none.
    """
    wanted = asked.path["id"]
    callback = asked.engine.store.callback(number_of(wanted, "c"))
    if callback is None:
        raise NotFoundError(f"there is no callback {wanted}: GET callbacks lists those that are kept")
    return callback


async def callbacks(asked: Asked) -> JSONResponse:
    """List the callbacks with their attempts, oldest first; of one transaction id where that is given."""
    there: Iterable[Callback] = asked.engine.store.callbacks()
    if "transactionId" in asked.query:
        wanted = asked.query["transactionId"]
        there = (each for each in there if each.message.transaction_id == wanted)
    return JSONResponse({"callbacks": [callback_json(each) for each in there]})


async def callback(asked: Asked) -> JSONResponse:
    """Show one callback with its attempts."""
    return JSONResponse(callback_json(found(asked)))


async def replay(asked: Asked) -> JSONResponse:
    """Send a callback once more, as it was; one that waits for its next attempt is sent at once."""
    callback = found(asked)
    asked.engine.timelines.replay(callback)
    return JSONResponse(callback_json(callback), status_code=202)


async def settle(asked: Asked) -> JSONResponse:
    """Answer when no callback that is due by now is unsent or in flight; 409 when there still is one."""
    engine, timeout_s = asked.engine, asked.body
    if not await asked.within(timeout_s, _settled(engine)):
        waiting = [each for each in engine.store.callbacks() if each.state is CallbackState.WAITING]
        when = "as the server stops," if engine.feed.is_over else f"after {timeout_s:g} s"
        raise ConflictError(
            f"{when} callbacks that are due are still unsent or in flight: "
            "GET callbacks shows the attempts so far",
            callbacks=[callback_json(each) for each in waiting[:100]],
            total=len(waiting),
        )
    due_at = engine.agenda.next_due_at
    return JSONResponse({"settled": True, "nextDue": None if due_at is None else rfc3339_exact(due_at)})


async def _settled(engine: Engine) -> bool:
    await settled(engine)
    return True


_SETTLE: Final = Keys("settle", {"timeout": Duration()}, lambda written, _: written.get("timeout", WAIT_S))

OPERATIONS: Final = (
    Operation(
        "GET",
        "/callbacks",
        callbacks,
        {200: Answer("All of them.", members(callbacks=listed(ref("Callback"))))},
        query={"transactionId": Text(may_be_empty=True)},
    ),
    Operation("GET", "/callbacks/{id}", callback, {200: Answer("The record.", ref("Callback"))}),
    Operation(
        "POST", "/callbacks/{id}/replay", replay, {202: Answer("It is on its way again.", ref("Callback"))}
    ),
    Operation(
        "POST",
        "/settle",
        settle,
        {
            200: Answer("None is.", members(settled={"const": True}, nextDue=MOMENT_OR_NULL)),
            409: Answer(
                "Some are: callbacks that have not arrived, nor been given up.",
                members(callbacks=listed(ref("Callback")), total=COUNT),
            ),
        },
        body=_SETTLE,
    ),
)
