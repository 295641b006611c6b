import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import contract
from sandbox.core.model import Call, Unreadable, Value
from sandbox.web.wire import read_call
from tests import strategies

PATH = "/sendMtSms.php"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=frontier"


def query(octets: bytes | str, **readings: str) -> Call:
    """Read a GET with this query string."""
    octets = octets.encode() if isinstance(octets, str) else octets
    return read_call("GET", PATH, octets, "", b"", contract.readings(readings))


def post(body: bytes | str, content_type: str, query: bytes = b"", **readings: str) -> Call:
    body = body.encode() if isinstance(body, str) else body
    return read_call("POST", PATH, query, content_type, body, contract.readings(readings))


def part(name: str, value: bytes, *more: str) -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"', *more]
    return b"--frontier\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--frontier--\r\n"


def broken_percent(*, at: int) -> str:
    return (
        f"message has a % without two hex digits at position {at}, which stays as it is: "
        "a percent sign is sent as %25"
    )


def octets_of(value: Value) -> bytes | None:
    assert isinstance(value, Unreadable)
    return value.octets


# -- query strings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "parameters"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1", {"a": "1"}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=1", {"": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=1&a=", {"a": ""}),
        ("message=C%C3%B3digo", {"message": "Código"}),
        ("message=C%c3%b3digo", {"message": "Código"}),
        (b"message=C\xc3\xb3digo", {"message": "Código"}),
        ("message=a+b%20c%2Bd", {"message": "a b c+d"}),
        ("to=%2B1222333444", {"to": "+1222333444"}),
        ("to=+1222333444", {"to": " 1222333444"}),
        ("m%65ssage=x", {"message": "x"}),
        ("a+b=x", {"a b": "x"}),
        ("%FF=x", {"\\xff": "x"}),
        ("message=e%CC%81", {"message": "e\u0301"}),
        ("message=%00", {"message": "\x00"}),
        ("message=%F0%9F%98%80", {"message": "\U0001f600"}),
        ("a=1#b=2", {"a": "1#b=2"}),
    ],
)
def test_query_strings(octets: bytes | str, parameters: dict[str, str]) -> None:
    call = query(octets)
    assert call.parameters == parameters
    assert call.hints == ()
    assert (call.method, call.path, call.has_json_body) == ("GET", PATH, False)


@pytest.mark.parametrize(
    ("octets", "decoded", "hint"),
    [
        (
            "message=50%",
            "50%",
            broken_percent(at=3),
        ),
        (
            "message=%zz%41",
            "%zzA",
            broken_percent(at=1),
        ),
        (
            "message=%4",
            "%4",
            broken_percent(at=1),
        ),
        (
            "message=%+1",
            "% 1",
            broken_percent(at=1),
        ),
        (
            "message=%٣٣".encode(),
            "%٣٣",
            broken_percent(at=1),
        ),
        (
            "message=Order%2520%252312345",
            "Order%20%2312345",
            "message still holds percent-encoding after decoding: encode it once, not twice",
        ),
        (
            "to=%252B1222333444",
            "%2B1222333444",
            "to still holds percent-encoding after decoding: encode it once, not twice",
        ),
    ],
)
def test_odd_percent_signs_are_taken_literally_with_a_hint(
    octets: bytes | str, decoded: str, hint: str
) -> None:
    call = query(octets)
    assert list(call.parameters.values()) == [decoded]
    assert call.hints == (hint,)


@pytest.mark.parametrize("octets", ["a=100%25", "a=100%25%20off", "a=%25zz", "a=%25"])
def test_an_encoded_percent_sign_is_nothing_odd(octets: str) -> None:
    assert query(octets).hints == ()


@pytest.mark.parametrize(
    ("octets", "decoded"),
    [
        ("a=Order%2520%252312345", "Order #12345"),
        ("a=%252B1222333444", "+1222333444"),
        ("a=one%2Btwo%2B%2541", "one two A"),
        ("a=%252541", "%41"),
        ("a=100%25", "100%"),
        ("a=a%2Bb", "a+b"),
    ],
)
def test_double_encoding_is_undone_once_by_reading(octets: str, decoded: str) -> None:
    call = query(octets, double_encoding="decode")
    assert call.parameters == {"a": decoded}
    assert call.hints == ()


