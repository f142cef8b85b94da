"""Applying a batch of parts, edits and deletions.

What has been deleted is taken out first, for good; then the edits of the batch join those that the store has; then
parts and edits together make the rows (`store.sqlite.batch`). Whatever a batch holds, that is a handful of statements.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from tracehound.model.edit import Change, Deletion, Edit, Facts, TraceChange, latest_edits
from tracehound.model.record import to_json
from tracehound.model.trace import TracePart
from tracehound.store.sqlite.batch import merge_again, remove_traces, write_parts
from tracehound.store.sqlite.preparing import Ready

# How many rows one step of `forget_before` removes: other writers get their turn between two steps.
_STEP: Final = 1_000

# Whether `forget_before` has anything to do.
HAS_OLDER: Final = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM tombstone WHERE deleted_ns < ?)"
    " OR EXISTS (SELECT 1 FROM edit WHERE is_waiting AND written_ns < ?)"
)


def write_changes(connection: sqlite3.Connection, changes: Sequence[Change], prepared: Sequence[Ready] = ()) -> None:
    """Apply parts, also those that were prepared, edits, deletions and facts, in whatever order they came."""
    _keep_facts(connection, [change for change in changes if isinstance(change, Facts)])
    _write_traces(connection, [change for change in changes if not isinstance(change, Facts)], prepared)


def _write_traces(connection: sqlite3.Connection, changes: Sequence[TraceChange], prepared: Sequence[Ready]) -> None:
    deletions = [change for change in changes if isinstance(change, Deletion)]
    if deletions:
        _delete(connection, deletions)
    made_ready = set(itertools.chain.from_iterable(each.trace_ids() for each in prepared))
    deleted = _read_deleted(connection, made_ready.union(change.trace_id for change in changes))
    parts = [change for change in changes if isinstance(change, TracePart) and change.trace_id not in deleted]
    edits = [change for change in changes if isinstance(change, Edit) and change.trace_id not in deleted]
    arrived = made_ready.difference(deleted).union(part.trace_id for part in parts)
    edited = {edit.trace_id for edit in edits} - arrived
    known = read_edits(connection, arrived | edited)
    if edits:
        _keep_edits(connection, known, edits)
    emptied = write_parts(connection, parts, known, prepared, deleted) if parts or prepared else []
    if edited:
        emptied += merge_again(connection, list(edited), known)
    if emptied:
        remove_traces(connection, emptied)
        connection.executemany("UPDATE edit SET is_waiting = 1 WHERE trace_id = ?", [(each,) for each in emptied])
    if known:
        _end_waiting(connection, known)


def read_edits(connection: sqlite3.Connection, trace_ids: Collection[str]) -> dict[str, list[Edit]]:
    """Return the edits of those of the traces that have some, whether the traces exist or not."""
    text = (
        "SELECT e.trace_id, e.key, e.value, e.written_ns, e.kind FROM json_each(?) AS wanted"
        " CROSS JOIN edit AS e ON e.trace_id = wanted.value"
    )
    found: defaultdict[str, list[Edit]] = defaultdict(list)
    for row in connection.execute(text, (_json(trace_ids),)).fetchall():
        found[row[0]].append(Edit(*row))
    return dict(found)


def forget_before(connection: sqlite3.Connection, before_ns: int) -> None:
    """Forget some tombstones, and edits that wait, of before a time."""
    old = (before_ns, _STEP)
    tombstones = "(SELECT trace_id FROM tombstone WHERE deleted_ns < ? LIMIT ?)"
    waiting = "(SELECT trace_id, kind, key FROM edit WHERE is_waiting AND written_ns < ? LIMIT ?)"
    connection.execute(f"DELETE FROM tombstone WHERE trace_id IN {tombstones}", old)
    connection.execute(f"DELETE FROM edit WHERE (trace_id, kind, key) IN {waiting}", old)


def _delete(connection: sqlite3.Connection, deletions: Sequence[Deletion]) -> None:
    """Take away all that is of the traces, and leave a tombstone of each."""
    remove_traces(connection, list({deletion.trace_id for deletion in deletions}))
    connection.executemany("DELETE FROM edit WHERE trace_id = ?", {(deletion.trace_id,) for deletion in deletions})
    connection.executemany(
        "INSERT INTO tombstone (trace_id, deleted_ns) VALUES (?, ?)"
        " ON CONFLICT (trace_id) DO UPDATE SET deleted_ns = max(deleted_ns, excluded.deleted_ns)",
        [(deletion.trace_id, deletion.written_ns) for deletion in deletions],
    )


def _read_deleted(connection: sqlite3.Connection, trace_ids: Collection[str]) -> set[str]:
    text = "SELECT d.trace_id FROM json_each(?) AS wanted CROSS JOIN tombstone AS d ON d.trace_id = wanted.value"
    return {trace_id for (trace_id,) in connection.execute(text, (_json(trace_ids),)).fetchall()}


def _keep_edits(connection: sqlite3.Connection, known: dict[str, list[Edit]], edits: Sequence[Edit]) -> None:
    """Let the edits join those that are known, in the table too."""
    arrived: defaultdict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        arrived[edit.trace_id].append(edit)
    for trace_id, new in arrived.items():
        known[trace_id] = latest_edits([*known.get(trace_id, []), *new])
    connection.executemany(
        "INSERT OR REPLACE INTO edit (trace_id, kind, key, value, written_ns) VALUES (?, ?, ?, ?, ?)",
        [(each.trace_id, each.kind, each.key, each.value, each.written_ns) for key in arrived for each in known[key]],
    )


def _keep_facts(connection: sqlite3.Connection, facts: Sequence[Facts]) -> None:
    """Let the facts take the place of older ones."""
    connection.executemany(
        "INSERT INTO fact (kind, subject, key, value, written_ns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, subject, key) DO UPDATE SET value = excluded.value, written_ns = excluded.written_ns"
        " WHERE (excluded.written_ns, excluded.value IS NOT NULL, coalesce(excluded.value, ''))"
        " > (fact.written_ns, fact.value IS NOT NULL, coalesce(fact.value, ''))",
        [
            (each.kind, each.subject, key, value, each.written_ns)
            for each in facts
            for key, value in each.values.items()
        ],
    )


def _end_waiting(connection: sqlite3.Connection, trace_ids: Collection[str]) -> None:
    """Note which edits have found their traces."""
    connection.execute(
        "UPDATE edit SET is_waiting = 0 WHERE is_waiting AND trace_id IN (SELECT value FROM json_each(?))"
        " AND EXISTS (SELECT 1 FROM trace AS t WHERE t.trace_id = edit.trace_id)",
        (_json(trace_ids),),
    )


def _json(trace_ids: Collection[str]) -> str:
    return to_json(list(trace_ids)).decode()
