"""Durations in logarithmic buckets, so that percentiles of millions of traces are sums of a few hundred counts.

Bucket 0 holds 0 ms; bucket n holds the durations from `BASE ** (n - 1)` up to `BASE ** n`. The percentile of a set of
traces *is* the value of the bucket it falls into, in every store, which is within 1 % of the duration itself. Up to
50 ms a bucket holds one whole millisecond at most, and its value is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

BASE: Final = 1.02


def bucket_of(duration_ms: int) -> int:
    """Return the bucket of a duration in whole milliseconds.

    >>> bucket_of(0), bucket_of(1), bucket_of(1000)
    (0, 1, 349)
    """
    return 0 if duration_ms <= 0 else 1 + math.floor(math.log(duration_ms, BASE))


def value_of(bucket: int) -> float:
    """Return the duration in milliseconds that a bucket stands for.

    >>> value_of(0), value_of(1), value_of(bucket_of(37)), round(value_of(bucket_of(1000)))
    (0.0, 1.0, 37.0, 993)
    """
    if bucket == 0:
        return 0.0
    low, high = BASE ** (bucket - 1), BASE**bucket
    first = math.ceil(low - 1e-9 * low)
    if first < high <= first + 1:
        return float(first)
    return math.sqrt(low * high)


def percentile(counts: Iterable[tuple[int, int]], fraction: float) -> float:
    """Return the value below or at which the fraction of all durations lies (nearest rank); NaN where there is none.

    `counts` are pairs of bucket and count, in any order.

    >>> percentile([(1, 98), (bucket_of(40), 2)], 0.99)
    40.0
    """
    ordered = sorted(counts)
    rank = math.ceil(fraction * sum(count for _, count in ordered))
    seen = 0
    for bucket, count in ordered:
        seen += count
        if seen >= max(rank, 1):
            return value_of(bucket)
    return math.nan
