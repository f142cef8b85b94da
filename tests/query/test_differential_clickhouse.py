"""ClickHouse answers as the memory store does: random traces, filters, orders and pages, in the engine of the process.

All cases use one database, and erase what they have written: making the tables takes the engine longer than all
that is asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clickhouse.opened import HAS_ENGINE, new_store
from tests.conftest import SEARCHES, SEARCHES_OF_TRACES
from tests.query.searches import FILTERS, GROUPS, ORDERS, PAGE_SIZES, PERIODS, TRACES
from tests.query.test_differential import all_pages, make_search, queries_of_all, told
from tracehound.model.edit import Deletion, Edit
from tracehound.model.trace import Trace, TracePart
from tracehound.query.periods import Period
from tracehound.query.search import Search
from tracehound.query.statistics import StatisticsQuery, parse_groups
from tracehound.query.words import words_of
from tracehound.store.api import Store
from tracehound.store.clickhouse import rows
from tracehound.store.memory import MemoryStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

ASKED = st.lists(st.tuples(FILTERS, ORDERS, PAGE_SIZES), min_size=SEARCHES_OF_TRACES, max_size=SEARCHES_OF_TRACES)
FRACTIONS = st.lists(st.floats(0, 1) | st.sampled_from([0.5, 0.95, 0.99]), min_size=1, max_size=4).map(tuple)
BEFORE = st.sampled_from([0, 0, 2])  # so many changes are written as before ADR 0064
FAR_NS = 9 * 10**18  # behind all that is written


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[Store]:
    with new_store(newest=2) as store:
        yield store


@pytest.mark.prove
@settings(max_examples=SEARCHES // SEARCHES_OF_TRACES, suppress_health_check=list(HealthCheck))
@given(TRACES, BEFORE, ASKED, GROUPS, PERIODS, FRACTIONS)
def test_clickhouse_answers_as_the_memory_store_does(
    clickhouse: Store,
    traces: tuple[TracePart | Edit, ...],
    before: int,
    asked: list[tuple[str, list[str], int]],
    groups: list[str],
    period: Period | None,
    fractions: tuple[float, ...],
) -> None:
    memory = MemoryStore()
    memory.write(traces)
    try:
        with mock.patch.object(rows, "words_by_place", words_of):
            clickhouse.write(traces[:before])
        clickhouse.write(traces[before:])
        for filter_string, order, page_size in asked:
            search = make_search(filter_string, order, page_size)
            assert all_pages(clickhouse, search) == all_pages(memory, search)
            assert whole_pages(clickhouse, search) == whole_pages(memory, search)
            query = StatisticsQuery(search, tuple(parse_groups(groups)), period)
            assert told(clickhouse.statistics(query)) == told(memory.statistics(query))
            query = dataclasses.replace(query, are_weighted=True)
            assert told(clickhouse.statistics(query)) == told(memory.statistics(query))
        found = clickhouse.statistics(dataclasses.replace(query, fractions=fractions))
        for key, summary in memory.statistics(query).items():  # as text: NaN is equal to nothing
            assert repr(found[key].percentiles(fractions)) == repr(summary.percentiles(fractions))
        for query in queries_of_all(search, groups, period):
            assert told(clickhouse.statistics(query)) == told(memory.statistics(query))
    finally:
        clickhouse.write([Deletion(each, FAR_NS) for each in {each.trace_id for each in traces}])
        clickhouse.settle(FAR_NS + 1)


def whole_pages(store: Store, search: Search) -> list[Trace]:
    """Return the traces of all pages, which are made of other columns than what is known of them is."""
    found: list[Trace] = []
    while True:
        page = store.search_whole(search)
        found += page.traces
        if page.next_cursor is None:
            return found
        search = search.behind(page.next_cursor)
