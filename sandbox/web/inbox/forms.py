"""What a browser posts: the body of a form, bounded, and its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from sandbox.web.problems import BodyError
from sandbox.web.wire import BODY_LIMIT

if TYPE_CHECKING:
    from starlette.requests import Request


async def body_of(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Return the body of a request.

    Raises:
        BodyError: it is over *limit* octets.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyError(f"The form holds more than {limit >> 10} KiB.", status=413)
        chunks.append(chunk)
    return b"".join(chunks)


def fields_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form; of several with one name, the last."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"))
