import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.model import Status
from sandbox.core.scenario import Step
from sandbox.core.statuses import FINAL, LEGAL, MEANINGS, is_final, is_legal, mermaid
from sandbox.core.timeline import plan

NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)

# SMPP v3.4 §5.2.28, by their values from 1 to 8.
MESSAGE_STATES = "ENROUTE DELIVERED EXPIRED DELETED UNDELIVERABLE ACCEPTED UNKNOWN REJECTED"
OTHER_TEXTS = ["DELIVERED", "failed", "", "delivered ", "open", "[*]"]


def test_the_statuses_are_the_message_states_in_lower_case_and_two_of_our_own() -> None:
    assert set(Status) == {*MESSAGE_STATES.lower().split(), "scheduled", "pending"}


@pytest.mark.parametrize("status", Status)
def test_six_statuses_are_final(status: Status) -> None:
    assert is_final(status) == (status not in {"scheduled", "pending", "enroute", "accepted"})
    assert len(FINAL) == 6


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_any_other_text_is_not_final_and_nothing_is_said_of_what_may_follow_it(text: str) -> None:
    assert not is_final(text)
    assert not any(is_legal(text, status) or is_legal(status, text) for status in Status)


def test_each_status_has_a_meaning_and_a_place_in_the_table() -> None:
    assert set(MEANINGS) == set(LEGAL) == set(Status)
    assert all(re.fullmatch(r"[A-Z][^.]*\.", meaning) for meaning in MEANINGS.values())


@pytest.mark.parametrize(
    ("before", "after", "is_so"),
    [
        ("scheduled", "pending", True),
        ("scheduled", "deleted", True),
        ("scheduled", "delivered", False),
        ("pending", "accepted", True),
        ("pending", "enroute", True),
        ("pending", "delivered", True),
        ("pending", "scheduled", False),
        ("accepted", "enroute", True),
        ("accepted", "rejected", True),
        ("accepted", "pending", False),
        ("enroute", "expired", True),
        ("enroute", "accepted", False),
        ("enroute", "enroute", False),
        ("delivered", "enroute", False),
        ("unknown", "delivered", False),
    ],
)
def test_which_changes_are_legal(before: str, after: str, *, is_so: bool) -> None:
    assert is_legal(before, after) == is_so


@pytest.mark.parametrize("before", Status)
def test_a_final_status_is_followed_by_nothing_and_any_other_leads_to_one(before: Status) -> None:
    assert is_final(before) == (LEGAL[before] == ())
    seen = {before}
    while (found := seen.union(*(LEGAL[status] for status in seen))) != seen:
        seen = found
    assert seen & FINAL


def test_no_way_leads_back() -> None:
    def follow(*way: Status) -> None:
        for status in LEGAL[way[-1]]:
            assert status not in way
            follow(*way, status)

    for status in Status:
        follow(status)


# -- timelines -----------------------------------------------------------------------------------------


@st.composite
def legal_steps(draw: st.DrawFn) -> list[Step]:
    """Draw steps each of which may follow the one before, from a message that is pending."""
    steps: list[Step] = []
    status: str = Status.PENDING
    after = timedelta()
    first_in_time = draw(st.integers(0, 3))
    while draw(st.integers(0, 5)) and LEGAL[status]:
        status = draw(st.sampled_from(LEGAL[status]))
        after += draw(st.timedeltas(timedelta(), timedelta(days=2)))
        steps.append(Step(after, status, before_answer=len(steps) < first_in_time))
    return steps


@given(legal_steps(), st.none() | st.timedeltas(timedelta(), timedelta(days=3)))
def test_the_timeline_of_legal_steps_is_legal_wherever_it_is_cut_off(
    steps: list[Step], validity: timedelta | None
) -> None:
    changes = plan(steps, start_at=NOON, expires_at=None if validity is None else NOON + validity)
    statuses = [Status.PENDING, *(change.status for change in changes)]
    assert all(is_legal(before, after) for before, after in pairwise(statuses))


# -- the diagram ---------------------------------------------------------------------------------------


def test_the_diagram_says_what_the_table_says() -> None:
    """An arrow from the box holds for each status in it, and one to the box leads to the first of them."""
    head, *lines = mermaid().splitlines()
    assert head == "stateDiagram-v2"
    opening, closing = lines.index("    state open {"), lines.index("    }")
    first, *within = (tuple(line.strip().split(" --> ")) for line in lines[opening + 1 : closing])
    around = [tuple(line.strip().split(" --> ")) for line in lines[closing + 1 :]]
    assert first == ("[*]", "pending")
    box = {status for arrow in within for status in arrow}
    drawn = [*within]
    for before, after in around:
        drawn += [
            (one, "pending" if after == "open" else after) for one in (box if before == "open" else [before])
        ]
    told = [(before, after) for before, nexts in LEGAL.items() for after in nexts]
    assert sorted(drawn) == sorted([("[*]", "scheduled"), ("[*]", "pending"), *told])
