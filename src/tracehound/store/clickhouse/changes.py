"""Writing a batch, without a transaction: every step can be done again, by anyone, and changes nothing then.

What arrived is kept first (`part`, `said`). Then what is known of the traces is read, all of it, by whomever it was
written; what follows from that is a row of `trace`, and its version is the number of things that are known. Nothing
that is known is ever forgotten while a trace is there. So of two writers the one that has read later knows at least
what the other one knows, and its row counts, in whatever order the two rows arrive. The position of the segment is
written last (`store.clickhouse.store`): a batch that was cut short is written again.

Most traces come in one part, of which nothing else is known. While the engine takes in what arrived, their rows are
made as if that were so of all; what is read then says of which it is.
"""

from __future__ import annotations

import zlib
from collections import ChainMap, Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Final

from tracehound.model.edit import Change, Deletion, Edit, Facts, latest_edits, lay_over
from tracehound.model.garbage import no_collection
from tracehound.model.ids import experiment_id
from tracehound.model.merge import as_written, merge_parts
from tracehound.model.record import to_json, to_msgpack
from tracehound.model.trace import TracePart
from tracehound.query.clickhouse import as_list
from tracehound.query.sql import Sql
from tracehound.store.clickhouse import known
from tracehound.store.clickhouse.behind import Behind, inserting_behind
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.reading import PartId, read_parts
from tracehound.store.clickhouse.rows import PartKey, Version, to_row
from tracehound.store.clickhouse.schema import EXPERIMENT, FACT, PART, SAID, TRACE

# A row takes a third less time to insert than where it is one of 1,000. Of the 8,000 traces of a batch the first piece
# takes as long as the engine does with what arrived, and the second, which it alone is left with, is the smaller one.
_TRACES_AT_A_TIME: Final = 5_000
_MANY_TRACES: Final = 500
_MERGED_AT_A_TIME: Final = 32
_ASKED_BYTES: Final = 400_000  # of ids in one statement: those of 10,000 traces that have the ids of OpenTelemetry
_HEADS_OF: Final = (
    "SELECT trace_id, experiment, start_ms, max(version), argMax(is_gone, version), argMax(arrived, version)"
    " FROM head WHERE trace_id IN ? GROUP BY trace_id, experiment, start_ms"
)
_IN_MANY_PLACES: Final = (
    "SELECT trace_id FROM head WHERE trace_id IN ?{} GROUP BY trace_id"
    " HAVING min(start_ms) != max(start_ms) OR min(experiment) != max(experiment)"
)
_FILES: Final = "SELECT _part FROM head WHERE _part_offset = 0"
_GONE: Final = ("experiment", "start_ms", "trace_id", "version", "is_gone")  # nothing else is looked at there
_KINDS_GONE: Final = {name: TRACE.kinds[name] for name in _GONE}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class _Head:
    """A place at which a trace stands, or stood."""

    experiment: int
    start_ms: int
    version: int
    is_gone: bool
    arrived: int


_NOWHERE: Final = _Head(experiment=-1, start_ms=0, version=0, is_gone=True, arrived=0)


def write_changes(engine: Engine, changes: Sequence[Change], now_ns: int) -> None:
    """Apply parts, edits, deletions and facts, in any order; `now_ns` numbers the traces that are new."""
    arrived = [change for change in changes if isinstance(change, TracePart)]
    parts = {_id_of(part): as_written(part) for part in arrived}
    said = [_said(change) for change in changes if isinstance(change, (Edit, Deletion))]
    said += [(part_id[0], known.PART, "", "", *part_id[1:], part.owner or "", None) for part_id, part in parts.items()]
    said += [_ended(_id_of(part)) for part in arrived if part.has_ended]
    payloads = [(written_ns, trace_id, digest, to_json(part)) for (trace_id, written_ns, digest), part in parts.items()]
    experiments = {part.experiment for part in parts.values()}
    facts = [row for change in changes if isinstance(change, Facts) for row in _facts(change)]
    # What cannot be stored has been refused by now: nothing of the batch is there yet.
    with inserting_behind(engine) as behind:
        seen = behind.ask(partial(_files_of_heads, engine, len(changes)))
        behind.insert(FACT, facts)
        behind.insert(EXPERIMENT, [(int(experiment_id(name)), name) for name in experiments])
        behind.insert(PART, sorted(payloads, key=itemgetter(0, 1, 2)))
        behind.insert(SAID, sorted(said, key=itemgetter(*range(6))))
        _bring_up(engine, behind, seen(), {row[0] for row in said}, parts, now_ns)


