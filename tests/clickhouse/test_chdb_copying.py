"""Copies from a file into a ClickHouse and back keep the same; what cannot be read is named."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import piped, traces_of_many_kinds, write
from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.store_contract.test_copies import KEPT, SOME, WAITING, kept, pages
from tests.traces import part, span
from tests.upkeep import held
from tracehound.client.copying import KIND, Copied, copy_store
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.model.record import replace
from tracehound.store.api import Store
from tracehound.store.clickhouse import copying
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

PROCESS = "00001735689600000000-4711-1f2e3d4c"
RUNNING = part(span(1, 4, duration_ms=None), written_ns=5, owner=PROCESS)
ENDED = replace(RUNNING, has_ended=True)
CHANGES: list[Change] = [
    *KEPT,
    *WAITING,
    RUNNING,
    part(span(1, 5, duration_ms=None), span(2, 5, parent=1), written_ns=5, owner=PROCESS),
    *[part(span(1, number), span(2, number, parent=1), experiment="shop") for number in range(20, 60)],
]


@pytest.fixture
def address() -> Iterator[ClickHouseAddress]:
    with new_address() as lent:
        yield lent


@pytest.fixture
def store(address: ClickHouseAddress) -> Iterator[ClickHouseStore]:
    with contextlib.closing(ClickHouseStore(address)) as opened:
        yield opened


def copied(source: Store, target: Store, name: str = "/data/from.db") -> Copied:
    done = Copied()
    copy_store(source, target, name, done, lambda _traces: None)
    return done


def test_a_file_copied_into_a_clickhouse_and_back_is_equal(
    store: ClickHouseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracehound.client.copying._TRACES_A_STEP", 7)
    there, back = SqliteStore(tmp_path / "from.db"), SqliteStore(tmp_path / "back.db")
    with contextlib.closing(there), contextlib.closing(back):
        there.write(CHANGES)
        for _ in range(2):  # the second time changes nothing
            assert copied(there, store).traces == copied(store, back, "chdb").traces == 45
            assert held(back) == held(store)
        named = MemoryStore()
        copied(there, named)  # processes have their whole names in a copy
        assert held(store) == held(named)
        ids = sorted({change.trace_id for change in CHANGES if hasattr(change, "trace_id")})
        assert back.read_traces(ids) == store.read_traces(ids) == there.read_traces(ids)
        assert back.facts(KIND) == store.facts(KIND) == {}
        there.end_owner(PROCESS)
        there.write([Deletion(span(1, 20).trace_id, 10**18), Edit(span(1, 21).trace_id, "env", "prod", 9)])
        copied(there, store)
        copied(store, back, "chdb")
        assert back.read_traces(ids) == store.read_traces(ids) == there.read_traces(ids)


def test_the_command_copies_a_file_into_a_clickhouse_and_back(store_path: Path, tmp_path: Path) -> None:
    write(*traces_of_many_kinds())
    there, back = f"chdb://{tmp_path}/chdb", str(tmp_path / "back.db")
    for source, target in ((str(store_path), there), (there, back)):
        done = piped("copy", source, target)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == f"7 traces copied into {target}\n".encode()
    exports = [piped("export", "--all-experiments", "--store", each).stdout for each in (str(store_path), there, back)]
    assert exports == exports[:1] * 3


def test_a_trace_that_moves_between_two_pages_is_on_one_of_them(store: ClickHouseStore) -> None:
    store.write([part(span(1, number, start_ms=9)) for number in range(1, 6)])
    first = store.read_changes(None, SOME)
    found, cursor = list(first.changes), first.next_cursor
    moved = [part(span(2, number, parent=1, start_ms=0), experiment="shop", written_ns=2) for number in range(1, 6)]
    store.write(moved)
    while cursor is not None:
        page = store.read_changes(cursor, SOME)
        found += page.changes
        cursor = page.next_cursor
    copy = MemoryStore()
    copy.write([*found, *moved[:SOME]])
    assert kept(copy) == kept(store)


def test_traces_of_one_number_are_on_one_page(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClickHouseStore, "_now_ns", lambda _self, _count: 7)  # as of writers with one clock
    for number in range(1, 6):
        store.write([part(span(1, number))])
    [page, *rest] = pages(store, SOME)
    assert len(page.changes) == 5
    assert [change for each in rest for change in each.changes] == []


def test_a_page_of_large_traces_has_fewer(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    large = [replace(span(1, number), inputs_json=f'"{"x" * 40_000}"') for number in range(1, 6)]
    store.write([part(each) for each in large])
    monkeypatch.setattr(copying, "_MAX_BYTES", 100_000)
    assert [len(page.changes) for page in pages(store, 100) if page.changes] == [2, 2, 1]
    monkeypatch.setattr(copying, "_MAX_BYTES", 10)
    assert [len(page.changes) for page in pages(store, 100) if page.changes] == [1] * 5


@pytest.mark.parametrize("damage", ["is not JSON", "is gone"])
def test_what_is_damaged_is_left_out_and_named(store: ClickHouseStore, damage: str) -> None:
    store.write([part(span(1, number)) for number in range(1, 6)])
    which = f"trace_id = '{span(1, 3).trace_id}'"
    engine = store._engine()
    if damage == "is gone":
        engine.run(f"DELETE FROM part WHERE {which}")
    else:
        engine.run(f"ALTER TABLE part UPDATE payload = '[' WHERE {which} SETTINGS mutations_sync = 2")
    target = MemoryStore()
    done = copied(store, target)
    assert (done.traces, done.damaged) == (4, [span(1, 3).trace_id])
    assert len(held(target)) == 4


@pytest.mark.parametrize("batch", [[ENDED, RUNNING], [RUNNING, ENDED]], ids=["ended first", "running first"])
def test_a_part_is_ended_once_one_of_a_batch_says_so(store: ClickHouseStore, batch: list[Change]) -> None:
    memory = MemoryStore()
    for each in (store, memory):
        each.write(batch)
    assert kept(store) == kept(memory)
    assert store.running_owners() == memory.running_owners() == []
    assert store.read_traces([RUNNING.trace_id]) == memory.read_traces([RUNNING.trace_id])
