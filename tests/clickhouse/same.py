"""What a store says behind writers that came one between the other has to be what the memory store says."""

from __future__ import annotations

from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.api import Store


def assert_the_same(store: Store, memory: Store, *trace_ids: str) -> None:
    """Compare experiments, searches, statistics and these traces."""
    experiments = [each.experiment_id for each in memory.experiments()]
    assert store.experiments() == memory.experiments()
    search = parse_search([*experiments, "0"])
    assert store.search_whole(search) == memory.search_whole(search)
    assert store.statistics(StatisticsQuery(search)) == memory.statistics(StatisticsQuery(search))
    assert store.read_traces(trace_ids) == memory.read_traces(trace_ids)