def end_parts(engine: Engine, owner: str, now_ns: int) -> None:
    """Note that the process of snapshots is gone, and bring their traces up."""
    text = "SELECT DISTINCT trace_id, written_ns, digest FROM said WHERE kind = ? AND owner = ?"
    running = [tuple(row) for row in engine.select(Sql(text, (known.PART, owner)))]
    seen = _files_of_heads(engine, len(running))
    with inserting_behind(engine) as behind:
        behind.insert(SAID, [_ended(each) for each in running])
        _bring_up(engine, behind, seen, {each[0] for each in running}, {}, now_ns)


def _bring_up(
    engine: Engine,
    behind: Behind,
    seen: Sequence[str],
    trace_ids: Collection[str],
    in_hand: dict[PartId, TracePart],
    now_ns: int,
) -> None:
    """Bring the rows of traces up to what is known of them, of each at least one thing that has just been inserted."""
    ordered = list(dict.fromkeys([*(part_id[0] for part_id in in_hand), *trace_ids]))
    numbers = {trace_id: now_ns + at for at, trace_id in enumerate(ordered)}
    alone = _alone(in_hand)
    for some in _few(ordered):
        # All at once: ids are anywhere in the tables, and to look for a thousand reads nearly as much as for all.
        more_by = behind.ask(partial(known.read_more, engine, some))
        heads_by = behind.ask(partial(_read_heads, engine, some))
        for at in range(0, len(some), _TRACES_AT_A_TIME):
            piece = some[at : at + _TRACES_AT_A_TIME]
            ready = _rows_alone({alone[each]: in_hand[alone[each]] for each in piece if each in alone}, numbers)
            more, heads = more_by(), heads_by()
            made = [row for trace_id, row in ready.items() if trace_id not in more and trace_id not in heads]
            others = [each for each in piece if each in more or each in heads or each not in ready]
            told = {each: more.get(each) or _known_alone(alone.get(each), in_hand) for each in others}
            changed = _changes_of(engine, told, heads, in_hand, numbers)
            line = behind.beside()  # a trace is of one piece only
            line.insert(TRACE, _in_order(made + [row for row, _ in changed if row is not None]))
            line.insert(TRACE, _in_order([row for _, gone in changed for row in gone]), _GONE)
    behind.wait()
    for some in _few(ordered):
        _clear_up(engine, some, seen)


def _alone(in_hand: Iterable[PartId]) -> dict[str, PartId]:
    """Return by trace the parts that are the only ones of theirs in a batch."""
    counts = Counter(part_id[0] for part_id in in_hand)
    return {part_id[0]: part_id for part_id in in_hand if counts[part_id[0]] == 1}


def _known_alone(part_id: PartId | None, in_hand: Mapping[PartId, TracePart]) -> known.Known:
    """Return what is known of a trace of which no more is known than that part; without one it was erased meanwhile."""
    return known.Known() if part_id is None else known.Known({part_id: in_hand[part_id].owner or ""}, count=1)


def _rows_alone(parts: Mapping[PartId, TracePart], numbers: Mapping[str, int]) -> dict[str, Row]:
    """Return the rows of traces of which nothing but a part is known, and that are new, by trace.

    A few are merged before their rows are made: it takes a fifth less time than to go from one to the other.
    """
    found: dict[str, Row] = {}
    part_ids = list(parts)
    with no_collection():
        for at in range(0, len(part_ids), _MERGED_AT_A_TIME):
            some = part_ids[at : at + _MERGED_AT_A_TIME]
            traces = [merge_parts([parts[part_id]]) for part_id in some]
            for part_id, trace in zip(some, traces, strict=True):
                owner = parts[part_id].owner
                version = Version(1, numbers[part_id[0]], [PartKey(*part_id[1:])], [] if owner is None else [owner])
                found[part_id[0]] = to_row(trace, version)
    return found


def _in_order(rows: list[Row]) -> list[Row]:
    """Return rows in the order of the table, in which the engine would bring them, a column after the other."""
    return sorted(rows, key=itemgetter(0, 1, 2))


