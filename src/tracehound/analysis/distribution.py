"""How the latencies of two groups of traces are spread: shares in bins that both have, to be drawn over each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tracehound.model.record import Record

_BINS: Final = 40


class Distribution(Record, frozen=True, kw_only=True):
    """Bins of latencies, each from one edge up to the next, in ms, and which share of a side's traces lies in each."""

    edges_ms: list[int]
    baseline: list[float]
    candidate: list[float]


def distribute(baseline: Sequence[float], candidate: Sequence[float]) -> Distribution | None:
    """Return how values in order, whole milliseconds, are spread; None where a side has none.

    Bins are as wide in proportion, but a millisecond at least.

    >>> distribute([1.0, 2.0], [2.0, 2.0])
    Distribution(edges_ms=[1, 2, 3], baseline=[0.5, 0.5], candidate=[0.0, 1.0])
    """
    if not baseline or not candidate:
        return None
    least, most = int(min(baseline[0], candidate[0])), int(max(baseline[-1], candidate[-1]))
    first = max(1, least)  # in proportion to zero nothing is wider
    ratio = ((most + 1) / first) ** (1 / _BINS)
    edges = sorted({least, *(round(first * ratio**step) for step in range(_BINS)), most + 1})
    return Distribution(edges_ms=edges, baseline=_shares(baseline, edges), candidate=_shares(candidate, edges))


def _shares(ordered: Sequence[float], edges: Sequence[int]) -> list[float]:
    below = [bisect_left(ordered, edge) for edge in edges]
    return [(upper - lower) / len(ordered) for lower, upper in pairwise(below)]
