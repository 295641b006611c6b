"""Pages asked for because something was told: rendered once for all who were, and never older than what they know."""

from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from sandbox.feed import Feed
from sandbox.web.inbox.kept import HEADER, Kept
from tests.web.inbox.visits import HTML, SENT, Browser, browser

pytestmark = pytest.mark.anyio

TOLD = {**HTML, HEADER: "1"}


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def rows(page: Browser, path: str = "/", **headers: str) -> int:
    answer = await page.client.get(path, headers={**HTML, **headers})
    return answer.text.count("<tr data-key=")


async def test_those_who_were_told_the_same_see_the_same_rendering(page: Browser) -> None:
    page.world.accept(SENT)
    assert await rows(page, **TOLD) == 1
    page.world.accept(SENT)  # of which nobody was told yet
    assert await rows(page, **TOLD) == 1


async def test_after_the_next_telling_it_is_rendered_anew(page: Browser) -> None:
    assert await rows(page, **TOLD) == 0
    page.world.accept(SENT)
    page.world.engine.feed.tellings += 1
    assert await rows(page, **TOLD) == 1


async def test_whoever_opens_a_page_sees_it_as_things_are(page: Browser) -> None:
    assert await rows(page, **TOLD) == 0
    page.world.accept(SENT)
    assert await rows(page) == 1


async def test_each_address_has_its_own(page: Browser) -> None:
    page.world.accept(SENT)
    assert await rows(page, **TOLD) == 1
    assert await rows(page, "/?q=zebra", **TOLD) == 0
    assert await rows(page, "/s/other/", **TOLD) == 0
    answer = await page.client.get("/send", headers={**TOLD, "Host": "sandbox:1"})
    assert answer.status_code == 200


async def test_a_session_that_begins_again_shows_nothing_of_the_one_before(page: Browser) -> None:
    await page.client.get("/s/one/sendMtSms.php", params=SENT)
    assert await rows(page, "/s/one/", **TOLD) == 1
    await page.sessions.end("one")
    assert await rows(page, "/s/one/", **TOLD) == 0


async def test_no_more_is_kept_than_there_is_room_for() -> None:
    kept, feed = Kept(), Feed()
    asked = [
        {"method": "GET", "path": f"/{number}", "query_string": b"", "headers": [(HEADER.encode(), b"1")]}
        for number in range(200)
    ]
    for scope in asked:
        kept.keep(scope, feed, Response())
        assert kept.find(scope, feed) is not None
    assert sum(kept.find(scope, feed) is not None for scope in asked) <= 64
