"""Pages of traces that stand in several versions side by side, and of what the evaluator keeps few of."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from operator import attrgetter

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.model.edit import Change, Deletion, Edit
from tracehound.model.record import replace
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Engine, Rows
from tracehound.store.clickhouse.recent import Recent
from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
COUNT = 60


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as opened:
        engine = opened._engine()
        engine.run("SYSTEM STOP MERGES trace")
        try:
            yield opened
        finally:
            engine.run("SYSTEM START MERGES trace")


@pytest.mark.parametrize("order", ["timestamp DESC", "timestamp ASC", "latency DESC", "latency ASC", "name DESC"])
@pytest.mark.parametrize("is_whole", [False, True])
def test_pages_have_each_trace_once_however_often_it_was_changed(
    store: ClickHouseStore, order: str, *, is_whole: bool
) -> None:
    spans = [span(1, each, start_ms=each % 9, duration_ms=each % 5, name=f"step {each % 4}") for each in range(COUNT)]
    store.write([part(each) for each in spans])
    for written_ns in (2, 3):
        store.write([Edit(each.trace_id, f"at {written_ns}", "x", written_ns) for each in spans[::written_ns]])
    for limit in (1, 2, 7):
        assert sorted(ids_in_pages(store, order, limit, is_whole=is_whole)) == [each.trace_id for each in spans]


@pytest.mark.parametrize("order", ["timestamp DESC", "timestamp ASC", "timestamp DESC, trace_id DESC"])
@pytest.mark.parametrize("tag", [None, "tags.n = '0'"])
def test_pages_that_end_among_those_that_began_at_the_same_time_lose_none(
    store: ClickHouseStore, order: str, tag: str | None
) -> None:
    times = [1, 1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 6]
    spans = [span(1, 50 - number, start_ms=each) for number, each in enumerate(times)]
    store.write([part(each, tags={"n": str(number % 2)}) for number, each in enumerate(spans)])
    wanted = spans if tag is None else spans[::2]
    wanted = sorted(wanted, key=attrgetter("trace_id"), reverse=order.endswith("trace_id DESC"))
    wanted = sorted(wanted, key=attrgetter("start_time_ns"), reverse="timestamp DESC" in order)
    for limit in (1, 2, 3, 4, 5, 20):
        found = list(ids_in_pages(store, order, limit, is_whole=limit % 2 == 0, filter_string=tag))
        assert found == [each.trace_id for each in wanted]


def test_a_page_takes_one_statement_wherever_no_others_began_with_its_last(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([part(span(1, number, start_ms=each)) for number, each in enumerate([1, 2, 3, 3, 3, 4, 5], 1)])
    asked = statements_of(store._engine(), monkeypatch)
    counts = []
    for limit in (1, 2, 3, 4, 5, 6, 7):
        asked.clear()
        ids = ids_of(store, parse_search(["0"], None, [], limit), is_whole=False)
        assert len(ids) == limit
        counts.append(sum("FROM trace AS t" in text and "t.tags" in text for text in asked))
    assert counts == [1, 2, 2, 1, 1, 1, 1]


def ids_in_pages(
    store: ClickHouseStore, order: str, limit: int, *, is_whole: bool, filter_string: str | None = None
) -> Iterator[str]:
    search, has_more = parse_search(["0"], filter_string, order.split(", "), limit), True
    while has_more:
        if is_whole:
            page = store.search_whole(search)
            ids, cursor = [trace.info.trace_id for trace in page.traces], page.next_cursor
        else:
            infos = store.search(search)
            ids, cursor = [info.trace_id for info in infos.traces], infos.next_cursor
        yield from ids
        has_more = cursor is not None
        if cursor is not None:
            search = search.behind(cursor)


def test_what_is_kept_first_and_then_no_more_is_not_looked_for_one_by_one(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(number: int) -> str:
        return "because of rain" if number > 350 else "of rain, because"

    spans = [span(1, each, start_ms=each) for each in range(400)]
    store.write([part(replace(each, inputs_json=f'"{asked(number)}"')) for number, each in enumerate(spans)])
    statements = statements_of(store._engine(), monkeypatch)
    search = parse_search(["0"], "span.content LIKE '%because of%'", [], 50)
    assert len(store.search(search).traces) == 49
    assert len(statements) < 40


@pytest.mark.parametrize("is_whole", [False, True])
def test_what_changes_while_a_page_is_looked_for_is_on_it(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    first, last = (part(span(1, each, start_ms=each * 1_000), tags={"env": "dev"}) for each in (1, 9))
    others = [part(span(1, each, start_ms=each * 1_000)) for each in range(2, 9)]
    store.write([first, *others, last])
    recent = ClickHouseStore(store._address, Recent(3))
    with contextlib.closing(recent):
        search = parse_search(["0"], "tags.env = 'dev'", [], 5)
        behind_statement(2, recent._engine(), monkeypatch, lambda: store.write([Edit(last.trace_id, "n", "x", 9)]))
        assert ids_of(recent, search, is_whole=is_whole) == [last.trace_id, first.trace_id]


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("statement", range(1, 8))
def test_what_changes_while_the_evaluator_looks_is_on_the_page(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, statement: int, *, is_whole: bool
) -> None:
    spans = [span(1, each, start_ms=each) for each in range(300)]
    passing = [spans[each] for each in (299, 298, 5)]
    texts = ['{"a": "rain", "b": "sun"}' if each in passing else '{"a": "sun", "b": "rain"}' for each in spans]
    store.write([part(replace(each, inputs_json=text)) for each, text in zip(spans, texts, strict=True)])
    search = parse_search(["0"], "span.inputs.a = 'rain'", [], 10)
    edit = Edit(spans[5].trace_id, "n", "x", 9)
    behind_statement(statement, store._engine(), monkeypatch, lambda: store.write([edit]))
    assert ids_of(store, search, is_whole=is_whole) == [each.trace_id for each in passing]


def test_what_passes_no_more_is_not_on_the_page(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = [part(span(1, each, start_ms=each), tags={"env": "dev"}) for each in range(5)]
    store.write(traces)
    search = parse_search(["0"], "tags.env = 'dev'")
    edits: list[Change] = [Edit(traces[1].trace_id, "env", "prod", 9), Deletion(traces[2].trace_id, 9)]
    behind_statement(1, store._engine(), monkeypatch, lambda: store.write(edits))
    assert ids_of(store, search, is_whole=True) == [traces[each].trace_id for each in (4, 3, 0)]


@pytest.mark.parametrize("is_whole", [False, True])
def test_what_changes_again_and_again_while_a_page_is_looked_for_is_on_it(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    traces = [part(span(1, each, start_ms=each), tags={"env": "dev"}) for each in range(5)]
    store.write(traces)

    engine, times = store._engine(), iter(range(9, 13))
    select = engine.select

    def edited_behind_it(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        rows = select(sql, limit)
        written_ns = next(times, None) if "t.pairs" in sql.text else None
        if written_ns is not None:
            store.write([Edit(each.trace_id, "n", str(written_ns), written_ns) for each in traces[1:3]])
        return rows

    monkeypatch.setattr(engine, "select", edited_behind_it)
    search = parse_search(["0"], "tags.env = 'dev'")
    assert ids_of(store, search, is_whole=is_whole) == [each.trace_id for each in traces[::-1]]
    assert next(times, None) is None


def behind_statement(number: int, engine: Engine, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Have something done behind so many statements about traces."""
    select, count = engine.select, itertools.count(1)

    def noted(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        rows = select(sql, limit)
        if ("FROM trace AS t" in sql.text or "FROM part" in sql.text) and next(count) == number:
            monkeypatch.undo()
            work()
        return rows

    monkeypatch.setattr(engine, "select", noted)


def ids_of(store: ClickHouseStore, search: Search, *, is_whole: bool) -> list[str]:
    if is_whole:
        return [trace.info.trace_id for trace in store.search_whole(search).traces]
    return [info.trace_id for info in store.search(search).traces]
