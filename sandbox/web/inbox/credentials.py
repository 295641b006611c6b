"""Who sends a message from a page, where nobody is named. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox.core.scenario import Scenario

_USER: Final = "you@example.com"
_KEY: Final = "secret"


def credentials(scenario: Scenario, user: str | None) -> tuple[str, str]:
    """Return who may send, and with what key: *user*, or an account of the scenario."""
    accounts = scenario.accounts
    if user is None and not accounts.anyone:
        user = next((account.user for account in accounts.listed.values() if not account.disabled), None)
    account = accounts.listed.get(user or _USER)
    return user or _USER, _KEY if account is None else account.api_key or _KEY