def test_double_encoding_that_hides_octets_that_are_not_utf_8() -> None:
    assert octets_of(query("a=%25FF", double_encoding="decode").parameters["a"]) == b"\xff"


@pytest.mark.parametrize(
    ("octets", "raw", "why"),
    [
        ("a=%FF", b"\xff", "octet FF at position 1"),
        ("a=ab%E9", b"ab\xe9", "octet E9 at position 3"),
        (b"a=\xe9", b"\xe9", "octet E9 at position 1"),
        ("a=%C0%80", b"\xc0\x80", "octet C0 at position 1"),
        ("a=%ED%A0%80", b"\xed\xa0\x80", "octet ED at position 1"),
        ("a=x%C3", b"x\xc3", "octet C3 at position 2"),
        ("a=%F4%90%80%80", b"\xf4\x90\x80\x80", "octet F4 at position 1"),
    ],
)
def test_octets_that_are_not_utf_8_are_kept_as_octets(octets: bytes | str, raw: bytes, why: str) -> None:
    value = query(octets).parameters["a"]
    assert value == Unreadable(f"is not UTF-8: {why}; percent-encode the text's UTF-8 octets", raw)


@given(st.dictionaries(strategies.readable_text, strategies.readable_text, max_size=5))
def test_what_a_client_encodes_comes_back(fields: dict[str, str]) -> None:
    for encoded in (urlencode(fields), urlencode(fields, quote_via=quote), urlencode(fields, safe="/:")):
        assert query(encoded).parameters == fields


@given(strategies.readable_text)
def test_a_text_encoded_once_earns_no_hint_of_broken_encoding(text: str) -> None:
    assert not any("two hex digits" in hint for hint in query("a=" + quote_plus(text)).hints)


def test_a_get_has_no_body() -> None:
    call = read_call("GET", PATH, b"a=1", JSON, b'{"a": "2"}', contract.readings())
    assert call.parameters == {"a": "1"}
    assert call.hints == ()
    assert not call.has_json_body


# -- which body it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=iso-8859-1",
        " application/json ",
        "application/vnd.sms+json",
        "application/problem+JSON; x=y",
        "",
        "  ",
        "; charset=utf-8",
    ],
)
def test_json_bodies(content_type: str) -> None:
    call = post('{"a": "Código"}', content_type)
    assert call.parameters == {"a": "Código"}
    assert set(call.json_names) == {"a"}
    assert call.has_json_body
    assert call.hints == ()


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8"])
def test_form_bodies(content_type: str) -> None:
    call = post("a=%2B1&b=C%C3%B3digo+x", content_type)
    assert call.parameters == {"a": "+1", "b": "Código x"}
    assert call.json_names == ()
    assert not call.has_json_body


@pytest.mark.parametrize(
    ("content_type", "shown"),
    [
        ("text/plain", "text/plain"),
        ("text/json", "text/json"),
        ("application/xml; a=b", "application/xml"),
        ("application/jsonx", "application/jsonx"),
        ("nonsense", "nonsense"),
        ("é", "U+00E9"),
    ],
)
def test_a_body_under_any_other_type_is_ignored_with_a_hint(content_type: str, shown: str) -> None:
    call = post('{"a": "2"}', content_type, b"a=1")
    assert call.parameters == {"a": "1"}
    assert call.hints == (
        (
            f"the body is ignored: its Content-Type is {shown}, not application/json, "
            "application/x-www-form-urlencoded or multipart/form-data"
        ),
    )
    assert not call.has_json_body
    assert call.unreadable_body is None


@pytest.mark.parametrize("body", ["a=1", ' {"a": "1"}', "[1]", "\ufeff{}"])
def test_a_body_without_a_type_is_json_only_when_it_begins_with_a_brace(body: str) -> None:
    call = post(body, "")
    assert call.parameters == {}
    assert "its Content-Type is absent" in call.hints[0]


def test_json_under_a_form_type_is_ignored_with_a_hint() -> None:
    call = post('{"a": "1"}', FORM, b"b=2")
    assert call.parameters == {"b": "2"}
    assert call.hints == (
        (
            "the body is ignored: it is JSON, but its Content-Type is application/x-www-form-urlencoded; "
            "send application/json"
        ),
    )
    assert not call.has_json_body


