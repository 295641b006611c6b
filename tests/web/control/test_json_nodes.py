"""JSON text as nodes that know their line and column."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.web.control.json_nodes import parse
from sandbox.yaml_nodes import Items, Node, Pairs, Scalar

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def value_of(node: Node) -> Any:
    """Return what a node stands for, numbers as they are written."""
    match node:
        case Scalar(text=text, is_plain=False):
            return text
        case Scalar(text=text):
            return {"true": True, "false": False, "null": None}.get(text, (text,))
        case Items(items=items):
            return [value_of(each) for each in items]
        case Pairs(pairs=pairs):
            return {value_of(key): value_of(value) for key, value in pairs}


def as_written(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_int=lambda text: (text,), parse_float=lambda text: (text,))


@given(values, st.sampled_from([None, 0, 1, 3]), st.booleans())
def test_any_json_is_read_as_python_reads_it(value: Any, indent: int | None, is_ascii: bool) -> None:  # noqa: FBT001
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    assert value_of(parse(text.encode())) == as_written(value)


def places(node: Node) -> list[tuple[str, int, int]]:
    match node:
        case Scalar():
            return [(node.text, node.line, node.column)]
        case Items():
            inner = [place for each in node.items for place in places(each)]
            return [("[", node.line, node.column), *inner]
        case Pairs():
            inner = [place for pair in node.pairs for each in pair for place in places(each)]
            return [("{", node.line, node.column), *inner]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1}', [("{", 1, 1), ("a", 1, 2), ("1", 1, 6)]),
        ('\n\n  "x"', [("x", 3, 3)]),
        ('[\r\n\t"é€", -1e5,\n[] ]', [("[", 1, 1), ("é€", 2, 2), ("-1e5", 2, 8), ("[", 3, 1)]),
        ('{"a\\"b:,[{": "\\u0041\\/\\ud83d\\ude00"}', [("{", 1, 1), ('a"b:,[{', 1, 2), ("A/😀", 1, 14)]),
        (
            '{"a": {"a": null}, "a": true}',
            [
                ("{", 1, 1),
                ("a", 1, 2),
                ("{", 1, 7),
                ("a", 1, 8),
                ("null", 1, 13),
                ("a", 1, 20),
                ("true", 1, 25),
            ],
        ),
    ],
)
def test_each_node_knows_its_place(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert places(parse(text.encode())) == expected
