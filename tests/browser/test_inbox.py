"""The inbox in a real browser: what is seen, what keys do, what holds without a script, in the dark and on a phone."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from starlette.types import Receive, Scope, Send

from sandbox.advance import advance
from sandbox.app import create_app
from sandbox.carrier import Arrived, Lost, Parcel
from sandbox.clock import RunningClock, VirtualClock
from sandbox.config import Config
from sandbox.core.model import Call, Value
from sandbox.engine import Engine
from sandbox.serving import serving
from tests.web.inbox.visits import KEY, SENT
from tests.worlds import NOON, RECEIVER, FakeCarrier, at

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

PAGES = {
    "messages": "/",
    "search": "/?q=to:%2B34+form:x",
    "nothing-found": "/?q=zebra",
    "text": "/messages/m1",
    "septets": "/messages/m2",
    "arabic": "/messages/m3",
    "emoji": "/messages/m4",
    "flash": "/messages/m5",
    "binary": "/messages/m6",
    "part": "/messages/m8",
    "failing-report": "/messages/m9",
    "html": "/messages/m10",
    "scheduled": "/messages/m11",
    "requests": "/requests",
    "refused": "/requests/r12",
    "by-rule": "/requests/r13",
    "send": "/send",
    "try-out": "/send?to=%2B34600000001&message=9%E2%82%AC+today&dcs=1",
    "too-long": "/send?code=13",
    "sent": "/send?sent=r12",
    "codes": "/codes",
    "readings": "/readings",
    "scenario": "/scenario",
    "near-miss": "/s/outage/requests/r1",
    "rule": "/s/outage/scenario/rule?name=queue-full",
    "states": "/s/outage/scenario",
    "clock": "/clock",
    "start-over": "/start-over",
    "not-found": "/messages/m999",
    "empty": "/s/empty/",
    "empty-requests": "/s/empty/requests",
}
SCRIPTY = "<script>document.title = 'broken into'</script><b>bold</b> & \"quotes\""


@dataclass
class Sandbox:
    """A served sandbox in which much has happened, at 12:01."""

    url: str
    engine: Engine
    loop: asyncio.AbstractEventLoop

    def send(self, **more: Value) -> None:
        """Let the endpoint have a call, between two turns of its loop."""
        call = Call("POST", "/sendMtSms.php", {**SENT, **more})

        async def handle() -> None:
            self.engine.handle(call)

        asyncio.run_coroutine_threadsafe(handle(), self.loop).result(10)

    def nearly_meet_a_rule(self, session: str) -> None:
        """Let a session play a scenario with states, and have a request that its first rule is not for."""
        asked = urllib.request.Request(
            f"{self.url}/s/{session}/_sandbox/scenario",
            json.dumps({"name": "carrier-outage"}).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(asked).close()
        sent = urlencode({**SENT, "to": "+33600000001"})
        urllib.request.urlopen(f"{self.url}/s/{session}/sendMtSms.php?{sent}").close()

    def advance_to(self, seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(advance(self.engine, at(seconds)), self.loop).result(10)


def _answer(parcel: Parcel) -> Arrived | Lost:
    return Arrived(500, 41) if "broken" in parcel.url else Arrived(204, 3)


@contextmanager
def running(config: Config | None = None) -> Iterator[Sandbox]:
    app = create_app(config, clock=VirtualClock(NOON), carrier=FakeCarrier(_answer))
    loops: list[asyncio.AbstractEventLoop] = []

    async def in_its_loop(scope: Scope, receive: Receive, send: Send) -> None:
        if not loops:
            loops.append(asyncio.get_running_loop())
        await app(scope, receive, send)

    with serving(in_its_loop, grace_s=0) as url:
        assert loops  # the lifespan began in it
        yield Sandbox(url, app.state.engine, loops[0])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    reported: dict[str, Value] = {"confirmation": "true", "callbackUrl": RECEIVER}
    with running() as it:
        it.send(message="Your order 10023 arrives on Tuesday between 9 and 12.", senderId="ORDER", **reported)
        it.send(message="Only 9€ [this week] ~ see {example.com}", senderId="SHOP", dcs="1")
        it.send(message="رمز التحقق الخاص بك هو 1234\nلا تشاركه مع أحد", senderId="BANK", dcs="8", **reported)
        it.send(message="On its way 📦🚚 ❤️ 👩‍👧 🇪🇸 see you soon!", senderId="ORDER", dcs="8", **reported)
        it.send(message="Leave the building by the stairs.", senderId="ALERT", udh="0100")
        it.send(message="DCFFEE48656C6C6F2C20776F726C642100010203", dcs="4", udh="0605040B8423F0")
        it.send(message="A concatenated message travels in parts, ", udh="050003CC0201", senderId="NEWS")
        it.send(message="and a phone joins them.", udh="050003CC0202", senderId="NEWS")
        it.send(
            message="The receiver is broken", confirmation="true", callbackUrl="http://127.0.0.1:9000/broken"
        )
        it.send(message=SCRIPTY, senderId="HTML")
        it.advance_to(50)
        it.send(message="Later", scheduledDeliveryTime="3600", **reported)
        it.send(message="No such sender", senderId="ABCDEFGHIJKL")
        it.send(message="Too many", to="+15005550007")
        it.advance_to(60)
        it.nearly_meet_a_rule("outage")
        yield it


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    """A sandbox in which nothing has happened."""
    with running() as it:
        yield it


@contextmanager
def opened(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Open a page that must neither complain nor ask for anything from elsewhere."""
    context = chromium.new_context(**{"viewport": WIDE, "color_scheme": "light", **options})
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    elsewhere: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(
            code in message.text for code in ("401", "404", "422")
        ):
            complaints.append(message.text)

    def watch(request: Request) -> None:
        if not request.url.startswith("http://127.0.0.1:"):
            elsewhere.append(request.url)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", watch)
    yield page
    assert complaints == []
    assert elsewhere == []
    context.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with opened(chromium) as it:
        yield it