@pytest.mark.parametrize("body", ["{a=1", "[1]=2", "{}x=1", '{"a": NaN}', "[" * 20_000, '{"a":' * 5_000])
def test_what_only_looks_like_json_under_a_form_type_is_a_form(body: str) -> None:
    call = post(body, FORM)
    assert len(call.parameters) == 1
    assert call.hints == ()


@pytest.mark.parametrize("content_type", [JSON, FORM, BOUNDARY, "", "text/plain"])
def test_an_empty_body_is_none(content_type: str) -> None:
    call = post(b"", content_type, b"a=1")
    assert (call.parameters, call.hints, call.unreadable_body) == ({"a": "1"}, (), None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [('{"a": "body"}', JSON), ("a=query&a=body", FORM), (multipart(part("a", b"body")), BOUNDARY)],
)
def test_the_body_wins_over_the_query(body: bytes | str, content_type: str) -> None:
    call = post(body, content_type, b"a=query&b=query")
    assert call.parameters == {"a": "body", "b": "query"}


# -- JSON -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ('"text"', "text"),
        ('""', ""),
        ("1", "1"),
        ("1.0", "1.0"),
        ("-0", "-0"),
        ("1E5", "1E5"),
        ("1e400", "1e400"),
        ("9" * 5000, "9" * 5000),
        ("true", "true"),
        ("false", "false"),
        (r'"\u0043\u00f3"', "Có"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\u0000"', "\x00"),
        ('"%2B1"', "%2B1"),
        ('"a+b"', "a+b"),
        ('"50%"', "50%"),
    ],
)
def test_json_values_are_taken_as_they_are_spelled(member: str, value: str) -> None:
    call = post(f'{{"message": {member}}}', JSON)
    assert call.parameters == {"message": value}
    assert call.hints == ()


def test_null_is_absent() -> None:
    call = post('{"a": null, "b": "x"}', JSON)
    assert call.parameters == {"b": "x"}
    assert call.hints == ()


def test_of_a_repeated_member_the_last_wins() -> None:
    assert post('{"a": "1", "a": "2"}', JSON).parameters == {"a": "2"}


@pytest.mark.parametrize(
    ("member", "kind"), [("[]", "array"), ('["x"]', "array"), ("{}", "object"), ('{"a": "b"}', "object")]
)
def test_arrays_and_objects_are_errors_of_their_parameter(member: str, kind: str) -> None:
    call = post(f'{{"to": {member}}}', JSON)
    assert call.parameters == {"to": Unreadable(f"is a JSON {kind}: send a string")}
    assert call.hints == (f"to is a JSON {kind}, not a string",)


@pytest.mark.parametrize(
    ("member", "value"),
    [('["x"]', "x"), ("[1]", "1"), ("[true]", "true"), ("[null]", None)],
)
def test_an_array_of_one_is_its_element_by_reading(member: str, value: str | None) -> None:
    call = post(f'{{"to": {member}}}', JSON, json_arrays="unwrap")
    assert call.parameters == ({} if value is None else {"to": value})
    assert call.hints == ()


@pytest.mark.parametrize("member", ["[]", '["x", "y"]', '[["x"]]', "[{}]", "{}"])
def test_other_arrays_are_errors_by_either_reading(member: str) -> None:
    call = post(f'{{"to": {member}}}', JSON, json_arrays="unwrap")
    assert isinstance(call.parameters["to"], Unreadable)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"\ud83d", "has the unpaired surrogate U+D83D at position 1"),
        (r"ab\udc00", "has the unpaired surrogate U+DC00 at position 3"),
        (r"\ude00\ud83d", "has the unpaired surrogate U+DE00 at position 1"),
    ],
)
def test_unpaired_surrogates_are_not_utf_8(text: str, why: str) -> None:
    assert post(f'{{"a": "{text}"}}', JSON).parameters == {"a": Unreadable(why)}


def test_unpaired_surrogates_in_a_name_are_spelled_out() -> None:
    call = post(r'{"\ud800": "x", "\udfff": []}', JSON)
    assert list(call.parameters) == ["\\ud800", "\\udfff"]
    assert call.hints == ("\\udfff is a JSON array, not a string",)


