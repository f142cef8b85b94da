"""What statistics of all traces are made of: a row for each hour and name, kept up with each batch.

What a trace adds is taken away again when it changes or goes. That tells everything but the extremes: where one of them
may have gone, the traces of the hour are asked.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.model.record import from_json, to_json
from tracehound.model.summary import SUMMED, Summary
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.query.numbers import number_at
from tracehound.query.sql import marks
from tracehound.store.sqlite.faults import damaged_structures

HOUR_MS: Final = 3_600_000

Key: TypeAlias = tuple[int, int, str]  # experiment, hour, name

_READ: Final = "SELECT sums, buckets, counts FROM hour WHERE experiment = ? AND hour = ? AND name = ?"
_EXTREMES: Final = (
    "SELECT min(duration_ms), max(duration_ms) FROM trace INDEXED BY trace_by_start"
    " WHERE experiment = ? AND start_ms BETWEEN ? AND ? AND name = ?"
)


@dataclass
class _Change:
    """What becomes of one row: what is added to it, less what is taken away."""

    summary: Summary = field(default_factory=Summary)
    gone_ms: set[int] = field(default_factory=set)  # durations that were taken away


class HourChanges:
    """What a batch changes of the hours."""

    def __init__(self) -> None:
        self._changes: dict[Key, _Change] = {}

    def add(self, info: TraceInfo) -> None:
        """Add a trace."""
        change = self._change(info)
        change.summary.join(_summary_of(info))

    def remove(self, info: TraceInfo) -> None:
        """Take a trace away."""
        change, less = self._change(info), _summary_of(info)
        into = change.summary
        into.count -= less.count
        into.errors -= less.errors
        into.ended -= less.ended
        into.sum_ms -= less.sum_ms
        for bucket, count in less.buckets.items():
            into.buckets[bucket] = into.buckets.get(bucket, 0) - count
        for name, value in less.sums.items():
            into.add_number(name, -value, -less.having[name])
        if info.execution_duration is not None:
            change.gone_ms.add(info.execution_duration)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Change the rows; the traces have been changed before."""
        rows = []
        emptied: list[Key] = []
        for key, change in self._changes.items():
            found = connection.execute(_READ, key).fetchone()
            summary = Summary() if found is None else _from_row(*found)
            summary.join(change.summary)
            if summary.count == 0:
                emptied.append(key)
                continue
            if not change.gone_ms.isdisjoint((summary.least_ms, summary.most_ms)):
                experiment, hour, name = key
                of_hour = (experiment, hour * HOUR_MS, (hour + 1) * HOUR_MS - 1, name)
                summary.least_ms, summary.most_ms = connection.execute(_EXTREMES, of_hour).fetchone()
            rows.append((*key, *_to_row(summary)))
        connection.executemany("DELETE FROM hour WHERE experiment = ? AND hour = ? AND name = ?", emptied)
        connection.executemany(
            "INSERT INTO hour (experiment, hour, name, sums, buckets, counts) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (experiment, hour, name)"
            " DO UPDATE SET sums = excluded.sums, buckets = excluded.buckets, counts = excluded.counts",
            rows,
        )

    def _change(self, info: TraceInfo) -> _Change:
        key = (int(info.experiment_id), info.request_time // HOUR_MS, info.name)
        return self._changes.setdefault(key, _Change())


def read_hours(connection: sqlite3.Connection, experiments: Sequence[int]) -> Iterator[tuple[int, str, Summary]]:
    """Yield each row of the experiments: its hour and name, and what its traces add up to."""
    text = f"SELECT hour, name, sums, buckets, counts FROM hour WHERE experiment IN ({marks(experiments)})"  # noqa: S608 - question marks
    for hour, name, *found in connection.execute(text, experiments):
        yield hour, name, _from_row(*found)


def _summary_of(info: TraceInfo) -> Summary:
    summary = Summary()
    for name, (key, in_object) in SUMMED.items():
        if key in info.trace_metadata and (found := number_at(info.trace_metadata, key, in_object)) is not None:
            summary.add_number(name, float(found))
    summary.add(is_error=info.state is TraceState.ERROR, duration_ms=info.execution_duration)
    return summary


def _to_row(summary: Summary) -> tuple[str, bytes, bytes]:
    added = {name: (value, summary.having[name]) for name, value in summary.sums.items() if summary.having[name]}
    numbers = [summary.count, summary.errors, summary.ended, summary.sum_ms, summary.least_ms, summary.most_ms, added]
    kept = sorted((bucket, count) for bucket, count in summary.buckets.items() if count)
    buckets, counts = ([pair[at] for pair in kept] for at in (0, 1))
    return to_json(numbers).decode(), array("H", buckets).tobytes(), array("I", counts).tobytes()


def _from_row(sums: str, buckets: bytes, counts: bytes) -> Summary:
    with damaged_structures():
        count, errors, ended, sum_ms, least_ms, most_ms, added = from_json(sums)
        pairs = zip(memoryview(buckets).cast("H"), memoryview(counts).cast("I"), strict=True)
        summary = Summary(count, errors, ended, sum_ms, least_ms, most_ms, dict(pairs))
        for name, (value, having) in added.items():
            summary.add_number(name, value, having)
        return summary
