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
_PLAIN: Final = str.maketrans(dict.fromkeys("\"'\\", "."))
"""What would end a text in quotes, or mean something in it."""
# Block or flow, in quotes or not. A matcher, whose value is a mapping or a sequence, is no secret.
_SECRET: Final = re.compile(
    r"""(["']?\b(?:apiKey|secret)["']?\s*:\s+)("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s{\[#,}"'][^\n#,}]*?)(?=\s*(?:[,}\n#]|\Z))"""
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
            quote = found[2][0] if found[2][0] in _QUOTES else ""
            if found[2] not in masks:
                mask = masked(found[2].strip(_QUOTES)).translate(_PLAIN)
                same = sum(each == mask or each.startswith(f"{mask}·") for each in masks.values())
                masks[found[2]] = f"{mask}·{same + 1}" if same else mask
            return f"{found[1]}{quote}{masks[found[2]]}{quote}"

        text = _SECRET.sub(cover, yaml)
        return cls(text, {mask: secret for secret, mask in masks.items()})

    def uncovered(self, text: str) -> str:
        """Return *text*, an edited version of the covered one, with the secrets that its masks stand for.

        Raises:
            ScenarioError: something looks like a mask, and stands for none of them.
        """
        mistakes = []

        def uncover(found: re.Match[str]) -> str:
            written = found[2].strip(_QUOTES)
            if "…" in written and written not in self._secrets:
                line, begin = _line_of(text, found.start(2))
                said = "this is how a page shows a secret, and it stands for none here: write it in full"
                mistakes.append(Mistake("scenario", line, found.start(2) - begin + 1, said))
            return f"{found[1]}{self._secret(found)}"

        whole = _SECRET.sub(uncover, text)
        if mistakes:
            raise ScenarioError(mistakes)
        return whole

    def seen(self, mistake: Mistake, text: str) -> Mistake:
        """Return a mistake of the uncovered text with its column in *text*, which is covered."""
        column = mistake.column
        for found in _SECRET.finditer(text):
            line, begin = _line_of(text, found.start(2))
            longer = len(self._secret(found)) - len(found[2])
            if line == mistake.line and column > found.end(2) - begin + longer:
                column -= longer
        return mistake._replace(column=column)

    def _secret(self, found: re.Match[str]) -> str:
        return self._secrets.get(found[2].strip(_QUOTES), found[2])


def _line_of(text: str, place: int) -> tuple[int, int]:
    """Return the line that a place in *text* is in, from 1, and where that begins."""
    return text.count("\n", 0, place) + 1, text.rfind("\n", 0, place) + 1
