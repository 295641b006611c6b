"""Whatever a page can do, the control API can do: each form and button beside its request, both done, with one effect."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import pytest
from starlette.routing import Route

from sandbox.app import create_app
from sandbox.config import Config
from sandbox.web.inbox import Inbox
from sandbox.web.inbox.credentials import credentials
from tests.web.inbox.visits import PAGES, REPORTED, SENT, Browser, Elements, browser
from tests.worlds import USER

pytestmark = pytest.mark.anyio

MINE = "name: mine\nrules:\n  - {name: full, when: {to: {prefix: '+34'}}, respond: {error: 6}}\n"
WRONG = "name: mine\nrulez: []\nrules:\n  - {name: full, respond: {error: 99}}\n"

Ask = Callable[[Browser], Awaitable[None]]


class Row(NamedTuple):
    """One thing that a page does."""

    action: str
    """Of the form, with ids left open."""
    button: str
    """``name=value`` of the button that sends it; empty where it has none, ``name=`` where any text is typed."""
    form: Mapping[str, str]
    asked: tuple[str, str, Mapping[str, Any]] | Ask
    """The request to the control API, or what asks it several things."""


async def to_next_report(page: Browser) -> None:
    """Go from one due moment to the next until a report was sent."""
    made = 0
    while not made:
        due = (await page.client.get("/_sandbox/clock")).json()["nextDue"]
        answer = await page.client.post("/_sandbox/clock/advance", json={"to": due})
        made = answer.json()["callbacks"]


async def check_aside(page: Browser) -> None:
    """Have a text looked at by a session that is begun for it."""
    answer = await page.client.put("/s/aside/_sandbox/scenario", json={"yaml": WRONG})
    assert answer.status_code == 422
    assert [each["line"] for each in answer.json()["mistakes"]] == [2, 4]
    await page.client.delete("/s/aside")


async def send(page: Browser) -> None:
    """Call the endpoint, as any client does."""
    user, key = credentials(page.world.engine.scenario, None)
    await page.client.post("/sendMtSms.php", data={"user": user, "apiKey": key, **MESSAGE})


MESSAGE = {"to": "+34600000002", "message": "From here"}

TABLE = (
    Row("/messages/ID/reports", "", {"status": "rejected", "errorCode": "11"},
        ("POST", "messages/m1/reports", {"status": "rejected", "errorCode": 11})),
    Row("/messages/ID/reports", "", {"status": "delivered", "errorCode": ""},
        ("POST", "messages/m1/reports", {"status": "delivered"})),
    Row("/callbacks/ID/replay", "", {}, ("POST", "callbacks/c1/replay", {})),
    Row("/clock/advance", "by=1m", {"by": "1m"}, ("POST", "clock/advance", {"by": "1m"})),
    Row("/clock/advance", "by=1h", {"by": "1h"}, ("POST", "clock/advance", {"by": "1h"})),
    Row("/clock/advance", "by=1d", {"by": "1d"}, ("POST", "clock/advance", {"by": "1d"})),
    Row("/clock/advance", "to=report", {"to": "report"}, to_next_report),
    Row("/clock/advance", "", {"by": "90s"}, ("POST", "clock/advance", {"by": "90s"})),
    Row("/clock/advance", "", {"to": "2024-01-15T12:00:09Z"},
        ("POST", "clock/advance", {"to": "2024-01-15T12:00:09Z"})),
    Row("/clock", "", {"mode": "virtual", "now": "2030-01-01T00:00:00Z"},
        ("PUT", "clock", {"mode": "virtual", "now": "2030-01-01T00:00:00Z"})),
    Row("/clock", "mode=virtual", {"mode": "virtual"}, ("PUT", "clock", {"mode": "virtual"})),
    Row("/scenario", "name=", {"name": "carrier-outage"}, ("PUT", "scenario", {"name": "carrier-outage"})),
    Row("/scenario", "do=apply", {"yaml": MINE, "do": "apply"}, ("PUT", "scenario", {"yaml": MINE})),
    Row("/scenario", "do=apply", {"yaml": WRONG, "do": "apply"}, ("PUT", "scenario", {"yaml": WRONG})),
    Row("/scenario", "do=check", {"yaml": WRONG, "do": "check"}, check_aside),
    Row("/start-over", "what=messages", {"what": "messages"}, ("DELETE", "messages", {})),
    Row("/start-over", "what=all", {"what": "all"}, ("POST", "reset", {})),
    Row("/send", "", MESSAGE, send),
    Row("/send", "do=try", {**MESSAGE, "do": "try"},
        ("POST", "explain", {"user": USER, "apiKey": "any", **MESSAGE})),
)  # fmt: skip

SIGNING = {("/sign-in", ""), ("/sign-out", "")}
"""The control API asks for the token itself, with each request."""


def forms_of(html: str) -> set[tuple[str, str]]:
    """Return the action and the button of each way to send a form that changes something, ids left open."""
    found = set()
    action = None
    for tag in Elements(html).named("form", "button"):
        if tag.name == "form":
            action = open_ended(tag["action"]) if tag.get("method") == "post" else None
        elif tag.name == "button" and action is not None and tag.get("type") != "button":
            name, value = tag.get("name", ""), tag.get("value", "")
            found.add((action, "name=" if name == "name" else f"{name}={value}" if name else ""))
    return found


def open_ended(path: str) -> str:
    return "/".join("ID" if piece[:1] in "mc" and piece[1:].isdigit() else piece for piece in path.split("/"))


async def state(page: Browser) -> dict[str, Any]:
    """Return all that the control API shows of a world."""
    shown = {
        name: (await page.client.get(f"/_sandbox/{name}")).json()
        for name in ("messages", "requests", "callbacks", "scenario", "clock", "accounts")
    }
    del shown["scenario"]["file"]
    return shown


async def test_the_table_holds_every_form_of_every_page() -> None:
    found: set[tuple[str, str]] = set()
    async with browser() as page:
        page.world.accept(REPORTED)
        await page.world.pass_time(1)
        for path in (*PAGES, "/messages/m1", "/requests/r1", "/send?sent=r1", "/nowhere"):
            answer = await page.client.get(path, headers={"Accept": "text/html"})
            found |= forms_of(answer.text)
        await page.post("/clock", mode="real")
        found |= forms_of((await page.visit("/clock")).html)
    assert found == {(row.action, row.button) for row in TABLE}


def test_the_table_holds_every_route_that_takes_a_form() -> None:
    app = create_app(Config(admin_token="x"))
    inbox = Inbox(lambda _: app.state.sessions.own, Config(admin_token="x"))
    routes = {
        route.path.replace("{id}", "ID")
        for route in inbox.routes()
        if isinstance(route, Route) and "POST" in (route.methods or ())
    }
    assert routes == {row.action for row in TABLE} | {path for path, _ in SIGNING}


@pytest.mark.parametrize(
    "row", TABLE, ids=lambda row: f"{row.action} {row.button} {row.form.get('yaml', '')[:15]}"
)
async def test_what_a_page_does_the_control_api_does_as_well(row: Row) -> None:
    async with browser() as by_page, browser() as by_api, browser() as untouched:
        for each in (by_page, by_api, untouched):
            each.world.accept(REPORTED)
            each.world.accept(SENT)
            await each.world.pass_time(1)
            each.world.accept(REPORTED, to="+15005551010")
        path = row.action.replace("ID", "m1" if "messages" in row.action else "c1")
        answer = await by_page.client.post(path, data=dict(row.form))
        assert answer.status_code in {200, 303, 422}
        if isinstance(row.asked, tuple):
            method, asked, body = row.asked
            told = await by_api.client.request(method, f"/_sandbox/{asked}", json=body)
            assert (answer.status_code == 422) == (told.status_code == 422), told.text
        else:
            await row.asked(by_api)
        for each in (by_page, by_api):
            await each.client.post("/_sandbox/settle", json={})
        assert await state(by_page) == await state(by_api)
        changes_nothing = (
            row.button in {"do=check", "do=try", "mode=virtual"} or row.form.get("yaml") == WRONG
        )
        assert (await state(by_page) == await state(untouched)) == changes_nothing
