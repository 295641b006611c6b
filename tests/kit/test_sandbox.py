"""`Sandbox` as a test of somebody's client uses it: served here, elsewhere, as a session, or without a port."""

import asyncio
import inspect
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from sandbox import Message, Receiver, Sandbox, SandboxError
from sandbox.app import create_app
from sandbox.config import Config
from sandbox.embedded import Options
from sandbox.errors import ConfigError, ScenarioError, UnreachableError
from sandbox.kit.clock import Clock
from sandbox.kit.control import Control, ControlError
from sandbox.kit.world import NotStartedError
from sandbox.serving import serving
from tests.worlds import DESTINATION, NOON, VALID, at

REFUSING = {"rules": [{"name": "refuse", "respond": {"error": 15}}]}


@contextmanager
def elsewhere(**options: Any) -> Iterator[str]:
    """Serve a sandbox as ``panelsms-sandbox serve`` does, and give its address."""
    with serving(create_app(Config(**options)), grace_s=0) as url:
        yield url


# -- where it runs ---------------------------------------------------------------------------------


def test_it_serves_on_a_free_port_while_the_block_runs() -> None:
    with Sandbox(scenario="default", clock="virtual") as sms:
        assert sms.send_url == f"{sms.url}/sendMtSms.php"
        assert requests.post(sms.send_url, VALID, timeout=10).text.startswith("OK_")
        url = sms.url
    with pytest.raises(UnreachableError, match="connection refused"):
        Sandbox.at(url).messages  # noqa: B018 - asking is what fails


def test_two_serve_at_once_and_know_nothing_of_each_other() -> None:
    with Sandbox() as one, Sandbox() as other:
        one.send()
        assert (len(one.messages), len(other.messages)) == (1, 0)


def test_it_can_be_started_and_stopped_without_a_block_and_again() -> None:
    sms = Sandbox()
    for _ in range(2):
        assert sms.start() is sms.start()
        assert sms.send().error is None
        assert len(sms.messages) == 1
        sms.stop()
    sms.stop()


def test_one_that_is_not_started_says_what_to_do() -> None:
    with pytest.raises(NotStartedError, match=r"write `with Sandbox\(\.\.\.\) as sms:`"):
        Sandbox().url  # noqa: B018 - asking is what fails


def test_nothing_is_left_of_one_that_has_stopped() -> None:
    def held() -> tuple[set[threading.Thread], int]:
        files = [file.readlink() for file in Path("/proc/self/fd").iterdir() if os.path.lexists(file)]
        return set(threading.enumerate()), sum(file.name.startswith("socket:") for file in files)

    before = held()
    with Sandbox() as sms:
        sms.send()
        with sms.session("one") as session:
            session.send()
            assert session.requests
    assert held() == before


def test_a_port_in_use_is_told_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            Sandbox(port=port).start()


def test_one_that_runs_elsewhere_is_used_the_same_way_and_goes_on_afterwards() -> None:
    with elsewhere(clock="virtual") as url:
        with Sandbox.at(url) as sms:
            sms.send(to="+34600000001")
            sms.assert_sent(to={"prefix": "+34"}, times=1)
            assert sms.wait_for(status="delivered").to == "+34600000001"
        with Sandbox.at(f"{url}/") as sms:
            assert len(sms.messages) == 1


def test_one_with_an_admin_token_is_asked_with_it() -> None:
    with elsewhere(admin_token="secret", clock="virtual") as url:
        with Sandbox.at(url, token="secret") as sms, sms.session("one") as session:
            assert session.send().error is None
            assert session.wait_for(status="delivered")
        with pytest.raises(ControlError) as error:
            Sandbox.at(url).messages  # noqa: B018 - asking is what fails
    assert error.value.status == 401


@pytest.mark.parametrize("url", ["127.0.0.1:7670", "ftp://127.0.0.1", "http://", "http://127.0.0.1:7670/a b"])
def test_what_is_no_url_is_told_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match="the sandbox's URL"):
        Sandbox.at(url)


