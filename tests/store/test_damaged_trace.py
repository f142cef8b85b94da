"""A trace whose payload cannot be read any more: it goes when it is deleted, and keeps nothing else from its work."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.traces import part, span
from tracehound.errors import StoreError
from tracehound.model.edit import Deletion
from tracehound.query.search import parse_search
from tracehound.store.sqlite.batch import index_again
from tracehound.store.sqlite.connection import transaction
from tracehound.store.sqlite.store import SqliteStore


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A store of two traces with the same tags and spans, of which the first is damaged."""
    path = tmp_path / "store.db"
    with contextlib.closing(SqliteStore(path)) as store:
        store.write([part(span(1, number, name="step"), tags={"k": "v"}) for number in (1, 2)])
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE part SET payload = zeroblob(9) WHERE trace = 1")
    return path


def test_a_damaged_trace_is_deleted_with_all_that_the_index_has_of_it(damaged: Path) -> None:
    with contextlib.closing(SqliteStore(damaged)) as store:
        store.write([Deletion(span(1, 1).trace_id, 1)])
        assert [info.trace_id for info in store.search(parse_search(["0"], "span.name = 'step'")).traces] == [
            span(1, 2).trace_id
        ]
    with contextlib.closing(sqlite3.connect(damaged)) as connection:
        assert connection.execute("SELECT DISTINCT trace FROM posting").fetchall() == [(2,)]
        assert connection.execute("SELECT count(*) FROM part WHERE trace = 1").fetchone() == (0,)


def test_an_index_is_written_again_though_a_trace_is_damaged(damaged: Path) -> None:
    with contextlib.closing(SqliteStore(damaged)) as store, store._file.writing() as connection:
        with transaction(connection):
            connection.execute("DELETE FROM posting")
            index_again(connection)
        by_tag = store.search(parse_search(["0"], "tags.k = 'v'")).traces
        by_span = store.search(parse_search(["0"], "span.name = 'step'")).traces
    assert (len(by_tag), len(by_span)) == (2, 1)


def test_a_filter_that_has_to_look_into_a_damaged_trace_says_so(damaged: Path) -> None:
    with contextlib.closing(SqliteStore(damaged)) as store, pytest.raises(StoreError, match="damaged"):
        store.search(parse_search(["0"], "trace.text CONTAINS 'because'"))
