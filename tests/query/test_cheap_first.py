"""A filter in another order is the same filter."""

from __future__ import annotations

from hypothesis import given

from tests.query.searches import FILTERS, TRACES
from tests.query.test_differential import make_search
from tracehound.model.edit import Edit
from tracehound.model.trace import TracePart
from tracehound.query.cheap_first import cheap_first
from tracehound.query.check import parse_filter
from tracehound.query.evaluate import matches
from tracehound.query.tree import And, Scope, Test
from tracehound.store.memory import MemoryStore


@given(TRACES, FILTERS)
def test_it_is_true_of_the_same_traces(traces: tuple[TracePart | Edit, ...], filter_string: str) -> None:
    store = MemoryStore()
    store.write(traces)
    where = make_search(filter_string, [], 1).where
    assert where is not None
    for trace in store.search_whole(make_search("attributes.timestamp > 0", [], 100)).traces:
        assert matches(cheap_first(where), trace) == matches(where, trace)


def test_the_name_of_a_span_is_looked_at_before_its_inputs() -> None:
    where = parse_filter("span.inputs.query LIKE '%why%' AND span.attributes.k = 'v' AND span.name = 'retrieve'")
    asked = cheap_first(where)
    assert isinstance(asked, Scope)
    assert isinstance(asked.condition, And)
    found = [child.field.name for child in asked.condition.children if isinstance(child, Test)]
    assert found == ["name", "attributes", "inputs"]
