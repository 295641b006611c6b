"""The control API asked over connections that are kept, by a client that says whose fault it is."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox import Receiver, Sandbox
from sandbox.errors import UnreachableError
from sandbox.kit.control import Control, ControlError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}'


@contextmanager
def answering(*connections: int, answer: bytes = OK) -> Iterator[str]:
    """Answer so many requests on each connection, and then close it without saying so."""

    def serve() -> None:
        for requests in connections:
            connection, _ = listener.accept()
            with connection:
                for _ in range(requests):
                    connection.recv(65_536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_one_connection_serves_for_all() -> None:
    with answering(3) as url:
        control = Control(url, timeout_s=10)
        for _ in range(2):
            control.get("health")
        assert control.beneath("/s/x").url == f"{url}/s/x"
        control.beneath("/s/x").get("health")
        control.close()


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    with answering(1, 1, 1) as url:
        control = Control(url)
        assert [control.get("health") for _ in range(3)] == [{"a": 1}] * 3
        control.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"SSH-2.0-x\r\n"])
def test_an_answer_that_does_not_come_is_told_with_the_address(answer: bytes) -> None:
    with (
        answering(1, answer=answer) as url,
        pytest.raises(UnreachableError, match=f"no sandbox answers at {url}: "),
    ):
        Control(url).get("health")


@pytest.mark.parametrize("body", ["<html>", "[]", "null", ""])
def test_what_is_no_sandbox_is_told_apart(dlr: Receiver, body: str) -> None:
    dlr.respond(404, body=body)
    root, path = dlr.url[: dlr.url.index("/dlr")], dlr.url[dlr.url.index("/dlr") :]
    with pytest.raises(UnreachableError, match=f"{root} does not answer as a sandbox: HTTP 404 for {path}"):
        Control(root).ask("GET", path)


def test_the_token_goes_with_every_request(dlr: Receiver) -> None:
    dlr.respond(body="{}")
    root, path = dlr.url[: dlr.url.index("/dlr")], dlr.url[dlr.url.index("/dlr") :]
    control = Control(root, token="secret")
    control.ask("GET", path)
    control.beneath("").ask("POST", path, {"a": 1})
    control.close()
    assert [report.headers["authorization"] for report in dlr.received] == ["Bearer secret"] * 2


def test_a_refusal_says_why(server: Sandbox) -> None:
    with pytest.raises(ControlError, match="there is no message m999") as error:
        server.control.get("messages/m999")
    assert (error.value.status, error.value.problem["title"]) == (404, "Not Found")


def test_a_query_says_what_is_given_and_leaves_the_rest_out(server: Sandbox) -> None:
    assert server.control.get("messages", {"to": "+34 & more", "status": None})["total"] == 0


def test_a_body_may_hold_any_text(sms: Sandbox) -> None:
    sms.when(message="Código \U0001f600 \x7f").respond(error=11)
    assert sms.send(message="Código \U0001f600 \x7f", dcs=8).error == 11
