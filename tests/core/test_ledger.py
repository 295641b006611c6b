from datetime import UTC, datetime, timedelta

import pytest

from sandbox.core.ledger import Ledger
from sandbox.core.model import Account, RateLimit, Standing

NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)
UNLIMITED = Account(user="free", api_key="key")
POOR = Account(user="poor", api_key="key", balance=2)
HASTY = Account(user="hasty", api_key="key", rate_limit=RateLimit(2, 10.0))
QUEUED = Account(user="queued", api_key="key", queue_limit=2)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_an_account_without_limits_always_stands_the_same() -> None:
    ledger = Ledger()
    ledger.accept(UNLIMITED, 1)
    ledger.count_request(UNLIMITED, NOON)
    ledger.finish("free")
    assert ledger.standing(UNLIMITED, NOON) == Standing()
    assert ledger.balance(UNLIMITED) is None


def test_each_message_takes_its_price() -> None:
    ledger = Ledger()
    balances = []
    for _ in range(3):
        balances.append(ledger.standing(POOR, NOON).balance)
        ledger.accept(POOR, 1)
    assert balances == [2, 1, 0]
    assert ledger.balance(POOR) == -1


def test_a_balance_can_be_set() -> None:
    ledger = Ledger()
    ledger.set_balance("poor", 7)
    ledger.accept(POOR, 2)
    assert ledger.standing(POOR, NOON).balance == 5


def test_accounts_have_each_their_own() -> None:
    ledger = Ledger()
    ledger.accept(POOR, 1)
    assert ledger.balance(Account(user="other", api_key="key", balance=2)) == 2


def test_a_window_slides() -> None:
    ledger = Ledger()
    exceeded = []
    for second in (0, 4, 9, 10, 13, 14):
        exceeded.append(ledger.standing(HASTY, at(second)).rate_exceeded)
        if not exceeded[-1]:
            ledger.count_request(HASTY, at(second))
    assert exceeded == [False, False, True, False, True, False]


@pytest.mark.parametrize(("second", "is_exceeded"), [(9.999, True), (10, False)])
def test_a_request_leaves_the_window_when_its_stretch_is_over(second: float, *, is_exceeded: bool) -> None:
    ledger = Ledger()
    for _ in range(2):
        ledger.count_request(HASTY, NOON)
    assert ledger.standing(HASTY, at(second)).rate_exceeded == is_exceeded


def test_a_window_that_was_never_used_is_empty() -> None:
    assert not Ledger().standing(HASTY, NOON).rate_exceeded


def test_messages_stand_in_the_queue_until_they_are_finished() -> None:
    ledger = Ledger()
    lengths = [ledger.standing(QUEUED, NOON).queued]
    for act in (ledger.accept, ledger.accept):
        act(QUEUED, 1)
        lengths.append(ledger.standing(QUEUED, NOON).queued)
    ledger.finish("queued")
    lengths.append(ledger.standing(QUEUED, NOON).queued)
    assert lengths == [0, 1, 2, 1]


def test_a_message_of_no_queue_is_finished_without_a_trace() -> None:
    ledger = Ledger()
    ledger.finish("queued")
    assert ledger.standing(QUEUED, NOON).queued == 0
