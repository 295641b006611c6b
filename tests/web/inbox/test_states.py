"""The picture of a scenario's states: boxes in a column, and ways that do not lie on each other."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.match import When
from sandbox.core.scenario import Rule
from sandbox.core.states import states_of
from sandbox.sources import builtin, written
from sandbox.web.inbox.states import MOST, Picture, picture
from tests.web.inbox.visits import SENT, browser


def drawn(*ways: tuple[str | None, str], now: str = "start") -> Picture | None:
    rules = [
        Rule(f"r{number}", When(state=source), set_state=target)
        for number, (source, target) in enumerate(ways)
    ]
    return picture(states_of(rules), now, lambda name: f"/{name}")


def test_one_state_alone_makes_no_picture() -> None:
    assert drawn() is None


def test_boxes_say_where_the_scenario_is_and_ways_which_are_open() -> None:
    it = drawn(("start", "down"), ("down", "up"), (None, "lost"), now="down")
    assert it is not None
    assert [(box.shown, box.is_now) for box in it.boxes] == [
        ("start", False),
        ("down", True),
        ("lost", False),
        ("up", False),
        ("any state", False),
    ]
    assert [way.is_open for way in it.ways] == [False, True, True]
    assert it.ways[0].rules == (("r0", "/r0"),)


def test_a_state_that_no_rule_knows_any_more_is_drawn_all_the_same() -> None:
    it = drawn(("start", "down"), now="gone")
    assert it is not None
    assert [box.name for box in it.boxes if box.is_now] == ["gone"]


def test_more_than_can_be_looked_through_is_only_told() -> None:
    it = drawn(*((f"s{number}", f"s{number + 1}") for number in range(MOST + 1)))
    assert it is not None
    assert it.boxes == ()
    assert len(it.ways) == MOST + 1


STATE = st.sampled_from(["start", "a", "b", "c", "d"])


@given(st.lists(st.tuples(st.none() | STATE, STATE), max_size=12), STATE)
def test_no_way_lies_on_another_nor_beyond_the_picture(ways: list[tuple[str | None, str]], now: str) -> None:
    it = drawn(*ways, now=now)
    if it is None:
        return
    stretches = []
    for way in it.ways:
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+", way.line)]
        start, end = numbers[1], numbers[-2]
        assert 0 < min(start, end) <= max(start, end) < it.height
        assert it.box_width < way.x + 9 < it.width
        stretches.append((way.x, min(start, end), max(start, end)))
    for one, other in combinations(stretches, 2):
        assert one[0] != other[0] or one[2] < other[1] or other[2] < one[1]


# -- in the page --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_page_tells_the_states_in_words_as_well() -> None:
    async with browser(builtin("carrier-outage")) as page:
        text = (await page.visit("/scenario")).text
        assert "It is in start now." in text
        assert "start → backlog by queue-full-for-the-last-time" in text
        for _ in range(3):
            page.world.send(SENT)
        assert "It is in backlog now." in (await page.visit("/scenario")).text
        shown = (await page.client.get("/_sandbox/scenario")).json()
        assert (shown["state"], shown["states"]) == ("backlog", ["start", "backlog", "recovered"])


@pytest.mark.anyio
async def test_a_state_that_nothing_leads_to_is_pointed_out() -> None:
    async with browser(
        written("name: x\nrules: [{name: a, when: {state: dwon}, respond: {error: 6}}]")
    ) as page:
        assert "No rule leads to dwon." in (await page.visit("/scenario")).text
