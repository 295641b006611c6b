"""One request: what it was answered, and which check or rule had it so."""

from collections.abc import AsyncIterator

import pytest

from sandbox.core.decide import Rulebook
from sandbox.core.model import Call
from sandbox.core.scenario import Scenario
from sandbox.sources import written
from sandbox.web.inbox.pages import Visit
from sandbox.web.inbox.request import RequestView, show
from tests.web.inbox.visits import KEY, SENT, Browser, browser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


def view(opened: Browser, number: int = 1) -> RequestView:
    shown = show(Visit(opened.sessions.own, "", "http://x", path={"id": f"r{number}"})).view
    assert isinstance(shown, RequestView)
    return shown


async def test_an_accepted_request_passed_all_checks(page: Browser) -> None:
    page.world.accept(SENT)
    it = view(page)
    assert (it.answer.outcome, it.answer.tone, it.answer.message) == ("OK", "ok", "m1")
    assert it.checks.told == "It passed all 14 checks."
    assert it.rules is not None
    assert it.rules.told == "No rule matched: the scenario's default applies."


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"user": "disabled@example.com"}, "Check 1 of 14, user, refused it."),
        ({"senderId": "ABCDEFGHIJKL"}, "Check 6 of 14, senderId, refused it."),
        ({"to": "recipient"}, "Check 7 of 14, to, refused it."),
        ({"udh": "05"}, "Check 9 of 14, udh, refused it."),
        ({"message": "€"}, "Check 10 of 14, message, refused it."),
        ({"message": "Ω" * 71, "dcs": "8"}, "Check 11 of 14, length, refused it."),
        ({"validityPeriod": "soon"}, "Check 12 of 14, times, refused it."),
    ],
)
async def test_a_refused_request_says_which_check(page: Browser, wrong: dict[str, str], told: str) -> None:
    record = page.world.send(SENT, **wrong)
    it = view(page)
    assert it.checks.told == told
    (failed,) = [row for row in it.checks.rows if row.verdict == "failed"]
    assert (failed.code, failed.reason) == (record.error, record.reason)
    assert it.answer.description
    assert it.answer.solution
    assert (await page.visit("/requests/r1")).text.count(failed.reason) == 2


async def test_a_rule_that_decided_is_shown_before_those_that_missed(page: Browser) -> None:
    page.world.send(SENT, to="+15005550007")
    rules = view(page).rules
    assert rules is not None
    assert rules.told == "Rule error-7 decided."
    assert (rules.rows[0].name, rules.rows[0].matched) == ("error-7", True)
    assert ("error-1", "to is +15005550007, wanted: is +15005550001") in [
        (row.name, row.miss) for row in rules.rows
    ]
    assert len(rules.rows) + rules.untried == len(page.world.engine.rulebook.rules)


async def test_a_broken_answer_says_how(page: Browser) -> None:
    page.world.send(SENT, to="+15005552003")
    it = view(page)
    assert (it.answer.outcome, it.answer.tone, it.answer.fault) == ("reset", "failed", "reset")
    assert "A rule breaks this answer on its way: reset." in (await page.visit("/requests/r1")).text


async def test_an_http_error_went_wrong_though_it_is_no_error_of_the_api(page: Browser) -> None:
    page.world.send(SENT, to="+15005552001")
    assert (view(page).answer.outcome, view(page).answer.tone) == ("HTTP 500", "failed")


async def test_an_answer_that_repeats_the_key_is_shown_without_it() -> None:
    text = (
        "name: mine\nrules:\n  - {name: echo, when: {}, respond: {status: 200, body: 'got {{ apiKey }}'}}\n"
    )
    async with browser(written(text)) as opened:
        opened.world.send(SENT)
        shown = await opened.visit("/requests/r1")
        searched = await opened.visit("/requests", q=KEY)
    assert "got kP…wn" in shown.text
    assert "got YOUR_API_KEY" in shown.text
    assert KEY not in shown.html
    assert "0 requests found" in searched.text or "No request is like that" in searched.text


@pytest.mark.parametrize(
    "call",
    [
        Call("PUT", "/sendMtSms.php", {}),
        Call("POST", "/sendMtSms.php", SENT, too_large=True),
    ],
)
async def test_what_is_no_call_is_answered_before_the_checks_and_not_copied(
    page: Browser, call: Call
) -> None:
    page.world.engine.handle(call)
    it = view(page)
    assert (it.checks.told, it.snippets) == ("It was answered before the checks.", ())
    await page.visit("/requests/r1")


async def test_a_body_that_cannot_be_read_is_answered_before_the_checks(page: Browser) -> None:
    page.world.engine.handle(Call("POST", "/sendMtSms.php", {}, unreadable_body="the body is no JSON"))
    assert view(page).checks.told == "It was answered before the checks."
    assert view(page).answer.reason == "the body is no JSON"


async def test_it_can_be_copied_in_six_ways(page: Browser) -> None:
    page.world.accept(SENT)
    shown = await page.visit("/requests/r1")
    for snippet in view(page).snippets:
        assert snippet.name in shown.text
    assert [each.id for each in view(page).snippets] == [
        "curl",
        "python",
        "php",
        "javascript",
        "rule",
        "pytest",
    ]


async def test_what_is_too_long_to_copy_is_not_offered(page: Browser) -> None:
    page.world.send(SENT, message="a" * 20_000)
    assert view(page).snippets == ()


async def test_a_scenario_without_rules_says_so() -> None:
    async with browser(Scenario(name="bare")) as opened:
        opened.world.accept(SENT)
        rules = view(opened).rules
        assert rules is not None
        assert rules.told == "The scenario has no rules."


async def test_the_rules_of_then_are_shown_after_the_scenario_has_changed(page: Browser) -> None:
    page.world.send(SENT, to="+15005550007")
    page.world.engine.play(Rulebook.compile(Scenario(name="bare")), page.world.engine.readings)
    rules = view(page).rules
    assert rules is not None
    assert rules.told == "Rule error-7 decided."
