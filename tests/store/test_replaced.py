"""People, and other copies of SQLite, remove and replace files under a store that is in use: nothing finished is lost.

The programs are processes of their own. They are killed at the end, so that no orderly close can save what a store that
had not noticed anything would have written where nobody finds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracehound
from tests.spool.test_trouble import Program, find_all, needs_posix
from tests.traces import part, span
from tracehound.client.counting import count_traces
from tracehound.errors import StoreError
from tracehound.query.search import parse_search
from tracehound.spool.spool import FlushReport
from tracehound.store.api import SegmentRange
from tracehound.store.sqlite.store import SqliteStore

# Traces on request, and opens the file of its traces in the ways of a notebook.
NOTEBOOK = """
import dataclasses, json, os, sqlite3, sys, tracehound

PATH = os.environ["TRACEHOUND_TRACKING_URI"]
kept = []

@tracehound.trace
def work():
    return tracehound.get_current_active_span().trace_id

def trace(*sizes):
    return [work() for _ in sizes]

def flush():
    return dataclasses.asdict(tracehound.flush())

def search():
    return len(tracehound.search_traces(return_type="list"))

def look_with_sqlite3():
    with sqlite3.connect(PATH) as connection:
        found = connection.execute("SELECT count(*) FROM trace").fetchone()[0]
    connection.close()
    return found

def keep_a_connection():
    kept.append(sqlite3.connect(PATH))
    return kept[-1].execute("SELECT count(*) FROM trace").fetchone()[0]

def close_connections():
    while kept:
        kept.pop().close()

def look_with_pandas():
    import pandas
    connection = sqlite3.connect(PATH)
    found = len(pandas.read_sql("SELECT * FROM trace", connection))
    connection.close()
    return found

def read_the_file():
    with open(PATH, "rb") as file:  # and closing it drops the locks of this process
        return len(file.read())

