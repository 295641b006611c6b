"""What a run has exercised, summed up, and told in its closing lines."""

import json

from sandbox import Callback, Request
from sandbox.contract import readings
from sandbox.kit.exercised import Exercised

USUAL = readings()._asdict()
TRIED = [{"at": "2024-01-15T12:00:01.000Z", "status": 200, "error": None, "ms": 1}]


def request(error: int | None) -> Request:
    return Request({"id": "r1", "error": error})


def callback(body: object, url: str = "http://127.0.0.1/", attempts: object = TRIED) -> Callback:
    return Callback({"id": "c1", "body": body, "url": url, "attempts": attempts})


def test_codes_are_those_that_were_answered() -> None:
    exercised = Exercised()
    exercised.note([request(error) for error in (1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14, 5, None)], [], USUAL)
    assert exercised.lines()[0] == "SMS error codes exercised: 11/15 (missing 3, 6, 12, 15)"
    exercised.note([request(error) for error in range(1, 16)], [], USUAL)
    assert exercised.lines()[0] == "SMS error codes exercised: 15/15"


def test_statuses_are_those_of_reports_that_were_tried_in_any_spelling() -> None:
    exercised = Exercised()
    exercised.note(
        [request(None)],
        [
            callback({"status": "delivered"}),
            callback({"status": "ENROUTE"}),
            callback(None, "http://127.0.0.1/?ID=1&status=REJECTED"),
            callback({"status": "expired"}, attempts=[]),
            callback({"status": 7}),
            callback("nonsense"),
        ],
        USUAL,
    )
    assert exercised.lines()[1] == (
        "SMS report statuses exercised: 3/8 (missing accepted, expired, deleted, undeliverable, unknown)"
    )


def test_a_reading_is_exercised_when_something_was_sent_with_each_of_its_values() -> None:
    exercised = Exercised()
    exercised.note([request(None)], [], USUAL)
    exercised.note([], [], {**USUAL, "error_code": "padded"})
    assert exercised.lines()[2].startswith(
        f"SMS readings exercised: 0/{len(USUAL)} (missing double_encoding, "
    )
    exercised.note([request(None)], [], {**USUAL, "error_code": "padded"})
    assert exercised.lines()[2].startswith(f"SMS readings exercised: 1/{len(USUAL)} ")
    assert ", error_code" not in exercised.lines()[2]


def test_what_one_process_has_met_reaches_another() -> None:
    met = Exercised({5, 1}, {"delivered"}, {"errors=bare"})
    assert Exercised({2}).add(**json.loads(json.dumps(met.to_json()))).codes == {1, 2, 5}
    assert Exercised().add(**met.to_json()) == met
