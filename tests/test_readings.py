"""Each reading's effect, seen from outside: the answer, the message's record, the report."""

import ast
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import sandbox
from sandbox.app import create_app
from sandbox.clock import VirtualClock
from sandbox.config import Config
from sandbox.contract import check_reading, error_codes, reading_names, reading_rows, readings
from sandbox.core.answer import error_status
from sandbox.core.scenario import Scenario
from sandbox.errors import ReadingError
from tests.worlds import NOON, REPORTED, step, world

JSON, XML, TEXT = "application/json", "application/xml", "text/plain"


@dataclass(frozen=True)
class Sent:
    """A request: more of the query string, or a body beside it."""

    query: str = ""
    body: str | None = None
    content_type: str = JSON
    base: str = "user=u&apiKey=k&to=%2B1222333444&message=Hello"


Seen = Mapping[str, object]
"""What must be seen of it: members of the answer (status, type, body) and of the message's record."""

MULTIPART = "multipart/form-data; boundary=x"
PART = '--x\r\nContent-Disposition: form-data; name="message"\r\n\r\na+b%20c\r\n--x--\r\n'
CONCATENATION = "%05%00%03%CC%02%01"

CASES: list[tuple[str, Sent, Mapping[str, Seen]]] = [
    (
        "double_encoding",
        Sent("&message=50%2525%2520off"),
        {"literal": {"text": "50%25%20off"}, "decode": {"text": "50% off"}},
    ),
    (
        "json_percent",
        Sent(body='{"message": "50%25%20off + more"}'),
        {"literal": {"text": "50%25%20off + more"}, "decode": {"text": "50% off + more"}},
    ),
    (
        "json_arrays",
        Sent(body='{"message": ["Hello"]}'),
        {"reject": {"body": "ERROR_8"}, "unwrap": {"text": "Hello"}},
    ),
    (
        "json_arrays",
        Sent(body='{"message": ["Hello", "again"]}'),
        {"reject": {"body": "ERROR_8"}, "unwrap": {"body": "ERROR_8"}},
    ),
    ("empty_optional", Sent("&senderId="), {"absent": {"senderId": None}, "reject": {"body": "ERROR_4"}}),
    (
        "multipart_percent",
        Sent(body=PART, content_type=MULTIPART),
        {"decode": {"text": "a b c"}, "literal": {"text": "a+b%20c"}},
    ),
    (
        "destination_plus",
        Sent("&to=1222333444"),
        {"required": {"body": "ERROR_5"}, "optional": {"to": "+1222333444"}},
    ),
    (
        "destination_spaces",
        Sent("&to=%2B1%20222%20333%20444"),
        {"reject": {"body": "ERROR_5"}, "strip": {"to": "+1222333444"}},
    ),
    (
        "validity_error",
        Sent("&validityPeriod=soon"),
        {
            "12": {"body": "ERROR_12"},
            "8": {"body": "ERROR_8"},
            "ignore": {"expiresAt": "2024-01-17T12:00:00Z"},
        },
    ),
    (
        "latin1_transport",
        Sent("&message=C%C3%B3digo"),
        {
            "gsm7_else_ucs2": {"coding": "UCS2", "used": 6, "room": 70},
            "gsm7_else_octets": {"coding": "OCTETS", "used": 6, "room": 140},
            "octets": {"coding": "OCTETS", "used": 6, "room": 140},
        },
    ),
    (
        "latin1_transport",
        Sent("&message=%C3%A9&dcs=3"),
        {
            "gsm7_else_ucs2": {"coding": "GSM7", "used": 1, "room": 160},
            "gsm7_else_octets": {"coding": "GSM7", "used": 1, "room": 160},
            "octets": {"coding": "OCTETS", "used": 1, "room": 140, "octets": "E9"},
        },
    ),
    (
        "latin1_overflow",
        Sent("&message=5%20%E2%82%AC"),
        {
            "reject": {"body": "ERROR_8"},
            "ucs2": {"text": "5 €", "coding": "UCS2", "used": 3},
            "question_mark": {"text": "5 ?", "coding": "GSM7", "used": 3},
        },
    ),
    (
        "binary_payload",
        Sent("&dcs=4&message=4A4b"),
        {"auto": {"octets": "4A4B"}, "hex": {"octets": "4A4B"}, "raw": {"octets": "34413462"}},
    ),
    (
        "binary_payload",
        Sent("&dcs=2&message=4A4"),
        {"auto": {"octets": "344134"}, "hex": {"body": "ERROR_8"}, "raw": {"octets": "344134"}},
    ),
    (
        "udh_form",
        Sent(f"&udh={CONCATENATION}"),
        {"hex": {"body": "ERROR_10"}, "hex_or_raw": {"udh": "050003CC0201"}},
    ),
    (
        "udh_form",
        Sent("&udh=050003CC0201"),
        {"hex": {"udh": "050003CC0201"}, "hex_or_raw": {"udh": "050003CC0201"}},
    ),
    (
        "flash_room",
        Sent("&udh=0100"),
        {"157": {"room": 157, "flash": True}, "160": {"room": 160, "flash": True}},
    ),
    ("flash_room", Sent("&udh=050003CC0201"), {"157": {"room": 153}, "160": {"room": 153}}),
    (
        "timezone",
        Sent("&scheduledDeliveryTime=2024-01-20T15:30"),
        {
            "UTC": {"scheduledAt": "2024-01-20T15:30:00Z"},
            "Europe/Madrid": {"scheduledAt": "2024-01-20T14:30:00Z"},
            "America/New_York": {"scheduledAt": "2024-01-20T20:30:00Z"},
            "Asia/Kolkata": {"scheduledAt": "2024-01-20T10:00:00Z"},
        },
    ),
    (
        "timezone",
        Sent("&validityPeriod=2024-01-20T15:30Z"),
        {
            "UTC": {"expiresAt": "2024-01-20T15:30:00Z"},
            "Europe/Madrid": {"expiresAt": "2024-01-20T15:30:00Z"},
        },
    ),
    ("error_http_status", Sent("&to=x"), {"200": {"status": 200}, "4xx": {"status": 400}}),
    (
        "json_post_default",
        Sent(body='{"transactionId": "7"}'),
        {
            "json": {"type": JSON, "body": '{"response":{"status":"OK","transactionId":"7"}}'},
            "text": {"type": TEXT, "body": "OK_7"},
        },
    ),
    (
        "errors",
        Sent("&to=x&responseType=json"),
        {
            "bare": {"type": TEXT, "body": "ERROR_5"},
            "envelope": {"type": JSON, "body": '{"response":{"status":"ERROR_5"}}'},
        },
    ),
    (
        "errors",
        Sent("&to=x&responseType=xml"),
        {
            "bare": {"type": TEXT, "body": "ERROR_5"},
            "envelope": {"type": XML, "body": "<response><status>ERROR_5</status></response>"},
        },
    ),
    (
        "errors",
        Sent("&to=x"),
        {"bare": {"type": TEXT, "body": "ERROR_5"}, "envelope": {"type": TEXT, "body": "ERROR_5"}},
    ),
    ("error_code", Sent("&to=x"), {"plain": {"body": "ERROR_5"}, "padded": {"body": "ERROR_005"}}),
    ("error_code", Sent("&dcs=5"), {"plain": {"body": "ERROR_14"}, "padded": {"body": "ERROR_014"}}),
]


