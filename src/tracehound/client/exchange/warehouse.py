"""Traces as the Parquet files that a SQL warehouse's table is made of (`store.databricks.rows`)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tracehound.client.exchange.columnar import write_groups
from tracehound.client.parquet import require_arrow
from tracehound.model.trace import Trace
from tracehound.store.databricks.rows import COLUMNS, Kind, ListOf, MapOf, to_row

if TYPE_CHECKING:
    import pyarrow as pa


def to_warehouse(pages: Iterable[list[tuple[Trace, str]]]) -> Iterator[bytes]:
    """Yield a Parquet file with the traces of some pages, each with the name of its experiment, as it is written.

    Raise `ArgumentError`, before anything is read, where pyarrow is missing.
    """
    require_arrow()
    return write_groups(pages, to_row, _schema())


@functools.cache
def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, _type_of(kind)) for name, kind in COLUMNS.items()])


def _type_of(kind: Kind | MapOf | ListOf | Mapping[str, Kind]) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, MapOf):
        return pa.map_(pa.string(), _type_of(kind.kind))
    if isinstance(kind, ListOf):
        return pa.list_(_type_of(kind.kind))
    if isinstance(kind, Mapping):
        return pa.struct([(name, _type_of(each)) for name, each in kind.items()])
    plain = {Kind.TEXT: pa.string(), Kind.WHOLE: pa.int64(), Kind.DOUBLE: pa.float64(), Kind.TRUTH: pa.bool_()}
    return plain[kind]
