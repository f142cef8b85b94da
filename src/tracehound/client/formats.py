"""Rows for other programs: JSON lines, JSON, CSV and Parquet, in UTF-8 whatever the terminal speaks.

Times are milliseconds since the epoch and lengths of time milliseconds, as filters take them. Each is made piece by
piece as it is read, all but the table of Parquet's footer, so that memory stays flat: in a file, in a pipe, over HTTP.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from tracehound.client.named_columns import Column, Shape
from tracehound.client.parquet import ColumnType, to_parquet
from tracehound.model.record import to_json
from tracehound.model.trace import Trace

ROW_FORMATS: Final = ("jsonl", "json", "csv")
FORMATS: Final = (*ROW_FORMATS, "parquet")

Rows: TypeAlias = "Iterable[Mapping[str, Any]]"
_TYPES: Final[dict[Shape, ColumnType]] = {
    Shape.TIME: "number", Shape.NUMBER: "number", Shape.AMOUNT: "amount", Shape.MAP: "map"
}  # fmt: skip


def to_json_lines(rows: Rows) -> Iterator[bytes]:
    """Yield an object a line."""
    for row in rows:
        yield to_json(row) + b"\n"


def to_json_list(rows: Rows) -> Iterator[bytes]:
    """Yield one list of objects."""
    before = b"[\n"
    for row in rows:
        yield before + to_json(row)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def to_csv(rows: Rows, headings: Sequence[str]) -> Iterator[bytes]:
    """Yield a heading and a line for each row; what is absent is empty."""
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\n")

    def written(values: Iterable[Any]) -> bytes:
        writer.writerow(values)
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text.encode()

    yield written(headings)
    for row in rows:
        yield written("" if (value := row[heading]) is None else value for heading in headings)


def encode_traces(form: str, traces: Iterable[Trace], columns: Sequence[Column]) -> Iterator[bytes]:
    """Return traces in one of the formats, in pieces; in CSV what is no text or number is JSON."""
    if form == "parquet":
        return _to_parquet(traces, columns)
    if form == "csv":
        rows = ({column.heading: _flat(column, trace) for column in columns} for trace in traces)
        return to_csv(rows, [column.heading for column in columns])
    objects = ({column.heading: column.value(trace) for column in columns} for trace in traces)
    return (to_json_list if form == "json" else to_json_lines)(objects)


def _to_parquet(traces: Iterable[Trace], columns: Sequence[Column]) -> Iterator[bytes]:
    """Return a Parquet file: numbers as whole numbers, tags and metadata as maps, what has no type as JSON."""
    rows = ({each.heading: _flat(each, trace, keeps_maps=True) for each in columns} for trace in traces)
    return to_parquet(rows, {each.heading: _TYPES.get(each.shape, "text") for each in columns})


def _flat(column: Column, trace: Trace, *, keeps_maps: bool = False) -> Any:
    value = column.value(trace)
    is_flat = column.shape is not Shape.JSON and (keeps_maps or column.shape is not Shape.MAP)
    return value if is_flat or value is None else to_json(value).decode()
