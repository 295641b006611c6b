"""Calls to the endpoint: listed, and one with its trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from sandbox.core.masking import without_secrets
from sandbox.core.trace import closest
from sandbox.errors import NotFoundError
from sandbox.explain import trace_json
from sandbox.hindsight import hindsight
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.pages import page, page_query
from sandbox.web.control.schemas import ref
from sandbox.web.ids import number_of
from sandbox.web.records import request_json
from sandbox.yaml_scalars import Integer

if TYPE_CHECKING:
    from sandbox.core.model import RequestRecord
    from sandbox.core.trace import RuleTrace
    from sandbox.engine import Engine
    from sandbox.web.control.operation import Asked

_UNKNOWN_RULES: Final = (
    "the rules of then are no longer known: the server was started anew since, or they have changed too often"
)


def request_with_trace_json(engine: Engine, record: RequestRecord) -> dict[str, Any]:
    """Return a request, and why it was answered as it was."""
    checks, rules, drawn = hindsight(engine, record)
    return {
        **request_json(record),
        "trace": {
            "checks": [
                {
                    "about": each.about,
                    "code": each.code,
                    "verdict": each.verdict,
                    "reason": None if each.reason is None else without_secrets(each.reason),
                }
                for each in checks
            ],
            "rules": [trace_json(each) for each in rules or ()],
            "closest": _closest_json(closest(rules or ())),
            "drawn": list(drawn),
            "note": _UNKNOWN_RULES if rules is None else None,
        },
    }


def _closest_json(rule: RuleTrace | None) -> dict[str, Any] | None:
    """Return the rule that came nearest, each of its conditions beside what the request had."""
    if rule is None:
        return None
    return {
        "name": rule.name,
        "conditions": [
            {"asked": each.asked, "met": each.met, "holds": each.holds} for each in rule.conditions
        ],
    }


async def requests(asked: Asked) -> JSONResponse:
    """List every call to the endpoint, newest first; `error=5` leaves those with that code."""
    store, error = asked.engine.store, asked.query.get("error")
    if error is None:
        found = page(store.requests(), asked.query, "r", total=store.counts()["requests"])
    else:
        found = page((each for each in store.requests() if each.error == error), asked.query, "r")
    return JSONResponse(
        {
            "requests": [request_json(each) for each in found.records],
            "total": found.total,
            "next": found.following,
        }
    )


async def request(asked: Asked) -> JSONResponse:
    """Show one call to the endpoint, with each check, each rule and the first condition that missed."""
    wanted = asked.path["id"]
    record = asked.engine.store.request(number_of(wanted, "r"))
    if record is None:
        raise NotFoundError(f"there is no request {wanted}: GET requests lists those that are kept")
    return JSONResponse(request_with_trace_json(asked.engine, record))


OPERATIONS: Final = (
    Operation(
        "GET",
        "/requests",
        requests,
        {200: Answer("A page of them.", ref("Requests"))},
        query={"error": Integer(1, 15), **page_query("r")},
    ),
    Operation("GET", "/requests/{id}", request, {200: Answer("The record.", ref("RequestWithTrace"))}),
)
