"""Writing for many at a time: what comes together is one transaction, and nobody is told before it is safe."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server.otlp import request_of
from tests.server.test_otlp import send, stored
from tests.server.test_routes import problem_of
from tests.traces import part, span
from tracehound.errors import StoreBusyError, StoreError
from tracehound.server.limits import ServerLimits
from tracehound.server.problems import BacklogFullError, StoppingError, UnstorableError
from tracehound.server.writer import Backlog, GroupWriter
from tracehound.store.sqlite import files
from tracehound.store.sqlite.store import SqliteStore

_PAGE = 4_096  # of the system's


@pytest.fixture
def store(store_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(store_path)
    yield opened
    opened.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep everyone else from writing to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def submit(writer: GroupWriter, *traces: int) -> list[Future[None]]:
    return [writer.submit([part(span(1, each))], 1_000) for each in traces]


def numbers_in(store: SqliteStore) -> list[int]:
    return sorted(int(each.info.trace_id[-4:], 16) for each in store.arrivals(None, 1_000))


def test_what_waits_together_is_written_together(store: SqliteStore, store_path: Path) -> None:
    writer = GroupWriter(store, patience_s=60)
    with locked(store_path):
        waiting = submit(writer, *range(1, 101))
        assert not any(each.done() for each in waiting)
    wait(waiting)
    assert numbers_in(store) == list(range(1, 101))
    assert writer.batches <= 2  # what came first, and what came while that waited
    writer.close()


def test_nobody_is_told_before_the_disk_has_it_and_the_next_is_written_meanwhile(store_path: Path) -> None:
    with closing(SlowDisk(store_path)) as store:
        writer = GroupWriter(store, patience_s=60)
        (first,) = submit(writer, 1)
        assert store.is_asked.wait(60)
        (second,) = submit(writer, 2)
        while numbers_in(store) != [1, 2]:
            time.sleep(0.01)  # between two looks
        assert not first.done()
        assert not second.done()
        store.is_done.set()
        wait([first, second])
        writer.close()


def test_what_the_disk_does_not_take_is_refused(store_path: Path) -> None:
    with closing(SlowDisk(store_path)) as store:
        store.is_done.set()
        writer = GroupWriter(store, patience_s=60)
        store.fault = StoreError("the disk does not take it")
        (first,) = submit(writer, 1)
        with pytest.raises(StoreError, match="the disk"):
            first.result()
        store.fault = None
        assert [each.result() for each in submit(writer, 1)] == [None]
        writer.close()


def test_what_was_written_to_a_file_that_is_gone_by_then_is_not_safe(store: SqliteStore, store_path: Path) -> None:
    incarnation = store.write_prepared([part(span(1))])
    store.sync(incarnation)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{store_path}{suffix}").unlink()
    with pytest.raises(StoreBusyError):
        store.sync(incarnation)
    again = store.write_prepared([part(span(1))])
    with pytest.raises(StoreBusyError):
        store.sync(incarnation)
    store.sync(again)


class SlowDisk(SqliteStore):
    """A store in a file whose disk takes its time, and may have a fault."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_asked, self.is_done = threading.Event(), threading.Event()
        self.fault: StoreError | None = None

    def sync(self, incarnation: int) -> None:
        self.is_asked.set()
        assert self.is_done.wait(60)
        if self.fault is not None:
            raise self.fault
        super().sync(incarnation)


def test_what_has_been_submitted_is_written_before_it_ends(store: SqliteStore) -> None:
    writer = GroupWriter(store, patience_s=60)
    waiting = submit(writer, *range(1, 51))
    writer.close()
    assert all(each.done() for each in waiting)
    assert len(numbers_in(store)) == 50
    with pytest.raises(StoppingError):
        submit(writer, 51)


def test_where_the_store_stays_locked_all_who_wait_are_told(store: SqliteStore, store_path: Path) -> None:
    writer = GroupWriter(store, patience_s=0)
    with locked(store_path):
        for each in submit(writer, 1, 2):
            with pytest.raises(StoreBusyError):
                each.result()
    assert [each.result() for each in submit(writer, 3)] == [None]
    assert numbers_in(store) == [3]
    writer.close()


def test_what_the_store_cannot_hold_does_not_take_others_with_it(store: SqliteStore, store_path: Path) -> None:
    store.write([part(span(1, 2))])
    with closing(sqlite3.connect(store_path)) as connection, connection:
        connection.execute("UPDATE part SET payload = x'00'")
    writer = GroupWriter(store, patience_s=60)
    with locked(store_path):
        first, *bad, last = [
            *submit(writer, 1), *(writer.submit([part(span(number, 2))], 10) for number in (3, 4)), *submit(writer, 5)
        ]  # fmt: skip
    assert (first.result(), last.result()) == (None, None)
    for each in bad:
        with pytest.raises(UnstorableError):
            each.result()
    assert numbers_in(store) == [1, 2, 5]
    writer.close()


