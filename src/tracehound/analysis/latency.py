"""How long traces take, by name: counts, errors, percentiles. The store counts, this adds up."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tracehound.model.buckets import percentile
from tracehound.model.trace import TraceState
from tracehound.store.api import LatencyCount


@dataclass(frozen=True)
class LatencySummary:
    """The durations of the traces of one name, in milliseconds; NaN where none of them has ended.

    Percentiles are within 1 % (`model.buckets`) and never above the maximum; everything else is exact.
    """

    name: str
    count: int
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    max_ms: float


def summarise_latency(counts: Iterable[LatencyCount]) -> list[LatencySummary]:
    """Return a summary for each name, the most frequent first."""
    by_name: defaultdict[str, list[LatencyCount]] = defaultdict(list)
    for each in counts:
        by_name[each.name].append(each)
    summaries = [_summarise(name, rows) for name, rows in by_name.items()]
    return sorted(summaries, key=lambda summary: (-summary.count, summary.name))


def _summarise(name: str, rows: list[LatencyCount]) -> LatencySummary:
    ended = [row for row in rows if row.bucket is not None]
    buckets = [(row.bucket, row.count) for row in ended if row.bucket is not None]
    ended_count = sum(row.count for row in ended)
    max_ms = float(max((row.max_ms for row in ended), default=math.nan))
    p50_ms, p95_ms, p99_ms = (min(percentile(buckets, fraction), max_ms) for fraction in (0.50, 0.95, 0.99))
    return LatencySummary(
        name=name,
        count=sum(row.count for row in rows),
        errors=sum(row.count for row in rows if row.state is TraceState.ERROR),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        mean_ms=sum(row.sum_ms for row in ended) / ended_count if ended_count else math.nan,
        max_ms=max_ms,
    )