def test_percent_encoding_in_json_earns_a_hint_in_to() -> None:
    call = post('{"to": "%2B1222333444", "message": "%2B"}', JSON)
    assert call.parameters == {"to": "%2B1222333444", "message": "%2B"}
    assert call.hints == ("to holds percent-encoding: JSON strings are taken as they are, send +",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%2B1", "+1"),
        ("a+b", "a+b"),
        ("%2B+", "++"),
        ("C%C3%B3", "Có"),
        ("ó%C3%B3", "óó"),
        ("50%", "50%"),
        ("%2541", "%41"),
        (
            "%FF",
            Unreadable(
                "is not UTF-8: octet FF at position 1; percent-encode the text's UTF-8 octets", b"\xff"
            ),
        ),
    ],
)
def test_json_strings_are_percent_decoded_by_reading(text: str, value: Value) -> None:
    call = post(json.dumps({"to": text}), JSON, json_percent="decode")
    assert call.parameters == {"to": value}
    assert call.hints == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "the body cannot be read as JSON: "),
        ("{}x", "the body cannot be read as JSON: Extra data"),
        ("{'a': 1}", "the body cannot be read as JSON: "),
        ('{"a": 01}', "the body cannot be read as JSON: "),
        ('{"a": NaN}', "the body cannot be read as JSON: NaN is not JSON"),
        ('{"a": -Infinity}', "the body cannot be read as JSON: -Infinity is not JSON"),
        ('{"a": "\n"}', "the body cannot be read as JSON: Invalid control character"),
        (b"\xef\xbb\xbf{}", "the body cannot be read as JSON: it begins with a byte order mark"),
        (b'{"a": "\xff"}', "the body cannot be read as JSON: octet FF at position 8 is not UTF-8"),
        ("{}".encode("utf-16"), "the body cannot be read as JSON: octet FF at position 1 is not UTF-8"),
        ("[" * 5_000 + "]" * 5_000, "the body cannot be read as JSON: it is nested too deeply"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "the body cannot be read as JSON: it is nested too deeply"),
        ("[]", 'the body is JSON, but no object: send {"user": ...}'),
        ('"text"', 'the body is JSON, but no object: send {"user": ...}'),
        ("null", 'the body is JSON, but no object: send {"user": ...}'),
        ("1", 'the body is JSON, but no object: send {"user": ...}'),
        (" ", "the body cannot be read as JSON: "),
        ("a=1", "the body cannot be read as JSON: "),
    ],
)
def test_bodies_that_are_no_json_object(body: bytes | str, why: str) -> None:
    call = post(body, JSON, b"a=1")
    assert call.unreadable_body is not None
    assert call.unreadable_body.startswith(why)
    assert call.parameters == {"a": "1"}
    assert call.has_json_body


@given(st.dictionaries(strategies.readable_text, strategies.readable_text, max_size=5), st.booleans())
def test_json_texts_come_back(fields: dict[str, str], ascii_only: bool) -> None:  # noqa: FBT001 - from hypothesis
    call = post(json.dumps(fields, ensure_ascii=ascii_only), JSON)
    assert call.parameters == fields


# -- multipart ------------------------------------------------------------------------------------------


def test_multipart_fields_are_decoded_as_a_query_is() -> None:
    call = post(
        multipart(
            part("to", b"%2B1222333444"),
            part("message", "Código+1".encode(), "Content-Type: text/plain; charset=UTF-8"),
            part("empty", b""),
            part("lines", b"a\r\nb"),
        ),
        BOUNDARY,
    )
    assert call.parameters == {
        "to": "+1222333444",
        "message": "Código 1",
        "empty": "",
        "lines": "a\r\nb",
    }
    assert call.hints == ()
    assert not call.has_json_body


def test_a_plus_in_a_multipart_destination_earns_a_hint() -> None:
    call = post(multipart(part("to", b"+1222333444")), BOUNDARY)
    assert call.parameters == {"to": " 1222333444"}
    assert call.hints == (
        "a + in a multipart value is a space: send %2B, or read it with multipart_percent=literal",
    )


