"""Opening the file: connections, transactions and the schema.

The standard library's `sqlite3` and no other copy of SQLite: a second one in the same process removes the WAL under
the first. For the same reason nothing here calls `open()` on the database: closing that file would drop its locks.
"""

from __future__ import annotations

import functools
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tracehound.errors import StoreBusyError, StoreError
from tracehound.query.sql import HAS_SPANS
from tracehound.store.sqlite.batch import index_again
from tracehound.store.sqlite.faults import noting_faults, store_errors
from tracehound.store.sqlite.functions import FUNCTIONS, HasSpans

_logger = logging.getLogger("tracehound.store")

OLDEST_SQLITE: Final = (3, 34, 0)
APPLICATION_ID: Final = 0x54524348  # "TRCH"
BUSY_TIMEOUT_S: Final = 30.0
# A writer that cannot begin tells its caller soon, who looks whether the other one has done its work.
WRITER_TIMEOUT_S: Final = 1.0
# The log is moved into the database when it is larger than this, and its file is cut back to it. Batches change many of
# the same pages: the longer it is, the fewer are moved (ADR 0046).
LOG_BYTES: Final = 40_000_000
CACHE_KIB: Final = 16_384
# A prepared statement takes 17 KB, and each filter has its own: of 400 filters 256 statements held 4.3 MB a connection,
# 32 hold 0.5, and with either a search takes the same time.
KEPT_STATEMENTS: Final = 32
# Who writes has the same statements again and again, for each table one of each power of two of rows: with 32 a server
# that takes much in writes a sixth slower.
WRITERS_STATEMENTS: Final = 128
PAGE_BYTES: Final = 8_192  # of the rows of most traces one does not fit into half a page of SQLite's own size

# Of files this large it is told that they are brought up to date, and again every few seconds.
_LARGE_MB: Final = 200
_TOLD_EVERY_S: Final = 10.0
_STEPS: Final = 1_000_000  # of SQLite's machine between two looks at the clock

_MLFLOW_TABLES: Final = frozenset({"alembic_version", "experiments", "runs"})

# How a file may be used. What only reads is opened as such for a reason of its own (`opened`).
WRITING: Final = "mode=rwc"
READING: Final = "mode=ro"
FROZEN: Final = "mode=ro&immutable=1"  # with no log, no locks and no side files: nobody else may write meanwhile