def test_a_server_that_is_no_sandbox_is_told_apart() -> None:
    with Receiver() as other, pytest.raises(UnreachableError, match="does not answer as a sandbox: HTTP 410"):
        Sandbox.at(other.url).clock.now  # noqa: B018 - asking is what fails


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        (
            {"scenario": "defualt"},
            ConfigError,
            "there is no built-in scenario defualt: did you mean default?",
        ),
        ({"scenario": "./nowhere.yaml"}, ConfigError, "there is no file ./nowhere.yaml"),
        (
            {"scenario": {"rules": [{"respnd": {}}]}},
            ScenarioError,
            'no key "respnd" here: did you mean respond?',
        ),
        ({"scenario": "name: a\nrule: []\n"}, ScenarioError, 'scenario:2:1: there is no key "rule"'),
        ({"clock": "x0"}, ConfigError, "a clock cannot be x0"),
        ({"start_at": "soon"}, ConfigError, "start_at 'soon' is no time"),
        (
            {"readings": {"errors": "bear"}},
            SandboxError,
            "reading errors cannot be bear: it is bare or envelope",
        ),
        ({"readings": {"eror": "bare"}}, SandboxError, "there is no reading eror: did you mean errors?"),
        ({"magic_prefix": "1"}, ConfigError, "the magic prefix 1 begins no number"),
    ],
)
def test_an_option_that_cannot_work_is_told_when_it_starts(
    options: dict[str, Any], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind) as error:
        Sandbox(**options).start()
    assert told in str(error.value)


# -- how it begins ---------------------------------------------------------------------------------


def test_its_clock_is_virtual_and_begins_where_it_is_told() -> None:
    with Sandbox(start_at="2024-01-15T12:00:00Z") as sms:
        assert (sms.clock.mode, sms.clock.now) == ("virtual", NOON)


@pytest.mark.parametrize("mode", ["real", "x60"])
def test_its_clock_may_run(mode: str) -> None:
    with Sandbox(clock=mode, start_at=datetime(2024, 1, 15, 12, 0)) as sms:  # noqa: DTZ001 - taken as UTC
        assert sms.clock.mode == mode
        assert sms.clock.now >= NOON


def test_a_scenario_is_a_name_a_file_yaml_or_a_mapping(tmp_path: Path) -> None:
    yaml = "name: mine\nrules:\n  - {name: refuse, respond: {error: 15}}\n"
    file = tmp_path / "mine.yaml"
    file.write_text(yaml, "utf-8")
    for scenario in (file, str(file), yaml, {"name": "mine", **REFUSING}):
        with Sandbox(scenario) as sms:
            assert (sms.scenario["name"], sms.send().error) == ("mine", 15)


def test_a_mapping_is_written_as_python_writes_it() -> None:
    scenario = {
        "rules": [
            {
                "when": {"senderId": {"any_of": ("A", "B")}, "flash": False},
                "dlr": [{"after": timedelta(minutes=2), "status": "rejected"}],
            }
        ]
    }
    with Sandbox(scenario, start_at=NOON) as sms:
        sms.send(sender_id="B")
        sms.wait_for(status="rejected")
        assert (sms.scenario["name"], sms.clock.now) == ("test", at(120))


def test_its_seed_readings_callback_url_and_magic_prefix_are_chosen(dlr: Receiver) -> None:
    with Sandbox(
        seed=7, readings={"errors": "envelope"}, callback_url=dlr.url, magic_prefix="+34600", start_at=NOON
    ) as sms:
        assert sms.scenario["seed"] == 7
        assert (sms.readings["errors"], sms.readings["error_code"]) == ("envelope", "plain")
        assert sms.send(to="+346000005", response_type="json").text == '{"response":{"status":"ERROR_5"}}'
        sms.send(confirmation=True)
        assert sms.clock.advance("1s") == 1
    assert [report.status for report in dlr.received] == ["delivered"]


