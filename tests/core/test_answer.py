import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import contract
from sandbox.core.answer import CONTENT_TYPES, choose_format, error_status, error_text, failure, success
from sandbox.core.model import Answer, Call, Format, Unreadable, Value

READINGS = contract.readings()
TEXT, JSON, XML = (CONTENT_TYPES[form] for form in (Format.TEXT, Format.JSON, Format.XML))


def call(response_type: Value | None, *, has_json_body: bool) -> Call:
    parameters = {} if response_type is None else {"responseType": response_type}
    return Call("POST", "/sendMtSms.php", parameters, has_json_body=has_json_body)


def test_content_types_name_utf_8() -> None:
    assert (TEXT, JSON, XML) == (
        "text/plain; charset=utf-8",
        "application/json; charset=utf-8",
        "application/xml; charset=utf-8",
    )


@pytest.mark.parametrize(
    ("response_type", "form", "hint"),
    [
        (None, None, None),
        ("json", Format.JSON, None),
        ("JSON", Format.JSON, None),
        ("Xml", Format.XML, None),
        ("", None, None),
        ("text", None, "responseType text counts as absent: it is json or xml"),
        ("json ", None, "responseType json  counts as absent: it is json or xml"),
        ("ＪＳＯＮ", None, "responseType U+FF2AU+FF33U+FF2FU+FF2E counts as absent: it is json or xml"),
        (
            Unreadable("is a JSON array: send a string"),
            None,
            "responseType counts as absent: it is a JSON array: send a string",
        ),
    ],
)
@pytest.mark.parametrize("has_json_body", [False, True])
def test_the_format_asked_for(
    response_type: Value | None, form: Format | None, hint: str | None, *, has_json_body: bool
) -> None:
    by_default = Format.JSON if has_json_body else Format.TEXT
    assert choose_format(call(response_type, has_json_body=has_json_body), READINGS) == (
        form or by_default,
        hint,
    )


def test_a_json_request_is_answered_as_text_by_reading() -> None:
    readings = contract.readings({"json_post_default": "text"})
    assert choose_format(call(None, has_json_body=True), readings) == (Format.TEXT, None)
    assert choose_format(call("json", has_json_body=True), readings) == (Format.JSON, None)


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (Format.TEXT, Answer(200, TEXT, "OK_1234569")),
        (Format.JSON, Answer(200, JSON, '{"response":{"status":"OK","transactionId":"1234569"}}')),
        (
            Format.XML,
            Answer(
                200, XML, "<response><status>OK</status><transactionId>1234569</transactionId></response>"
            ),
        ),
    ],
)
def test_success(form: Format, answer: Answer) -> None:
    assert success("1234569", form) == answer


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc", "Cn"]), min_size=1))
def test_any_transaction_id_is_echoed_exactly(transaction_id: str) -> None:
    assert success(transaction_id, Format.TEXT).body == f"OK_{transaction_id}"
    assert (
        json.loads(success(transaction_id, Format.JSON).body)["response"]["transactionId"] == transaction_id
    )
    document = ET.fromstring(success(transaction_id, Format.XML).body)  # noqa: S314 - our own XML
    assert document.findtext("transactionId") == transaction_id


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("code", range(1, 16))
def test_an_error_is_bare_text_whatever_the_format(form: Format, code: int) -> None:
    assert failure(code, form, READINGS) == Answer(200, TEXT, f"ERROR_{code}")


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (Format.TEXT, Answer(200, TEXT, "ERROR_005")),
        (Format.JSON, Answer(200, JSON, '{"response":{"status":"ERROR_005"}}')),
        (Format.XML, Answer(200, XML, "<response><status>ERROR_005</status></response>")),
    ],
)
def test_an_error_has_an_envelope_and_zeros_by_reading(form: Format, answer: Answer) -> None:
    assert failure(5, form, contract.readings({"errors": "envelope", "error_code": "padded"})) == answer


def test_padding_is_to_three_digits() -> None:
    padded = contract.readings({"error_code": "padded"})
    assert [error_text(code, padded) for code in (1, 15)] == ["ERROR_001", "ERROR_015"]


@pytest.mark.parametrize("code", range(1, 16))
def test_the_http_status_of_an_error(code: int) -> None:
    by_reading = {1: 401, 2: 401, 7: 429, 9: 402}.get(code, 400)
    assert error_status(code, READINGS) == 200
    assert error_status(code, contract.readings({"error_http_status": "4xx"})) == by_reading


@pytest.mark.parametrize("readings", [{}, {"error_http_status": "4xx"}])
def test_a_status_that_stands_whatever_the_reading(readings: dict[str, str]) -> None:
    assert failure(8, Format.TEXT, contract.readings(readings), http_status=413).status == 413
