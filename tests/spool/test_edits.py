"""Edits and deletions on their way through the spool: what returned is kept, what cannot be kept is an error."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

import tracehound
from tests.spool.programs import kill_after, start
from tests.spool.test_trouble import needs_mount, small_disk
from tests.traces import part, span
from tracehound.errors import StoreBusyError, StoreError
from tracehound.model.edit import Deletion, Edit
from tracehound.query.search import parse_search
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.spool.lock import take_lock
from tracehound.spool.segment import SegmentWriter
from tracehound.spool.spool import FlushReport, Spool
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.wire.frames import Frame, to_frame

__all__ = ["small_disk"]

TRACE = span(1).trace_id
DAY_NS = 86_400 * 10**9

# Edits a trace without end, while it runs, and prints each number when the edit has returned.
EDITING = """
import itertools, tracehound
with tracehound.start_span("agent") as span:
    pass
with tracehound.start_span("running") as running:
    print(span.trace_id, running.trace_id, flush=True)
    for number in itertools.count():
        tracehound.set_trace_tag(span.trace_id, "number", number)
        tracehound.set_trace_tag(span.trace_id, f"tag {number}", "set")
        print(number, flush=True)
"""


def make_spool(folder: Path, store: Store, settings: Settings | None = None) -> Spool:
    return Spool(folder, lambda: store, settings or Settings())


def found(store: Store, filter_string: str | None = None) -> list[str]:
    return [info.trace_id for info in store.search(parse_search(["0"], filter_string)).traces]


@pytest.mark.parametrize("edits", [1, 2, 3, 10, 50])
def test_an_edit_that_returned_is_found_after_kill_9(store_path: Path, edits: int) -> None:
    first, *numbers = kill_after(start(EDITING, store_path), edits + 1)
    trace = tracehound.get_trace(first.split()[0])
    assert trace is not None
    assert int(trace.info.tags["number"]) >= int(numbers[-1])
    assert all(trace.info.tags[f"tag {number}"] == "set" for number in numbers)


def test_edits_and_deletions_reach_the_store_with_the_traces_and_are_not_counted(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    spool.append_edit(Edit(TRACE, "env", "dev", 1))
    spool.append(part(span(1), tags={"env": "prod"}))
    spool.append(part(span(1, trace=2)))
    spool.append_edit(Deletion(span(1, trace=2).trace_id, 1))
    assert spool.flush() == FlushReport(accepted=2, stored=2, pending=0, dropped=0)
    assert found(store) == found(store, "tags.env = 'dev'") == [TRACE]
    spool.close()


def test_edits_that_wait_for_a_store_are_not_counted_as_traces(tmp_path: Path) -> None:
    class Refusing(MemoryStore):
        def position(self, segment: str) -> int:
            raise StoreError("not today")

    spool = make_spool(tmp_path / "spool", Refusing())
    spool.append(part(span(1)))
    spool.append_edit(Edit(TRACE, "env", "dev", 1))
    assert spool.flush() == FlushReport(accepted=1, stored=0, pending=1, dropped=0)


def test_a_segment_that_is_applied_again_changes_nothing(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "spool", 10**6)
    edits = [Edit(TRACE, "env", "a", 1), Edit(TRACE, "env", "b", 2)]
    frames: list[Frame] = [part(span(1)), *edits, part(span(1, trace=2)), Deletion(span(1, trace=2).trace_id, 3)]
    for frame in frames:
        writer.append(to_frame(frame))
    store = MemoryStore()
    Drainer(tmp_path / "spool", lambda: store).drain()
    assert found(store, "tags.env = 'b'") == found(store) == [TRACE]
    for segment in store.segments():
        store.forget_segment(segment)
    Drainer(tmp_path / "spool", lambda: store).drain()
    assert found(store, "tags.env = 'b'") == found(store) == [TRACE]
    writer.close()


def test_an_edit_for_which_there_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    spool = make_spool(tmp_path / "spool", MemoryStore())
    with pytest.raises(StoreError, match="cannot be kept"):
        spool.append_edit(Edit(TRACE, "env", "dev", 1))
    assert spool.flush() == FlushReport(accepted=0, stored=0, pending=0, dropped=0)


def test_an_edit_for_which_the_spool_has_no_room_is_an_error(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "spool", MemoryStore(), Settings(max_spool_bytes=100))
    with pytest.raises(StoreError, match="too much waits"):
        spool.append_edit(Edit(TRACE, "env", "x" * 200, 1))
    spool.close()


@needs_mount
def test_an_edit_for_which_the_disk_has_no_room_is_an_error_until_there_is_some(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = MemoryStore()
    spool = make_spool(small_disk / "spool", store)
    spool.append(part(span(1)))
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(8_000_000))
    with pytest.raises(StoreError, match="cannot be kept"):
        spool.append_edit(Edit(TRACE, "env", "x" * 100_000, 1))
    ballast.unlink()
    spool.append_edit(Edit(TRACE, "env", "dev", 2))
    spool.close()
    assert found(store, "tags.env = 'dev'") == [TRACE]


def test_an_edit_from_inside_of_an_append_is_refused_since_it_could_not_be_kept_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    real_append = spool._writer.append

    def append_and_be_interrupted(frame: bytes) -> None:
        with pytest.raises(StoreBusyError, match="in the midst"):
            spool.append_edit(Edit(TRACE, "env", "dev", 1))
        real_append(frame)

    monkeypatch.setattr(spool._writer, "append", append_and_be_interrupted)
    spool.append(part(span(1)))
    spool.close()
    assert found(store) == [TRACE]


def test_an_edit_outlives_the_removal_of_the_spool(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store, Settings(drain_interval_s=3600))
    spool.append_edit(Edit(TRACE, "env", "dev", 1))
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    spool.append(part(span(1)))
    spool.close()
    assert found(store, "tags.env = 'dev'") == [TRACE]


def test_a_tombstone_is_kept_while_a_process_lives_that_is_older(tmp_path: Path) -> None:
    now_ns = time.time_ns()
    store = MemoryStore()
    store.write([Deletion(TRACE, now_ns - 2 * DAY_NS), Deletion(span(1, trace=2).trace_id, now_ns)])
    old = take_lock(tmp_path / f"{now_ns - 3 * DAY_NS:020d}-1-aa.lock")
    Drainer(tmp_path, lambda: store).drain()
    store.write([part(span(1))])
    assert found(store) == []
    old.release()
    Drainer(tmp_path, lambda: store).drain()
    store.write([part(span(1)), part(span(1, trace=2))])
    assert found(store) == [TRACE]


def test_an_edit_is_kept_while_another_program_locks_the_store(store_path: Path) -> None:
    with tracehound.start_span("before"):
        pass
    tracehound.flush()
    locker = sqlite3.connect(store_path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with tracehound.start_span("meanwhile") as span:
        pass
    tracehound.set_trace_tag(span.trace_id, "env", "dev")  # the trace has finished, and is not in the store yet
    locker.execute("ROLLBACK")
    locker.close()
    assert tracehound.search_traces("tags.env = 'dev'", return_type="list")[0].info.trace_id == span.trace_id


def test_a_trace_that_ends_inside_of_an_edit_that_fails_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    real_append = spool._writer.append

    def refuse_once(frame: bytes) -> None:
        monkeypatch.setattr(spool._writer, "append", real_append)
        spool.append(part(span(1)))  # a signal handler, or a finalizer
        raise OSError("the disk is full")

    monkeypatch.setattr(spool._writer, "append", refuse_once)
    with pytest.raises(StoreError, match="cannot be kept"):
        spool.append_edit(Edit(TRACE, "env", "dev", 1))
    assert spool.flush().stored == 1
    spool.close()
    assert found(store) == [TRACE]
