"""Pages that are looked for among the newest traces first are the pages that are looked for everywhere."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import START_MS, part, span
from tracehound.model.ids import experiment_id
from tracehound.query.access import Range
from tracehound.query.search import Search, parse_search
from tracehound.store.clickhouse.recent import ALL_TIME, Recent, Window
from tracehound.store.clickhouse.store import ClickHouseStore

needs_engine = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
SHOP = experiment_id("shop")
FILTERS = [
    None,
    "tags.env = 'dev'",
    "tags.env = 'none'",
    "trace.text CONTAINS 'why' AND attributes.status = 'ERROR'",
    f"attributes.timestamp < {START_MS + 20_000}",
    f"attributes.timestamp > {START_MS + 55_000} OR tags.env = 'dev'",
]
NEWEST = 60  # of traces that begin a second after the other, with gaps


@pytest.fixture
def stores() -> Iterator[tuple[ClickHouseStore, ClickHouseStore]]:
    """Lend a store that looks among the newest three first, and one of the same traces that looks everywhere."""
    with new_address() as address:
        among, everywhere = (ClickHouseStore(address, Recent(rows)) for rows in (3, 10_000))
        with contextlib.closing(among), contextlib.closing(everywhere):
            among.write(
                [
                    part(
                        span(1, number, start_ms=number * 1_000 // 7 * 7, failed=number % 9 == 0),
                        experiment="shop" if number % 4 == 0 else "Default",
                        tags={"env": "prod" if number % 5 else "dev"},
                    )
                    for number in range(1, NEWEST + 1)
                    if number // 10 != 3
                ]
            )
            yield among, everywhere


@needs_engine
@pytest.mark.parametrize("filter_string", FILTERS)
def test_pages_are_the_same_wherever_they_are_looked_for_first(
    stores: tuple[ClickHouseStore, ClickHouseStore], filter_string: str | None
) -> None:
    among, everywhere = stores
    for experiments, limit in itertools.product((["0"], [SHOP, "0"]), (6, 100)):
        search = parse_search(experiments, filter_string, [], limit)
        assert pages(among, search) == pages(everywhere, search)


@needs_engine
def test_what_begins_after_the_newest_were_asked_for_is_found_at_once(
    stores: tuple[ClickHouseStore, ClickHouseStore],
) -> None:
    among, _ = stores
    newest = parse_search(["0"], None, [], 1)
    before = among.search(newest).traces[0].request_time
    among.write([part(span(1, 99, start_ms=90_000), written_ns=9)])
    assert [before, among.search(newest).traces[0].request_time] == [START_MS + 58_996, START_MS + 90_000]


@needs_engine
def test_the_newest_are_asked_for_once_for_many_searches(
    stores: tuple[ClickHouseStore, ClickHouseStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    among, _ = stores
    search = parse_search(["0"], "tags.env = 'prod'", [], 1)
    recent, engine = Recent(rows=3, known_s=1_000_000), among._engine()
    asked = statements_of(engine, monkeypatch)
    windows = [recent.window(engine, search) for _ in range(5)]
    assert len(asked) == 1
    assert windows == [windows[0]] * 5
    assert windows[0] is not None
    assert windows[0].times == Range(START_MS + 56_994)


@needs_engine
def test_few_traces_and_other_orders_are_looked_for_everywhere(
    stores: tuple[ClickHouseStore, ClickHouseStore],
) -> None:
    engine = stores[0]._engine()
    assert Recent(rows=1_000).window(engine, parse_search(["0"])) is None
    for order in (["timestamp ASC"], ["latency DESC"]):
        assert Recent(rows=3).window(engine, parse_search(["0"], None, order)) is None


def test_a_window_is_followed_by_one_in_which_the_rest_should_be_or_by_all_that_is_left() -> None:
    first = Window(Range(10_001), 1_000)
    second = first.before(found=20, wanted=100)
    assert second == Window(Range(10_001 - 8_001, 10_000), 8_001)
    assert first.before(found=0, wanted=100).times == Range(None, 10_000)
    assert first.before(found=2, wanted=100).times == Range(None, 10_000)
    assert second.before(found=1, wanted=100).times == Range(None, 1_999)
    assert ALL_TIME.times == Range()


def test_a_longer_window_ends_where_the_other_one_does() -> None:
    first = Window(Range(10_001), 1_000)
    longer = first.widened()
    assert longer == Window(Range(10_001 - 63_000), 64_000)
    assert longer.before(found=1, wanted=2).times == Range(10_001 - 63_000 - 128_001, 10_000 - 63_000)


def pages(store: ClickHouseStore, search: Search) -> list[list[str]]:
    found: list[list[str]] = []
    while True:
        page = store.search(search)
        found.append([each.trace_id for each in page.traces])
        whole = [each.info.trace_id for each in store.search_whole(search).traces]
        assert whole == found[-1]
        if page.next_cursor is None:
            return found
        search = search.behind(page.next_cursor)
