"""The web inbox: pages rendered here, that read without a script. Routes only; each page family is a module.

A module reads a `Visit` and returns a `Page`: a template and a plain value for it.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.core.spelling import excerpt
from sandbox.errors import SandboxError
from sandbox.web.inbox import (
    actions,
    clock,
    codes,
    message,
    messages,
    readings,
    request,
    requests,
    rules,
    scenario,
    sending,
    starting_over,
)
from sandbox.web.inbox.faults import page_of, page_of_error, wants_html
from sandbox.web.inbox.forms import body_of, fields_of
from sandbox.web.inbox.kept import Kept
from sandbox.web.inbox.pages import Page, Redirect, Visit
from sandbox.web.inbox.rendering import HEADERS, render
from sandbox.web.inbox.sign_in import SignIn
from sandbox.yaml_nodes import LONGEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sandbox.config import Config
    from sandbox.sessions import Session

    Act = Callable[[Visit, Mapping[str, str]], Awaitable[Page | Redirect]]

_STATIC: Final = Path(__file__).parent / "static"

_FORM_LIMIT: Final = 3 * LONGEST
"""Octets of a form at most: a scenario of any length, each octet of it percent-encoded."""

PAGES: Final[Mapping[str, Callable[[Visit], Page]]] = {
    "/": messages.show,
    "/messages/{id}": message.show,
    "/requests": requests.show,
    "/requests/{id}": request.show,
    "/scenario": scenario.show,
    "/scenario/rule": rules.show,
    "/clock": clock.show,
    "/codes": codes.show,
    "/readings": readings.show,
    "/start-over": starting_over.show,
}

ACTIONS: Final[Mapping[str, Act]] = {
    "/messages/{id}/reports": actions.report,
    "/callbacks/{id}/replay": actions.replay,
    "/scenario": scenario.edit,
    "/clock": clock.go_by,
    "/clock/advance": clock.advance,
    "/start-over": starting_over.start_over,
}


class Inbox:
    """The pages of whichever session a request is for."""

    def __init__(self, session_of: Callable[[Scope], Session], config: Config) -> None:
        self._session_of = session_of
        self._config = config
        self._static = Mount("/static", _Static(directory=_STATIC))
        self._kept = Kept()

    @cached_property
    def sign_in(self) -> SignIn | None:
        """What answers for the pages while somebody has not shown the admin token; None where there is none."""
        token = self._config.admin_token
        return None if token is None else SignIn(token, self._static)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, relative to the root of the server and of each session."""
        return [
            *(self._page(path, show) for path, show in PAGES.items()),
            self._messages_by_their_name(),
            self._send_form(),
            *(self._action(path, act) for path, act in ACTIONS.items()),
            *([] if self.sign_in is None else self.sign_in.routes()),
            self._static,
        ]

    def or_kept(self, otherwise: ASGIApp) -> ASGIApp:
        """Return an application that answers with a page as it was rendered last, where that will do.

        It comes before all routing: a hundred open pages ask several times a second.
        """

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            kept = self._kept.find(scope, self._session_of(scope).engine.feed)
            await (otherwise if kept is None else kept)(scope, receive, send)

        return answer

    def or_page(
        self, otherwise: Callable[[Request, Exception], Awaitable[Response]]
    ) -> Callable[[Request, Exception], Awaitable[Response]]:
        """Return a handler of HTTP exceptions: a page for who asks for one, what *otherwise* answers for all others."""

        async def answer(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this class
            path = excerpt(request.scope["path"], 100)
            if "/_sandbox/" in path or not wants_html(request.headers):
                return await otherwise(request, error)
            said = {404: f"Nothing is at {path}.", 405: f"{path} cannot be asked for by {request.method}."}
            page = page_of(error.status_code, said.get(error.status_code, error.detail))
            shown = render(page, self._visit(request))
            shown.headers.update(error.headers or {})
            return shown

        return answer

    def _visit(self, request: Request) -> Visit:
        # Not request.url: it raises where a query holds octets that are no text.
        host = request.headers.get("host", "localhost")
        return Visit(
            session=self._session_of(request.scope),
            base=request.scope.get("root_path", ""),
            origin=f"{request.scope['scheme']}://{host}",
            query=dict(request.query_params),
            path=request.path_params,
            config=self._config,
            scope=request.scope,
        )

    async def _answer(self, request: Request, act: Callable[[Visit], Awaitable[Page | Redirect]]) -> Response:
        """Return what *act* shows, where it goes, or a page that says why not."""
        visit = self._visit(request)
        try:
            shown = await act(visit)
        except SandboxError as error:
            return render(page_of_error(error), visit)
        if isinstance(shown, Redirect):
            return RedirectResponse(shown.to, 303, HEADERS)
        return render(shown, visit)

    def _page(self, path: str, show: Callable[[Visit], Page]) -> Route:
        async def act(visit: Visit) -> Page:
            return show(visit)

        async def answer(request: Request) -> Response:
            shown = await self._answer(request, act)
            self._kept.keep(request.scope, self._session_of(request.scope).engine.feed, shown)
            return shown

        return Route(path, answer)

    def _messages_by_their_name(self) -> Route:
        """Return the way from ``/messages``, which somebody may guess, to the list."""

        async def answer(request: Request) -> Response:
            async def act(visit: Visit) -> Redirect:
                query = f"?{request.url.query}" if request.url.query else ""
                return Redirect(f"{visit.base}/{query}")

            return await self._answer(request, act)

        return Route("/messages", answer)

    def _send_form(self) -> Route:
        async def answer(request: Request) -> Response:
            async def act(visit: Visit) -> Page | Redirect:
                if request.method != "POST":
                    return sending.show(visit)
                body = await body_of(request)
                if fields_of(body).get("do") == "try":
                    return sending.try_out(visit, body)
                return await sending.send(visit, body)

            return await self._answer(request, act)

        return Route("/send", answer, methods=["GET", "POST"])

    def _action(self, path: str, do: Act) -> Route:
        async def answer(request: Request) -> Response:
            async def act(visit: Visit) -> Page | Redirect:
                return await do(visit, fields_of(await body_of(request, _FORM_LIMIT)))

            return await self._answer(request, act)

        return Route(path, answer, methods=["POST"])


class _Static(StaticFiles):
    """The stylesheet and the scripts, asked for again each time and answered 304 where nothing changed."""

    def file_response(self, *arguments: Any, **more: Any) -> Response:
        response = super().file_response(*arguments, **more)
        response.headers.update({**HEADERS, "Cache-Control": "no-cache"})
        return response
