"""What cannot be used is one clear error that names the file, and harms nothing; what can be used is."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tracehound
from tests.spool.test_trouble import (
    IS_ROOT_ON_LINUX,
    Program,
    find_all,
    needs_mount,
    needs_posix,
    read_only,
    small_disk,
    spool_of,
)
from tests.traces import part, span
from tracehound.errors import ArgumentError, StoreError, StoreReadOnlyError
from tracehound.model.trace import TracePart
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.spool.spool import FlushReport
from tracehound.store.sqlite.connection import PAGE_BYTES
from tracehound.store.sqlite.store import SqliteStore

__all__ = ["small_disk"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every kind of page: tables, indexes, overflow and free ones."""
    path = tmp_path_factory.mktemp("whole") / "tracehound.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.write([large_part(number) for number in range(12)])
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM part WHERE trace % 3 = 0")  # leaves free pages
    return path


def large_part(number: int) -> TracePart:
    return part(span(1, number), tags={"number": str(number), "text": random.Random(number).randbytes(3000).hex()})


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda page: bytes(len(page)),
    "noise": lambda page: random.Random(1).randbytes(len(page)),
    "flipped": lambda page: bytes(byte ^ 0x41 if at % 97 == 5 else byte for at, byte in enumerate(page)),
    "shifted": lambda page: page[1:] + page[:1],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_in_any_page_is_an_error_that_names_the_file_or_does_no_harm(
    whole: Path, tmp_path: Path, damage: str
) -> None:
    data = whole.read_bytes()
    told: Counter[str] = Counter()
    for start in range(0, len(data), PAGE_BYTES):
        path = tmp_path / f"{start}.db"
        path.write_bytes(data[:start] + DAMAGES[damage](data[start : start + PAGE_BYTES]) + data[start + PAGE_BYTES :])
        told += Counter(message.replace(str(path), "FILE") for message in messages_of(path))
        path.unlink()
    assert told
    for message in told:
        assert "FILE" in message
        assert not any(word in message for word in ("sqlite3", "SELECT", "INSERT", "Error", "Traceback", "None"))
    assert any("is damaged" in message for message in told)
    assert any("is not a database" in message for message in told)


def messages_of(path: Path) -> Iterator[str]:
    """Yield what the store says when everything is asked of it."""
    try:
        store = SqliteStore(path)
    except StoreError as error:
        yield str(error)
        return
    everything = parse_search(["0"])
    filtered = parse_search(["0"], "tags.number = '7' OR tags.text LIKE '%abc%'")
    asks: list[Callable[[], object]] = [
        lambda: store.search(everything),
        lambda: store.search(filtered),
        lambda: store.statistics(StatisticsQuery(everything)),
        lambda: store.read_traces([f"tr-{number:032x}" for number in range(12)]),
        store.experiments,
        store.running_owners,
        lambda: store.write([part(span(1, 1000))]),
        store.make_durable,
    ]
    for ask in asks:
        try:
            ask()
        except StoreError as error:
            yield str(error)
    store.close()


@needs_posix
def test_traces_wait_in_the_spool_while_the_file_is_damaged_and_go_into_the_one_that_replaces_it(
    store_path: Path,
) -> None:
    find_all(store_path)
    with Program(store_path) as program:
        returned = program.trace(*[300] * 50)
        program.flush()
        with contextlib.closing(sqlite3.connect(store_path)) as connection:
            connection.execute("PRAGMA wal_checkpoint")
        damaged = bytearray(store_path.read_bytes())
        damaged[PAGE_BYTES:] = random.Random(1).randbytes(len(damaged) - PAGE_BYTES)
        copy = store_path.with_suffix(".copy")
        copy.write_bytes(damaged)
        copy.replace(store_path)
        returned += program.trace(*[300] * 50)
        report = program.flush()
        assert (report.pending, report.dropped) == (100, 0)  # the damaged file has none of them
        store_path.rename(store_path.with_suffix(".damaged"))
        assert program.flush() == FlushReport(100, 100, 0, 0)
        log = program.end()
    assert "is damaged: `tracehound doctor` says where" in log
    assert find_all(store_path) == set(returned)


@needs_posix
@pytest.mark.parametrize("at", [0.0, 0.1, 0.5, 0.9])
def test_a_damaged_log_of_a_dead_program_is_made_up_for_from_the_spool(store_path: Path, at: float) -> None:
    with Program(store_path) as program:
        returned = program.trace(*[300] * 100)
        assert program.flush().stored == 100
        returned += program.trace(*[300] * 100)
        assert program.flush().stored == 200
        program.kill()
    log = store_path.with_name(f"{store_path.name}-wal")
    data = bytearray(log.read_bytes())
    start = int(len(data) * at)
    data[start : start + 50] = bytes(50)
    log.write_bytes(data)
    assert find_all(store_path) == set(returned)


