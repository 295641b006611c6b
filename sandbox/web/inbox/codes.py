"""The error codes of the API: what each means, what earns it, and a link to the form that provokes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from sandbox import contract
from sandbox.core.checks import CHECKS
from sandbox.web.inbox.pages import Page

if TYPE_CHECKING:
    from sandbox.web.inbox.pages import Visit


class CodeRow(NamedTuple):
    """One code."""

    code: int
    description: str
    solution: str
    fails_when: str
    provoke: str
    check: int | None
    """The position of the check that answers it, from 1; None when only a rule does."""
    href: str
    """The form, filled in."""
    seen: str
    """The requests that it was answered to."""


class CodesView(NamedTuple):
    """All codes."""

    rows: tuple[CodeRow, ...]
    checks: int


def show(visit: Visit) -> Page:
    """Show the codes."""
    visit.demand_known()
    positions = {check.code: position for position, check in reversed(tuple(enumerate(CHECKS, 1)))}
    rows = tuple(
        CodeRow(
            row.code,
            row.description,
            row.solution,
            row.fails_when,
            row.provoke,
            positions.get(row.code),
            f"{visit.base}/send?{urlencode({'code': row.code})}",
            f"{visit.base}/requests?{urlencode({'q': f'error:{row.code}'})}",
        )
        for row in contract.error_codes()
    )
    return Page("codes.html", "Error codes", CodesView(rows, len(CHECKS)), tab="/codes")