def open_connection(path: Path, access: str = WRITING) -> sqlite3.Connection:
    """Return a connection in autocommit mode, ready for the store's statements; `access` is one of the three above."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {oldest} or newer is needed; this Python has {sqlite3.sqlite_version}")
    with store_errors(path):
        connection = connect(path, access)
        try:
            _refuse_foreign(connection, path)
            if access == WRITING:
                _prepare_writing(connection, path)
            for name, arguments, function in FUNCTIONS:
                connection.create_function(name, arguments, noting_faults(function), deterministic=True)
            connection.create_aggregate(HAS_SPANS, 3, HasSpans)  # type: ignore[arg-type] # typeshed's steps take one value
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
    return connection


def connect(path: Path, access: str) -> sqlite3.Connection:
    """Return a bare connection."""
    # SQLite takes %XX in a URI as bytes, so that a name of any bytes survives.
    name = path.as_posix() if path.as_posix().startswith("/") else f"/{path.as_posix()}"
    uri = f"file:{quote(os.fsencode(name))}?{access}"
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=WRITERS_STATEMENTS if access == WRITING else KEPT_STATEMENTS,
    )


def _prepare_writing(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        # What deletions leave free can then be given back in small steps (`docs/adr/0010`). Only a file without a page
        # takes it; any other would be locked for it.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"{path} lies on a file system without shared memory, which SQLite needs; name a local path")
    connection.execute("PRAGMA synchronous = FULL")
    # What a batch changes has room in it: SQLite would write pages that do not, and read them again, in its midst.
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file, not only hidden
    # Moving the log into the database is done by `opened`, which looks first whether the log is still the one in place.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema of the file up to date; refuse a file that is not ours or is newer than this program."""
    migrations = read_migrations()
    with store_errors(path):
        if schema_version(connection) == len(migrations):
            return
        with _telling(connection, path), transaction(connection, of_any_schema=True):
            version = schema_version(connection)
            if version > len(migrations):
                raise StoreError(f"{path} was written by a newer Tracehound (schema {version}); upgrade this one")
            for _, script in migrations[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            # At the end: that is done by the program as it is, which knows the newest schema alone.
            if any(name.endswith("_reindex.sql") for name, _ in migrations[version:]):
                index_again(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def _telling(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Say what goes on while a large file is brought up to date, for that takes a while and others wait."""
    (pages,), (page_bytes,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    size_mb = pages * page_bytes // 1_000_000
    if size_mb < _LARGE_MB:
        yield
        return
    begun = next_s = time.monotonic()

    def tell() -> None:
        nonlocal next_s
        now = time.monotonic()
        if now >= next_s:
            next_s = now + _TOLD_EVERY_S
            _logger.warning("%s (%d MB) is brought up to date, once: %.0f s by now", path, size_mb, now - begun)

    connection.set_progress_handler(tell, _STEPS)
    try:
        tell()
        yield
    finally:
        connection.set_progress_handler(None, 0)
    _logger.warning("%s is up to date, after %.0f s", path, time.monotonic() - begun)


@contextmanager
def transaction(connection: sqlite3.Connection, *, of_any_schema: bool = False) -> Iterator[None]:
    """Run the block in one transaction that holds the writer lock from its beginning.

    Raise `StoreBusyError` inside of another one: a signal handler has come in between, and must not end it; and
    `StoreError` where a newer program has changed the schema since the file was opened.
    """
    if connection.in_transaction:
        raise StoreBusyError("this thread is in the midst of writing to the store")
    try:
        connection.execute("BEGIN IMMEDIATE")  # in here: Ctrl-C while it waits is raised when it has begun
        if not of_any_schema:
            _refuse_other_schema(connection)
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself may have rolled back
            connection.execute("ROLLBACK")
        raise


@contextmanager
def unsynced(connection: sqlite3.Connection) -> Iterator[None]:
    """Have transactions of the block end before the disk has them: whoever writes has the log synced (`opened`).

    Where the power fails before, those are lost, and no others: SQLite takes of a log what is whole, from its begin on.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        connection.execute("PRAGMA synchronous = FULL")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all reads of the block see one moment: what was asked to choose a path has to be true when it is taken."""
    if connection.in_transaction:  # a signal handler, inside of another search
        yield
        return
    try:
        connection.execute("BEGIN")  # in here, as above
        _refuse_other_schema(connection)
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")  # nothing was written; where a page was damaged, COMMIT fails once more


def release_pages(connection: sqlite3.Connection, max_bytes: int) -> int:
    """Shorten the file by free pages, at most so many bytes; return how many bytes it became shorter.

    Zero also for a file that was not made for it.
    """
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    (before,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA incremental_vacuum({max(1, max_bytes // page_bytes)})").fetchall()
    (after,) = connection.execute("PRAGMA page_count").fetchone()
    return int((before - after) * page_bytes)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise for a database of another program, before anything in it is changed."""
    # In this order: another process may make a new store ours between the two.
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if tables and application != APPLICATION_ID:
        owner = "MLflow" if tables >= _MLFLOW_TABLES else "another program"
        raise StoreError(f"{path} is a database of {owner}; name another file")


def schema_version(connection: sqlite3.Connection) -> int:
    """Return how many of the migrations the file has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_other_schema(connection: sqlite3.Connection) -> None:
    """Raise where the rows are not any more what this program would write, or takes them for."""
    if schema_version(connection) != newest_schema():
        raise StoreError("the store was brought up to date by a newer Tracehound while it was open: start this anew")


@functools.cache
def newest_schema() -> int:
    """Return how many migrations this program knows."""
    return len(read_migrations())


def read_migrations() -> list[tuple[str, str]]:
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
