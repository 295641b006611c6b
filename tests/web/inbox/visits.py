"""The inbox as a browser finds it: an application with all its pages, a world behind it, and what a page holds."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from sandbox.app import create_app
from sandbox.carrier import Arrived, Lost, Parcel
from sandbox.clock import VirtualClock
from sandbox.core.scenario import Scenario
from sandbox.sessions import Sessions
from sandbox.sources import Source
from tests.worlds import NOON, RECEIVER, USER, FakeCarrier, World

KEY = "kP-9f3a-not-to-be-shown"
SENT: Mapping[str, str] = {"user": USER, "apiKey": KEY, "to": "+34600000001", "message": "Hello"}
REPORTED: Mapping[str, str] = {**SENT, "confirmation": "true", "callbackUrl": RECEIVER}

PAGES = ("/", "/requests", "/send", "/codes", "/readings", "/scenario", "/clock", "/start-over")

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Element(dict[str, str]):
    """A tag of a page: its attributes; ``name`` is the tag's own."""

    name: str


class Elements(HTMLParser):
    """All tags of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[Element] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element({name: value or "" for name, value in attrs})
        element.name = tag
        self.all.append(element)
        if tag in {"td", "th", "div", "p", "dt", "dd", "li", "br", "option", "time"}:
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, *names: str) -> list[Element]:
        return [element for element in self.all if element.name in names]


@dataclass
class Shown:
    """One page."""

    status: int
    html: str
    headers: httpx.Headers
    url: str

    @property
    def elements(self) -> Elements:
        return Elements(self.html)

    @property
    def text(self) -> str:
        """What a reader sees, on one line."""
        return re.sub(r"\s+", " ", self.elements.text)

    def links(self, containing: str = "") -> list[str]:
        return [each["href"] for each in self.elements.named("a") if containing in each.get("href", "")]


class Browser:
    """Visits the pages of one application."""

    def __init__(self, client: httpx.AsyncClient, sessions: Sessions, carrier: FakeCarrier) -> None:
        self.client = client
        self.sessions = sessions
        self.carrier = carrier

    @property
    def world(self) -> World:
        engine = self.sessions.own.engine
        clock = engine.clock
        assert isinstance(clock, VirtualClock)
        return World(engine, clock, self.carrier)

    async def visit(self, path: str, status: int = 200, /, **query: str) -> Shown:
        return self._shown(await self.client.get(path, params=query or None, headers=HTML), status)

    async def post(self, path: str, status: int = 303, /, **form: str) -> Shown:
        return self._shown(await self.client.post(path, data=form, headers=HTML), status)

    @staticmethod
    def _shown(answer: httpx.Response, status: int) -> Shown:
        assert answer.status_code == status, answer.text
        return Shown(answer.status_code, answer.text, answer.headers, str(answer.url))


@asynccontextmanager
async def browser(scenario: Scenario | Source | None = None) -> AsyncIterator[Browser]:
    """Open a browser on a sandbox at noon, where receivers called ``broken`` answer 500 and ``gone`` do not at all."""
    carrier = FakeCarrier(_answer)
    app = create_app(scenario=scenario, clock=VirtualClock(NOON), carrier=carrier)
    sessions = app.state.sessions
    assert isinstance(sessions, Sessions)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7670") as client:
        yield Browser(client, sessions, carrier)
    await sessions.close()


def _answer(parcel: Parcel) -> Arrived | Lost:
    if "broken" in parcel.url:
        return Arrived(500, 41)
    return Lost("connection refused", 2) if "gone" in parcel.url else Arrived(204, 3)
