"""A backup is checked, takes the place of a store that nobody uses, and is what it was; its spool changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.terminal import piped
from tests.spool.programs import ENDLESS, kill_after, start
from tests.spool.test_trouble import Program, find_all, needs_posix, spool_of
from tests.store.test_replaced import integrity_of
from tests.store_contract.test_copies import KEPT, WAITING, kept
from tests.traces import part, span
from tracehound.client.restoring import Restored, restore
from tracehound.errors import ArgumentError, StoreBusyError, StoreError
from tracehound.model.edit import Deletion
from tracehound.settings import Settings
from tracehound.store.sqlite.backup import back_up
from tracehound.store.sqlite.store import SqliteStore
from tracehound.store.targets import parse_target


def restored(backup: Path, to: Path, *, is_forced: bool = False) -> Restored:
    return restore(backup, parse_target(str(to)), Settings(str(to)), is_forced=is_forced, tell=lambda *_: None)


def held(path: Path) -> list[bytes]:
    with contextlib.closing(SqliteStore(path)) as store:
        return kept(store)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Return a copy of a store with something of everything."""
    path, copy = tmp_path / "original.db", tmp_path / "copy.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.write([*KEPT, *WAITING])
    back_up(path, copy)
    return copy


def test_a_backup_made_under_load_is_restored_to_an_equal_store(store_path: Path, tmp_path: Path) -> None:
    copy, place = tmp_path / "copy.db", tmp_path / "restored" / "traces.db"
    place.parent.mkdir()
    busy = start(ENDLESS, store_path)
    with Program(store_path) as program:
        returned = program.trace(*[300] * 100)
        assert piped("backup", str(copy), "--store", str(store_path)).returncode == 0
        program.kill()
    kill_after(busy, 10)
    shown = piped("restore", str(copy), str(place))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"{place} holds what {copy} held: ".encode())
    assert held(place) == held(copy)
    assert integrity_of(place) == "ok"
    assert find_all(place) >= set(returned)
    # What was finished since is in the store that was copied, and nothing else.
    assert find_all(store_path) >= find_all(place)


def test_a_store_that_is_there_is_replaced_only_where_that_is_forced(backup: Path, tmp_path: Path) -> None:
    place = tmp_path / "place.db"
    with contextlib.closing(SqliteStore(place)) as store:
        store.write([part(span(1, 100 + number)) for number in range(50)])
    with pytest.raises(ArgumentError, match=r"place\.db exists, and is not overwritten: .* --force"):
        restored(backup, place)
    found = restored(backup, place, is_forced=True)
    assert (found.traces, found.waiting_bytes) == (3, 0)
    assert found.length_bytes == place.stat().st_size
    assert not list(tmp_path.glob("*place.db?*"))
    assert held(place) == held(backup)


@pytest.mark.parametrize("kind", ["connection", "process"])
def test_a_store_that_is_in_use_is_not_replaced(backup: Path, store_path: Path, kind: str) -> None:
    before = Path(store_path)
    with contextlib.ExitStack() as using:
        if kind == "connection":
            using.enter_context(contextlib.closing(SqliteStore(store_path))).write([part(span(1, 50))])
        else:
            using.enter_context(Program(store_path)).trace(10)
        with pytest.raises(StoreBusyError, match="is in use: end the programs"):
            restored(backup, store_path, is_forced=True)
        assert not list(before.parent.glob(".*partial*"))
    assert find_all(store_path)


def test_what_waits_for_the_store_that_is_replaced_does_not_come_into_the_restored(tmp_path: Path) -> None:
    place, copy = tmp_path / "traces.db", tmp_path / "copy.db"
    with Program(place) as program:
        early = program.trace(10, 10)
        program.kill()
    assert piped("backup", str(copy), "--store", str(place)).returncode == 0
    assert piped("tags", "set", early[0], "env=late", "--store", str(place)).returncode == 0
    with Program(place) as program:
        program.trace(10)
        program.kill()
    assert list(spool_of(place).glob("*.seg"))
    done = piped("restore", str(copy), str(place), "--force")
    assert done.returncode == 0, done.stderr
    assert b"wait in its spool" not in done.stdout
    assert find_all(place) == set(early)
    assert held(place) == held(copy)


