"""What a store must do with what it is given, on every store."""

from __future__ import annotations

import itertools
import threading

import pytest

from tests.traces import START_MS, part, said_metadata, said_tags, span
from tracehound.model.trace import Trace, TracePart, TraceState
from tracehound.query.search import parse_search
from tracehound.store.api import SegmentRange, Store


def test_a_trace_is_read_as_it_was_written(store: Store) -> None:
    written = part(
        span(1, name="root"),
        span(2, parent=1, start_ms=2, name="child", failed=True),
        tags={"env": "prod", "nul": "a\0b", "quote": "\"'`"},
        metadata={"k": "日本語 🐕"},
        client_request_id="C-1",
    )
    assert store.write([written])
    trace = store.read_traces([written.trace_id])[written.trace_id]
    assert trace.data.spans == written.spans
    assert said_tags(trace.info) == {"mlflow.traceName": "root", **written.tags}
    assert said_metadata(trace.info) == written.metadata
    assert trace.info.client_request_id == "C-1"
    assert (trace.info.request_time, trace.info.execution_duration) == (START_MS, 10)
    assert (trace.info.request_preview, trace.info.response_preview) == ('{"question":"why?"}', '"because"')
    assert store.search(parse_search(["0"])).traces == [trace.info]


PARTS = [
    part(span(2, parent=1, start_ms=1), written_ns=1, tags={"env": "early", "child": "yes"}),
    part(span(1, start_ms=5, duration_ms=None, name="root"), written_ns=2, tags={"env": "running"}),
    part(span(1, start_ms=5, duration_ms=40, name="root", failed=True), written_ns=3, tags={"env": "done"}),
    part(span(3, parent=2, start_ms=3), span(2, parent=1, start_ms=1, duration_ms=None), written_ns=4),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_parts_of_a_trace_make_the_same_trace_in_every_order(store: Store, order: tuple[int, ...]) -> None:
    for number in order:
        store.write([PARTS[number]])
    trace = only_trace(store)
    assert [span.span_id[-1] for span in trace.data.spans] == ["1", "2", "3"]
    assert all(span.end_time_ns is not None for span in trace.data.spans)
    assert trace.info.state is TraceState.ERROR
    assert (trace.info.request_time, trace.info.execution_duration) == (START_MS + 1, 44)
    assert said_tags(trace.info) == {"mlflow.traceName": "root", "env": "done", "child": "yes"}
    assert found(store, "tags.env = 'done'") == [trace.info.trace_id]
    assert found(store, "tags.env = 'running'") == []
    assert found(store, f"attributes.timestamp_ms = {START_MS + 1}") == [trace.info.trace_id]


def test_parts_in_one_batch_are_merged_as_those_in_several(store: Store) -> None:
    store.write(PARTS)
    assert only_trace(store).info.execution_duration == 44


def test_writing_a_part_again_changes_nothing(store: Store) -> None:
    store.write(PARTS)
    before = only_trace(store)
    store.write(PARTS[:2])
    store.write([*PARTS, *PARTS])
    assert only_trace(store) == before


def test_a_batch_is_applied_once_however_often_it_is_offered(store: Store) -> None:
    assert store.position("1-a.seg") == 0
    assert store.write(PARTS[:1], SegmentRange("1-a.seg", 0, 100))
    assert not store.write(PARTS[1:2], SegmentRange("1-a.seg", 0, 100))
    assert store.position("1-a.seg") == 100
    assert len(only_trace(store).data.spans) == 1
    assert store.write(PARTS[1:2], SegmentRange("1-a.seg", 100, 150))
    assert store.segments() == ["1-a.seg"]
    store.forget_segment("1-a.seg")
    assert store.segments() == []


def test_the_trace_is_in_the_experiment_of_its_root(store: Store) -> None:
    store.write([part(span(2, parent=1), experiment="worker"), part(span(1), experiment="shop", written_ns=2)])
    (shop,) = [each for each in store.experiments() if each.name == "shop"]
    assert [info.experiment_id for info in store.search(parse_search([shop.experiment_id])).traces] == [
        shop.experiment_id
    ]


def test_traces_that_do_not_exist_are_left_out(store: Store) -> None:
    store.write(PARTS[:1])
    wanted = [PARTS[0].trace_id, "tr-none", "tr-\0", ""]
    assert list(store.read_traces(wanted)) == [PARTS[0].trace_id]
    assert store.read_traces([]) == {}


def test_writers_and_readers_in_several_threads_do_not_disturb_each_other(store: Store) -> None:
    failures: list[BaseException] = []

    def run(thread: int) -> None:
        try:
            for number in range(20):
                store.write([part(span(1, trace=1 + 100 * thread + number), tags={"thread": str(thread)})])
                assert len(found(store, f"tags.thread = '{thread}'")) == number + 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failures
    assert len(found(store)) == 80


def test_results_belong_to_the_caller(store: Store) -> None:
    store.write(PARTS)
    store.search(parse_search(["0"])).traces[0].tags["env"] = "changed"
    only_trace(store).info.tags["env"] = "changed"
    assert only_trace(store).info.tags["env"] == "done"


def test_a_batch_that_fails_leaves_nothing_behind(store: Store) -> None:
    empty = TracePart("tr-empty", "Default", 1, [])
    with pytest.raises((IndexError, ValueError)):
        store.write([PARTS[0], empty], SegmentRange("1-a.seg", 0, 100))
    assert store.position("1-a.seg") == 0
    assert found(store) == []


def only_trace(store: Store) -> Trace:
    (trace,) = store.read_traces([PARTS[0].trace_id]).values()
    return trace


def found(store: Store, filter_string: str | None = None) -> list[str]:
    return [info.trace_id for info in store.search(parse_search(["0"], filter_string)).traces]
