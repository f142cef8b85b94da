"""The doctor says what is there and what is wrong, of any file, and changes nothing."""

from __future__ import annotations

import contextlib
import json
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracehound
from tests.spool.programs import ENDLESS, kill_after, start
from tests.traces import part, span
from tracehound.client.doctor import Report, examine
from tracehound.store.sqlite.connection import PAGE_BYTES
from tracehound.store.sqlite.store import SqliteStore
from tracehound.store.targets import parse_target


def doctor(path: Path, *, is_full: bool = True) -> Report:
    return examine(parse_target(str(path)), is_full=is_full)


@pytest.fixture
def some_traces(store_path: Path) -> Path:
    with contextlib.closing(SqliteStore(store_path)) as store:
        store.write([part(span(1, number), tags={"number": str(number)}) for number in range(30)])
    return store_path


def test_a_whole_store_is_counted_and_nothing_is_wrong_with_it(some_traces: Path) -> None:
    report = doctor(some_traces)
    assert report.problems == []
    counts = {count.table: count.number for count in report.file.counts}
    assert (counts["trace"], counts["part"], counts["experiment"]) == (30, 30, 1)
    assert report.file.schema == report.file.newest_schema
    assert report.file.bytes == some_traces.stat().st_size
    assert report.versions.sqlite == sqlite3.sqlite_version
    assert report.checked == ["every page and every index entry", "every trace"]


def test_a_file_that_nothing_was_written_to_is_no_damaged_one(store_path: Path) -> None:
    store_path.touch()  # as SQLite leaves it where the disk was full
    report = doctor(store_path)
    assert (report.problems, report.checked, report.file.schema) == ([], [], 0)


@pytest.mark.parametrize("is_full", [False, True])
def test_looking_changes_nothing(some_traces: Path, *, is_full: bool) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in some_traces.parent.iterdir() if path.is_file()}

    before = files()
    doctor(some_traces, is_full=is_full)
    assert files() == before


def test_what_waits_in_the_spool_and_who_has_ended_is_said(store_path: Path) -> None:
    tracehound.search_traces(return_type="list")
    with contextlib.closing(sqlite3.connect(store_path, isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        busy = start(ENDLESS, store_path)
        busy.stdout.readline()
        with tracehound.start_span("here"):
            pass
        alive = doctor(store_path)
        kill_after(busy, 10)
        dead = doctor(store_path)
        locker.execute("ROLLBACK")
    assert alive.spool is not None
    assert dead.spool is not None
    assert [segment.is_alive for segment in alive.spool.segments] == [True, True]
    assert sorted(segment.is_alive for segment in dead.spool.segments) == [False, True]
    assert all(segment.behind_bytes == segment.bytes > 0 for segment in dead.spool.segments)
    tracehound.search_traces(return_type="list")
    after = doctor(store_path)
    assert after.spool is not None
    assert after.spool.behind_bytes == 0
    assert after.problems == []


def spoil_index(connection: sqlite3.Connection) -> None:
    shared = "SELECT term FROM posting GROUP BY term HAVING count(*) > 1"
    connection.execute(f"DELETE FROM posting WHERE trace = 7 AND term IN ({shared})")


def leave_term(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO term VALUES ('tags', 'env', 4711, 'of a trace that was deleted')")


def spoil_row(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE trace SET state = 'ERROR' WHERE seq = 7")


def spoil_payload(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE part SET payload = x'00112233' WHERE trace = 7")


def lose_parts(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM part WHERE trace = 7")


def lose_trace(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM trace WHERE seq = 7")


def forget_terms(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM term WHERE kind = 'tags'")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (forget_terms, "it is not known what they stand for"),
        (spoil_index, "entries of the index are missing"),
        (leave_term, "1 terms stand for values that no trace has"),
        (spoil_row, "its row is not what its parts and edits say"),
        (spoil_payload, "what is stored of it cannot be read"),
        (lose_parts, "nothing that it is made of is there"),
        (lose_trace, "belong to no trace|do not count the traces"),
    ],
)
def test_traces_that_contradict_themselves_are_named(
    some_traces: Path, spoil: Callable[[sqlite3.Connection], None], told: str
) -> None:
    with contextlib.closing(sqlite3.connect(some_traces)) as connection, connection:
        spoil(connection)
    problems = doctor(some_traces).problems
    assert problems
    assert all(re.search(told, problem) for problem in problems)


def test_damaged_pages_are_problems_and_no_exceptions(some_traces: Path) -> None:
    data = some_traces.read_bytes()
    noise = random.Random(3).randbytes(PAGE_BYTES)
    for start_of_page in range(0, len(data), PAGE_BYTES):
        some_traces.write_bytes(data[:start_of_page] + noise + data[start_of_page + PAGE_BYTES :])
        assert doctor(some_traces).problems, start_of_page


def write_text(path: Path) -> None:
    path.write_text("notes " * 1000)


def write_other_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")


def write_newer_store(path: Path) -> None:
    SqliteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1000")


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (write_text, "is not a database of Tracehound"),
        (write_other_database, "is a database of another program"),
        (write_newer_store, "was written by a newer Tracehound (schema 1000)"),
    ],
)
def test_files_that_are_no_store_of_this_version_are_said_to_be_so(
    tmp_path: Path, write: Callable[[Path], None], told: str
) -> None:
    path = tmp_path / "given.db"
    write(path)
    assert [told in problem for problem in doctor(path).problems] == [True]


def test_a_file_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    report = doctor(tmp_path / "none.db")
    assert (report.file.exists, report.problems) == (False, [])
    assert not (tmp_path / "none.db").exists()


def test_the_command_exits_with_1_where_something_is_wrong_and_prints_json(some_traces: Path) -> None:
    command = [sys.executable, "-m", "tracehound", "doctor", "--store", str(some_traces)]
    well = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (well.returncode, well.stderr) == (0, "")
    assert "all is well" in well.stdout
    with contextlib.closing(sqlite3.connect(some_traces)) as connection, connection:
        spoil_row(connection)
    ill = subprocess.run([*command, "--full", "--json"], capture_output=True, text=True, check=False)
    assert ill.returncode == 1
    assert len(json.loads(ill.stdout)["problems"]) == 1
