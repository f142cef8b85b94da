"""Trouble with disks, files and processes: the call goes on, what could not be kept is counted, the rest is found.

The programs here are processes of their own that trace on request, so that every test is a story of what they were told
and what befell them. Nothing is imitated: the disks are full and the files are gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

import tracehound
from tracehound.client.doctor import examine
from tracehound.model.trace import Trace
from tracehound.spool.spool import FlushReport
from tracehound.store.targets import parse_target

IS_ROOT_ON_LINUX = sys.platform == "linux" and os.geteuid() == 0
HAS_LIMITS = sys.platform != "win32"
GIVE_UP_AFTER_S = 20.0

needs_mount = pytest.mark.skipif(not IS_ROOT_ON_LINUX, reason="a disk of its own is mounted by root, on Linux")
needs_posix = pytest.mark.skipif(not HAS_LIMITS, reason="this system has no fork, no limits, and keeps open files")

# Does what its standard input says, one JSON list a line, and prints each result as JSON.
DRIVEN = """
import dataclasses, json, os, sqlite3, sys, tracehound

@tracehound.trace
def work(size):
    text = os.urandom(size // 2).hex()
    return tracehound.get_current_active_span().trace_id, text

def trace(*sizes):
    return [work(size)[0] for size in sizes]

def flush():
    return dataclasses.asdict(tracehound.flush())

def keep_locked(path):
    global locker
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")

def limit(size):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
"""

# Searches without end, and so drains without end; prints a line for each search.
DRAINING = """
import tracehound
while True:
    tracehound.search_traces(max_results=1, return_type="list")
    print(flush=True)
"""

# Becomes sixteen processes, forked before anything is traced, so that all of them begin at once.
SIXTEEN = """
import os, sys, tracehound, tracehound.store.sqlite.store

@tracehound.trace
def work():
    return tracehound.get_current_active_span().trace_id

children = []
for _ in range(16):
    child = os.fork()
    if child == 0:
        break
    children.append(child)
else:
    sys.exit(any(os.waitpid(child, 0)[1] for child in children))
for _ in range(200):
    os.write(1, f"{work()}\\n".encode())  # in one piece
assert tracehound.flush().dropped == 0
"""

# Forks in the middle of a trace; both sides go on with it, and the child ends without running any handler.
FORKING = """
import os, warnings, tracehound
warnings.simplefilter("ignore")  # Python 3.12 warns of forking beside the thread that drains
with tracehound.start_span("before"):
    pass
with tracehound.start_span("request"):
    with tracehound.start_span("shared"):
        child = os.fork()
        side = "child" if child == 0 else "parent"
        for number in range(3):
            with tracehound.start_span(f"{side} {number}"):
                with tracehound.start_span(f"{side} {number} below"):
                    pass
        if child == 0:
            os._exit(0)
    os.waitpid(child, 0)
"""


class Program:
    """A traced process that does as it is told."""

    def __init__(self, store: Path, source: str = DRIVEN) -> None:
        environment = {**os.environ, "TRACEHOUND_TRACKING_URI": str(store)}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", source], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def ask(self, command: str, *arguments: int | str) -> None:
        """Tell it to do something, without waiting for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([command, *arguments])}\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Return what came out of the oldest command that has not been answered; wait for it."""
        line = self.line()
        assert line, f"the program ended: {self._process.communicate()[1]}"
        return json.loads(line)

    def line(self) -> str:
        """Return the next line that it prints, whatever it is."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def trace(self, *sizes: int) -> list[str]:
        """Have it make a traced call for each size, which is what the call returns; return the ids of the traces."""
        self.ask("trace", *sizes)
        answer: list[str] = self.answer()
        assert len(answer) == len(sizes)
        return answer

    def flush(self) -> FlushReport:
        """Have it bring what it can into the store and say what became of its traces."""
        self.ask("flush")
        return FlushReport(**self.answer())

    def keep_locked(self, store: Path) -> None:
        """Have it keep the store locked up to its end, so that nothing that waits for the store comes into it."""
        self.ask("keep_locked", str(store))
        self.answer()

    def limit_files(self, size: int) -> None:
        """Let no file that it writes grow beyond the size."""
        self.ask("limit", size)
        self.answer()

    def end(self) -> str:
        """Let it end like any program, and return what it said on its log."""
        _, log = self._process.communicate(timeout=GIVE_UP_AFTER_S)
        assert self._process.returncode == 0, log
        return log

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        self._process.communicate()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
        tracehound.set_tracking_uri(str(tmp_path / "tracehound.db"))  # lets go of the files there
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(ballast: Path, free_bytes: int = 0) -> None:
    """Leave so much room on the disk where the file lies."""
    with ballast.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(bytes(4_096)):
                pass
        file.truncate(file.tell() - free_bytes)


