"""What holds for a session's records wherever they are kept; the file of one on disk holds the same at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.core.model import Answer, Call, Callback, Message, Numbering, RequestRecord
from sandbox.store import Store
from sandbox.store.memory import DEFAULT_CAP, MemoryStore
from sandbox.store.sqlite import SqliteFile
from tests.worlds import NOON, RECEIVER, a_message

StoreOf = Callable[[int], Store]


@pytest.fixture(params=["memory", "sqlite"])
def store_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreOf]:
    """Make a store with a cap."""
    if request.param == "memory":
        yield MemoryStore
        return
    path = tmp_path / "sandbox.db"
    files: list[SqliteFile] = []

    def store_of(cap: int) -> Store:
        files.append(SqliteFile(path, cap=cap))
        return files[-1].store("one", Numbering)

    yield store_of
    for file in files:
        store = file.store("one", Numbering)
        before = contents(store)
        file.close()
        again = SqliteFile(path)
        assert contents(again.store("one", Numbering)) == before
        again.close()


def contents(store: Store) -> tuple[object, ...]:
    return [*store.messages()], [*store.requests()], [*store.callbacks()], store.dropped


def request(number: int, message: int | None = None) -> RequestRecord:
    return RequestRecord(
        number, NOON, Call("GET", "/sendMtSms.php", {}), Answer(200, "text/plain", ""), message_number=message
    )


def callback(number: int, message: Message) -> Callback:
    return Callback(number=number, message=message, url=RECEIVER, method="POST", body="{}")


def keep(store: Store, number: int, *, is_finished: bool = False) -> tuple[int, ...]:
    """Keep a message with its request and a callback, and return the numbers of those that had to go."""
    message = a_message(number)
    dropped = store.add_message(message)
    store.add_request(request(number, number))
    store.add_callback(callback(number, message))
    if is_finished:
        store.finish(message)
    return tuple(each.number for each in dropped)


def numbers(store: Store) -> list[int]:
    return [message.number for message in store.messages()]


def test_a_new_store_is_empty(store_of: StoreOf) -> None:
    store = store_of(100)
    assert store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
    assert (store.message(1), store.request(1), store.callback(1), store.dropped) == (None, None, None, 0)


def test_the_cap_is_a_hundred_thousand() -> None:
    assert DEFAULT_CAP == 100_000


def test_records_are_found_by_their_numbers(store_of: StoreOf) -> None:
    store = store_of(100)
    keep(store, 1)
    keep(store, 2)
    message, record, report = store.message(2), store.request(2), store.callback(2)
    assert message is not None
    assert record is not None
    assert report is not None
    assert (message.number, record.number, report.number) == (2, 2, 2)
    assert message.callback_numbers == (2,)
    assert store.counts() == {"messages": 2, "requests": 2, "callbacks": 2}


def test_messages_and_requests_come_newest_first_and_callbacks_oldest_first(store_of: StoreOf) -> None:
    store = store_of(100)
    for number in (1, 2, 3):
        keep(store, number)
    assert numbers(store) == [3, 2, 1]
    assert [record.number for record in store.requests()] == [3, 2, 1]
    assert [report.number for report in store.callbacks()] == [1, 2, 3]


def test_the_oldest_finished_message_goes_first_with_all_that_belongs_to_it(store_of: StoreOf) -> None:
    store = store_of(3)
    keep(store, 1)
    keep(store, 3, is_finished=True)
    keep(store, 2, is_finished=True)
    assert keep(store, 4) == (2,)
    assert keep(store, 5) == (3,)
    assert numbers(store) == [5, 4, 1]
    assert (store.request(2), store.callback(2)) == (None, None)
    assert store.counts() == {"messages": 3, "requests": 3, "callbacks": 3}
    assert store.dropped == 2


def test_only_where_none_is_finished_does_an_unfinished_one_go(store_of: StoreOf) -> None:
    store = store_of(2)
    assert [keep(store, number) for number in (1, 2, 3, 4)] == [(), (), (1,), (2,)]


def test_a_message_that_is_gone_cannot_be_finished(store_of: StoreOf) -> None:
    store = store_of(1)
    gone = a_message(1)
    store.add_message(gone)
    keep(store, 2)
    store.finish(gone)
    assert keep(store, 3) == (2,)


def test_a_report_on_a_message_that_is_gone_leaves_with_the_store(store_of: StoreOf) -> None:
    store = store_of(1)
    keep(store, 1)
    keep(store, 2, is_finished=True)
    assert store.callback(1) is None
    keep(store, 3)
    assert [report.number for report in store.callbacks()] == [3]


def test_of_requests_without_a_message_the_oldest_goes(store_of: StoreOf) -> None:
    store = store_of(2)
    keep(store, 1)
    for number in (2, 3, 4):
        store.add_request(request(number))
    assert [record.number for record in store.requests()] == [4, 3, 1]


@pytest.mark.parametrize("again", [False, True])
def test_a_cleared_store_is_as_new(store_of: StoreOf, *, again: bool) -> None:
    store = store_of(1)
    for number in (1, 2):
        keep(store, number, is_finished=True)
    store.add_request(request(3))
    store.clear()
    if again:
        store.clear()
    assert store.counts() == {"messages": 0, "requests": 0, "callbacks": 0}
    assert store.dropped == 0
    assert keep(store, 1) == ()
    assert keep(store, 2) == (1,)
