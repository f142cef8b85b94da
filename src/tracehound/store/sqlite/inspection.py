"""What can be said of the file of a store, in whatever state. Nothing here changes it, or needs it to be whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tracehound.errors import StoreError
from tracehound.model.edit import lay_over
from tracehound.model.merge import merge_parts
from tracehound.model.trace import TracePart
from tracehound.query.sqlite import ROW
from tracehound.store.sqlite.batch import to_part
from tracehound.store.sqlite.changes import read_edits
from tracehound.store.sqlite.connection import FROZEN, OLDEST_SQLITE, READING, open_connection, read_migrations
from tracehound.store.sqlite.faults import damaged_rows, store_errors
from tracehound.store.sqlite.files import INDEX, LOG, look_at
from tracehound.store.sqlite.postings import entries_of
from tracehound.store.sqlite.rows import to_info, to_row
from tracehound.store.sqlite.text import without_words

EXACT_UP_TO: Final = 100_000
_MAX_FINDINGS: Final = 20
_STEPS: Final = 100_000  # of SQLite's machine between two looks for Ctrl-C

# Called with how many traces are checked, and how many there are to check.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Count:
    """How many rows a table has; of a large one about, or at least, so many."""

    table: str
    number: int
    is_exact: bool


@dataclass(frozen=True)
class FileFacts:
    """What the file says of itself; what it could not be asked for is None or missing, and is among the faults."""

    exists: bool
    bytes: int = 0
    log_bytes: int = 0
    index_bytes: int = 0
    free_bytes: int | None = None
    disk_free_bytes: int | None = None
    schema: int | None = None
    newest_schema: int = 0
    counts: list[Count] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    running_owners: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def sqlite_facts() -> tuple[str, str]:
    """Return the version of SQLite, and the oldest that will do."""
    return sqlite3.sqlite_version, ".".join(map(str, OLDEST_SQLITE))


def read_facts(path: Path) -> FileFacts:
    """Return what the file says of itself."""
    newest = len(read_migrations())
    if not path.is_file():
        wrong = [f"{path} is a folder; name a file"] if path.is_dir() else []
        return FileFacts(exists=False, newest_schema=newest, faults=wrong)
    faults: list[str] = []
    facts = FileFacts(
        exists=True,
        bytes=_size(path, ""),
        log_bytes=_size(path, LOG),
        index_bytes=_size(path, INDEX),
        disk_free_bytes=_room(path),
        newest_schema=newest,
        faults=faults,
    )
    if facts.bytes == facts.log_bytes == 0:  # SQLite has made it, and nothing was written: the disk may have been full
        return replace(facts, schema=0)
    try:
        with _looking(path) as connection:
            return _ask(facts, _Questions(connection, path, faults))
    except StoreError as error:
        faults.append(str(error))
        return facts


def _ask(facts: FileFacts, asked: _Questions) -> FileFacts:
    free, page = asked.number("PRAGMA freelist_count"), asked.number("PRAGMA page_size")
    running = "SELECT DISTINCT owner FROM part WHERE owner IS NOT NULL AND NOT has_ended ORDER BY owner"
    return replace(
        facts,
        free_bytes=None if free is None or page is None else free * page,
        schema=asked.number("PRAGMA user_version"),
        counts=[count for table in ("trace", "part", "posting", "experiment") for count in asked.count(table)],
        positions=dict(asked.rows("SELECT name, position FROM segment")),
        running_owners=[owner for (owner,) in asked.rows(running)],
    )


def check_pages(path: Path, *, is_full: bool) -> list[str]:
    """Return what SQLite finds wrong with the pages of the file: quickly, or with every index entry compared.

    Can be interrupted by Ctrl-C.
    """
    return _settled(path, lambda: _check_pages(path, "integrity_check" if is_full else "quick_check"))


def check_traces(path: Path, sample: int | None, tell: Progress) -> list[str]:
    """Compare traces with what was stored of them: all, or some that are spread over the file; return what differs.

    A row has to be what its parts say together, with the entries of the index that follow from it.
    """
    return _settled(path, lambda: _check_traces(path, sample, tell))


def _settled(path: Path, check: Callable[[], list[str]]) -> list[str]:
    """Return what a check finds. A file that was read without locks may have been written meanwhile: check again."""
    real = Path(os.path.realpath(path))
    before = look_at(path, real, is_frozen=True)
    found = check()
    return check() if found and look_at(path, real, is_frozen=True) != before else found


def _check_pages(path: Path, pragma: str) -> list[str]:
    try:
        with _looking(path) as connection:
            connection.set_progress_handler(lambda: 0, _STEPS)  # a Python function, inside of which Ctrl-C is noticed
            found = [str(text) for (text,) in connection.execute(f"PRAGMA {pragma}({_MAX_FINDINGS})")]
    except StoreError as error:
        if "interrupted" in str(error.__cause__):
            raise KeyboardInterrupt from error
        return [str(error)]
    if found == ["ok"]:
        return []
    return [line for text in found for line in text.splitlines() if "in database" not in line]


def _check_traces(path: Path, sample: int | None, tell: Progress) -> list[str]:
    findings: list[str] = []
    try:
        with _looking(path) as connection:
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM trace").fetchone()
            total = last if sample is None else min(last, sample)
            step = max(1, last // max(1, total))
            checked = 0
            seq: int | None = 0
            while seq is not None and len(findings) < _MAX_FINDINGS:
                connection.execute("BEGIN")  # a trace may be changed between the reads of its rows
                found, seq = _check_next(connection, path, seq, step)
                connection.execute("COMMIT")
                findings += found
                checked += 1
                tell(min(checked, total), total)
            if sample is None:
                findings += _check_strays(connection)
    except StoreError as error:
        findings.append(str(error))
    return findings


def _check_next(connection: sqlite3.Connection, path: Path, seq: int, step: int) -> tuple[list[str], int | None]:
    """Check the first trace from a number on; return what is wrong with it, and where to go on."""
    text = f"SELECT t.seq, {ROW} FROM trace AS t WHERE t.seq >= ? ORDER BY t.seq LIMIT 1"
    row = connection.execute(text, (seq,)).fetchone()
    return ([], None) if row is None else (list(_check_trace(connection, path, row)), row[0] + step)


def _check_trace(connection: sqlite3.Connection, path: Path, row: tuple[object, ...]) -> Iterator[str]:
    seq, trace_id = row[0], row[1]
    payloads = connection.execute("SELECT payload, has_ended FROM part WHERE trace = ?", (seq,)).fetchall()
    if not payloads:
        yield f"trace {trace_id}: nothing that it is made of is there"
        return
    try:
        with damaged_rows(path):
            parts: list[TracePart] = [to_part(payload, has_ended) for payload, has_ended in payloads]
            edits = read_edits(connection, [str(trace_id)]).get(str(trace_id), [])
            trace = lay_over(merge_parts(parts), edits)
            stored, merged = to_info(row[1:]), trace.info
            wanted = to_row(merged, trace.data.spans)
    except StoreError:
        yield f"trace {trace_id}: what is stored of it cannot be read"
        return
    if to_row(stored, trace.data.spans) != wanted:
        yield f"trace {trace_id}: its row is not what its parts and edits say"
    entries = entries_of(merged, trace.data.spans, int(str(seq)))
    keys = [entries.posting(term) for term in entries.masks]
    text = "SELECT count(*) FROM posting WHERE term = ? AND experiment = ? AND start_ms = ? AND trace = ? AND mask = ?"
    missing = sum(connection.execute(text, key).fetchone()[0] == 0 for key in keys)
    if missing:
        yield f"trace {trace_id}: {missing} of its {len(keys)} entries of the index are missing"
    text = "SELECT count(*) FROM term WHERE kind = ? AND key = ? AND number = ? AND value IS ?"
    unknown = sum(connection.execute(text, row).fetchone()[0] == 0 for row in entries.masks)
    if unknown:
        yield f"trace {trace_id}: of {unknown} of its terms it is not known what they stand for"


def _check_strays(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what belongs to no trace."""
    for table, what in (("part", "parts"), ("posting", "entries of the index")):
        (count,) = connection.execute(
            f"SELECT count(*) FROM {table} AS s WHERE NOT EXISTS (SELECT 1 FROM trace AS t WHERE t.seq = s.trace)"
        ).fetchone()
        if count:
            yield f"{count} {what} belong to no trace"
    unused = "SELECT count(*) FROM term AS s WHERE NOT EXISTS (SELECT 1 FROM posting AS p WHERE p.term = s.number)"
    (count,) = connection.execute(unused).fetchone()
    if count:
        yield f"{count} terms stand for values that no trace has"
    (count,) = connection.execute(_MISCOUNTED).fetchone()
    if count:
        yield f"of {count} experiments the statistics of hours do not count the traces that there are"
    count = without_words(connection)
    if count:
        yield f"{count} traces are not in the index of texts"


