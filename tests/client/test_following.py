"""Following traces: each is told once, when it has finished, whatever happens between two looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound import runtime
from tracehound.client.following import FinishedTraces
from tracehound.model.edit import Deletion
from tracehound.model.ids import experiment_id
from tracehound.model.record import replace
from tracehound.model.trace import TraceInfo, TracePart
from tracehound.query.check import parse_filter
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else runtime.current().drained_store()


def finished(trace: int, **more: int) -> TracePart:
    return part(span(1, trace, start_ms=more.get("start_ms", trace)), written_ns=9)


def running(trace: int) -> TracePart:
    return replace(part(span(1, trace, duration_ms=None)), owner="nobody.1")


def numbers(infos: list[TraceInfo]) -> list[int]:
    return [int(info.trace_id.removeprefix("tr-"), 16) for info in infos]


def test_it_begins_with_the_newest_and_goes_on_with_what_arrives(store: Store) -> None:
    store.write([finished(1), finished(2), finished(3), running(4)])
    following = FinishedTraces(store, None, None)
    assert numbers(following.latest(store, 2)) == [2, 3]
    assert following.new(store) == []
    store.write([finished(6), finished(5, start_ms=-1000)])
    assert sorted(numbers(following.new(store))) == [5, 6]
    assert following.new(store) == []


def test_what_runs_is_told_when_it_ends_whenever_it_was_seen_first(store: Store) -> None:
    store.write([running(1)])
    following = FinishedTraces(store, None, None)
    store.write([running(2)])
    assert following.new(store) == []
    store.write([finished(1)])
    assert numbers(following.new(store)) == [1]
    store.write([finished(2)])
    assert numbers(following.new(store)) == [2]
    assert following.new(store) == []


def test_more_spans_of_a_finished_trace_do_not_make_it_new(store: Store) -> None:
    following = FinishedTraces(store, None, None)
    store.write([finished(1)])
    assert numbers(following.new(store)) == [1]
    store.write([part(span(2, 1, parent=1), written_ns=10)])
    assert following.new(store) == []


def test_only_what_a_filter_and_an_experiment_ask_for_is_told(store: Store) -> None:
    following = FinishedTraces(store, [experiment_id("shop")], parse_filter("tags.env = 'prod'"))
    for number, (experiment, env) in enumerate([("shop", "prod"), ("shop", "dev"), ("other", "prod")], 1):
        store.write([part(span(1, number), experiment=experiment, tags={"env": env})])
    assert numbers(following.new(store)) == [1]


def test_a_new_trace_in_the_place_of_deleted_ones_is_told_and_no_other_again(store: Store) -> None:
    store.write([finished(1), finished(2), finished(3)])
    following = FinishedTraces(store, None, None)
    store.write([Deletion(f"tr-{number:032x}", 1) for number in (2, 3)])
    store.write([finished(4), finished(5)])
    assert numbers(following.new(store)) == [4, 5]
    store.write([Deletion(f"tr-{number:032x}", 1) for number in (1, 4, 5)])
    store.write([finished(6)])
    assert numbers(following.new(store)) == [6]


STEPS = st.lists(st.tuples(st.sampled_from(["finish", "run", "delete", "look"]), st.integers(1, 6)), max_size=25)


@pytest.mark.prove
@given(STEPS)
def test_whatever_happens_each_trace_that_stays_is_told_once(steps: list[tuple[str, int]]) -> None:
    store = MemoryStore()
    following = FinishedTraces(store, None, None)
    told: list[int] = []
    ended: set[int] = set()
    gone: set[int] = set()
    for step, number in steps:
        if step == "finish":
            store.write([finished(number)])
            ended.add(number)
        elif step == "run":
            store.write([running(number)])
        elif step == "delete":
            store.write([Deletion(f"tr-{number:032x}", 1)])
            gone.add(number)
        else:
            told += numbers(following.new(store))
    told += numbers(following.new(store))
    assert len(told) == len(set(told))
    assert ended - gone <= set(told) <= ended
