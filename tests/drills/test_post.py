"""How a report is carried: where it may go, what goes over the wire, and what is made of an answer."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.clock import RunningClock
from sandbox.drills.post import Manner, Post
from sandbox.drills.reports import Signed, Wanted, Writer, Written, check_secret
from sandbox.errors import ConfigError
from tests.command_line import NOBODY
from tests.drills.clerk import SECRET, a_clerk

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BODY = b'{"transactionId":"t1"}'


@contextmanager
def a_listener(answer: bytes) -> Iterator[tuple[str, "SimpleQueue[bytes]"]]:
    """Answer every connection with the same octets; each one's request is kept, whole or not."""
    heard: SimpleQueue[bytes] = SimpleQueue()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(5)
                    octets = b""
                    try:
                        while more := connection.recv(65_536):
                            octets += more
                            if octets.endswith((BODY, b"stop")):
                                break
                    except OSError:
                        pass
                    if octets == b"stop":
                        return
                    if octets:  # and not the look whether somebody listens
                        heard.put(octets)
                        connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        address = listener.getsockname()
        try:
            yield f"http://127.0.0.1:{address[1]}", heard
        finally:
            with socket.create_connection(address) as connection:
                connection.sendall(b"stop")
            thread.join()


def carried(url: str, path: str, manner: Manner = Manner.WHOLE) -> str:
    report = Written("POST", url + path, {"Content-Type": "application/json"}, BODY)
    return str(Post(url, timeout_s=5).carry(report, manner))


