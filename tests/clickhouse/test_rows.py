"""Rows of the wide table, of which thousands wait to be inserted."""

from __future__ import annotations

from tests.traces import part, span
from tracehound.model.merge import merge_parts
from tracehound.store.clickhouse.rows import PartKey, Version, to_row
from tracehound.store.clickhouse.schema import TRACE


def test_a_row_has_no_lists_for_python_would_look_for_garbage_in_each() -> None:
    trace = merge_parts([part(span(1), span(2, parent=1), tags={"env": "prod"})])
    row = dict(zip(TRACE.names, to_row(trace, Version(1, 0, [PartKey(1, 2)], ["host:1"])), strict=True))
    assert [name for name, value in row.items() if isinstance(value, list)] == []
    assert (row["part_ns"], row["running"], row["said_name"]) == ((1,), ("host:1",), ())