def test_multipart_fields_are_taken_as_they_are_by_reading() -> None:
    body = multipart(part("to", b"+1222333444"), part("a", b"%41"), part("b", b"\xff"))
    call = post(body, BOUNDARY, multipart_percent="literal")
    assert call.parameters["to"] == "+1222333444"
    assert call.parameters["a"] == "%41"
    assert octets_of(call.parameters["b"]) == b"\xff"
    assert call.hints == ()


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (multipart(part("a", b"1"), part("a", b"2")), {"a": "2"}),
        (multipart(part("é", b"1")), {"é": "1"}),
        (multipart(part('a"; filename="x.txt', b"1")), {"a": "1"}),
        (multipart(part("a", b"1", "X-Long: " + "x" * 2000)), {"a": "1"}),
        (multipart(part("a", b"1")) + b"epilogue", {"a": "1"}),
        (b"\r\n" + multipart(part("a", b"1")), {"a": "1"}),
    ],
)
def test_multipart_bodies(body: bytes, parameters: dict[str, str]) -> None:
    assert post(body, BOUNDARY).parameters == parameters


def test_a_quoted_boundary() -> None:
    assert post(multipart(part("a", b"1")), 'multipart/form-data; boundary="frontier"').parameters == {
        "a": "1"
    }


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(part("a", b"1")), "multipart/form-data"),
        (multipart(part("a", b"1")), "multipart/form-data; boundary="),
        (multipart(part("a", b"1")), "multipart/form-data; boundary=other"),
        (part("a", b"1"), BOUNDARY),
        (b"a=1", BOUNDARY),
        (b"--frontier\r\nContent-Type: text/plain\r\n\r\nx\r\n--frontier--\r\n", BOUNDARY),
        (b"--frontier\r\nbroken\x00header\r\n\r\nx\r\n--frontier--\r\n", BOUNDARY),
        (b"--frontier", BOUNDARY),
        (b"--frontier\r\n", BOUNDARY),
    ],
)
def test_broken_multipart(body: bytes, content_type: str) -> None:
    call = post(body, content_type, b"a=query")
    assert call.unreadable_body is not None
    assert call.unreadable_body.startswith("the multipart body cannot be read: ")
    assert call.parameters == {"a": "query"}


# -- anything at all ------------------------------------------------------------------------------------

content_types = st.sampled_from(["", JSON, FORM, BOUNDARY, "text/plain", "multipart/form-data"]) | st.text(
    max_size=30
)

any_text = st.text(st.characters(), max_size=20)  # unpaired surrogates too
json_members = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=5,
)
json_bodies = st.dictionaries(any_text, json_members, max_size=5).map(lambda body: json.dumps(body).encode())
multipart_bodies = st.lists(
    st.binary(max_size=30)
    | st.sampled_from(
        [b"--frontier", b"--frontier--", b"\r\n", b'Content-Disposition: form-data; name="to"', b": ", b"--"]
    ),
    max_size=12,
).map(b"".join)
bodies = (
    st.binary(max_size=200) | json_bodies | multipart_bodies | st.sampled_from([multipart(part("a", b"1"))])
)


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.binary(max_size=60) | strategies.telling_octets,
    content_types,
    bodies,
    st.fixed_dictionaries(
        {}, optional={row.id: st.sampled_from(row.values) for row in contract.reading_rows()}
    ),
)
def test_whatever_comes_makes_a_call_of_texts_without_surrogates(
    method: str, octets: bytes, content_type: str, body: bytes, readings: dict[str, str]
) -> None:
    """So that everything behind this can be written as UTF-8."""
    call = read_call(method, PATH, octets, content_type, body, contract.readings(readings))
    for name, value in call.parameters.items():
        assert name.encode() is not None
        assert isinstance(value, Unreadable) or value.encode() is not None
    assert all(hint.encode() for hint in (*call.hints, call.unreadable_body or "none"))
    assert set(call.json_names) <= set(call.parameters)


multipart_headers = st.text(
    st.characters(min_codepoint=32, max_codepoint=255), max_size=40
) | st.sampled_from(
    [
        "form-data; name*=utf-8''%E2%82%AC",
        "form-data; name*=zz''%FF",
        'form-data; name="',
        "form-data; name",
        ";",
        "form-data; name*0=a; name*2=b",
    ]
)


@given(multipart_headers, multipart_headers)
def test_any_multipart_header_is_read_or_makes_the_body_unreadable(
    content_type: str, disposition: str
) -> None:
    body = f"--frontier\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n--frontier--\r\n".encode("latin-1")
    for header in (BOUNDARY, f"multipart/form-data; {content_type}; boundary=frontier"):
        call = post(body, header)
        assert (call.unreadable_body is None) or call.unreadable_body.startswith("the multipart body")
