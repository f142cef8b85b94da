"""Writing a batch: what is to change is worked out first, then goes in with few statements of many rows each."""

from __future__ import annotations

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from tracehound.model.edit import Edit, lay_over, without_discarded
from tracehound.model.ids import experiment_id
from tracehound.model.merge import effective_parts, merge_parts
from tracehound.model.record import replace, to_json
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TraceInfo, TracePart
from tracehound.query.span_terms import durations_of_spans
from tracehound.query.sqlite import ROW
from tracehound.query.words import words_of
from tracehound.store.sqlite.hours import HourChanges, count_of
from tracehound.store.sqlite.inserting import Row, chunks, insert_rows
from tracehound.store.sqlite.postings import Entries, PostingChanges, entries_of
from tracehound.store.sqlite.preparing import Key, PartRow, Ready, sort_out, to_keyed
from tracehound.store.sqlite.rows import to_info, to_row
from tracehound.store.sqlite.text import add_words, remove_words
from tracehound.wire.payload import DamagedPayloadError, from_payload

_TRACES_AT_A_TIME: Final = 1_000
_AT_ONCE: Final = 128  # of which the rows are worked out: their spans fit into the processor's caches

_NO_KEYS: Final[frozenset[Key]] = frozenset()
Edits: TypeAlias = Mapping[str, Sequence[Edit]]  # of each trace that has some