VIEWS: dict[str, dict[str, Any]] = {
    "wide": {},
    "wide-dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}


def barriers(page: Page) -> list[Any]:
    """Return what axe finds on a page, however slight."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]


@pytest.mark.parametrize("view", VIEWS)
def test_every_page_can_be_used_by_everybody(
    view: str, chromium: Browser, sandbox: Sandbox, pictures: Path
) -> None:
    """Axe finds nothing, and nothing is wider than the window."""
    options = VIEWS[view]
    with opened(chromium, **options) as page:
        for name, path in PAGES.items():
            page.goto(sandbox.url + path)
            page.screenshot(path=pictures / f"{name}-{view}.png", full_page=True)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= options.get("viewport", WIDE)["width"], name
            # Widths and colours are what the views differ in: each of both is looked at once.
            if view in {"wide", "phone-dark"}:
                assert barriers(page) == [], name


def test_a_widest_window_is_filled_with_care(chromium: Browser, sandbox: Sandbox, pictures: Path) -> None:
    with opened(chromium, viewport={"width": 1600, "height": 1000}) as page:
        for name in ("messages", "emoji", "try-out"):
            page.goto(sandbox.url + PAGES[name])
            page.screenshot(path=pictures / f"{name}-1600.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") == 1600


def test_every_page_reads_without_a_script(chromium: Browser, sandbox: Sandbox) -> None:
    with opened(chromium, java_script_enabled=False) as page:
        for path in PAGES.values():
            page.goto(sandbox.url + path)
            expect(page.locator("main")).not_to_be_empty()
            for button in page.locator(".copy, #help, #theme").all():
                expect(button).to_be_hidden()


def test_without_a_script_a_message_is_sent_and_reported(chromium: Browser, fresh: Sandbox) -> None:
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(f"{fresh.url}/send")
        page.get_by_label("To to").fill("+34600000001")
        page.get_by_label("Message message").fill("Hello\nthere")
        page.get_by_text("All parameters").click()
        page.get_by_label("Reports confirmation").select_option("true")
        page.get_by_label("Where reports go").fill(RECEIVER)
        page.get_by_role("button", name="Try it out").click()
        expect(page.locator("#outcome")).to_contain_text("It passed all 14 checks.")
        expect(page.get_by_label("Message message")).to_have_value("Hello\nthere")
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("link", name="Message m1").click()
        page.get_by_text("Send a report by hand").click()
        page.get_by_label("Status").select_option("rejected")
        page.get_by_role("button", name="Send the report").click()
        expect(page.get_by_text("It is rejected, which is final.")).to_be_visible()
        assert page.url.endswith("/messages/m1#c1")


def test_a_message_full_of_html_shows_as_text(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    expect(page.get_by_text(SCRIPTY)).to_be_visible()
    page.goto(f"{sandbox.url}/messages/m10")
    expect(page.locator(".bubble")).to_have_text(SCRIPTY)
    assert "broken into" not in page.title()


def test_a_row_is_opened_wherever_it_is_clicked(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    page.locator("tbody tr").last.locator(".c-time").click(force=True)  # the link lies over the row
    expect(page.get_by_role("heading", name="Message m1")).to_be_visible()


def test_searching_narrows_the_list(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    page.keyboard.press("/")
    page.keyboard.type('sender:ORDER "order 10023"')
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 message found of 11")


def test_right_to_left_text_begins_on_the_right(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/messages/m3")
    assert page.locator(".bubble").evaluate("each => getComputedStyle(each).direction") == "rtl"
    first, second = page.locator(".g").nth(0).bounding_box(), page.locator(".g").nth(1).bounding_box()
    assert first is not None
    assert second is not None
    assert first["x"] > second["x"]


def test_parts_read_as_one_text(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/messages/m8")
    expect(page.locator(".bubble")).to_have_text(
        "A concatenated message travels in parts, and a phone joins them."
    )
    page.get_by_role("link", name="1 · m7").click()
    expect(page.get_by_role("heading", name="Message m7")).to_be_visible()


def test_a_flash_message_lies_over_the_screen(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/messages/m5")
    expect(page.locator(".popup")).to_contain_text("Leave the building by the stairs.")


def test_a_binary_message_is_a_dump(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/messages/m6")
    expect(page.locator(".bubble pre")).to_contain_text("DC FF EE 48 65 6C 6C 6F  ···Hello")


def test_keys_lead_through_the_pages(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for key, heading in (("j", "Message m10"), ("k", "Message m9"), ("u", "Message m10")):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.locator("#help")).to_be_visible()  # the script has begun
        page.keyboard.press(key)
    expect(page.locator("tbody tr")).to_have_count(11)
    for key, heading in (("e", "Error codes"), ("q", "Readings"), ("n", "Send a message"), ("c", "Clock")):
        expect(page.locator("#help")).to_be_visible()  # the script has begun
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_a_question_mark_lists_the_keys(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_keys_are_letters_where_somebody_types(page: Page, sandbox: Sandbox) -> None:
    page.goto(f"{sandbox.url}/send")
    page.get_by_label("Message message").fill("")
    page.get_by_label("Message message").press_sequentially("g m ? / jk")
    expect(page.get_by_label("Message message")).to_have_value("g m ? / jk")


def test_the_first_stop_of_the_tab_key_skips_to_the_content(page: Page, sandbox: Sandbox) -> None:
    page.goto(sandbox.url)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_all_can_be_reached_by_tab_and_is_seen_where_it_is(page: Page, sandbox: Sandbox) -> None:
    for name in ("messages", "text", "refused", "try-out"):
        page.goto(sandbox.url + PAGES[name])
        stops = 0
        while stops < 150:
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => {
                    const it = document.activeElement;
                    if (!it || it === document.body) return null;
                    const row = it.closest('tr'), tab = it.matches('.snippets > input');
                    const drawn = tab ? document.querySelector(`label[for="${it.id}"]`) : it.matches('.row') ? row : it;
                    return getComputedStyle(drawn).outlineStyle + ' ' + it.outerHTML.slice(0, 80);
                }"""
            )
            if seen is None:
                break
            assert not seen.startswith("none"), seen
            stops += 1
        assert 10 < stops < 150


