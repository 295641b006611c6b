"""Who may ask: the Host that is asked, the site that asks, the admin token."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from sandbox.app import create_app
from sandbox.config import Config
from sandbox.web.guard import (
    TOKEN_COOKIE,
    Guard,
    cookie,
    has_token,
    host_fault,
    host_name,
    is_token,
    site_fault,
)
from tests.worlds import VALID, FakeCarrier

pytestmark = pytest.mark.anyio

TOKEN = "correct-horse"


def headers(**values: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in values.items()]


# -- Host --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:7670",
        "192.168.1.5:80",
        "8.8.8.8",
        "[::1]",
        "[::1]:7670",
        "[fe80::1]:7670",
        "localhost",
        "LOCALHOST:7670",
        "localhost.",
        "sandbox",
        "sandbox:7670",
        "my_sandbox-1",
        "host.docker.internal",
        "Host.Docker.Internal:7670",
        "sms.example.com",
        "SMS.example.com.:443",
    ],
)
async def test_hosts_that_are_answered(host: str) -> None:
    assert host_fault([host], {"sms.example.com"}) is None


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("evil.example", "evil.example"),
        ("evil.example:7670", "evil.example"),
        ("localhost.evil.example", "localhost.evil.example"),
        ("127.0.0.1.evil.example", "127.0.0.1.evil.example"),
        ("1.2.3", "1.2.3"),
        ("0x7f.1", "0x7f.1"),
        ("sub.host.docker.internal", "sub.host.docker.internal"),
        ("other.sms.example.com", "other.sms.example.com"),
        ("", "NAME"),
        ("a b", "NAME"),
        ("user@localhost", "NAME"),
        ("localhost:port", "NAME"),
        ("localhost/evil", "NAME"),
        ("[::1", "NAME"),
        ("::1", "NAME"),
        ("é", "U+00E9"),
    ],
)
async def test_hosts_that_are_not_answered(host: str, named: str) -> None:
    fault = host_fault([host], {"sms.example.com"})
    assert fault is not None
    assert fault.endswith(f"ask by IP address or as localhost, or start with --allow-host {named}")


async def test_each_of_several_hosts_must_do_and_one_must_be_there() -> None:
    assert host_fault(["localhost", "evil.example"], ()) is not None
    assert host_fault([], ()) == "the request has no Host: name the address in it, such as 127.0.0.1:7670"


@pytest.mark.parametrize(
    ("host", "name"),
    [("Sandbox.Example:7670", "sandbox.example"), ("[::1]:7670", "::1"), ("x:", "x"), (":1", None)],
)
async def test_the_name_in_a_host(host: str, name: str | None) -> None:
    assert host_name(host) == name


# -- the site that asks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"origin": "http://127.0.0.1:7670"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "https://127.0.0.1"},
        {"origin": "http://known.example"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_writes_of_our_own_pages_and_of_no_page(given: dict[str, str]) -> None:
    assert site_fault(headers(host="127.0.0.1:7670", **given), {"known.example"}) is None


@pytest.mark.parametrize(
    "given",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://evil.example:7670"},
        {"origin": "http://127.0.0.1.evil.example:7670"},
        {"origin": "http://localhost:7670"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "file://"},
        {"origin": "http://[::1"},
        {"origin": "chrome-extension://127.0.0.1"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://127.0.0.1:7670", "sec_fetch_site": "cross-site"},
    ],
)
async def test_writes_of_pages_of_another_site(given: dict[str, str]) -> None:
    fault = site_fault(headers(host="127.0.0.1:7670", **given))
    assert fault is not None
    assert fault.startswith("a page of another site")


# -- the token ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer  {TOKEN} "},
        {"cookie": f"{TOKEN_COOKIE}={TOKEN}"},
        {"cookie": f"a=b; {TOKEN_COOKIE}={TOKEN}; c=d"},
        {"authorization": "Bearer wrong", "cookie": f"{TOKEN_COOKIE}={TOKEN}"},
    ],
)
async def test_ways_to_show_the_token(given: dict[str, str]) -> None:
    assert has_token(headers(**given), TOKEN)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN.upper()}"},
        {"authorization": "Bearer \xff"},
        {"cookie": f"other={TOKEN}"},
        {"cookie": TOKEN_COOKIE},
        {"cookie": f"{TOKEN_COOKIE}="},
    ],
)
async def test_what_does_not_show_the_token(given: dict[str, str]) -> None:
    assert not has_token(headers(**given), TOKEN)


@pytest.mark.parametrize("token", [TOKEN, "a=b; c", "€ uro", 'x"y', "~"])
async def test_a_cookie_keeps_any_token_out_of_reach_of_scripts_and_sites(token: str) -> None:
    made = cookie(token)
    pair, *attributes = made.split("; ")
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Strict"}
    assert has_token(headers(cookie=pair), token)
    assert "Secure" in cookie(token, is_secure=True).split("; ")
    assert is_token(token.encode(), token)


# -- an application ----------------------------------------------------------------------------------


def client_of(app: ASGIApp, **given: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:7670", headers=given
    )


@pytest.fixture
async def open_client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(
        create_app(Config(allow_host=("sms.example.com",)), carrier=FakeCarrier())
    ) as client:
        yield client


@pytest.fixture
async def closed_client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(Config(admin_token=TOKEN), carrier=FakeCarrier())) as client:
        yield client


def refused(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/_sandbox/health", "/_sandbox/messages", "/s/a/_sandbox/clock", "/nothing"]
)
async def test_another_host_is_misdirected(open_client: httpx.AsyncClient, path: str) -> None:
    answer = await open_client.get(path, headers={"Host": "evil.example"})
    assert "--allow-host evil.example" in refused(answer, 421)
    assert answer.json()["title"] == "Misdirected Request"


async def test_a_host_that_is_allowed_is_answered(open_client: httpx.AsyncClient) -> None:
    answer = await open_client.get("/_sandbox/health", headers={"Host": "sms.example.com"})
    assert answer.status_code == 200


async def test_another_site_reads_nothing_anew_but_writes_nothing_at_all(
    open_client: httpx.AsyncClient,
) -> None:
    foreign = {"Origin": "http://evil.example"}
    assert (await open_client.get("/_sandbox/health", headers=foreign)).status_code == 200
    for method, path in (
        ("POST", "/_sandbox/reset"),
        ("DELETE", "/_sandbox/messages"),
        ("PUT", "/_sandbox/clock"),
        ("PATCH", "/_sandbox/accounts/a"),
        ("DELETE", "/s/a"),
        ("POST", "/s/a/_sandbox/reset"),
    ):
        answer = await open_client.request(method, path, headers=foreign)
        assert refused(answer, 403) == "a page of another site, http://evil.example, may change nothing here"


async def test_the_endpoint_asks_for_nothing() -> None:
    async with client_of(create_app(Config(admin_token=TOKEN), carrier=FakeCarrier())) as client:
        for path in ("/sendMtSms.php", "/httpinput/sendMtSms.php", "/s/a/sendMtSms.php"):
            answer = await client.post(
                path,
                data=dict(VALID),
                headers={"Host": "evil.example", "Origin": "http://evil.example"},
            )
            assert answer.text.startswith("OK_"), path


async def test_health_is_open_always(closed_client: httpx.AsyncClient) -> None:
    assert (await closed_client.get("/_sandbox/health")).status_code == 200
    assert (await closed_client.get("/s/a/_sandbox/health")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_sandbox/messages"),
        ("GET", "/_sandbox/openapi.json"),
        ("GET", "/_sandbox/metrics"),
        ("POST", "/_sandbox/reset"),
        ("GET", "/s/a/_sandbox/messages"),
        ("DELETE", "/s/a"),
        ("GET", "/_sandbox/nothing"),
        ("GET", "/_sandbox/health/"),
        ("GET", "/_sandbox//health"),
        ("GET", "/_sandbox/../_sandbox/messages"),
    ],
)
async def test_all_else_asks_for_the_token(closed_client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await closed_client.request(method, path)
    assert "Authorization: Bearer TOKEN" in refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="panelsms-sandbox"'
    given = {"Authorization": f"Bearer {TOKEN}"}
    assert (await closed_client.request(method, path, headers=given)).status_code != 401


async def test_a_sandbox_without_a_token_asks_for_none(open_client: httpx.AsyncClient) -> None:
    assert (await open_client.get("/_sandbox/messages")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/", "sign in"),
        ("POST", "/sign-in", "sign in"),
        ("GET", "/s/a/", "sign in"),
        ("GET", "/_sandbox/messages", "401"),
        ("DELETE", "/s/a", "401"),
        ("GET", "/_sandbox/health", "shown"),
    ],
)
async def test_pages_are_left_to_a_form_where_there_is_one(method: str, path: str, answer: str) -> None:
    guard = Guard(PlainTextResponse("shown"), token=TOKEN, sign_in=PlainTextResponse("sign in"))
    async with client_of(guard) as client:
        said = await client.request(method, path)
        assert said.text == answer or str(said.status_code) == answer
        shown = await client.request(method, path, headers={"Cookie": cookie(TOKEN).split(";")[0]})
        assert shown.text == "shown"


async def test_the_token_is_not_shown_where_a_configuration_is(closed_client: httpx.AsyncClient) -> None:
    assert TOKEN not in repr(Config(admin_token=TOKEN))
    given = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("health", "messages", "scenario", "sessions", "openapi.json", "metrics", "accounts"):
        answer = await closed_client.get(f"/_sandbox/{path}", headers=given)
        assert answer.status_code == 200
        assert TOKEN not in answer.text
