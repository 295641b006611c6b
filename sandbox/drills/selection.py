"""Which trials of a drill are run: all, or those that ``--only`` names by name, group or pattern."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol, TypeVar

from sandbox.core.spelling import excerpt
from sandbox.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.drills.outcome import Trial


class _Tried(Protocol):
    @property
    def trial(self) -> Trial: ...


Chosen = TypeVar("Chosen", bound=_Tried)


def select(all_of_them: Sequence[Chosen], only: Sequence[str]) -> list[Chosen]:
    """Return what *only* names, in its old order; all of it where *only* is empty.

    Args:
        all_of_them: the steps or conditions of a drill.
        only: names, groups, or patterns such as ``error-*``.

    Raises:
        ConfigError: one of *only* names nothing.
    """
    for pattern in only:
        if not any(_is_named(each.trial, pattern) for each in all_of_them):
            known = dict.fromkeys(
                name for each in all_of_them for name in (each.trial.name, each.trial.group)
            )
            hint = did_you_mean(pattern, known) or "; --list shows what there is"
            raise ConfigError(f"--only {excerpt(pattern)} names nothing here{hint}")
    return [
        each for each in all_of_them if not only or any(_is_named(each.trial, pattern) for pattern in only)
    ]


def _is_named(trial: Trial, pattern: str) -> bool:
    return fnmatchcase(trial.name, pattern) or trial.group == pattern