def write_parts(
    connection: sqlite3.Connection,
    parts: Sequence[TracePart],
    edits: Edits,
    prepared: Sequence[Ready] = (),
    deleted: AbstractSet[str] = frozenset(),
) -> list[str]:
    """Add parts to their traces, whose rows and index rows become what all of their parts and edits say together.

    Of what was prepared those traces are left out that are deleted. Return the traces that edits have left nothing of:
    they are still there.
    """
    trace_ids = {part.trace_id for part in parts}
    known = _read_known(connection, list(trace_ids.union(*(each.trace_ids() for each in prepared))))
    ready, others = sort_out(prepared, trace_ids.union(known, edits), deleted)
    told: defaultdict[str, list[TracePart | PartRow]] = defaultdict(list)
    for part in parts:
        told[part.trace_id].append(part)
    for row in others:
        told[row.trace_id].append(row)
    (last_seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM trace").fetchone()
    seqs = itertools.count(last_seq + 1)
    changes = _Changes()
    changes.merge(
        (known.get(trace_id) or _Known(next(seqs)), of_trace, edits.get(trace_id, ()))
        for trace_id, of_trace in told.items()
    )
    for made in ready:
        changes.add_ready(made, seqs)
    _apply(connection, changes)
    return changes.emptied


def merge_again(connection: sqlite3.Connection, trace_ids: Sequence[str], edits: Edits) -> list[str]:
    """Bring the rows of those of the traces that exist up to what their parts and edits say now.

    Return the traces that edits have left nothing of: they are still there.
    """
    found = _read_known(connection, trace_ids)
    changes = _Changes()
    changes.merge((known, (), edits.get(trace_id, ())) for trace_id, known in found.items())
    _apply(connection, changes)
    return changes.emptied


def index_again(connection: sqlite3.Connection) -> None:
    """Write the index rows of all traces, of which there are none."""
    rows = connection.execute("SELECT trace_id FROM trace")
    while chunk := rows.fetchmany(_TRACES_AT_A_TIME):
        changes = _Changes()
        durations: list[Row] = []
        for known in _read_known(connection, [trace_id for (trace_id,) in chunk]).values():
            if known.entries is not None:
                changes.postings.change(None, known.entries)
            changes.words.append((known.seq, known.words))
            if known.info is not None:
                changes.hours.add(count_of(known.info))
            durations.append((to_json(durations_of_spans(known.spans)).decode(), known.seq))
        _apply(connection, changes)
        connection.executemany("UPDATE trace SET span_ms = ? WHERE seq = ?", durations)


def remove_traces(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> None:
    """Take away traces with their parts and index rows, and the experiments that have no trace any more."""
    changes = _Changes()
    damaged: list[Row] = []
    for known in _read_known(connection, trace_ids).values():
        changes.old_traces.append((known.seq,))
        if known.entries is not None:
            changes.postings.remove(known.entries)
        if known.info is not None:
            changes.hours.remove(count_of(known.info))
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
    found = {trace_id: known for trace_id, known in _read_known(connection, trace_ids).items() if not known.is_damaged}
    connection.execute("UPDATE part SET has_ended = 1 WHERE owner = ?", (owner,))
    for known in found.values():
        known.parts = {
            key: replace(part, has_ended=True) if part.owner == owner else part for key, part in known.parts.items()
        }
    changes = _Changes()
    changes.merge((known, (), edits.get(trace_id, ())) for trace_id, known in found.items())
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
    entries: Entries | None = None
    spans: Sequence[Span] = ()
    words: bytes | None = None
    is_damaged: bool = False


class _Merged(NamedTuple):
    """A trace as it is to be: the parts that it keeps, and what they and its edits say together."""

    known: _Known
    parts: Mapping[Key, TracePart]
    trace: Trace
    replaced: AbstractSet[Key]  # of those that the store has; they are written anew
    payloads: Mapping[Key, bytes]  # of those that have arrived

    def old_parts(self) -> list[Key]:
        return [key for key in self.known.parts if key not in self.parts or key in self.replaced]

    def new_parts(self) -> list[tuple[Key, TracePart]]:
        return [each for each in self.parts.items() if each[0] not in self.known.parts or each[0] in self.replaced]


@dataclass
class _Changes:
    """The rows of a batch, to be removed and to be inserted."""

    old_parts: list[Row] = field(default_factory=list)
    old_traces: list[Row] = field(default_factory=list)
    traces: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    postings: PostingChanges = field(default_factory=PostingChanges)
    words: list[tuple[int, bytes | None]] = field(default_factory=list)
    experiments: set[str] = field(default_factory=set)
    hours: HourChanges = field(default_factory=HourChanges)
    emptied: list[str] = field(default_factory=list)

    def merge(self, told: Iterable[tuple[_Known, Sequence[TracePart | PartRow], Sequence[Edit]]]) -> None:
        """Work out what changes when parts arrive for traces, or edits."""
        rest = iter(told)
        while some := list(itertools.islice(rest, _AT_ONCE)):
            merged: list[_Merged] = []
            for known, arrived, edits in some:
                found = _merge(known, arrived, edits)
                if found is not None:
                    merged.append(found)
                elif known.info is not None:
                    self.emptied.append(known.info.trace_id)
            self._add(merged)

    def _add(self, merged: Sequence[_Merged]) -> None:
        """Add the rows of traces: one step after the other, each for all of them.

        What a step needs stays in the caches of the processor then; trace by trace it took an eighth longer.
        """
        for each in merged:
            if each.known.info is not None:
                self._remove(each.known.seq, each.known.info, each.old_parts())
        for each in merged:
            self.experiments.update([part.experiment for part in each.parts.values()])
            self.hours.add(count_of(each.trace.info))
        self.traces += [(each.known.seq, *to_row(each.trace.info, each.trace.data.spans)) for each in merged]
        self.parts += [
            (each.known.seq, *key, each.payloads[key], part.owner, part.has_ended)
            for each in merged
            for key, part in each.new_parts()
        ]
        for each in merged:
            self.postings.change(each.known.entries, entries_of(each.trace.info, each.trace.data.spans, each.known.seq))
        for each in merged:
            words = words_of(each.trace.data.spans)
            if each.known.info is None or words != each.known.words:
                self.words.append((each.known.seq, words))

    def add_ready(self, ready: Ready, seqs: Iterator[int]) -> None:
        """Add traces whose rows are worked out, each with the next of the numbers."""
        numbers = list(itertools.islice(seqs, len(ready.parts)))
        self.traces += [(seq, *row) for seq, row in zip(numbers, ready.traces, strict=True)]
        self.parts += [
            (seq, *part.key, part.payload, part.owner, part.has_ended)
            for seq, part in zip(numbers, ready.parts, strict=True)
        ]
        self.words += zip(numbers, ready.words, strict=True)
        self.experiments.update([part.experiment for part in ready.parts])
        for counted in ready.counted:
            self.hours.add(counted)
        places = [(each.experiment, each.start_ms, seq) for seq, each in zip(numbers, ready.counted, strict=True)]
        self.postings.add_ready(places, ready.postings())

    def _remove(self, seq: int, info: TraceInfo, parts: Iterable[Key]) -> None:
        """Take away the row of a trace, and some of its parts."""
        self.old_traces.append((seq,))
        self.hours.remove(count_of(info))
        self.old_parts += [(seq, *key) for key in parts]


def _merge(known: _Known, told: Sequence[TracePart | PartRow], edits: Sequence[Edit]) -> _Merged | None:
    """Return what becomes of a trace when parts arrive for it, or edits; None where nothing is left of it.

    Raise where what is there of it cannot be read.
    """
    if known.is_damaged:
        raise DamagedPayloadError("a stored trace is damaged, and cannot be changed")
    arrived, payloads = _by_key(told)
    if len(arrived) == 1 and not known.parts and not edits:  # as nearly always: what is done below comes to this
        return _Merged(known, arrived, merge_parts(list(arrived.values())), _NO_KEYS, payloads)
    replaced = {
        key for key, part in arrived.items() if part.has_ended and key in known.parts and not known.parts[key].has_ended
    }
    parts = {**arrived, **known.parts}  # a part that arrives again is what it has become
    parts |= {key: arrived[key] for key in replaced}
    effective = effective_parts(without_discarded(list(parts.values()), edits))
    if not effective:
        return None
    if len(effective) < len(parts):
        kept = {id(part) for part in effective}
        parts = {key: part for key, part in parts.items() if id(part) in kept}
    return _Merged(known, parts, lay_over(merge_parts(effective), edits), replaced, payloads)


def _by_key(told: Sequence[TracePart | PartRow]) -> tuple[dict[Key, TracePart], dict[Key, bytes]]:
    """Return parts that arrive for a trace by what tells them apart, and their payloads."""
    parts: dict[Key, TracePart] = {}
    payloads: dict[Key, bytes] = {}
    for each in told:
        key, payload = to_keyed(each) if isinstance(each, TracePart) else (each.key, each.payload)
        if key not in parts or each.has_ended:
            parts[key] = each if isinstance(each, TracePart) else to_part(payload, each.has_ended)
            payloads[key] = payload
    return parts, payloads


def _apply(connection: sqlite3.Connection, changes: _Changes) -> None:
    connection.executemany("DELETE FROM part WHERE trace = ? AND written_ns = ? AND checksum = ?", changes.old_parts)
    connection.executemany("DELETE FROM trace WHERE seq = ?", changes.old_traces)
    insert_rows(connection, "INSERT INTO trace", changes.traces)
    insert_rows(connection, "INSERT INTO part (trace, written_ns, checksum, payload, owner, has_ended)", changes.parts)
    changes.traces.clear()  # what is in its table is let go of: the words need much room in memory and in the caches
    changes.parts.clear()
    changes.postings.apply(connection)
    if changes.words:
        add_words(connection, changes.words)
    changes.hours.apply(connection)
    experiments = [(int(experiment_id(name)), name) for name in changes.experiments]
    insert_rows(connection, "INSERT OR IGNORE INTO experiment (id, name)", experiments)


def _read_known(connection: sqlite3.Connection, trace_ids: Sequence[str]) -> dict[str, _Known]:
    """Return those of the traces that exist, with all of their parts."""
    found = _read_rows(connection, trace_ids)
    for seqs in chunks(list(found), width=1):
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
    for chunk in chunks(trace_ids, width=1):
        wanted = ", ".join("?" * len(chunk))
        rows = connection.execute(f"SELECT t.seq, {ROW} FROM trace AS t WHERE t.trace_id IN ({wanted})", chunk)
        found.update((row[0], _Known(row[0], to_info(row[1:]))) for row in rows.fetchall())
    return found
