"""Secrets as records and logs show them."""

import pytest

from sandbox.core.masking import is_key, masked, without_key, without_secrets


@pytest.mark.parametrize(
    ("secret", "shown"), [("secret", "se…et"), ("abcdef", "ab…ef"), ("abcde", "…"), ("", "…"), ("k", "…")]
)
def test_a_secret_shows_its_ends_if_it_is_long_enough(secret: str, shown: str) -> None:
    assert masked(secret) == shown


@pytest.mark.parametrize("name", ["apiKey", "APIKEY", "api_key", "Api-Key", "apiKey[]", " apikey "])
def test_a_key_is_known_however_its_name_is_spelled(name: str) -> None:
    assert is_key(name)


@pytest.mark.parametrize("name", ["key", "user", "apiKeys", "", "api"])
def test_what_is_no_key(name: str) -> None:
    assert not is_key(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@host/", "http://me:…@host/"),
        ("http://:secret@host:80/x", "http://:…@host:80/x"),
        ("http://me:se@cret@host/", "http://me:…@host/"),
        ("http://host/dlr?apiKey=topsecret&x=1", "http://host/dlr?apiKey=to…et&x=1"),
        ("http://host/dlr?x=1&API_KEY=topsecret#f", "http://host/dlr?x=1&API_KEY=to…et#f"),
        ("http://me:secret@host/?apikey=k", "http://me:…@host/?apikey=…"),
        ("callbackUrl ftp://me:averylongpassword... is none", "callbackUrl ftp://me:…... is none"),
        ("gave up: http://a:b1@x/ and http://c:d2@y/", "gave up: http://a:…@x/ and http://c:…@y/"),
    ],
)
def test_urls_show_neither_password_nor_key(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://host:9000/dlr",
        "http://host:9000",
        "http://host/a:b@c",
        "http://host/?to=a:b@c",
        "http://user@host/",
        "http://localhost:8080... does not",
        "to is +1222333444, wanted: begins with +34",
        "a=b&apiKeys=c",
        "?apiKey=",
    ],
)
def test_what_holds_no_secret_is_left_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


def test_a_key_is_taken_out_of_a_text_wherever_it_stands() -> None:
    assert without_key("key topsecret, topsecret!", {"apikey": "topsecret"}) == "key to…et, to…et!"
    assert without_key("topsecret", {"user": "topsecret", "apiKey": ""}) == "topsecret"
