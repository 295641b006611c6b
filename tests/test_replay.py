"""The same scenario, seed and requests: the same answers and the same reports, octet for octet, on every run."""

import json
import random  # noqa: TID251 - the requests are drawn, from a seed
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from zlib import crc32

import httpx
import pytest

from tests.command_line import serve

REQUESTS = 500

SCENARIO = """
name: a-bit-of-everything
seed: 7
accounts:
  - {user: poor, apiKey: key, balance: 40}
  - {user: hasty, apiKey: key, rateLimit: {requests: 3, per: 10s}}
  - {user: full, apiKey: key, queueLimit: 5}
  - any
rules:
  - {name: early, before_checks: true, when: {probability: 0.02}, respond: {status: 503, body: "{{ to }} later"}}
  - {name: lost, when: {probability: 0.1}, respond: {fault: reset}, submit: true}
  - {name: third, when: {to: {prefix: "+34"}, every: 3, per: senderId}, respond: {error: 7}}
  - {name: first, when: {to: {prefix: "+44"}, state: start}, respond: {error: 6}, set_state: open}
  - {name: again, when: {to: {prefix: "+44"}, nth: [5, 6, 7]}, respond: {error: 9}, set_state: start}
  - name: odd
    when: {to: {prefix: "+49"}}
    dlr:
      - {after: 1s, status: accepted, send_after: 90s}
      - {after: 2s, jitter: 1m, status: enroute, repeat: 2}
      - {after: 2m, jitter: 1h, status: delivered, weight: 3, body: '{"id": {{ transactionId | json }}, '}
      - {after: 2m, jitter: 1h, status: rejected, errorCode: 11, weight: 1}
default:
  dlr:
    - {after: 1s, jitter: 5s, status: enroute}
    - {after: 10s, jitter: 1d, status: delivered, weight: 9}
    - {after: 20s, status: undeliverable, errorCode: 5, weight: 1}
"""


class Run(NamedTuple):
    """All that a run showed outside."""

    answers: list[tuple[object, ...]]
    callbacks: list[dict[str, object]]
    received: dict[str, list[bytes]]
    """What the receiver got, by transaction id."""


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets, and wants every fifth report twice."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.received: dict[str, list[bytes]] = defaultdict(list)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    of = str(json.loads(body)["transactionId"])
                except ValueError:
                    of = body.decode()
                is_first = body not in receiver.received[of]
                receiver.received[of].append(body)
                self.send_response(500 if is_first and crc32(body) % 5 == 0 else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


def requests(callback_url: str) -> list[dict[str, str]]:
    """Return the same requests each time, valid ones and others."""
    draw = random.Random(20240115)  # noqa: S311 - nothing secret
    drawn = []
    for number in range(REQUESTS):
        request = {
            "user": draw.choice(["you@example.com", "you@example.com", "poor", "hasty", "full"]),
            "apiKey": "key",
            "to": draw.choice(["+1", "+34", "+44", "+49", "+49", "+", "x"])
            + f"60000{draw.randrange(10_000):04}",
            "message": draw.choice(["Hello", "Código 1234", "€" * 81, "ok" * 90, "шесть"]),
            "senderId": draw.choice(["ORDER", "VERIFY", "+123456"]),
            "confirmation": draw.choice(["true", "true", "false"]),
            "callbackUrl": callback_url,
        }
        request |= draw.choice(
            [{}, {}, {"dcs": "1"}, {"dcs": "8"}, {"validityPeriod": "45"}, {"udh": "0100"}]
        )
        request |= draw.choice([{}, {"transactionId": f"order-{number}"}, {"scheduledDeliveryTime": "600"}])
        request |= draw.choice([{}, {"responseType": "json"}, {"responseType": "xml"}])
        drawn.append(request)
    return drawn


def run(scenario: Path, *, hash_seed: str) -> Run:
    answers: list[tuple[object, ...]] = []
    arguments = ("--port", "0", "--scenario", str(scenario), "--clock", "virtual")
    with (
        Receiver() as receiver,
        serve(
            *arguments,
            "--start-at",
            "2024-01-15T10:30:00Z",
            environment={"PYTHONHASHSEED": hash_seed},
            is_heard=False,
        ) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        Thread(target=receiver.serve_forever, daemon=True).start()
        port = str(receiver.server_address[1])
        for number, request in enumerate(requests(f"http://127.0.0.1:{port}/dlr")):
            answers.append(sent(client, request, as_json=number % 2 == 0))
            if number % 10 == 9:
                client.post("/_sandbox/clock/advance", json={"by": "7s"}).raise_for_status()
        moved = client.post("/_sandbox/clock/advance", json={"by": "40d"}).raise_for_status().json()
        assert moved["now"] == "2024-02-24T10:35:50Z"
        callbacks = client.get("/_sandbox/callbacks").json()["callbacks"]
        receiver.shutdown()
    for callback in callbacks:
        callback["url"] = callback["url"].replace(port, "PORT")
        for attempt in callback["attempts"]:
            del attempt["ms"]  # real time, on any clock
    return Run(answers, callbacks, dict(receiver.received))


def sent(client: httpx.Client, request: dict[str, str], *, as_json: bool) -> tuple[object, ...]:
    try:
        body = {"json": request} if as_json else {"data": request}
        answer = client.post("/sendMtSms.php", **body)  # type: ignore[arg-type]
    except httpx.TransportError as error:
        return (type(error).__name__,)
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    scenario = tmp_path_factory.mktemp("replay") / "mine.yaml"
    scenario.write_text(SCENARIO)
    return run(scenario, hash_seed="1"), run(scenario, hash_seed="2")


def test_the_run_is_a_varied_one(runs: tuple[Run, Run]) -> None:
    one, _ = runs
    bodies = Counter(str(answer[1])[2:9] for answer in one.answers if len(answer) > 1)
    assert {"ERROR_5", "ERROR_6", "ERROR_7", "ERROR_8", "ERROR_9"} <= bodies.keys()
    assert any(len(answer) == 1 for answer in one.answers)
    statuses = {str(callback["body"])[:200].count("rejected") for callback in one.callbacks}
    assert statuses == {0, 1}
    assert any(len(callback["attempts"]) > 1 for callback in one.callbacks)  # type: ignore[arg-type]
    assert len(one.callbacks) > REQUESTS / 3


def test_the_same_answers_come_on_every_run(runs: tuple[Run, Run]) -> None:
    one, other = runs
    assert one.answers == other.answers


def test_the_same_reports_come_on_every_run_in_order_for_each_message(runs: tuple[Run, Run]) -> None:
    one, other = runs
    assert one.received == other.received


def test_the_same_attempts_are_made_at_the_same_moments(runs: tuple[Run, Run]) -> None:
    one, other = runs
    assert one.callbacks == other.callbacks
