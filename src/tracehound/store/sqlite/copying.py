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
from tracehound.store.sqlite.salvage import (
    FAULTS,
    GONE,
    NONSENSE,
    is_damage,
    is_missing_some,
    salvage_rows,
    salvage_traces,
)

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


# Of each of these stages: its table, columns and key, and how what cannot be read of it is called.
_TABLES: Final = {
    Stage.WAITING_EDITS: ("edit", "trace_id, kind, key, value, written_ns", "trace_id, kind, key", "tags and feedback"),
    Stage.TOMBSTONES: ("tombstone", "trace_id, deleted_ns", "trace_id", "deletions"),
    Stage.FACTS: (
        "fact", "kind, subject, key, value, written_ns", "kind, subject, key", "what is known of experiments and runs"
    ),
}  # fmt: skip


def read_changes(connection: sqlite3.Connection, after: str | None, limit: int) -> Changes:
    """Return what stands behind a cursor: traces with all that is of them, or rows of what is of none.

    Where pages of the file are damaged, that is what can be read.
    """
    stage, key = read_cursor(after)
    try:
        return _read_traces(connection, key, limit) if stage is Stage.TRACES else _read(connection, stage, key, limit)
    except FAULTS as error:
        if not is_damage(error):
            raise
    return _salvage(connection, stage, key, limit)


def _salvage(connection: sqlite3.Connection, stage: Stage, key: Key, limit: int) -> Changes:
    if stage is Stage.TRACES:
        found = salvage_traces(connection, int(key[0]), limit)
        cursor = cursor_behind(stage, [(found.end,)], has_more=found.has_more)
        return Changes(found.changes, cursor, tuple(found.reasons), found.reasons)
    table, columns, order, name = _TABLES[stage]
    rows, is_all = salvage_rows(connection, table, columns, order)
    reasons = {} if is_all else {name: "some of it cannot be read"}
    return Changes(
        [_to_change(stage, row) for row in rows], cursor_behind(stage, [], has_more=False), tuple(reasons), reasons
    )


def _read(connection: sqlite3.Connection, stage: Stage, key: Key, limit: int) -> Changes:
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
    behind_number, last = int(behind[0]), max(ids) if has_more else 2**63 - 1
    if is_missing_some(connection, behind_number, last, ids):
        return _salvage(connection, Stage.TRACES, behind, limit)
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
    return Changes(
        found, cursor_behind(Stage.TRACES, keys, has_more=has_more), tuple(damaged), dict.fromkeys(damaged, GONE)
    )


def _read_parts(payloads: Sequence[tuple[bytes | None, int]]) -> list[TracePart] | None:
    """Return the parts of a trace; None where one of them cannot be read."""
    try:
        return [to_part(payload or b"", has_ended) for payload, has_ended in payloads]
    except NONSENSE:
        return None


def _to_change(stage: Stage, row: tuple[Any, ...]) -> Change:
    if stage is Stage.TOMBSTONES:
        return Deletion(*row)
    if stage is Stage.WAITING_EDITS:
        trace_id, kind, key, value, written_ns = row
        return Edit(trace_id, key, value, written_ns, kind)
    kind, subject, key, value, written_ns = row
    return Facts(kind, subject, {key: value}, written_ns)