def test_public_receivers_are_out_of_reach_unless_they_are_allowed() -> None:
    with Sandbox() as sms:
        sms.send(confirmation=True, callback_url="http://192.0.2.1/dlr")
        sms.clock.advance("1s")
        assert sms.callbacks.last.state == "refused"
    with Sandbox(allow_callback=["Callbacks.Example"]) as sms:
        sms.send(confirmation=True, callback_url="http://192.0.2.1/dlr")
        assert sms.messages.last.confirmation


# -- sessions --------------------------------------------------------------------------------------


def test_a_session_is_a_world_of_its_own_on_the_same_server(server: Sandbox) -> None:
    with server.session("one") as one, server.session("other") as other:
        assert one.url == f"{server.url}/s/one"
        one.send()
        other.when().respond(error=9)
        assert (len(one.messages), len(other.messages), other.send().error) == (1, 0, 9)


def test_a_session_ends_with_its_block(server: Sandbox) -> None:
    with server.session("passing") as session:
        session.send()
        assert "passing" in [each["name"] for each in server.control.get("sessions")["sessions"]]
    assert "passing" not in [each["name"] for each in server.control.get("sessions")["sessions"]]


def test_a_session_that_nobody_has_used_ends_as_well(server: Sandbox) -> None:
    server.session("unused").stop()


def test_a_session_begins_as_it_is_told_and_begins_so_again_after_a_reset(server: Sandbox) -> None:
    with server.session(
        "told", scenario=REFUSING, start_at=at(60), readings={"error_code": "padded"}
    ) as session:
        for _ in range(2):
            assert (session.clock.mode, session.clock.now) == ("virtual", at(60))
            assert session.send().text == "ERROR_015"
            session.play("default")
            session.clock.advance("1h")
            assert session.send().error is None
            session.reset()
            assert (session.messages, session.requests) == ([], [])


def test_a_reading_that_a_server_will_not_give_up_is_told_and_leaves_no_session() -> None:
    told = "errors cannot be bare here: the sandbox was started with --reading errors=envelope, which stands"
    with Sandbox(readings={"errors": "envelope"}) as sms:
        with pytest.raises(SandboxError, match=told):
            sms.session("x", readings={"errors": "bare"})
        with pytest.raises(SandboxError, match=told):
            sms.play("default", readings={"errors": "bare"})
        assert sms.control.get("sessions")["sessions"] == []


def test_a_session_takes_its_server_s_scenario_with_other_readings() -> None:
    with (
        Sandbox(REFUSING, readings={"errors": "envelope"}) as sms,
        sms.session("x", readings={"error_http_status": "4xx"}) as session,
    ):
        assert session.send().status == 400
        assert session.readings["error_http_status"] == "4xx"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "a" * 65, "ñ"])
def test_a_session_has_a_name_that_can_stand_in_a_path(server: Sandbox, name: str) -> None:
    with pytest.raises(ConfigError, match="a session cannot be called"):
        server.session(name)


# -- rules -----------------------------------------------------------------------------------------


def test_a_rule_goes_away_after_so_many_times(sms: Sandbox) -> None:
    sms.when(to={"prefix": "+34"}).respond(error=7, times=1)
    assert [sms.send(to="+34600000001").error for _ in range(2)] == [7, None]


def test_a_rule_answers_whatever_a_scenario_can(sms: Sandbox) -> None:
    sms.when(sender_id="A").respond(status=503, headers={"Retry-After": "2"}, body="{{ to }}")
    answer = sms.send(sender_id="A")
    assert (answer.status, answer.headers["retry-after"], str(answer)) == (503, "2", DESTINATION)
    assert not sms.messages


def test_a_fault_breaks_the_answer_and_may_accept_the_message(sms: Sandbox) -> None:
    sms.when().respond(fault="reset", submit=True)
    with pytest.raises(UnreachableError):
        sms.send()
    assert len(sms.messages) == 1


def test_a_rule_before_the_checks_meets_requests_that_they_would_refuse(sms: Sandbox) -> None:
    sms.when(method="POST").respond(error=6, before_checks=True, set_state="full")
    assert sms.send(to="nobody").error == 6
    assert sms.scenario["state"] == "full"


