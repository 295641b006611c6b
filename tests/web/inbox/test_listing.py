"""One page of a list: how much it holds, how much it looks at, where the next one begins."""

from collections.abc import Iterator

import pytest

from sandbox.core.model import Message
from sandbox.web.inbox.listing import take
from sandbox.web.inbox.pages import ROWS, SCANNED
from tests.worlds import a_message


class Counted:
    """Messages, newest first, that know how many of them were looked at."""

    def __init__(self, most: int) -> None:
        self.looked_at = 0
        self._most = most

    def __iter__(self) -> Iterator[Message]:
        for number in range(self._most, 0, -1):
            self.looked_at += 1
            yield a_message(number)


def numbered(*numbers: int) -> list[Message]:
    return [a_message(number) for number in numbers]


@pytest.mark.parametrize("stored", [ROWS + 1, 10_000])
def test_the_first_page_looks_at_no_more_than_it_shows_and_one(stored: int) -> None:
    """So that its time does not hang on how much is stored."""
    there = Counted(stored)
    assert len(take(there, None).records) == ROWS
    assert there.looked_at == ROWS + 1


def test_a_page_that_holds_all_has_none_behind_it() -> None:
    found = take(numbered(*range(ROWS, 0, -1)), None)
    assert (len(found.records), found.next_after, found.is_cut) == (ROWS, None, False)


def test_the_next_page_begins_behind_the_last_of_this_one() -> None:
    there = numbered(*range(2 * ROWS, 0, -1))
    first = take(there, None)
    assert first.next_after == ROWS + 1
    second = take(there, first.next_after)
    assert [each.number for each in second.records] == list(range(ROWS, 0, -1))
    assert second.next_after is None


def test_a_page_goes_on_where_a_record_has_gone() -> None:
    assert [each.number for each in take(numbered(9, 5, 3), 6).records] == [5, 3]


def test_a_search_counts_all_that_it_finds() -> None:
    found = take(numbered(*range(3 * ROWS, 0, -1)), None, lambda each: each.number % 2 == 0)
    assert (found.found, found.is_cut) == (3 * ROWS // 2, False)
    assert found.next_after == found.records[-1].number


def test_a_search_that_finds_less_than_a_page_has_none_behind_it() -> None:
    found = take(numbered(3, 2, 1), None, lambda each: each.number == 2)
    assert ([each.number for each in found.records], found.next_after) == ([2], None)


def test_a_search_stops_after_so_many_and_says_where() -> None:
    there = Counted(3 * SCANNED)
    found = take(there, None, lambda each: each.number % 1000 == 0)
    assert found.is_cut
    assert there.looked_at == SCANNED + 1
    assert found.found == SCANNED // 1000
    assert found.next_after == 3 * SCANNED - SCANNED + 1


def test_a_search_that_stopped_with_a_full_page_goes_on_behind_that() -> None:
    there = Counted(2 * SCANNED)
    found = take(there, None, lambda _: True)
    assert (found.is_cut, found.next_after) == (True, 2 * SCANNED - ROWS + 1)
