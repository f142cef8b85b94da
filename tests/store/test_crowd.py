"""Several processes at once, and how long the log of the database becomes."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from rich.console import Console

from tests import crowd
from tests.traces import part, span
from tracehound.query.search import parse_search
from tracehound.store.sqlite import connection, opened
from tracehound.store.sqlite.store import SqliteStore

TEXT = "x" * 40_000
LOG_BYTES = 8_000_000


def test_processes_that_trace_and_search_at_once_lose_and_repeat_nothing(tmp_path: Path) -> None:
    figures = crowd.run(tmp_path, processes=4, seconds=6.0, console=Console(quiet=True))
    assert figures.said == []
    assert (figures.lost, figures.twice) == (0, 0)
    assert figures.found == figures.returned > 0
    assert figures.longest_log_bytes < crowd.MAX_LOG_BYTES


def test_the_log_stays_short_while_its_readers_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (connection, opened):
        monkeypatch.setattr(module, "LOG_BYTES", LOG_BYTES)
    path = tmp_path / "store.db"
    longest = 0
    with contextlib.closing(SqliteStore(path)) as store:
        for number in range(LOG_BYTES // 200_000 * 4):
            write_200_kilobytes(store, number)
            store.search(parse_search(["0"]))
            longest = max(longest, log_bytes(path))
    assert LOG_BYTES < longest < 2 * LOG_BYTES


def test_a_log_that_a_forgotten_reader_made_long_is_emptied_when_that_one_is_gone_and_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opened, "LONG_LOG_BYTES", 8_000_000)
    monkeypatch.setattr(opened, "_EMPTY_EVERY_S", 0.0)
    path = tmp_path / "store.db"
    with contextlib.closing(SqliteStore(path)) as store:
        write_200_kilobytes(store, 0)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as forgotten:
            forgotten.execute("BEGIN")
            forgotten.execute("SELECT count(*) FROM trace").fetchone()
            number = 0
            while "has grown" not in caplog.text:
                number += 1
                write_200_kilobytes(store, number)
            assert log_bytes(path) > 8_000_000
            forgotten.execute("COMMIT")
        write_200_kilobytes(store, number + 1)
        assert log_bytes(path) == 0
    assert "another program reads" in caplog.text


def write_200_kilobytes(store: SqliteStore, number: int) -> None:
    tags = {f"key {at} {number}": TEXT for at in range(5)}
    assert store.write([part(span(1, number), tags=tags)])


def log_bytes(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size
