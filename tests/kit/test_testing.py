"""The strategies of `sandbox.testing`, each held against the engine that they are for."""

import json
import subprocess
import sys
from urllib.parse import quote, urlencode

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from sandbox import testing
from sandbox.core import gsm7, udh
from sandbox.core.coding import code_units
from sandbox.core.model import Call, RequestRecord
from sandbox.engine import Engine
from sandbox.sources import builtin
from sandbox.web.wire import read_call
from tests.worlds import World, world

CODES = (1, 2, 4, 5, 8, 10, 12, 13, 14)
REACHING = settings(max_examples=5000, database=None, phases=[Phase.generate], derandomize=True)
FINDING = settings(REACHING, phases=[Phase.generate, Phase.shrink])

DEFAULT = builtin("default").scenario
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    """Two worlds of the default scenario, which remembers nothing that would change an answer."""
    return world(scenario=DEFAULT), world(scenario=DEFAULT)


def call(parameters: dict[str, str], content_type: str, engine: Engine) -> Call:
    body = json.dumps(parameters) if content_type == JSON else urlencode(parameters, quote_via=quote)
    return read_call("POST", "/sendMtSms.php", b"", content_type, body.encode(), engine.readings)


def answered(worlds: tuple[World, World], request: dict[str, str]) -> RequestRecord:
    """Send a request as a form, and as JSON, which comes to the same."""
    one, other = (
        each.engine.handle(call(request, kind, each.engine))
        for each, kind in zip(worlds, (FORM, JSON), strict=True)
    )
    assert one.error == other.error
    return one


@given(request=testing.valid_requests())
def test_a_valid_request_is_accepted(worlds: tuple[World, World], request: dict[str, str]) -> None:
    record = answered(worlds, request)
    assert record.message_number is not None, record.reason


@pytest.mark.parametrize("code", CODES)
@given(data=st.data())
def test_an_invalid_request_earns_its_code_and_nothing_is_accepted(
    worlds: tuple[World, World], code: int, data: st.DataObject
) -> None:
    record = answered(worlds, data.draw(testing.invalid_requests(code)))
    assert (record.error, record.message_number) == (code, None), record.reason


@pytest.mark.parametrize("code", sorted({*range(-1, 17)} - set(CODES)))
def test_a_code_that_no_request_earns_by_itself_is_told(code: int) -> None:
    with pytest.raises(ValueError, match=rf"no request earns code {code} by itself.*respond\(error={code}\)"):
        testing.invalid_requests(code)


@given(testing.gsm7_text(min_septets=3, max_septets=20))
def test_gsm7_texts_keep_to_their_septets(text: str) -> None:
    assert 3 <= (gsm7.septets(text) or 0) <= 20


@given(testing.ucs2_text(min_units=3, max_units=20))
def test_ucs2_texts_keep_to_their_code_units(text: str) -> None:
    assert 3 <= code_units(text) <= 20


@given(testing.latin1_text(min_size=3, max_size=20))
def test_latin1_texts_are_latin1_and_travel_as_ucs2(text: str) -> None:
    assert 3 <= len(text.encode("latin-1")) <= 20
    assert gsm7.septets(text) is None


@given(testing.udhs())
def test_a_udh_is_one_and_leaves_room(header: str) -> None:
    read = udh.parse_hex(header)
    assert isinstance(read, udh.Udh)
    assert len(read) <= 40


@given(testing.conversations(max_turns=3))
def test_a_conversation_is_one_account_s(turns: list[dict[str, str]]) -> None:
    assert len({(each["user"], each["apiKey"]) for each in turns}) == 1


def test_long_messages_of_a_conversation_come_together() -> None:
    def is_joined(turns: list[dict[str, str]]) -> bool:
        there = world(scenario=DEFAULT)
        for each in turns:
            there.engine.handle(call(each, FORM, there.engine))
        groups = [message.group for message in there.engine.store.messages()]
        return any(group is not None and group.joined is not None for group in groups)

    assert len(find(testing.conversations(max_turns=3), is_joined, settings=REACHING)) >= 2


@pytest.mark.parametrize(
    ("strategy", "shortest"),
    [
        (
            testing.valid_requests(),
            {"user": "you@example.com", "apiKey": "key", "to": "+1222333444", "message": "a"},
        ),
        (testing.gsm7_text(), "a"),
        (testing.ucs2_text(), "a"),
        (testing.udhs(), "0100"),
        (
            testing.invalid_requests(1),
            {"apiKey": "key", "to": "+1222333444", "message": "a"},
        ),
        (
            testing.invalid_requests(14),
            {
                "user": "you@example.com",
                "apiKey": "key",
                "to": "+1222333444",
                "message": "a",
                "dcs": "5",
            },
        ),
    ],
)
def test_what_is_found_shrinks_to_the_shortest(strategy: SearchStrategy[object], shortest: object) -> None:
    assert find(strategy, lambda _: True, settings=FINDING) == shortest


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        (testing.gsm7_text(), lambda text: gsm7.septets(text) == 160),
        (testing.gsm7_text(), lambda text: gsm7.septets(text) == 159 and "€" in text),
        (testing.ucs2_text(), lambda text: code_units(text) == 70 and "\U0001f600" in text),
        (testing.latin1_text(), lambda text: len(text) == 70),
        (testing.valid_requests(), lambda request: request.get("dcs") == "4" and "udh" in request),
        (
            testing.valid_requests(),
            lambda request: {"scheduledDeliveryTime", "validityPeriod"} <= request.keys(),
        ),
        (
            testing.invalid_requests(13),
            lambda request: len(request["message"]) == 161 and "udh" not in request,
        ),
        (testing.invalid_requests(8), lambda request: len(request.get("transactionId", "")) == 256),
        (testing.invalid_requests(10), lambda request: request["udh"].startswith("050003")),
        (testing.conversations(), lambda turns: len(turns) > 1 and turns[0] == turns[-1]),
    ],
)
def test_the_borders_are_reached(strategy: SearchStrategy[object], wanted: object) -> None:
    assert callable(wanted)
    find(strategy, wanted, settings=REACHING)


def test_without_hypothesis_it_says_how_to_get_it() -> None:
    program = "import sys; sys.modules['hypothesis'] = None; import sandbox.testing"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1] == (
        "ImportError: sandbox.testing needs Hypothesis: pip install 'panelsms-sandbox[hypothesis]'"
    )
