"""Scenario files: YAML to a `Scenario`, with every mistake in its place, and the schema of the same shapes.

Knows how a scenario is written, and decides nothing by it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from sandbox.contract import check_reading
from sandbox.core.match import When
from sandbox.core.scenario import MAGIC_PREFIX, Scenario
from sandbox.core.spelling import excerpt
from sandbox.errors import ReadingError
from sandbox.rule_shapes import Placed, rule_shape, timeline_shape
from sandbox.settings_shapes import ACCOUNTS, CALLBACKS
from sandbox.when_shape import WHEN
from sandbox.yaml_nodes import parse
from sandbox.yaml_scalars import Integer, Text, Word
from sandbox.yaml_shapes import BAD, Bad, Keys, Listed, Made, Notes, Shape, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sandbox.contract import ReadingRow
    from sandbox.core.scenario import Rule
    from sandbox.yaml_nodes import Node
    from sandbox.yaml_shapes import Schema

T = TypeVar("T")

MOST_RULES: Final = 5000


def load(
    content: str | bytes,
    *,
    file: str,
    reading_rows: Iterable[ReadingRow],
    codes: Collection[int],
    magic_prefix: str = MAGIC_PREFIX,
) -> Scenario:
    """Return the scenario that a file holds.

    Args:
        content: the YAML.
        file: what mistakes call it.
        reading_rows: the readings that a scenario may choose.
        codes: the error codes that it may answer and report.
        magic_prefix: what ``{{ magic }}`` stands for in ``to``.

    Raises:
        ScenarioError: with every mistake, in the order of the file.
    """
    return _read(content, _scenario_shape(reading_rows, codes), Notes(file, {"magic": magic_prefix}))


def load_rule(
    content: str | bytes, *, file: str, codes: Collection[int], name: str, magic_prefix: str = MAGIC_PREFIX
) -> Rule:
    """Return the one rule that *content* holds, as YAML or JSON; *name* is its name where it writes none.

    Raises:
        ScenarioError: with every mistake.
    """
    rule = _read(content, rule_shape(codes), Notes(file, {"magic": magic_prefix})).rule
    return rule if rule.name else replace(rule, name=name)


def load_when(content: str | bytes, *, file: str, magic_prefix: str = MAGIC_PREFIX) -> When:
    """Return the ``when`` that *content* holds, as YAML or JSON.

    Raises:
        ScenarioError: with every mistake.
    """
    return _read(content, WHEN, Notes(file, {"magic": magic_prefix}))


def schema(*, reading_rows: Iterable[ReadingRow], codes: Collection[int]) -> Schema:
    """Return the JSON Schema of scenario files, for editors; arguments as for `load`.

    It tells all that the shape of a value tells. What hangs on two values, such as a rule that is never
    reached, and what is inside a text, such as a template, only `load` tells.
    """
    defs: Schema = {}
    root = _scenario_shape(reading_rows, codes).schema(defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of panelsms-sandbox",
        **root,
        "$defs": defs,
    }


def _read(content: str | bytes, shape: Shape[T], notes: Notes) -> T:
    value = shape.read(parse(content, file=notes.file), notes)
    notes.check()
    assert value is not BAD  # noqa: S101 - whatever could not be read has noted why
    return value


# -- the scenario ----------------------------------------------------------------------------------


def _scenario_shape(reading_rows: Iterable[ReadingRow], codes: Collection[int]) -> Shape[Scenario]:
    return Keys(
        "scenario",
        {
            "name": Text(),
            "description": Text(may_be_empty=True),
            "seed": Integer(-(2**63), 2**63 - 1),
            "readings": Keys(
                "readings",
                {row.id: _reading_shape(row) for row in reading_rows},
                lambda written, _: written.values,
            ),
            "accounts": ACCOUNTS,
            "rules": Made(Listed(rule_shape(codes), most=MOST_RULES), _rules),
            "default": Keys(
                "default", {"dlr": timeline_shape(codes)}, lambda written, _: written.get("dlr", BAD)
            ),
            "callbacks": CALLBACKS,
        },
        _scenario,
        required=("name",),
    )


def _scenario(written: Written, _: Notes) -> Scenario:
    chosen = dict(written.values)
    if "default" in chosen:
        chosen["timeline"] = chosen.pop("default")
    return Scenario(**chosen)


def _reading_shape(row: ReadingRow) -> Shape[str]:
    if row.any is None:
        return Word(row.values)

    def check(value: str, node: Node, notes: Notes) -> str | Bad:
        try:
            check_reading(row.id, value)
        except ReadingError as error:
            return notes.add(node, str(error))
        return value

    return Made(Text(), check)


def _rules(placed: tuple[Placed, ...], _: Node, notes: Notes) -> tuple[Rule, ...]:
    first: dict[str, Node] = {}
    for each in placed:
        name = each.rule.name
        if name in first:
            notes.add(
                each.node,
                f"there is a rule {excerpt(name)} in line {first[name].line}: each has a name of its own",
            )
        elif name:
            first[name] = each.node
    _note_unreachable(placed, notes)
    return tuple(_named(each.rule, position, first) for position, each in enumerate(placed, 1))


def _named(rule: Rule, position: int, taken: Collection[str]) -> Rule:
    if rule.name:
        return rule
    name = f"rule-{position}"
    while name in taken:
        name += "_"
    return replace(rule, name=name)


def _note_unreachable(placed: Sequence[Placed], notes: Notes) -> None:
    """Note each rule that another always forestalls: one with an empty ``when``, or with the same."""
    catch_all: dict[bool, str] = {}
    same: dict[tuple[bool, str], str] = {}
    for each in sorted(placed, key=lambda each: not each.rule.before_checks):
        rule, when = each.rule, each.rule.when
        if when.probability == 1:
            when = when._replace(probability=None)
        if each.is_flawed:
            continue
        label = f"rule {excerpt(rule.name)}" if rule.name else f"the rule in line {each.node.line}"
        earlier = catch_all.get(rule.before_checks) or catch_all.get(True)
        if earlier is not None:
            notes.add(each.node, f"this rule can never be reached: {earlier} matches every request before it")
        elif (rule.before_checks, repr(when)) in same:
            earlier = same[rule.before_checks, repr(when)]
            notes.add(
                each.node, f"this rule can never be reached: {earlier} has the same when and comes first"
            )
        elif rule.times is None and when.probability is None:
            same[rule.before_checks, repr(when)] = label
            if when == When():
                catch_all[rule.before_checks] = label
