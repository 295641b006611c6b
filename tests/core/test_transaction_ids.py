import pytest

from sandbox.core.transaction_ids import FIRST, TransactionIds


def taken(ids: TransactionIds, *chosen: str | None) -> list[str]:
    return [ids.take(each) for each in chosen]


def test_messages_without_an_id_are_numbered_from_1000001() -> None:
    assert taken(TransactionIds(), None, None, None) == ["1000001", "1000002", "1000003"]


@pytest.mark.parametrize("chosen", ["order_12345", "", " 7 ", "0", "1000001", "héllo", "9" * 400])
def test_an_id_that_a_client_chose_is_taken_as_it_is_however_often(chosen: str) -> None:
    assert taken(TransactionIds(), chosen, None, chosen)[::2] == [chosen, chosen]


def test_a_chosen_id_takes_no_number() -> None:
    assert taken(TransactionIds(), None, "order_12345", None) == ["1000001", "order_12345", "1000002"]


def test_numbers_that_clients_chose_ahead_are_passed_over() -> None:
    chosen = ["1000003", "1000001", "1000002", "1000005", "1000003"]
    assert taken(TransactionIds(), *chosen, None, None, None) == [*chosen, "1000004", "1000006", "1000007"]


@pytest.mark.parametrize("chosen", [" 1000001", "01000001", "+1000001", "1_000_001", "1000001\n", "١٠٠٠٠٠١"])
def test_what_only_resembles_a_number_keeps_none_from_being_generated(chosen: str) -> None:
    assert taken(TransactionIds(), chosen, None) == [chosen, str(FIRST)]


def test_an_id_that_was_generated_before_may_still_be_chosen() -> None:
    assert taken(TransactionIds(), None, "1000001", None) == ["1000001", "1000001", "1000002"]


def test_a_copy_goes_its_own_way() -> None:
    ids = TransactionIds()
    taken(ids, None, "1000003")
    twin = ids.copy()
    assert taken(twin, "1000004", None, None) == ["1000004", "1000002", "1000005"]
    assert taken(ids, None, None) == ["1000002", "1000004"]
