"""The form that sends: what it fills in, what it sends, what it says would come of it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sandbox import contract
from sandbox.core.model import Account, Accounts
from sandbox.sources import builtin
from tests.web.inbox.visits import KEY, SENT, Browser, Shown, browser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


def fields(shown: Shown) -> dict[str, str]:
    """Return what stands in the fields of the form; a selection's value is its selected option."""
    html = shown.html
    text = html.partition('name="message"')[2].partition(">")[2].partition("</textarea>")[0]
    inputs = {each["name"]: each.get("value", "") for each in shown.elements.named("input") if "name" in each}
    return {**inputs, "message": text.removeprefix("\n")}


async def test_a_message_is_sent_and_its_answer_shown(page: Browser) -> None:
    sent = await page.post("/send", to="+34600000001", message="Hello")
    assert sent.headers["Location"] == "/send?sent=r1"
    shown = await page.visit("/send?sent=r1")
    assert "It was answered" in shown.text
    assert "OK_1000001" in shown.text
    assert shown.links("/messages/m1")
    assert "curl" in shown.text
    assert fields(shown)["message"] == "Hello"


async def test_who_sends_is_filled_in_and_empty_fields_are_not_sent(page: Browser) -> None:
    await page.post("/send", to="+34600000001", message="Hello", senderId="", user="", apiKey="", dcs="")
    record = page.world.engine.store.request(1)
    assert record is not None
    assert record.call.parameters == {
        "user": "you@example.com",
        "apiKey": "secret",
        "to": "+34600000001",
        "message": "Hello",
    }
    assert record.hints == ()


@pytest.mark.parametrize(
    ("accounts", "typed", "used"),
    [
        (Accounts({}, anyone=True), {}, ("you@example.com", "secret")),
        (Accounts({}, anyone=True), {"user": "me"}, ("me", "secret")),
        (
            Accounts({"a": Account("a", "k-a", disabled=True), "b": Account("b", "k-b")}, anyone=False),
            {},
            ("b", "k-b"),
        ),
        (
            Accounts({"a": Account("a", "k-a"), "b": Account("b", "k-b")}, anyone=False),
            {"user": "b"},
            ("b", "k-b"),
        ),
        (Accounts({"a": Account("a", "k-a")}, anyone=False), {"apiKey": "mine"}, ("a", "mine")),
        (Accounts({"a": Account("a", "k-a")}, anyone=False), {"user": "c"}, ("c", "secret")),
        (Accounts({}, anyone=False), {}, ("you@example.com", "secret")),
    ],
)
async def test_the_credentials_are_those_of_the_scenario(
    accounts: Accounts, typed: dict[str, str], used: tuple[str, str]
) -> None:
    async with browser(replace(builtin("default").scenario, accounts=accounts)) as opened:
        await opened.post("/send", to="+34600000001", message="Hello", **typed)
        record = opened.world.engine.store.request(1)
        assert record is not None
        assert (record.call.parameters["user"], record.call.parameters["apiKey"]) == used


async def test_a_line_ends_as_on_a_phone(page: Browser) -> None:
    await page.client.post(
        "/send",
        content=b"to=%2B34600000001&message=a%0D%0Ab%00",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    record = page.world.engine.store.request(1)
    assert record is not None
    assert record.call.parameters["message"] == "a\nb\x00"


async def test_octets_that_are_no_text_are_sent_as_they_are(page: Browser) -> None:
    await page.client.post("/send", content=b"to=%2B34600000001&message=%FF&dcs=4")
    message = page.world.engine.store.message(1)
    assert message is not None
    assert message.submission.encoded.octets == b"\xff"


async def test_trying_out_sends_nothing(page: Browser) -> None:
    shown = await page.post(
        "/send", 200, to="+15005551002", message="9€", dcs="1", user="", apiKey=KEY, do="try"
    )
    assert page.world.engine.store.counts()["requests"] == 0
    assert "What would come of it" in shown.text
    assert "Rule every-step decided." in shown.text
    assert "after 3 s delivered" in shown.text
    assert "3 of 160 septets" in shown.text
    assert KEY not in shown.html
    assert (fields(shown)["to"], fields(shown)["user"]) == ("+15005551002", "")


async def test_trying_out_says_what_would_be_refused(page: Browser) -> None:
    shown = await page.post("/send", 200, to="+34600000001", message="Ω" * 71, dcs="8", do="try")
    assert "Check 11 of 14, length, refused it." in shown.text
    assert "1 too many" in shown.text


async def test_a_link_fills_the_form_and_tries_it_out(page: Browser) -> None:
    shown = await page.visit("/send", to="+34600000001", message="<b>", senderId="ORDER")
    assert (fields(shown)["to"], fields(shown)["senderId"]) == ("+34600000001", "ORDER")
    assert fields(shown)["message"] == "&lt;b&gt;"
    assert "What would come of it" in shown.text


@pytest.mark.parametrize("code", range(1, 16))
async def test_the_example_of_each_code_provokes_it(page: Browser, code: int) -> None:
    shown = await page.visit("/send", code=str(code))
    assert f"ERROR_{code} " in shown.text
    if code == 2:  # its key is not in the form, which shows none
        return
    form = {name: value for name, value in fields(shown).items() if value and name != "as"}
    row = contract.error_codes()[code - 1]
    form |= {name: value for name, value in row.example.items() if name == "dcs"}
    await page.post("/send", **form)
    record = page.world.engine.store.request(1)
    assert record is not None
    assert record.error == code


async def test_every_example_is_accepted(page: Browser) -> None:
    shown = await page.visit("/send")
    examples = shown.links("/send?to=")
    assert len(examples) == 8
    for link in examples:
        tried = await page.visit(link)
        assert "It passed all 14 checks." in tried.text, link


async def test_a_request_can_be_edited_and_sent_again(page: Browser) -> None:
    page.world.accept(SENT, message="  two\nlines", senderId="ORDER")
    (link,) = (await page.visit("/requests/r1")).links("/send?from=")
    again = fields(await page.visit(link))
    assert (again["message"], again["senderId"], again["to"]) == ("  two\nlines", "ORDER", "+34600000001")
    assert again["apiKey"] == ""


async def test_the_numbers_that_rules_are_about_are_offered(page: Browser) -> None:
    shown = await page.visit("/send")
    assert {"+15005551003", "+15005552001"} <= {each.get("value") for each in shown.elements.named("option")}


async def test_a_form_that_is_too_large_is_refused(page: Browser) -> None:
    answer = await page.client.post("/send", content=b"message=" + b"a" * 70_000)
    assert answer.status_code == 413
    assert "more than 64 KiB" in answer.text


async def test_a_report_before_the_answer_is_waited_for(page: Browser) -> None:
    await page.post(
        "/send", to="+15005551009", message="x", confirmation="true", callbackUrl="http://127.0.0.1:9000/dlr"
    )
    assert len(page.carrier.parcels) == 1
