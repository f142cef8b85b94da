"""A copy between any two stores is equal, however often it was interrupted, and copying again changes nothing."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.asgi import AsgiTransport, Stage
from tests.store_contract.test_copies import KEPT, WAITING, kept
from tests.traces import part, span
from tests.upkeep import held
from tracehound.client import copying
from tracehound.client.copying import KIND, Copied, copy_store
from tracehound.errors import StoreError
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.model.record import replace
from tracehound.model.trace import TraceState
from tracehound.query.search import parse_search
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.store.api import SegmentRange, Store
from tracehound.store.memory import MemoryStore
from tracehound.store.remote.store import RemoteStore
from tracehound.store.sqlite.store import SqliteStore

KINDS = "memory", "sqlite", "server"
FROM = "/data/from.db"


@contextlib.contextmanager
def opened(kind: str, folder: Path, limits: ServerLimits | None = None) -> Iterator[Store]:
    if kind == "memory":
        yield MemoryStore()
        return
    folder.mkdir(exist_ok=True)
    with contextlib.closing(SqliteStore(folder / "copied.db")) as own:
        if kind == "sqlite":
            yield own
            return
        stage = Stage()
        with (
            stage.showing(create_app(own, Settings("memory://"), limits or ServerLimits(max_results=50))),
            TestClient(stage, base_url="http://127.0.0.1") as client,
            contextlib.closing(RemoteStore("http://in-process", folder / "spool", AsgiTransport(client))) as remote,
        ):
            yield remote


def copied(source: Store, target: Store) -> Copied:
    done = Copied()
    copy_store(source, target, FROM, done, lambda _traces: None)
    return done


class Interrupting(MemoryStore):
    """A store that fails once it has been written to so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10**9

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        if self.left == 0:
            raise StoreError("interrupted")
        self.left -= 1
        return super().write(changes, source)


@pytest.mark.parametrize("target_kind", KINDS)
@pytest.mark.parametrize("source_kind", KINDS)
def test_a_copy_between_any_two_stores_keeps_the_same(source_kind: str, target_kind: str, tmp_path: Path) -> None:
    with opened(source_kind, tmp_path / "from") as source, opened(target_kind, tmp_path / "to") as target:
        source.write([*KEPT, *WAITING])
        for _ in range(2):  # the second time changes nothing
            assert copied(source, target).traces == 3
            assert held(target) == kept(source)
            assert target.facts(KIND) == {}
        assert copied(target, MemoryStore()).traces == 3


def test_a_copy_that_is_interrupted_anywhere_and_goes_on_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_TRACES_A_STEP", 20)
    source = MemoryStore()
    source.write([part(span(1, number), span(2, number, parent=1)) for number in range(1, 90)])
    source.write([*KEPT, *WAITING])
    expected = kept(source)
    for steps in range(2, 14):  # of a step there are two writes: what is copied, and how far that is
        target = Interrupting()
        begun: list[int] = []
        is_done = False
        while not is_done:
            target.left = steps
            done = Copied()
            with contextlib.suppress(StoreError):
                copy_store(source, target, FROM, done, lambda _traces: None)
                is_done = True
            begun.append(done.continued_at)
        assert held(target) == expected
        assert done.traces == 87  # two of them were deleted
        assert begun == sorted(begun)  # nothing is begun anew
        assert len(begun) > 1 or steps > 12


def test_a_store_that_was_made_anew_is_copied_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_TRACES_A_STEP", 20)
    old, new, target = MemoryStore(), MemoryStore(), Interrupting()
    old.write([part(span(1, number)) for number in range(1, 90)])
    new.write([part(span(1, number)) for number in range(2, 90)])
    target.left = 4
    with pytest.raises(StoreError):
        copied(old, target)
    assert target.facts(KIND) != {}
    target.left = 10**9
    done = copied(new, target)
    assert (done.continued_at, done.traces) == (0, 88)


def test_a_deletion_and_the_end_of_what_ran_come_with_the_next_copy() -> None:
    running = part(span(1, 1, duration_ms=None), written_ns=5, owner="00001735689600000000-4711-1f2e3d4c")
    source, target = MemoryStore(), MemoryStore()
    source.write([running, part(span(1, 2)), part(span(1, 3))])
    copied(source, target)
    states = {info.trace_id: info.state for info in target.search(parse_search(["0"])).traces}
    assert states[running.trace_id] is TraceState.IN_PROGRESS
    assert all("/" in owner for owner in target.running_owners())  # so that nobody there ends it
    source.write([part(span(1, 1), written_ns=6), Deletion(span(1, 2).trace_id, 7)])
    source.write([Edit(span(1, 3).trace_id, "env", "prod", 8)])
    copied(source, target)
    assert held(target) == kept(source)


def test_the_end_of_a_process_comes_with_the_next_copy() -> None:
    owner = "00001735689600000000-4711-1f2e3d4c"
    source, target = MemoryStore(), MemoryStore()
    source.write([part(span(1, 1, duration_ms=None), owner=owner)])
    copied(source, target)
    source.end_owner(owner)
    copied(source, target)
    [trace] = target.read_traces([span(1, 1).trace_id]).values()
    assert trace == source.read_traces([trace.info.trace_id])[trace.info.trace_id]
    assert trace.info.state is TraceState.ERROR


@pytest.mark.parametrize("step_ns", [0, -(10**9)])
def test_a_copy_goes_on_and_ends_where_the_clock_stands_still_or_was_put_back(
    monkeypatch: pytest.MonkeyPatch, step_ns: int
) -> None:
    ticks = itertools.count(10**18, step_ns)
    monkeypatch.setattr("tracehound.client.copying.time.time_ns", lambda: next(ticks))
    monkeypatch.setattr(copying, "_TRACES_A_STEP", 1)
    source, target = MemoryStore(), Interrupting()
    source.write([part(span(1, number)) for number in (1, 2, 3)])
    target.left = 4
    with pytest.raises(StoreError, match="interrupted"):
        copied(source, target)
    target.left = 1_000
    assert copied(source, target).continued_at == 2
    assert target.facts(KIND) == {}
    source.write([Deletion(span(1, 2).trace_id, 7)])
    copied(source, target)
    assert held(target) == kept(source)


def test_what_a_server_does_not_take_at_once_is_sent_in_pieces_and_what_it_never_takes_is_named(tmp_path: Path) -> None:
    source = MemoryStore()
    large = [replace(span(1, number), inputs_json=f'"{"x" * 30_000}"') for number in range(1, 30)]
    never = replace(span(1, 99), inputs_json=f'"{"x" * 300_000}"')
    source.write([part(each) for each in [*large, never]])
    with opened("server", tmp_path / "to", ServerLimits(max_body_bytes=100_000)) as target:
        done = copied(source, target)
        assert done.refused == [never.trace_id]
        assert len(target.read_traces([each.trace_id for each in large])) == len(large)


def test_what_is_damaged_is_left_out_and_named(tmp_path: Path) -> None:
    with contextlib.closing(SqliteStore(tmp_path / "damaged.db")) as source:
        source.write([part(span(1, number)) for number in range(1, 6)])
        with source._file.writing() as connection:
            connection.execute("UPDATE part SET payload = x'00' WHERE trace = 3")
        target = MemoryStore()
        done = copied(source, target)
    assert done.damaged == [span(1, 3).trace_id]
    assert len(target.search(parse_search(["0"])).traces) == 4
