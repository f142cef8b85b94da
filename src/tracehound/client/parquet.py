"""Rows -> a Parquet file, some at a time, so that memory stays flat."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, Literal, TypeAlias

from tracehound.errors import ArgumentError

ColumnType: TypeAlias = Literal["text", "number", "amount", "map"]
_ROWS_AT_A_TIME: Final = 1_000


def require_arrow() -> None:
    """Raise `ArgumentError` where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise ArgumentError("Parquet needs pyarrow: pip install 'tracehound[arrow]'")


def write_parquet(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, ColumnType], destination: IO[bytes]) -> None:
    """Write rows, whose values are texts, whole or other numbers or mappings of texts as their columns say, or None."""
    require_arrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.map_(pa.string(), pa.string())
    types = {"text": pa.string(), "number": pa.int64(), "amount": pa.float64(), "map": texts}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(destination, schema, compression="zstd") as writer:
        for chunk in _chunks(rows):
            arrays = [
                pa.array([_plain(row[name], kind) for row in chunk], types[kind]) for name, kind in columns.items()
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _plain(value: Any, kind: ColumnType) -> Any:
    return list(value.items()) if kind == "map" and value is not None else value


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(rows)
    while chunk := list(itertools.islice(rest, _ROWS_AT_A_TIME)):
        yield chunk
