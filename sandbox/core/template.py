"""The bodies of a scenario's answers and reports: text with ``{{ name | filter }}`` in it, and nothing more.

A name stands for a value, a filter for one fixed function of it. There are no expressions, so no body is
a program.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from sandbox.core.spelling import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from sandbox.core.model import Value

_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})

FILTERS: Final[Mapping[str, Callable[[str], str]]] = {
    "upper": str.upper,
    "lower": str.lower,
    "trim": str.strip,
    "length": lambda text: str(len(text)),
    "json": lambda text: json.dumps(text, ensure_ascii=False),
    "xml": lambda text: text.translate(_XML),
    "urlencode": lambda text: quote(text, safe="", errors="replace"),
}
"""What may stand after a ``|``; ``json`` writes the quotes too."""

_BLANKS = " \t\r\n"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Fault(NamedTuple):
    """What is wrong with a template."""

    sentence: str
    word: str = ""
    """The word that is not known, where it is one word's fault."""
    choices: Collection[str] = ()
    """What could stand in its place."""


def render(template: str, values: Mapping[str, Value | None]) -> str:
    """Return *template* with each placeholder replaced by its value, or by nothing where that is absent.

    Args:
        template: a body in which `faults` found nothing.
        values: by the names that placeholders use: ``{"to": "+1222333444"}``.
    """
    pieces = []
    done = 0
    for start, end, (name, *filters) in _placeholders(template):
        value = values.get(name)
        text = value if isinstance(value, str) else ""
        for each in filters:
            text = FILTERS[each](text)
        pieces += [template[done:start], text]
        done = end
    return "".join([*pieces, template[done:]])


def faults(template: str, names: Collection[str]) -> Iterator[Fault]:
    """Yield all that is wrong with *template*, whose placeholders may be any of *names*."""
    if "{%" in template:
        yield Fault("{% is not read: a body may hold {{ name }} and {{ name | filter }}, no other code")
    for start, end, words in _placeholders(template):
        name, *filters = words
        if not template.endswith("}}", start, end):
            yield Fault("{{ has no }} after it")
        elif not all(map(_WORD.fullmatch, words)):
            yield Fault(
                f"{excerpt(template[start:end])} is not of the form {{{{ name }}}} or {{{{ name | filter }}}}"
            )
        else:
            if name not in names:
                yield Fault(f"there is nothing called {excerpt(name)} to put here", name, names)
            yield from (
                Fault(f"there is no filter {excerpt(each)}", each, FILTERS)
                for each in filters
                if each not in FILTERS
            )


def _placeholders(template: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield where each placeholder begins and ends, and its words; one never closed ends with the text."""
    start = template.find("{{")
    while start >= 0:
        close = template.find("}}", start + 2)
        end = len(template) if close < 0 else close + 2
        yield start, end, [word.strip(_BLANKS) for word in template[start + 2 : end - 2].split("|")]
        start = template.find("{{", end)