async def ask(sent: Sent, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Send a request to a sandbox with these readings; return its answer and the record of the message."""
    app = create_app(Config(readings=chosen), scenario=Scenario(name="test"), clock=VirtualClock(NOON))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        url = f"/sendMtSms.php?{sent.base}{sent.query}"
        if sent.body is None:
            answer = await client.get(url)
        else:
            answer = await client.post(url, content=sent.body, headers={"Content-Type": sent.content_type})
        seen = {"status": answer.status_code, "type": answer.headers["content-type"].partition(";")[0]}
        messages = (await client.get("/_sandbox/messages")).json()["messages"]
        record = {**messages[0], **messages[0]["encoding"]} if messages else {}
        return {**record, **seen, "body": answer.text, "hint": answer.headers.get("x-sandbox-hint")}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reading", "value", "sent", "expected"),
    [(reading, value, sent, seen) for reading, sent, by_value in CASES for value, seen in by_value.items()],
)
async def test_a_reading_decides_what_is_seen(reading: str, value: str, sent: Sent, expected: Seen) -> None:
    seen = await ask(sent, {reading: value})
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.anyio
@pytest.mark.parametrize(("reading", "sent", "by_value"), CASES)
async def test_the_default_is_what_no_choice_gives(
    reading: str, sent: Sent, by_value: Mapping[str, Seen]
) -> None:
    default = next(row.default for row in reading_rows() if row.id == reading)
    assert await ask(sent, {}) == await ask(sent, {reading: default})
    assert default in by_value


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("parameter", "body"),
    [
        ("senderId", "ERROR_4"),
        ("transactionId", "ERROR_8"),
        ("dcs", "ERROR_14"),
        ("udh", "ERROR_10"),
        ("validityPeriod", "ERROR_12"),
        ("scheduledDeliveryTime", "ERROR_12"),
        ("confirmation", "OK_1000001"),
        ("callbackUrl", "OK_1000001"),
        ("responseType", "OK_1000001"),
    ],
)
async def test_a_rejected_empty_parameter_earns_its_own_code(parameter: str, body: str) -> None:
    seen = await ask(Sent(f"&{parameter}="), {"empty_optional": "reject"})
    assert seen["body"] == body
    assert (parameter in (seen["hint"] or "")) == (body == "OK_1000001")


@pytest.mark.parametrize("row", error_codes(), ids=lambda row: str(row.code))
def test_each_error_has_one_client_error_by_reading(row: Any) -> None:
    expected = {1: 401, 2: 401, 7: 429, 9: 402}.get(row.code, 400)
    assert error_status(row.code, readings({"error_http_status": "4xx"})) == expected
    assert error_status(row.code, readings()) == 200


@pytest.mark.anyio
async def test_readings_work_together() -> None:
    chosen = {"errors": "envelope", "error_code": "padded", "error_http_status": "4xx", "validity_error": "8"}
    seen = await ask(Sent("&validityPeriod=soon&responseType=json"), chosen)
    assert (seen["status"], seen["body"]) == (400, '{"response":{"status":"ERROR_008"}}')


# -- reports -------------------------------------------------------------------------------------------------

WIKI = "http://127.0.0.1:9000/dlr?ID=m1&transactionId=1000001&status={}&msisdn=1222333444&date=1501241200"

REPORTS: list[tuple[str, str, list[object]]] = [
    ("dlr_format", "json", ["POST http://127.0.0.1:9000/dlr", "POST http://127.0.0.1:9000/dlr"]),
    ("dlr_format", "wiki_get", [f"GET {WIKI.format('enroute')}", f"GET {WIKI.format('undeliverable')}"]),
    ("dlr_statuses", "every_change", ["enroute", "undeliverable"]),
    ("dlr_statuses", "final_only", ["undeliverable"]),
    ("dlr_status_case", "lower", ["enroute", "undeliverable"]),
    ("dlr_status_case", "upper", ["ENROUTE", "UNDELIVERABLE"]),
    ("dlr_error_code", "number", [None, 11]),
    ("dlr_error_code", "string", [None, "11"]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("reading", "value", "expected"), REPORTS)
async def test_a_reading_decides_what_is_reported(reading: str, value: str, expected: list[object]) -> None:
    steps = (step(1, "enroute"), replace(step(2, "undeliverable"), error_code=11))
    here = world(scenario=Scenario(name="test", timeline=steps, readings={reading: value}))
    here.accept(REPORTED)
    await here.pass_time(2)
    parcels = here.carrier.parcels
    bodies = [json.loads(parcel.body or "{}") for parcel in parcels]
    seen = {
        "dlr_format": [f"{parcel.method} {parcel.url}" for parcel in parcels],
        "dlr_statuses": [body.get("status") for body in bodies],
        "dlr_status_case": [body.get("status") for body in bodies],
        "dlr_error_code": [body.get("errorCode") for body in bodies],
    }
    assert seen[reading] == expected


# -- the rows and the code -----------------------------------------------------------------------------------


def test_every_value_of_every_reading_stands_in_a_table_above() -> None:
    tried = {(reading, value) for reading, _, by_value in CASES for value in by_value}
    tried |= {(reading, value) for reading, value, _ in REPORTS}
    assert {(row.id, value) for row in reading_rows() for value in row.values} <= tried


def test_every_value_is_told_from_the_default_by_some_case() -> None:
    told = {
        (reading, value)
        for reading, _, by_value in CASES
        for value, seen in by_value.items()
        if seen != next(iter(by_value.values()))
    }
    rows = [row for row in reading_rows() if row.subject != "reports"]
    assert {(row.id, value) for row in rows for value in row.alternatives} <= told


def test_the_rows_are_the_fields_that_the_core_is_handed() -> None:
    assert tuple(row.id for row in reading_rows()) == reading_names()


def test_every_row_has_a_question_evidence_and_the_meaning_of_each_value() -> None:
    for row in reading_rows():
        assert row.question.endswith("?")
        assert row.evidence.endswith(".")
        assert row.alternatives
        assert set(row.meaning) == set(row.values)
        assert len(set(row.values)) == len(row.values)


def test_each_reading_is_looked_at_in_one_function() -> None:
    """A reading looked at twice could be read in two ways."""
    names = set(reading_names())
    places: dict[str, set[str]] = defaultdict(set)
    for path in Path(sandbox.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in names and _is_readings(node.value):
                        places[node.attr].add(f"{path.name}: {function.name}")
    assert {name: len(places[name]) for name in names} == dict.fromkeys(names, 1), places


def _is_readings(node: ast.expr) -> bool:
    """Say whether an expression is ``readings`` or ends in ``.readings``."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name == "readings"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("error", "bare", "there is no reading error: did you mean errors"),
        ("nope", "bare", "there is no reading nope. There are: binary_payload, destination_plus, "),
        (
            "errors",
            "envelop",
            "reading errors cannot be envelop: it is bare or envelope: did you mean envelope",
        ),
        ("validity_error", "13", "reading validity_error cannot be 13: it is 12 or 8 or ignore"),
        ("timezone", "Madrid", "reading timezone cannot be Madrid: "),
        ("timezone", "../../etc/passwd", "reading timezone cannot be ../../etc/passwd: "),
        ("timezone", "", "reading timezone cannot be "),
        ("errors", "Ωμέγα", "reading errors cannot be U+03A9"),
    ],
)
def test_a_reading_that_is_none_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(ReadingError) as raised:
        check_reading(name, value)
    assert message in str(raised.value)
    with pytest.raises(ReadingError):
        readings({name: value})
