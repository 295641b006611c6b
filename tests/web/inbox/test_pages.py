"""The pages over HTTP: what each shows, and what none ever does."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.model import Unreadable
from tests.web.inbox.visits import KEY, PAGES, REPORTED, SENT, Browser, browser
from tests.worlds import NOON

pytestmark = pytest.mark.anyio

SCRIPTY = "<script>alert('x')</script><b>\"&"


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


@pytest.fixture
async def busy() -> AsyncIterator[Browser]:
    """A browser on a sandbox in which much has happened."""
    async with browser() as opened:
        world = opened.world
        world.accept(REPORTED, message="Only 9€ [today]", senderId="ORDER", dcs="1")
        world.accept(SENT, message="رمز التحقق", dcs="8")
        world.accept(SENT, message="Leave now", udh="0100")
        world.accept(SENT, message="DEADBEEF48656C6C6F", dcs="4", udh="0605040B8423F0")
        world.accept(REPORTED, message="first, ", udh="050003CC0201")
        world.accept(REPORTED, message="second", udh="050003CC0202")
        world.accept(REPORTED, message="x", callbackUrl="http://127.0.0.1:9000/broken")
        world.accept(SENT, message=SCRIPTY, transactionId=SCRIPTY)
        await world.pass_time(3)
        world.accept(REPORTED, message="later", scheduledDeliveryTime="3600")
        world.accept(SENT, message="slow", to="+15005551010")
        world.send(SENT, to=SCRIPTY)
        world.send(SENT, to="+15005550007")
        world.send(SENT, to="+15005552003")
        world.send(SENT, message=Unreadable("is not UTF-8", b"\xff\x00"))
        yield opened


def addresses(opened: Browser) -> list[str]:
    """Return every page there is to see."""
    store = opened.world.engine.store
    return [
        *PAGES,
        *(f"/messages/m{message.number}" for message in store.messages()),
        *(f"/requests/r{request.number}" for request in store.requests()),
        *(f"/send?sent=r{request.number}" for request in store.requests()),
        *(f"/send?code={code}" for code in range(1, 16)),
        "/?q=to:%2B34+x:y",
        "/requests?q=is:refused",
    ]


async def test_every_page_is_there_when_nothing_has_happened(page: Browser) -> None:
    for path in PAGES:
        await page.visit(path)


async def test_every_page_is_there_when_much_has_happened(busy: Browser) -> None:
    for path in addresses(busy):
        await busy.visit(path)


async def test_no_page_shows_a_key(busy: Browser) -> None:
    for path in addresses(busy):
        shown = await busy.visit(path)
        assert KEY not in shown.html
    assert "kP…wn" in (await busy.visit("/requests/r1")).text


async def test_no_page_shows_the_password_of_a_callback_url(page: Browser) -> None:
    secret = "http://me:hunter2hunter2@127.0.0.1:9000/dlr?apikey=abcdefgh"
    page.world.accept(REPORTED, callbackUrl=secret)
    await page.world.pass_time(2)
    for path in (*addresses(page), "/send?from=r1"):
        shown = await page.visit(path)
        assert "hunter2" not in shown.html
        assert "abcdefgh" not in shown.html


async def test_nothing_that_was_sent_is_markup(busy: Browser) -> None:
    for path in addresses(busy):
        shown = await busy.visit(path)
        assert "<script>alert" not in shown.html
        assert all(script.get("src") for script in shown.elements.named("script"))


async def test_a_message_full_of_html_shows_as_text(busy: Browser) -> None:
    assert SCRIPTY in (await busy.visit("/")).text
    assert SCRIPTY in (await busy.visit("/messages/m8")).text


async def test_no_page_needs_what_its_policy_forbids(busy: Browser) -> None:
    for path in addresses(busy):
        shown = await busy.visit(path)
        for element in shown.elements.all:
            assert "style" not in element, f"{path}: {element}"
            assert not [name for name in element if name.startswith("on")]
            assert element.name not in {"style", "base", "iframe", "object", "embed"}


async def test_every_answer_forbids_what_is_from_elsewhere(busy: Browser) -> None:
    for path in ("/", "/messages/m1", "/messages/m999", "/static/inbox.css", "/nowhere"):
        answer = await busy.client.get(path, headers={"Accept": "text/html"})
        directives = answer.headers["Content-Security-Policy"].split("; ")
        policy = {name: value for name, _, value in (each.partition(" ") for each in directives)}
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert {policy[f"{kind}-src"] for kind in ("style", "script", "img", "connect")} == {"'self'"}
        assert policy["form-action"] == "'self'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_every_link_of_a_page_leads_somewhere(busy: Browser) -> None:
    seen: set[str] = set()
    for path in addresses(busy):
        for link in (await busy.visit(path)).links():
            seen.add(link.partition("#")[0])
    for link in sorted(seen - {""}):
        assert link.startswith("/")
        answer = await busy.client.get(link)
        assert answer.status_code == 200, link


async def test_every_fragment_of_a_link_is_on_its_page(busy: Browser) -> None:
    for path in addresses(busy):
        elements = (await busy.visit(path)).elements
        ids = [each["id"] for each in elements.all if "id" in each]
        assert sorted(ids) == sorted(set(ids)), path
        for element in elements.all:
            if element.get("href", "").startswith("#"):
                assert element["href"][1:] in ids
            for name in ("for", "aria-labelledby", "aria-describedby", "list"):
                assert element.get(name, ids[0]) in ids, f"{path}: {element}"


async def test_pages_of_a_session_stay_in_it(page: Browser) -> None:
    await page.client.get("/s/test-7/sendMtSms.php", params=SENT)
    for path in (
        "/",
        "/messages/m1",
        "/requests",
        "/requests/r1",
        "/send",
        "/codes",
        "/readings",
        "/messages/m9",
    ):
        shown = await page.visit(f"/s/test-7{path}", 404 if path.endswith("m9") else 200)
        assert "test-7" in shown.text
        for element in shown.elements.all:
            for name in ("href", "src", "action"):
                assert element.get(name, "/s/test-7/").startswith(("/s/test-7", "#"))
    assert "Nothing has been sent yet" in (await page.visit("/")).text


async def test_a_session_has_an_address_of_its_own_to_send_to(page: Browser) -> None:
    assert "http://127.0.0.1:7670/s/test-7/sendMtSms.php" in (await page.visit("/s/test-7/")).text


async def test_the_first_page_teaches_where_to_send(page: Browser) -> None:
    text = (await page.visit("/")).text
    assert "http://127.0.0.1:7670/sendMtSms.php" in text
    assert "curl http://127.0.0.1:7670/sendMtSms.php" in text


@pytest.mark.parametrize("path", ["/", "/requests", "/clock", "/scenario/rule?name=error-6"])
async def test_an_empty_page_holds_the_call_that_fills_it(page: Browser, path: str) -> None:
    assert "curl http://127.0.0.1:7670/sendMtSms.php" in (await page.visit(path)).text
    page.world.accept(SENT)
    assert "curl http" not in (await page.visit(path)).text


async def test_messages_are_listed_newest_first(page: Browser) -> None:
    for number in range(3):
        page.world.accept(SENT, message=f"text {number}")
    text = (await page.visit("/")).text
    assert text.index("text 2") < text.index("text 1") < text.index("text 0")


async def test_a_list_goes_on_where_its_page_ended_whatever_arrives(page: Browser) -> None:
    for number in range(250):
        page.world.accept(SENT, message=f"({number})")
    seen: list[int] = []
    link = "/"
    while link:
        shown = await page.visit(link)
        seen += [int(found) for found in re.findall(r"\((\d+)\)</bdi>", shown.html)]
        page.world.accept(SENT, message="(999)")
        link = next(iter(shown.links("after=")), "")
    assert seen == list(range(249, -1, -1))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("to:+34", {"m1", "m2", "m3"}),
        ("to:0002", {"m2"}),
        ("sender:order", {"m1"}),
        ("senderId:ORDER", {"m1"}),
        ("status:delivered", {"m1", "m2"}),
        ("status:waiting", {"m3"}),
        ("status:scheduled", {"m3"}),
        ("dcs:8", {"m2"}),
        ("is:flash", {"m4"}),
        ("is:reported", {"m1"}),
        ("is:scheduled", {"m3"}),
        ("is:binary", set()),
        ("is:part", {"m5"}),
        ("id:t-1", {"m1"}),
        ("user:you@example.com code", {"m1"}),
        ('"your code"', {"m1"}),
        ("-to:+34", {"m4", "m5"}),
        ("text:code -sender:ORDER", set()),
        ("whole story", {"m5"}),
    ],
)
async def test_messages_are_searched(page: Browser, typed: str, found: set[str]) -> None:
    world = page.world
    world.accept(REPORTED, message="Your code is 1", senderId="ORDER", transactionId="T-1")
    world.accept(SENT, message="Ω", dcs="8", to="+34600000002")
    world.clock.move_to(NOON)
    await world.pass_time(2)
    world.accept(SENT, message="later", scheduledDeliveryTime="60")
    world.accept(SENT, message="Leave", udh="0100", to="+447700900123")
    world.accept(SENT, message="the whole story", udh="050003CC0101", to="+447700900124")
    if typed.startswith("status:"):
        typed += " to:+34"
    shown = await page.visit("/", q=typed)
    assert {link.rpartition("/")[2] for link in shown.links("/messages/m")} == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("is:refused", {"r2", "r3"}),
        ("is:accepted", {"r1"}),
        ("is:broken", {"r4"}),
        ("is:hinted", {"r2"}),
        ("error:5", {"r2"}),
        ("error:7", {"r3"}),
        ("rule:error-7", {"r3"}),
        ("to:+1500", {"r3", "r4"}),
        ("method:get", {"r1", "r2", "r3", "r4"}),
        ("id:t-1", {"r1"}),
        ("sender:order", {"r1"}),
        ("user:you@example.com -is:refused", {"r1", "r4"}),
        ("letter", {"r2"}),
        (KEY, set()),
    ],
)
async def test_requests_are_searched(page: Browser, typed: str, found: set[str]) -> None:
    page.world.accept(SENT, senderId="ORDER", transactionId="T-1")
    page.world.send(SENT, to="recipient", TO="x")
    page.world.send(SENT, to="+15005550007")
    page.world.send(SENT, to="+15005552003")
    record = page.world.engine.store.request(2)
    assert record is not None
    page.world.engine.store.add_request(record._replace(hints=("odd",)))
    shown = await page.visit("/requests", q=typed)
    assert {link.rpartition("/")[2] for link in shown.links("/requests/r")} == found


async def test_what_cannot_be_searched_for_is_said_beside_the_list(page: Browser) -> None:
    page.world.accept(SENT)
    shown = await page.visit("/", q="form:x dcs:9")
    assert "form: is no key." in shown.text
    assert "dcs:9 is never so" in shown.text
    assert shown.links("/messages/m1")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/messages/m9", 404, "There is no message m9"),
        ("/messages/9", 404, "ids look like m12"),
        ("/messages/m01", 404, "ids look like m12"),
        ("/messages/m" + "9" * 30, 404, "ids look like m12"),
        ("/requests/r9", 404, "There is no request r9"),
        ("/requests/latest", 404, "ids look like r12"),
        ("/requests/%2e%2e%2fsecret", 404, "Nothing is at /"),
        ("/?after=x", 422, "after: x is no id"),
        ("/?after=r1", 422, "after: r1 is no id"),
        ("/?limit=5", 422, "there is no parameter limit here, it takes after, q"),
        ("/?Q=5", 422, "there is no parameter Q here"),
        ("/codes?x=1", 422, "it takes none"),
        ("/send?apiKey=secret", 422, "there is no parameter apiKey here"),
        ("/send?code=16", 422, "code cannot be 16"),
        ("/send?sent=r9", 404, "There is no request r9"),
        ("/nowhere", 404, "Nothing is at /"),
        ("/static/nothing.css", 404, "Nothing is at /"),
        ("/static/../pages.py", 404, "Nothing is at /"),
        ("/static/%2e%2e/pages.py", 404, "Nothing is at /"),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(
    page: Browser, path: str, status: int, said: str
) -> None:
    shown = await page.visit(path, status)
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert said in shown.text


async def test_a_program_is_not_answered_with_a_page(page: Browser) -> None:
    for accepted in ("*/*", "application/json", "application/json, text/html"):
        answer = await page.client.get("/nowhere", headers={"Accept": accepted})
        assert answer.status_code == 404
        assert "<html" not in answer.text


@given(
    st.sampled_from(PAGES),
    st.dictionaries(st.sampled_from(["q", "after", "sent", "to", "é"]), st.text(max_size=30), max_size=3),
)
def test_no_query_makes_a_page_fail(path: str, query: dict[str, str]) -> None:
    async def ask() -> int:
        async with browser() as opened:
            opened.world.accept(SENT)
            return (await opened.client.get(path, params=query)).status_code

    assert anyio.run(ask) in {200, 404, 422}


@given(
    st.sampled_from(
        ["/clock", "/clock/advance", "/scenario", "/messages/m1/reports", "/callbacks/c1/replay"]
    ),
    st.dictionaries(
        st.sampled_from(["by", "to", "mode", "now", "name", "yaml", "do", "status", "errorCode"]),
        st.text(max_size=30)
        | st.sampled_from(["1h", "report", "virtual", "x60", "check", "9999-12-31T23:59:59Z"]),
        max_size=3,
    ),
)
def test_no_form_makes_a_page_fail(path: str, form: dict[str, str]) -> None:
    async def post() -> int:
        async with browser() as opened:
            opened.world.accept(REPORTED)
            return (await opened.client.post(path, data=form)).status_code

    assert anyio.run(post) in {303, 200, 404, 409, 422}


async def test_messages_is_another_name_of_the_first_page(page: Browser) -> None:
    shown = await page.visit("/messages?q=a", 303)
    assert shown.headers["Location"] == "/?q=a"


async def test_a_head_request_has_no_body(page: Browser) -> None:
    answer = await page.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_whole_page_is_light(page: Browser) -> None:
    """A hundred messages, each as long as they come, with all that the page loads."""
    for _ in range(120):
        page.world.accept(REPORTED, message="📦" * 35, dcs="8", senderId="ABCDEFGHIJK")
    shown = await page.visit("/")
    weight = len(shown.html.encode())
    loaded = [each.get("src") or each["href"] for each in shown.elements.named("script", "link")]
    for path in loaded:
        weight += len((await page.client.get(path)).content)
    assert len(loaded) == 4
    assert weight < 150_000


async def test_long_values_make_no_heavy_page(page: Browser) -> None:
    page.world.send(SENT, user="u" * 60_000, message="m" * 60_000, **{"n" * 60_000: "v" * 60_000})
    for path in ("/requests", "/requests/r1", "/send?sent=r1"):
        assert len((await page.visit(path)).html) < 150_000


def test_rendering_waits_for_the_first_page() -> None:
    program = (
        "import sys, sandbox.web.inbox\n"
        "print(*sorted({'jinja2', 'markupsafe', 'aiohttp', 'httpx'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == ""
