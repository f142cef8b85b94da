"""What a store makes of traces that run, on every store."""

from __future__ import annotations

import itertools

import pytest

from tests.traces import START_MS, part, span
from tracehound.model.span import SpanStatusCode
from tracehound.model.trace import Trace, TraceState
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.api import Store

# A trace as its process wrote it: two snapshots, the second with what is new, and the end.
SNAPSHOTS = [
    part(span(1, duration_ms=None, name="agent"), span(2, parent=1, start_ms=1, duration_ms=None, name="tool"),
         written_ns=(START_MS + 1000) * 10**6, owner="A", tags={"step": "1"}),
    part(span(2, parent=1, start_ms=1, duration_ms=1500, name="tool"), span(1, duration_ms=None, name="agent"),
         written_ns=(START_MS + 3000) * 10**6, owner="A", tags={"step": "2"}),
]  # fmt: skip
END = part(
    span(2, parent=1, start_ms=1, duration_ms=1500, name="tool"),
    span(1, duration_ms=4000, name="agent"),
    written_ns=(START_MS + 4000) * 10**6,
    tags={"step": "3"},
)


def test_a_snapshot_is_a_trace_in_progress_that_searches_find(store: Store) -> None:
    store.write(SNAPSHOTS[:1])
    trace = only(store, "attributes.status = 'IN_PROGRESS' AND tags.step = '1'")
    assert (trace.info.state, trace.info.execution_duration) == (TraceState.IN_PROGRESS, None)
    assert [(span.name, span.end_time_ns) for span in trace.data.spans] == [("agent", None), ("tool", None)]
    assert store.running_owners() == ["A"]


def test_a_later_snapshot_adds_what_is_new(store: Store) -> None:
    store.write(SNAPSHOTS)
    agent, tool = only(store, "tags.step = '2'").data.spans
    assert agent.end_time_ns is None
    assert tool.duration_ns == 1_500_000_000


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_end_replaces_the_snapshots_in_whatever_order_they_arrive(store: Store, order: tuple[int, ...]) -> None:
    for number in order:
        store.write([[*SNAPSHOTS, END][number]])
    trace = only(store, "attributes.status = 'OK' AND tags.step = '3'")
    assert trace.info.execution_duration == 4000
    assert found(store, "attributes.status = 'IN_PROGRESS' OR tags.step != '3'") == []
    assert store.running_owners() == []


def test_what_ran_in_a_process_that_ended_is_an_error_up_to_where_it_was_last_seen(store: Store) -> None:
    store.write(SNAPSHOTS)
    store.end_owner("A")
    trace = only(store, "attributes.status = 'ERROR'")
    assert trace.info.execution_duration == 3000
    agent, tool = trace.data.spans
    assert (agent.status.status_code, agent.status.description) == (
        SpanStatusCode.ERROR,
        "the process ended while this ran",
    )
    assert tool.status.status_code is SpanStatusCode.OK
    assert store.running_owners() == []
    assert store.statistics(StatisticsQuery(parse_search(["0"])))[()].ended == 1


def test_the_end_of_one_process_leaves_the_traces_of_others(store: Store) -> None:
    store.write(SNAPSHOTS)
    store.end_owner("B")
    assert only(store, "attributes.status = 'IN_PROGRESS'").info.tags["step"] == "2"


def test_a_process_that_was_only_taken_for_dead_heals_its_traces(store: Store) -> None:
    store.write(SNAPSHOTS[:1])
    store.end_owner("A")
    store.write(SNAPSHOTS)  # the first one again, and a later one
    assert only(store, "attributes.status = 'IN_PROGRESS'").info.tags["step"] == "2"
    store.end_owner("A")
    store.write([END])
    trace = only(store, "attributes.status = 'OK'")
    assert {span.status.status_code for span in trace.data.spans} == {SpanStatusCode.OK}


def test_a_child_that_outlives_the_root_of_a_finished_trace_is_seen_to_run(store: Store) -> None:
    store.write([END, part(span(9, parent=1, duration_ms=None, name="late"), written_ns=2 * 10**18, owner="A")])
    trace = only(store, "attributes.status = 'OK'")
    assert [(span.name, span.end_time_ns is None) for span in trace.data.spans][-1] == ("tool", False)
    assert {span.name for span in trace.data.spans if span.end_time_ns is None} == {"late"}


def found(store: Store, filter_string: str) -> list[str]:
    return [info.trace_id for info in store.search(parse_search(["0"], filter_string)).traces]


def only(store: Store, filter_string: str) -> Trace:
    (trace_id,) = found(store, filter_string)
    return store.read_traces([trace_id])[trace_id]
