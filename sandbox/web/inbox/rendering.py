"""Templates to answers: the sole module of the inbox that knows Jinja, which is imported with the first page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse

from sandbox import __version__
from sandbox.web.inbox.pages import frame

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from sandbox.web.inbox.pages import Page, Visit

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""What every answer of the inbox carries: nothing is loaded from elsewhere, nothing written into a page is run."""

_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - with the first page

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["version"] = __version__
    environment.filters["coded"] = _coded
    return environment


def _coded(text: str) -> Markup:
    """Return *text* with what stands between backticks as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with Jinja

    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if position % 2 else piece
        for position, piece in enumerate(pieces)
    )


def render(page: Page, visit: Visit) -> HTMLResponse:
    """Return a page as an answer."""
    text = _environment().get_template(page.template).render(page=page, view=page.view, frame=frame(visit))
    return _answer(text, page.status)


def render_alone(template: str, status: int, **values: str) -> HTMLResponse:
    """Return a page that shows nothing of any world, and so has no frame."""
    return _answer(_environment().get_template(template).render(**values), status)


def _answer(text: str, status: int) -> HTMLResponse:
    # What a template of a scenario makes of JSON may hold half a character.
    octets = text.encode("utf-8", "backslashreplace")
    return HTMLResponse(octets, status, {**HEADERS, "Cache-Control": "no-store"})
