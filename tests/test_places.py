from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.places import IN_ALL, Address, Places

A, B, C = ("a.test", 80), ("b.test", 80), ("c.test", 80)


class Crowd:
    """Sessions that want places, and take them as soon as they can."""

    def __init__(self, in_all: int = IN_ALL) -> None:
        self.places = Places(in_all)
        self.begun: list[tuple[str, Address]] = []
        self.wanted: Counter[tuple[str, Address]] = Counter()

    def want(self, session: str, receiver: Address, count: int = 1) -> int:
        """Let a session want so many more places for a receiver, and return how many it has got at once."""
        before = len(self.begun)
        self.wanted[session, receiver] += count
        self._begin(session, receiver)
        return len(self.begun) - before

    def _begin(self, session: str, receiver: Address) -> None:
        while self.wanted[session, receiver] and self.places.take(
            session, receiver, lambda: self._begin(session, receiver)
        ):
            self.wanted[session, receiver] -= 1
            self.begun.append((session, receiver))

    def end(self, session: str, receiver: Address) -> list[tuple[str, Address]]:
        """Let one attempt end, and return those that begin in its place."""
        self.begun.remove((session, receiver))
        before = len(self.begun)
        self.places.give_back(session, receiver)
        return self.begun[before:]


# -- how many ------------------------------------------------------------------------------------------


def test_a_receiver_of_one_session_fills_a_third() -> None:
    assert Crowd().want("one", A, IN_ALL) == 171


def test_a_receiver_of_many_sessions_fills_half() -> None:
    crowd = Crowd()
    assert sum(crowd.want(f"s{number}", A, IN_ALL) for number in range(100)) == IN_ALL // 2


def test_a_session_with_many_receivers_fills_half() -> None:
    crowd = Crowd()
    assert sum(crowd.want("one", (f"r{number}", 80), IN_ALL) for number in range(100)) == IN_ALL // 2


def test_all_of_them_fill_all_places_and_no_more() -> None:
    crowd = Crowd()
    assert sum(crowd.want(f"s{number}", (f"r{number}", 80), IN_ALL) for number in range(1000)) == IN_ALL


@pytest.mark.parametrize(("hanging", "left"), [(1, [64, 64]), (64, [64, 43]), (IN_ALL, [29, 64])])
def test_a_receiver_that_hangs_holds_up_no_other(hanging: int, left: list[int]) -> None:
    crowd = Crowd()
    for number in range(20):
        crowd.want(f"s{number}", A, hanging)
    assert [crowd.want(session, B, 64) for session in ("s0", "new")] == left


def test_a_session_whose_receivers_hang_holds_up_no_other_session() -> None:
    crowd = Crowd()
    for number in range(100):
        crowd.want("hanging", (f"r{number}", 80), 64)
    assert crowd.want("other", B, 64) == 64
    assert crowd.want("other", ("r0", 80), 64) > 0


# -- whose turn ----------------------------------------------------------------------------------------


def test_whoever_found_no_place_has_the_next_one() -> None:
    crowd = Crowd(in_all=2)
    assert [crowd.want("one", A), crowd.want("two", B), crowd.want("three", C)] == [1, 1, 0]
    assert crowd.end("two", B) == [("three", C)]


def test_receivers_take_turns_however_many_sessions_wait_for_one() -> None:
    crowd = Crowd(in_all=1)
    crowd.want("one", A)
    for session in ("two", "three", "four"):
        crowd.want(session, A)
    crowd.want("five", B)
    crowd.want("six", C)
    order = []
    while crowd.begun:
        order += crowd.end(*crowd.begun[0])
    assert order == [("two", A), ("five", B), ("six", C), ("three", A), ("four", A)]


def test_one_place_given_back_may_be_room_for_two() -> None:
    """A receiver's own place counts twice for it: it is free, and the receiver has one less."""
    crowd = Crowd(in_all=9)
    assert (crowd.want("one", A, 9), crowd.want("two", A, 9), crowd.want("one", B, 9)) == (3, 1, 1)
    assert crowd.end("two", A) == [("two", A)]
    assert len(crowd.end("one", A)) == 1


def test_who_waits_twice_for_the_same_begins_once_and_as_told_last() -> None:
    places = Places(1)
    assert places.take("one", A, lambda: None)
    begun: list[str] = []
    assert not places.take("two", A, lambda: begun.append("first"))
    assert not places.take("two", A, lambda: begun.append("last"))
    places.give_back("one", A)
    assert begun == ["last"]


def test_who_does_not_want_its_turn_any_more_costs_nobody_else_theirs() -> None:
    crowd = Crowd(in_all=1)
    crowd.want("one", A)
    assert not crowd.places.take("two", A, lambda: None)
    crowd.want("three", A)
    assert crowd.end("one", A) == [("three", A)]


# -- whatever happens ----------------------------------------------------------------------------------

pairs = st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from([A, B, C]))


@given(st.integers(1, 20), st.lists(st.tuples(pairs, st.integers(0, 9)), max_size=40))
def test_nobody_waits_while_there_is_room_and_all_begin_in_the_end(
    in_all: int, steps: Sequence[tuple[tuple[str, Address], int]]
) -> None:
    crowd = Crowd(in_all)

    def check() -> None:
        free = in_all - len(crowd.begun)
        assert free >= 0
        for (session, receiver), waiting in crowd.wanted.items():
            taken = sum(one == session for one, _ in crowd.begun) + sum(
                to == receiver for _, to in crowd.begun
            )
            assert not waiting or taken >= free

    for (session, receiver), count in steps:
        if count:
            crowd.want(session, receiver, count)
        elif crowd.begun:
            crowd.end(*crowd.begun[0])
        check()
    while crowd.begun:
        crowd.end(*crowd.begun[0])
        check()
    assert sum(crowd.wanted.values()) == 0
    assert [value for value in vars(crowd.places).values() if value] == [in_all], "nothing is remembered"
