"""Signing in with the admin token, and out: what is shown before, where it leads, what it keeps."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.app import create_app
from sandbox.config import Config
from sandbox.web.guard import TOKEN_COOKIE
from tests.web.inbox.visits import HTML, PAGES, SENT, Elements
from tests.worlds import FakeCarrier

pytestmark = pytest.mark.anyio

TOKEN = "correct horse; battery=staple"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Config(admin_token=TOKEN, scenario="carrier-outage"), carrier=FakeCarrier())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7670", headers=HTML) as it:
        yield it
    await app.state.sessions.close()


async def sign_in(client: httpx.AsyncClient, token: str = TOKEN, **more: str) -> httpx.Response:
    return await client.post("/sign-in", data={"token": token, **more})


def next_of(answer: httpx.Response) -> str:
    """Return where the form leads."""
    (field,) = [each for each in Elements(answer.text).named("input") if each.get("name") == "next"]
    return field["value"]


async def test_a_page_without_the_token_is_a_form_and_shows_nothing_else(client: httpx.AsyncClient) -> None:
    await client.get("/sendMtSms.php", params={**SENT, "message": "Only for us"})
    for path in (*PAGES, "/messages/m1", "/requests/r1", "/nowhere"):
        answer = await client.get(path)
        assert answer.status_code == 401
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert next_of(answer) == path
        for kept in ("Only for us", "carrier-outage", SENT["to"], "Set-Cookie"):
            assert kept not in answer.text


async def test_the_token_opens_what_one_wanted_to_see(client: httpx.AsyncClient) -> None:
    asked = await client.get("/requests?q=to:%2B34+a%20b")
    opened = await sign_in(client, next=next_of(asked))
    assert opened.status_code == 303
    assert opened.headers["Location"] == "/requests?q=to:%2B34+a%20b"
    assert (await client.get(opened.headers["Location"])).status_code == 200
    assert (await client.get("/_sandbox/messages")).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_sites(client: httpx.AsyncClient) -> None:
    made = (await sign_in(client)).headers["Set-Cookie"]
    assert made.startswith(f"{TOKEN_COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} == set(made.split("; ")[1:])


@pytest.mark.parametrize("token", ["", "wrong", TOKEN.upper(), TOKEN + "x", "\ud7ff", "é"])
async def test_a_wrong_token_says_so_and_opens_nothing(client: httpx.AsyncClient, token: str) -> None:
    answer = await sign_in(client, token, next="/clock")
    assert answer.status_code == 401
    assert "That is not the token" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert next_of(answer) == "/clock"
    assert (await client.get("/")).status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        " //evil.example",
        "/\t/evil.example",
        "",
        "clock",
    ],
)
async def test_signing_in_leads_to_no_other_site(client: httpx.AsyncClient, elsewhere: str) -> None:
    opened = await sign_in(client, next=elsewhere)
    assert opened.headers["Location"] == "/"
    assert next_of(await client.get("/sign-in", params={"next": elsewhere})) == ""


async def test_signing_out_closes_the_pages_again(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    assert "sign out" in (await client.get("/")).text
    left = await client.post("/sign-out")
    assert (left.status_code, left.headers["Location"]) == (303, "/")
    assert (await client.get("/")).status_code == 401


async def test_pages_of_a_session_lead_back_into_it(client: httpx.AsyncClient) -> None:
    asked = await client.get("/s/test-7/clock")
    (form,) = Elements(asked.text).named("form")
    assert form["action"] == "/s/test-7/sign-in"
    opened = await client.post(form["action"], data={"token": TOKEN, "next": next_of(asked)})
    assert opened.headers["Location"] == "/s/test-7/clock"
    assert (await client.post("/s/test-7/sign-in", data={"token": TOKEN})).headers["Location"] == "/s/test-7/"


async def test_what_the_form_looks_like_needs_no_token(client: httpx.AsyncClient) -> None:
    page = Elements((await client.get("/s/a/")).text)
    for path in (each.get("src") or each["href"] for each in page.named("link", "script")):
        assert (await client.get(path)).status_code == 200


async def test_nothing_is_done_without_the_token(client: httpx.AsyncClient) -> None:
    for path in ("/clock", "/clock/advance", "/scenario", "/send", "/messages/m1/reports"):
        answer = await client.post(path, data={"mode": "virtual", "name": "default", "by": "1h"})
        assert answer.status_code == 401
        assert next_of(answer) == ""
    assert (await client.get("/_sandbox/health")).json()["scenario"] == "carrier-outage"


async def test_a_form_that_is_too_large_is_told_so(client: httpx.AsyncClient) -> None:
    assert "more than 64 KiB" in (await sign_in(client, "x" * 70_000)).text


async def test_another_site_signs_nobody_in_or_out(client: httpx.AsyncClient) -> None:
    for path in ("/sign-in", "/sign-out"):
        answer = await client.post(path, data={"token": TOKEN}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


async def test_a_sandbox_without_a_token_has_no_form() -> None:
    app = create_app(carrier=FakeCarrier())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7670") as open_client:
        for path in ("/sign-in", "/sign-out"):
            assert (await open_client.post(path)).status_code == 404
        assert not re.search("sign out", (await open_client.get("/")).text)
    await app.state.sessions.close()
