"""Errors of the control API as problem documents, one table from exception class to status. Source: RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError, NotFoundError, SandboxError, ScenarioError
from sandbox.sessions import split_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ExceptionHandler


class QueryError(SandboxError):
    """A parameter of the control API has a value that cannot be."""


class BodyError(SandboxError):
    """A body of the control API cannot be read."""

    def __init__(self, text: str, *, status: int = HTTPStatus.BAD_REQUEST) -> None:
        self.status = status
        super().__init__(text)


class ConflictError(SandboxError):
    """What is asked of the control API cannot be, as things stand; *more* shows how they do."""

    def __init__(self, text: str, **more: Any) -> None:
        self.more = more
        super().__init__(text)


_STATUSES: Final[Mapping[type[Exception], int]] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConfigError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ScenarioError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """Return a problem document; *detail* says what was wrong and what to do, *more* are members of its own."""
    title = HTTPStatus(status).phrase
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **more},
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def status_of(error: Exception) -> int:
    """Return the HTTP status that tells of an exception."""
    return (
        error.status if isinstance(error, BodyError) else _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
    )


async def _sandbox_error(_: Request, error: Exception) -> JSONResponse:
    status = status_of(error)
    match error:
        case ConflictError():
            return problem(status, str(error), **error.more)
        case ScenarioError():
            mistakes = [
                {"line": each.line, "column": each.column, "message": each.message} for each in error.mistakes
            ]
            detail = "; ".join(each.message for each in error.mistakes)
            return problem(status, detail, mistakes=mistakes)
    return problem(status, str(error))


def nothing_at(path: str) -> JSONResponse:
    """Return the answer for a path where nothing is, under the name of a session or not."""
    if path.startswith("/s/") and split_path(path)[0] is None:
        why = "the name of a session is 1 to 64 of A-Z a-z 0-9 . _ -, not only dots"
    else:
        why = "the endpoint is /sendMtSms.php, the control API /_sandbox/health"
    return problem(HTTPStatus.NOT_FOUND, f"nothing is at {excerpt(path, 100)}: {why}")


async def http_exception(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses: a path where nothing is, a method that is not allowed."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return problem(error.status_code, f"{request.method} is not allowed here: {allowed}", error.headers)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return nothing_at(request.scope["path"])
    return problem(error.status_code, error.detail, error.headers)


HANDLERS: Final[Mapping[type[Exception], ExceptionHandler]] = {
    SandboxError: _sandbox_error,
    HTTPException: http_exception,
}