def test_what_happened_since_comes_into_the_restored_store_where_the_other_is_damaged_or_gone(tmp_path: Path) -> None:
    for name in ("damaged", "gone"):
        place, copy = tmp_path / f"{name}.db", tmp_path / f"{name}-copy.db"
        with Program(place) as program:
            early = program.trace(10, 10)
            assert piped("backup", str(copy), "--store", str(place)).returncode == 0
            program.keep_locked(place)
            late = program.trace(10, 10, 10)
            program.kill()
        if name == "gone":
            place.unlink()
        else:
            place.write_bytes(b"no database" * 1000)
        done = piped("restore", str(copy), str(place), "--force")
        assert done.returncode == 0, done.stderr
        assert b"that programs finished since wait in its spool, and come in next" in done.stdout
        assert find_all(place) == {*early, *late}
        assert not list(spool_of(place).glob("*.seg"))


def test_a_log_that_lies_beside_is_not_moved_into_the_restored_store(backup: Path, tmp_path: Path) -> None:
    place, kept_log = tmp_path / "place.db", tmp_path / "log"
    with contextlib.closing(SqliteStore(place)) as store:
        store.write([part(span(1, 100))])
        shutil.copy(f"{place}-wal", kept_log)
    for is_there in (True, False):
        shutil.copy(kept_log, f"{place}-wal")
        if not is_there:
            place.unlink()
        restored(backup, place, is_forced=True)
        assert held(place) == held(backup)


def test_a_restored_store_takes_deletions_and_is_written_as_any(backup: Path, tmp_path: Path) -> None:
    place = tmp_path / "place.db"
    restored(backup, place)
    with contextlib.closing(SqliteStore(place)) as store:
        store.write([Deletion(span(1, 1).trace_id, 10**18), part(span(1, 60))])
    assert integrity_of(place) == "ok"


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)


def make_newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def make_foreign(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE runs (a)")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage, "is damaged"),
        (make_newer, "newer Tracehound .schema 999.; upgrade this one"),
        (make_foreign, "is a database of another program"),
        (lambda path: path.write_bytes(b"text" * 5000), "is not a database of Tracehound"),
        (Path.unlink, "does not exist"),
        (lambda path: path.write_bytes(b""), "is empty, and is not restored: take an older copy"),
        (lambda path: os.truncate(path, 20_000), "is damaged, and is not restored: take an older copy"),
    ],
)
def test_a_backup_that_is_none_is_refused_and_nothing_is_changed(
    backup: Path, tmp_path: Path, spoil: object, message: str
) -> None:
    with contextlib.closing(SqliteStore(backup)) as store:
        store.write([part(span(1, 1000 + number)) for number in range(300)])
    spoil(backup)  # type: ignore[operator]
    place = tmp_path / "place.db"
    with contextlib.closing(SqliteStore(place)) as store:
        store.write([part(span(1, 100))])
    before = held(place)
    with pytest.raises((StoreError, ArgumentError), match=message):
        restored(backup, place, is_forced=True)
    assert held(place) == before
    assert not list(tmp_path.glob(".*partial*"))


def test_a_store_is_not_restored_from_itself_or_into_a_server(backup: Path) -> None:
    with pytest.raises(ArgumentError, match="is the backup itself"):
        restored(backup, backup, is_forced=True)
    with pytest.raises(ArgumentError, match="into a file"):
        restore(backup, parse_target("memory://"), Settings(), is_forced=True, tell=lambda *_: None)


@needs_posix
def test_a_backup_where_nothing_can_be_written_is_restored(backup: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    backup.rename(archive / "copy.db")
    os.chmod(archive, 0o500)  # noqa: PTH101
    try:
        restored(archive / "copy.db", tmp_path / "place.db")
        assert [path.name for path in archive.iterdir()] == ["copy.db"]
    finally:
        os.chmod(archive, 0o700)  # noqa: PTH101
