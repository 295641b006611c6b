"""The receiver of reports: what it keeps, how it answers, and how long it is waited for."""

import json
import threading

import pytest
import requests

from sandbox import Receiver, Report, Sandbox
from sandbox.kit.receiver import LONGEST, Post
from tests.worlds import at

REPORT = {
    "transactionId": "order_1",
    "status": "delivered",
    "destination": "+34600000001",
    "timestamp": "2024-01-15T12:00:01Z",
    "errorCode": None,
    "errorDescription": None,
}


def send(receiver: Receiver, content: object = REPORT) -> requests.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return requests.post(receiver.url, body, headers={"Content-Type": "application/json"}, timeout=10)


def test_a_report_is_its_json_object_with_the_names_of_either_language(dlr: Receiver) -> None:
    send(dlr)
    (report,) = dlr.wait()
    assert isinstance(report, Report)
    assert report == REPORT
    assert (report["status"], report.status, report.transaction_id) == ("delivered", "delivered", "order_1")
    assert (report.timestamp, report.destination) == (at(1), "+34600000001")
    assert (report.error_code, report.error_description) == (None, None)
    assert (report.method, report.headers["content-type"]) == ("POST", "application/json")
    assert json.loads(report.raw) == REPORT


@pytest.mark.parametrize("body", [b"", b'{"status": ', b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_kept_as_it_came(dlr: Receiver, body: bytes) -> None:
    assert send(dlr, body).status_code == 200
    assert (dlr.received, dlr.received[0].raw) == ([{}], body)


def test_a_get_is_read_from_its_query(dlr: Receiver) -> None:
    requests.get(f"{dlr.url}?transactionId=1&status=DELIVERED", timeout=10)
    assert dlr.received == [{"transactionId": "1", "status": "DELIVERED"}]
    assert (dlr.received[0].method, dlr.received[0].query) == ("GET", "transactionId=1&status=DELIVERED")


def test_a_body_is_kept_up_to_a_limit(dlr: Receiver) -> None:
    assert send(dlr, b"a" * (LONGEST + 7)).status_code == 200
    assert len(dlr.received[0].raw) == LONGEST


def test_it_answers_as_it_is_told_and_then_as_usual(dlr: Receiver) -> None:
    dlr.respond(500, times=2)
    dlr.respond(503, times=1, headers={"Retry-After": "2"}, body="later")
    dlr.respond(204)
    answers = [send(dlr) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [500, 500, 503, 204, 204]
    assert (answers[2].headers["Retry-After"], answers[2].text) == ("2", "later")
    assert len(dlr.received) == 5


def test_receivers_of_one_server_do_not_mix_and_one_that_is_gone_takes_nothing(post: Post) -> None:
    one, other = Receiver(), Receiver()
    post.deliver_to(one)
    post.deliver_to(other)
    send(one)
    assert (len(one.received), len(other.received)) == (1, 0)
    post.forget(one)
    assert send(one).status_code == 410
    assert len(one.received) == 1
    post.forget(other)


def test_it_is_there_while_the_block_runs_and_can_be_named(sms: Sandbox) -> None:
    with Receiver() as receiver:
        sms.send(confirmation=True, callback_url=receiver.url)
        sms.clock.advance("1s")
        assert repr(receiver) == f"<Receiver at {receiver.url}, 1 reports>"
        url = receiver.url
    assert [report.status for report in receiver.received] == ["delivered"]
    with pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=10)
    with pytest.raises(RuntimeError, match=r"write `with Receiver\(\) as receiver:`"):
        receiver.url  # noqa: B018 - asking is what fails


def test_it_may_be_called_otherwise_from_where_the_sandbox_runs() -> None:
    with Post("0.0.0.0", called="localhost") as post:
        receiver = Receiver()
        post.deliver_to(receiver)
        assert receiver.url.startswith("http://localhost:")
        assert send(receiver).status_code == 200


def test_waiting_returns_as_soon_as_so_many_are_there(dlr: Receiver) -> None:
    sender = threading.Thread(target=lambda: [send(dlr) for _ in range(3)])
    sender.start()
    assert len(dlr.wait(3)) == 3
    sender.join()
    dlr.clear()
    assert dlr.received == dlr.wait(0) == []


def test_waiting_in_vain_shows_what_came_and_what_to_look_at(dlr: Receiver) -> None:
    send(dlr, {"status": "enroute"})
    send(dlr, b"nonsense")
    with pytest.raises(AssertionError) as error:
        dlr.wait(3, timeout=0.01)
    assert str(error.value) == (
        "2 of 3 reports came within 0.01 s:\n"
        "  {'status': 'enroute'}\n"
        "  b'nonsense'\n"
        "Reports are sent for messages with confirmation=true and a callbackUrl; "
        "where the clock is virtual, when it is advanced"
    )


def test_waiting_for_the_first_says_that_nothing_came(dlr: Receiver) -> None:
    with pytest.raises(AssertionError, match=r"^0 of 1 reports came within 0 s\nReports are sent"):
        dlr.wait(timeout=0)
