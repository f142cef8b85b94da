"""Latency by name, from the counts of a store."""

from __future__ import annotations

import math

import pytest

from tests.traces import part, span
from tracehound.analysis.latency import summarise_latency
from tracehound.query.search import parse_search
from tracehound.store.memory import MemoryStore


def test_latency_is_summarised_by_name_the_most_frequent_first() -> None:
    store = MemoryStore()
    store.write(
        [part(span(1, trace=number, name="answer", duration_ms=number, failed=number > 90)) for number in range(1, 101)]
    )
    store.write([part(span(1, trace=1000, name="index", duration_ms=None))])
    answer, index = summarise_latency(store.latency(parse_search(["0"])))
    assert (answer.name, answer.count, answer.errors) == ("answer", 100, 10)
    assert (answer.p50_ms, answer.p95_ms, answer.p99_ms) == pytest.approx((50, 95, 99), rel=0.01)
    assert (answer.mean_ms, answer.max_ms) == (50.5, 100)
    assert (index.count, index.errors) == (1, 0)
    assert math.isnan(index.p50_ms)
    assert math.isnan(index.max_ms)
