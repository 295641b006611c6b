"""One operation of the control API as data: where it is, what it takes, what it answers, and the function behind it.

What it takes is told by the same shapes that read scenario files, so that every mistake is found at once and said
in the same words, and the API's description comes from what reads it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from starlette.routing import Route

from sandbox.core.spelling import excerpt
from sandbox.errors import ScenarioError, did_you_mean
from sandbox.web.control import json_nodes
from sandbox.web.endings import ended_first
from sandbox.web.problems import BodyError, QueryError
from sandbox.yaml_nodes import Pairs, Scalar
from sandbox.yaml_shapes import BAD, Notes, is_null

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from sandbox.config import Config
    from sandbox.engine import Engine
    from sandbox.sessions import Session, Sessions
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Bad, Schema, Shape

T = TypeVar("T")

BODY_LIMIT: Final = 1 << 20
"""Octets of a body at most; no scenario file may be longer either."""


class _Nothing(NamedTuple):
    """The body of an operation that takes none: nothing, or an empty object."""

    def read(self, node: Node, notes: Notes) -> Bad | None:
        """Note what is there although nothing is taken."""
        if node == Pairs(1, 1) or is_null(node):
            return None
        return notes.add(node, "no body is taken here: leave it out")

    def schema(self, _: Schema) -> Schema:
        """Return the JSON Schema of an empty object."""
        return {"type": "object", "maxProperties": 0}


NOTHING: Final[Shape[None]] = _Nothing()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the control API, read."""

    session: Session
    sessions: Sessions
    config: Config
    path: Mapping[str, str]
    """The path's parameters: ``{"id": "m1"}``."""
    query: Mapping[str, Any]
    """What was given of the operation's query parameters, each as its shape has read it."""
    body: Any
    """What the operation's shape has made of the body; its octets where the operation reads them itself."""
    request: Request

    @property
    def engine(self) -> Engine:
        """The world that is asked."""
        return self.session.engine

    async def within(self, timeout_s: float, work: Coroutine[object, object, T]) -> T | None:
        """Return what *work* comes to; None when it has not within *timeout_s* real seconds.

        It is given up at once when whoever asks has gone, the session ends, or the server stops.
        """
        gone = asyncio.ensure_future(self._end())
        return await ended_first(self.engine, self.request.scope, work, gone, timeout_s=timeout_s)

    async def _end(self) -> None:
        """Return when whoever asks has gone."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass


class Answer(NamedTuple):
    """One answer that an operation gives."""

    what: str
    """In a sentence."""
    schema: Schema
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be done."""

    method: str
    path: str
    """Relative to ``/_sandbox``; ``{id}`` is a parameter."""
    act: Callable[[Asked], Awaitable[Response]]
    """Its docstring says in one sentence what it does."""
    answers: Mapping[int, Answer]
    """By HTTP status; problems only where they hold more than others do."""
    query: Mapping[str, Shape[Any]] = field(default_factory=lambda: MappingProxyType({}))
    body: Shape[Any] = NOTHING
    has_raw_body: bool = False
    """Whether it reads the body's octets itself; its shape only describes them."""


def routes(
    operations: Iterable[Operation],
    config: Config,
    sessions: Sessions,
    session_of: Callable[[Scope], Session],
) -> list[Route]:
    """Return one route for each path, so that a 405 names every method that is allowed there."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation

    def route(path: str, by_method: Mapping[str, Operation]) -> Route:
        async def answer(request: Request) -> Response:
            operation = by_method["GET" if request.method == "HEAD" else request.method]
            query = _read_query(operation, request)
            body = await _read_body(operation, request, config)
            session = session_of(request.scope)
            return await operation.act(
                Asked(session, sessions, config, request.path_params, query, body, request)
            )

        return Route(path, answer, methods=list(by_method))

    return [route(path, by_method) for path, by_method in by_path.items()]


def _read_query(operation: Operation, request: Request) -> dict[str, Any]:
    """Return the query parameters as the operation's shapes read them.

    Raises:
        QueryError: with all that is wrong with them.
    """
    values = {}
    faults = []
    for name, text in request.query_params.items():
        shape = operation.query.get(name)
        if shape is None:
            known = sorted(operation.query)
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            near = did_you_mean(name[:60], known)
            faults.append(f"there is no parameter {excerpt(name)} here, {takes}{near}")
            continue
        notes = Notes("query")
        node = Scalar(1, 1, text, is_plain=True)
        node.is_plain = not is_null(node)  # a query knows no nothing: `~` is a text
        values[name] = notes.read(name, shape, node)
        try:
            notes.check()
        except ScenarioError as error:
            faults += [mistake.message for mistake in error.mistakes]
    if faults:
        raise QueryError("; ".join(faults))
    return values


async def _read_body(operation: Operation, request: Request, config: Config) -> Any:
    """Return the body as the operation's shape reads it.

    Raises:
        BodyError: it is too large, or no JSON.
        ScenarioError: with all that is wrong with it.
    """
    if request.method in {"GET", "HEAD", "DELETE"}:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise BodyError(f"the body is over {BODY_LIMIT >> 20} MiB", status=413)
        chunks.append(chunk)
    octets = b"".join(chunks)
    if operation.has_raw_body:
        return octets
    notes = Notes("body", {"magic": config.magic_prefix})
    body = operation.body.read(json_nodes.parse(octets), notes)
    notes.check()
    assert body is not BAD  # noqa: S101 - whatever could not be read has noted why
    return body
