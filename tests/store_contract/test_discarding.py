"""What a store makes of traces that a process showed while they ran, and then did not keep; on every store."""

from __future__ import annotations

import itertools

import pytest

from tests.traces import START_MS, part, span
from tracehound.model.edit import DISCARD, Change, Edit
from tracehound.model.trace import Trace
from tracehound.query.search import parse_search
from tracehound.store.api import Store

TRACE_ID = span(1).trace_id
SHOWN = [
    part(span(1, duration_ms=None), written_ns=1, owner="A", tags={"step": "1"}),
    part(span(2, parent=1), span(1, duration_ms=None), written_ns=2, owner="A", tags={"step": "2"}),
]
NOT_KEPT = Edit(TRACE_ID, "A", None, 3, DISCARD)
OF_ANOTHER = part(span(3, parent=1, failed=True), written_ns=4, tags={"of": "B"})
RUNNING_ELSEWHERE = part(span(4, parent=1, duration_ms=None), written_ns=5, owner="B")


def read(store: Store) -> Trace | None:
    return store.read_traces([TRACE_ID]).get(TRACE_ID)


def found(store: Store, text: str | None = None) -> list[str]:
    return [info.trace_id for info in store.search(parse_search(["0"], text)).traces]


@pytest.mark.parametrize("order", list(itertools.permutations([*SHOWN, NOT_KEPT])))
def test_what_was_shown_of_it_is_gone_in_any_order(store: Store, order: tuple[Change, ...]) -> None:
    for change in order:
        store.write([change])
    assert read(store) is None
    assert found(store) == found(store, "tags.step = '2'") == found(store, "trace.text CONTAINS 'because'") == []
    assert store.running_owners() == []
    assert store.experiments() == []
    assert store.arrivals(None, 10) == []


def test_a_batch_with_all_of_it_leaves_nothing(store: Store) -> None:
    store.write([*SHOWN, NOT_KEPT])
    assert found(store) == []


@pytest.mark.parametrize("order", list(itertools.permutations([SHOWN[1], NOT_KEPT, OF_ANOTHER, RUNNING_ELSEWHERE])))
def test_what_others_have_of_the_trace_stays(store: Store, order: tuple[Change, ...]) -> None:
    for change in order:
        store.write([change])
    trace = read(store)
    assert trace is not None
    assert sorted(each.span_id[-1] for each in trace.data.spans) == ["3", "4"]
    assert trace.info.tags["of"] == "B"
    assert "step" not in trace.info.tags
    assert store.running_owners() == ["B"]


def test_what_was_finished_stays(store: Store) -> None:
    store.write([part(span(1), written_ns=6), NOT_KEPT])
    assert found(store) == [TRACE_ID]


def test_an_edit_of_it_waits_and_so_does_the_word_that_it_is_gone_until_nothing_can_come(store: Store) -> None:
    store.write([*SHOWN, Edit(TRACE_ID, "env", "prod", 3)])
    store.write([NOT_KEPT])
    store.settle(3)
    store.write([SHOWN[0]])
    assert read(store) is None  # not older than that: nothing was forgotten
    store.write([part(span(1), written_ns=6)])
    trace = read(store)
    assert trace is not None
    assert trace.info.tags["env"] == "prod"


def test_it_is_forgotten_with_what_cannot_arrive_any_more(store: Store) -> None:
    store.write([*SHOWN, NOT_KEPT])
    store.settle(START_MS * 10**6)
    store.write([SHOWN[0]])
    assert found(store) == [TRACE_ID]


def test_a_process_that_ends_leaves_nothing_of_it(store: Store) -> None:
    store.write([*SHOWN, NOT_KEPT])
    store.end_owner("A")
    store.write([SHOWN[0]])
    assert found(store) == []
