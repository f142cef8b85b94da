"""What a file keeps, some at a time, as the changes that it was made by (`Store.read_changes`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from tracehound.model.edit import Change, Deletion, Edit, Facts
from tracehound.model.trace import TracePart
from tracehound.store.api import Changes
from tracehound.store.places import Key, Stage, cursor_behind, read_cursor
from tracehound.store.sqlite.batch import to_part
from tracehound.store.sqlite.changes import read_edits
from tracehound.wire.payload import DamagedPayloadError

_MAX_BYTES: Final = 2_000_000  # of compressed parts on one page, unless one trace has more

# A trace that has lost its parts is there as well: it is told to be damaged.
_TRACES: Final = (
    "SELECT t.seq, t.trace_id, p.payload, p.has_ended FROM trace AS t LEFT JOIN part AS p ON p.trace = t.seq"
    " WHERE t.seq > ? ORDER BY t.seq, p.written_ns, p.checksum"
)
_ROWS: Final = {
    Stage.WAITING_EDITS: (
        "SELECT e.trace_id, e.kind, e.key, e.value, e.written_ns FROM edit AS e"
        " WHERE (e.trace_id, e.kind, e.key) > (?, ?, ?)"
        " AND NOT EXISTS (SELECT 1 FROM trace AS t WHERE t.trace_id = e.trace_id)"
        " ORDER BY e.trace_id, e.kind, e.key LIMIT ?"
    ),
    Stage.TOMBSTONES: "SELECT trace_id, deleted_ns FROM tombstone WHERE trace_id > ? ORDER BY trace_id LIMIT ?",
    Stage.FACTS: (
        "SELECT kind, subject, key, value, written_ns FROM fact WHERE (kind, subject, key) > (?, ?, ?)"
        " ORDER BY kind, subject, key LIMIT ?"
    ),
}


def read_changes(connection: sqlite3.Connection, after: str | None, limit: int) -> Changes:
    """Return what stands behind a cursor: traces with all that is of them, or rows of what is of none."""
    stage, key = read_cursor(after)
    if stage is Stage.TRACES:
        return _read_traces(connection, key, limit)
    rows = connection.execute(_ROWS[stage], (*key, limit + 1)).fetchall()
    found = [_to_change(stage, row) for row in rows[:limit]]
    keys = [row[: len(key)] for row in rows[:limit]]
    return Changes(found, cursor_behind(stage, keys, has_more=len(rows) > limit))


def _read_traces(connection: sqlite3.Connection, behind: Key, limit: int) -> Changes:
    payloads: dict[int, list[tuple[bytes | None, int]]] = {}
    ids: dict[int, str] = {}
    size, has_more = 0, False
    with closing(connection.execute(_TRACES, behind)) as rows:
        for seq, trace_id, payload, has_ended in rows:
            if seq not in ids and (len(ids) == limit or size > _MAX_BYTES):
                has_more = True
                break
            ids[seq] = trace_id
            payloads.setdefault(seq, []).append((payload, has_ended))
            size += len(payload or b"")
    edits = read_edits(connection, list(ids.values()))
    found: list[Change] = []
    damaged: list[str] = []
    for seq, trace_id in ids.items():
        parts = _read_parts(payloads[seq])
        if parts is None:
            damaged.append(trace_id)
        else:
            found += [*parts, *edits.get(trace_id, [])]
    keys: list[Key] = [(seq,) for seq in ids]
    return Changes(found, cursor_behind(Stage.TRACES, keys, has_more=has_more), tuple(damaged))


def _read_parts(payloads: Sequence[tuple[bytes | None, int]]) -> list[TracePart] | None:
    """Return the parts of a trace; None where one of them cannot be read."""
    try:
        return [to_part(payload or b"", has_ended) for payload, has_ended in payloads]
    except DamagedPayloadError:
        return None


def _to_change(stage: Stage, row: tuple[Any, ...]) -> Change:
    if stage is Stage.TOMBSTONES:
        return Deletion(*row)
    if stage is Stage.WAITING_EDITS:
        trace_id, kind, key, value, written_ns = row
        return Edit(trace_id, key, value, written_ns, kind)
    kind, subject, key, value, written_ns = row
    return Facts(kind, subject, {key: value}, written_ns)
