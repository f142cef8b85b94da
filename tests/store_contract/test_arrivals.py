"""The order in which a store first heard of its traces."""

from __future__ import annotations

from tests.traces import part, span
from tracehound.model.edit import Deletion
from tracehound.store.api import Store


def told(store: Store, after: int | None, limit: int) -> list[tuple[str, int]]:
    return [(each.info.trace_id[-1], each.number) for each in store.arrivals(after, limit)]


def test_traces_are_numbered_as_they_arrive_whenever_they_began(store: Store) -> None:
    assert told(store, None, 5) == []
    for number, start_ms in ((3, 0), (1, -5000), (2, 9000)):
        store.write([part(span(1, number, start_ms=start_ms))])
    assert [name for name, _ in told(store, None, 5)] == ["3", "1", "2"]
    (_, first), *_ = told(store, None, 5)
    assert [name for name, _ in told(store, first, 5)] == ["1", "2"]
    assert [name for name, _ in told(store, first, 1)] == ["1"]
    assert [name for name, _ in told(store, None, 2)] == ["1", "2"]


def test_a_trace_keeps_its_number_whatever_arrives_of_it(store: Store) -> None:
    store.write([part(span(1, 1)), part(span(1, 2))])
    before = told(store, None, 5)
    store.write([part(span(2, 1, parent=1), written_ns=2)])
    store.write([Deletion(f"tr-{2:032x}", 3)])
    assert told(store, None, 5) == [pair for pair in before if pair[0] == "1"]
