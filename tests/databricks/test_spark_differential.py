"""Spark answers as the memory store does: random traces, filters, orders and pages."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from tests.conftest import SEARCHES
from tests.databricks.spark import NEEDS_SPARK, new_warehouse
from tests.query.searches import TRACES
from tests.query.test_differential import ASKED, all_pages, make_search
from tracehound.model.edit import Edit
from tracehound.model.trace import TracePart
from tracehound.store.memory import MemoryStore

pytestmark = NEEDS_SPARK


@pytest.mark.prove
@settings(max_examples=SEARCHES // 10, suppress_health_check=list(HealthCheck))
@given(TRACES, ASKED)
def test_spark_answers_as_the_memory_store_does(
    traces: tuple[TracePart | Edit, ...], asked: list[tuple[str, list[str], int]]
) -> None:
    memory = MemoryStore()
    memory.write(traces)
    with new_warehouse(traces) as warehouse:
        for filter_string, order, page_size in asked:
            search = make_search(filter_string, order, page_size)
            assert all_pages(warehouse, search) == all_pages(memory, search)
        everything = dataclasses.replace(search, where=None, limit=100)
        assert warehouse.search_whole(everything) == memory.search_whole(everything)
        found = memory.search(everything).traces
        trace_ids = [each.trace_id for each in found]
        assert warehouse.read_traces([*trace_ids, "tr-none"]) == memory.read_traces(trace_ids)
        assert warehouse.experiments() == memory.experiments()
