import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox import contract
from sandbox.core.model import Change
from sandbox.core.report import compose, is_reported
from sandbox.core.scenario import Step
from sandbox.core.udh import FLASH, Udh
from tests.worlds import a_message

NOON = datetime(2024, 1, 15, 10, 30, 45, 999_999, tzinfo=UTC)
URL = "http://localhost:9000/dlr"
DESCRIPTIONS = {row.code: row.description for row in contract.error_codes()}


def composed(
    status: str = "delivered",
    error_code: int | None = None,
    url: str = URL,
    transaction_id: str = "order_1",
    **readings: str,
) -> tuple[str, str, str | None]:
    return compose(
        a_message(7, transaction_id=transaction_id),
        Change(NOON, status, NOON + timedelta(hours=1), error_code=error_code),
        url,
        readings=contract.readings(readings),
        descriptions=DESCRIPTIONS,
    )


def body(**circumstances: str | int) -> dict[str, object]:
    method, url, text = composed(**circumstances)  # type: ignore[arg-type]
    assert (method, url) == ("POST", URL)
    assert text is not None
    parsed = json.loads(text)
    assert isinstance(parsed, dict)
    return parsed


def test_the_six_members_in_the_order_of_the_reference() -> None:
    assert composed() == (
        "POST",
        URL,
        (
            '{"transactionId":"order_1","status":"delivered","destination":"+1222333444",'
            '"timestamp":"2024-01-15T10:30:45Z","errorCode":null,"errorDescription":null}'
        ),
    )


def test_a_step_s_error_code_comes_with_its_description() -> None:
    failed = body(status="undeliverable", error_code=11)
    assert (failed["errorCode"], failed["errorDescription"]) == (11, DESCRIPTIONS[11])


def test_a_code_of_the_scenario_s_own_has_no_description() -> None:
    failed = body(error_code=300)
    assert (failed["errorCode"], failed["errorDescription"]) == (300, None)


def test_readings_of_the_body() -> None:
    assert body(dlr_status_case="upper")["status"] == "DELIVERED"
    assert body(error_code=11, dlr_error_code="string")["errorCode"] == "11"
    assert body(dlr_error_code="string")["errorCode"] is None


def test_texts_stay_as_they_are() -> None:
    _, _, text = composed(transaction_id='é"\\€')
    assert text is not None
    assert text.startswith('{"transactionId":"é\\"\\\\€"')


def test_the_wiki_s_callback_is_a_get() -> None:
    method, url, text = composed(dlr_format="wiki_get", dlr_status_case="upper")
    assert (method, text) == ("GET", None)
    assert url == f"{URL}?ID=m7&transactionId=order_1&status=DELIVERED&msisdn=1222333444&date=1501241030"


@pytest.mark.parametrize(
    ("url", "start"),
    [
        (f"{URL}?token=a%2Fb", f"{URL}?token=a%2Fb&ID=m7&"),
        (f"{URL}?", f"{URL}?ID=m7&"),
        ("http://localhost", "http://localhost?ID=m7&"),
    ],
)
def test_the_wiki_s_parameters_stand_behind_those_of_the_url(url: str, start: str) -> None:
    assert composed(url=url, dlr_format="wiki_get")[1].startswith(start)


def test_the_wiki_s_parameters_are_encoded() -> None:
    _, url, _ = composed(transaction_id="a&b=é +", dlr_format="wiki_get")
    assert dict(parse_qsl(urlsplit(url).query))["transactionId"] == "a&b=é +"


@pytest.mark.parametrize(
    ("status", "is_final"), [("accepted", False), ("enroute", False), ("delivered", True), ("odd", False)]
)
def test_which_changes_are_reported(status: str, *, is_final: bool) -> None:
    change = Change(NOON, status, NOON)
    assert is_reported(change, contract.readings())
    assert is_reported(change, contract.readings({"dlr_statuses": "final_only"})) == is_final


def with_body(template: str, **more: Any) -> str | None:
    """Return what is sent where a step brings its own body."""
    spelled = Step(after=timedelta(), status="delivered", body=template)
    _, _, text = compose(
        a_message(7, **more),
        Change(NOON, "delivered", NOON, spelled, 11),
        URL,
        readings=contract.readings({"dlr_status_case": "upper", "dlr_error_code": "string"}),
        descriptions=DESCRIPTIONS,
    )
    return text


def test_a_step_s_own_body_is_sent_in_place_of_the_json() -> None:
    assert with_body("not even JSON") == "not even JSON"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transactionId", "t7"),
        ("status", "DELIVERED"),
        ("destination", "+1222333444"),
        ("timestamp", "2024-01-15T10:30:45Z"),
        ("errorCode", "11"),
        ("errorDescription", DESCRIPTIONS[11]),
        ("to", "+1222333444"),
        ("message", "a"),
        ("dcs", "0"),
        ("user", "you@example.com"),
        ("confirmation", "true"),
        ("callbackUrl", "http://127.0.0.1:9000/dlr"),
        ("senderId", ""),
        ("udh", ""),
        ("scheduledDeliveryTime", ""),
        ("validityPeriod", ""),
        ("apiKey", ""),
    ],
)
def test_a_step_s_own_body_may_hold_the_report_s_members_and_the_message_s_parameters(
    name: str, value: str
) -> None:
    assert with_body(f"<{{{{ {name} }}}}>") == f"<{value}>"


def test_a_step_s_own_body_spells_times_and_headers_as_the_wire_does() -> None:
    submission = a_message().submission._replace(
        udh=Udh(FLASH, ()), scheduled_at=NOON, expires_at=NOON + timedelta(hours=1), confirmation=False
    )
    template = "{{ udh }} {{ scheduledDeliveryTime }} {{ validityPeriod }} {{ confirmation }}"
    assert (
        with_body(template, submission=submission) == "0100 2024-01-15T10:30:45Z 2024-01-15T11:30:45Z false"
    )
