"""What differs between two scenarios, in words: for whoever has just changed one. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from sandbox.core.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRITTEN: Final = {"timeline": "default"}
"""How scenario files spell what the core calls otherwise."""


def differences(before: Scenario, after: Scenario) -> tuple[str, ...]:
    """Return what *after* has in place of *before*: ``rule slow-spain changed``, ``accounts changed``."""
    return (*_rules(before, after), *_settings(before, after))


def _rules(before: Scenario, after: Scenario) -> Iterator[str]:
    # By what they say: two matchers for one regular expression hold functions that are not equal.
    old, new = ({rule.name: repr(rule) for rule in scenario.rules} for scenario in (before, after))
    for name in new:
        if name not in old:
            yield f"rule {name} added"
        elif new[name] != old[name]:
            yield f"rule {name} changed"
    yield from (f"rule {name} removed" for name in old if name not in new)
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield "rules are in another order"


def _settings(before: Scenario, after: Scenario) -> Iterator[str]:
    for field in fields(Scenario):
        if field.name != "rules" and getattr(before, field.name) != getattr(after, field.name):
            yield f"{_WRITTEN.get(field.name, field.name)} changed"
