import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.callback_url import url_fault


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9000/dlr",
        "https://example.com",
        "HTTP://EXAMPLE.COM/",
        "http://127.0.0.1/?a=b&c=%20#d",
        "http://[::1]:9000/",
        "http://user:pass@example.com/",
        "http://example.com:/",
        "http://exämple.test/ñ",
        "http://example.com/a(b)[c]",
    ],
)
def test_usable_urls(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", " does not begin with http:// or https://"),
        ("example.com/dlr", "example.com/dlr does not begin with http:// or https://"),
        ("/dlr", "/dlr does not begin with http:// or https://"),
        ("//example.com", "//example.com does not begin with http:// or https://"),
        ("ftp://example.com", "ftp://example.com does not begin with http:// or https://"),
        ("javascript:alert(1)", "javascript:alert(1) does not begin with http:// or https://"),
        ("http:///dlr", "http:///dlr names no host and port to connect to"),
        ("http:/dlr", "http:/dlr names no host and port to connect to"),
        ("http://:80/", "http://:80/ names no host and port to connect to"),
        ("http://example.com:0/", "http://example.com:0/ names no host and port to connect to"),
        ("http://example.com/a b", "has ' ' at position 21: percent-encode it"),
        (" http://example.com/", "has ' ' at position 1: percent-encode it"),
        ("http://example.com/\r\nX: y", "has U+000D at position 20: percent-encode it"),
        ("http://example.com/\x00", "has U+0000 at position 20: percent-encode it"),
        ("http://a\\@example.com/", "has '\\' at position 9: percent-encode it"),
    ],
)
def test_unusable_urls(url: str, fault: str) -> None:
    assert url_fault(url) == fault


@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://[::1",
        "http://[zz]/",
        "http://example.com:x/",
        "http://example.com:65536/",
        "http://example.com:٣/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    fault = url_fault(url)
    assert fault is not None
    assert " is not a URL: " in fault


@given(st.text(max_size=40) | st.text("htps:/[]@.:0a\\", max_size=20).map("http://".__add__))
def test_any_text_is_usable_or_not(url: str) -> None:
    fault = url_fault(url)
    assert fault is None or fault
    if fault is None:
        assert url.lower().startswith(("http://", "https://"))
