"""Writing a batch: what is to change is worked out first, then goes in with few statements of many rows each.

Every step of SQLite gives up the interpreter lock and has to get it back, which beside a busy program takes up to 5 ms.
With a statement for every row the store would fall behind the program that it traces; with one for hundreds of rows
nearly all of its work happens while the program runs.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tracehound.model.edit import Edit, lay_over, without_discarded
from tracehound.model.ids import experiment_id
from tracehound.model.merge import as_written, effective_parts, merge_parts
from tracehound.model.record import replace, to_json, to_msgpack
from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo, TracePart
from tracehound.query.span_terms import durations_of_spans, span_terms_of
from tracehound.query.sqlite import ROW
from tracehound.query.terms import Term, terms_of
from tracehound.query.words import words_of
from tracehound.store.sqlite.hours import HourChanges
from tracehound.store.sqlite.rows import to_info, to_row
from tracehound.store.sqlite.text import add_words, remove_words
from tracehound.wire.payload import DamagedPayloadError, from_payload, to_payload

# SQLite takes 32,766 from version 3.32 on; a statement of a power of two of rows stays below, and is compiled once.
_MAX_VARIABLES: Final = 16_384

_TRACES_AT_A_TIME: Final = 1_000

Row: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[int, int]
Entries: TypeAlias = "dict[Term, Row]"  # of the index: the posting of each term
Edits: TypeAlias = Mapping[str, Sequence[Edit]]  # of each trace that has some


def write_parts(connection: sqlite3.Connection, parts: Sequence[TracePart], edits: Edits) -> list[str]:
    """Add parts to their traces, whose rows and index rows become what all of their parts and edits say together.

    Return the traces that edits have left nothing of: they are still there.
    """
    arrived: defaultdict[str, dict[Key, TracePart]] = defaultdict(dict)
    for part in parts:
        key, of_trace = _key(part), arrived[part.trace_id]
        if key not in of_trace or part.has_ended:
            of_trace[key] = part
    known = _read_known(connection, list(arrived))
    (last_seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM trace").fetchone()
    changes = _Changes()
    for trace_id, by_key in arrived.items():
        stored = known.get(trace_id)
        if stored is None:
            last_seq += 1
            stored = _Known(last_seq)
        _change_trace(changes, stored, by_key, edits.get(trace_id, ()))
    _apply(connection, changes)
    return changes.emptied


def merge_again(connection: sqlite3.Connection, trace_ids: Sequence[str], edits: Edits) -> list[str]:
    """Bring the rows of those of the traces that exist up to what their parts and edits say now.

    Return the traces that edits have left nothing of: they are still there.
    """
    changes = _Changes()
    for trace_id, known in _read_known(connection, trace_ids).items():
        _change_trace(changes, known, {}, edits.get(trace_id, ()))
    _apply(connection, changes)
    return changes.emptied


def index_again(connection: sqlite3.Connection) -> None:
    """Write the index rows of all traces, of which there are none."""
    rows = connection.execute("SELECT trace_id FROM trace")
    while chunk := rows.fetchmany(_TRACES_AT_A_TIME):
        changes = _Changes()
        durations: list[Row] = []
        for known in _read_known(connection, [trace_id for (trace_id,) in chunk]).values():
            changes.index({}, known.entries)
            changes.words.append((known.seq, known.words))
            if known.info is not None:
                changes.hours.add(known.info)
            durations.append((to_json(durations_of_spans(known.spans)).decode(), known.seq))
        _apply(connection, changes)
        connection.executemany("UPDATE trace SET span_ms = ? WHERE seq = ?", durations)


def remove_traces(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> None:
    """Take away traces with their parts and index rows, and the experiments that have no trace any more."""
    changes = _Changes()
    damaged: list[Row] = []
    for known in _read_known(connection, trace_ids).values():
        changes.old_traces.append((known.seq,))
        changes.index(known.entries, {})
        if known.info is not None:
            changes.hours.remove(known.info)
        if known.is_damaged:
            damaged.append((known.seq,))
    if changes.old_traces:
        remove_words(connection, {seq for (seq,) in changes.old_traces})
    connection.executemany("DELETE FROM part WHERE trace = ?", changes.old_traces)
    _apply(connection, changes)
    if damaged:  # nobody knows any more what the index has of them: all of it is gone through
        connection.executemany("DELETE FROM posting WHERE trace = ?", damaged)
        connection.execute("DELETE FROM term WHERE NOT EXISTS (SELECT 1 FROM posting AS p WHERE p.term = term.number)")
    connection.execute(
        "DELETE FROM experiment WHERE NOT EXISTS (SELECT 1 FROM trace AS t WHERE t.experiment = experiment.id)"
    )


def merge_ended(connection: sqlite3.Connection, owner: str, trace_ids: Sequence[str], edits: Edits) -> None:
    """Note that a process is gone, and bring the rows of its traces up to what they say then."""
    found = _read_known(connection, trace_ids)
    connection.execute("UPDATE part SET has_ended = 1 WHERE owner = ?", (owner,))
    changes = _Changes()
    for trace_id, known in found.items():
        if known.is_damaged:
            continue
        known.parts = {
            key: replace(part, has_ended=True) if part.owner == owner else part for key, part in known.parts.items()
        }
        _change_trace(changes, known, {}, edits.get(trace_id, ()))
    _apply(connection, changes)


def to_part(payload: bytes, has_ended: int) -> TracePart:
    """Return a part as it was stored, and with what became of its process."""
    part = from_payload(payload)
    return replace(part, has_ended=True) if has_ended else part


@dataclass
class _Known:
    """A trace as the store has it: its row, its parts, and what the index has of it as far as it can be read."""

    seq: int
    info: TraceInfo | None = None
    parts: dict[Key, TracePart] = field(default_factory=dict)
    entries: Entries = field(default_factory=dict)
    spans: Sequence[Span] = ()
    words: bytes | None = None
    is_damaged: bool = False


@dataclass
class _Changes:
    """The rows of a batch, to be removed and to be inserted."""

    old_postings: list[Row] = field(default_factory=list)
    old_terms: set[Row] = field(default_factory=set)
    old_parts: list[Row] = field(default_factory=list)
    old_traces: list[Row] = field(default_factory=list)
    traces: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    terms: set[Row] = field(default_factory=set)
    words: list[tuple[int, bytes | None]] = field(default_factory=list)
    experiments: set[str] = field(default_factory=set)
    hours: HourChanges = field(default_factory=HourChanges)
    emptied: list[str] = field(default_factory=list)

    def index(self, before: Entries, after: Entries) -> None:
        """Change what the index has of a trace; what stays the same is left alone."""
        if not before:
            self.postings += after.values()
            self.terms.update(after)
            return
        old, new = set(before.values()), set(after.values())
        self.old_postings += [row[:4] for row in old - new]
        self.postings += new - old
        self.old_terms |= before.keys() - after.keys()
        self.terms |= after.keys() - before.keys()


def _change_trace(changes: _Changes, known: _Known, arrived: dict[Key, TracePart], edits: Sequence[Edit]) -> None:
    """Work out what changes when parts arrive for a trace, or edits; raise where what is there cannot be read."""
    if known.is_damaged:
        raise DamagedPayloadError("a stored trace is damaged, and cannot be changed")
    seq = known.seq
    for key, part in arrived.items():
        if part.has_ended and key in known.parts and not known.parts[key].has_ended:
            del known.parts[key]  # it is written anew
            changes.old_parts.append((seq, *key))
    parts = {**arrived, **known.parts}  # a part that arrives again is what it has become
    effective = effective_parts(without_discarded(list(parts.values()), edits))
    if not effective:
        if known.info is not None:
            changes.emptied.append(known.info.trace_id)
        return
    if len(effective) < len(parts):
        kept = {id(part) for part in effective}
        changes.old_parts += [(seq, *key) for key, part in known.parts.items() if id(part) not in kept]
        parts = {key: part for key, part in parts.items() if id(part) in kept}
    trace = lay_over(merge_parts(effective), edits)
    info = trace.info
    changes.experiments.update(part.experiment for part in effective)
    if known.info is not None:
        changes.old_traces.append((seq,))
        changes.hours.remove(known.info)
    changes.hours.add(info)
    changes.traces.append((seq, *to_row(info, trace.data.spans)))
    changes.parts += [
        (seq, *key, to_payload(part), part.owner, part.has_ended)
        for key, part in parts.items()
        if key not in known.parts
    ]
    changes.index(known.entries, entries_of(info, trace.data.spans, seq))
    words = words_of(trace.data.spans)
    if known.info is None or words != known.words:
        changes.words.append((seq, words))


def _apply(connection: sqlite3.Connection, changes: _Changes) -> None:
    connection.executemany(
        "DELETE FROM posting WHERE term = ? AND experiment = ? AND start_ms = ? AND trace = ?", changes.old_postings
    )
    connection.executemany("DELETE FROM part WHERE trace = ? AND written_ns = ? AND checksum = ?", changes.old_parts)
    connection.executemany("DELETE FROM trace WHERE seq = ?", changes.old_traces)
    _insert(connection, "INSERT INTO trace", changes.traces)
    _insert(connection, "INSERT INTO part (trace, written_ns, checksum, payload, owner, has_ended)", changes.parts)
    _insert(connection, "INSERT INTO posting (term, experiment, start_ms, trace, mask)", sorted(changes.postings))
    _insert(connection, "INSERT OR IGNORE INTO term (kind, key, number, value)", list(changes.terms))
    connection.executemany(
        "DELETE FROM term WHERE kind = ? AND key = ? AND number = ?3 AND ?4 IS ?4"
        " AND NOT EXISTS (SELECT 1 FROM posting WHERE term = ?3)",
        changes.old_terms - changes.terms,
    )
    if changes.words:
        add_words(connection, changes.words)
    changes.hours.apply(connection)
    experiments = [(int(experiment_id(name)), name) for name in changes.experiments]
    _insert(connection, "INSERT OR IGNORE INTO experiment (id, name)", experiments)


def _read_known(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> dict[str, _Known]:
    """Return those of the traces that exist, with all of their parts."""
    found = _read_rows(connection, trace_ids)
    for seqs in _chunks(list(found), width=1):
        wanted = ", ".join("?" * len(seqs))
        text = f"SELECT trace, written_ns, checksum, payload, has_ended FROM part WHERE trace IN ({wanted})"
        for seq, written_ns, checksum, payload, has_ended in connection.execute(text, seqs).fetchall():
            try:
                found[seq].parts[written_ns, checksum] = to_part(payload, has_ended)
            except DamagedPayloadError:  # noqa: PERF203 - of one trace among others
                found[seq].is_damaged = True
    for seq, known in found.items():
        is_whole = known.parts and not known.is_damaged
        spans = merge_parts(list(known.parts.values())).data.spans if is_whole else []
        if known.info is not None:
            known.entries = entries_of(known.info, spans, seq)
            known.spans = spans
            known.words = words_of(spans) if spans else None
    return {known.info.trace_id: known for known in found.values() if known.info is not None}


def _read_rows(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> dict[int, _Known]:
    """Return those of the traces that exist, by the numbers of their rows, without their parts."""
    found: dict[int, _Known] = {}
    for chunk in _chunks(trace_ids, width=1):
        wanted = ", ".join("?" * len(chunk))
        rows = connection.execute(f"SELECT t.seq, {ROW} FROM trace AS t WHERE t.trace_id IN ({wanted})", chunk)
        found.update((row[0], _Known(row[0], to_info(row[1:]))) for row in rows.fetchall())
    return found


def _insert(connection: sqlite3.Connection, head: str, rows: Sequence[Row]) -> None:
    """Insert rows, which are all of one width."""
    for chunk in _chunks(rows, width=len(rows[0]) if rows else 1):
        row = f"({', '.join('?' * len(chunk[0]))})"
        connection.execute(
            f"{head} VALUES {', '.join([row] * len(chunk))}", [value for each in chunk for value in each]
        )


def _chunks(rows: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    """Yield the rows in pieces whose length is a power of two, so that there are few different statements."""
    at = 0
    while at < len(rows):
        most = min(len(rows) - at, _MAX_VARIABLES // width)
        size = 1 << (most.bit_length() - 1)
        yield rows[at : at + size]
        at += size


def entries_of(info: TraceInfo, spans: Sequence[Span], seq: int) -> Entries:
    """Return the rows of the inverted index for a trace, by their terms."""
    experiment, start_ms = int(info.experiment_id), info.request_time
    masks = dict.fromkeys(terms_of(info), 0) | span_terms_of(spans)
    return {each: (each[2], experiment, start_ms, seq, mask) for each, mask in masks.items()}  # [2]: its number


def _key(part: TracePart) -> Key:
    """Return what tells a part that arrives again from another one."""
    return part.written_ns, zlib.crc32(to_msgpack(as_written(part)))
