"""What a store keeps, read page by page and written elsewhere, makes an equal store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pytest

from tests.traces import part, span
from tracehound.errors import ArgumentError
from tracehound.model.edit import DISCARD, METADATA, Change, Deletion, Edit, Facts
from tracehound.model.record import replace, to_msgpack
from tracehound.model.trace import TraceState
from tracehound.store.api import Changes, Store
from tracehound.store.memory import MemoryStore

PROCESS = "folder/00001735689600000000-4711-1f2e3d4c"
RUNNING = part(span(1, 3, duration_ms=None), written_ns=5, owner=PROCESS)
KEPT: list[Change] = [
    part(span(1, 1), experiment="shop", tags={"env": "prod"}),
    part(span(2, 1, parent=1), written_ns=2),
    part(span(1, 2), metadata={"version": "1"}),
    RUNNING,
    Edit(span(1, 1).trace_id, "env", "dev", 7),
    Edit(span(1, 2).trace_id, "version", None, 7, METADATA),
    Edit(span(1, 3).trace_id, "another/process", None, 7, DISCARD),
    Facts("run", "r-1", {"name": "a", "end": "5"}, 3),
    Facts("model", "m-1", {"name": None, "a\0b": "日本"}, 4),
]
WAITING: list[Change] = [
    Edit(span(1, 9).trace_id, "env", "late", 8),
    Edit(span(1, 9).trace_id, "env", "late", 8, METADATA),
    Deletion(span(1, 8).trace_id, 10**18),
    Deletion(span(1, 7).trace_id, 10**18),
]
SOME = 2


def pages(store: Store, limit: int = SOME) -> Iterator[Changes]:
    cursor: str | None = None
    while True:
        page = store.read_changes(cursor, limit)
        yield page
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def kept(store: Store, limit: int = 1000) -> list[bytes]:
    """Return all that a store keeps, in an order that does not depend on the store."""
    return sorted(to_msgpack(change) for page in pages(store, limit) for change in _single(page.changes))


def _single(changes: Sequence[Change]) -> Iterator[Change]:
    """Yield facts one by one: a store may say several at once."""
    for change in changes:
        if isinstance(change, Facts):
            for key, value in change.values.items():
                yield Facts(change.kind, change.subject, {key: value}, change.written_ns)
        else:
            yield change


def test_all_that_a_store_keeps_is_on_one_page_and_only_there(store: Store) -> None:
    store.write([*KEPT, *WAITING])
    assert kept(store, SOME) == kept(store) == sorted(to_msgpack(each) for each in _single([*KEPT, *WAITING]))


def test_an_empty_store_keeps_nothing(store: Store) -> None:
    assert kept(store) == []


def test_a_copy_keeps_the_same_in_whatever_order_it_was_written(store: Store) -> None:
    store.write([*KEPT, *WAITING])
    found = list(pages(store))
    for order in (found, found[::-1], [*found, *found]):
        copy = MemoryStore()
        for page in order:
            copy.write(page.changes)
        assert kept(copy) == kept(store)


def test_what_another_store_keeps_is_written_here(store: Store) -> None:
    source = MemoryStore()
    source.write([*KEPT, *WAITING])
    for _ in range(2):  # the second time changes nothing
        for page in pages(source):
            store.write(page.changes)
        assert kept(store) == kept(source)


def test_a_part_whose_process_has_ended_is_written_as_ended(store: Store) -> None:
    source = MemoryStore()
    source.write([RUNNING])
    store.write([RUNNING])
    source.end_owner(PROCESS)
    for page in pages(source):
        store.write(page.changes)
    [found] = store.read_traces([RUNNING.trace_id]).values()
    assert found.info.state is TraceState.ERROR
    assert found == source.read_traces([RUNNING.trace_id])[RUNNING.trace_id]
    store.write([RUNNING])  # arrives again
    assert store.read_traces([RUNNING.trace_id]) == {RUNNING.trace_id: found}
    assert kept(store) == kept(source) == [to_msgpack(replace(RUNNING, has_ended=True))]


def test_nobody_ends_a_process_of_another_folder(store: Store) -> None:
    store.write([RUNNING])
    own = [owner for owner in store.running_owners() if "/" not in owner]
    assert own == []
    with contextlib.suppress(ArgumentError):
        store.end_owner("00001735689600000000-4711-1f2e3d4c")
    assert store.read_traces([RUNNING.trace_id])[RUNNING.trace_id].info.state is TraceState.IN_PROGRESS


def test_what_arrives_behind_a_cursor_is_found_behind_it(store: Store) -> None:
    store.write([part(span(1, number)) for number in range(1, 4)])
    first = store.read_changes(None, SOME)
    late = part(span(1, 9))
    store.write([late])
    rest: list[Change] = []
    cursor = first.next_cursor
    while cursor is not None:
        page = store.read_changes(cursor, SOME)
        rest += page.changes
        cursor = page.next_cursor
    assert rest[-1] == late
    assert len(first.changes) + len(rest) == 4


@pytest.mark.parametrize("cursor", ["", "[]", "[9]", "[0]", '[0,"a"]', "[1,2,3]", '["a"]', "{}", "[true,1]"])
def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ArgumentError, match="no cursor of a copy"):
        store.read_changes(cursor, SOME)
