"""Pages that are looked for among the newest traces first are the pages that are looked for everywhere."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import START_MS, part, span
from tracehound.model.ids import experiment_id
from tracehound.model.record import replace
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
    assert windows[0].times == Range(START_MS + 56_994)


@needs_engine
def test_few_traces_and_other_orders_are_looked_for_everywhere(
    stores: tuple[ClickHouseStore, ClickHouseStore],
) -> None:
    engine = stores[0]._engine()
    assert Recent(rows=1_000).window(engine, parse_search(["0"])) == ALL_TIME
    for order in (["timestamp ASC"], ["latency DESC"]):
        assert Recent(rows=3).window(engine, parse_search(["0"], None, order)) == ALL_TIME


@needs_engine
def test_the_first_window_goes_back_as_far_as_pages_of_such_searches_did(
    stores: tuple[ClickHouseStore, ClickHouseStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    among, _ = stores
    asked = statements_of(among._engine(), monkeypatch)

    def pages_asked_for(value: str, limit: int) -> int:
        asked.clear()
        among.search(parse_search(["0"], f"tags.env = '{value}' AND attributes.status = 'OK'", [], limit))
        return sum("hasAll" in text or "has(t.pairs" in text for text in asked)

    assert pages_asked_for("dev", 3) > 1
    assert [pages_asked_for("dev", 3), pages_asked_for("prod", 3), pages_asked_for("dev", 1)] == [1, 1, 1]
    for _ in range(5):
        pages_asked_for("prod", 1)
    assert pages_asked_for("dev", 3) > 1  # of late they did not


@needs_engine
def test_as_many_rows_are_asked_for_as_searches_of_a_kind_looked_at_until_their_page_was_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as store:
        for number in range(1, 61):
            root = span(1, number, start_ms=number * 1_000)
            said = ("Parcel 42", "nothing") if number % 4 else ("nothing", "Parcel 42")
            step = span(2, number, parent=1, name="look up", start_ms=number * 1_000)
            step = replace(step, inputs_json=f'{{"q":"{said[1]}"}}')
            store.write([part(replace(root, inputs_json=f'{{"q":"{said[0]}"}}'), step, written_ns=number)])
        asked = statements_of(store._engine(), monkeypatch)

        def looked_for(name: str, limit: int) -> tuple[int, int, int]:
            """Return how many were found, by how many statements for rows and for parts."""
            asked.clear()
            text = f"span.name = '{name}' AND span.inputs.q LIKE '%arcel 4%'"
            page = store.search_whole(parse_search(["0"], text, [], limit))
            counts = [sum(what in each for each in asked) for what in ("FROM trace AS t", "FROM part")]
            return len(page.traces), counts[0], counts[1]

        found, rows, parts = looked_for("look up", 5)
        assert (found, rows > 1, parts > 1) == (5, True, True)
        for name, limit in (("look up", 5), ("look up", 4), ("step", 5)):
            assert looked_for(name, limit) == (limit, 1, 1)
        for _ in range(5):
            assert looked_for("step", 5)[0] == 5
        assert looked_for("look up", 5)[1] > 1  # of late one in 1.3 was kept


def test_of_many_kinds_of_searches_some_are_forgotten() -> None:
    recent, first = Recent(), Window(Range(10), 10, end_ms=20)
    for number in range(2_500):
        recent.learn(parse_search(["0"], f"tags.of_{number} = 'x'"), first, [1], 1)
    assert 0 < len(recent._row_ms) <= 1_000
    assert 0 < len(recent._for_one) <= 1_000
    recent, kinds = Recent(), [parse_search(["0"], f"tags.of_{number} = 'x'") for number in range(1_000)]
    for each in (*kinds, kinds[0]):
        recent.learn(each, first, [1], 1)
    assert len(recent._row_ms) == 1_000


def test_a_window_is_followed_by_one_in_which_the_rest_should_be_or_by_all_that_is_left() -> None:
    first = Window(Range(100_001), 1_000, widest_ms=64_000)
    second = first.before(found=20, wanted=100)
    assert (second.times, second.length_ms, second.few) == (Range(100_001 - 8_000, 100_000), 8_000, True)
    for found in (0, 2):
        rest = first.before(found=found, wanted=100)
        assert (rest.times, rest.few) == (Range(None, 100_000), False)
    assert second.before(found=1, wanted=100).times == Range(None, 92_000)
    assert ALL_TIME.times == Range()


def test_what_is_left_is_few_where_the_oldest_of_all_began_not_long_before() -> None:
    first = Window(Range(100_001), 1_000, oldest_ms=95_000, widest_ms=64_000)
    for found in (0, 2, 20):
        rest = first.before(found=found, wanted=100)
        assert (rest.times, rest.few) == (Range(None, 100_000), True)
    assert first.before(found=50, wanted=100).times == Range(100_001 - 2_000, 100_000)


def test_a_window_is_expected_to_be_as_long_as_the_longest_with_few_rows_or_as_most() -> None:
    everything = Window(oldest_ms=1, end_ms=100_000, widest_ms=50_000)
    assert everything.expected([]) == ALL_TIME.expected([1]) == 0
    assert everything.expected([10, 2_000, 30]) == 2_000
    assert everything.expected([10, math.inf, 30]) == 30
    assert everything.expected([10, math.inf, 60_000]) == 60_000
    assert dataclasses.replace(everything, oldest_ms=60_001).expected([10, math.inf, 30]) == 40_000


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
