"""What is left of a file whose pages were overwritten is copied, and what is lost has a name and a reason."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.terminal import piped
from tests.traces import part, span
from tracehound.client.copying import Copied, copy_store
from tracehound.model.edit import Edit, Facts
from tracehound.model.record import replace
from tracehound.query.search import parse_search
from tracehound.spool.segment import SegmentWriter
from tracehound.store.sqlite.connection import PAGE_BYTES
from tracehound.store.sqlite.salvage import GONE, INCOMPLETE
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.frames import to_frame

COUNT = 1_200


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of many traces that have edits, some deleted, and facts."""
    path = tmp_path_factory.mktemp("whole") / "store.db"
    letters = random.Random(1)
    with contextlib.closing(SqliteStore(path)) as store:
        for begin in range(1, COUNT, 300):
            numbers = range(begin, begin + 300)
            spans = [replace(span(1, each), inputs_json=f'"{letters.randbytes(700).hex()}"') for each in numbers]
            store.write([part(each) for each in spans])
            store.write([Edit(each.trace_id, "reviewed", "yes", 2) for each in spans])
        store.write([Facts("run", f"{number:032x}", {"name": f"run {number}"}, 1) for number in range(400)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def pages_of(path: Path, *tables: str) -> list[int]:
    """Return the pages of what is neither a root nor the beginning of the file, as far as SQLite tells."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            rows = connection.execute("SELECT name, pageno, pagetype, path FROM dbstat").fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite was built without dbstat")
    return [number for name, number, _, where in rows if name in tables and where != "/"]


def overwrite(whole: Path, folder: Path, pages: list[int], *, is_half: bool = False) -> Path:
    """Return a copy of a file of which some pages hold something else."""
    path = folder / "damaged.db"
    shutil.copy(whole, path)
    noise = random.Random(2)
    with path.open("r+b") as file:
        for number in pages:
            file.seek((number - 1) * PAGE_BYTES + (PAGE_BYTES // 2 if is_half else 0))
            file.write(noise.randbytes(PAGE_BYTES // 2) if is_half else bytes(PAGE_BYTES))
    return path


def copied(path: Path) -> tuple[Copied, dict[str, dict[str, str]]]:
    """Return what became of a copy, and the tags of the traces in it."""
    done = Copied()
    with (
        contextlib.closing(SqliteStore(path)) as source,
        contextlib.closing(SqliteStore(path.with_name("copy.db"))) as target,
    ):
        copy_store(source, target, "damaged", done, lambda _traces: None)
        found = target.search(parse_search(["0"], limit=10 * COUNT)).traces
        return done, {each.trace_id: each.tags for each in found}


IDS = {span(1, number).trace_id for number in range(1, COUNT + 1)}


@pytest.mark.parametrize("is_half", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_what_can_be_read_is_copied_and_what_cannot_has_a_name_and_a_reason(
    whole: Path, tmp_path: Path, seed: int, *, is_half: bool
) -> None:
    pages = random.Random(seed).sample(pages_of(whole, "trace", "part", "posting", "edit", "trace_by_cost"), 30)
    done, found = copied(overwrite(whole, tmp_path, pages, is_half=is_half))
    assert set(found) | set(done.reasons) >= IDS
    assert len(found) > COUNT / 2
    assert all(done.reasons.values())
    lost = {name for name, reason in done.reasons.items() if reason == GONE}
    assert not lost & set(found)
    assert all("reviewed" in tags for key, tags in found.items() if key not in done.reasons)


def test_a_trace_whose_row_is_lost_is_copied_from_its_parts(whole: Path, tmp_path: Path) -> None:
    done, found = copied(overwrite(whole, tmp_path, pages_of(whole, "trace")[:5]))
    assert (set(found), done.damaged) == (IDS, [])


def test_parts_that_the_index_does_not_lead_to_are_found(whole: Path, tmp_path: Path) -> None:
    done, found = copied(overwrite(whole, tmp_path, pages_of(whole, "sqlite_autoindex_part_1")[:2]))
    assert (set(found), done.damaged) == (IDS, [])


def test_a_page_that_leads_back_is_no_way_round_and_round(whole: Path, tmp_path: Path) -> None:
    pages = pages_of(whole, "part")
    earlier, later = pages[10], pages[40]
    path = overwrite(whole, tmp_path, [pages_of(whole, "sqlite_autoindex_part_1")[0], pages[41]])
    content = path.read_bytes()
    page = content[(earlier - 1) * PAGE_BYTES : earlier * PAGE_BYTES]
    path.write_bytes(content[: (later - 1) * PAGE_BYTES] + page + content[later * PAGE_BYTES :])
    done, found = copied(path)
    assert set(found) | set(done.reasons) == IDS
    assert len(found) > COUNT / 2


@pytest.mark.parametrize("length", [b"\x84\x80\x80\x80\x00", b"\x8f\xff\xff\xff\x7f"])
def test_a_row_that_says_it_is_longer_than_any_can_be_is_damaged(whole: Path, tmp_path: Path, length: bytes) -> None:
    path = overwrite(whole, tmp_path, [])
    page = (pages_of(whole, "part")[20] - 1) * PAGE_BYTES
    content = bytearray(path.read_bytes())
    first_row = page + int.from_bytes(content[page + 8 : page + 10], "big")  # the format's pointers to cells
    content[first_row : first_row + len(length)] = length
    path.write_bytes(content)
    done, found = copied(path)
    assert set(found) | set(done.reasons) == IDS
    assert 0 < len(done.reasons) < 10


def test_an_index_and_the_table_at_once(whole: Path, tmp_path: Path) -> None:
    pages = pages_of(whole, "sqlite_autoindex_part_1")[:1] + pages_of(whole, "part")[50:53]
    done, found = copied(overwrite(whole, tmp_path, pages))
    assert set(found) | set(done.reasons) == IDS
    assert set(done.reasons.values()) == {GONE, INCOMPLETE}


def test_facts_are_read_from_both_ends(whole: Path, tmp_path: Path) -> None:
    path = overwrite(whole, tmp_path, pages_of(whole, "fact")[1:2])
    done, found = copied(path)
    assert set(found) == IDS
    assert done.reasons == {"what is known of experiments and runs": "some of it cannot be read"}
    with contextlib.closing(SqliteStore(path.with_name("copy.db"))) as target:
        assert {f"{0:032x}", f"{399:032x}"} <= set(target.facts("run"))


def test_the_command_names_each_and_exits_with_1(whole: Path, tmp_path: Path) -> None:
    path = overwrite(whole, tmp_path, pages_of(whole, "part")[50:60])
    copy = tmp_path / "copy.db"
    done = piped("copy", str(path), str(copy))
    lines = done.stderr.decode().splitlines()
    assert all(line.endswith(f" is damaged: {GONE}") for line in lines)
    assert len(lines) > 30
    assert done.stdout.decode() == f"{COUNT - len(lines):,} traces copied into {copy}\n"
    assert done.returncode == 1


@pytest.mark.parametrize("table", ["part", "trace_by_cost"])
def test_a_backup_of_a_damaged_store_is_kept_and_says_what_is_damaged(whole: Path, tmp_path: Path, table: str) -> None:
    path = overwrite(whole, tmp_path, pages_of(whole, table)[1:2])
    backup = tmp_path / "backup.db"
    done = piped("backup", str(backup), "--store", str(path))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{backup} holds what the store does, which is damaged (".encode())
    *findings, advice = done.stderr.decode().splitlines()
    assert findings
    assert advice.startswith("`tracehound restore` does not take it.")
    assert backup.read_bytes()[PAGE_BYTES:] == path.read_bytes()[PAGE_BYTES:]
    assert piped("restore", str(backup), str(tmp_path / "new.db")).returncode != 0


def test_a_store_that_takes_nothing_more_is_backed_up_without_what_waits(whole: Path, tmp_path: Path) -> None:
    path = overwrite(whole, tmp_path, pages_of(whole, "trace", "part", "posting", "sqlite_autoindex_trace_1"))
    writer = SegmentWriter(path.with_name(f"{path.name}-spool"), 1_000_000)
    writer.append(to_frame(part(span(1, 1))))
    writer.close()
    done = piped("backup", str(tmp_path / "backup.db"), "--store", str(path))
    assert done.returncode == 1
    assert b"what waits in the spool is not in the copy" in done.stderr
    assert (tmp_path / "backup.db").exists()
    copy = piped("copy", str(path), str(tmp_path / "copied.db"))
    assert b"what waits in its spool is not copied" in copy.stderr
    assert copy.returncode == 1
