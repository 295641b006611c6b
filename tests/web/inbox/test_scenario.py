"""The scenario's page: switching, editing with mistakes and without, by forms alone."""

from collections.abc import AsyncIterator

import pytest

from sandbox.sources import builtin_names, opening, written
from tests.web.inbox.visits import SENT, Browser, browser
from tests.worlds import USER

pytestmark = pytest.mark.anyio

MINE = "name: mine\nrules:\n  - {name: full, when: {to: {prefix: '+34'}}, respond: {error: 6}}\n"
WRONG = "name: mine\nrulez: []\nrules:\n  - {name: full, respond: {error: 99}}\n"


@pytest.fixture
async def page() -> AsyncIterator[Browser]:
    async with browser() as opened:
        yield opened


async def test_every_built_in_scenario_is_there_with_its_opening_comment(page: Browser) -> None:
    text = (await page.visit("/scenario")).text
    for name in builtin_names():
        assert f" {name} " in text
    assert "The carrier in Spain (+34) goes down. Three messages find the queue full." in text
    assert "A client should survive all of it: send the same message again after ERROR_6" in text
    assert "default played now" in text


async def test_another_is_switched_to_and_what_is_different_is_told(page: Browser) -> None:
    switched = await page.post("/scenario", name="carrier-outage")
    assert page.world.engine.scenario.name == "carrier-outage"
    shown = await page.visit(switched.headers["Location"])
    assert (
        "carrier-outage is played from its start. Different from the one before: rule queue-full added"
        in shown.text
    )
    assert "carrier-outage played now" in shown.text
    again = await page.post("/scenario", name="carrier-outage")
    assert "It says the same as the one before." in (await page.visit(again.headers["Location"])).text


async def test_what_the_server_began_with_can_be_switched_back_to() -> None:
    async with browser(written(f"# My own.\n{MINE}")) as page:
        await page.post("/scenario", name="roaming")
        assert "mine My own." in (await page.visit("/scenario")).text
        await page.post("/scenario", name="mine")
        assert page.world.engine.scenario.rules[0].name == "full"


async def test_a_text_is_played_and_comes_to_hold(page: Browser) -> None:
    applied = await page.post("/scenario", yaml=MINE.replace("\n", "\r\n"), do="apply")
    assert page.world.send(SENT).answer.body == "ERROR_6"
    shown = await page.visit(applied.headers["Location"])
    assert "mine is played from its start. Different from the one before: rule full added" in shown.text
    assert page.sessions.own.play.source.yaml == MINE


async def test_a_text_with_mistakes_changes_nothing_and_says_where_they_are(page: Browser) -> None:
    shown = await page.post("/scenario", 422, yaml=WRONG, do="apply")
    assert page.world.engine.scenario.name == "default"
    assert "2 mistakes. What was played before goes on." in shown.text
    links = [each for each in shown.elements.named("a") if "data-line" in each]
    assert [(each["data-line"], each["data-column"]) for each in links] == [("2", "1"), ("4", "35")]
    assert "did you mean rules?" in shown.text
    assert "rulez: []" in shown.text


async def test_a_text_is_looked_at_without_being_played(page: Browser) -> None:
    assert "No mistakes." in (await page.post("/scenario", 200, yaml=MINE, do="check")).text
    assert "2 mistakes." in (await page.post("/scenario", 200, yaml=WRONG, do="check")).text
    assert page.world.engine.scenario.name == "default"


async def test_secrets_that_are_left_masked_stay_what_they_were() -> None:
    text = f"name: mine\naccounts:\n  - {{user: {USER}, apiKey: the-very-key}}\n"
    async with browser(written(text)) as page:
        shown = await page.visit("/scenario")
        assert "the-very-key" not in shown.html
        assert "apiKey: th…ey" in shown.text
        edited = text.replace("the-very-key", "th…ey").replace("name: mine", "name: edited")
        checked = await page.post("/scenario", 200, yaml=edited, do="check")
        assert "No mistakes." in checked.text
        await page.post("/scenario", yaml=edited, do="apply")
        assert page.sessions.own.play.source.yaml == text.replace("mine", "edited")
        assert page.world.send(SENT, apiKey="the-very-key").error is None


async def test_a_rule_that_is_used_up_says_so(page: Browser) -> None:
    await page.client.post("/_sandbox/rules", json={"name": "once", "times": 1, "respond": {"error": 6}})
    page.world.send(SENT)
    assert "1 once added used up any request" in (await page.visit("/scenario")).text


async def test_a_scenario_that_a_program_made_begins_as_a_small_text() -> None:
    async with browser(written(MINE).scenario) as page:
        shown = await page.visit("/scenario")
        assert "dlr: [{after: 1s, status: delivered}]" in shown.text


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"name": "nowhere"}, 422, "there is no built-in scenario nowhere"),
        ({"name": "../../etc/passwd"}, 422, "there is no built-in scenario"),
        ({"name": "carrier-outag"}, 422, "did you mean carrier-outage?"),
        ({}, 422, "one of name and yaml"),
        ({"name": "default", "yaml": MINE}, 422, "one of name and yaml"),
        ({"yaml": ""}, 422, "1 mistake."),
        ({"yaml": "[" * 100}, 422, "1 mistake."),
        ({"yaml": "\x00"}, 422, "1 mistake."),
        ({"yaml": "x" * (1 << 20) + "yz"}, 422, "1 mistake."),
        ({"yaml": "x" * (4 << 20)}, 413, "The form holds more than"),
    ],
)
async def test_what_cannot_be_played_is_a_page_that_says_why(
    page: Browser, form: dict[str, str], status: int, said: str
) -> None:
    assert said in (await page.post("/scenario", status, **form)).text
    assert page.world.engine.scenario.name == "default"


def test_the_opening_comment_ends_where_the_scenario_begins() -> None:
    assert opening("# One\n# line.\n#\n# Two.\nname: x\n# not this\n") == ("One line.", "Two.")
    assert opening("name: x") == ()
