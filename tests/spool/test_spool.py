"""The spool inside one process: counts, damage, trouble with the disk and with the store."""

from __future__ import annotations

import logging
import os
import queue
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

import tracehound
from tests.traces import part, span
from tracehound.client.counting import count_traces
from tracehound.errors import StoreBusyError, StoreError
from tracehound.model.edit import Change
from tracehound.model.merge import merge_parts
from tracehound.model.trace import Trace, TracePart
from tracehound.query.search import parse_search
from tracehound.settings import Settings
from tracehound.spool import descriptor, drain
from tracehound.spool.drain import Drainer
from tracehound.spool.segment import SegmentWriter, owner_of, read_bytes
from tracehound.spool.spool import FlushReport, Spool
from tracehound.store.api import SegmentRange, Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite import finding, plan
from tracehound.store.sqlite.changes import write_changes
from tracehound.store.sqlite.plan import Choice
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.frames import to_frame


def make_spool(folder: Path, store: Store, settings: Settings | None = None) -> Spool:
    return Spool(folder, lambda: store, settings or Settings())


def count(store: Store) -> int:
    return count_traces(store, parse_search(["0"]))


def test_flush_says_what_became_of_the_traces() -> None:
    for _ in range(3):
        with tracehound.start_span("step"):
            pass
    assert tracehound.flush() == FlushReport(accepted=3, stored=3, pending=0, dropped=0)


def test_traces_go_through_segments_of_bounded_size(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store, Settings(max_segment_bytes=1000))
    for number in range(50):
        spool.append(part(span(1, trace=number + 1)))
    assert spool.flush().stored == 50
    assert count(store) == 50
    spool.close()
    assert not list((tmp_path / "spool").iterdir())


def test_a_frame_larger_than_a_batch_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracehound.spool.drain.BATCH_BYTES", 100)
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    spool.append(part(span(1), tags={"long": "x" * 10_000}))
    spool.drain()
    assert count(store) == 1
    spool.close()


def test_a_store_says_how_large_a_batch_it_likes_best(tmp_path: Path) -> None:
    class Bulk(MemoryStore):
        batch_bytes = 10**6
        sizes: ClassVar[list[int]] = []

        def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
            self.sizes.append(len(changes))
            return super().write(changes, source)

    writer = SegmentWriter(tmp_path, 10**8)
    for number in range(30):
        writer.append(to_frame(part(span(1, trace=number + 1), tags={"long": "x" * 100_000})))
    writer.close()
    store = Bulk()
    Drainer(tmp_path, lambda: store).drain()
    assert count(store) == 30
    assert [size for size in store.sizes if size] == [9, 9, 9, 3]


