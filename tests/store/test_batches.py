"""A batch of more traces than are worked out at once is one batch nevertheless, and the index has all of it."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest

from tests.store_contract.made_ready import MadeReadyStore
from tests.traces import part, span
from tracehound.model.edit import Change, Edit
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.query.search import parse_search
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.inspection import check_traces
from tracehound.store.sqlite.store import SqliteStore

TRACES = 200
FILTERS = [
    "tags.shard = '3'",
    "span.status = 'ERROR'",
    "span.name = 'late'",
    "trace.text CONTAINS 'every'",
    "trace.text CONTAINS 'third'",
    "trace.text CONTAINS 'only-150'",
    "attributes.latency >= 199",
]


@pytest.mark.parametrize("kind", [SqliteStore, MadeReadyStore])
def test_a_large_batch_is_found_as_the_memory_store_finds_it_and_so_is_what_changes_it(
    kind: type[SqliteStore], tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    memory = MemoryStore()
    sizes: list[dict[str, int]] = []
    with contextlib.closing(kind(path)) as store:
        for batch in (_first_parts(), _later_parts_and_edits()):
            store.write(batch)
            memory.write(batch)
            found = {each: _found(store, each) for each in FILTERS}
            assert found == {each: _found(memory, each) for each in FILTERS}
            sizes.append({each: len(ids) for each, ids in found.items()})
            assert check_traces(path, None, lambda *_: None) == []

    assert list(sizes[0].values()) == [40, 29, 0, 200, 67, 1, 1]
    assert list(sizes[1].values()) == [26, 29, 100, 200, 67, 1, 51]  # a late span begins before the others: 2 * number


@pytest.mark.parametrize("kind", [SqliteStore, MadeReadyStore])
def test_parts_that_arrive_again_are_kept_once_in_whatever_form_they_come(
    kind: type[SqliteStore], tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    parts = _first_parts()
    with contextlib.closing(SqliteStore(path)) as store:
        store.write(parts)
    with contextlib.closing(kind(path)) as store:
        store.write([*parts[1:], *parts])
    assert _rows_of_parts(path) == TRACES


def test_a_part_that_a_file_has_under_a_key_of_earlier_versions_changes_nothing_when_it_arrives_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    parts = _first_parts()
    with contextlib.closing(SqliteStore(path)) as store:
        store.write(parts)
        before = store.read_traces([each.trace_id for each in parts])
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE part SET checksum = checksum + 1")
        store.write(parts)
        assert store.read_traces([each.trace_id for each in parts]) == before
        assert check_traces(path, None, lambda *_: None) == []


def _rows_of_parts(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM part").fetchone()
    return int(count)


def _first_parts() -> list[TracePart]:
    """Return a part of each trace, in no order; a word is in all of them, in many or in one."""
    changes: list[TracePart] = []
    for number in range(TRACES):
        words = f"every {'third ' if number % 3 == 0 else ''}only-{number}"
        root = replace(span(1, number, start_ms=number, duration_ms=number), inputs_json=f'"{words}"')
        child = span(2, number, parent=1, start_ms=number, failed=number % 7 == 0)
        changes.append(part(root, child, tags={"shard": str(number % 5)}))
    random.Random(1).shuffle(changes)
    return changes


def _later_parts_and_edits() -> list[Change]:
    """Return a second part of every other trace, and an edit of every third."""
    late: list[Change] = [part(span(3, number, parent=1, name="late"), written_ns=2) for number in range(0, TRACES, 2)]
    edits = [Edit(span(1, number).trace_id, "shard", "edited", 3) for number in range(0, TRACES, 3)]
    return late + edits


def _found(store: Store, filter_string: str) -> list[str]:
    page = store.search(parse_search(["0"], filter_string, limit=TRACES))
    return sorted(info.trace_id for info in page.traces)
