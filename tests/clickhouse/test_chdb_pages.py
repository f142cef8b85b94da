"""Pages of traces that stand in several versions side by side, and of what the evaluator keeps few of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.model.edit import Edit
from tracehound.model.record import replace
from tracehound.query.search import parse_search
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


def ids_in_pages(store: ClickHouseStore, order: str, limit: int, *, is_whole: bool) -> Iterator[str]:
    search, has_more = parse_search(["0"], None, [order], limit), True
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