def _few(trace_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield traces as many at a time as one statement asks for."""
    longest = max((len(each.encode()) for each in trace_ids), default=0)
    at_a_time = max(1, _ASKED_BYTES // (longest + 4))  # with what stands around each
    for at in range(0, len(trace_ids), at_a_time):
        yield trace_ids[at : at + at_a_time]


def _changes_of(
    engine: Engine,
    told: Mapping[str, known.Known],
    heads: Mapping[str, list[_Head]],
    in_hand: dict[PartId, TracePart],
    numbers: Mapping[str, int],
) -> list[tuple[Row | None, list[Row]]]:
    """Return what `_change` does of each trace, of which that is known."""
    wanted = {part_id for each in told.values() if not each.is_deleted for part_id in each.parts}
    parts = ChainMap(in_hand, read_parts(engine, wanted - in_hand.keys()))
    return [
        _change(trace_id, each, heads.get(trace_id, []), parts, numbers[trace_id]) for trace_id, each in told.items()
    ]


def _change(
    trace_id: str,
    told: known.Known,
    heads: Sequence[_Head],
    parts: Mapping[PartId, TracePart],
    number: int,
) -> tuple[Row | None, list[Row]]:
    """Return the row of what is known of a trace, unless that is there, and those that end where it stood before."""
    standing = [head for head in heads if not head.is_gone]
    made: Row | None = None
    effective = told.effective(parts)
    if effective:
        newest = max(standing, key=lambda head: head.version, default=None)
        version = Version(
            told.count,
            newest.arrived if newest is not None else number,
            [PartKey(each[1], each[2], each in told.ended) for each in effective],
            sorted({part.owner for part in effective.values() if part.owner is not None and not part.has_ended}),
        )
        made = to_row(lay_over(merge_parts(list(effective.values())), latest_edits(told.edits)), version)
    place = None if made is None else made[:2]
    gone = [head for head in standing if (head.experiment, head.start_ms) != place]
    is_there = any((head.experiment, head.start_ms) == place and head.version >= told.count for head in standing)
    if made is None and told.parts:
        gone.append(_NOWHERE)  # so that a writer who knows less, and has found no place to leave, sees that it does
    return None if is_there else made, [_gone(head, trace_id, told.count) for head in gone]


def _files_of_heads(engine: Engine, count: int) -> list[str]:
    """Return the files that `head` is in now; none where so few traces take no longer to look for than to ask this.

    And none where there are several servers, which have files of one name.
    """
    is_worth_it = count >= _MANY_TRACES and not engine.address.cluster
    return [name for (name,) in engine.select(Sql(_FILES))] if is_worth_it else []


def _clear_up(engine: Engine, trace_ids: Sequence[str], seen: Sequence[str]) -> None:
    """Take away where traces stand for writers that knew less, and wrote at the same time as this one.

    Each writer looks after it has written: the later one sees both places. Files that this writer has seen before it
    looked at what is known need no other look: it knew all that whoever wrote there did.
    """
    others = Sql(" AND _part NOT IN ?", (as_list(seen),)) if seen else Sql("")
    found = engine.select(Sql(_IN_MANY_PLACES.format(others.text), (as_list(trace_ids), *others.parameters)))
    if not found:
        return
    rows: list[Row] = []
    for trace_id, heads in _read_heads(engine, [trace_id for (trace_id,) in found]).items():
        newest = max(head.version for head in heads)
        rows += [_gone(head, trace_id, newest) for head in heads if not head.is_gone and head.version < newest]
    engine.insert(TRACE.name, _KINDS_GONE, _in_order(rows))


def _gone(head: _Head, trace_id: str, version: int) -> Row:
    return head.experiment, head.start_ms, trace_id, version, 1


def _read_heads(engine: Engine, trace_ids: Sequence[str]) -> dict[str, list[_Head]]:
    found: defaultdict[str, list[_Head]] = defaultdict(list)
    for trace_id, experiment, start_ms, version, is_gone, arrived in engine.select(
        Sql(_HEADS_OF, (as_list(trace_ids),))
    ):
        found[trace_id].append(_Head(experiment, start_ms, version, bool(is_gone), arrived))
    return found


def _id_of(part: TracePart) -> PartId:
    return part.trace_id, part.written_ns, zlib.crc32(to_msgpack(as_written(part)))


def _ended(part_id: PartId) -> Row:
    trace_id, written_ns, digest = part_id
    return trace_id, known.ENDED, "", "", written_ns, digest, "", None


def _said(change: Edit | Deletion) -> Row:
    digest = zlib.crc32(to_msgpack(change))
    if isinstance(change, Deletion):
        return change.trace_id, known.DELETION, "", "", change.written_ns, digest, "", None
    return change.trace_id, known.EDIT, change.kind, change.key, change.written_ns, digest, "", change.value


def _facts(facts: Facts) -> list[Row]:
    return [
        (facts.kind, facts.subject, key, facts.written_ns, zlib.crc32((value or "\0").encode()), value)
        for key, value in facts.values.items()
    ]
