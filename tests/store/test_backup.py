"""A copy of a store in use is whole, holds all that was finished, and stands alone."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import tracehound
from tests.spool.programs import ENDLESS, kill_after, start
from tests.spool.test_trouble import Program, find_all, needs_mount, needs_posix, read_only, small_disk
from tests.store.test_replaced import integrity_of
from tests.traces import part, span
from tracehound.client.backup import back_up
from tracehound.errors import ArgumentError, StoreError
from tracehound.store.sqlite.backup import back_up as copy_file
from tracehound.store.sqlite.store import SqliteStore

__all__ = ["small_disk"]


def test_a_copy_made_while_others_write_holds_all_that_had_returned(store_path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    told: list[tuple[int, int]] = []
    busy = start(ENDLESS, store_path)
    with Program(store_path) as program:
        returned = program.trace(*[300] * 300)
        assert back_up(copy, lambda done, total: told.append((done, total))) == copy.stat().st_size
        program.kill()
    kill_after(busy, 10)
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy.db"]
    assert integrity_of(copy) == "ok"
    assert told[-1][0] == told[-1][1] > 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert find_all(copy) >= set(returned)


@needs_mount
def test_a_store_where_nothing_can_be_written_is_copied_to_where_something_can(
    small_disk: Path, tmp_path: Path
) -> None:
    path, copy = small_disk / "tracehound.db", tmp_path / "copy.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.write([part(span(1, number)) for number in range(3)])
    with read_only(small_disk):
        tracehound.set_tracking_uri(str(path))
        with pytest.raises(StoreError, match="cannot be written"):
            back_up(small_disk / "copy.db")
        back_up(copy)
    assert integrity_of(copy) == "ok"
    assert len(find_all(copy)) == 3


def test_a_writer_that_never_rests_does_not_keep_the_copy_from_its_end(tmp_path: Path) -> None:
    path, copy = tmp_path / "busy.db", tmp_path / "copy.db"
    text = "".join(map(chr, range(32, 2000)))
    with contextlib.closing(SqliteStore(path)) as store:
        store.write([part(span(1, number), tags={f"key {at}": text for at in range(5)}) for number in range(500)])
        more = iter(range(500, 100_000))
        steps: list[int] = []

        def write_between(done: int, _total: int) -> None:
            store.write([part(span(1, next(more)))])
            steps.append(done)

        copy_file(path, copy, write_between)
    assert len(steps) > 3
    assert steps == sorted(steps)
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM trace").fetchone() == (500,)


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    existing = tmp_path / "existing.db"
    existing.write_bytes(b"precious")
    with pytest.raises(ArgumentError, match=r"existing\.db exists, and is not overwritten"):
        back_up(existing)
    assert existing.read_bytes() == b"precious"


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing/copy\.db cannot be written|missing.copy\.db cannot be written"):
        back_up(tmp_path / "missing" / "copy.db")


def test_traces_in_memory_cannot_be_backed_up(tmp_path: Path) -> None:
    tracehound.set_tracking_uri("memory://")
    with pytest.raises(ArgumentError, match="traces in memory cannot be backed up"):
        back_up(tmp_path / "copy.db")


def test_an_interrupted_copy_leaves_nothing(store_path: Path, tmp_path: Path) -> None:
    with tracehound.start_span("one"):
        pass

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(tmp_path / "copy.db", interrupt)
    assert not list(tmp_path.glob("*copy*"))


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "large.db"
    with contextlib.closing(SqliteStore(path)), contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE ballast (x)")
        connection.execute("INSERT INTO ballast VALUES (zeroblob(60000000))")
    command = [sys.executable, "-m", "tracehound", "backup", "copy.db", "--store", str(path)]
    for _ in range(20):
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while not list(tmp_path.glob(".copy*")) and process.poll() is None:
                pass
            process.send_signal(number)
        if not (tmp_path / "copy.db").exists():
            break
        assert integrity_of(tmp_path / "copy.db") == "ok"
        (tmp_path / "copy.db").unlink()  # it was done before it could be told
    assert process.returncode != 0
    assert not list(tmp_path.glob("*copy*"))


@needs_mount
def test_a_full_disk_is_named_and_nothing_is_left_on_it(store_path: Path, small_disk: Path) -> None:
    SqliteStore(store_path).close()
    with contextlib.closing(sqlite3.connect(store_path)) as connection, connection:
        connection.execute("CREATE TABLE ballast (x)")
        connection.execute("INSERT INTO ballast VALUES (zeroblob(8000000))")
    with pytest.raises(StoreError, match=r"copy\.db cannot be written: the disk is full"):
        back_up(small_disk / "copy.db")
    assert not list(small_disk.iterdir())


def test_the_command_says_what_it_made(store_path: Path, tmp_path: Path) -> None:
    with tracehound.start_span("one"):
        pass
    command = [sys.executable, "-m", "tracehound", "backup", str(tmp_path / "copy.db"), "--store", str(store_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "copy.db" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr
    found = subprocess.run(
        [sys.executable, "-m", "tracehound", "doctor", "--json", "--store", str(tmp_path / "copy.db")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(found.stdout)["problems"] == []
