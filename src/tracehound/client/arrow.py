"""Search results for columnar tools: a stream of Arrow record batches, and a polars frame made of it.

A million traces with their spans do not fit into memory as one table, so Arrow results are a `RecordBatchReader`: it is
what pyarrow, DuckDB, polars and Parquet writers read from, and holds one batch at a time. Types do not depend on the
values: inputs, outputs and what else can be anything are JSON texts, tags and attributes are maps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tracehound.client.extract import SpanField
from tracehound.model.record import to_json
from tracehound.model.span import INPUTS, OUTPUTS
from tracehound.model.trace import Trace

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def to_reader(pages: Iterator[Sequence[Trace]], fields: Sequence[SpanField]) -> pa.RecordBatchReader:
    """Return a reader with a batch for each page. There is no column `trace`: the others have all of it."""
    import pyarrow as pa

    schema = _schema(fields)
    batches = (pa.RecordBatch.from_pylist([_row(trace, fields) for trace in page], schema) for page in pages if page)
    return pa.RecordBatchReader.from_batches(schema, batches)


def to_polars(pages: Iterator[Sequence[Trace]], fields: Sequence[SpanField]) -> pl.DataFrame:
    """Return a polars frame with the columns of the Arrow reader."""
    import polars as pl

    frame = pl.from_arrow(to_reader(pages, fields).read_all())
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - what polars makes of a table
    return frame


def _schema(fields: Sequence[SpanField]) -> pa.Schema:
    import pyarrow as pa

    texts = pa.map_(pa.string(), pa.string())
    event = pa.struct([("name", pa.string()), ("time_unix_nano", pa.int64()), ("attributes", pa.string())])
    link = pa.struct([("trace_id", pa.string()), ("span_id", pa.string()), ("attributes", pa.string())])
    span = pa.struct(
        [
            *((name, pa.string()) for name in ("trace_id", "span_id", "parent_span_id", "name", "kind")),
            ("start_time_unix_nano", pa.int64()),
            ("end_time_unix_nano", pa.int64()),
            ("events", pa.list_(event)),
            ("status", pa.struct([("code", pa.string()), ("message", pa.string())])),
            ("attributes", texts),
            ("links", pa.list_(link)),
        ]
    )
    columns = {
        "trace_id": pa.string(),
        "client_request_id": pa.string(),
        "state": pa.string(),
        "request_time": pa.int64(),
        "execution_duration": pa.int64(),
        "request": pa.string(),
        "response": pa.string(),
        "trace_metadata": texts,
        "tags": texts,
        "spans": pa.list_(span),
        "assessments": pa.list_(pa.string()),
    }
    return pa.schema([*columns.items(), *((field.name, pa.string()) for field in fields)])


def _row(trace: Trace, fields: Sequence[SpanField]) -> dict[str, Any]:
    info = trace.info
    spans = trace.data.span_dicts()
    extracted = {field.name: _json(field.value(spans)) for field in fields}
    root = spans[0]["attributes"] if spans else {}
    for span in spans:
        span["attributes"] = list(span["attributes"].items())
        for inner in itertools.chain(span["events"], span["links"]):
            inner["attributes"] = _json(inner["attributes"])
    return {
        "trace_id": info.trace_id,
        "client_request_id": info.client_request_id,
        "state": info.state.value,
        "request_time": info.request_time,
        "execution_duration": info.execution_duration,
        "request": root.get(INPUTS),
        "response": root.get(OUTPUTS),
        "trace_metadata": list(info.trace_metadata.items()),
        "tags": list(info.tags.items()),
        "spans": spans,
        "assessments": [_json(each.to_dict()) for each in info.assessments],
        **extracted,
    }


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()