def test_a_rule_chooses_what_becomes_of_a_message(sms: Sandbox) -> None:
    rule = sms.when(to="+34600000001").dlr(
        "enroute", {"after": "5s", "status": "undeliverable", "errorCode": 11}
    )
    sms.send(to="+34600000001")
    assert sms.wait_for(status="undeliverable").statuses == ["enroute", "undeliverable"]
    sms.when().dlr()
    sms.send()
    sms.clock.advance("3d")
    assert sms.messages.last.status == "pending"
    assert rule.name is not None


def test_an_answer_and_what_becomes_of_the_message_make_one_rule(sms: Sandbox) -> None:
    rule = sms.when().respond(error=3).dlr("rejected", times=1)
    assert sms.send().error == 3
    assert sms.wait_for(status="rejected")
    assert sms.send().error is None
    assert [each["name"] for each in sms.scenario["rules"] if each["added"]] == [rule.name]


def test_a_rule_can_be_dropped(sms: Sandbox) -> None:
    rule = sms.when().respond(delay=timedelta(0), error=6)
    assert sms.send().error == 6
    rule.remove()
    assert sms.send().error is None
    with pytest.raises(ControlError, match=f"no rule {rule.name} was added"):
        rule.remove()


@pytest.mark.parametrize(
    ("when", "respond", "told"),
    [
        ({"tto": "+34"}, {"error": 7}, 'there is no key "tto" here: did you mean to?'),
        ({"senderId": {"prefx": "A"}}, {"error": 7}, "did you mean prefix?"),
        ({}, {"error": 16}, "1 to 15"),
        ({}, {"error": 7, "status": 500}, "error and status"),
        ({}, {"fault": "rest"}, "did you mean reset?"),
    ],
)
def test_what_is_no_rule_is_told(
    sms: Sandbox, when: dict[str, Any], respond: dict[str, Any], told: str
) -> None:
    with pytest.raises(ControlError) as error:
        sms.when(**when).respond(**respond)
    assert told in str(error.value)
    assert error.value.status == 422


# -- the clock -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["1h", "3600", 3600, 3600.0, timedelta(hours=1)])
def test_the_clock_advances_by_what_is_written_in_any_way(sms: Sandbox, by: str | float | timedelta) -> None:
    assert sms.clock.advance(by) == 0
    assert sms.clock.now == at(3600)


def test_the_clock_advances_to_a_moment_and_to_what_is_next(sms: Sandbox, dlr: Receiver) -> None:
    sms.send(confirmation=True, callback_url=dlr.url)
    assert repr(sms.clock).endswith("next due 2024-01-15T12:00:01Z>")
    assert sms.clock.to_next() == 1
    assert sms.clock.now == at(1)
    assert sms.clock.next_due is None
    sms.clock.advance_to(at(60))
    sms.clock.advance_to(datetime(2024, 1, 15, 12, 2))  # noqa: DTZ001 - taken as UTC
    sms.clock.advance_to("2024-01-15T12:03:00Z")
    assert sms.clock.now == at(180)
    assert repr(sms.clock) == "<virtual clock at 2024-01-15T12:03:00Z, next due nothing>"


@pytest.mark.parametrize("before", [0, 0.8])
def test_what_is_due_within_a_second_is_reached(sms: Sandbox, before: float) -> None:
    sms.when().dlr({"after": "250ms", "status": "enroute"}, {"after": "750ms", "status": "delivered"})
    sms.clock.advance(before)  # what the clock shows may be less than it is
    sms.send()
    assert sms.wait_for(status="delivered").statuses == ["enroute", "delivered"]
    assert sms.clock.now <= at(3)


def test_there_is_nothing_next_where_nothing_is_due(sms: Sandbox) -> None:
    with pytest.raises(LookupError, match="nothing is due"):
        sms.clock.to_next()


def test_time_does_not_go_back(sms: Sandbox) -> None:
    with pytest.raises(ControlError, match="time only goes forward"):
        sms.clock.advance_to(at(-1))


