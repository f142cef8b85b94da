"""The open file: a connection that writes, one that reads, and whether the files are still those that they opened.

A second copy of SQLite in the process, or a mere `open()` and `close()` of the database, drops the locks of this one;
then whoever closes the file last removes the log and its index, `-wal` and `-shm`, under it, and what is written
afterwards goes where nobody finds it. People also remove and replace files. So before each use the three files are
compared with those that were opened, and after each write again; where they differ, the file is opened anew, and the
caller goes on from the position that stands in it (`store.api`, incarnation).

Letting go of replaced files must not change what has taken their place: SQLite would move the forgotten log into the
database, over what others have written, when the last connection is closed. It does not where that connection may only
read; therefore the reader may only read, and is closed last. In the ordinary case the writer is.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tracehound.errors import StoreBusyError, StoreError, StoreReadOnlyError
from tracehound.store.sqlite.connection import (
    FROZEN,
    LOG_BYTES,
    READING,
    WRITER_TIMEOUT_S,
    migrate,
    newest_schema,
    open_connection,
    schema_version,
)
from tracehound.store.sqlite.faults import DISK_FAULT, store_errors
from tracehound.store.sqlite.files import INDEX, LOG, Files, look_at, remove, sync

# Readers that come and go can keep the log from starting over: one this long is emptied, waiting for them.
LONG_LOG_BYTES: Final = 80_000_000
_EMPTY_EVERY_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 1.0

_logger = logging.getLogger("tracehound.store")


class OpenedFile:
    """The connections of a store. A search never waits for a batch, except where the files have been replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        self._is_closed = False
        self._is_lent = False  # the connection that reads, to who has the lock
        self._pair: _Pair | None = _Pair(path)
        self._incarnation = 0
        self._empty_at_s = 0.0
        self._has_holes = False  # the log: the disk has refused some of it, and may not say so again

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection that writes, to this thread alone."""
        with self._write_lock, store_errors(self._path):
            pair = self._current()
            if pair.writer is None:
                raise StoreReadOnlyError(f"{self._path} cannot be written, its folder is read-only")
            try:
                if self._has_holes and not pair.writer.in_transaction:
                    self._empty_log(pair.writer)
                yield pair.writer
                if not pair.writer.in_transaction:
                    self._shorten_log(pair.writer)
            except sqlite3.OperationalError as error:
                if DISK_FAULT in str(error):  # which may be that of a sync, and then `sync_log` is not told any more
                    self._note_holes()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection that reads, to this thread alone."""
        self._current()  # before the lock: a thread that opens anew takes both, the other one first
        with self._read_lock, store_errors(self._path):
            if self._pair is None:
                raise StoreBusyError(f"{self._path} is just being opened anew")
            before = self._is_lent
            try:
                self._is_lent = True
                yield self._pair.reader
            finally:
                self._is_lent = before

    @contextmanager
    def reading_beside(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection of one's own, for what takes so long that searches should not wait for it."""
        with store_errors(self._path), closing(open_connection(self._path, self.access())) as connection:
            yield connection

    def incarnation(self) -> int:
        """Return how often the file has been opened anew because others replaced or removed files of it."""
        self._current()
        return self._incarnation

    def access(self) -> str:
        """Return how another connection can be opened that only reads."""
        return FROZEN if self._current().writer is None else READING

    def open_anew(self) -> None:
        """Let go of both connections, of which one has files that nobody else sees; the next use opens others."""
        with self._write_lock, self._read_lock:
            self._refuse_in_midst()
            pair, self._pair = self._pair, None
            self._incarnation += 1
            if pair is not None:
                pair.abandon()

    def is_in_place(self) -> bool:
        """Whether the files at the path are those that are open: what was written until now can be found."""
        pair = self._pair
        return pair is not None and pair.is_in_place()

    def sync_log(self, incarnation: int) -> None:
        """Return when the disk has what was written in that incarnation; raise `StoreBusyError` where it is over.

        No lock is held meanwhile. What has been moved from the log into the database was synced by that.

        A system that could not write something may say so once, and of the same bytes then that all is well. Where the
        disk has refused, nothing that is in the log by now is called safe any more, and nothing is written behind it.
        """
        try:
            sync(self._path, LOG)
        except OSError as error:
            self._note_holes()
            raise StoreError(f"the disk does not take what was written to {self._path}: {error.strerror}") from error
        if not self.is_in_place() or self._incarnation != incarnation:
            raise StoreBusyError(f"{self._path} was removed or replaced while it was written to")

    def close(self) -> None:
        """Release the files. A thread that is at work is waited for a moment; then they stay until the process ends."""
        if not self._write_lock.acquire(timeout=_CLOSE_TIMEOUT_S):
            return
        try:
            if self._read_lock.acquire(timeout=_CLOSE_TIMEOUT_S):
                try:
                    self._is_closed = True
                    self._let_go()
                finally:
                    self._read_lock.release()
        finally:
            self._write_lock.release()

    def _current(self) -> _Pair:
        """Return the connections, opened anew where the files at the path are others."""
        pair = self._pair  # once: another thread may be opening anew
        if pair is not None and (pair.is_in_place() or pair.is_at_work()):
            return pair  # at work: this is a signal handler, inside of a batch, which looks when it is done
        with self._write_lock, self._read_lock:
            if self._is_closed:
                raise StoreError(f"the store {self._path} was closed")
            if self._pair is not None and not self._pair.is_in_place():
                self._refuse_in_midst()
                _logger.warning(
                    "%s or a file beside it was removed or replaced while it was in use: it is opened anew, and what"
                    " waits in the spool goes into it (another copy of SQLite in this program does that too)",
                    self._path,
                )
                self._let_go()
                self._incarnation += 1
            if self._pair is None:
                refuse_removed_files(self._path)
                pair = _Pair(self._path)
                if holds_removed_files(self._path):  # others removed the log between the two connections
                    pair.abandon()
                    refuse_removed_files(self._path)
                    pair = _Pair(self._path)
                self._pair = pair
            return self._pair

    def _refuse_in_midst(self) -> None:
        """Raise where this thread, which has both locks, is a signal handler inside of a search: that one goes on."""
        if self._is_lent:
            raise StoreBusyError(f"this thread is in the midst of reading {self._path}")

    def _let_go(self) -> None:
        pair, self._pair = self._pair, None
        if pair is not None:
            pair.close()

    def _note_holes(self) -> None:
        """Note that the disk may lack some of the log: what is in it by now is not called safe."""
        with self._write_lock:  # a batch under way ends in the incarnation that it began in
            self._incarnation += 1
            self._has_holes = True

    def _empty_log(self, writer: sqlite3.Connection) -> None:
        """Have all that the log holds in the database, and on the disk, and the log begin anew; raise where it cannot.

        After a loss of power SQLite reads a log up to the first hole: what came behind one would be gone.
        """
        (is_busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise StoreBusyError(f"the disk did not take all of {self._path}-wal, and a program reads from it still")
        self._has_holes = False

    def _shorten_log(self, writer: sqlite3.Connection) -> None:
        """Move what the log holds into the database when it is long: a log that is not in place is left alone."""
        pair = self._pair
        now = pair.look() if pair is not None else None
        if pair is None or now != pair.files or now.log_bytes <= LOG_BYTES:
            return
        if now.log_bytes <= LONG_LOG_BYTES or time.monotonic() < self._empty_at_s:
            writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return
        (is_busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            self._empty_at_s = time.monotonic() + _EMPTY_EVERY_S
            _logger.warning(
                "%s-wal has grown to %d MB: another program reads %s for long; close what it reads with",
                self._path, now.log_bytes // 1_000_000, self._path,
            )  # fmt: skip


class _Pair:
    """Two connections, and the files that stood at the path when they were opened."""

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))  # as SQLite does it: the log lies beside the file, not beside a link
        self._given = path
        self.writer: sqlite3.Connection | None = None
        try:
            self._open_both()
        except StoreError:
            self._close_writer()
            if not self._can_be_frozen():
                raise
            self.reader = open_connection(path, FROZEN)
            self._refuse_other_schema()
        self._is_frozen = self.writer is None
        self.files = self.look()

    def look(self) -> Files:
        """Return what stands at the path now."""
        return look_at(self._given, self._path, is_frozen=self._is_frozen)

    def is_in_place(self) -> bool:
        """Whether the files are still those that were opened."""
        return self.look() == self.files

    def is_at_work(self) -> bool:
        """Whether a batch is under way."""
        return self.writer is not None and self.writer.in_transaction

    def close(self) -> None:
        """Close both; nothing that has taken the place of the files is changed."""
        now = self.look()
        if now == self.files:
            self.reader.close()
            self._close_writer()
            return
        log_is_ours = (now.log, now.index) == (self.files.log, self.files.index)
        if log_is_ours and self.writer is not None:
            _move_log(self.writer)  # into the database that was moved away
        self._close_writer()
        self.reader.close()
        if now.database != self.files.database or now.log != self.files.log:
            # They belong to what is gone; SQLite would take them for those of what has come.
            remove(self._path, LOG, self.files.log)
            remove(self._path, INDEX, self.files.index)

    def abandon(self) -> None:
        """Close both, the one that writes first: while the other is open it leaves the database as it is."""
        self._close_writer()
        self.reader.close()

    def _open_both(self) -> None:
        self.writer = open_connection(self._given)
        migrate(self.writer, self._given)
        self.writer.execute(f"PRAGMA busy_timeout = {int(WRITER_TIMEOUT_S * 1000)}")
        self.reader = open_connection(self._given, READING)

    def _close_writer(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _can_be_frozen(self) -> bool:
        """Whether the file can be read though nothing can be written beside it: all of it has to be in the file."""
        folder_is_writable = os.access(self._path.parent, os.W_OK)
        log_bytes = look_at(self._given, self._path, is_frozen=True).log_bytes
        return not folder_is_writable and os.access(self._path, os.R_OK) and log_bytes == 0

    def _refuse_other_schema(self) -> None:
        version, ours = schema_version(self.reader), newest_schema()
        if version != ours:
            self.reader.close()
            raise StoreReadOnlyError(
                f"{self._given} has schema {version}, this program needs {ours}, and its folder is read-only:"
                " copy the file to where it can be written"
            )


def _move_log(writer: sqlite3.Connection) -> None:
    """Move the log into the database, as far as that can be done."""
    try:
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        _logger.warning("what was written last is not in the database that was moved away: %s", type(error).__name__)


def refuse_removed_files(path: Path) -> None:
    """Raise where another connection of this process holds files beside the database that were removed.

    SQLite shares them among all connections of a process, those to come included. Only Linux tells.
    """
    if holds_removed_files(path):
        raise StoreError(
            f"files beside {path} were removed while this program used them, and a connection of its own still holds"
            " them: close it. What was finished since waits in the spool"
        )


def holds_removed_files(path: Path) -> bool:
    """Whether this process holds files beside the database that were removed, as far as the system tells."""
    if sys.platform != "linux":
        return False
    removed = {f"{os.path.realpath(path)}{suffix} (deleted)" for suffix in (LOG, INDEX)}
    try:
        return any(_link(entry) in removed for entry in Path("/proc/self/fd").iterdir())
    except OSError:
        return False


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
