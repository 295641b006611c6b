"""One message: what its page says of it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sandbox.core.scenario import Scenario
from sandbox.web.inbox.message import MessageView, show
from sandbox.web.inbox.pages import Visit
from tests.web.inbox.visits import REPORTED, SENT, Browser, browser
from tests.worlds import step

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


def view(opened: Browser, number: int = 1) -> MessageView:
    shown = show(Visit(opened.sessions.own, "", "http://x", path={"id": f"m{number}"})).view
    assert isinstance(shown, MessageView)
    return shown


async def test_the_handset_shows_the_text_when_it_has_been_delivered(page: Browser) -> None:
    page.world.accept(SENT, message="Hello", senderId="ORDER")
    handset = view(page).handset
    assert (handset.sender, handset.text, handset.is_shown) == ("ORDER", "Hello", False)
    assert handset.note == "Not on the phone yet: it is pending."
    await page.world.pass_time(2)
    handset = view(page).handset
    assert (handset.is_shown, handset.note, handset.at.shown) == (True, "", "12:00:01")


async def test_the_handset_never_shows_what_failed(page: Browser) -> None:
    page.world.accept(SENT, to="+15005551003")
    await page.world.pass_time(2)
    assert view(page).handset.note == "The phone never shows it: it is undeliverable."


async def test_a_scheduled_message_says_when_it_goes_out(page: Browser) -> None:
    page.world.accept(SENT, scheduledDeliveryTime="3600")
    assert view(page).handset.note == "Not on the phone yet: it goes out in 1 h."
    assert view(page).kinds == ()


async def test_a_flash_message_is_one(page: Browser) -> None:
    page.world.accept(SENT, udh="0100")
    assert view(page).handset.is_flash
    shown = await page.visit("/messages/m1")
    assert [each for each in shown.elements.all if each.get("class") == "popup"]


async def test_a_binary_message_is_dumped(page: Browser) -> None:
    page.world.accept(SENT, message="48690001", dcs="4")
    await page.world.pass_time(2)
    handset = view(page).handset
    assert [(row.content, row.text) for row in handset.dump] == [("48 69 00 01", "Hi··")]
    assert "Binary" in handset.note


async def test_parts_are_joined_in_order_whichever_came_first(page: Browser) -> None:
    page.world.accept(SENT, message="second", udh="050003CC0202")
    handset = view(page).handset
    assert [(piece.text, piece.id, piece.is_this) for piece in handset.pieces] == [
        (None, None, False),
        ("second", "m1", True),
    ]
    page.world.accept(SENT, message="first, ", udh="050003CC0201")
    for number in (1, 2):
        handset = view(page, number).handset
        assert handset.is_whole
        assert "".join(piece.text or "" for piece in handset.pieces) == "first, second"
        assert [piece.id for piece in handset.pieces] == ["m2", "m1"]
    await page.world.pass_time(2)
    assert view(page, 1).handset.note == ""


async def test_a_phone_waits_for_missing_parts(page: Browser) -> None:
    page.world.accept(SENT, message="second", udh="050003CC0202")
    await page.world.pass_time(2)
    assert view(page).handset.note == "A phone waits for the parts that are missing."
    assert "part 1 is missing" in (await page.visit("/messages/m1")).text


async def test_parts_of_another_message_with_the_same_reference_are_not_mixed_in(page: Browser) -> None:
    for text in ("one", "two"):
        page.world.accept(SENT, message=text, udh="050003CC0201")
        await page.world.pass_time(100)
    assert [piece.id for piece in view(page, 1).handset.pieces] == ["m1", None]
    assert [piece.id for piece in view(page, 2).handset.pieces] == ["m2", None]


async def test_right_to_left_text_has_its_own_direction(page: Browser) -> None:
    page.world.accept(SENT, message="رمز", dcs="8")
    shown = await page.visit("/messages/m1")
    bubbles = [each for each in shown.elements.all if each.get("class") in {"bubble", "glyphs"}]
    assert [each.get("dir") for each in bubbles] == ["auto", "auto"]
    assert "<bdi>رمز</bdi>" in (await page.visit("/")).html


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "did not ask for reports"),
        ({"confirmation": "true"}, "No report can be sent: confirmation is true, but"),
        ({"confirmation": "true", "callbackUrl": "ftp://x"}, "No report can be sent: callbackUrl"),
    ],
)
async def test_it_says_why_there_are_no_reports(page: Browser, more: dict[str, str], said: str) -> None:
    page.world.accept(SENT, **more)
    assert said in view(page).unreported
    assert not view(page).can_report


async def test_each_report_shows_its_attempts_and_its_body(page: Browser) -> None:
    page.world.accept(REPORTED, callbackUrl="http://127.0.0.1:9000/gone", transactionId="t-1")
    await page.world.pass_time(3)
    (card,) = view(page).callbacks
    assert (card.id, card.state, card.method, card.url) == (
        "c1",
        "waiting",
        "POST",
        "http://127.0.0.1:9000/gone",
    )
    assert [(row.number, row.at.shown, row.result, row.error, row.took) for row in card.attempts] == [
        (1, "12:00:01.000", "no answer", "connection refused", "2 ms"),
        (2, "12:00:02.000", "no answer", "connection refused", "2 ms"),
    ]
    assert card.next_attempt == "at about 12:00:07"
    assert card.body.startswith('{\n  "transactionId": "t-1",\n  "status": "delivered",')


async def test_a_body_that_is_no_json_is_shown_as_it_is(page: Browser) -> None:
    page.world.accept(REPORTED, to="+15005551011")
    await page.world.pass_time(2)
    assert view(page).callbacks[0].body.startswith('{"transactionId": "')


@pytest.mark.parametrize("body", ['{"n": 1e999}', '{"half": "\\ud800"}'])
async def test_a_body_that_json_cannot_write_again_is_shown(body: str) -> None:
    odd = Scenario(name="odd", timeline=(replace(step(1, "delivered"), body=body),))
    async with browser(odd) as opened:
        opened.world.accept(REPORTED)
        await opened.world.pass_time(2)
        shown = await opened.visit("/messages/m1")
        assert "1e999" in shown.text or "half" in shown.text


async def test_the_sentence_tells_what_comes_next(page: Browser) -> None:
    page.world.accept(SENT)
    assert view(page).story_told == "It is pending, and becomes delivered in 1 s."
    await page.world.pass_time(2)
    assert view(page).story_told == "It is delivered, which is final."
    page.world.accept(SENT, to="+15005551006")
    assert view(page, 2).story_told == "It is pending; nothing more is planned."


async def test_neighbours_are_linked(page: Browser) -> None:
    for _ in range(3):
        page.world.accept(SENT)
    assert (view(page, 2).newer, view(page, 2).older) == ("/messages/m3", "/messages/m1")
    assert (view(page, 3).newer, view(page, 1).older) == (None, None)


async def test_hints_are_shown(page: Browser) -> None:
    page.world.accept(SENT, confirmation="yes")
    assert "confirmation yes counts as false" in (await page.visit("/messages/m1")).text


async def test_a_clock_that_stands_can_be_moved_to_what_comes_next(page: Browser) -> None:
    page.world.accept(REPORTED, to="+15005551010")
    page.world.accept(REPORTED, callbackUrl="http://127.0.0.1:9000/broken")
    times = []
    while next_at := view(page, 2).next_at:
        times.append(next_at.removeprefix("2024-01-15T").removesuffix("Z"))
        await page.post("/clock/advance", to=next_at)
    assert times == ["12:00:01", "12:00:02", "12:00:07", "12:00:37", "12:02:37", "12:12:37"]
    assert "Time stands." not in (await page.visit("/messages/m2")).text


async def test_a_clock_that_runs_is_left_to_run(page: Browser) -> None:
    page.world.accept(SENT)
    assert "Time stands." in (await page.visit("/messages/m1")).text
    await page.post("/clock", mode="x60")
    assert "Time stands." not in (await page.visit("/messages/m1")).text
