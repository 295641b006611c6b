"""The store in a file of SQLite's, one for all sessions: the records are in memory as ever, and written behind.

What was added, changed or dropped is noted, and written in one transaction a few times a second and at the end, so that
the file always holds one moment whole. Knows nothing of HTTP or rules.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sandbox.core.model import Message, Numbering
from sandbox.core.spelling import excerpt
from sandbox.core.statuses import is_final
from sandbox.errors import ConfigError
from sandbox.store import rows
from sandbox.store.memory import DEFAULT_CAP, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.core.model import Callback, RequestRecord

    Record = TypeVar("Record", RequestRecord, Message, Callback)

WRITTEN_EVERY_S: Final = 0.1
TRIED_AGAIN_EVERY_S: Final = 1.0

APPLICATION_ID: Final = 0x534D5342  # "SMSB"
VERSION: Final = 1
"""Of the tables and of the records in them; a file of a later one is not touched."""

_TABLES: Final = ("requests", "messages", "callbacks")

_SCHEMA: Final = (
    """CREATE TABLE sessions (
        name TEXT PRIMARY KEY,  -- empty for the server's own
        requests INTEGER NOT NULL,  -- how many there were, as the next number follows on these
        messages INTEGER NOT NULL,
        callbacks INTEGER NOT NULL,
        next_transaction_id INTEGER NOT NULL,
        dropped INTEGER NOT NULL  -- messages that the cap has cost
    )""",
    *(
        f"""CREATE TABLE {table} (
        session TEXT NOT NULL,
        number INTEGER NOT NULL,
        record TEXT NOT NULL,  -- JSON
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID"""
        for table in _TABLES
    ),
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)


class SqliteStore(MemoryStore):
    """The records of one session, and which of them the file does not hold as they are."""

    def __init__(self, file: SqliteFile, session: str, cap: int) -> None:
        super().__init__(cap)
        self.numbering: Callable[[], Numbering] = Numbering
        """Says how far the session has counted."""
        self._file = file
        self._session = session
        self._noted: dict[str, set[int]] = {table: set() for table in _TABLES}
        self._is_cleared = False
        """Whether nothing that the file holds is kept any more."""
        self.is_noted = False
        """Whether there is anything to write."""

    # -- what happens to records ----------------------------------------------------------------------------------

    def add_request(self, request: RequestRecord) -> None:
        """Keep a request."""
        super().add_request(request)
        self._note("requests", request.number)

    def add_message(self, message: Message) -> tuple[Message, ...]:
        """Keep a message, and return those that had to go for it."""
        self._note("messages", message.number)
        return super().add_message(message)

    def add_callback(self, callback: Callback) -> None:
        """Keep a callback, and its number with its message."""
        super().add_callback(callback)
        self._note("callbacks", callback.number)
        self._note("messages", callback.message.number)

    def changed(self, record: Message | Callback) -> None:
        """Note that a record is no longer as the file holds it."""
        self._note("messages" if isinstance(record, Message) else "callbacks", record.number)

    def clear(self) -> None:
        """Let go of everything, in the file too."""
        super().clear()
        for numbers in self._noted.values():
            numbers.clear()
        self._is_cleared = True
        self._wake()

    def end(self) -> None:
        """Keep nothing beyond this run."""
        self._file.forget(self._session)
        self.numbering = Numbering  # what said so may hold all that has ended

    def _drop(self) -> Message:
        message = super()._drop()
        self._note("messages", message.number)
        self._note("requests", message.request_number)
        self._note("callbacks", *message.callback_numbers)
        return message

    def _drop_request(self) -> int:
        number = super()._drop_request()
        self._note("requests", number)
        return number

    def _note(self, table: str, *numbers: int) -> None:
        self._noted[table].update(numbers)
        self._wake()

    def _wake(self) -> None:
        if not self.is_noted:
            self.is_noted = True
            self._file.wake()

    # -- the file -------------------------------------------------------------------------------------------------

    def take_up(
        self, requests: list[RequestRecord], messages: list[Message], callbacks: list[Callback], dropped: int
    ) -> None:
        """Hold what the file does, each kind in the order of its numbers; more than the cap allows goes."""
        self._requests = {request.number: request for request in requests}
        self._messages = {message.number: message for message in messages}
        self._callbacks = {callback.number: callback for callback in callbacks}
        self._without_message.extend(each.number for each in requests if each.message_number is None)
        self._finished = [message.number for message in messages if is_final(message.status)]
        self.dropped = dropped
        while len(self._messages) > self._cap:
            self._drop()
        while len(self._without_message) > self._cap:
            self._drop_request()

    def write(self, connection: sqlite3.Connection) -> None:
        """Let the file hold what is noted as it is now, inside of a transaction."""
        name = self._session
        if self._is_cleared:
            _delete_records(connection, name)
        kept: dict[str, Mapping[int, RequestRecord | Message | Callback]] = {
            "requests": self._requests,
            "messages": self._messages,
            "callbacks": self._callbacks,
        }
        for table, records in kept.items():
            numbers = self._noted[table]
            connection.executemany(
                f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - one of _TABLES
                ((name, number, rows.to_json(records[number])) for number in numbers if number in records),
            )
            connection.executemany(
                f"DELETE FROM {table} WHERE session = ? AND number = ?",  # noqa: S608 - likewise
                ((name, number) for number in numbers if number not in records),
            )
        connection.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            (name, *self.numbering(), self.dropped),
        )

    def note_written(self) -> None:
        """Take note that the file holds everything."""
        for numbers in self._noted.values():
            numbers.clear()
        self._is_cleared = self.is_noted = False


class SqliteFile:
    """The file with the records of all sessions of one server, which no other program may use meanwhile."""

    def __init__(
        self, path: Path, *, cap: int = DEFAULT_CAP, tell: Callable[[str], None] | None = None
    ) -> None:
        """Open the file, made anew where there is none, and read all that it holds.

        Args:
            path: of the file; its folder exists.
            cap: how many messages a session keeps.
            tell: is told what it holds at the start, when it cannot be written any more, and when it can again.

        Raises:
            ConfigError: it cannot be opened, is no file of ours, is in use, or is damaged; with what to do about it.
        """
        self._path = path
        self._cap = cap
        self._tell_of = tell
        self._stores: dict[str, SqliteStore] = {}
        self._kept: dict[str, Numbering] = {}
        self._ended: set[str] = set()
        self._is_started = self._is_failing = False
        self._timer: asyncio.TimerHandle | None = None
        self._open()

    # -- its sessions ---------------------------------------------------------------------------------------------

    def kept(self) -> Iterator[tuple[str | None, Numbering]]:
        """Yield the sessions of an earlier run, None for the server's own, and how far each had counted."""
        for name, numbering in self._kept.items():
            yield name or None, numbering

    def store(self, session: str | None, numbering: Callable[[], Numbering]) -> SqliteStore:
        """Return the store of a session: as an earlier run has left it, or an empty one.

        Args:
            session: its name; None for the server's own.
            numbering: says how far the session has counted.
        """
        name = session or ""
        store = self._stores.get(name)
        if store is None:
            store = self._stores[name] = SqliteStore(self, name, self._cap)
        store.numbering = numbering
        return store

    def forget(self, session: str) -> None:
        """Let go of a session that has ended."""
        del self._stores[session]
        self._ended.add(session)
        self.wake()

    # -- writing --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to write, in the event loop that runs; until then, what happens is only noted."""
        self._is_started = True
        counts = [store.counts() for store in self._stores.values()]
        total = {table: sum(each[table] for each in counts) for table in _TABLES}
        if any(total.values()):
            held = ", ".join(f"{table} {count}" for table, count in total.items())
            self._tell(f"goes on where an earlier run has ended: {held}")
        if self._ended or any(store.is_noted for store in self._stores.values()):
            self.wake()

    def wake(self) -> None:
        """Write soon."""
        if self._timer is None and self._is_started:
            self._timer = asyncio.get_running_loop().call_later(WRITTEN_EVERY_S, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self.flush():
            self._timer = asyncio.get_running_loop().call_later(TRIED_AGAIN_EVERY_S, self._ring)

    def flush(self) -> bool:
        """Write all that is noted; where that fails it stays noted. Return whether it is written."""
        noted = [store for store in self._stores.values() if store.is_noted]
        try:
            with self._connection as connection:
                connection.execute("BEGIN")
                for name in self._ended:
                    _delete_records(connection, name)
                    connection.execute("DELETE FROM sessions WHERE name = ?", (name,))
                for store in noted:
                    store.write(connection)
        except sqlite3.Error as error:
            if not self._is_failing:
                self._tell(f"cannot be written: {error}; all is kept in memory, and tried again each second")
            self._is_failing = True
            return False
        for store in noted:
            store.note_written()
        self._ended.clear()
        if self._is_failing:
            self._tell("is written again")
        self._is_failing = False
        return True

    def close(self) -> None:
        """Write what is noted for the last time, and let go of the file."""
        self._is_started = False
        if self._timer is not None:
            self._timer.cancel()
        if not self.flush():
            self._tell("could not be written to the end: what happened since is lost")
        self._connection.close()

    def _tell(self, what: str) -> None:
        if self._tell_of is not None:
            self._tell_of(f"store {self._path} {what}")

    # -- reading --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        path = os.path.realpath(self._path)
        try:
            # It holds keys: it is its owner's alone, and so is what SQLite puts beside it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            # One that exists is left to SQLite: closing it here would undo the locks of who else has it in this process.
            if not isinstance(error, FileExistsError):
                raise self._useless(f"{error.strerror}; {_NAME_ONE}") from None
        try:
            self._connection = sqlite3.connect(
                f"{Path(path).as_uri()}?mode=rw",
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
        except sqlite3.Error as error:
            raise self._useless(_what_to_do(error)) from None
        try:
            self._begin()
            self._read()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._useless(_what_to_do(error)) from None
        except ConfigError:
            self._connection.close()
            raise

    def _begin(self) -> None:
        """Make sure that the file is ours and nobody else's; only then is anything in it touched."""
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")
        execute("PRAGMA locking_mode = EXCLUSIVE")
        ((application_id,), (version,), (tables,)) = (
            execute(query).fetchone()
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        is_new = not (application_id or version or tables)
        if not is_new and application_id != APPLICATION_ID:
            raise self._useless("it is another program's database; name another file")
        if version > VERSION:
            raise self._useless(
                f"a later version of panelsms-sandbox has written it (format {version}, this one knows {VERSION}); "
                "use that version, or name another file"
            )
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute("BEGIN EXCLUSIVE")
        for statement in _SCHEMA if is_new else ():
            execute(statement)
        execute("COMMIT")

    def _read(self) -> None:
        counted = {}
        for name, *numbers in self._connection.execute("SELECT * FROM sessions ORDER BY rowid"):
            if not isinstance(name, str) or [*map(type, numbers)] != [int] * 5 or min(numbers) < 0:
                raise self._useless(_damaged("sessions", f"name = {_quoted(name)}", "its numbers are none"))
            counted[name] = numbers
        requests = self._records("requests", counted, lambda _, text: rows.request_from(text))
        messages = self._records("messages", counted, lambda _, text: rows.message_from(text))
        by_number = {
            name: {message.number: message for message in of_session} for name, of_session in messages.items()
        }
        callbacks = self._records(
            "callbacks", counted, lambda name, text: rows.callback_from(text, by_number[name].get)
        )
        for name, (*numbers, dropped) in counted.items():
            self._kept[name] = Numbering(*numbers)
            self._stores[name] = store = SqliteStore(self, name, self._cap)
            store.take_up(requests[name], messages[name], callbacks[name], dropped)

    def _records(
        self, table: str, sessions: Mapping[str, object], read: Callable[[str, object], Record]
    ) -> dict[str, list[Record]]:
        """Return the records of a table in order, by session."""
        records: dict[str, list[Record]] = {name: [] for name in sessions}
        query = f"SELECT session, number, record FROM {table} ORDER BY session, number"  # noqa: S608 - one of _TABLES
        for name, number, text in self._connection.execute(query):
            row = f"session = {_quoted(name)} AND number = {number}"
            if name not in records:
                raise self._useless(_damaged(table, row, "there is no such session"))
            try:
                record = read(name, text)
            except rows.DamagedError as error:
                raise self._useless(_damaged(table, row, str(error))) from None
            if record.number != number:
                raise self._useless(_damaged(table, row, f"it is numbered {record.number}"))
            records[name].append(record)
        return records

    def _useless(self, why: str) -> ConfigError:
        return ConfigError(f"--store sqlite:{self._path}: {why}")


def _delete_records(connection: sqlite3.Connection, session: str) -> None:
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE session = ?", (session,))  # noqa: S608 - one of _TABLES


def _damaged(table: str, row: str, why: str) -> str:
    return f"{table} WHERE {row} is damaged: {excerpt(why, 200)}; delete that row, or name another file"


def _quoted(name: object) -> str:
    return f"'{excerpt(str(name))}'"


def _what_to_do(error: sqlite3.Error) -> str:
    code = error.sqlite_errorcode & 0xFF  # what is above says in which of many ways
    if code == sqlite3.SQLITE_BUSY:
        return "another server, or another program, is using it; stop that one, or name another file"
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return f"{error}; {_NAME_ONE}"
    return f"{error}; name another file, or one that does not exist yet"


_NAME_ONE: Final = "name a file that can be written, in a folder that exists"