def test_light_and_dark_are_chosen_and_kept(page: Page, sandbox: Sandbox) -> None:
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto(sandbox.url)
    light = page.evaluate(background)
    page.get_by_role("button", name="Change between light and dark").click()
    assert page.evaluate(background) != light
    page.goto(f"{sandbox.url}/codes")
    assert page.evaluate(background) != light
    page.keyboard.press("t")
    assert page.evaluate(background) == light


def test_code_is_copied(chromium: Browser, sandbox: Sandbox) -> None:
    with opened(chromium, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{sandbox.url}/requests/r12")
        page.get_by_text("Python", exact=True).click()
        page.get_by_role("button", name="Copy: Python").click()
        expect(page.get_by_role("button", name="Copy: Python")).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("import requests\n")
        assert KEY not in copied


def test_what_would_come_of_it_follows_the_typing(page: Page, fresh: Sandbox) -> None:
    page.goto(f"{fresh.url}/send")
    page.get_by_label("To to").fill("+34600000001")
    page.get_by_label("Message message").press_sequentially("9€ {today}")
    expect(page.locator("#outcome")).to_contain_text("is not in ISO-8859-1: send it with dcs=8")
    page.get_by_text("All parameters").click()
    page.get_by_label("Data coding").select_option("1")
    expect(page.locator("#outcome .lead")).to_contain_text("13 of 160 septets")
    expect(page.locator("#outcome .g2")).to_have_count(3)
    page.get_by_label("Message message").fill("a" * 161)
    expect(page.locator("#outcome")).to_contain_text("1 too many")
    assert fresh.engine.store.counts()["requests"] == 0


def test_a_button_changes_the_page_without_loading_it_anew(page: Page, fresh: Sandbox) -> None:
    fresh.send(message="Hello", confirmation="true", callbackUrl=RECEIVER)
    page.goto(f"{fresh.url}/messages/m1")
    page.evaluate("window.stayed = true")
    page.get_by_text("Send a report by hand").click()
    page.get_by_label("Status").select_option("delivered")
    page.get_by_role("button", name="Send the report").click()
    expect(page.locator(".title .status")).to_have_text("delivered")
    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    assert page.evaluate("window.stayed")
    expect(page.get_by_text("The message takes this status now.")).to_be_visible()


# -- what happens is shown as it does ------------------------------------------------------------------------------


def follow(page: Page, address: str) -> None:
    """Open a page, and wait until it is told of what happens."""
    page.goto(address)
    page.evaluate("window.stayed = true")
    expect(page.locator("#line")).to_have_text("live")


def test_a_message_appears_by_itself_and_its_status_changes(page: Page, fresh: Sandbox) -> None:
    follow(page, fresh.url)
    with urllib.request.urlopen(
        f"{fresh.url}/sendMtSms.php?{urlencode({**SENT, 'message': 'By HTTP'})}"
    ) as answer:
        assert answer.read().startswith(b"OK")
    expect(page.locator("tbody tr")).to_contain_text("By HTTP")
    expect(page.locator("#count-messages")).to_have_text("1")
    expect(page.locator("tbody .c-status")).to_have_text("pending")
    fresh.advance_to(1)
    expect(page.locator("tbody .c-status")).to_have_text("delivered")
    expect(page.locator("#now")).to_have_text("12:00:01")
    assert page.evaluate("window.stayed")


def test_what_came_while_nobody_looked_is_told_and_marked_until_all_starts_over(
    page: Page, fresh: Sandbox
) -> None:
    """A tab in the background; then the keys that start over, which ask first."""
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => Boolean(window.isAside)})")

    def look(*, away: bool) -> None:
        page.evaluate(
            "isAway => { window.isAside = isAway; document.dispatchEvent(new Event('visibilitychange')); }",
            away,
        )

    fresh.send()
    follow(page, fresh.url)
    expect(page).to_have_title("Messages · panelsms sandbox")
    with page.expect_response("**/messages?limit=1"):
        look(away=True)
    fresh.send()
    fresh.send(message="The latest")
    page.clock.run_for(5000)
    expect(page).to_have_title("(2) Messages · panelsms sandbox")
    look(away=False)
    expect(page).to_have_title("Messages · panelsms sandbox")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    assert rows.evaluate_all("each => each.map(row => row.getAnimations().length)") == [1, 1, 0]
    page.keyboard.press("g")
    page.keyboard.press("x")
    expect(page.get_by_role("heading", name="Start over")).to_be_visible()
    expect(page.locator("main")).to_contain_text("3 messages")
    assert fresh.engine.store.counts()["messages"] == 3
    page.get_by_role("button", name="Start over from the beginning").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing has been sent yet")).to_be_visible()


