"""The store in one SQLite file. What it must do stands in `store.api`, what its tables mean in the migrations."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tracehound.model.edit import Change
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace, to_json
from tracehound.model.trace import Experiment, Trace, TraceData, TraceInfo
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.sql import Sql
from tracehound.query.sqlite import ROW
from tracehound.query.statistics import Groups, StatisticsQuery
from tracehound.store.api import Arrival, Changes, Page, Prepared, Rows, SegmentRange, SqlParameters, Writable
from tracehound.store.explain import Explanation, with_reason
from tracehound.store.sqlite.batch import merge_ended, to_part
from tracehound.store.sqlite.changes import HAS_OLDER, forget_before, read_edits, write_changes
from tracehound.store.sqlite.connection import release_pages, snapshot, transaction, unsynced
from tracehound.store.sqlite.copying import read_changes
from tracehound.store.sqlite.explain import explain
from tracehound.store.sqlite.faults import damaged_rows
from tracehound.store.sqlite.finding import find_one_more
from tracehound.store.sqlite.inserting import Row
from tracehound.store.sqlite.limits import Progress, watch, within
from tracehound.store.sqlite.moment import MANY_TRACES, helpers
from tracehound.store.sqlite.opened import OpenedFile
from tracehound.store.sqlite.precedence import Precedence
from tracehound.store.sqlite.preparing import read_ready
from tracehound.store.sqlite.rows import to_info
from tracehound.store.sqlite.spans import PayloadSpans
from tracehound.store.sqlite.sql import run_sql
from tracehound.store.sqlite.statistics import read_statistics

_EXPERIMENTS: Final = (
    "SELECT e.id, e.name FROM experiment AS e"
    " WHERE EXISTS (SELECT 1 FROM trace AS t WHERE t.experiment = e.id) ORDER BY e.name"
)
# The parts of the traces in some rows; and those of some traces, each with the row of its trace.
_PARTS: Final = (
    "SELECT p.trace, p.payload, p.has_ended FROM json_each(?) AS wanted CROSS JOIN part AS p ON p.trace = wanted.value"
)
_WHOLE: Final = (
    f"SELECT p.payload, p.has_ended, {ROW} FROM json_each(?) AS wanted"  # noqa: S608 - only our own columns are put in
    " CROSS JOIN trace AS t ON t.trace_id = wanted.value CROSS JOIN part AS p ON p.trace = t.seq"
)


class SqliteStore:
    """Traces in a file. One connection writes and one reads, so that a search never waits for a batch."""

    preparer: Final = "tracehound.store.sqlite.preparing:prepare"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = OpenedFile(path)
        self._precedence = Precedence()

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        while True:
            is_applied = self._write(changes, source)
            if source is not None and not is_applied and self.position(source.segment) == source.start:
                self._file.open_anew()  # the connection that writes is ahead of all that can be read: its log is gone
            elif self._file.is_in_place():  # else what was written is where nobody finds it
                return is_applied

    def write_prepared(self, changes: Sequence[Writable]) -> int:
        """Apply a batch of changes, and of parts that were prepared; return what `sync` wants."""
        prepared = [read_ready(each.data) for each in changes if isinstance(each, Prepared)]
        others = [each for each in changes if not isinstance(each, Prepared)]
        while True:
            with self._file.writing() as connection, unsynced(connection), transaction(connection):
                write_changes(connection, others, prepared)
                incarnation = self._file.incarnation()
            if self._file.is_in_place():
                return incarnation

    def sync(self, incarnation: int) -> None:
        """Return when all that was written is safe; raise `StoreBusyError` where the file is not that one any more."""
        self._file.sync_log(incarnation)

    def _write(self, changes: Sequence[Change], source: SegmentRange | None) -> bool:
        with self._file.writing() as connection, transaction(connection):
            if source is not None:
                if _position(connection, source.segment) != source.start:
                    return False
                connection.execute(
                    "INSERT INTO segment (name, position) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                    (source.segment, source.end),
                )
            write_changes(connection, changes)
        return True

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        with self._file.reading() as connection:
            return _position(connection, segment)

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        return [name for (name,) in self._read(Sql("SELECT name FROM segment"))]

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM segment WHERE name = ?", (segment,))

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        rows = self._read(Sql("SELECT DISTINCT owner FROM part WHERE owner IS NOT NULL AND NOT has_ended"))
        return sorted(owner for (owner,) in rows)

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        text = (
            "SELECT DISTINCT t.trace_id FROM part AS p CROSS JOIN trace AS t ON t.seq = p.trace"
            " WHERE p.owner = ? AND NOT p.has_ended"
        )
        if not self._read(Sql(text, (owner,))):
            return
        with self._file.writing() as connection, transaction(connection):
            ended = [trace_id for (trace_id,) in connection.execute(text, (owner,))]
            merge_ended(connection, owner, ended, read_edits(connection, ended))

    def settle(self, before_ns: int) -> None:
        """Forget what was kept only for what might still arrive, of before a time: nothing does any more."""
        while self._read(Sql(HAS_OLDER, (before_ns, before_ns))):  # mostly not: nobody is kept from writing for that
            with self._file.writing() as connection, transaction(connection):
                forget_before(connection, before_ns)

    def reclaim(self, max_bytes: int) -> int:
        """Give at most so much free space back to the file system; return how many bytes, 0 when there are no more."""
        with self._file.writing() as connection:
            return release_pages(connection, max_bytes)

    def make_durable(self) -> bool:
        """Move what the write-ahead log holds into the database; False where a reader is in the way."""
        with self._file.writing() as connection:
            busy, frames, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return bool(busy == 0 and frames == moved) and self._file.is_in_place()

    def incarnation(self) -> int:
        """Return a number that changes when the files were replaced, and opened anew."""
        return self._file.incarnation()

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        with (
            self._precedence.going_first(),
            self._file.reading() as connection,
            snapshot(connection),
            within(connection, search.time_limit) as progress,
        ):
            rows, next_cursor = _find(connection, search, progress)
        with damaged_rows(self._path):
            return Page([to_info(row) for row in rows.values()], next_cursor)

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        with (
            self._precedence.going_first(),
            self._file.reading() as connection,
            snapshot(connection),
            within(connection, search.time_limit) as progress,
        ):
            rows, next_cursor = _find(connection, search, progress)
            found = connection.execute(_PARTS, (to_json(list(rows)).decode(),)).fetchall()
        parts: defaultdict[int, list[Row]] = defaultdict(list)
        for seq, payload, has_ended in found:
            parts[seq].append((payload, has_ended))
        with damaged_rows(self._path):
            # What has lost its parts is left out, as `read_traces` leaves it out; `tracehound doctor` says so.
            return Page([self._to_trace(row, parts[seq]) for seq, row in rows.items() if seq in parts], next_cursor)

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about, and what left it empty if it is."""
        if not search.experiment_ids:
            return Explanation(None, (), (), 0)
        with self._file.reading() as connection, snapshot(connection):
            explanation = explain(connection, search)
        return with_reason(explanation, search, lambda each: bool(self.search(each).traces))

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        wanted = to_json(list(trace_ids)).decode()
        rows: dict[str, list[Any]] = {}
        parts: defaultdict[str, list[Row]] = defaultdict(list)
        for payload, has_ended, *row in self._read(Sql(_WHOLE, (wanted,))):
            rows[row[0]] = row
            parts[row[0]].append((payload, has_ended))
        with damaged_rows(self._path):
            return {trace_id: self._to_trace(row, parts[trace_id]) for trace_id, row in rows.items()}

    def _to_trace(self, row: Sequence[Any], parts: Sequence[Row]) -> Trace:
        """Return the trace of a row and the payloads of its parts, each with what became of its process.

        Most traces came in one part, whose spans are those of the trace: these are left as they are stored.
        """
        payload, has_ended = parts[0]
        if len(parts) == 1 and not has_ended:
            return Trace(to_info(row), TraceData(PayloadSpans(payload, self._path)))
        return replace(merge_parts([to_part(*part) for part in parts]), info=to_info(row))

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        with self._file.reading() as connection:
            (last,) = connection.execute("SELECT max(seq) FROM trace").fetchone()
        is_large = last is not None and last >= MANY_TRACES
        reading = self._file.reading_beside if is_large else self._file.reading
        limit, wait = query.search.time_limit, self._precedence.wait if is_large else None
        with (
            helpers(
                self._path, self._file.access(), is_large=is_large, prepare=lambda each: watch(each, limit, wait)
            ) as others,
            reading() as connection,
            snapshot(connection),
            within(connection, limit, wait=wait),
        ):
            return read_statistics(connection, query, others)

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:
        """Return what one SELECT over the documented views selects; raise `ArgumentError` for anything else."""
        return run_sql(self._path, self._file.access(), text, parameters, limit)

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        rows = self._read(Sql(_EXPERIMENTS))
        return [Experiment(str(number), name) for number, name in rows]

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        text = "SELECT subject, key, value FROM fact WHERE kind = ?1 AND value IS NOT NULL"
        which = Sql(text, (kind,)) if subject is None else Sql(f"{text} AND subject = ?2", (kind, subject))
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for each, key, value in self._read(which):
            found[each][key] = value
        return dict(found)

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        if after is None:
            return self._arrivals("ORDER BY t.seq DESC LIMIT ?", (limit,))[::-1]
        return self._arrivals("WHERE t.seq > ? ORDER BY t.seq LIMIT ?", (after, limit))

    def _arrivals(self, which: str, parameters: tuple[int, ...]) -> list[Arrival]:
        rows = self._read(Sql(f"SELECT t.seq, {ROW} FROM trace AS t {which}", parameters))  # noqa: S608 - our own words
        with damaged_rows(self._path):
            return [Arrival(row[0], to_info(row[1:])) for row in rows]

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, of about so many traces or rows behind a cursor."""
        with self._file.reading() as connection, snapshot(connection):
            return read_changes(connection, after, limit)

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ whenever any connection, of whatever process, has changed the file since."""
        incarnation = self._file.incarnation()
        return (incarnation, *self._read(Sql("PRAGMA data_version"))[0])

    def close(self) -> None:
        """Release the file; the store cannot be used any more."""
        self._file.close()

    def _read(self, sql: Sql) -> list[tuple]:  # type: ignore[type-arg] # a row is what the statement selects
        """Return all rows of a statement: nothing of the engine is held when this returns."""
        with self._file.reading() as connection:
            return connection.execute(sql.text, sql.parameters).fetchall()


def _find(connection: sqlite3.Connection, search: Search, progress: Progress) -> tuple[dict[int, Row], str | None]:
    """Return the rows of one page by their numbers, each the columns of `ROW`, and the cursor behind them."""
    if not search.experiment_ids:
        return {}, None
    found = find_one_more(connection, search, progress)
    page, keys = found[: search.limit], slice(-1 - len(search.order), -1)
    has_more = len(found) > len(page) > 0
    return {row[-1]: row[: keys.start] for row in page}, search.cursor(page[-1][keys]) if has_more else None


def _position(connection: sqlite3.Connection, segment: str) -> int:
    row = connection.execute("SELECT position FROM segment WHERE name = ?", (segment,)).fetchone()
    return 0 if row is None else int(row[0])
