"""The buttons of a message's page, as forms: a report by hand, a report once more."""

from collections.abc import AsyncIterator

import pytest

from tests.web.inbox.visits import REPORTED, SENT, Browser, browser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def test_a_report_by_hand_changes_the_message_and_is_sent(page: Browser) -> None:
    page.world.accept(REPORTED)
    sent = await page.post("/messages/m1/reports", status="rejected", errorCode="11")
    assert sent.headers["Location"] == "/messages/m1#c1"
    await page.world.pass_time()
    assert '"status":"rejected"' in (page.carrier.bodies[0] or "")
    assert '"errorCode":11' in (page.carrier.bodies[0] or "")
    shown = await page.visit("/messages/m1")
    assert "It is rejected, which is final." in shown.text


async def test_a_report_is_sent_again(page: Browser) -> None:
    page.world.accept(REPORTED)
    await page.world.pass_time(2)
    assert "Send again" in (await page.visit("/messages/m1")).text
    sent = await page.post("/callbacks/c1/replay")
    assert sent.headers["Location"] == "/messages/m1#c1"
    await page.world.pass_time()
    assert len(page.carrier.parcels) == 2


async def test_a_report_that_waits_for_its_next_attempt_is_tried_at_once(page: Browser) -> None:
    page.world.accept(REPORTED, callbackUrl="http://127.0.0.1:9000/broken")
    await page.world.pass_time(1)
    assert "Try now" in (await page.visit("/messages/m1")).text
    await page.post("/callbacks/c1/replay")
    await page.world.pass_time()
    assert len(page.carrier.parcels) == 2


async def test_buttons_of_a_session_stay_in_it(page: Browser) -> None:
    await page.client.get("/s/test-7/sendMtSms.php", params=REPORTED)
    sent = await page.post("/s/test-7/messages/m1/reports", status="delivered")
    assert sent.headers["Location"] == "/s/test-7/messages/m1#c1"


@pytest.mark.parametrize(
    ("path", "form", "status", "said"),
    [
        ("/messages/m9/reports", {"status": "delivered"}, 404, "There is no message m9"),
        ("/messages/x/reports", {"status": "delivered"}, 404, "ids look like m12"),
        ("/messages/m1/reports", {}, 422, "status cannot be"),
        ("/messages/m1/reports", {"status": "deliverd"}, 422, "did you mean delivered?"),
        (
            "/messages/m1/reports",
            {"status": "delivered", "errorCode": "x"},
            422,
            "errorCode is a whole number",
        ),
        (
            "/messages/m1/reports",
            {"status": "delivered", "errorCode": "1000"},
            422,
            "errorCode is a whole number",
        ),
        ("/messages/m2/reports", {"status": "delivered"}, 409, "there is no address to send it to"),
        ("/callbacks/c9/replay", {}, 404, "There is no report c9"),
        ("/callbacks/m1/replay", {}, 404, "ids look like c12"),
    ],
)
async def test_what_cannot_be_done_is_a_page_that_says_why(
    page: Browser, path: str, form: dict[str, str], status: int, said: str
) -> None:
    page.world.accept(REPORTED)
    page.world.accept(SENT)
    shown = await page.post(path, status, **form)
    assert said in shown.text


async def test_a_button_is_not_pressed_by_looking(page: Browser) -> None:
    assert (await page.visit("/callbacks/c1/replay", 405)).headers["Allow"] == "POST"