def test_another_clock_can_be_chosen_and_one_that_runs_is_not_moved(sms: Sandbox) -> None:
    sms.clock.set("x60", at(600))
    assert sms.clock.mode == "x60"
    with pytest.raises(ControlError, match="the clock is x60, only a virtual one is moved"):
        sms.clock.advance("1h")
    sms.clock.set("virtual", at(900))
    assert sms.clock.now == at(900)


# -- what has happened -----------------------------------------------------------------------------


def test_messages_are_values_with_the_names_of_either_language(sms: Sandbox) -> None:
    sms.send(
        to="+34600000001",
        sender_id="ORDER",
        message="Código 1",
        transaction_id="order_1",
        validity_period="60",
    )
    message = sms.messages.last
    assert isinstance(message, Message)
    assert (message.text, message.to, message.sender_id) == ("Código 1", "+34600000001", "ORDER")
    assert (message.transaction_id, message["transactionId"]) == ("order_1", "order_1")
    assert (message.status, message.dcs, message.encoding["coding"]) == ("pending", 0, "UCS2")
    assert (message.received_at, message.expires_at, message.scheduled_at) == (NOON, at(60), None)
    assert repr(message) == "<m1 to +34600000001 from ORDER: 'Código 1', pending>"


def test_messages_come_oldest_first_and_can_be_counted_indexed_and_chosen(sms: Sandbox) -> None:
    for text in ("one", "two", "three"):
        sms.send(message=text, sender_id=text.upper())
    assert len(sms.messages) == 3
    assert [message.text for message in sms.messages] == ["one", "two", "three"]
    assert (sms.messages[0].text, sms.messages[-1], sms.messages.last.text) == (
        "one",
        sms.messages.last,
        "three",
    )
    assert [message.text for message in sms.messages.where(sender_id={"prefix": "T"})] == ["two", "three"]
    assert [message.text for message in sms.messages.where(text="t", status="pending", senderId="TWO")] == [
        "two"
    ]
    assert sms.messages.where(status="delivered") == []


def test_its_values_can_be_looked_into_like_any_other() -> None:
    assert {"text", "sender_id", "statuses"} <= {name for name, _ in inspect.getmembers(Message)}


def test_there_is_no_last_of_none(sms: Sandbox) -> None:
    assert sms.messages == []
    with pytest.raises(IndexError, match="there are no messages yet"):
        sms.messages.last  # noqa: B018 - asking is what fails


def test_more_records_than_one_page_are_all_there(sms: Sandbox) -> None:
    with requests.Session() as client:
        for number in range(1003):
            client.post(sms.send_url, {**VALID, "message": str(number)}, timeout=10)
    assert [message.text for message in sms.messages] == [str(number) for number in range(1003)]
    assert len(sms.requests) == 1003
    assert len(sms.messages.where(status="pending")) == 1003
    sms.assert_sent(method="POST", times=1003)
    with pytest.raises(SandboxError, match="1003 messages match, and only the newest 1000 can be told apart"):
        sms.messages.where(method="POST")


def test_requests_tell_why_they_were_refused(sms: Sandbox) -> None:
    answer = sms.send(to="recipient")
    request = sms.requests.last
    assert (answer.text, answer.error, answer.request_id) == ("ERROR_5", 5, request.id)
    assert (request.error, request.method, request.message_id) == (5, "POST", None)
    assert "letter 'r'" in (request.reason or "")
    assert request.parameters["to"] == "recipient"
    assert repr(request) == "<r1 POST to recipient: 'Hello', answered 'ERROR_5'>"


def test_callbacks_tell_of_every_attempt(sms: Sandbox, dlr: Receiver) -> None:
    dlr.respond(500, times=1)
    sms.send(confirmation=True, callback_url=dlr.url)
    sms.clock.advance("1m")
    callback = sms.callbacks.last
    assert (callback.state, callback.message_id, callback.url) == ("delivered", "m1", dlr.url)
    assert [(attempt.at, attempt.status) for attempt in callback.attempts] == [(at(1), 500), (at(2), 200)]
    assert repr(callback) == f"<c1 of m1 to {dlr.url}: delivered (500, 200)>"


