"""The clock's page: what is due next, and moving time by forms."""

from collections.abc import AsyncIterator

import pytest

from sandbox.clock import RunningClock
from tests.web.inbox.visits import REPORTED, SENT, Browser, browser
from tests.worlds import NOON, at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def test_what_is_due_next_stands_in_the_order_in_which_it_happens(page: Browser) -> None:
    page.world.accept(SENT, to="+15005551010")
    page.world.accept(REPORTED, callbackUrl="http://127.0.0.1:9000/broken")
    await page.world.pass_time(1)
    page.world.accept(REPORTED, to="+15005551008")
    text = (await page.visit("/clock")).text
    assert "in 1 s 12:00:02 m2 a report is tried again" in text
    assert text.index("m2 a report") < text.index("m3 accepted") < text.index("m1 delivered")


async def test_a_report_that_is_sent_out_of_order_is_due_by_itself(page: Browser) -> None:
    page.world.accept(REPORTED, to="+15005551008")
    await page.world.pass_time(3)
    assert "report of accepted" in (await page.visit("/clock")).text


async def test_what_has_come_to_nothing_is_not_due(page: Browser) -> None:
    page.world.accept(REPORTED)
    await page.post("/messages/m1/reports", status="rejected")
    await page.world.pass_time()
    assert "m1 delivered" not in (await page.visit("/clock")).text


@pytest.mark.parametrize(
    ("form", "seconds", "said"),
    [
        ({"by": "1m"}, 60, "1 report was sent"),
        ({"by": "1h"}, 3600, "1 report was sent"),
        ({"by": "1d"}, 86_400, "1 report was sent"),
        ({"by": "250ms"}, 0.25, "no report was sent"),
        ({"to": "report"}, 1, "1 report was sent"),
        ({"to": "2024-01-15T12:00:05Z"}, 5, "1 report was sent"),
        ({"to": "2024-01-15T13:00:05+01:00", "by": " "}, 5, "1 report was sent"),
    ],
)
async def test_time_is_moved(page: Browser, form: dict[str, str], seconds: float, said: str) -> None:
    page.world.accept(REPORTED)
    moved = await page.post("/clock/advance", **form)
    assert page.world.engine.clock.now() == at(seconds)
    assert said in (await page.visit(moved.headers["Location"])).text


async def test_the_next_report_may_be_behind_changes_that_nobody_hears_of(page: Browser) -> None:
    for _ in range(3):
        page.world.accept(SENT)
    page.world.accept(REPORTED, to="+15005551010")
    await page.post("/clock/advance", to="report")
    assert page.world.engine.clock.now() == at(60)


async def test_a_report_behind_one_that_is_tried_again_waits_for_it(page: Browser) -> None:
    page.world.accept(REPORTED, to="+15005551002", callbackUrl="http://127.0.0.1:9000/broken")
    moments = []
    for _ in range(4):
        await page.post("/clock/advance", to="report")
        moments.append((page.world.engine.clock.now() - NOON).total_seconds())
    assert len(page.carrier.parcels) == 4
    assert moments == sorted(set(moments))


async def test_where_no_report_is_due_time_stands(page: Browser) -> None:
    page.world.accept(SENT)
    assert "disabled" in (await page.visit("/clock")).html
    moved = await page.post("/clock/advance", to="report")
    assert moved.headers["Location"] == "/clock?made=0"
    assert page.world.engine.clock.now() == NOON


@pytest.mark.parametrize(
    ("path", "form", "status", "said"),
    [
        ("/clock/advance", {}, 422, "one of by and to"),
        ("/clock/advance", {"by": "1h", "to": "report"}, 422, "one of by and to"),
        ("/clock/advance", {"by": "soon"}, 422, "by cannot be soon: write 90s"),
        ("/clock/advance", {"by": "99999d"}, 422, "up to 3650d"),
        ("/clock/advance", {"by": "-1"}, 422, "by cannot be -1"),
        ("/clock/advance", {"to": "noon"}, 422, "'noon' is no time"),
        ("/clock/advance", {"to": "2020-01-01T00:00:00Z"}, 422, "time only goes forward"),
        ("/clock", {"mode": "sundial"}, 422, "a clock cannot be sundial"),
        ("/clock", {}, 422, "a clock cannot be"),
        ("/clock", {"mode": "virtual", "now": "x"}, 422, "'x' is no time"),
        ("/clock?made=x", None, 422, "made is a number"),
    ],
)
async def test_what_time_cannot_do_is_a_page_that_says_why(
    page: Browser, path: str, form: dict[str, str] | None, status: int, said: str
) -> None:
    shown = await (page.visit(path, status) if form is None else page.post(path, status, **form))
    assert said in shown.text
    assert page.world.engine.clock.now() == NOON


async def test_a_clock_that_runs_says_why_it_cannot_be_moved_and_is_frozen(page: Browser) -> None:
    engine = page.sessions.own.engine
    engine.go_by(RunningClock())
    shown = await page.visit("/clock")
    assert "It is the real time, and nothing can move it." in shown.text
    assert "1 hour" not in shown.text
    for form in ({"by": "1h"}, {"to": "report"}, {"to": "2030-01-01T00:00:00Z"}):
        assert (
            "the clock is real, only a virtual one is moved"
            in (await page.post("/clock/advance", 409, **form)).text
        )
    await page.post("/clock", mode="virtual")
    assert "time stands until it is moved" in (await page.visit("/clock")).text


async def test_another_clock_is_chosen(page: Browser) -> None:
    await page.post("/clock", mode="x60", now="2030-01-01T00:00:00Z")
    assert page.sessions.own.engine.clock.mode == "x60"
    text = (await page.visit("/clock")).text
    assert "It runs 60 times as fast as real time" in text
    assert "2030-01-01T00:00" in text


async def test_another_site_moves_no_clock(page: Browser) -> None:
    for path in ("/clock", "/clock/advance"):
        answer = await page.client.post(path, data={"by": "1h"}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert page.world.engine.clock.now() == NOON