def test_an_open_message_follows_its_reports(page: Page, fresh: Sandbox) -> None:
    fresh.send(confirmation="true", callbackUrl=RECEIVER)
    follow(page, f"{fresh.url}/messages/m1")
    page.get_by_role("button", name="Move it to what comes next").click()
    expect(page.locator(".title .status")).to_have_text("delivered")
    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    fresh.send()
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    assert page.evaluate("window.stayed")


def test_what_somebody_does_in_a_page_survives_what_happens(page: Page, fresh: Sandbox) -> None:
    """The focus, what is typed, what is opened, and where the window stands."""
    for _ in range(60):
        fresh.send()
    follow(page, fresh.url)
    page.get_by_text("What can be searched for").click()
    page.get_by_label("Search messages").fill("half a thou")
    row = page.locator("a.row[href='/messages/m30']")
    row.focus()
    before = row.evaluate("each => each.getBoundingClientRect().top")
    fresh.send(message="The latest")
    expect(page.locator("tbody tr").first).to_contain_text("The latest")
    expect(row).to_be_focused()
    expect(page.get_by_label("Search messages")).to_have_value("half a thou")
    expect(page.locator(".key-help")).to_have_attribute("open", "")
    assert abs(row.evaluate("each => each.getBoundingClientRect().top") - before) < 2


