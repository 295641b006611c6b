"""The endpoint itself: an ASGI application that reads the scope and the body, and sends the engine's answer.

Starlette routes to it, but its request and response objects would cost more than the whole job.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from sandbox.core.draw import draw_delay
from sandbox.core.spelling import ascii_sentence
from sandbox.web.wire import BODY_LIMIT, read_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.core.model import Call, RequestRecord
    from sandbox.core.scenario import Respond
    from sandbox.engine import Engine
    from sandbox.protocol import Whole


PATHS: Final = ("/sendMtSms.php", "/httpinput/sendMtSms.php")

_DRAINED_OCTETS: Final = 16 * BODY_LIMIT
"""How much of a body that is too large is still taken in, so that its sender gets to read the answer."""


class _SenderGoneError(Exception):
    """The connection ended before the body did: what came of it is no request."""


class SendEndpoint:
    """Answers ``sendMtSms.php``."""

    def __init__(
        self,
        engine_of: Callable[[Scope], Engine],
        *,
        engine_of_user: Callable[[Scope, Call], Engine] | None = None,
        has_sandbox_headers: bool = True,
    ) -> None:
        """Build the endpoint.

        Args:
            engine_of: finds the session that a request is for.
            engine_of_user: finds it once the request is read, where that hangs on its user.
            has_sandbox_headers: whether answers carry the X-Sandbox headers.
        """
        self._engine_of = engine_of
        self._engine_of_user = engine_of_user
        self._has_sandbox_headers = has_sandbox_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read one request, have it answered, and send the answer."""
        try:
            body = await _read_body(receive) if scope["method"] == "POST" else b""
        except _SenderGoneError:
            return
        answer = self.at_once(scope, body)
        if isinstance(answer, tuple):
            await send(_start(answer))
            await send({"type": "http.response.body", "body": answer[2]})
        else:
            await answer(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes) -> Whole | ASGIApp:
        """Take a request to its answer; where that is not simply sent, to the application that sends it.

        Args:
            scope: of it the method, the path, the query string and the headers are looked at.
            body: whole, or as much of it as shows that it is over the limit.
        """
        engine = self._engine_of(scope)
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        is_too_large = method == "POST" and len(body) > BODY_LIMIT
        if is_too_large:
            body = b""
        content_type = _header(scope["headers"], b"content-type") if method == "POST" else ""
        call = read_call(method, path, query, content_type, body, engine.readings)
        if self._engine_of_user is not None:
            first_readings, engine = engine.readings, self._engine_of_user(scope, call)
            if engine.readings != first_readings:
                call = read_call(method, path, query, content_type, body, engine.readings)
        if is_too_large:
            call = call._replace(too_large=True)
        record = engine.handle(call)
        if record.respond is None and not record.is_reported_first:
            return self._spelled(record)
        return partial(self._stage, engine, record)

    async def _stage(
        self, engine: Engine, record: RequestRecord, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send an answer that waits for a report, or of which a rule says how it is sent."""
        from sandbox.web.faults import Line  # noqa: PLC0415 - few answers are more than sent

        line = Line.of(scope, receive, send)
        answer = self._spelled(record)
        respond = record.respond
        delay = None if respond is None else respond.delay
        seed = engine.scenario.seed
        try:
            if record.is_reported_first:
                await engine.timelines.reported_before_answer(record)
            if delay is not None and not await line.pause(
                draw_delay(delay, seed=seed, request_number=record.number)
            ):
                return
            if respond is None or respond.fault is None:
                await line.answer(_start(answer), answer[2])
            else:
                await line.fail(respond.fault, _start(answer), answer[2])
        except asyncio.CancelledError:
            # The server stops, and has waited long enough; it would answer HTTP 500, which nobody asked for.
            line.give_up()
            raise

    def _spelled(self, record: RequestRecord) -> Whole:
        """Return an answer's status, headers and body."""
        answer = record.answer
        body = answer.body.encode()
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        if answer.status == 405:
            headers.append((b"allow", b"GET, POST"))
        if self._has_sandbox_headers:
            _add_sandbox_headers(headers, record)
        if record.respond is not None:
            headers = _with_own_headers(headers, record.respond, answer.status)
        return answer.status, headers, body


def _start(answer: Whole) -> Message:
    """Return an answer's head as ASGI has it."""
    return {"type": "http.response.start", "status": answer[0], "headers": answer[1]}


def _add_sandbox_headers(headers: list[tuple[bytes, bytes]], record: RequestRecord) -> None:
    """Add the headers that say which record an answer has, why it is an error, and what was odd."""
    headers.append((b"x-sandbox-request-id", b"r%d" % record.number))
    if record.reason is not None:
        headers.append((b"x-sandbox-error", ascii_sentence(record.reason).encode()))
    if record.hints:
        headers.append((b"x-sandbox-hint", ascii_sentence("; ".join(record.hints)).encode()))


def _with_own_headers(
    headers: Iterable[tuple[bytes, bytes]], respond: Respond, status: int
) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with those that a rule gives it, or has in place of some."""
    own = {name.lower().encode(): value.encode() for name, value in respond.headers.items()}
    # RFC 9110 §8.6: where a status has no body, no length says so.
    left_out = own.keys() | ({b"content-length"} if status in {204, 304} else set())
    return [*((name, value) for name, value in headers if name not in left_out), *own.items()]


async def _read_body(receive: Receive) -> bytes:
    """Return the whole body, or as much of it as shows that it is over the limit."""
    chunks, size, has_more = [], 0, True
    while has_more and size <= _DRAINED_OCTETS:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _SenderGoneError
        chunk: bytes = message.get("body", b"")
        has_more = message.get("more_body", False)
        if size <= BODY_LIMIT:
            chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return the value of the last header called *name*, empty when there is none."""
    found = ""
    for key, value in headers:
        if key == name:
            found = value.decode("latin-1")
    return found
