"""Traces for other programs: JSON lines, JSON, CSV and Parquet, in UTF-8 whatever the terminal speaks.

Times are milliseconds since the epoch and lengths of time milliseconds, as filters take them. All but the table of
Parquet's footer is written as it is read, so that memory stays flat.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, Final

from tracehound.cli.columns import Column, Shape
from tracehound.model.record import to_json
from tracehound.model.trace import Trace


def write_json_lines(traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write an object a line."""
    for trace in traces:
        out.write(to_json(_row(columns, trace)) + b"\n")


def write_json(traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write one list of objects."""
    before = b"[\n"
    for trace in traces:
        out.write(before + to_json(_row(columns, trace)))
        before = b",\n"
    out.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def write_csv(traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write a heading and a row for each trace; what is absent is empty, what is no text or number is JSON."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.heading for column in columns])
        for trace in traces:
            writer.writerow(["" if (value := _flat(column, trace)) is None else value for column in columns])
    finally:
        text.detach()  # whoever opened it closes it


def write_parquet(traces: Iterable[Trace], columns: Sequence[Column], out: IO[bytes]) -> None:
    """Write a Parquet file: numbers as whole numbers, tags and metadata as maps, what has no type as JSON."""
    from tracehound.client.parquet import write_parquet as write

    rows = ({each.heading: _flat(each, trace, keeps_maps=True) for each in columns} for trace in traces)
    types = {Shape.TIME: "number", Shape.NUMBER: "number", Shape.AMOUNT: "amount", Shape.MAP: "map"}
    write(rows, {each.heading: types.get(each.shape, "text") for each in columns}, out)  # type: ignore[misc]


WRITERS: Final[dict[str, Callable[[Iterable[Trace], Sequence[Column], IO[bytes]], None]]] = {
    "jsonl": write_json_lines,
    "json": write_json,
    "csv": write_csv,
    "parquet": write_parquet,
}


def _row(columns: Sequence[Column], trace: Trace) -> dict[str, Any]:
    return {column.heading: column.value(trace) for column in columns}


def _flat(column: Column, trace: Trace, *, keeps_maps: bool = False) -> Any:
    value = column.value(trace)
    is_flat = column.shape is not Shape.JSON and (keeps_maps or column.shape is not Shape.MAP)
    return value if is_flat or value is None else to_json(value).decode()
