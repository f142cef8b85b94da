"""Opening the file: connections, the schema, and SQLite's faults told as ours.

The standard library's `sqlite3` and no other copy of SQLite: a second one in the same process removes the WAL under
the first. For the same reason nothing here calls `open()` on the database: closing that file would drop its locks.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final

from tracehound.errors import StoreBusyError, StoreError
from tracehound.model.record import from_json
from tracehound.query.numbers import number_in
from tracehound.query.patterns import matches_pattern
from tracehound.query.sql import MATCHES, NUMBER_IN, VALUE
from tracehound.store.sqlite.batch import index_again

OLDEST_SQLITE: Final = (3, 34, 0)
APPLICATION_ID: Final = 0x54524348  # "TRCH"
BUSY_TIMEOUT_S: Final = 30.0
# A writer that cannot begin tells its caller soon, who looks whether the other one has done its work.
WRITER_TIMEOUT_S: Final = 1.0


def open_connection(path: Path) -> sqlite3.Connection:
    """Return a connection in autocommit mode, ready for the store's statements."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {oldest} or newer is needed; this Python has {sqlite3.sqlite_version}")
    with store_errors(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            _refuse_foreign(connection, path)
            if connection.execute("PRAGMA page_count").fetchone() == (0,):
                # What deletions leave free can then be given back in small steps (`docs/adr/0010`). Only a file without
                # a page takes it; any other would be locked for it.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file, not only hidden
            for name, arguments, function in _FUNCTIONS:
                connection.create_function(name, arguments, function, deterministic=True)
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema of the file up to date; refuse a file that is not ours or is newer than this program."""
    migrations = _read_migrations()
    with store_errors(path):
        if _schema_version(connection) == len(migrations):
            return
        with transaction(connection):
            version = _schema_version(connection)
            if version > len(migrations):
                raise StoreError(f"{path} was written by a newer Tracehound (schema {version}); upgrade this one")
            for name, script in migrations[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
                if name.endswith("_reindex.sql"):
                    index_again(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one transaction that holds the writer lock from its beginning.

    Raise `StoreBusyError` inside of another one: a signal handler has come in between, and must not end it.
    """
    if connection.in_transaction:
        raise StoreBusyError("this thread is in the midst of writing to the store")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself may have rolled back
            connection.execute("ROLLBACK")
        raise


def release_pages(connection: sqlite3.Connection, max_bytes: int) -> int:
    """Shorten the file by free pages, at most so many bytes; return how many bytes it became shorter.

    Zero also for a file that was not made for it.
    """
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    (before,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA incremental_vacuum({max(1, max_bytes // page_bytes)})").fetchall()
    (after,) = connection.execute("PRAGMA page_count").fetchone()
    return int((before - after) * page_bytes)


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Tell SQLite's errors as `StoreError`s that name the file; those about single rows are for the caller."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError):
        raise
    except sqlite3.Error as error:
        if "database is locked" in str(error):
            raise StoreBusyError(f"another process keeps {path} locked") from error
        told = next((message for text, message in _MESSAGES.items() if text in str(error)), f"{{path}}: {error}")
        raise StoreError(told.format(path=path)) from error


# SQLite's own texts, which have been the same for as long as it has error codes; Python 3.10 does not tell the code.
_MESSAGES: Final = {
    "file is not a database": "{path} is not a database of Tracehound; name another file",
    "unable to open database file": "{path} cannot be opened: the folder is missing or not writable",
    "attempt to write a readonly database": "{path} is read-only",
    "database or disk is full": "the disk is full: {path} cannot grow",
    "database disk image is malformed": "{path} is damaged",
}


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise for a database of another program, before anything in it is changed."""
    # In this order: another process may make a new store ours between the two.
    has_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if has_tables and application != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; name another file")


def _value(text: str, key: str) -> str | None:
    """Return the value of a key of tags or metadata, NUL and all: SQLite's own JSON functions end at a NUL."""
    found: str | None = _values(text).get(key)
    return found


# The conditions and the order of one statement ask for several keys of a row.
_values: Final[Callable[[str], dict[str, str]]] = functools.lru_cache(maxsize=8)(from_json)


# The functions that the SQL of `query.sqlite` calls.
_FUNCTIONS: Final = ((NUMBER_IN, 1, number_in), (VALUE, 2, _value), (MATCHES, 3, matches_pattern))


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _read_migrations() -> list[tuple[str, str]]:
    """Return the scripts of the schema with their names, oldest first."""
    folder = resources.files("tracehound.store.sqlite") / "migrations"
    scripts = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [(entry.name, entry.read_text(encoding="utf-8")) for entry in sorted(scripts, key=lambda entry: entry.name)]


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would commit the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
