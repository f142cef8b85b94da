"""A store of an older schema is brought up to date when it is opened: files that older programs wrote."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import tracehound
from tests.traces import START_MS
from tracehound.client.doctor import examine
from tracehound.query.fields import NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery
from tracehound.spool.spool import FlushReport
from tracehound.store.sqlite import connection as connection_module
from tracehound.store.sqlite.connection import read_migrations
from tracehound.store.sqlite.store import SqliteStore
from tracehound.store.targets import parse_target

STORES = sorted((Path(__file__).parents[1] / "data" / "stores").glob("*.db.gz"))


@pytest.fixture(params=STORES, ids=lambda path: path.name)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with three traces, one of two parts, one edited."""
    path = tmp_path / "older.db"
    path.write_bytes(gzip.decompress(request.param.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("filter_string", "names"),
    [
        ("tags.env = 'dev'", ["answer"]),
        ("attributes.status = 'ERROR'", ["index"]),
        ("trace.text CONTAINS 'Zürich'", ["answer"]),
        ("trace.text LIKE '%本語 pl%' AND span.name = 'later'", ["answer"]),
        ("span.duration_ms BETWEEN 30 AND 39 AND span.name = 'look up'", ["answer"]),
        ("span.inputs.q = 'nothing'", ["index"]),
    ],
)
def test_what_it_holds_is_found(older: Path, filter_string: str, names: list[str]) -> None:
    store = SqliteStore(older)
    assert [info.name for info in store.search(parse_search(["0"], filter_string)).traces] == names
    store.close()


def test_its_statistics_are_there(older: Path) -> None:
    store = SqliteStore(older)
    found = store.statistics(StatisticsQuery(parse_search(["0"]), (NAME,), parse_period("1h")))
    assert {key: (each.count, each.errors, each.sum_ms) for key, each in found.items()} == {
        (START_MS, "answer"): (2, 0, 40),
        (START_MS + 3_600_000, "index"): (1, 1, 7),
    }
    without_users = StatisticsQuery(parse_search(["0"]), (NAME,), parse_period("1h"), frozenset())
    assert store.statistics(without_users).keys() == found.keys()
    store.close()


def test_of_a_large_one_it_is_told_that_this_takes_a_while(
    older: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection_module, "_LARGE_MB", 0)
    SqliteStore(older).close()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "is brought up to date, once" in told[0]
    assert told[1].startswith(f"{older} is up to date, after ")


def test_it_is_as_one_that_was_made_today(older: Path) -> None:
    SqliteStore(older).close()
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(read_migrations()),)
    assert examine(parse_target(str(older)), is_full=True).problems == []


def test_what_a_newer_program_has_brought_up_to_date_is_neither_written_nor_searched_any_more(
    store_path: Path,
) -> None:
    with tracehound.start_span("before"):
        pass
    assert tracehound.flush().stored == 1
    (ours,) = change_schema(store_path, len(read_migrations()) + 1)
    with tracehound.start_span("after"):
        pass
    assert tracehound.flush() == FlushReport(accepted=2, stored=1, pending=1, dropped=0)
    with pytest.raises(tracehound.StoreError, match="by a newer Tracehound"):
        tracehound.search_traces()
    change_schema(store_path, ours)
    assert len(tracehound.search_traces(return_type="list")) == 2


def change_schema(path: Path, version: int) -> tuple[int]:
    """Have a store be of another schema; return of which it was."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        before: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version}")
    return before
