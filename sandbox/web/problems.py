"""Errors of the control API as problem documents, one table from exception class to status. Source: RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from sandbox.errors import NotFoundError, SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler


class QueryError(SandboxError):
    """A parameter of the control API has a value that cannot be."""


_STATUSES: Final[Mapping[type[Exception], int]] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a problem document; *detail* says what was wrong and what to do."""
    return JSONResponse(
        {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail},
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


async def _sandbox_error(_: Request, error: Exception) -> JSONResponse:
    return problem(_STATUSES.get(type(error), HTTPStatus.BAD_REQUEST), str(error))


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return problem(error.status_code, f"{request.method} is not allowed here: {allowed}", error.headers)
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"nothing is at {request.scope['path']}: the endpoint is /sendMtSms.php, the control API /_sandbox/health"
        return problem(error.status_code, detail)
    return problem(error.status_code, error.detail, error.headers)


HANDLERS: Final[Mapping[type[Exception], ExceptionHandler]] = {
    SandboxError: _sandbox_error,
    HTTPException: _http_exception,
}