def test_what_is_typed_in_the_form_and_what_would_come_of_it_stay(page: Page, fresh: Sandbox) -> None:
    follow(page, f"{fresh.url}/send")
    page.get_by_label("Message message").press_sequentially("Hello")
    expect(page.locator("#outcome")).to_contain_text("What would come of it")
    fresh.send()
    expect(page.locator("#count-messages")).to_have_text("1")
    expect(page.locator("#outcome")).to_contain_text("What would come of it")
    expect(page.get_by_label("Message message")).to_have_value("Hello")


def test_a_lost_connection_is_seen_and_found_again(page: Page, fresh: Sandbox) -> None:
    follow(page, fresh.url)
    feed = fresh.engine.feed
    fresh.loop.call_soon_threadsafe(feed.end)
    expect(page.locator("#line")).to_have_text("no connection")
    fresh.send(message="Meanwhile")

    def begin_again() -> None:
        feed.is_over = False

    fresh.loop.call_soon_threadsafe(begin_again)
    expect(page.locator("#line")).to_have_text("live")
    expect(page.locator("tbody tr")).to_contain_text("Meanwhile")


def test_a_running_clock_is_seen_to_run(page: Page, fresh: Sandbox) -> None:
    fresh.loop.call_soon_threadsafe(fresh.engine.go_by, RunningClock(start_at=NOON, rate=60))
    follow(page, f"{fresh.url}/clock")
    seen = page.locator("#now").text_content()
    assert seen is not None
    expect(page.locator("#now")).not_to_have_text(seen)


def test_moving_the_clock_makes_the_report_appear(page: Page, fresh: Sandbox, chromium: Browser) -> None:
    fresh.send(confirmation="true", callbackUrl=RECEIVER)
    with opened(chromium) as other:
        follow(other, f"{fresh.url}/messages/m1")
        follow(page, f"{fresh.url}/clock")
        expect(page.get_by_role("row", name="in 1 s 12:00:01 m1 delivered")).to_be_visible()
        page.get_by_role("button", name="To the next report").click()
        expect(page.locator(".said")).to_have_text("Time has moved, and 1 report was sent on the way.")
        expect(page.get_by_text("Nothing is due.")).to_be_visible()
        expect(page.get_by_role("button", name="To the next report")).to_be_disabled()
        expect(other.get_by_role("button", name="Send again")).to_be_visible()
        page.keyboard.press("h")
        expect(page.locator(".big-clock")).to_have_text("2024-01-15T13:00:01Z")
        page.get_by_label("By", exact=True).fill("soon")
        page.get_by_role("button", name="Advance").first.click()
        expect(page.get_by_text("by cannot be soon")).to_be_visible()
        fresh.send()
        expect(page.get_by_role("link", name="Messages 2")).to_be_visible()
        page.go_back()
        assert page.url.endswith("/clock")


def test_without_a_script_the_clock_is_moved(chromium: Browser, fresh: Sandbox) -> None:
    fresh.send(confirmation="true", callbackUrl=RECEIVER)
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(f"{fresh.url}/clock")
        page.get_by_role("button", name="1 hour").click()
        expect(page.get_by_text("1 report was sent on the way.")).to_be_visible()
        expect(page.locator(".big-clock")).to_have_text("2024-01-15T13:00:00Z")
        page.get_by_text("Another clock").click()
        page.get_by_label("Mode").fill("x60")
        page.get_by_role("button", name="Go by it").click()
        page.get_by_role("button", name="Freeze it").click()
        expect(page.get_by_text("time stands until it is moved")).to_be_visible()


