"""Rows for other programs: JSON lines, JSON, CSV and Parquet, in UTF-8 whatever the terminal speaks.

Times are milliseconds since the epoch and lengths of time milliseconds, as filters take them. All but the table of
Parquet's footer is written as it is read, so that memory stays flat.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Final, TypeAlias

from tracehound.cli.columns import Column, Shape
from tracehound.model.record import to_json
from tracehound.model.trace import Trace

ROW_FORMATS: Final = ("jsonl", "json", "csv")
FORMATS: Final = (*ROW_FORMATS, "parquet")

Rows: TypeAlias = "Iterable[Mapping[str, Any]]"


def write_json_lines(rows: Rows, out: IO[bytes]) -> None:
    """Write an object a line."""
    for row in rows:
        out.write(to_json(row) + b"\n")


def write_json(rows: Rows, out: IO[bytes]) -> None:
    """Write one list of objects."""
    before = b"[\n"
    for row in rows:
        out.write(before + to_json(row))
        before = b",\n"
    out.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def write_csv(rows: Rows, headings: Sequence[str], out: IO[bytes]) -> None:
    """Write a heading and a line for each row; what is absent is empty."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(headings)
        for row in rows:
            writer.writerow(["" if (value := row[heading]) is None else value for heading in headings])
    finally:
        text.detach()  # whoever opened it closes it


def write_traces(form: str, traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write traces in one of the formats; in CSV what is no text or number is JSON."""
    if form == "parquet":
        _write_parquet(traces, columns, out)
    elif form == "csv":
        rows = ({column.heading: _flat(column, trace) for column in columns} for trace in traces)
        write_csv(rows, [column.heading for column in columns], out)
    else:
        objects = ({column.heading: column.value(trace) for column in columns} for trace in traces)
        (write_json if form == "json" else write_json_lines)(objects, out)


def _write_parquet(traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write a Parquet file: numbers as whole numbers, tags and metadata as maps, what has no type as JSON."""
    from tracehound.client.parquet import write_parquet as write

    rows = ({each.heading: _flat(each, trace, keeps_maps=True) for each in columns} for trace in traces)
    types = {Shape.TIME: "number", Shape.NUMBER: "number", Shape.AMOUNT: "amount", Shape.MAP: "map"}
    write(rows, {each.heading: types.get(each.shape, "text") for each in columns}, out)  # type: ignore[misc]


def _flat(column: Column, trace: Trace, *, keeps_maps: bool = False) -> Any:
    value = column.value(trace)
    is_flat = column.shape is not Shape.JSON and (keeps_maps or column.shape is not Shape.MAP)
    return value if is_flat or value is None else to_json(value).decode()
