"""Writers that know nothing of each other: whatever one does between two steps of another, the store is the same."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.clickhouse.same import assert_the_same
from tests.traces import part, span
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.changes import write_changes
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.memory import MemoryStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

TRACE = span(1).trace_id
FIRST: Change = part(span(1, start_ms=5), written_ns=1, tags={"env": "prod"})
OTHERS: dict[str, Change] = {
    "an earlier span": part(span(2, parent=1, start_ms=0), written_ns=2),
    "another experiment": part(span(1, start_ms=5), experiment="shop", written_ns=3),
    "an edit": Edit(TRACE, "env", "dev", 4),
    "a deletion": Deletion(TRACE, 5),
    "the same again": FIRST,
}


class Interrupted(Engine):
    """An engine of one writer; another one comes before it inserts into a table."""

    def __init__(self, address: ClickHouseAddress, table: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(address)
        self._table = table
        self._meanwhile: Callable[[], object] | None = meanwhile

    def insert_block(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Let the other writer do its part, once."""
        if table == self._table and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        super().insert_block(table, names, block)


@pytest.fixture
def address() -> Iterator[ClickHouseAddress]:
    with new_address() as lent:
        yield lent


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("table", ["part", "said", "trace"])
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_what_another_writes_between_two_steps_is_kept(
    address: ClickHouseAddress, other: str, table: str, is_known: bool
) -> None:
    second = OTHERS[other]
    before: list[Change] = [part(span(3, parent=1, start_ms=9), written_ns=7)] if is_known else []
    memory = MemoryStore()
    memory.write([*before, FIRST, second])
    with contextlib.closing(ClickHouseStore(address)) as store:
        store.write(before)
        with contextlib.closing(Interrupted(address, table, lambda: store.write([second]))) as engine:
            write_changes(engine, [FIRST], now_ns=1)
        assert_the_same(store, memory, TRACE)


def test_two_writers_at_once_make_what_one_would(address: ClickHouseAddress) -> None:
    batches = [
        [part(span(number, trace=trace, parent=1 if number > 1 else None, start_ms=-number), written_ns=number)]
        for number in range(1, 5)
        for trace in range(1, 6)
    ]
    memory = MemoryStore()
    for batch in batches:
        memory.write(batch)

    def write(own: Sequence[list[Any]]) -> None:
        with contextlib.closing(ClickHouseStore(address)) as store:
            for batch in own:
                store.write(batch)

    writers = [threading.Thread(target=write, args=(batches[at::2],)) for at in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with contextlib.closing(ClickHouseStore(address)) as store:
        assert_the_same(store, memory, TRACE)