def test_a_damaged_frame_is_set_aside_and_the_others_arrive(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = SegmentWriter(tmp_path, 10**6)
    writer.append(to_frame(part(span(1, trace=1))))
    writer.append(b"rubbish")
    writer.append(to_frame(part(span(1, trace=2))))
    writer.close()
    store = MemoryStore()
    Drainer(tmp_path, lambda: store).drain()
    assert count(store) == 2
    (aside,) = tmp_path.iterdir()
    assert aside.read_bytes() == b"rubbish"
    assert "7 damaged bytes" in caplog.text


def test_a_torn_frame_at_the_end_of_a_dead_segment_was_never_promised(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 10**6)
    writer.append(to_frame(part(span(1, trace=1))))
    writer.append(to_frame(part(span(1, trace=2)))[:-3])
    writer.close()
    store = MemoryStore()
    Drainer(tmp_path, lambda: store).drain()
    assert count(store) == 1
    assert not list(tmp_path.iterdir())


def test_a_short_write_is_made_good_in_a_new_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SegmentWriter(tmp_path, 10**6)
    writer.append(to_frame(part(span(1, trace=1))))
    real_write = descriptor.write_held
    torn: list[int] = []

    def write_half_once(file: int, data: bytes, length: int) -> int:
        if torn:
            return real_write(file, data, length)
        torn.append(file)
        return real_write(file, data, length // 2)

    monkeypatch.setattr("tracehound.spool.segment.write_held", write_half_once)
    writer.append(to_frame(part(span(1, trace=2))))
    writer.append(to_frame(part(span(1, trace=3))))
    writer.close()
    store = MemoryStore()
    Drainer(tmp_path, lambda: store).drain()
    assert count(store) == 3


def test_what_cannot_be_written_is_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    spool = make_spool(tmp_path / "spool", MemoryStore())
    for number in range(3):
        spool.append(part(span(1, trace=number + 1)))
    assert spool.flush() == FlushReport(accepted=3, stored=0, pending=0, dropped=3)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_what_is_too_much_to_wait_is_counted_as_dropped(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "spool", MemoryStore(), Settings(max_spool_bytes=10))
    spool.append(part(span(1)))
    assert spool.flush().dropped == 1


def test_traces_wait_while_the_store_cannot_take_them(tmp_path: Path) -> None:
    store = MemoryStore()
    trouble: list[StoreError] = [StoreError("the disk is full")]

    def open_store() -> Store:
        if trouble:
            raise trouble[0]
        return store

    spool = Spool(tmp_path / "spool", open_store, Settings())
    spool.append(part(span(1, trace=1)))
    spool.append(part(span(1, trace=2)))
    assert spool.flush() == FlushReport(accepted=2, stored=0, pending=2, dropped=0)
    trouble.clear()
    assert spool.flush() == FlushReport(accepted=2, stored=2, pending=0, dropped=0)
    assert count(store) == 2
    spool.close()


def test_a_live_segment_is_left_to_its_owner(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 10**6)
    writer.append(to_frame(part(span(1, trace=1))))
    store = MemoryStore()
    drainer = Drainer(tmp_path, lambda: store)
    drainer.drain()
    writer.append(to_frame(part(span(1, trace=2))))
    drainer.drain()
    assert count(store) == 2
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".seg"]
    writer.close()
    drainer.drain()
    assert not list(tmp_path.iterdir())


def test_a_part_that_no_store_can_take_does_not_hold_up_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = SegmentWriter(tmp_path / "spool", 10**6)
    for number in range(7):
        writer.append(to_frame(part(span(1, trace=number + 1), experiment="shop")))
    no_spans = TracePart(trace_id="tr-empty", experiment="shop", written_ns=1, spans=[])
    writer.append(to_frame(no_spans))
    for number in range(7):
        writer.append(to_frame(part(span(1, trace=number + 50))))
    writer.close()
    store = SqliteStore(tmp_path / "t.db")
    Drainer(tmp_path / "spool", lambda: store).drain()
    assert len(store.read_traces([f"tr-{number:032x}" for number in range(100)])) == 14
    assert "a trace was set aside" in caplog.text
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".damaged"]
    store.close()


def test_threads_that_trace_and_search_together_drop_nothing() -> None:
    def run() -> None:
        for _ in range(40):
            with tracehound.start_span("step"):
                pass
            tracehound.search_traces(max_results=1, return_type="list")

    threads = [threading.Thread(target=run) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert tracehound.flush() == FlushReport(accepted=240, stored=240, pending=0, dropped=0)


def test_threads_that_trace_first_at_the_same_moment_start_one_drainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make_spool(tmp_path, MemoryStore())
    other = threading.Thread(target=spool.append, args=(part(span(1, trace=2)),))
    made: list[threading.Thread] = []
    is_second_made = threading.Event()

    class Meanwhile(threading.Thread):
        """A thread in whose making another one traces."""

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            made.append(self)
            if len(made) == 1:
                other.start()
                is_second_made.wait(0.2)
            else:
                is_second_made.set()

    monkeypatch.setattr("tracehound.spool.spool.threading.Thread", Meanwhile)
    spool.append(part(span(1, trace=1)))
    other.join()
    assert len(made) == 1
    spool.close()
    assert not made[0].is_alive()


def test_what_is_written_while_a_drain_runs_is_left_for_the_next(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 10**6)

    class Growing(MemoryStore):
        """A store whose every batch is followed by another trace, as beside a writer that never rests."""

        def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
            writer.append(to_frame(part(span(1, trace=1 + count(self)))))
            return super().write(changes, source)

    store = Growing()
    writer.append(to_frame(part(span(1, trace=1000))))
    drainer = Drainer(tmp_path, lambda: store)
    drainer.drain()
    assert count(store) == 1
    drainer.drain()
    assert count(store) == 2
    writer.close()


def test_a_span_that_ends_inside_of_an_append_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    real_write = descriptor.write_held
    signals = [part(span(1, trace=2))]

    def write_and_be_interrupted(file: int, data: bytes, length: int) -> int:
        if signals:
            spool.append(signals.pop())  # as a signal handler or a finalizer does, in the same thread
        return real_write(file, data, length)

    monkeypatch.setattr("tracehound.spool.segment.write_held", write_and_be_interrupted)
    spool.append(part(span(1, trace=1)))
    assert spool.flush().stored == 2
    assert count(store) == 2
    spool.close()


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "foo.seg").write_bytes(b"not ours")
    store = MemoryStore()
    Drainer(tmp_path, lambda: store).drain()
    assert (tmp_path / "foo.seg").read_bytes() == b"not ours"


