"""The control API under ``/_sandbox/``: what happened, and starting afresh. Reads, calls the engine, renders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox import __version__
from sandbox.core.times import rfc3339
from sandbox.errors import NotFoundError, did_you_mean
from sandbox.web.problems import QueryError
from sandbox.web.records import callback_json, message_json, request_json, status_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from sandbox.core.model import Callback, Message, RequestRecord
    from sandbox.engine import Engine

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000

Record = TypeVar("Record", "Message", "RequestRecord")


class Control:
    """The control API of whichever session a request is for."""

    def __init__(self, engine_of: Callable[[Scope], Engine]) -> None:
        self._engine_of = engine_of

    def routes(self) -> list[BaseRoute]:
        """Return the routes, relative to ``/_sandbox``."""
        return [
            Route("/health", self.health),
            _resource("/messages", GET=self.messages, DELETE=self.delete_messages),
            Route("/messages/{id}", self.message),
            Route("/requests", self.requests),
            Route("/requests/{id}", self.request),
            Route("/callbacks", self.callbacks),
            Route("/reset", self.reset, methods=["POST"]),
        ]

    async def health(self, request: Request) -> JSONResponse:
        """Say that the sandbox serves: version, scenario, clock, counts."""
        engine = self._engine_of(request.scope)
        return JSONResponse(
            {
                "status": "ok",
                "version": __version__,
                "scenario": engine.scenario.name,
                "clock": {
                    "now": rfc3339(engine.clock.now()),
                    "mode": engine.clock.mode,
                    "nextDue": None
                    if engine.agenda.next_due_at is None
                    else rfc3339(engine.agenda.next_due_at),
                },
                "counts": {
                    **engine.store.counts(),
                    "due": len(engine.agenda),
                    "callbacksUnfinished": engine.dispatcher.unfinished,
                    "messagesDropped": engine.store.dropped,
                },
            }
        )

    async def messages(self, request: Request) -> JSONResponse:
        """List the messages that the filters let pass, newest first."""
        engine = self._engine_of(request.scope)
        query = _query(request, {*_MESSAGE_FILTERS, "limit", "after"})
        page, total, following = _page(_matching(engine, query), query, "m")
        return JSONResponse(
            {
                "messages": [self._shown(engine, message) for message in page],
                "total": total,
                "next": following,
            }
        )

    async def message(self, request: Request) -> JSONResponse:
        """Show one message; ``latest`` is the newest that the filters let pass."""
        engine = self._engine_of(request.scope)
        wanted = request.path_params["id"]
        message: Message | None
        if wanted == "latest":
            query = _query(request, set(_MESSAGE_FILTERS))
            message = next(_matching(engine, query), None)
            if message is None:
                raise NotFoundError("no message matches" if query else "there are no messages yet")
        else:
            _query(request, set())
            message = engine.store.message(_number(wanted, "m"))
            if message is None:
                raise NotFoundError(f"there is no message {wanted}: GET messages lists those that are kept")
        return JSONResponse(self._shown(engine, message))

    async def delete_messages(self, request: Request) -> JSONResponse:
        """Forget all messages, with their requests and callbacks."""
        _query(request, set())
        engine = self._engine_of(request.scope)
        deleted = engine.store.counts()["messages"]
        await engine.forget_messages()
        return JSONResponse({"deleted": deleted})

    async def requests(self, request: Request) -> JSONResponse:
        """List every call to the endpoint, newest first; ``error=5`` leaves those with that code."""
        engine = self._engine_of(request.scope)
        query = _query(request, {"error", "limit", "after"})
        records = engine.store.requests()
        if "error" in query:
            code = _integer("error", query["error"], 1, 15)
            records = (record for record in records if record.error == code)
        page, total, following = _page(records, query, "r")
        return JSONResponse(
            {"requests": [request_json(record) for record in page], "total": total, "next": following}
        )

    async def request(self, request: Request) -> JSONResponse:
        """Show one call to the endpoint."""
        _query(request, set())
        wanted = request.path_params["id"]
        record = self._engine_of(request.scope).store.request(_number(wanted, "r"))
        if record is None:
            raise NotFoundError(f"there is no request {wanted}: GET requests lists those that are kept")
        return JSONResponse(request_json(record))

    async def callbacks(self, request: Request) -> JSONResponse:
        """List the callbacks with their attempts, oldest first; of one transaction id where that is given."""
        engine = self._engine_of(request.scope)
        query = _query(request, {"transactionId"})
        callbacks: Iterable[Callback] = engine.store.callbacks()
        if "transactionId" in query:
            wanted = query["transactionId"]
            callbacks = (callback for callback in callbacks if callback.message.transaction_id == wanted)
        return JSONResponse({"callbacks": [callback_json(callback) for callback in callbacks]})

    async def reset(self, request: Request) -> JSONResponse:
        """Let everything be as just started."""
        _query(request, set())
        engine = self._engine_of(request.scope)
        await engine.reset()
        return JSONResponse({"reset": True, "scenario": engine.scenario.name})

    @staticmethod
    def _shown(engine: Engine, message: Message) -> dict[str, Any]:
        return message_json(message, readings=engine.readings, now=engine.clock.now())


def _resource(path: str, **actions: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return one route for all that can be done at *path*, so that a 405 names every method."""

    async def act(request: Request) -> Response:
        return await actions["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, act, methods=list(actions))


_MESSAGE_FILTERS: Final[Mapping[str, Callable[[Message, str, Engine], bool]]] = {
    "to": lambda message, value, _: message.submission.destination == value,
    "user": lambda message, value, _: message.submission.user == value,
    "senderId": lambda message, value, _: message.submission.sender_id == value,
    "transactionId": lambda message, value, _: message.transaction_id == value,
    "status": lambda message, value, engine: status_at(message, engine.clock.now()) == value,
    "text": lambda message, value, _: value in (message.submission.encoded.text or ""),
}


def _matching(engine: Engine, query: Mapping[str, str]) -> Iterator[Message]:
    wanted = [(_MESSAGE_FILTERS[name], value) for name, value in query.items() if name in _MESSAGE_FILTERS]
    return (
        message
        for message in engine.store.messages()
        if all(holds(message, value, engine) for holds, value in wanted)
    )


def _page(
    records: Iterator[Record], query: Mapping[str, str], prefix: str
) -> tuple[list[Record], int, str | None]:
    """Return the records of a page, how many there are on all pages, and the ``after`` of the next page."""
    limit = _integer("limit", query.get("limit", str(DEFAULT_LIMIT)), 1, MAX_LIMIT)
    after = _number(query["after"], prefix, "after") if "after" in query else None
    page: list[Record] = []
    total, has_more = 0, False
    for record in records:
        total += 1
        if after is None or record.number < after:
            if len(page) < limit:
                page.append(record)
            else:
                has_more = True
    return page, total, f"{prefix}{page[-1].number}" if has_more else None


def _query(request: Request, known: set[str]) -> dict[str, str]:
    """Return the query parameters, all of them known."""
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise QueryError(f"there is no parameter {name} here, {takes}{did_you_mean(name, known)}")
    return dict(request.query_params)


def _number(text: str, prefix: str, name: str = "id") -> int:
    match = re.fullmatch(f"{prefix}([1-9][0-9]{{0,17}})", text)
    if match is None:
        error = NotFoundError if name == "id" else QueryError
        raise error(f"{name} {text!r} is not one: ids look like {prefix}12")
    return int(match[1])


def _integer(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise QueryError(f"{name} {text!r} is not a whole number from {low} to {high}")
    return int(text)
