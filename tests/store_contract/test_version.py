"""Whether anything was written tells a number, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from tests.traces import part, span
from tracehound.model.edit import Deletion, Edit, Facts
from tracehound.model.record import replace
from tracehound.query.search import parse_search
from tracehound.store.api import Store
from tracehound.store.sqlite.store import SqliteStore

TRACE_ID = f"tr-{1:032x}"


def test_it_differs_after_each_change_and_stays_while_there_is_none(store: Store) -> None:
    seen = [store.version()]
    for change in (
        part(span(1)),
        part(span(2, parent=1), written_ns=2),
        Edit(TRACE_ID, "env", "prod", 3),
        Facts("run", "r-1", {"name": "nightly"}, 4),
        part(span(1, 2, duration_ms=None), owner="somebody"),
        Deletion(TRACE_ID, 5),
    ):
        store.write([change])
        seen.append(store.version())
        store.search(parse_search(["0"]))
        assert store.version() == seen[-1]
    store.end_owner("somebody")
    seen.append(store.version())
    assert len(set(seen)) == len(seen)


def test_it_tells_what_another_process_has_written(tmp_path: Path) -> None:
    here, there = SqliteStore(tmp_path / "shared.db"), SqliteStore(tmp_path / "shared.db")
    before = here.version()
    there.write([replace(part(span(1)), written_ns=9)])
    assert here.version() != before
    here.close()
    there.close()