def test_an_empty_file_becomes_a_store(store_path: Path) -> None:
    store_path.touch()
    with tracehound.start_span("first"):
        pass
    assert [trace.info.name for trace in tracehound.search_traces(return_type="list")] == ["first"]


@pytest.mark.parametrize("content", [b"not a database, but long enough for a header" * 100, b"short"])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"notes\.txt is not a database of Tracehound; name another file"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    content = path.read_bytes()
    with pytest.raises(StoreError, match=r"other\.db is a database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="names no store: write the path of a file"):
        tracehound.set_tracking_uri(str(tmp_path))
    with pytest.raises(StoreError, match="is a folder; name a file"):
        SqliteStore(tmp_path)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*missing"):
        SqliteStore(tmp_path / "missing" / "store.db")


# Becomes a user without rights, then does what it is told with the store.
UNPRIVILEGED = """
import os, sys, tempfile
from pathlib import Path
import tracehound, tracehound.store.sqlite.store
from tests.traces import part, span
with tempfile.TemporaryDirectory() as folder:  # loads what that user may not read
    tracehound.store.sqlite.store.SqliteStore(Path(folder, "own.db")).close()
    tracehound.set_tracking_uri(f"{folder}/own.db")
    tracehound.search_traces(return_type="list")
    tracehound.set_tracking_uri("tracehound.db")
os.setgid(65534); os.setuid(65534)
try:
    if sys.argv[1] == "search":
        print(len(tracehound.search_traces(return_type="list")))
    else:
        print(tracehound.store.sqlite.store.SqliteStore(Path("tracehound.db").absolute()).write([part(span(1, 1000))]))
except tracehound.StoreError as error:
    print(type(error).__name__, error)
"""
needs_root = pytest.mark.skipif(not IS_ROOT_ON_LINUX, reason="becomes a user without rights, which only root can do")


def unprivileged(what: str) -> str:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", UNPRIVILEGED, what]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def readable(whole: Path, tmp_path: Path) -> Path:
    """A store in a folder that everybody may look into."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    path = tmp_path / "tracehound.db"
    shutil.copy(whole, path)
    path.chmod(0o644)
    return path


@needs_root
def test_a_file_that_may_only_be_read_is_searched_and_not_written(readable: Path) -> None:
    before = readable.read_bytes()
    assert unprivileged("search") == "8"  # the others have lost their parts
    assert unprivileged("write").startswith("StoreReadOnlyError")
    assert readable.read_bytes() == before
    assert not readable.with_name("tracehound.db-wal").exists()


@needs_root
def test_a_file_that_may_only_be_read_is_searched_while_another_user_writes_it(readable: Path) -> None:
    with contextlib.closing(SqliteStore(readable)) as store:
        store.write([part(span(1, 500))])
        assert unprivileged("search") == "9"


@needs_root
def test_a_file_that_may_not_be_read_says_so(readable: Path) -> None:
    readable.chmod(0o600)
    assert unprivileged("search") == (
        f"StoreError {readable} cannot be opened: this user may not read it"
    )  # fmt: skip


@needs_mount
def test_a_store_on_a_read_only_disk_is_searched_and_what_waits_beside_it_is_said_to_be_missing(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = small_disk / "tracehound.db"
    with Program(store) as program:
        returned = program.trace(300, 300)
        program.flush()
        program.end()
    with Program(store) as program:
        with sqlite3.connect(store, isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            waiting = program.trace(300)
            program.kill()
            connection.execute("ROLLBACK")
        connection.close()
    for side in ("-wal", "-shm"):
        store.with_name(f"{store.name}{side}").unlink(missing_ok=True)
    with read_only(small_disk):
        assert find_ids(store) == set(returned)
        assert "what was finished last may be missing here" in caplog.text
        with (
            contextlib.closing(SqliteStore(store)) as opened,
            pytest.raises(StoreReadOnlyError, match="its folder is read-only"),
        ):
            opened.write([part(span(1))])
        tracehound.set_tracking_uri("memory://")
    assert list(spool_of(store).iterdir())
    assert find_all(store) == {*returned, *waiting}


def find_ids(store: Path) -> set[str]:
    tracehound.set_tracking_uri(str(store))
    return {trace.info.trace_id for trace in tracehound.search_traces(return_type="list")}
