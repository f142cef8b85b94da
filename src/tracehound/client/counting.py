"""How many traces a search is true of."""

from __future__ import annotations

from tracehound.query.search import Search
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.api import Store


def count_traces(store: Store, search: Search) -> int:
    """Return how many traces a search is true of, whatever its limit."""
    found = store.statistics(StatisticsQuery(search, wanted=frozenset()))
    return sum(int(each.count) for each in found.values())
