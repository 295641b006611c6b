"""The ids of records, as paths and queries name them: ``m12`` is message 12."""

from __future__ import annotations

import re

from sandbox.core.spelling import excerpt
from sandbox.errors import NotFoundError


def number_of(identifier: str, prefix: str) -> int:
    """Return the number in an id: 12 of ``m12``.

    Raises:
        NotFoundError: it is none, so nothing has it.
    """
    if not re.fullmatch(pattern(prefix), identifier):
        raise NotFoundError(f"{excerpt(identifier)} is no id: ids look like {prefix}12")
    return int(identifier.removeprefix(prefix))


def pattern(prefix: str) -> str:
    """Return the regular expression of the ids that begin with *prefix*."""
    return f"{prefix}[1-9][0-9]{{0,17}}"