def test_what_would_become_of_a_message_is_told_without_sending_it(sms: Sandbox) -> None:
    told = sms.explain(to="+15005550007")
    assert (told["accepted"], told["error"], told["rule"]) == (False, 7, "error-7")
    assert sms.requests == []


def test_parameters_that_are_none_are_left_out_and_truths_are_spelled(sms: Sandbox) -> None:
    assert sms.send(user=None).error == 1
    sms.send(confirmation=True, dcs=8)
    assert {"confirmation": "true", "dcs": "8"}.items() <= sms.requests.last.parameters.items()
    assert sms.send(udh="0100", hint="odd").hint is None


def test_an_odd_request_comes_with_a_hint(sms: Sandbox) -> None:
    assert "apikey is ignored" in (sms.send(apiKey=None, apikey="k").hint or "")


# -- under an event loop, and without a port -------------------------------------------------------


@pytest.mark.anyio
async def test_it_is_used_from_a_running_event_loop(server: Sandbox, dlr: Receiver) -> None:
    with server.session("async") as sms:
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                sms.send_url, data={**VALID, "confirmation": "true", "callbackUrl": dlr.url}
            )
        assert answer.text.startswith("OK_")
        assert sms.wait_for(status="delivered")
        assert dlr.wait(1)[0].status == "delivered"


@pytest.mark.anyio
async def test_a_receiver_in_the_test_s_own_loop_is_reached_from_a_thread(sms: Sandbox) -> None:
    received = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        received.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as receiver:
        port = receiver.sockets[0].getsockname()[1]
        sms.send(confirmation=True, callback_url=f"http://127.0.0.1:{port}/dlr")
        assert await asyncio.to_thread(sms.clock.advance, "1s") == 1
    assert received.is_set()
    assert sms.callbacks.last.state == "delivered"


def test_threads_may_share_it(sms: Sandbox) -> None:
    threads = [threading.Thread(target=lambda: [sms.send() for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sms.messages) == 40


@pytest.mark.anyio
async def test_the_asgi_application_needs_no_port_and_no_lifespan(dlr: Receiver) -> None:
    app = Sandbox.app("default", start_at=NOON, readings={"error_code": "padded"})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        refused = await client.post("/sendMtSms.php", json={**VALID, "to": "1"})
        assert refused.text == "ERROR_005"
        await client.post("/sendMtSms.php", json={**VALID, "confirmation": True, "callbackUrl": dlr.url})
        for seconds in (1, 60):
            moved = await client.post("/_sandbox/clock/advance", json={"by": seconds})
        assert moved.json()["now"] == "2024-01-15T12:01:01Z"
        await client.post(
            "/s/other/sendMtSms.php", json={**VALID, "confirmation": True, "callbackUrl": dlr.url}
        )
        await client.post("/s/other/_sandbox/clock/advance", json={"by": "1s"})
    assert [report.status for report in dlr.received] == ["delivered", "delivered"]


def test_the_asgi_application_takes_the_options_of_a_sandbox() -> None:
    options = Options(
        clock="x60", seed=1, callback_url="http://127.0.0.1/", allow_callback=["a"], magic_prefix="+34600"
    )
    assert Sandbox.app({"rules": []}, **options) is not Sandbox.app({"rules": []}, **options)
    with pytest.raises(ScenarioError):
        Sandbox.app({"rule": []})


def test_a_receiver_that_never_answers_is_named_where_it_holds_up_the_clock() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as receiver,
        Sandbox({"callbacks": {"timeout": "500ms", "retry": "none"}}) as sms,
        closing(Control(sms.url, timeout_s=0.1)) as hasty,
    ):
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/dlr"
        sms.send(confirmation=True, callbackUrl=url)
        with pytest.raises(UnreachableError, match="a receiver of reports that does not answer holds it up"):
            Clock(hasty).advance("1s")
        assert repr(sms.callbacks.last).endswith(f"to {url}: waiting (no attempt has ended)>")
        sms.control.ask("POST", "settle")
        assert sms.callbacks.last.state == "failed"
