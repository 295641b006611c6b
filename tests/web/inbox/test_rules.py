"""One rule: what it says, what it decided, and the requests that came near it."""

import pytest

from sandbox.sources import written
from tests.web.inbox.visits import SENT, Browser, browser

pytestmark = pytest.mark.anyio

RULES = """name: mine
rules:
  - name: down
    before_checks: true
    when: {user: down}
    respond: {status: 503, delay: 10ms}
  - {name: any code, when: {message: {contains: code}}, respond: {error: 6}}
  - name: order
    when: {senderId: ORDER, to: {prefix: "+34"}, message: {contains: code}}
    respond: {error: 7}
    set_state: full
    times: 2
  - {name: third, when: {senderId: THIRD, nth: 3}, dlr: [{after: 1s, jitter: 2s, status: enroute, repeat: 2}]}
  - {name: quiet, when: {method: GET, confirmation: true, flash: false, state: full, probability: 0.5}, dlr: []}
"""


def table(page_text: str) -> str:
    return page_text.split("The rule asks")[1]


async def rule(page: Browser, name: str, request: str = "") -> str:
    query = {"name": name, **({"request": request} if request else {})}
    return (await page.visit("/scenario/rule", **query)).text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("down", ["before checks", "user is down", "HTTP 503", "Waits 0.01 s", "none is accepted"]),
        ("order", ["senderId is ORDER", "ERROR_7", "in state full", "2, then it is used up"]),
        ("third", ["request 3", "enroute after 1 s to 3 s, reported 2 times", "as the checks have it"]),
        (
            "quiet",
            ["method is GET", "asks for reports", "is not flash", "with probability 0.5", "nothing ever"],
        ),
    ],
)
async def test_a_rule_is_told_in_words(name: str, said: list[str]) -> None:
    async with browser(written(RULES)) as page:
        text = await rule(page, name)
        assert "Nothing yet: it has never matched." in text
        assert "No request has come yet." in text
        for each in said:
            assert each in text, each


async def test_the_list_of_rules_leads_to_each_and_those_that_never_matched_stand_out() -> None:
    async with browser(written(RULES)) as page:
        assert "never down" not in (await page.visit("/scenario")).text
        page.world.send(SENT, message="A code")
        shown = await page.visit("/scenario")
        assert "1 any code message contains code" in shown.text
        assert "never order" in shown.text
        assert "/scenario/rule?name=any+code" in shown.links("rule")


async def test_the_request_that_came_nearest_stands_beside_the_rule() -> None:
    async with browser(written(RULES)) as page:
        page.world.send(SENT)
        page.world.send(SENT, senderId="ORDERS", message="no c0de")
        page.world.send(SENT, senderId="ORDER", message="Hello")
        text = await rule(page, "order")
        assert "The request that came nearest 1 of 4 differs." in text
        assert "Request r3" in text
        assert "differs: message is Hello" in table(text)
        assert "the same: senderId is ORDER" in table(text)
        beside = await rule(page, "order", "r2")
        assert "Beside request r2 2 of 4 differ." in beside
        assert "differs: senderId is ORDERS" in table(beside)


async def test_a_rule_that_another_comes_before_says_which() -> None:
    async with browser(written(RULES)) as page:
        page.world.send(SENT, senderId="ORDER", message="A code")
        assert "r1 meets all that it asks; rule any code comes first, and decided it." in await rule(
            page, "order"
        )
        text = await rule(page, "any code")
        assert "1 request so far." in text
        assert "None of the newest 1 came near, or it decided them." in text
        assert "It decided r1." in await rule(page, "any code", "r1")


async def test_what_is_counted_is_counted_only_where_the_rest_is_met() -> None:
    async with browser(written(RULES)) as page:
        page.world.send(SENT, senderId="THIRD")
        page.world.send(SENT, senderId="THIRDS")
        assert "differs: is request 1 of those that meet the rest" in await rule(page, "third", "r1")
        assert "is not counted, as it did not meet the rest" in await rule(page, "third", "r2")


async def test_a_request_from_before_the_rule_says_so() -> None:
    async with browser(written(RULES)) as page:
        page.world.send(SENT, to="recipient")
        assert "answered before such rules are tried" in await rule(page, "order", "r1")
        await page.client.post("/_sandbox/rules", json={"name": "new", "respond": {"error": 6}})
        assert "r1 came before this rule was there" in await rule(page, "new", "r1")
        assert "None of the newest 1 came near" in await rule(page, "new")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 422, "say which rule is to be shown"),
        ({"name": "oder"}, 404, "did you mean order?"),
        ({"name": "x" * 9000}, 404, "more characters"),
        ({"name": "order", "request": "r99"}, 404, "There is no request r99"),
        ({"name": "order", "request": "m1"}, 404, "m1"),
        ({"nam": "order"}, 422, "did you mean name?"),
    ],
)
async def test_what_cannot_be_shown_says_why(query: dict[str, str], status: int, said: str) -> None:
    async with browser(written(RULES)) as page:
        answer = await page.client.get("/scenario/rule", params=query)
        assert answer.status_code == status
        assert said in answer.text


# -- beside a request ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "nearest"),
    [
        ({"to": "+15005550016"}, "error-6"),
        ({"to": "+1500555000"}, "error-1"),
        ({"to": "+34600000001"}, None),
        ({"to": "+15005550007"}, None),  # it has decided
        ({"to": "recipient"}, None),
    ],
)
async def test_a_request_that_no_rule_decided_shows_the_nearest(
    sent: dict[str, str], nearest: str | None
) -> None:
    async with browser() as page:
        page.world.send(SENT, **sent)
        text = (await page.visit("/requests/r1")).text
        assert (f"No rule decided. {nearest} came nearest:" in text) == (nearest is not None)
        assert ("came nearest" in text) == (nearest is not None)


async def test_it_leads_to_the_rule_beside_it_as_long_as_that_is_there() -> None:
    async with browser(written(RULES)) as page:
        page.world.send(SENT, senderId="ORDER")
        assert "/scenario/rule?name=order&request=r1" in (await page.visit("/requests/r1")).links("rule")
        await page.client.put("/_sandbox/scenario", json={"name": "default"})
        shown = await page.visit("/requests/r1")
        assert "No rule decided. order came nearest:" in shown.text
        assert not shown.links("scenario/rule")


async def test_a_trial_shows_the_nearest_as_well() -> None:
    async with browser(written(RULES)) as page:
        shown = await page.post("/send", 200, to="+34600000001", senderId="ORDER", message="Hello", do="try")
        assert "order came nearest" in shown.text
