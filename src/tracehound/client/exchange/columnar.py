"""Whole traces as Parquet: a row a trace, with its spans inside. `docs/operations.md` has the columns.

What can be anything is a JSON text, so that the types do not depend on the values: DuckDB, pandas, polars and Spark
read every file alike. Times of spans are whole numbers of nanoseconds, which Spark has no type of time for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tracehound.client.parquet import require_arrow
from tracehound.errors import ArgumentError
from tracehound.model.assessment import Assessment
from tracehound.model.form import read_document
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import to_json_text
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import Trace, TraceData, TraceInfo, TraceState
from tracehound.model.whole import Whole, to_whole

if TYPE_CHECKING:
    import pyarrow as pa

_SPANS_A_GROUP: Final = 5_000
_TRACES_A_READ: Final = 200


def to_parquet(pages: Iterable[list[tuple[Trace, str]]]) -> Iterator[bytes]:
    """Yield a Parquet file with the traces of some pages, each with the name of its experiment, as it is written.

    Raise `ArgumentError`, before anything is read, where pyarrow is missing.
    """
    require_arrow()
    return write_groups(pages, _row, _schema())


def write_groups(
    pages: Iterable[list[tuple[Trace, str]]], to_row: Callable[[Trace, str], dict[str, Any]], schema: pa.Schema
) -> Iterator[bytes]:
    """Yield a Parquet file with a row for each trace, as it is written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _groups(pages, to_row):
            writer.write_batch(pa.RecordBatch.from_pylist(group, schema))
            yield sink.take()
    yield sink.take()


def _groups(
    pages: Iterable[list[tuple[Trace, str]]], to_row: Callable[[Trace, str], dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows, as many at a time as make a row group that is worth it."""
    rows: list[dict[str, Any]] = []
    spans = 0
    for page in pages:
        rows += [to_row(trace, experiment) for trace, experiment in page]
        spans += sum(len(trace.data.spans) for trace, _ in page)
        if spans >= _SPANS_A_GROUP:
            yield rows
            rows, spans = [], 0
    if rows:
        yield rows


class _Sink:
    """Where Parquet is written to: bytes that are taken away as they come."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def write(self, data: Any) -> int:
        """Take bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._length

    def flush(self) -> None:
        """Do nothing: all is there."""

    def close(self) -> None:
        """Do nothing: what was written is taken afterwards."""

    def take(self) -> bytes:
        """Return what was written since."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


@functools.cache
def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number, texts = pa.string(), pa.int64(), pa.map_(pa.string(), pa.string())
    event = pa.struct([("name", text), ("time_unix_nano", number), ("attributes", texts)])
    link = pa.struct([("trace_id", text), ("span_id", text), ("attributes", texts)])
    span = pa.struct(
        [
            *((name, text) for name in ("span_id", "parent_id", "name", "type", "kind", "status", "status_message")),
            ("start_time_unix_nano", number),
            ("end_time_unix_nano", number),
            ("inputs", text),
            ("outputs", text),
            ("attributes", texts),
            ("events", pa.list_(event)),
            ("links", pa.list_(link)),
        ]
    )
    columns = {
        **dict.fromkeys(("trace_id", "experiment", "name", "state"), text),
        "request_time": pa.timestamp("ms", "UTC"),
        "execution_duration_ms": number,
        **dict.fromkeys(("request_preview", "response_preview", "client_request_id"), text),
        "tags": texts,
        "metadata": texts,
        "assessments": pa.list_(text),
        "spans": pa.list_(span),
    }
    return pa.schema(list(columns.items()))


def _row(trace: Trace, experiment: str) -> dict[str, Any]:
    info = trace.info
    return {
        "trace_id": info.trace_id,
        "experiment": experiment,
        "name": info.name,
        "state": info.state.value,
        "request_time": info.request_time,
        "execution_duration_ms": info.execution_duration,
        "request_preview": info.request_preview,
        "response_preview": info.response_preview,
        "client_request_id": info.client_request_id,
        "tags": sorted(info.tags.items()),
        "metadata": sorted(info.trace_metadata.items()),
        "assessments": [to_json_text(each.to_dict()) for each in info.assessments],
        "spans": [_span_row(span) for span in trace.data.spans],
    }


def _span_row(span: Span) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "type": span.span_type,
        "kind": span.kind,
        "status": span.status.status_code.value,
        "status_message": span.status.description,
        "start_time_unix_nano": span.start_time_ns,
        "end_time_unix_nano": span.end_time_ns,
        "inputs": span.inputs_json,
        "outputs": span.outputs_json,
        "attributes": list(span.attributes_json.items()),
        "events": [
            {"name": each.name, "time_unix_nano": each.timestamp_ns, "attributes": list(each.attributes_json.items())}
            for each in span.event_records
        ],
        "links": [
            {"trace_id": each.trace_id, "span_id": each.span_id, "attributes": list(each.attributes_json.items())}
            for each in span.link_records
        ],
    }


def read_parquet(path: Path) -> Iterator[Whole]:
    """Yield the traces of a file that `to_parquet` wrote; raise `ArgumentError` for one with other columns."""
    require_arrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        missing = [name for name in _schema().names if name not in file.schema_arrow.names]
        if missing:
            raise ArgumentError(
                f"{path} is no export of traces, it has no column {missing[0]!r}: `tracehound export --format parquet`"
                " writes one, and that of `search` holds what a table shows"
            )
        for batch in file.iter_batches(_TRACES_A_READ, columns=_schema().names):
            yield from map(_from_row, batch.cast(_schema()).to_pylist())
    except pa.ArrowException as error:
        raise ArgumentError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _from_row(row: dict[str, Any]) -> Whole:
    trace_id = row["trace_id"]
    tags = dict(row["tags"])
    info = TraceInfo(
        trace_id=trace_id,
        experiment_id="",
        request_time=0,
        execution_duration=row["execution_duration_ms"],
        state=TraceState(row["state"]),
        name=row["name"],
        request_preview=row["request_preview"],
        response_preview=row["response_preview"],
        client_request_id=row["client_request_id"],
        trace_metadata=dict(row["metadata"]),
        tags=tags,
        assessments=[Assessment.from_dict(read_document(text)) for text in row["assessments"]],
    )
    return to_whole(Trace(info, TraceData([_to_span(trace_id, each) for each in row["spans"]])), row["experiment"])


def _to_span(trace_id: str, row: dict[str, Any]) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        name=row["name"],
        start_time_ns=row["start_time_unix_nano"],
        end_time_ns=row["end_time_unix_nano"],
        status=SpanStatus(SpanStatusCode(row["status"]), row["status_message"]),
        span_type=row["type"],
        inputs_json=row["inputs"],
        outputs_json=row["outputs"],
        attributes_json=dict(row["attributes"]),
        event_records=tuple(
            RecordedEvent(each["name"], each["time_unix_nano"], dict(each["attributes"])) for each in row["events"]
        ),
        link_records=tuple(
            RecordedLink(each["trace_id"], each["span_id"], dict(each["attributes"])) for each in row["links"]
        ),
        kind=row["kind"],
    )