def test_a_writer_that_is_interrupted_while_it_begins_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    real_open = os.open
    interruptions = [KeyboardInterrupt()]

    def open_and_be_interrupted(path: Path, *arguments: int) -> int:
        descriptor = real_open(path, *arguments)
        if str(path).endswith(".seg") and interruptions:
            os.close(descriptor)
            raise interruptions.pop()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        spool.append(part(span(1, trace=1)))
    for number in range(2, 5):
        spool.append(part(span(1, trace=number)))
    assert spool.flush().dropped == 0
    assert count(store) == 3
    spool.close()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are used otherwise there")
def test_a_program_that_closes_our_files_loses_nothing_and_keeps_its_own(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    spool.append(part(span(1, trace=1)))
    assert spool._writer._lock is not None
    for number in (spool._writer._descriptor, spool._writer._lock._descriptor):
        os.close(number)
    spool.append(part(span(1, trace=2)))
    spool.drain()
    assert spool.flush() == FlushReport(accepted=2, stored=2, pending=0, dropped=0)
    assert count(store) == 2
    os.close(spool._writer._descriptor)
    with (tmp_path / "own").open("wb") as own:  # gets the number of the file that was closed
        assert own.fileno() == spool._writer._descriptor
        spool.drain()
        spool.append(part(span(1, trace=3)))
    assert (tmp_path / "own").read_bytes() == b""
    spool.close()
    assert count(store) == 3


def test_the_ends_of_many_processes_are_looked_after_at_once(tmp_path: Path) -> None:
    for number in range(60):
        writer = SegmentWriter(tmp_path, 10**6)
        writer.append(to_frame(part(span(1, trace=number + 1))))
        writer.close()

    class Counting(MemoryStore):
        durable = 0

        def make_durable(self) -> bool:
            self.durable += 1
            return super().make_durable()

    store = Counting()
    Drainer(tmp_path, lambda: store).drain()
    assert (count(store), store.durable) == (60, 1)
    assert not list(tmp_path.iterdir())


def test_behind_a_part_that_no_store_can_take_batches_are_whole_again(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "spool", 10**6)
    for number in range(64):
        spans = [] if number == 3 else [span(1, trace=number + 1)]
        writer.append(to_frame(TracePart(f"tr-{number + 1:032x}", "shop", 1, spans)))
    writer.close()
    batches: list[int] = []

    class Counting(MemoryStore):
        def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
            batches.append(len(changes))
            return super().write(changes, source)

    store = Counting()
    Drainer(tmp_path / "spool", lambda: store).drain()
    assert len(store.read_traces([f"tr-{number:032x}" for number in range(1, 65)])) == 63
    assert len(batches) < 30


def test_what_is_damaged_is_counted_as_dropped(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = make_spool(tmp_path / "spool", store)
    for number in range(3):
        spool.append(part(span(1, trace=number + 1)))
    (segment,) = (tmp_path / "spool").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(bytes(data))
    assert spool.flush() == FlushReport(accepted=3, stored=2, pending=0, dropped=1)
    assert count(store) == 2
    spool.close()


def test_snapshots_leave_room_for_finished_traces(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "spool", MemoryStore(), Settings(max_spool_bytes=4000, drain_interval_s=3600.0))
    snapshot = part(span(1, duration_ms=None), tags={"large": "x" * 900})
    assert not spool.append_snapshot(snapshot)
    spool.append(part(span(1), tags={"large": "x" * 900}))
    assert spool.flush().dropped == 0
    spool.close()


def test_a_finalizer_that_traces_inside_of_the_store_in_memory_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    traces = [part(span(1, trace=2))]
    real_merge = merge_parts

    def merge_and_be_interrupted(parts: Sequence[TracePart]) -> Trace:
        if traces:
            store.write([traces.pop()])
        return real_merge(parts)

    monkeypatch.setattr("tracehound.store.memory.merge_parts", merge_and_be_interrupted)
    store.write([part(span(1, trace=1))])
    assert count(store) == 2


def test_a_signal_handler_that_flushes_inside_of_a_batch_leaves_the_batch_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "t.db")
    inside: list[str] = []

    def write_and_be_interrupted(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
        write_changes(connection, changes)
        if not inside:
            inside.append("came in between")
            with pytest.raises(StoreBusyError, match="in the midst of writing"):
                store.write([part(span(1, trace=2))])

    monkeypatch.setattr("tracehound.store.sqlite.store.write_changes", write_and_be_interrupted)
    assert store.write([part(span(1, trace=1))])
    assert inside
    assert list(store.read_traces([f"tr-{number:032x}" for number in (1, 2)])) == [f"tr-{1:032x}"]
    store.close()


def test_what_only_another_user_may_read_is_neither_removed_nor_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    theirs: list[Path] = []
    for number in (1, 2):
        writer = SegmentWriter(tmp_path, 1)  # a segment for every frame
        for trace in (10 * number, 10 * number + 1):
            writer.append(to_frame(part(span(1, trace=trace))))
        lock = tmp_path / f"{writer.owner()}.lock"
        writer.close()
        lock.unlink()
        theirs = theirs or sorted(tmp_path.iterdir())
    real_read = read_bytes

    def refuse_theirs(segment: Path, position: int, length: int | None) -> bytes:
        if segment in theirs:
            raise PermissionError(13, "Permission denied", str(segment))  # root, who may run this, is refused nothing
        return real_read(segment, position, length)

    monkeypatch.setattr(drain, "read_bytes", refuse_theirs)
    store = MemoryStore()
    drainer = Drainer(tmp_path, lambda: store)
    drainer.drain()
    drainer.drain()
    assert sorted(tmp_path.iterdir()) == theirs
    assert count(store) == 2
    assert caplog.text.count("traces of another user wait") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors there")
def test_where_descriptors_are_few_the_ends_of_many_processes_are_looked_after_in_turns(tmp_path: Path) -> None:
    import resource

    leave_ended(tmp_path, 100)
    store = MemoryStore()
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with (tmp_path / "last").open("wb") as last:
        free = [os.dup(last.fileno()) for _ in range(49)]  # those of an engine in this process may lie anywhere
        for descriptor in free:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(free) + 1, most))
        try:
            Drainer(tmp_path, lambda: store).drain()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    assert count(store) == 100
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed there")
def test_what_went_into_a_log_that_was_removed_in_the_midst_of_a_drain_is_drained_again(tmp_path: Path) -> None:
    class Unlucky(SqliteStore):
        written = 0

        def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
            self.written += 1
            if self.written == 5:
                for suffix in ("-wal", "-shm"):
                    Path(f"{tmp_path / 'store.db'}{suffix}").unlink()
            return super().write(changes, source)

    leave_ended(tmp_path / "spool", 10)
    store = Unlucky(tmp_path / "store.db")
    drainer = Drainer(tmp_path / "spool", lambda: store)
    drainer.drain()
    drainer.drain()
    assert count(store) == 10
    assert not list((tmp_path / "spool").iterdir())
    store.close()