# -- where it may go -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ftp://x", "--callback-url ftp://x does not begin with http:// or https://"),
        (
            NOBODY,
            f"--callback-url {NOBODY}: connection refused; start the receiver, and name the URL that it listens at",
        ),
        (
            "http://93.184.215.14/",
            "93.184.215.14 is not a loopback or private address: allow it with --allow-callback 93",
        ),
        (
            "http://169.254.169.254/",
            "169.254.169.254 is a link-local or cloud metadata address: reports never go there",
        ),
        ("http://no-such-host.invalid/", "--callback-url http://no-such-host.invalid/: "),
        ("http://" + "a" * 70 + ".invalid/", "--callback-url http://aaaa"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_before_anything_is_sent(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Post(url, timeout_s=1)
    assert complaint in str(caught.value)


def test_a_name_with_several_addresses_is_reached_where_somebody_listens(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk:
        url = clerk.url.replace("127.0.0.1", "localhost")
        answer = Post(url, timeout_s=5).carry(Written("GET", url, {}, None), Manner.WHOLE)
    assert answer.status == 400


# -- what goes over the wire ---------------------------------------------------------------------------------


def test_a_report_goes_out_as_the_sandbox_sends_it() -> None:
    with a_listener(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, heard):
        assert carried(url, "/dlr?a=1&b=%20x").startswith("HTTP 204 after ")
        head, _, body = heard.get(timeout=5).partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /dlr?a=1&b=%20x HTTP/1.1"
    assert set(headers) == {
        f"Host: {url.removeprefix('http://')}",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        "Connection: close",
        f"Content-Length: {len(BODY)}",
    }
    assert body == BODY


def test_a_report_that_is_broken_off_promises_more_than_comes() -> None:
    with a_listener(b"") as (url, heard):
        assert carried(url, "/", Manner.BROKEN_OFF) == "no answer: it was not waited for"
        head, _, body = heard.get(timeout=5).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(BODY)}" in head.decode()
    assert body == BODY[: len(BODY) // 2]


def test_a_receiver_is_seen_out_after_a_report_that_is_broken_off() -> None:
    """Else it could still be about to make something of it when it is asked what it holds."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                listener.accept()[0].close()
            with listener.accept()[0] as connection:
                while connection.recv(65_536):
                    pass
                Event().wait(0.1)
                done.set()

        thread = Thread(target=serve)
        thread.start()
        post = Post(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=5)
        post.carry(Written("POST", "http://x/", {}, BODY), Manner.BROKEN_OFF)
        was_done = done.is_set()
        thread.join()
    assert was_done


@pytest.mark.parametrize("manner", [Manner.OCTET_BY_OCTET, Manner.UNHEARD])
def test_a_report_arrives_whole_in_these_manners(manner: Manner) -> None:
    with a_listener(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, heard):
        answer = carried(url, "/", manner)
        assert heard.get(timeout=5).partition(b"\r\n\r\n")[2] == BODY
    assert answer.startswith(
        "HTTP 200" if manner is Manner.OCTET_BY_OCTET else "no answer: it was not listened to"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nno\r\n", "ms: noU+000DU+000A"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "HTTP 200 after "),
        (b"garbage\r\n\r\n", "no answer: garbage"),
        (b"", "no answer: remote end closed connection without response"),
    ],
)
def test_what_is_answered_is_told(answer: bytes, told: str) -> None:
    with a_listener(answer) as (url, _):
        assert told in carried(url, "/")


def test_an_answer_that_trickles_is_not_waited_for_for_ever() -> None:
    """A timeout for each octet would never pass."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            listener.accept()[0].close()  # the look whether somebody listens: where it leads, and
            listener.accept()[0].close()  # that it answers
            with suppress(OSError), listener.accept()[0] as connection:
                while not done.wait(0.02):
                    connection.sendall(b"H")

        thread = Thread(target=trickle)
        thread.start()
        post = Post(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.3)
        answer = post.carry(Written("POST", "http://x/", {}, BODY), Manner.WHOLE)
        done.set()
        thread.join()
    assert answer.lost == "nothing whole came within 0.3 s"


def test_tls_is_spoken_where_the_url_says_so(tmp_path: Path) -> None:
    with a_clerk(tmp_path) as clerk, pytest.raises(ConfigError, match="SSL"):
        Post(clerk.url.replace("http:", "https:"), timeout_s=5)


# -- what is written -----------------------------------------------------------------------------------------


def written(
    wanted: Wanted,
    signed: Signed = Signed.WELL,
    secret: str | None = SECRET,
    later: timedelta = timedelta(),
) -> Written:
    return Writer("http://127.0.0.1:1/dlr", secret, NOW).write(
        wanted, "t1", step_began_at=NOW, now=NOW + later, signed=signed
    )


def test_a_report_has_the_six_members_of_the_reference() -> None:
    report = written(Wanted("undeliverable", error_code=11), secret=None)
    assert report.body == (
        b'{"transactionId":"t1","status":"undeliverable","destination":"+1222333444",'
        b'"timestamp":"2026-03-04T05:06:07Z","errorCode":11,"errorDescription":"Destination barred"}'
    )
    assert report.headers == {"User-Agent": "panelsms-sandbox", "Content-Type": "application/json"}


@pytest.mark.parametrize("signed", Signed)
def test_a_report_is_signed_as_it_is_said_to_be(signed: Signed) -> None:
    now = RunningClock().now()
    writer = Writer("http://127.0.0.1:1/dlr", SECRET, now)
    report = writer.write(Wanted("delivered"), "t1", step_began_at=now, now=now, signed=signed)
    assert ("webhook-signature" in report.headers) is (signed is not Signed.NOT_AT_ALL)
    hook = Webhook(SECRET)
    if signed is Signed.WELL:
        hook.verify((report.body or b"").decode(), dict(report.headers))
    else:
        with pytest.raises(WebhookVerificationError) as caught:
            hook.verify((report.body or b"").decode(), dict(report.headers))
        assert ("too old" in str(caught.value)) is (signed is Signed.TEN_MINUTES_AGO)


def test_attempts_at_one_report_have_the_same_octets_however_long_the_first_has_taken() -> None:
    first, second = (written(Wanted("delivered"), later=timedelta(seconds=wait)) for wait in (0, 7))
    assert first.body == second.body


def test_an_older_report_is_older_however_late_it_is_sent() -> None:
    newer = written(Wanted("delivered"))
    older = written(Wanted("enroute", age=timedelta(seconds=1)), later=timedelta(seconds=7))
    assert json.loads(older.body or b"")["timestamp"] < json.loads(newer.body or b"")["timestamp"]


def test_attempts_at_one_report_have_one_id_and_no_other_report_has_it() -> None:
    reports = {
        "delivered": Wanted("delivered"),
        "again": Wanted("delivered"),
        "another callback": Wanted("delivered", number=2),
        "enroute": Wanted("enroute"),
    }
    ids = {name: written(wanted).headers["webhook-id"] for name, wanted in reports.items()}
    forged = written(Wanted("delivered"), Signed.WITH_ANOTHER_SECRET).headers["webhook-id"]
    assert ids["delivered"] == ids["again"] == forged
    assert len(set(ids.values())) == 3


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_no base64!", "é"])
def test_a_secret_that_signs_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="--secret is no secret"):
        check_secret(secret)
    check_secret(SECRET)
