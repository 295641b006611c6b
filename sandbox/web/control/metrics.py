"""Metrics: the counts of one session for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import TEXT

if TYPE_CHECKING:
    from sandbox.web.control.operation import Asked


async def metrics(asked: Asked) -> Response:
    """Show the counts of this session as Prometheus text; those of another are under its own path."""
    from prometheus_client import CONTENT_TYPE_LATEST  # noqa: PLC0415 - it takes long to import, and few ask for it

    from sandbox.web.control.exposition import exposition  # noqa: PLC0415 - likewise

    return Response(exposition(asked.engine, asked.sessions), media_type=CONTENT_TYPE_LATEST)


OPERATIONS: Final = (
    Operation("GET", "/metrics", metrics, {200: Answer("The metrics.", TEXT, "text/plain")}),
)
