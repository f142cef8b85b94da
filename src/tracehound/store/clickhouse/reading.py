"""Reading what arrived, and traces whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tracehound.errors import StoreError
from tracehound.model.merge import merge_parts, merge_spans
from tracehound.model.record import DecodeError, json_reader, replace
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TraceData, TracePart
from tracehound.query.clickhouse import ROW, as_list
from tracehound.query.evaluate import OfSpans
from tracehound.query.limit import SearchLimit
from tracehound.query.spans import is_true_of_spans
from tracehound.query.sql import Sql, join
from tracehound.store.clickhouse.engine import Engine, Rows
from tracehound.store.clickhouse.rows import PartKey, parts_of, to_info
from tracehound.wire.payload import to_payload

# Each part lies in a place of its own: many are waited for at a time.
_AT_ONCE: Final = "SETTINGS merge_tree_min_rows_for_concurrent_read = 1, merge_tree_min_bytes_for_concurrent_read = 1"
_OF_TRACES: Final = "FROM part WHERE written_ns IN ? AND trace_id IN ?"
_PARTS: Final = f"SELECT trace_id, written_ns, digest, payload {_OF_TRACES} {_AT_ONCE}"
# Of which traces there are versions above the first, the greatest; and with it the texts of parts, in one statement.
_VERSIONS: Final = (
    "SELECT 0, trace_id, toInt64(max(version)) AS number, '' FROM revised WHERE trace_id IN ? GROUP BY trace_id"
)
# Few parts were written at one time, and each says of which trace it is: to read the ids too takes a fifth longer.
_TEXTS: Final = f"SELECT 1, '', written_ns, payload FROM part WHERE written_ns IN ? LIMIT ? {_AT_ONCE}"  # noqa: S608 - our own words
_TEXTS_OF_TRACES: Final = f"SELECT 1, '', written_ns, payload {_OF_TRACES} {_AT_ONCE}"
_SPARE: Final = 2  # times as many parts as times, and still few
_BY_PLACE: Final = (
    f"SELECT {ROW} FROM trace AS t"  # noqa: S608 - our own columns
    " WHERE t.experiment IN ? AND t.start_ms IN ? AND t.trace_id IN ? AND t.is_gone = 0"
)
_UNION: Final = "\nUNION ALL\n"
_AT_A_TIME: Final = 2_000
_FIRST: Final = 1  # the version of a trace of which a part is known, and nothing else
Row: TypeAlias = Sequence[Any]
PartId: TypeAlias = "tuple[str, int, int]"  # of which trace, when it was written, its digest
Place: TypeAlias = "tuple[int, int, str]"  # of a row: its experiment, when the trace began, its id
_read_part: Final[Callable[[bytes], TracePart]] = json_reader(TracePart)


@dataclass(slots=True)  # not frozen: there is one for every trace of a result
class StoredParts:
    """The spans of a trace as its parts were stored (`model.stored_spans`): decoded when they are asked for."""

    texts: Sequence[tuple[str, bool]]
    where: str

    @property
    def payload(self) -> bytes:
        """The spans in the form of `wire.payload`."""
        part = decode_part(*self.texts[0], self.where)
        return to_payload(replace(part, spans=self.read_spans()))

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        return merge_spans([decode_part(*each, self.where) for each in self.texts])

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each."""
        return [span.to_dict() for span in self.read_spans()]


def read_parts(engine: Engine, wanted: Collection[PartId]) -> dict[PartId, TracePart]:
    """Return those of the parts that are there."""
    texts = read_texts(engine, list(wanted))
    return {part_id: decode_part(text, False, engine.where) for part_id, text in texts.items()}  # noqa: FBT003


def read_whole(engine: Engine, rows: Sequence[Sequence[Any]], limit: SearchLimit | None = None) -> dict[str, Trace]:
    """Return the traces of rows (`query.clickhouse.ROW`), by id; one whose parts were erased meanwhile is left out."""
    keys: dict[str, list[PartKey]] = {row[0]: parts_of(row) for row in rows}
    wanted = [(trace_id, key.written_ns, key.digest) for trace_id, parts in keys.items() for key in parts]
    texts = read_texts(engine, wanted, limit)
    return {
        row[0]: Trace(to_info(row), TraceData(StoredParts(own, engine.where)))
        for row in rows
        if (own := _texts_of(row[0], keys[row[0]], texts)) is not None
    }


def latest(engine: Engine, rows: Sequence[Row], limit: SearchLimit | None = None) -> list[Row]:
    """Return the rows, with id and version in front, that nothing has replaced, each once, in their order."""
    if not rows:
        return []
    trace_ids = list({row[0] for row in rows})
    asked = Sql(_VERSIONS, (as_list(trace_ids),))
    return _latest(rows, {trace_id: version for _, trace_id, version, _ in engine.select(asked, limit)})


def _latest(rows: Sequence[Row], versions: Mapping[str, int]) -> list[Row]:
    kept: dict[str, Row] = {}
    for row in rows:
        if row[1] == versions.get(row[0], _FIRST):
            kept.setdefault(row[0], row)
    return list(kept.values())


