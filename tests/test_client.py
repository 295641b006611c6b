"""The client of a running sandbox: what it sends, and what it makes of whoever answers."""

import pytest

from sandbox.client import Client
from sandbox.errors import ConfigError, UnreachableError
from tests.command_line import NOBODY, a_sandbox

ODD = "a+b c&d=e%20é€😀\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_client_sends_every_character_as_it_is(*, as_json: bool) -> None:
    with a_sandbox() as url:
        client = Client(url)
        client.send({"to": "+34", "message": ODD}, as_json=as_json)
        sent = client.control("requests/r1")["parameters"]
    assert sent == {"to": "+34", "message": ODD}


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("http://h:1/s/test-7/", "http://h:1/s/test-7"),
        ("http://h:1/sendMtSms.php", "http://h:1"),
        ("http://h:1/s/a/httpinput/sendMtSms.php", "http://h:1/s/a"),
    ],
)
def test_the_endpoints_own_address_is_as_good_as_the_base(given: str, base: str) -> None:
    assert Client(given).url == base


@pytest.mark.parametrize("url", ["localhost:7670", "ftp://h", "http://", "http://h:0", "http://h/ x"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^--url "):
        Client(url)


@pytest.mark.parametrize("url", [NOBODY, f"http://{'a' * 64}.invalid", "https://127.0.0.1:1"])
def test_whoever_does_not_answer_is_unreachable(url: str) -> None:
    with pytest.raises(UnreachableError, match=f"^no answer from {url}: "):
        Client(url).control("health")
