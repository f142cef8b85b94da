"""The store in one SQLite file. What it must do stands in `store.api`, what its tables mean in the migrations."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tracehound.model.buckets import bucket_of
from tracehound.model.ids import experiment_id
from tracehound.model.merge import effective_parts, merge_parts
from tracehound.model.record import from_json, replace, to_json, to_msgpack
from tracehound.model.trace import Experiment, Trace, TraceInfo, TracePart, TraceState
from tracehound.query.search import Search
from tracehound.query.sqlite import ROW, Sql, latency_sql, search_sql
from tracehound.query.terms import terms_of
from tracehound.store.api import LatencyCount, Page, SegmentRange
from tracehound.store.sqlite.connection import migrate, open_connection, store_errors, transaction
from tracehound.wire.payload import from_payload, to_payload


class SqliteStore:
    """Traces in a file. One connection writes and one reads, so that a search never waits for a batch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = open_connection(path)
        self._reader = self._writer
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        try:
            migrate(self._writer, path)
            self._reader = open_connection(path)
        except BaseException:
            self._writer.close()
            raise

    def write(self, parts: Sequence[TracePart], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        with self._writing() as connection, transaction(connection):
            if source is not None:
                if _position(connection, source.segment) != source.start:
                    return False
                connection.execute(
                    "INSERT INTO segment (name, position) VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                    (source.segment, source.end),
                )
            by_trace: defaultdict[str, list[TracePart]] = defaultdict(list)
            for part in parts:
                by_trace[part.trace_id].append(part)
            for trace_id, arrived in by_trace.items():
                _write_trace(connection, trace_id, arrived)
            names = {part.experiment for part in parts}
            connection.executemany(
                "INSERT OR IGNORE INTO experiment (id, name) VALUES (?, ?)",
                [(int(experiment_id(name)), name) for name in names],
            )
        return True

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        with self._reading() as connection:
            return _position(connection, segment)

    def segments(self) -> list[str]:
        """Return the names of the segments that have a position."""
        return [name for (name,) in self._read(Sql("SELECT name FROM segment"))]

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        with self._writing() as connection:
            connection.execute("DELETE FROM segment WHERE name = ?", (segment,))

    def running_owners(self) -> list[str]:
        """Return the processes that open spans of the store run in, as far as it knows."""
        rows = self._read(Sql("SELECT DISTINCT owner FROM part WHERE owner IS NOT NULL AND NOT has_ended"))
        return sorted(owner for (owner,) in rows)

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        running = Sql("SELECT DISTINCT trace FROM part WHERE owner = ? AND NOT has_ended", (owner,))
        if not self._read(running):
            return
        with self._writing() as connection, transaction(connection):
            ended = connection.execute(running.text, running.parameters).fetchall()
            connection.execute("UPDATE part SET has_ended = 1 WHERE owner = ?", (owner,))
            for (seq,) in ended:
                (trace_id,) = connection.execute("SELECT trace_id FROM trace WHERE seq = ?", (seq,)).fetchone()
                _write_trace(connection, trace_id, [])

    def make_durable(self) -> bool:
        """Move what the write-ahead log holds into the database; False where a reader is in the way."""
        with self._writing() as connection:
            busy, frames, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return bool(busy == 0 and frames == moved)

    def search(self, search: Search) -> Page:
        """Return one page of the traces that match."""
        rows = self._read(search_sql(search))
        page = rows[: search.limit]
        width = len(search.order)
        has_more = len(rows) > len(page) > 0
        return Page([_to_info(row[:-width]) for row in page], search.cursor(page[-1][-width:]) if has_more else None)

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        wanted = to_json(list(trace_ids)).decode()
        parts: defaultdict[str, list[TracePart]] = defaultdict(list)
        text = (
            "SELECT t.trace_id, p.payload, p.has_ended FROM json_each(?) AS wanted"
            " CROSS JOIN trace AS t ON t.trace_id = wanted.value CROSS JOIN part AS p ON p.trace = t.seq"
        )
        for trace_id, payload, has_ended in self._read(Sql(text, (wanted,))):
            parts[trace_id].append(_to_part(payload, has_ended))
        return {trace_id: merge_parts(arrived) for trace_id, arrived in parts.items()}

    def latency(self, search: Search) -> list[LatencyCount]:
        """Return how the durations of the traces that match are distributed, by name and state."""
        return [
            LatencyCount(name, TraceState(state), bucket, count, total or 0, least or 0, most or 0)
            for name, state, bucket, count, total, least, most in self._read(latency_sql(search))
        ]

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        rows = self._read(Sql("SELECT id, name FROM experiment ORDER BY name"))
        return [Experiment(str(number), name) for number, name in rows]

    def close(self) -> None:
        """Release the file; the store cannot be used any more."""
        with self._read_lock:
            self._reader.close()
        with self._write_lock:
            self._writer.close()

    def _read(self, sql: Sql) -> list[tuple]:  # type: ignore[type-arg] # a row is what the statement selects
        """Return all rows of a statement: nothing of the engine is held when this returns."""
        with self._reading() as connection:
            return connection.execute(sql.text, sql.parameters).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, store_errors(self._path):
            yield self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock, store_errors(self._path):
            yield self._writer


def _position(connection: sqlite3.Connection, segment: str) -> int:
    row = connection.execute("SELECT position FROM segment WHERE name = ?", (segment,)).fetchone()
    return 0 if row is None else int(row[0])


def _write_trace(connection: sqlite3.Connection, trace_id: str, arrived: Sequence[TracePart]) -> None:
    """Add parts to a trace: its row and its index rows become what all of its parts say together."""
    row = connection.execute(f"SELECT t.seq, {ROW} FROM trace AS t WHERE t.trace_id = ?", (trace_id,)).fetchone()
    parts = {_key(part): part for part in arrived}
    if row is not None:
        stored = connection.execute(
            "SELECT written_ns, checksum, payload, has_ended FROM part WHERE trace = ?", (row[0],)
        ).fetchall()
        parts.update(
            {(written_ns, checksum): _to_part(payload, ended) for written_ns, checksum, payload, ended in stored}
        )
        _delete_postings(connection, row[0], _to_info(row[1:]))
    info = merge_parts(list(parts.values())).info
    seq = connection.execute(_WRITE_ROW, (None if row is None else row[0], *_to_row(info))).lastrowid
    connection.executemany(
        "INSERT OR IGNORE INTO part (trace, written_ns, checksum, payload, owner) VALUES (?, ?, ?, ?, ?)",
        [(seq, *_key(part), to_payload(part), part.owner) for part in arrived],
    )
    if any(part.owner is not None for part in parts.values()):
        effective = {id(part) for part in effective_parts(list(parts.values()))}
        connection.executemany(
            "DELETE FROM part WHERE trace = ? AND written_ns = ? AND checksum = ?",
            [(seq, *key) for key, part in parts.items() if id(part) not in effective],
        )
    connection.executemany(
        "INSERT INTO posting (term, experiment, start_ms, trace) VALUES (?, ?, ?, ?)",
        [(term, int(info.experiment_id), info.request_time, seq) for term in terms_of(info)],
    )


def _key(part: TracePart) -> tuple[int, int]:
    """Return what tells a part that arrives again from another one."""
    return part.written_ns, zlib.crc32(to_msgpack(part))


def _to_part(payload: bytes, has_ended: int) -> TracePart:
    """Return a part as it was stored, and with what became of its process."""
    part = from_payload(payload)
    return replace(part, has_ended=True) if has_ended else part


_WRITE_ROW: Final = f"INSERT OR REPLACE INTO trace VALUES ({', '.join('?' * 13)})"


def _delete_postings(connection: sqlite3.Connection, seq: int, info: TraceInfo) -> None:
    """Take a trace out of the index, where it stands under what it was until now."""
    connection.executemany(
        "DELETE FROM posting WHERE term = ? AND experiment = ? AND start_ms = ? AND trace = ?",
        [(term, int(info.experiment_id), info.request_time, seq) for term in terms_of(info)],
    )


def _to_row(info: TraceInfo) -> tuple[str | int | None, ...]:
    """Return the columns of `trace` behind `seq`, in their order."""
    duration = info.execution_duration
    return (
        info.trace_id,
        int(info.experiment_id),
        info.request_time,
        duration,
        None if duration is None else bucket_of(duration),
        info.state.value,
        info.name,
        info.request_preview,
        info.response_preview,
        info.client_request_id,
        to_json(info.trace_metadata).decode(),
        to_json(info.tags).decode(),
    )


def _to_info(row: Sequence) -> TraceInfo:  # type: ignore[type-arg] # the columns of query.sqlite.ROW
    """Return what the columns of `ROW` say."""
    trace_id, experiment, start_ms, duration_ms, state, name, request, response, client_request_id, metadata, tags = row
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=str(experiment),
        request_time=start_ms,
        execution_duration=duration_ms,
        state=TraceState(state),
        name=name,
        request_preview=request,
        response_preview=response,
        client_request_id=client_request_id,
        trace_metadata=from_json(metadata),
        tags=from_json(tags),
    )
