"""Statistics of large stores are read by several connections, which see the same moment or are left out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.traces import part, span
from tracehound.query.fields import ATTRIBUTES, NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import parse_search
from tracehound.query.statistics import ALL, DURATIONS, StatisticsQuery
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite import limits
from tracehound.store.sqlite import store as sqlite_store
from tracehound.store.sqlite.connection import READING, open_connection
from tracehound.store.sqlite.moment import helpers
from tracehound.store.sqlite.precedence import Precedence
from tracehound.store.sqlite.store import SqliteStore

CHANGES = [
    part(
        span(
            1,
            trace=number,
            start_ms=number * 40_000,
            duration_ms=number % 90,
            name=f"n{number % 3}",
            failed=number % 7 == 0,
        ),
        tags={"env": "prod" if number % 4 else "dev"},
        metadata={"mlflow.trace.user": f"u{number % 5}"},
    )
    for number in range(1, 401)
]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    monkeypatch.setattr(sqlite_store, "MANY_TRACES", 100)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    store = SqliteStore(tmp_path / "large.db")
    store.write(CHANGES)
    return store


@pytest.mark.parametrize("wanted", [ALL, frozenset({DURATIONS}), frozenset[str]()])
@pytest.mark.parametrize(
    "filter_string",
    [
        "tags.env = 'prod'",
        "tags.env = 'prod' AND attributes.status = 'ERROR'",
        "tags.env != 'x'",
        "attributes.timestamp_ms > 0 AND attributes.latency > 30",
        "trace.text CONTAINS 'n1'",
        "attributes.name IN ('n1', 'n2')",
        "tags.env = 'none'",
    ],
)
def test_pieces_of_time_add_up_to_the_whole(large: SqliteStore, filter_string: str, wanted: frozenset[str]) -> None:
    memory = MemoryStore()
    memory.write(CHANGES)
    search = parse_search(["0"], filter_string)
    for fields in ((), (NAME,), (ATTRIBUTES["user"],)):
        for period in (None, parse_period("1h"), parse_period("1d", "Asia/Kolkata")):
            query = StatisticsQuery(search, fields, period, wanted)
            assert large.statistics(query) == memory.statistics(query)


def test_a_connection_that_sees_another_moment_is_left_out(large: SqliteStore, tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    with helpers(path, READING, is_large=True) as same, helpers(path, READING, is_large=True) as other:
        first = open_connection(path, READING)
        first.execute("BEGIN")
        assert first.execute("SELECT count(*) FROM trace").fetchone() == (400,)
        with same.seeing_the_same() as lent:
            assert [each.execute("SELECT count(*) FROM trace").fetchone() for each in lent] == [(400,), (400,)]
        large.write([part(span(1, trace=900))])
        with other.seeing_the_same() as lent:
            assert lent == []
        first.close()


def test_small_stores_are_read_by_one_connection(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "small.db").close()
    with helpers(tmp_path / "small.db", READING, is_large=False) as none, none.seeing_the_same() as lent:
        assert lent == []


def test_what_adds_up_stands_still_while_a_search_goes_first(
    large: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STEPS", 1_000)
    free, stood_still = threading.Event(), threading.Event()

    class Watched(Precedence):
        def wait(self) -> None:
            (free if self.is_free() else stood_still).set()
            super().wait()

    monkeypatch.setattr(large, "_precedence", precedence := Watched())
    query = StatisticsQuery(parse_search(["0"], "tags.env = 'prod'"), (NAME,), None, ALL)
    alone = large.statistics(query)
    assert free.is_set()
    assert not stood_still.is_set()
    with ThreadPoolExecutor(1) as pool:
        with precedence.going_first():
            slowed = pool.submit(large.statistics, query)
            assert stood_still.wait(30)
            assert len(large.search(parse_search(["0"])).traces) == 100
        assert slowed.result() == alone