for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(globals()[name](*arguments)), flush=True)
"""


@pytest.mark.parametrize("look", ["look_with_sqlite3", "look_with_pandas", "keep_a_connection"])
def test_a_notebook_that_opens_the_file_while_tracing_loses_nothing(store_path: Path, look: str) -> None:
    if look == "look_with_pandas":
        pytest.importorskip("pandas")
    with Program(store_path, NOTEBOOK) as notebook:
        returned = notebook.trace(*[0] * 100)
        notebook.flush()
        for _ in range(5):
            notebook.ask(look)
            assert notebook.answer() >= len(returned)
            look_from_another_process(store_path)
            returned += notebook.trace(*[0] * 50)
            assert notebook.flush() == FlushReport(len(returned), len(returned), 0, 0)
        notebook.kill()
    assert find_all(store_path) == set(returned)


@needs_posix
def test_a_notebook_that_drops_the_locks_of_the_file_loses_nothing_when_others_remove_its_log(store_path: Path) -> None:
    with Program(store_path, NOTEBOOK) as notebook:
        returned = notebook.trace(*[0] * 100)
        notebook.flush()
        for _ in range(5):
            lose_the_log(notebook, store_path)
            returned += notebook.trace(*[0] * 50)
            assert notebook.flush() == FlushReport(len(returned), len(returned), 0, 0)
        notebook.kill()
    assert find_all(store_path) == set(returned)


def lose_the_log(notebook: Program, store: Path) -> None:
    """Have a notebook drop its locks, and another process remove the log; once more where it has locked in between."""
    for _ in range(100):
        notebook.ask("read_the_file")  # a second copy of SQLite in the process does this too
        notebook.answer()
        look_from_another_process(store)
        if not log_of(store).exists():
            return
    pytest.fail("the log is still there")


def remove_log(store: Path) -> None:
    log_of(store).unlink()


def remove_index(store: Path) -> None:
    index_of(store).unlink()


def remove_all(store: Path) -> None:
    for path in (store, log_of(store), index_of(store)):
        path.unlink()


def remove_database(store: Path) -> None:
    store.unlink()


def move_database(store: Path) -> None:
    store.rename(store.with_suffix(".moved"))


def put_a_copy_in_its_place(store: Path) -> None:
    copy = store.with_suffix(".copy")
    shutil.copy(store, copy)
    copy.replace(store)


def put_an_empty_file_in_its_place(store: Path) -> None:
    empty = store.with_suffix(".empty")
    empty.touch()
    empty.replace(store)


def vacuum(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("VACUUM")


def ask_for_another_journal(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store, timeout=0.1)) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode = DELETE")


ACTS = [
    remove_log,
    remove_index,
    remove_all,
    remove_database,
    move_database,
    put_a_copy_in_its_place,
    put_an_empty_file_in_its_place,
    vacuum,
    ask_for_another_journal,
]


@needs_posix
@pytest.mark.parametrize("act", ACTS)
def test_what_happens_to_the_files_while_a_program_traces_loses_nothing_that_waits_or_comes(
    store_path: Path, act: Callable[[Path], None]
) -> None:
    with Program(store_path, NOTEBOOK) as notebook:
        returned = notebook.trace(*[0] * 100)
        notebook.flush()
        act(store_path)
        returned += notebook.trace(*[0] * 100)
        report = notebook.flush()
        act(store_path)
        returned += notebook.trace(*[0] * 100)
        notebook.ask("search")
        assert notebook.answer() == len(returned)
        assert report.dropped == 0
        notebook.kill()
    assert find_all(store_path) == set(returned)
    assert integrity_of(store_path) == "ok"


@needs_posix
@pytest.mark.parametrize("act", [remove_all, remove_database, put_a_copy_in_its_place])
def test_two_programs_notice_that_their_file_was_replaced_and_meet_in_the_new_one(
    store_path: Path, act: Callable[[Path], None]
) -> None:
    with Program(store_path, NOTEBOOK) as one, Program(store_path, NOTEBOOK) as other:
        returned = one.trace(*[0] * 50) + other.trace(*[0] * 50)
        for program in (one, other):
            program.flush()
        act(store_path)
        for _ in range(3):
            for program in (one, other):
                returned += program.trace(*[0] * 50)
                assert program.flush().pending == 0
        for program in (one, other):
            program.ask("search")
            assert program.answer() == len(returned)
        one.kill()
        other.kill()
    assert find_all(store_path) == set(returned)
    assert integrity_of(store_path) == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files a process holds")
def test_a_connection_of_the_program_that_holds_removed_files_is_named_and_what_waits_is_kept(store_path: Path) -> None:
    with Program(store_path, NOTEBOOK) as notebook:
        returned = notebook.trace(*[0] * 50)
        notebook.flush()
        notebook.ask("keep_a_connection")
        notebook.answer()
        remove_all_but_the_database(store_path)
        returned += notebook.trace(*[0] * 50)
        assert notebook.flush().pending == 50
        notebook.ask("close_connections")
        notebook.answer()
        assert notebook.flush() == FlushReport(100, 100, 0, 0)
        log = notebook.end()
    assert "a connection of its own still holds them: close it" in log
    assert find_all(store_path) == set(returned)


def remove_all_but_the_database(store: Path) -> None:
    log_of(store).unlink()
    index_of(store).unlink()


@needs_posix
@pytest.mark.parametrize("end", ["close", "write"])
def test_letting_go_of_a_forgotten_log_leaves_what_others_have_written(tmp_path: Path, end: str) -> None:
    path = tmp_path / "shared.db"
    store = SqliteStore(path)
    store.write([part(span(1, number)) for number in range(100)])
    path.open("rb").close()  # the locks are gone, so that others take themselves for the last
    look_from_another_process(path)
    assert not log_of(path).exists()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)):  # not yet in place of anything
        pass
    write_from_another_process(path, 200, 1200)
    if end == "write":
        assert store.write([part(span(1, 2000))])
    store.close()
    with contextlib.closing(SqliteStore(path)) as again:
        found = {info.trace_id for info in again.search(parse_search(["0"])).traces}
        counted = count_traces(again, parse_search(["0"]))
    assert found
    assert counted == 1100 + (end == "write")
    assert integrity_of(path) == "ok"


@needs_posix
def test_a_batch_is_refused_where_the_file_that_took_the_place_has_it_already(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    first, second = SegmentRange("segment", 0, 10), SegmentRange("segment", 10, 20)
    assert store.write([part(span(1, 1))], first)
    store.make_durable()
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    assert store.write([part(span(1, 2))], second)
    assert (store.position("segment"), store.incarnation()) == (20, 0)
    copy.replace(path)
    assert store.incarnation() == 1
    assert store.position("segment") == 10
    assert not store.write([part(span(1, 1))], first)
    assert store.write([part(span(1, 2))], second)
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.close()
    with pytest.raises(StoreError, match=r"store\.db was closed"):
        store.segments()
    with pytest.raises(StoreError, match=r"store\.db was closed"):
        store.write([part(span(1))])


def test_a_program_that_ends_leaves_one_whole_file_without_a_log(store_path: Path) -> None:
    with Program(store_path, NOTEBOOK) as notebook:
        returned = notebook.trace(*[0] * 20)
        notebook.end()
    assert not log_of(store_path).exists()
    assert find_all(store_path) == set(returned)


@needs_posix
def test_a_search_from_here_sees_the_file_that_took_the_place(store_path: Path) -> None:
    with tracehound.start_span("before"):
        pass
    tracehound.flush()
    remove_all(store_path)
    with tracehound.start_span("after"):
        pass
    names = {trace.info.name for trace in tracehound.search_traces(return_type="list")}
    assert names == {"after", "before"}  # the segment of this process still has it


def log_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-wal")


def index_of(store: Path) -> Path:
    return store.with_name(f"{store.name}-shm")


def integrity_of(store: Path) -> str:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def look_from_another_process(store: Path) -> None:
    run(f"import sqlite3; c = sqlite3.connect({str(store)!r}); c.execute('SELECT count(*) FROM trace'); c.close()")


def write_from_another_process(store: Path, first: int, last: int) -> None:
    run(
        "from pathlib import Path; from tests.traces import part, span;"
        "from tracehound.store.sqlite.store import SqliteStore;"
        f"store = SqliteStore(Path({str(store)!r}));"
        f"store.write([part(span(1, number)) for number in range({first}, {last})]); store.close()"
    )


def run(program: str) -> None:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": path})