@needs_mount
def test_on_a_full_disk_calls_go_on_and_drops_are_counted_until_there_is_room_again(small_disk: Path) -> None:
    store = small_disk / "tracehound.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    returned = []
    with Program(store) as program:
        while (report := program.flush()).dropped == 0:
            returned += program.trace(*[8_000, 300] * 10)
        for _ in range(20):
            returned += program.trace(*[8_000, 300] * 10)
            report = program.flush()
            assert report.accepted == len(returned)
            assert report.accepted == report.stored + report.pending + report.dropped
            assert 0 <= report.stored <= count_rows(store)
        assert report.dropped > 100
        assert len(list(spool_of(store).iterdir())) < 20
        ballast.unlink()
        dropped = program.flush().dropped
        kept = program.trace(*[8_000, 300] * 10)
        returned += kept
        report = program.flush()
        log = program.end()
    assert report == FlushReport(len(returned), len(returned) - dropped, 0, dropped)
    assert log.count("could not be kept") == 1
    found = find_all(store)
    assert set(kept) <= found <= set(returned)
    assert len(found) == len(returned) - dropped
    assert not list(spool_of(store).iterdir())


@needs_mount
def test_what_is_stored_on_a_full_disk_can_be_read_where_it_is_open_and_elsewhere_it_is_said(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = small_disk / "tracehound.db"
    tracehound.set_tracking_uri(str(store))
    with tracehound.start_span("before"):
        pass
    assert find_all(store)
    fill(small_disk / "ballast", free_bytes=4_096)
    with tracehound.start_span("after"):  # for which its segment has room, and the store has not
        pass
    assert [trace.info.name for trace in tracehound.search_traces(return_type="list")] == ["before"]
    assert f"the disk is full: {store} cannot grow: what was finished last may be missing here" in caplog.text
    tracehound.set_tracking_uri(str(small_disk.parent / "tracehound.db"))
    fill(small_disk / "more")  # nothing is left for the files that reading takes
    with pytest.raises(tracehound.StoreFullError, match="the disk is full"):
        find_all(store)
    assert any(
        "the disk of" in problem and "is full" in problem for problem in examine(parse_target(str(store))).problems
    )


@needs_posix
def test_where_files_may_not_grow_large_there_are_more_of_them(store_path: Path) -> None:
    find_all(store_path)
    with Program(store_path) as program:
        program.limit_files(100_000)
        with locked(store_path):  # or they might be stored and removed by then
            returned = program.trace(*[8_000] * 100)
            segments = [path for path in spool_of(store_path).iterdir() if path.suffix == ".seg"]
        report = program.flush()
        program.end()
    assert (report.accepted, report.dropped) == (100, 0)
    assert len(segments) > 1
    assert find_all(store_path) == set(returned)


@needs_posix
def test_what_is_larger_than_any_file_may_be_is_dropped_and_all_else_kept(store_path: Path) -> None:
    with Program(store_path) as program:
        program.limit_files(10_000)
        returned = program.trace(*[300, 20_000] * 50)
        report = program.flush()
        log = program.end()
    assert (report.accepted, report.dropped) == (100, 50)
    assert log.count("could not be kept") == 1
    assert len(list(spool_of(store_path).iterdir())) < 20
    assert find_all(store_path) == set(returned[::2])


@needs_mount
def test_in_a_read_only_place_calls_go_on_and_drops_are_counted_until_it_can_be_written(small_disk: Path) -> None:
    store = small_disk / "tracehound.db"
    with Program(store) as program:
        with read_only(small_disk):
            program.trace(*[300] * 50)
            assert program.flush() == FlushReport(accepted=50, stored=0, pending=0, dropped=50)
        returned = program.trace(*[300] * 50)
        assert program.flush() == FlushReport(accepted=100, stored=50, pending=0, dropped=50)
        log = program.end()
    assert log.count("could not be kept") == 1
    assert len(log.splitlines()) == 1
    assert find_all(store) == set(returned)


def delete_folder(spool: Path) -> None:
    aside = spool.rename(spool.with_name(f"{spool.name}-deleted"))  # where nobody makes or removes files meanwhile
    shutil.rmtree(aside)


def delete_lock(spool: Path) -> None:
    for lock in spool.glob("*.lock"):
        lock.unlink(missing_ok=True)  # its process may remove it, too


@needs_posix
@pytest.mark.parametrize("delete", [delete_folder, delete_lock])
@pytest.mark.parametrize("calls", [100, 0])
def test_what_returned_before_files_of_the_spool_were_deleted_is_found_and_what_returns_after(
    store_path: Path, delete: Callable[[Path], None], calls: int
) -> None:
    find_all(store_path)
    with Program(store_path) as program:
        with locked(store_path):  # so that nothing has been stored yet
            returned = program.trace(*[300] * 100)
            delete(spool_of(store_path))
        returned += program.trace(*[300] * calls)
        log = program.end()
    assert "files of the spool were removed" in log
    assert find_all(store_path) == set(returned)
    assert not list(spool_of(store_path).iterdir())


@needs_posix
def test_what_was_deleted_is_kept_too_when_another_segment_is_due_before_the_next_drain(store_path: Path) -> None:
    find_all(store_path)
    with Program(store_path) as program:
        program.limit_files(100_000)
        with locked(store_path):
            returned = program.trace(*[8_000] * 5)
            delete_folder(spool_of(store_path))
            returned += program.trace(*[8_000] * 30)
        assert program.end().count("files of the spool were removed") == 1
    assert find_all(store_path) == set(returned)


@needs_posix
@pytest.mark.parametrize("delete", [delete_folder, delete_lock])
def test_deleted_files_of_the_spool_lose_nothing_beside_others_that_drain(
    store_path: Path, delete: Callable[[Path], None]
) -> None:
    with Program(store_path) as program, Program(store_path, DRAINING) as drainer:
        returned = []
        for _ in range(5):
            returned += program.trace(300)
            program.ask("trace", *[300] * 300)
            drainer.line()
            delete(spool_of(store_path))
            returned += program.answer()
            assert program.flush() == FlushReport(len(returned), len(returned), 0, 0)
        drainer.kill()
        program.end()
    assert find_all(store_path) == set(returned)


@needs_posix
def test_sixteen_processes_that_trace_into_one_store_lose_and_repeat_nothing(store_path: Path) -> None:
    with Program(store_path, SIXTEEN) as program:
        returned = [program.line().strip() for _ in range(16 * 200)]
        program.end()
    assert len(set(returned)) == 16 * 200
    assert find_all(store_path) == set(returned)
    assert not list(spool_of(store_path).iterdir())


def test_large_traces_of_many_threads_are_found_whole() -> None:
    made: dict[str, list[str]] = {}

    def run() -> None:
        values = [os.urandom(450_000).hex() for _ in range(3)]
        with tracehound.start_span("large") as span:
            span.set_inputs(values[0])
            span.set_outputs(values[1])
            span.set_attribute("third", values[2])
        made[span.trace_id] = values

    threads = [threading.Thread(target=run) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert tracehound.flush() == FlushReport(accepted=8, stored=8, pending=0, dropped=0)
    spans = {trace.info.trace_id: trace.data.spans[0] for trace in everything()}
    assert {key: [span.inputs, span.outputs, span.attributes["third"]] for key, span in spans.items()} == made


@needs_posix
def test_a_fork_in_the_middle_of_a_trace_loses_no_span_of_either_side(store_path: Path) -> None:
    with Program(store_path, FORKING) as program:
        program.end()
    request = max(everything(), key=lambda trace: len(trace.data.spans))
    spans = request.data.spans
    assert len({span.span_id for span in spans}) == len(spans)
    names = {span.span_id: span.name for span in spans}
    above = {span.name: names.get(span.parent_id or "") for span in spans}
    assert above == {
        "request": None,
        "shared": "request",
        **{f"{side} {number}": "shared" for side in ("child", "parent") for number in range(3)},
        **{f"{side} {number} below": f"{side} {number}" for side in ("child", "parent") for number in range(3)},
    }


def test_drainers_that_are_killed_at_work_lose_and_repeat_nothing(store_path: Path) -> None:
    chance = random.Random(7)
    with Program(store_path) as program:
        returned = program.trace(300)
        for _ in range(5):
            with Program(store_path, DRAINING) as drainer:
                drainer.line()
                program.ask("trace", *[300] * 600)
                for _ in range(chance.randrange(6)):
                    drainer.line()
                drainer.kill()
            returned += program.answer()
        program.kill()
    assert find_all(store_path) == set(returned)
    assert not list(spool_of(store_path).iterdir())


def everything() -> list[Trace]:
    return tracehound.search_traces(return_type="list")


def find_all(store: Path) -> set[str]:
    """Return the ids of all traces of a store, from this process, where none is there twice."""
    tracehound.set_tracking_uri(str(store))
    traces = everything()
    twice = [trace_id for trace_id, times in Counter(trace.info.trace_id for trace in traces).items() if times > 1]
    assert not twice
    assert all(len(trace.data.spans) == 1 for trace in traces)
    assert count_rows(store) == len(traces)
    return {trace.info.trace_id for trace in traces}


def spool_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-spool")


def count_rows(store: Path) -> int:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        return int(connection.execute("SELECT count(*) FROM trace").fetchone()[0])


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Keep everyone from writing to the store."""
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Let nobody write to the disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
