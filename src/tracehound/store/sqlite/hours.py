"""What statistics of all traces are made of: a row for each hour and name, kept up with each batch.

What a trace adds is taken away again when it changes or goes. That tells everything but the extremes: where one of them
may have gone, the traces of the hour are asked. Traces that stand for several (`model.weight`) are added up apart,
those of each weight.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.model.record import Record, from_json, to_json
from tracehound.model.summary import SUMMED, Summary
from tracehound.model.trace import TraceInfo, TraceState
from tracehound.model.weight import WEIGHT, read_weight
from tracehound.query.numbers import number_at
from tracehound.query.sql import marks
from tracehound.store.sqlite.faults import damaged_structures

HOUR_MS: Final = 3_600_000

Key: TypeAlias = tuple[int, int, str]  # experiment, hour, name
Weighted: TypeAlias = dict[float, Summary]  # what the traces of each weight add up to, all with the same extremes

_READ: Final = "SELECT sums, buckets, counts FROM hour WHERE experiment = ? AND hour = ? AND name = ?"
_EXTREMES: Final = (
    "SELECT min(duration_ms), max(duration_ms) FROM trace INDEXED BY trace_by_start"
    " WHERE experiment = ? AND start_ms BETWEEN ? AND ? AND name = ?"
)


class Counted(Record, frozen=True, array_like=True, gc=False):
    """What the statistics want of a trace."""

    experiment: int
    start_ms: int
    name: str
    is_error: bool
    duration_ms: int | None
    weight: float
    numbers: dict[str, float]  # those of `SUMMED` that it has

    def add_to(self, summary: Summary) -> None:
        """Add the trace."""
        for name, value in self.numbers.items():
            summary.add_number(name, value)
        summary.add(is_error=self.is_error, duration_ms=self.duration_ms)


def count_of(info: TraceInfo) -> Counted:
    """Return what the statistics want of a trace."""
    metadata = info.trace_metadata
    numbers: dict[str, float] = {}
    for name, (key, in_object) in SUMMED.items():
        if key in metadata and (found := number_at(metadata, key, in_object)) is not None:
            numbers[name] = float(found)
    return Counted(
        int(info.experiment_id),
        info.request_time,
        info.name,
        info.state is TraceState.ERROR,
        info.execution_duration,
        read_weight(metadata.get(WEIGHT)),
        numbers,
    )


@dataclass
class _Change:
    """What becomes of one row: what is added to it, less what is taken away."""

    of_weight: defaultdict[float, Summary] = field(default_factory=lambda: defaultdict(Summary))
    gone_ms: set[int] = field(default_factory=set)  # durations that were taken away


class HourChanges:
    """What a batch changes of the hours."""

    def __init__(self) -> None:
        self._changes: dict[Key, _Change] = {}

    def add(self, trace: Counted) -> None:
        """Add a trace."""
        trace.add_to(self._change(trace).of_weight[trace.weight])

    def remove(self, trace: Counted) -> None:
        """Take a trace away."""
        change, less = self._change(trace), Summary()
        trace.add_to(less)
        into = change.of_weight[trace.weight]
        into.count -= less.count
        into.errors -= less.errors
        into.ended -= less.ended
        into.sum_ms -= less.sum_ms
        for bucket, count in less.buckets.items():
            into.buckets[bucket] = into.buckets.get(bucket, 0) - count
        for name, value in less.sums.items():
            into.add_number(name, -value, -less.having[name])
        if trace.duration_ms is not None:
            change.gone_ms.add(trace.duration_ms)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Change the rows; the traces have been changed before."""
        rows = []
        emptied: list[Key] = []
        for key, change in self._changes.items():
            found = connection.execute(_READ, key).fetchone()
            of_weight: Weighted = {} if found is None else _from_row(*found)
            for weight, summary in change.of_weight.items():
                of_weight.setdefault(weight, Summary()).join(summary)
            whole = join_all(of_weight.values())
            if whole.count == 0:
                emptied.append(key)
                continue
            extremes = whole.least_ms, whole.most_ms
            if not change.gone_ms.isdisjoint(extremes):
                experiment, hour, name = key
                of_hour = (experiment, hour * HOUR_MS, (hour + 1) * HOUR_MS - 1, name)
                extremes = connection.execute(_EXTREMES, of_hour).fetchone()
            rows.append((*key, *_to_row(of_weight, extremes)))
        connection.executemany("DELETE FROM hour WHERE experiment = ? AND hour = ? AND name = ?", emptied)
        connection.executemany(
            "INSERT INTO hour (experiment, hour, name, sums, buckets, counts) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (experiment, hour, name)"
            " DO UPDATE SET sums = excluded.sums, buckets = excluded.buckets, counts = excluded.counts",
            rows,
        )

    def _change(self, trace: Counted) -> _Change:
        key = (trace.experiment, trace.start_ms // HOUR_MS, trace.name)
        found = self._changes.get(key)
        if found is None:
            found = self._changes[key] = _Change()
        return found


def join_all(summaries: Iterable[Summary]) -> Summary:
    """Return what several add up to together: where there is one, which nearly always is so, that one."""
    several = list(summaries)
    if len(several) == 1:
        return several[0]
    whole = Summary()
    for each in several:
        whole.join(each)
    return whole


def read_hours(connection: sqlite3.Connection, experiments: Sequence[int]) -> Iterator[tuple[int, str, Weighted]]:
    """Yield each row of the experiments: its hour and name, and what its traces of each weight add up to."""
    text = f"SELECT hour, name, sums, buckets, counts FROM hour WHERE experiment IN ({marks(experiments)})"  # noqa: S608 - question marks
    for hour, name, *found in connection.execute(text, experiments):
        yield hour, name, _from_row(*found)


def _to_row(of_weight: Weighted, extremes: tuple[int | None, int | None]) -> tuple[str, bytes, bytes]:
    """Return what of a row follows from its traces; the first number is how many there are, of whatever weight."""
    plain = of_weight.get(1.0, Summary())
    count = sum(each.count for each in of_weight.values())
    numbers = [count, plain.errors, plain.ended, plain.sum_ms, *extremes, _added(plain)]
    others = [
        [weight, each.count, each.errors, each.ended, each.sum_ms, _added(each), _buckets(each)]
        for weight, each in sorted(of_weight.items())
        if weight != 1.0 and each.count
    ]
    kept = _buckets(plain)
    buckets, counts = ([pair[at] for pair in kept] for at in (0, 1))
    text = to_json([*numbers, others] if others else numbers).decode()
    return text, array("H", map(int, buckets)).tobytes(), array("I", map(int, counts)).tobytes()


def _added(summary: Summary) -> dict[str, tuple[float, float]]:
    return {name: (value, summary.having[name]) for name, value in summary.sums.items() if summary.having[name]}


def _buckets(summary: Summary) -> list[tuple[int, float]]:
    return sorted((bucket, count) for bucket, count in summary.buckets.items() if count)


def _from_row(sums: str, buckets: bytes, counts: bytes) -> Weighted:
    with damaged_structures():
        count, errors, ended, sum_ms, least_ms, most_ms, added, *others = from_json(sums)
        pairs = zip(memoryview(buckets).cast("H"), memoryview(counts).cast("I"), strict=True)
        found: Weighted = {}
        count -= sum(each[1] for each in others[0]) if others else 0
        if count:
            found[1.0] = _with_sums(Summary(count, errors, ended, sum_ms, least_ms, most_ms, dict(pairs)), added)
        for weight, count, errors, ended, sum_ms, added, in_buckets in others[0] if others else ():
            summary = Summary(count, errors, ended, sum_ms, least_ms, most_ms, dict(in_buckets))
            found[float(weight)] = _with_sums(summary, added)
        return found


def _with_sums(summary: Summary, added: dict[str, tuple[float, float]]) -> Summary:
    for name, (value, having) in added.items():
        summary.add_number(name, value, having)
    return summary
