"""Starting over: the page says what goes and what stays, and only its buttons do it."""

from collections.abc import AsyncIterator

import pytest

from sandbox.sources import builtin
from tests.web.inbox.visits import REPORTED, SENT, Browser, browser

pytestmark = pytest.mark.anyio

RULE = {"name": "full", "when": {"to": {"prefix": "+34"}}, "respond": {"error": 6}}


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def test_every_page_leads_to_it(page: Browser) -> None:
    assert (await page.visit("/")).links("start-over") == ["/start-over"]
    assert (await page.visit("/s/mine/clock")).links("start-over") == ["/s/mine/start-over"]


async def test_it_says_what_goes(page: Browser) -> None:
    page.world.accept(REPORTED)
    page.world.accept(SENT)
    await page.client.post("/_sandbox/rules", json=RULE)
    await page.client.put("/_sandbox/scenario", json={"name": "carrier-outage"})
    await page.client.post("/_sandbox/rules", json={**RULE, "set_state": "backlog"})
    page.world.send(SENT)
    text = (await page.visit("/start-over")).text
    for said in (
        "2 messages",
        "3 requests",
        "1 report still due: they are never sent",
        "1 rule added by hand: full",
        "scenario carrier-outage: default is played again",
        "the scenario’s state, backlog",
        "what the rules have counted",
        "the clock is virtual",
    ):
        assert said in text, said


async def test_where_nothing_has_happened_it_says_so(page: Browser) -> None:
    text = (await page.visit("/start-over")).text
    assert "no messages and no requests: there are none" in text
    for untrue in ("still due", "added by hand", "is played again", "state,", "have counted"):
        assert untrue not in text.split("Everything")[1], untrue


async def test_to_look_at_it_changes_nothing(page: Browser) -> None:
    page.world.accept(SENT)
    await page.visit("/start-over")
    await page.client.get("/start-over", params={"what": "all"})
    assert page.world.engine.store.counts()["messages"] == 1


async def test_messages_go_and_the_scenario_goes_on() -> None:
    async with browser(builtin("carrier-outage")) as page:
        for _ in range(3):
            page.world.send(SENT)
        page.world.accept(REPORTED)
        shown = await page.post("/start-over", what="messages")
        assert shown.headers["location"] == "/"
        assert page.world.engine.store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
        assert not len(page.world.engine.agenda)
        assert page.world.engine.progress.state == "backlog"


async def test_all_is_as_just_started() -> None:
    async with browser(builtin("carrier-outage")) as page:
        for _ in range(3):
            page.world.send(SENT)
        await page.world.pass_time(60)
        await page.client.post("/_sandbox/rules", json=RULE)
        await page.post("/start-over", what="all")
        world = page.world
        assert world.engine.store.counts()["requests"] == 0
        assert world.engine.progress.state == "start"
        assert page.sessions.own.added == ()
        assert "12:00:00" in (await page.visit("/")).text


async def test_one_session_starts_over_alone(page: Browser) -> None:
    page.world.accept(SENT)
    shown = await page.post("/s/mine/start-over", what="all")
    assert shown.headers["location"] == "/s/mine/"
    assert page.world.engine.store.counts()["messages"] == 1


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "what cannot be"),
        ({"what": "al"}, "did you mean all?"),
        ({"what": "rules"}, "it is messages, all"),
    ],
)
async def test_a_form_that_says_neither_is_refused(page: Browser, form: dict[str, str], told: str) -> None:
    page.world.accept(SENT)
    assert told in (await page.post("/start-over", 422, **form)).text
    assert page.world.engine.store.counts()["messages"] == 1


async def test_a_page_of_another_site_cannot_do_it(page: Browser) -> None:
    page.world.accept(SENT)
    answer = await page.client.post(
        "/start-over", data={"what": "all"}, headers={"Origin": "http://elsewhere.example"}
    )
    assert answer.status_code == 403
    assert page.world.engine.store.counts()["messages"] == 1
