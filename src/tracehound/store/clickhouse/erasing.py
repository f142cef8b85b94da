"""Erasing: the only place that changes what is stored, and only when nothing more of a trace is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracehound.query.clickhouse import as_list
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Engine, bind
from tracehound.store.clickhouse.known import those_there
from tracehound.store.clickhouse.schema import OF_TRACES, SAID

_STEP: Final = 1_000
_DELETED: Final = (
    "SELECT trace_id FROM said WHERE kind = 'deletion' GROUP BY trace_id HAVING max(written_ns) < ? LIMIT ?"
)
_EDITED: Final = (
    "SELECT DISTINCT trace_id FROM said WHERE kind = 'edit' AND written_ns < ? AND trace_id > ?"
    " ORDER BY trace_id LIMIT ?"
)


def forget_before(engine: Engine, before_ns: int) -> None:
    """Erase the traces that were deleted before a time, and forget edits of before it that wait for a trace."""
    while deleted := [row[0] for row in engine.select(Sql(_DELETED, (before_ns, _STEP)))]:
        # What says that it was deleted goes last: who is interrupted begins again.
        for table in sorted(OF_TRACES, key=lambda each: each is SAID):
            _erase(engine, table.name, Sql("trace_id IN ?", (as_list(deleted),)))
    last = ""
    while edited := [row[0] for row in engine.select(Sql(_EDITED, (before_ns, last, _STEP)))]:
        there = those_there(engine, edited)
        waiting: Sequence[str] = [each for each in edited if each not in there]
        if waiting:
            _forget_waiting(engine, waiting, before_ns)
        last = edited[-1]


def _forget_waiting(engine: Engine, trace_ids: Sequence[str], before_ns: int) -> None:
    """Forget edits of traces that are not there, and what edits have left nothing of."""
    which = Sql("trace_id IN ?", (as_list(trace_ids),))
    for table in OF_TRACES:
        if table is not SAID:
            _erase(engine, table.name, which)
    text = f"{which.text} AND (kind != 'edit' OR written_ns < ?)"
    _erase(engine, SAID.name, Sql(text, (*which.parameters, before_ns)))


def _erase(engine: Engine, table: str, which: Sql) -> None:
    cluster = engine.address.cluster
    place = f"{table}_local ON CLUSTER {cluster}" if cluster else table
    text, values = bind(which)
    engine.run(f"DELETE FROM {place} WHERE {text} SETTINGS lightweight_deletes_sync = 2", values)  # noqa: S608 - our own tables
