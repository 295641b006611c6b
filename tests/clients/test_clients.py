"""The endpoint as real clients see it: PHP streams, Python requests, JavaScript fetch and curl."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from sandbox.app import create_app
from sandbox.client import Client
from sandbox.core.scenario import Step
from sandbox.serving import serving
from sandbox.sources import builtin
from tests.command_line import unmeasured

HERE = Path(__file__).parent
WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class RealClient:
    """A client program, and how it is given the parameters of a message."""

    program: tuple[str, ...]
    arguments: Callable[[dict[str, str]], list[str]]
    posts_json: bool


def as_json(parameters: dict[str, str]) -> list[str]:
    return [json.dumps(parameters)]


def as_words(parameters: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in parameters.items()]


CLIENTS = {
    "php streams": RealClient(("php", "client.php"), as_json, posts_json=True),
    "python requests": RealClient((sys.executable, "client.py"), as_json, posts_json=True),
    "javascript fetch": RealClient(("node", "client.mjs"), as_json, posts_json=True),
    "curl with a form": RealClient(("sh", "client.sh", "form"), as_words, posts_json=False),
    "curl with a url": RealClient(("sh", "client.sh", "url"), as_words, posts_json=False),
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> RealClient:
    name = str(request.param)
    chosen = CLIENTS[name]
    needed = "curl" if name.startswith("curl") else chosen.program[0]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed here; scripts/test installs it when it may")
    return chosen


@pytest.fixture
def url() -> Iterator[str]:
    """A server that has just started; its messages are delivered at once."""
    at_once = (Step(after=timedelta(), status="delivered"),)
    with serving(create_app(scenario=replace(builtin("default").scenario, timeline=at_once))) as address:
        yield address


def send(client: RealClient, url: str, **parameters: str) -> list[str]:
    """Run a client; return the two lines that it prints: the answer, and the transaction id it read there."""
    without_proxies = {
        name: value for name, value in unmeasured().items() if not name.lower().endswith("_proxy")
    }
    process = subprocess.run(
        [*client.program, *client.arguments(parameters)],
        cwd=HERE,
        env={**without_proxies, "PANELSMS_URL": url},
        capture_output=True,
        encoding="utf-8",
        timeout=WITHIN_S,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()


def accepted(client: RealClient, transaction_id: str) -> list[str]:
    """Return what a client prints of a message that was accepted."""
    answer = f'{{"response":{{"status":"OK","transactionId":"{transaction_id}"}}}}'
    return [answer if client.posts_json else f"OK_{transaction_id}", transaction_id]


def test_a_message_is_accepted_and_its_id_generated(client: RealClient, url: str) -> None:
    assert send(client, url, to="+1222333444", message="Hello") == accepted(client, "1000001")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"message": "Price: 5 & up, 100% = 1 + 1? #1;"}, {"encoding": ("GSM7", 32), "dcs": 0}),
        ({"message": "¿Qué tal, Ñoño?\nÅsa à Ü"}, {"encoding": ("GSM7", 23), "dcs": 0}),
        ({"message": "Código áéíóú", "senderId": "ORDER"}, {"encoding": ("UCS2", 12), "senderId": "ORDER"}),
        ({"message": "Привет 👋", "dcs": "8", "transactionId": "заказ/7 ü+1 %"}, {"encoding": ("UCS2", 9)}),
        (
            {"message": "[10 €]", "dcs": "1", "udh": "050003CC0201"},
            {"encoding": ("GSM7", 9), "udh": "050003CC0201"},
        ),
    ],
    ids=["reserved characters", "latin", "latin beyond gsm", "unicode", "a part"],
)
def test_the_message_that_was_meant_is_the_one_that_is_stored(
    client: RealClient, url: str, parameters: dict[str, str], expected: dict[str, Any]
) -> None:
    printed = send(client, url, to="+1222333444", **parameters)
    message = Client(url).control("messages/latest")
    assert printed == accepted(client, parameters.get("transactionId", "1000001"))
    assert message["to"] == "+1222333444"
    assert message["text"] == parameters["message"]
    assert message["transactionId"] == printed[1]
    shown = {**message, "encoding": (message["encoding"]["coding"], message["encoding"]["used"])}
    assert {name: shown[name] for name in expected} == expected
    assert message["hints"] == []


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({"to": "recipient"}, "ERROR_5"),
        ({"apiKey": "invalid"}, "ERROR_2"),
        ({"message": "x" * 161}, "ERROR_13"),
        ({"to": "+15005550009"}, "ERROR_9"),
    ],
)
def test_a_refusal_is_the_bare_code_for_every_client(
    client: RealClient, url: str, parameters: dict[str, str], answer: str
) -> None:
    assert send(client, url, **{"to": "+1222333444", "message": "Hello", **parameters}) == [answer, "refused"]
    assert Client(url).control("messages")["total"] == 0
    assert Client(url).control("requests/r1")["answer"] == answer


@dataclass(frozen=True, slots=True)
class Posted:
    """A request that a receiver of reports was sent."""

    path: str
    content_type: str | None
    body: str


@contextmanager
def receiver() -> Iterator[tuple[str, "SimpleQueue[Posted]"]]:
    """Take reports while the block runs: the callback URL, and what arrives there."""
    arrived: SimpleQueue[Posted] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        timeout = WITHIN_S

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            arrived.put(Posted(self.path, self.headers["Content-Type"], body))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/dlr?source=sandbox&x=1", arrived
        finally:
            server.shutdown()
            thread.join()


def test_the_report_arrives_at_the_callback_url(client: RealClient, url: str) -> None:
    with receiver() as (callback_url, arrived):
        send(
            client,
            url,
            to="+1222333444",
            message="Hello",
            transactionId="order_12345",
            confirmation="true",
            callbackUrl=callback_url,
        )
        posted = arrived.get(timeout=WITHIN_S)
    delivered = Client(url).control("messages/latest")["timeline"][0]
    assert delivered["status"] == "delivered"
    assert posted == Posted(
        path="/dlr?source=sandbox&x=1",
        content_type="application/json",
        body='{"transactionId":"order_12345","status":"delivered","destination":"+1222333444",'
        f'"timestamp":"{delivered["at"]}","errorCode":null,"errorDescription":null}}',
    )
    assert arrived.empty()
