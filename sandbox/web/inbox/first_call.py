"""What an empty page says to do next: where an application sends to, and a call to copy that fills the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.core.model import Call
from sandbox.web.inbox import snippets
from sandbox.web.inbox.credentials import credentials

if TYPE_CHECKING:
    from sandbox.web.inbox.pages import Visit


class FirstCall(NamedTuple):
    """How to send a message to this session."""

    url: str
    curl: str
    anyone: bool
    """Whether any user may."""


def first_call(visit: Visit, **more: str) -> FirstCall:
    """Return a call that is accepted in this session, with *more* parameters than it needs."""
    scenario = visit.engine.scenario
    user, key = credentials(scenario, None)
    parameters = {"user": user, "apiKey": key, "to": "+1222333444", "message": "Your code is 1234", **more}
    base_url = f"{visit.origin}{visit.base}"
    curl, *_ = snippets.of_call(Call("POST", snippets.ENDPOINT, parameters), base_url=base_url)
    return FirstCall(f"{base_url}{snippets.ENDPOINT}", curl.text, scenario.accounts.anyone)
