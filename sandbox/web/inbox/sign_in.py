"""Signing in to the pages with the admin token, and out: all that somebody sees who has not shown it.

The token is kept in a cookie that `guard` makes and reads. Nothing of what the sandbox holds is shown here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router

from sandbox.web.guard import CHALLENGE, cookie, cookie_end, is_token
from sandbox.web.inbox.forms import body_of, fields_of
from sandbox.web.inbox.rendering import HEADERS, render_alone
from sandbox.web.problems import BodyError

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

PATH: Final = "/sign-in"

# A path of this server and nothing else: browsers take `//host` and `/\\host` for another one.
_LOCAL: Final = re.compile(r"/(?![/\\])[!-~]{0,2000}")


class SignIn:
    """Answers in place of the pages: with the form, or with what the form looks like."""

    def __init__(self, token: str, static: BaseRoute) -> None:
        self._token = token
        self._router = Router([static, *self.routes()], default=self._ask, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that does not show the token."""
        await self._router(scope, receive, send)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of signing in and out, for those who are signed in as well."""
        return [
            Route(PATH, self._look, methods=["GET"]),
            Route(PATH, self._take, methods=["POST"]),
            Route("/sign-out", self._leave, methods=["POST"]),
        ]

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the form, whatever was asked for; it leads there."""
        query = scope["query_string"]
        wanted = quote(scope["path"], safe="/~!$&'()*+,;=:@") + (
            f"?{query.decode('latin-1')}" if query else ""
        )
        is_page = scope["method"] in {"GET", "HEAD"}
        answer = self._form(Request(scope), wanted if is_page else "")
        await answer(scope, receive, send)

    async def _look(self, request: Request) -> Response:
        return self._form(request, request.query_params.get("next", ""))

    async def _take(self, request: Request) -> Response:
        """Keep the token in the browser where it is right, and go to what was wanted; else ask again."""
        try:
            form = fields_of(await body_of(request))
        except BodyError as error:
            return self._form(request, "", str(error))
        wanted = form.get("next", "")
        if not is_token(form.get("token", "").strip().encode("utf-8", "replace"), self._token):
            return self._form(request, wanted, "That is not the token that the server was started with.")
        base = request.scope.get("root_path", "")
        answer = RedirectResponse(wanted if _LOCAL.fullmatch(wanted) else f"{base}/", 303, HEADERS)
        answer.headers["Set-Cookie"] = cookie(self._token, is_secure=request.scope["scheme"] == "https")
        return answer

    async def _leave(self, request: Request) -> Response:
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/", 303, HEADERS)
        answer.headers["Set-Cookie"] = cookie_end()
        return answer

    def _form(self, request: Request, wanted: str, fault: str = "") -> Response:
        answer = render_alone(
            "sign_in.html",
            401,
            base=request.scope.get("root_path", ""),
            wanted=wanted if _LOCAL.fullmatch(wanted) else "",
            fault=fault,
        )
        answer.headers.update(CHALLENGE)
        return answer