def test_a_scenario_is_edited_with_a_mistake_and_then_without(
    page: Page, fresh: Sandbox, pictures: Path
) -> None:
    follow(page, f"{fresh.url}/scenario")
    editor = page.get_by_label("The scenario as YAML")
    editor.fill("name: mine\nrules:\n  - name: full\n    respond: {eror: 6}\n")
    told = page.locator("#mistakes")
    expect(told).to_contain_text("did you mean error?")
    expect(page.locator("#gutter b")).to_have_text("4")
    page.screenshot(path=pictures / "scenario-mistake.png")
    assert barriers(page) == []
    told.get_by_role("listitem").filter(has_text="did you mean").get_by_role("link").click()
    expect(editor).to_be_focused()
    assert editor.evaluate("each => each.value.slice(each.selectionStart)").startswith("eror: 6")
    editor.fill("name: mine\nrules:\n  - name: full\n    respond: {error: 6}\n")
    expect(told).to_have_text("No mistakes.")
    expect(page.locator("#gutter b")).to_have_count(0)
    assert fresh.engine.scenario.name == "default"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("mine is played from its start.")
    expect(page.get_by_role("heading", name="Scenario mine")).to_be_visible()
    assert page.evaluate("window.stayed")
    fresh.send()
    expect(page.get_by_role("row", name="1 full any request")).to_be_visible()


def test_what_is_typed_in_the_editor_survives_what_happens(page: Page, fresh: Sandbox) -> None:
    follow(page, f"{fresh.url}/scenario")
    editor = page.get_by_label("The scenario as YAML")
    editor.fill("name: half")
    expect(page.locator("#mistakes")).to_have_text("No mistakes.")
    fresh.send()
    expect(page.locator("#count-messages")).to_have_text("1")
    expect(editor).to_have_value("name: half")
    expect(page.locator("#mistakes")).to_have_text("No mistakes.")


def test_a_text_with_mistakes_stays_in_the_editor(page: Page, fresh: Sandbox) -> None:
    follow(page, f"{fresh.url}/scenario")
    page.get_by_label("The scenario as YAML").fill("name: mine\nrulez: []")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-typed]")).to_be_visible()
    expect(page.locator("#line")).to_have_text("live")
    fresh.send()
    expect(page.locator("#count-messages")).to_have_text("1")
    expect(page.get_by_label("The scenario as YAML")).to_have_value("name: mine\nrulez: []")
    expect(page.locator("#gutter b")).to_have_text("2")


def test_without_a_script_a_scenario_is_edited_and_switched(chromium: Browser, fresh: Sandbox) -> None:
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(f"{fresh.url}/scenario")
        page.get_by_label("The scenario as YAML").fill("name: mine\nrulez: []")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("#mistakes")).to_contain_text("did you mean rules?")
        expect(page.get_by_label("The scenario as YAML")).to_have_value("name: mine\nrulez: []")
        page.get_by_label("The scenario as YAML").fill("name: mine")
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#mistakes")).to_contain_text("No mistakes.")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".said")).to_contain_text("mine is played from its start.")
        page.get_by_role("button", name="Switch with roaming").click()
        expect(page.get_by_role("heading", name="Scenario roaming")).to_be_visible()


@pytest.mark.parametrize("has_script", [True, False])
def test_signing_in_opens_the_pages(chromium: Browser, pictures: Path, *, has_script: bool) -> None:
    with (
        running(Config(admin_token="open sesame")) as closed,
        opened(chromium, java_script_enabled=has_script) as page,
    ):
        page.goto(f"{closed.url}/requests?q=is:refused")
        if has_script:
            assert barriers(page) == []
            page.screenshot(path=pictures / "sign-in.png")
        page.get_by_label("Admin token").fill("open barley")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text(
            "That is not the token that the server was started with."
        )
        page.get_by_label("Admin token").fill("open sesame")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Search requests")).to_have_value("is:refused")
        if has_script:
            expect(page.locator("#line")).to_have_text("live")
        page.get_by_role("button", name="sign out").click()
        expect(page.get_by_label("Admin token")).to_be_visible()
