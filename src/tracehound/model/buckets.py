"""Durations in logarithmic buckets, so that percentiles of millions of traces are sums of a few hundred counts.

Bucket 0 holds 0 ms; bucket n holds the durations from `BASE ** (n - 1)` up to `BASE ** n`. The percentile of a set of
traces *is* the value of the bucket it falls into, in every store, which is within 1 % of the duration itself. Up to
50 ms a bucket holds one whole millisecond at most, and its value is exact.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Final

BASE: Final = 1.02


def bucket_of(duration_ms: int) -> int:
    """Return the bucket of a duration in whole milliseconds.

    >>> bucket_of(0), bucket_of(1), bucket_of(1000)
    (0, 1, 349)
    """
    return 0 if duration_ms <= 0 else 1 + math.floor(math.log(duration_ms, BASE))


@functools.lru_cache(maxsize=4096)
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


def percentiles(counts: Mapping[int, float], fractions: Sequence[float]) -> list[float]:
    """Return the values below or at which fractions of all durations lie (nearest rank); NaN where there is none.

    `counts` says how many durations each bucket holds, which may be an estimate.

    >>> percentiles({bucket_of(40): 2, 1: 98}, [0.5, 0.99])
    [1.0, 40.0]
    """
    buckets = list(counts)
    ordered = sorted(buckets)
    # As a rule they are in order already (`store.sqlite.statistics`), which is quicker than looking each of them up.
    in_order = counts.values() if ordered == buckets else map(counts.__getitem__, ordered)
    seen = list(itertools.accumulate(in_order))
    if not seen:
        return [math.nan] * len(fractions)
    ranks = (min(fraction * seen[-1], seen[-1]) for fraction in fractions)
    return [value_of(ordered[bisect.bisect_left(seen, rank)]) for rank in ranks]
