"""A receiver of delivery reports for tests: it keeps what it is sent, and answers as it is told.

Many share one server, each with a URL of its own. Knows nothing of the sandbox that sends.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import ExitStack
from threading import Condition
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from sandbox.clock import Deadline
from sandbox.kit.records import Report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from starlette.types import Receive, Scope, Send

LONGEST: Final = 1 << 20
"""Octets of a body that are kept."""


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: str


_OK: Final = _Answer(200, {}, "")


class Receiver:
    """An endpoint for delivery reports; as a context manager it is there while the block runs."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Build a receiver; it has a URL once it is started.

        Args:
            host: the address to listen on.
        """
        self._host = host
        self._server = ExitStack()
        self._url: str | None = None
        self._received: list[Report] = []
        self._usual = _OK
        self._next: deque[_Answer] = deque()
        self._changed = Condition()

    def __repr__(self) -> str:
        return f"<Receiver at {self._url or 'no address yet'}, {len(self._received)} reports>"

    @property
    def url(self) -> str:
        """Where reports are to go.

        Raises:
            RuntimeError: it is not started.
        """
        if self._url is None:
            raise RuntimeError("the receiver is not started: write `with Receiver() as receiver:`")
        return self._url

    @property
    def received(self) -> list[Report]:
        """What has come so far, oldest first: every attempt, those that were answered with an error too."""
        with self._changed:
            return list(self._received)

    def wait(self, count: int = 1, timeout: float = 5) -> list[Report]:
        """Return what has come as soon as that is *count* reports.

        Args:
            count: how many there are to be, in all.
            timeout: how long they may take, in real seconds.

        Raises:
            AssertionError: fewer came, with what came.
        """
        __tracebackhide__ = True
        deadline = Deadline(timeout)
        with self._changed:
            while len(self._received) < count and (left_s := deadline.left_s()):
                self._changed.wait(left_s)
            there = list(self._received)
        if len(there) < count:
            came = "\n".join(f"  {dict(report) or report.raw!r}" for report in there)
            raise AssertionError(
                f"{len(there)} of {count} reports came within {timeout:g} s{came and ':'}\n{came}".rstrip()
                + "\nReports are sent for messages with confirmation=true and a callbackUrl; "
                "where the clock is virtual, when it is advanced"
            )
        return there

    def respond(
        self,
        status: int = 200,
        *,
        times: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> None:
        """Answer the next reports so.

        Args:
            status: of HTTP.
            times: to how many of them, after those that were arranged before; None for all from then on.
            headers: of the answer.
            body: of the answer.
        """
        answer = _Answer(status, headers or {}, body)
        with self._changed:
            if times is None:
                self._usual = answer
            else:
                self._next.extend([answer] * times)

    def clear(self) -> None:
        """Forget what has come."""
        with self._changed:
            self._received.clear()

    def start(self) -> Self:
        """Listen on a free port."""
        post = Post(self._host)
        self._server.enter_context(post)
        post.deliver_to(self)
        return self

    def stop(self) -> None:
        """Let go of the port; what has come is kept."""
        self._server.close()
        self._url = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take(self, report: Report) -> _Answer:
        with self._changed:
            self._received.append(report)
            self._changed.notify_all()
            return self._next.popleft() if self._next else self._usual


class Post:
    """One server for many receivers, each under a path of its own."""

    def __init__(self, host: str = "127.0.0.1", *, called: str | None = None) -> None:
        """Build it; it listens while it is entered.

        Args:
            host: the address to listen on.
            called: what the sandbox calls this machine, where that is another name.
        """
        self._host = host
        self._called = called
        self._server = ExitStack()
        self._url = ""
        self._receivers: dict[str, Receiver] = {}
        self._given = 0

    def deliver_to(self, receiver: Receiver) -> None:
        """Give *receiver* a URL, at which it gets what comes from now on."""
        self._given += 1
        path = f"/dlr/{self._given}"
        self._receivers[path] = receiver
        receiver._url = self._url + path  # noqa: SLF001 - both are this module's

    def forget(self, receiver: Receiver) -> None:
        """Deliver nothing more to *receiver*: what still comes for it is answered 410."""
        self._receivers.pop(urlsplit(receiver.url).path, None)

    def __enter__(self) -> Self:
        from sandbox.serving import serving  # noqa: PLC0415 - uvicorn, which many tests never need

        url = self._server.enter_context(serving(self, host=self._host, grace_s=0))
        self._url = url if self._called is None else f"http://{self._called}:{urlsplit(url).port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as an ASGI application."""
        if scope["type"] == "lifespan":
            return  # which says that there is nothing to do
        report = _report(scope, await _body(receive))
        receiver = self._receivers.get(scope["path"])
        answer = _Answer(410, {}, "nobody is here any more") if receiver is None else receiver._take(report)  # noqa: SLF001
        octets = answer.body.encode()
        headers = {
            "content-length": str(len(octets)),
            **{name.lower(): each for name, each in answer.headers.items()},
        }
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": octets})


async def _body(receive: Receive) -> bytes:
    octets = bytearray()
    while True:
        message = await receive()
        octets += message.get("body", b"")[: LONGEST - len(octets)]
        if not message.get("more_body"):
            return bytes(octets)


def _report(scope: Scope, raw: bytes) -> Report:
    query = scope["query_string"].decode("latin-1")
    members: Any = dict(parse_qsl(query)) if scope["method"] == "GET" else _parsed(raw)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Report(
        members if isinstance(members, dict) else {},
        method=scope["method"],
        headers=headers,
        raw=raw,
        query=query,
    )


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
