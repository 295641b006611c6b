import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import gsm7
from sandbox.core.concatenation import Assembly, Part, PartKey
from sandbox.core.udh import Udh, parse_hex

VECTORS = Path(__file__).parents[1] / "vectors"
NOON = datetime(2024, 1, 15, 12, tzinfo=UTC)
KEY = PartKey(
    user="you@example.com",
    sender_id="ORDER",
    destination="+34600000001",
    coding="GSM7",
    reference=1,
    reference_bits=8,
    total=2,
)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def vectors(name: str) -> list[Any]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, lines)]


def payload(udh: Udh, text: str, *, is_gsm7: bool) -> bytes:
    return gsm7.pack(gsm7.encode(text), (-8 * len(udh)) % 7) if is_gsm7 else text.encode("utf-16-be")


@pytest.mark.parametrize("vector", vectors("concat.jsonl"))
def test_parts_in_order_of_arrival_make_the_text(vector: dict[str, Any]) -> None:
    is_gsm7 = vector["encoding"] == "gsm7"
    assembly = Assembly()
    for index, part in enumerate(vector["parts"]):
        udh = parse_hex(part["udh_hex"])
        assert isinstance(udh, Udh)
        said = udh.concatenation
        assert said
        assert udh.octets + payload(udh, part["text"], is_gsm7=is_gsm7) == bytes.fromhex(part["ud_hex"])
        key = PartKey("you", None, "+1", vector["encoding"], said.reference, said.reference_bits, said.total)
        group = assembly.add(key, said.sequence, part["text"], after(index))
    assert group.joined == vector["expected_text"]


def test_text_is_joined_once_all_parts_are_here() -> None:
    assembly = Assembly()
    group = assembly.add(KEY, 2, "world", NOON)
    half = group.joined
    assert assembly.add(KEY, 1, "hello ", after(3600)) is group
    assert (half, group.joined) == (None, "hello world")
    assert group.parts == {2: Part("world", NOON), 1: Part("hello ", after(3600))}


@pytest.mark.parametrize(
    "other",
    [
        {"user": "me@example.com"},
        {"sender_id": None},
        {"destination": "+34600000002"},
        {"coding": "UCS2"},
        {"reference": 2},
        {"reference_bits": 16},
        {"total": 3},
    ],
)
def test_part_that_differs_in_its_key_belongs_to_another_message(other: dict[str, Any]) -> None:
    assembly = Assembly()
    first = assembly.add(KEY, 1, "hello ", NOON)
    assert assembly.add(KEY._replace(**other), 2, "world", NOON) is not first
    assert first.joined is None


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize(
    ("text", "at", "is_repeat"),
    [
        ("hello ", NOON, True),
        ("hello ", after(60), True),
        ("hello ", after(60.000001), False),
        ("HELLO ", NOON, False),
        ("HELLO ", after(61), False),
    ],
)
def test_held_part_is_repeated_by_the_same_text_within_sixty_seconds(
    text: str, at: datetime, *, is_repeat: bool, complete: bool
) -> None:
    assembly = Assembly()
    group = assembly.add(KEY, 1, "hello ", NOON)
    if complete:
        assembly.add(KEY, 2, "world", NOON)
    again = assembly.add(KEY, 1, text, at)
    assert (again is group) is is_repeat
    assert group.parts[1] == Part("hello ", NOON)
    assert group.joined == ("hello world" if complete else None)
    assert again.parts[1].text == text


def test_sixty_seconds_count_from_the_first_arrival() -> None:
    assembly = Assembly()
    group = assembly.add(KEY, 1, "hello ", NOON)
    assert assembly.add(KEY, 1, "hello ", after(40)) is group
    assert assembly.add(KEY, 1, "hello ", after(80)) is not group


def test_new_message_takes_the_parts_that_follow() -> None:
    assembly = Assembly()
    old = assembly.add(KEY, 1, "hello ", NOON)
    new = assembly.add(KEY, 1, "goodbye ", NOON)
    assert assembly.add(KEY, 2, "world", NOON) is new
    assert (old.joined, new.joined) == (None, "goodbye world")


def test_message_of_one_part_is_complete_at_once() -> None:
    key = PartKey("you", None, "+34600000001", "GSM7", 1, 8, 1)
    assert Assembly().add(key, 1, "all", NOON).joined == "all"


def test_forgotten_group_takes_no_more_parts() -> None:
    assembly = Assembly()
    group = assembly.add(KEY, 1, "hello ", NOON)
    assembly.forget(group)
    assembly.forget(group)
    assert assembly.add(KEY, 2, "world", NOON) is not group


def test_forgetting_a_replaced_group_leaves_the_current_one() -> None:
    assembly = Assembly()
    old = assembly.add(KEY, 1, "hello ", NOON)
    new = assembly.add(KEY, 1, "goodbye ", NOON)
    assembly.forget(old)
    assert assembly.add(KEY, 2, "world", NOON) is new


@given(
    arrivals=st.lists(st.text(max_size=5), min_size=1, max_size=6).flatmap(
        lambda texts: st.tuples(
            st.just(texts),
            st.permutations(range(1, len(texts) + 1)),
            st.lists(st.integers(1, len(texts)), max_size=5),
        )
    )
)
def test_any_order_with_repeats_makes_one_message(arrivals: tuple[list[str], list[int], list[int]]) -> None:
    texts, order, repeats = arrivals
    key = PartKey("you", None, "+34600000001", "UCS2", 7, 16, len(texts))
    assembly = Assembly()
    groups = [
        assembly.add(key, sequence, texts[sequence - 1], after(index))
        for index, sequence in enumerate([*order, *repeats])
    ]
    assert len(set(groups)) == 1
    assert groups[0].joined == "".join(texts)