def test_a_program_that_runs_for_long_does_not_remember_what_others_have_removed(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 10**6)
    store = MemoryStore()
    watching = Drainer(tmp_path, lambda: store)
    writer.append(to_frame(part(span(1, trace=1))))
    watching.drain()
    assert len(watching._applied) == len(watching._origins) == 1
    writer.close()
    Drainer(tmp_path, lambda: store).drain()
    watching.drain()
    assert not watching._applied
    assert not watching._origins


def test_what_the_drainer_waits_for_is_of_one_kind_with_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Replaced(queue.Queue[None]):
        """As gevent replaces the queue of the standard library in a program that runs."""

    spool = make_spool(tmp_path / "spool", MemoryStore())
    monkeypatch.setattr(queue, "SimpleQueue", Replaced)
    spool.append(part(span(1, trace=1)))
    assert type(spool._wake).__name__ == "Replaced"
    spool.close()


def test_a_signal_handler_that_drains_inside_of_a_search_does_not_wait_for_who_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_ended(tmp_path / "spool", 1)
    store = SqliteStore(tmp_path / "store.db")
    drainer = Drainer(tmp_path / "spool", lambda: store)
    (segment,) = (tmp_path / "spool").glob("*.seg")
    thread = threading.Thread(target=drainer.drain)

    def choose_and_drain(reader: object, search: object, words: object) -> Choice:
        thread.start()
        while drainer._mutex.acquire(blocking=False):  # until the thread has it, which then waits for this search
            drainer._mutex.release()
        with pytest.raises(StoreBusyError):
            drainer.drain()
        assert drainer.pending([owner_of(segment.name)]) == 1
        return plan.choose_plan(reader, search, words)  # type: ignore[arg-type]

    monkeypatch.setattr(drain, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(finding, "choose_plan", choose_and_drain)
    store.search(parse_search(["0"], "tags.k IS NULL"))
    thread.join()
    assert count(store) == 1
    store.close()


def leave_ended(folder: Path, owners: int) -> None:
    """Leave the segments of so many processes that have ended, each with a trace."""
    for number in range(owners):
        writer = SegmentWriter(folder, 10**6)
        writer.append(to_frame(part(span(1, trace=number + 1))))
        writer.close()
