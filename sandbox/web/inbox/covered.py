"""The text of a scenario without its secrets, as a page may show it; and, edited, with them put back.

Pure. What stands for a secret is its mask, ``se…et``; where two secrets have one mask, the second is ``se…et·2``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.core.masking import masked
from sandbox.errors import Mistake, ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUOTES: Final = "\"'"
_PLAIN: Final = str.maketrans(dict.fromkeys("\"'\\\n", "."))
"""What would end a text in quotes, or mean something in it."""
# A matcher, whose value is a mapping or a sequence, is no secret.
_SECRET: Final = re.compile(
    r"""(?P<key>(?P<quote>["'])(?:apiKey|secret)(?P=quote)\s*:\s*|\b(?:apiKey|secret)\s*:\s+)
        (?P<value>"(?:[^"\\]|\\.)*"
            |'(?:[^']|'')*'
            # A block scalar: its head, blank lines, and all that is indented as the first line of text is.
            |[|>][-+0-9]*[ \t]*(?:\#[^\n]*)?(?:\n[ \t]*)*?
                \n(?P<indent>[ ]+)\S[^\n]*(?:\n(?:[ \t]*(?=\n|\Z)|(?P=indent)[^\n]*))*
            |[^\s{\[\#,}"'|>][^\n\#,}]*?)
        (?=\s*(?:[,}\n\#]|\Z))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Covered:
    """A scenario's text, covered."""

    text: str
    """Every key and secret is masked in it: ``apiKey: se…et``."""
    _secrets: Mapping[str, str]
    """What each mask stands for, as it is written, with its quotes."""

    @classmethod
    def of(cls, yaml: str) -> Covered:
        """Return *yaml* covered."""
        masks: dict[str, str] = {}

        def cover(found: re.Match[str]) -> str:
            written = found["value"]
            quote = "'" if written[0] in "|>" else written[0] if written[0] in _QUOTES else ""
            if written not in masks:
                mask = masked(_said(written)).translate(_PLAIN)
                same = sum(each == mask or each.startswith(f"{mask}·") for each in masks.values())
                masks[written] = f"{mask}·{same + 1}" if same else mask
            return f"{found['key']}{quote}{masks[written]}{quote}"

        text = _SECRET.sub(cover, yaml)
        return cls(text, {mask: secret for secret, mask in masks.items()})

    def uncovered(self, text: str) -> str:
        """Return *text*, an edited version of the covered one, with the secrets that its masks stand for.

        Raises:
            ScenarioError: something looks like a mask, and stands for none of them.
        """
        mistakes = []

        def uncover(found: re.Match[str]) -> str:
            written = _said(found["value"])
            if "…" in written and written not in self._secrets:
                line, begin = _line_of(text, found.start("value"))
                said = "this is how a page shows a secret, and it stands for none here: write it in full"
                mistakes.append(Mistake("scenario", line, found.start("value") - begin + 1, said))
            return f"{found['key']}{self._secret(found)}"

        whole = _SECRET.sub(uncover, text)
        if mistakes:
            raise ScenarioError(mistakes)
        return whole

    def seen(self, mistake: Mistake, text: str) -> Mistake:
        """Return a mistake of the uncovered text with its column in *text*, which is covered."""
        column = mistake.column
        for found in _SECRET.finditer(text):
            line, begin = _line_of(text, found.start("value"))
            longer = len(self._secret(found)) - len(found["value"])
            if line == mistake.line and column > found.end("value") - begin + longer:
                column -= longer
        return mistake._replace(column=column)

    def _secret(self, found: re.Match[str]) -> str:
        return self._secrets.get(_said(found["value"]), found["value"])


def _said(written: str) -> str:
    """Return a scalar without its quotes, or without the head of its block."""
    return written.partition("\n")[2].strip() if written[0] in "|>" else written.strip(_QUOTES)


def _line_of(text: str, place: int) -> tuple[int, int]:
    """Return the line that a place in *text* is in, from 1, and where that begins."""
    return text.count("\n", 0, place) + 1, text.rfind("\n", 0, place) + 1
