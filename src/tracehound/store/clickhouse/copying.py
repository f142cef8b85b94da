"""What is kept here, some at a time, as the changes that it was made by (`Store.read_changes`).

The rows of `trace` say only which traces come next. What they are made of is read from what is kept for good: a row
that is replaced meanwhile hides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from tracehound.errors import StoreError
from tracehound.model.edit import Change, Deletion, Facts, latest_edits
from tracehound.query.clickhouse import as_list
from tracehound.query.sql import Sql
from tracehound.store.api import Changes
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.known import DELETION, EDIT, Known, read_known, those_there
from tracehound.store.clickhouse.reading import PartId, decode_part, read_texts
from tracehound.store.places import Key, Stage, cursor_behind, read_cursor

_MAX_BYTES: Final = 16_000_000  # of parts on one page, unless one trace has more

# By numbers and not by rows: of writers whose clocks agree two traces may have one, and they are of one page then.
_TRACES: Final = (
    "SELECT DISTINCT arrived, trace_id FROM trace WHERE is_gone = 0 AND arrived > ? AND arrived <= ("
    "SELECT max(arrived) FROM (SELECT DISTINCT arrived FROM trace WHERE is_gone = 0 AND arrived > ?"
    " ORDER BY arrived LIMIT ?)) ORDER BY arrived, trace_id"
)
_SIZES: Final = (
    "SELECT trace_id, sum(length(payload)) FROM part WHERE written_ns IN ? AND trace_id IN ? GROUP BY trace_id"
)
_EDITS: Final = (
    "SELECT DISTINCT trace_id, what, key FROM said"
    " WHERE kind = ? AND trace_id >= ? AND (trace_id, what, key) > (?, ?, ?)"
    " ORDER BY trace_id, what, key LIMIT ?"
)
_TOMBSTONES: Final = (
    "SELECT trace_id, max(written_ns) FROM said WHERE kind = ? AND trace_id > ?"
    " GROUP BY trace_id ORDER BY trace_id LIMIT ?"
)
_FACTS: Final = (
    "SELECT kind, subject, key, argMax(tuple(value), (written_ns, value IS NOT NULL, ifNull(value, ''))).1,"
    " max(written_ns) FROM fact WHERE (kind, subject, key) > (?, ?, ?)"
    " GROUP BY kind, subject, key ORDER BY kind, subject, key LIMIT ?"
)


def read_changes(engine: Engine, after: str | None, limit: int) -> Changes:
    """Return what stands behind a cursor: traces with all that is of them, or what is of none."""
    stage, key = read_cursor(after)
    return _READ[stage](engine, key, limit)


def _read_traces(engine: Engine, behind: Key, limit: int) -> Changes:
    rows = engine.select(Sql(_TRACES, (*behind, *behind, limit)))
    if not rows:
        return Changes([], cursor_behind(Stage.TRACES, [], has_more=False))
    known = read_known(engine, [trace_id for _, trace_id in rows])
    numbers = _fitting(rows, _read_sizes(engine, known))
    wanted = [trace_id for number, trace_id in rows if (number,) <= numbers[-1]]
    texts = read_texts(engine, [part_id for each in wanted for part_id in known[each].parts])
    found: list[Change] = []
    damaged: list[str] = []
    for trace_id in wanted:
        changes = _changes_of(known[trace_id], texts, engine.where)
        if changes is None:
            damaged.append(trace_id)
        else:
            found += changes
    return Changes(found, cursor_behind(Stage.TRACES, numbers, has_more=True), tuple(damaged))


def _read_sizes(engine: Engine, known: Mapping[str, Known]) -> dict[str, int]:
    """Return how many bytes the parts of each trace have."""
    part_ids = [part_id for each in known.values() for part_id in each.parts]
    if not part_ids:
        return {}
    times = sorted({written_ns for _, written_ns, _ in part_ids})
    rows = engine.select(Sql(_SIZES, (as_list(times), as_list(list(known)))))
    return {trace_id: size for trace_id, size in rows}  # noqa: C416 - rows are no pairs to the type checker


def _fitting(rows: Sequence[Sequence[Any]], sizes: Mapping[str, int]) -> list[Key]:
    """Return the first numbers, as many as their traces fit on a page; one at least."""
    found: list[Key] = []
    size = 0
    for number, of_number in groupby(rows, key=lambda row: row[0]):
        size += sum(sizes.get(trace_id, 0) for _, trace_id in of_number)
        if found and size > _MAX_BYTES:
            break
        found.append((number,))
    return found


def _changes_of(known: Known, texts: Mapping[PartId, str], where: str) -> list[Change] | None:
    """Return what a trace is made of, nothing of one that is deleted; None where a part of it cannot be read."""
    if known.is_deleted:
        return []
    try:
        parts = {part_id: decode_part(texts[part_id], False, where) for part_id in known.parts}  # noqa: FBT003
    except (KeyError, StoreError):
        return None
    return [*known.effective(parts).values(), *latest_edits(known.edits)]


def _read_waiting(engine: Engine, behind: Key, limit: int) -> Changes:
    """Return those of the next edits whose traces are neither there nor deleted."""
    keys: list[Key] = [tuple(row) for row in engine.select(Sql(_EDITS, (EDIT, behind[0], *behind, limit + 1)))]
    some = keys[:limit]
    trace_ids = list({str(key[0]) for key in some})
    waiting = set(trace_ids) - those_there(engine, trace_ids) if trace_ids else set()
    known = read_known(engine, list(waiting)) if waiting else {}
    edits = {
        (edit.trace_id, edit.kind, edit.key): edit
        for each in known.values()
        if not each.is_deleted
        for edit in latest_edits(each.edits)
    }
    return Changes([edits[key] for key in some if key in edits], _behind(Stage.WAITING_EDITS, keys, limit))


def _read_tombstones(engine: Engine, behind: Key, limit: int) -> Changes:
    rows = engine.select(Sql(_TOMBSTONES, (DELETION, *behind, limit + 1)))
    keys: list[Key] = [(trace_id,) for trace_id, _ in rows]
    return Changes([Deletion(*row) for row in rows[:limit]], _behind(Stage.TOMBSTONES, keys, limit))


def _read_facts(engine: Engine, behind: Key, limit: int) -> Changes:
    rows = engine.select(Sql(_FACTS, (*behind, limit + 1)))
    keys: list[Key] = [tuple(row[:3]) for row in rows]
    facts: list[Change] = [
        Facts(kind, subject, {key: value}, written_ns) for kind, subject, key, value, written_ns in rows[:limit]
    ]
    return Changes(facts, _behind(Stage.FACTS, keys, limit))


def _behind(stage: Stage, keys: Sequence[Key], limit: int) -> str | None:
    return cursor_behind(stage, keys[:limit], has_more=len(keys) > limit)


_READ: Final[dict[Stage, Callable[[Engine, Key, int], Changes]]] = {
    Stage.TRACES: _read_traces,
    Stage.WAITING_EDITS: _read_waiting,
    Stage.TOMBSTONES: _read_tombstones,
    Stage.FACTS: _read_facts,
}
