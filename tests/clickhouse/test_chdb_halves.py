"""A batch of two pieces, whose rows go in side by side: what fails in one, and what others write meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.clickhouse.same import assert_the_same
from tests.traces import part, span
from tracehound.errors import StoreBusyError
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql
from tracehound.store.api import SegmentRange
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.memory import MemoryStore

if HAS_ENGINE:
    from tracehound.store.clickhouse import changes, known
    from tracehound.store.clickhouse.engine import Engine, Rows
    from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

PATIENCE_S = 60
SOURCE = SegmentRange("1-a.seg", 0, 100)
ONE, TWO = (f"tr-{number:032x}" for number in (1, 2))
BATCH: list[Change] = [
    part(span(1, 1, start_ms=5), written_ns=1, tags={"env": "prod"}),
    part(span(1, 2, start_ms=7), written_ns=1),
]
OTHERS: dict[str, list[Change]] = {
    "earlier spans": [part(span(2, each, parent=1, start_ms=0), written_ns=2) for each in (1, 2)],
    "another experiment": [part(span(1, each, start_ms=5), experiment="shop", written_ns=3) for each in (1, 2)],
    "an edit": [Edit(ONE, "env", "dev", 4)],
    "a deletion": [Deletion(ONE, 5), Deletion(TWO, 5)],
    "the same again": BATCH,
}
# What is held up until another writer has done all of its own, and what it waits for before.
HAND_OVERS: dict[str, tuple[str, str | None]] = {
    "before anything": ("look at files", None),
    "before the parts are there": ("part", "look at files"),
    "before it is said that they are": ("said", None),
    "between the places and what is known": ("look at said", "look at head"),
    "between what is known and the places": ("look at head", "look at said"),
    "before any row": (ONE, None),
    "between the second row and the first": (ONE, TWO),
    "between the first row and the second": (TWO, ONE),
    "before it is cleared up": ("clear up", None),
}


if HAS_ENGINE:

    class Held(Engine):
        """The engine of a writer, of which a step waits for another one, and then for all that another writer does."""

        def __init__(
            self, address: ClickHouseAddress, held: str, until: str | None, meanwhile: Callable[[], object]
        ) -> None:
            super().__init__(address)
            self._held, self._until, self._meanwhile = held, until, meanwhile
            self._is_done = threading.Event()
            self.was_held = False

        def insert_block(self, table: str, names: Sequence[str], block: bytes) -> None:
            """Insert rows, in its turn."""
            with self._turn(step_of(table, block)):
                super().insert_block(table, names, block)

        def select(self, sql: Sql, limit: SearchLimit | None = None) -> Rows:
            """Ask, in its turn."""
            with self._turn("clear up" if " HAVING min(start_ms)" in sql.text else _LOOKS.get(sql.text, "")):
                return super().select(sql, limit)

        @contextlib.contextmanager
        def _turn(self, step: str) -> Iterator[None]:
            if step == self._held and not self.was_held:
                self.was_held = True
                assert self._until is None or self._is_done.wait(PATIENCE_S)
                self._meanwhile()
            yield
            if step == self._until:
                self._is_done.set()

    _LOOKS = {
        known._MORE_OF: "look at said",
        changes._FILES: "look at files",
        changes._HEADS_OF: "look at head",
    }


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClickHouseAddress]:
    monkeypatch.setattr(changes, "_TRACES_AT_A_TIME", 1)
    monkeypatch.setattr(changes, "_MANY_TRACES", 1)
    with new_address() as lent:
        yield lent


@pytest.mark.parametrize("hand_over", HAND_OVERS)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_whatever_another_writes_at_a_hand_over_both_make_what_one_would(
    address: ClickHouseAddress, other: str, hand_over: str, is_known: bool
) -> None:
    before: list[Change] = [part(span(3, each, parent=1, start_ms=9), written_ns=7) for each in (1, 2)]
    before = before if is_known else []
    memory = MemoryStore()
    memory.write([*before, *BATCH, *OTHERS[other]])
    with contextlib.closing(ClickHouseStore(address)) as store:
        store.write(before)
        held, until = HAND_OVERS[hand_over]
        with contextlib.closing(Held(address, held, until, lambda: store.write(OTHERS[other]))) as engine:
            changes.write_changes(engine, BATCH, now_ns=1)
            assert engine.was_held
        assert_the_same(store, memory, ONE, TWO)


@pytest.mark.parametrize("failing", [ONE, TWO], ids=["first", "second"])
@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_where_one_of_the_rows_fails_the_batch_is_not_applied_and_is_whole_when_it_is_written_again(
    address: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch, failing: str, is_done: bool, is_known: bool
) -> None:
    before: list[Change] = [part(span(3, each, parent=1, start_ms=9), written_ns=7) for each in (2, 1)]
    before = before if is_known else []
    memory = MemoryStore()
    memory.write([*before, *BATCH])
    insert_block = Engine.insert_block

    def fail(self: Engine, table: str, names: Sequence[str], block: bytes) -> None:
        if step_of(table, block) != failing:
            insert_block(self, table, names, block)
            return
        if is_done:
            insert_block(self, table, names, block)
        raise StoreBusyError("the connection is gone")

    with contextlib.closing(ClickHouseStore(address)) as store:
        store.write(before)
        numbers = {each.info.trace_id: each.number for each in store.arrivals(None, 9)}
        with monkeypatch.context() as patched:
            patched.setattr(Engine, "insert_block", fail)
            with pytest.raises(StoreBusyError, match="the connection is gone"):
                store.write(BATCH, SOURCE)
        assert store.position(SOURCE.segment) == 0
        there = {each.info.trace_id: each.number for each in store.arrivals(None, 9)}
        assert store.write(BATCH, SOURCE)
        assert_the_same(store, memory, ONE, TWO)
        arrived = {each.info.trace_id: each.number for each in store.arrivals(None, 9)}
        assert {**arrived, **there, **numbers} == arrived  # whoever was told of a trace is not told of it again


def test_what_is_erased_while_it_is_written_is_not_there(address: ClickHouseAddress) -> None:
    with contextlib.closing(ClickHouseStore(address)) as store:

        def erase() -> None:
            store.write([Deletion(ONE, 2)])
            store.settle(3)

        edit = Edit(ONE, "env", "dev", 4)
        with contextlib.closing(Held(address, "look at said", None, erase)) as engine:
            changes.write_changes(engine, [edit], now_ns=1)
        assert store.read_traces([ONE]) == {}


def test_each_trace_has_the_number_of_its_place_in_the_batch(address: ClickHouseAddress) -> None:
    with contextlib.closing(ClickHouseStore(address)) as store:
        parts = [part(span(1, 3)), part(span(1, 1)), part(span(1, 2)), part(span(2, 1, parent=1), written_ns=2)]
        store.write([Edit(f"tr-{3:032x}", "env", "dev", 4)])
        store.write(parts)
        arrivals = store.arrivals(None, 9)
        assert [each.info.trace_id[-1] for each in arrivals] == ["3", "1", "2"]
        assert len({each.number for each in arrivals}) == 3


def step_of(table: str, block: bytes) -> str:
    """Return which step of a batch an insert is: of rows it is named by the trace."""
    if table != "trace":
        return table
    return ONE if ONE.encode() in block else TWO