def read_brief(
    engine: Engine, rows: Sequence[Row], limit: SearchLimit | None = None, asked: Sequence[OfSpans] = ()
) -> tuple[list[Row], dict[str, Trace]]:
    """Return those of brief rows (`query.clickhouse.BRIEF`) that nothing has replaced, and their traces by id.

    Where a part is all that is known of a trace that says everything: the wide columns, of each of which a block would
    be decompressed, need not be read. They are read of the others, and where the part is damaged or one of two. One
    that was erased meanwhile has no trace, and where such a part is all one whose spans do not pass what is asked.
    """
    versions: dict[str, int] = {}
    texts: defaultdict[int, set[str]] = defaultdict(set)
    for at in range(0, len(rows), _AT_A_TIME):
        for is_part, trace_id, number, text in _ask_brief(engine, rows[at : at + _AT_A_TIME], limit):
            if is_part:
                texts[number].add(text)
            else:
                versions[trace_id] = number
    parts: dict[int, list[TracePart]] = {}
    for written_ns, some in texts.items():
        with suppress(StoreError):  # told when somebody asks for the spans
            parts[written_ns] = [decode_part(text, False, engine.where) for text in some]  # noqa: FBT003
    kept = _latest(rows, versions)
    alone: dict[str, TracePart] = {}
    for row in filter(_is_alone, kept):
        own = [part for part in parts.get(row[5][0], ()) if part.trace_id == row[0]]
        if len(own) == 1:
            alone[row[0]] = own[0]
    found = {
        trace_id: merge_parts([part])
        for trace_id, part in alone.items()
        if all(is_true_of_spans(each, merge_spans([part])) for each in asked)
    }
    others = [row for row in kept if row[0] not in alone]
    return kept, found | (read_whole(engine, _read_rows(engine, others, limit), limit) if others else {})


def _is_alone(row: Row) -> bool:
    """Whether nothing is known of the trace of a brief row but one part."""
    return row[1] == _FIRST and len(row[5]) == 1


def _ask_brief(engine: Engine, rows: Sequence[Row], limit: SearchLimit | None) -> Rows:
    """Return the versions of traces, and the parts of those of which nothing else is known, and of others perhaps."""
    trace_ids = list({row[0] for row in rows})
    versions = Sql(_VERSIONS, (as_list(trace_ids),))
    times = sorted({row[5][0] for row in filter(_is_alone, rows)})
    if not times:
        return engine.select(versions, limit)
    most = _SPARE * len(times)
    texts = Sql(_TEXTS, (as_list(times), most))
    found = engine.select(join(_UNION, [versions, texts]), limit)
    if sum(is_part for is_part, *_ in found) < most:
        return found
    texts = Sql(_TEXTS_OF_TRACES, (as_list(times), as_list(sorted(trace_ids))))
    return engine.select(join(_UNION, [versions, texts]), limit)


def _read_rows(engine: Engine, brief: Sequence[Sequence[Any]], limit: SearchLimit | None) -> Sequence[Sequence[Any]]:
    """Return the rows (`query.clickhouse.ROW`) of brief ones; of a trace that has changed meanwhile the latest."""
    found: dict[str, Sequence[Any]] = {}
    wanted = {row[0]: row[1] for row in brief}
    for row in read_rows(engine, [(row[2], row[3], row[0]) for row in brief], limit):
        known = found.get(row[0])
        if known is None or (row[1] == wanted[row[0]], row[1]) > (known[1] == wanted[row[0]], known[1]):
            found[row[0]] = row
    return list(found.values())


def read_rows(engine: Engine, places: Collection[Place], limit: SearchLimit | None = None) -> Rows:
    """Return the rows (`query.clickhouse.ROW`) at some places, those that others have replaced among them."""
    if not places:
        return []
    columns = zip(*places, strict=True)
    return engine.select(Sql(_BY_PLACE, tuple(as_list(list(dict.fromkeys(column))) for column in columns)), limit)


def _texts_of(trace_id: str, keys: Sequence[PartKey], texts: Mapping[PartId, str]) -> list[tuple[str, bool]] | None:
    found = [(texts.get((trace_id, key.written_ns, key.digest)), key.has_ended) for key in keys]
    known = [(text, has_ended) for text, has_ended in found if text is not None]
    return known if len(known) == len(found) else None


def read_texts(engine: Engine, wanted: Sequence[PartId], limit: SearchLimit | None = None) -> dict[PartId, str]:
    """Return those of the parts that are there, as they are stored."""
    found: dict[PartId, str] = {}
    for at in range(0, len(wanted), _AT_A_TIME):
        some = wanted[at : at + _AT_A_TIME]
        times, trace_ids = sorted({each[1] for each in some}), sorted({each[0] for each in some})
        sql = Sql(_PARTS, (as_list(times), as_list(trace_ids)))
        for trace_id, written_ns, digest, text in engine.select(sql, limit):
            found[trace_id, written_ns, digest] = text
    return found


def decode_part(text: str, has_ended: bool, where: str) -> TracePart:  # noqa: FBT001 - a pair of the stored
    """Return a part that is stored, and with what became of its process; raise `StoreError` where it is damaged."""
    try:
        part = _read_part(text.encode())
    except DecodeError as error:
        raise StoreError(f"{where} holds a trace that is damaged and cannot be read") from error
    return replace(part, has_ended=True) if has_ended else part