def test_a_backlog_has_an_end() -> None:
    backlog = Backlog(10)
    backlog.take(10)
    with pytest.raises(BacklogFullError):
        backlog.take(1)
    backlog.give_back(4)
    backlog.take(3)
    assert backlog.size_bytes() == 9


def test_a_full_disk_refuses_and_loses_nothing_that_was_answered_for(client: TestClient) -> None:
    def send_trace(number: int) -> int:
        pairs = [(number, span_number) for span_number in range(1, 100)]
        return int(send(client, request_of(*pairs).SerializeToString()).status_code)

    assert send_trace(1) == 200
    limit_pages(client, None)
    number = 1
    while (status := send_trace(number + 1)) == 200:
        number += 1
    assert status == 507
    problem = problem_of(client.put(f"/api/v1/traces/tr-{1:032x}/tags/a", json={"value": "b" * 60_000}), 507)
    assert (problem["code"], "the disk is full" in problem["detail"]) == ("STORE_FULL", True)
    assert len(stored()) == number
    limit_pages(client, 1_000_000)
    assert send_trace(number + 1) == 200
    assert len(stored()) == number + 1


def limit_pages(client: TestClient, count: int | None) -> None:
    """Let the file have so many pages, without a number no more than it has: SQLite tells that as a full disk."""
    file = client.app.state.served.store._file  # type: ignore[attr-defined] # a Starlette
    with file.writing() as connection:
        pages = count or connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")


class TestBusyStore:
    @pytest.fixture
    def limits(self) -> ServerLimits:
        return ServerLimits(patience_s=0)

    def test_a_store_that_others_keep_locked_is_told_to_be_busy(self, client: TestClient, store_path: Path) -> None:
        with locked(store_path):
            response = send(client, request_of((1, 1)).SerializeToString())
        assert problem_of(response, 503)["code"] == "STORE_BUSY"
        assert response.headers["retry-after"] == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="a stack that finds no room is found out elsewhere later")
def test_where_no_thread_can_be_started_it_is_refused_and_the_next_is_written(store: SqliteStore) -> None:
    writer = GroupWriter(store, patience_s=60)
    before = threading.stack_size(1 << 46)  # more than any machine has
    try:
        with pytest.raises(BacklogFullError):
            submit(writer, 1)
    finally:
        threading.stack_size(before)
    assert [each.result(60) for each in submit(writer, 1)] == [None]
    writer.close()


def test_where_a_disk_has_refused_once_what_it_takes_later_outlives_the_loss_of_power(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    log, copy = Path(f"{store_path}-wal"), store_path.with_name("copy.db")
    with closing(SqliteStore(store_path)) as store:
        store.write([part(span(1, 1))])
        safe_bytes = log.stat().st_size
        incarnation = store.write_prepared([part(span(1, 2))])
        refused = log.read_bytes()
        with monkeypatch.context() as disk, pytest.raises(StoreError, match="the disk does not take"):
            disk.setattr(files, "_sync_data", refuse)
            store.sync(incarnation)
        with pytest.raises(StoreBusyError):  # Linux says once of the same bytes that they are lost
            store.sync(incarnation)
        store.sync(store.write_prepared([part(span(1, 2)), part(span(1, 3))]))
        # The power fails: what the disk has refused is there only where it was written again since.
        left = log.read_bytes()
        places = [slice(at, at + _PAGE) for at in range(0, len(left), _PAGE)]
        lost = [at.start >= safe_bytes and left[at] == refused[at] for at in places]
        kept = [bytes(_PAGE) if is_lost else left[at] for at, is_lost in zip(places, lost, strict=True)]
        Path(f"{copy}-wal").write_bytes(b"".join(kept))
        shutil.copyfile(store_path, copy)
    with closing(SqliteStore(copy)) as restored:
        assert numbers_in(restored) == [1, 2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of files there")
def test_what_waits_for_the_disk_while_another_batch_meets_a_fault_of_it_is_not_safe(
    store: SqliteStore, store_path: Path
) -> None:
    import resource

    incarnation = store.write_prepared([part(span(1, 1))])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{store_path}-wal").stat().st_size, before[1]))
    try:
        with pytest.raises(StoreError, match="the disk has a fault"):
            store.write([part(span(1, 2))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(StoreBusyError):
        store.sync(incarnation)
    store.sync(store.write_prepared([part(span(1, 1))]))
    assert numbers_in(store) == [1]


def test_what_the_disk_has_refused_is_not_written_behind_while_a_program_reads_it(
    store: SqliteStore, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    incarnation = store.write_prepared([part(span(1, 1))])
    with monkeypatch.context() as disk, pytest.raises(StoreError):
        disk.setattr(files, "_sync_data", refuse)
        store.sync(incarnation)
    with closing(sqlite3.connect(store_path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM trace").fetchone()
        with pytest.raises(StoreBusyError):
            store.write_prepared([part(span(1, 2))])
    store.sync(store.write_prepared([part(span(1, 2))]))
    assert numbers_in(store) == [1, 2]
