"""Traces as the rows of a table: the twelve columns of MLflow's newest document, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tracehound.client.extract import SpanField
from tracehound.model.garbage import no_collection
from tracehound.model.span import INPUTS, OUTPUTS
from tracehound.model.trace import Trace
from tracehound.model.values import decode_value

COLUMNS: Final = (
    "trace_id", "trace", "client_request_id", "state", "request_time", "execution_duration",
    "request", "response", "trace_metadata", "tags", "spans", "assessments",
)  # fmt: skip


class Table:
    """The columns of a result as lists, filled page by page; fields of spans are columns behind the twelve."""

    def __init__(self, fields: Sequence[SpanField] = ()) -> None:
        self._fields = fields
        self._columns: list[list[Any]] = [[] for _ in (*COLUMNS, *fields)]

    def add(self, traces: Sequence[Trace]) -> None:
        """Add a row for each trace."""
        with no_collection():
            rows = [self._row(trace) for trace in traces]
        if rows:
            for column, values in zip(self._columns, zip(*rows, strict=True), strict=True):
                column.extend(values)

    def columns(self) -> dict[str, list[Any]]:
        """Return the columns by their names."""
        return dict(zip((*COLUMNS, *(field.name for field in self._fields)), self._columns, strict=True))

    def _row(self, trace: Trace) -> list[Any]:
        info = trace.info
        spans = trace.data.span_dicts()
        root: dict[str, str] = spans[0]["attributes"] if spans else {}
        row: list[Any] = [
            info.trace_id, trace, info.client_request_id, info.state.value, info.request_time, info.execution_duration,
            decoded(root.get(INPUTS)), decoded(root.get(OUTPUTS)), info.trace_metadata, info.tags, spans,
            [each.to_dict() for each in info.assessments],
        ]  # fmt: skip
        if self._fields:
            row += [field.value(spans) for field in self._fields]
        return row


def decoded(text: str | None) -> Any:
    """Return the value of a JSON text, None where there is none."""
    return None if text is None else decode_value(text)
