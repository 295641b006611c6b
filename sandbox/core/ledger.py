"""Where each account stands: credits left, requests in the window of its rate limit, messages in its queue.

State of one session, without a clock: moments are passed in.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.core.model import Standing

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.core.model import Account

_FREE = Standing()


class Ledger:
    """The standings of a session's accounts, by user."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Let every account stand where it did at first."""
        self._balances: dict[str, int] = {}
        self._queued: dict[str, int] = {}
        self._windows: dict[str, deque[datetime]] = {}

    def standing(self, account: Account, now: datetime) -> Standing:
        """Return where *account* stands at *now*."""
        if account.balance is None and account.rate_limit is None and account.queue_limit is None:
            return Standing(balance=self._balances[account.user]) if account.user in self._balances else _FREE
        return Standing(
            rate_exceeded=self._is_rate_exceeded(account, now),
            queued=self._queued.get(account.user, 0),
            balance=self.balance(account),
        )

    def balance(self, account: Account) -> int | None:
        """Return the credits that *account* has left; None for unlimited."""
        return self._balances.get(account.user, account.balance)

    def set_balance(self, user: str, credits_left: int) -> None:
        """Give an account so many credits."""
        self._balances[user] = credits_left

    def count_request(self, account: Account, now: datetime) -> None:
        """Count a request against the account's rate limit."""
        if account.rate_limit is not None:
            self._windows.setdefault(account.user, deque()).append(now)

    def forget_requests(self) -> None:
        """Forget which requests count against the rate limits."""
        self._windows.clear()

    def accept(self, account: Account, price: int) -> None:
        """Take the price of an accepted message, which now stands in the account's queue."""
        balance = self.balance(account)
        if balance is not None:
            self._balances[account.user] = balance - price
        if account.queue_limit is not None:
            self._queued[account.user] = self._queued.get(account.user, 0) + 1

    def finish(self, user: str) -> None:
        """Take a message that has its final status out of the account's queue."""
        if user in self._queued:
            self._queued[user] -= 1

    def _is_rate_exceeded(self, account: Account, now: datetime) -> bool:
        limit = account.rate_limit
        if limit is None:
            return False
        window = self._windows.get(account.user)
        if window is None:
            return False
        horizon = timedelta(seconds=limit.per_s)
        while window and now - window[0] >= horizon:
            window.popleft()
        return len(window) >= limit.requests