# Experiments whose hours have other counts than their traces.
_MISCOUNTED: Final = (
    "SELECT count(*) FROM (SELECT experiment, sum(json_extract(sums, '$[0]')) AS counted FROM hour GROUP BY experiment)"
    " AS h WHERE counted != (SELECT count(*) FROM trace AS t WHERE t.experiment = h.experiment)"
)


@contextmanager
def _looking(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a connection that changes nothing, not even beside the file: without a log there is no need for locks."""
    access = READING if _size(path, LOG) else FROZEN
    with store_errors(path), closing(open_connection(path, access)) as connection:
        yield connection


class _Questions:
    """Questions to a file of which some may fail: each fault is told once."""

    def __init__(self, connection: sqlite3.Connection, path: Path, faults: list[str]) -> None:
        self._connection = connection
        self._path = path
        self._faults = faults

    def rows(self, text: str) -> list[tuple]:  # type: ignore[type-arg] # what the statement selects
        """Return all rows of a statement; none where that fails."""
        try:
            with store_errors(self._path):
                return self._connection.execute(text).fetchall()
        except StoreError as error:
            if str(error) not in self._faults:
                self._faults.append(str(error))
            return []

    def number(self, text: str) -> int | None:
        """Return the one number that a statement selects."""
        return next((int(row[0]) for row in self.rows(text)), None)

    def count(self, table: str) -> list[Count]:
        """Return how many rows a table has, exactly where it is small."""
        number = self.number(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {EXACT_UP_TO + 1})")
        if number is None:
            return []
        if number <= EXACT_UP_TO:
            return [Count(table, number, is_exact=True)]
        about = None if table == "posting" else self.number(f"SELECT max(rowid) FROM {table}")
        return [Count(table, about or number, is_exact=False)]


def _room(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None


def _size(path: Path, suffix: str) -> int:
    try:
        return os.stat(f"{path}{suffix}").st_size  # noqa: PTH116 - a suffix is no name
    except OSError:
        return 0
