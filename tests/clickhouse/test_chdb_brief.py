"""Whole traces are made of narrow columns and of their parts, and are what the wide columns say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.errors import StoreError
from tracehound.model.edit import Edit
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Rows
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.schema import PART
from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
FIRST, SECOND, THIRD = (span(1, trace=each).trace_id for each in (1, 2, 3))
ALL = parse_search(["0"])


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    """Lend a store of three traces, of which a tag of the second was set afterwards."""
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as store:
        store.write(
            [
                part(span(1, trace=each, duration_ms=each * 10), span(2, parent=1, trace=each), tags={"n": str(each)})
                for each in (1, 2, 3)
            ]
        )
        store.write([Edit(SECOND, "n", "edited", 9)])
        yield store


def test_what_has_changed_is_read_of_wide_columns_and_nothing_else_is(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = statements_of(store._engine(), monkeypatch)
    whole = {trace.info.trace_id: trace for trace in store.search_whole(ALL).traces}
    wide = [text for text in asked if "t.request_preview" in text]
    assert len(wide) == 1
    assert [info for info in store.search(ALL).traces] == [whole[each].info for each in whole]  # noqa: C416 - in order
    assert whole[SECOND].info.tags["n"] == "edited"
    assert {len(trace.data.spans) for trace in whole.values()} == {2}
    monkeypatch.undo()
    only = parse_search(["0"], "tags.n = '1'")
    asked = statements_of(store._engine(), monkeypatch)
    assert [trace.info.trace_id for trace in store.search_whole(only).traces] == [FIRST]
    assert not [text for text in asked if "t.request_preview" in text]


def test_another_part_of_the_same_moment_is_not_taken_for_the_one_that_is_known(store: ClickHouseStore) -> None:
    engine = store._engine()
    rows = engine.select(Sql("SELECT written_ns, trace_id, digest, payload FROM part WHERE trace_id = ?", (FIRST,)))
    written_ns, trace_id, digest, payload = rows[0]
    engine.insert("part", PART.kinds, [(written_ns, trace_id, digest, payload)])  # written twice: says the same
    engine.insert("part", PART.kinds, [(written_ns, trace_id, digest ^ 1, payload.replace('"1"', '"other"'))])
    found = {trace.info.trace_id: trace.info.tags["n"] for trace in store.search_whole(ALL).traces}
    assert found == {FIRST: "1", SECOND: "edited", THIRD: "3"}


def test_many_parts_of_one_moment_are_told_apart_by_their_traces(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked_of(search: Search) -> tuple[list[str], list[bool]]:
        asked.clear()
        ids = [trace.info.trace_id for trace in store.search_whole(search).traces]
        return ids, ["written_ns IN ? AND trace_id IN ?" in text for text in asked if "FROM part" in text]

    spans = [span(1, trace=each, start_ms=each) for each in range(10, 40)]
    store.write([part(each, written_ns=7) for each in spans])
    store.write([part(span(1, trace=each, start_ms=each), written_ns=each) for each in range(40, 50)])
    asked = statements_of(store._engine(), monkeypatch)
    apart = [span(1, trace=each).trace_id for each in range(49, 40, -1)]
    assert asked_of(parse_search(["0"], limit=9)) == (apart, [False])
    some = [each.trace_id for each in spans[3:5]]
    search = parse_search(["0"], f"attributes.trace_id IN ('{some[0]}', '{some[1]}')")
    assert asked_of(search) == (some[::-1], [False, True])


def test_blocks_of_a_page_stay_unpacked_in_memory(store: ClickHouseStore) -> None:
    def hits() -> int:
        rows = store._engine().select(Sql("SELECT value FROM system.events WHERE event = 'UncompressedCacheHits'"))
        return int(rows[0][0]) if rows else 0

    store.search_whole(ALL)
    before = hits()
    store.search_whole(ALL)
    assert hits() > before


def test_a_part_that_is_damaged_is_told_when_its_spans_are_asked_for(store: ClickHouseStore) -> None:
    engine = store._engine()
    rows = engine.select(Sql("SELECT written_ns, digest FROM part WHERE trace_id = ?", (FIRST,)))
    engine.run(f"DELETE FROM part WHERE trace_id = '{FIRST}' SETTINGS lightweight_deletes_sync = 2")
    engine.insert("part", PART.kinds, [(rows[0][0], FIRST, rows[0][1], "[")])
    whole = {trace.info.trace_id: trace for trace in store.search_whole(ALL).traces}
    assert len(whole[SECOND].data.spans) == 2
    with pytest.raises(StoreError, match="damaged"):
        _ = whole[FIRST].data.spans


def test_a_trace_that_is_edited_while_its_row_is_read_is_on_the_page_as_it_is_then(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store._engine()
    select = engine.select

    def edited_before(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        if "t.request_preview" in sql.text:
            monkeypatch.undo()
            store.write([Edit(SECOND, "n", "edited again", 10)])
            engine.run("OPTIMIZE TABLE trace FINAL")
        return select(sql, limit)

    monkeypatch.setattr(engine, "select", edited_before)
    found = {trace.info.trace_id: trace.info.tags["n"] for trace in store.search_whole(ALL).traces}
    assert found == {FIRST: "1", SECOND: "edited again", THIRD: "3"}


def test_the_slowest_are_those_that_took_as_long_as_the_last_of_them_at_least(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([part(span(1, trace=4, duration_ms=None))])
    asked = statements_of(store._engine(), monkeypatch)
    search = parse_search(["0"], None, ["execution_time_ms DESC"], 2)
    page = store.search_whole(search)
    assert [trace.info.trace_id for trace in page.traces] == [THIRD, SECOND]
    assert sum("t.duration_ms >= ?" in text for text in asked) == 2  # for one of them is there as it was before, too
    assert page.next_cursor is not None
    rest = store.search_whole(search.behind(page.next_cursor))
    assert [trace.info.trace_id for trace in rest.traces] == [FIRST, span(1, trace=4).trace_id]


def test_two_pairs_are_answered_from_the_lists_of_the_index_at_once(store: ClickHouseStore) -> None:
    search = parse_search(["0"], "tags.n = '1' AND tags.`mlflow.traceName` = 'call'")
    where = Finder(store._engine(), search).condition()
    sql = Sql(f"EXPLAIN actions = 1 SELECT count() FROM trace AS t WHERE {where.sql.text}", where.sql.parameters)
    text = "\n".join(line for (line,) in store._engine().select(sql))
    assert "__text_index_pairs_index_hasAll" in text
