"""Rows -> the bytes of a Parquet file, some at a time, so that memory stays flat."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from tracehound.errors import ArgumentError

ColumnType: TypeAlias = Literal["text", "number", "amount", "map"]
ARROW_LINE: Final = "pip install 'tracehound[arrow]'"
_ROWS_AT_A_TIME: Final = 1_000
_LETTERS_AT_A_TIME: Final = 1_000_000


def has_arrow() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def require_arrow() -> None:
    """Raise `ArgumentError` where pyarrow is not installed."""
    if not has_arrow():
        raise ArgumentError(f"Parquet needs pyarrow: {ARROW_LINE}")


def to_parquet(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, ColumnType]) -> Iterator[bytes]:
    """Yield rows, whose values are texts, whole or other numbers or mappings of texts as their columns say, or None."""
    require_arrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.map_(pa.string(), pa.string())
    types = {"text": pa.string(), "number": pa.int64(), "amount": pa.float64(), "map": texts}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for chunk in _chunks(rows):
            arrays = [
                pa.array([_plain(row[name], kind) for row in chunk], types[kind]) for name, kind in columns.items()
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that hands over what was written to it, and keeps none of it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since this was asked last."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _plain(value: Any, kind: ColumnType) -> Any:
    return list(value.items()) if kind == "map" and value is not None else value


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield rows, as many at a time as make a group that is worth it, and fewer where their texts are long."""
    chunk: list[Mapping[str, Any]] = []
    length = 0
    for row in rows:
        chunk.append(row)
        length += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(chunk) == _ROWS_AT_A_TIME or length > _LETTERS_AT_A_TIME:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk
