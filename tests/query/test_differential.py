"""SQLite answers as the memory store does: random traces, filters, orders and pages.

The memory store is the definition (`store.memory`); every difference found here is a fault of the SQL.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.conftest import SEARCHES, SEARCHES_OF_TRACES
from tests.query.searches import FILTERS, GROUPS, ORDERS, PAGE_SIZES, PERIODS, TRACES
from tracehound.model.edit import Edit
from tracehound.model.ids import experiment_id
from tracehound.model.trace import TraceInfo, TracePart
from tracehound.query.access import EVER, ByWords, InOrder, Plan, find_paths, time_range
from tracehound.query.access import Path as AccessPath
from tracehound.query.check import parse_filter
from tracehound.query.evaluate import matches, value_of, values_of
from tracehound.query.fields import ASSESSED, NAME, NUMBERS_IN_METADATA, Kind
from tracehound.query.numbers import number_in
from tracehound.query.periods import Period
from tracehound.query.printer import print_filter
from tracehound.query.search import Search, parse_search
from tracehound.query.span_keys import keys_of
from tracehound.query.spans import is_true_of_spans
from tracehound.query.sql import MAY_HAVE
from tracehound.query.sqlite import search_sql
from tracehound.query.statistics import ALL, DISTINCT, GroupKey, Groups, StatisticsQuery, parse_groups
from tracehound.query.tree import PATTERNS, And, Checked, Not, Or, Scope, Test
from tracehound.store.api import Searched
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.functions import ask
from tracehound.store.sqlite.ordered import then_absent
from tracehound.store.sqlite.plan import read_terms
from tracehound.store.sqlite.rows import to_info
from tracehound.store.sqlite.store import SqliteStore
from tracehound.store.sqlite.text import Words

IN_MEMORY = Path("/dev/shm")  # where there is one: hundreds of stores are made, and none has to last

# A store that is made is asked for several.
ASKED = st.lists(st.tuples(FILTERS, ORDERS, PAGE_SIZES), min_size=SEARCHES_OF_TRACES, max_size=SEARCHES_OF_TRACES)

# Which share of the random searches has to hold each case, at least.
SHARES = {
    "found none": 0.1,
    "found some": 0.2,
    "found all": 0.05,
    "several pages": 0.3,
    "pages of one": 0.1,
    "two experiments": 0.3,
    "order by what is absent": 0.1,
    "ties in the order": 0.1,
    "absence": 0.4,
    "NOT over absence": 0.1,
    "IS NULL": 0.05,
    "a list": 0.2,
    "a pattern": 0.2,
    "a pattern with NUL": 0.02,
    "not ASCII": 0.2,
    "NUL": 0.1,
    "a number in text": 0.05,
    "an assessment": 0.15,
    "several assessments": 0.05,
    "TRUE or FALSE": 0.02,
    "a number in metadata": 0.05,
    "spans": 0.2,
    "spans found": 0.1,
    "several spans": 0.02,
    "a count of spans": 0.02,
    "a step of a name": 0.02,
    "a text of spans": 0.04,
    "words of a text": 0.02,
}


@pytest.mark.prove
@settings(max_examples=SEARCHES // SEARCHES_OF_TRACES)
@given(TRACES, ASKED, GROUPS, PERIODS)
def test_sqlite_answers_as_the_memory_store_does(
    traces: tuple[TracePart | Edit, ...],
    asked: list[tuple[str, list[str], int]],
    groups: list[str],
    period: Period | None,
) -> None:
    memory = MemoryStore()
    memory.write(traces)
    for label in labels(traces, *asked[0][:2], make_search(*asked[0])):
        event(label)
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.exists() else None) as folder:
        sqlite = SqliteStore(Path(folder, "differential.db"))
        sqlite.write(traces)
        for filter_string, order, page_size in asked:
            search = make_search(filter_string, order, page_size)
            assert search.where is not None
            assert parse_filter(print_filter(search.where)) == search.where
            expected = all_pages(memory, search)
            assert all_pages(sqlite, search) == expected
            assert all(page == expected[:page_size] for page in pages_by_every_path(sqlite, search))
            query = StatisticsQuery(search, tuple(parse_groups(groups)), period)
            assert told(sqlite.statistics(query)) == told(memory.statistics(query))
            query = dataclasses.replace(query, are_weighted=True)
            assert told(sqlite.statistics(query)) == told(memory.statistics(query))
        for query in queries_of_all(search, groups, period):
            assert told(sqlite.statistics(query)) == told(memory.statistics(query))
        sqlite.close()


def test_the_random_searches_hold_what_engines_disagree_about() -> None:
    seen: Counter[str] = Counter()
    count = 200

    @settings(max_examples=count, derandomize=True, database=None)
    @given(TRACES, FILTERS, ORDERS, PAGE_SIZES)
    def draw(traces: tuple[TracePart | Edit, ...], filter_string: str, order: list[str], page_size: int) -> None:
        seen.update(labels(traces, filter_string, order, make_search(filter_string, order, page_size)))

    draw()
    assert {label: seen[label] for label, share in SHARES.items() if seen[label] < share * count} == {}


def queries_of_all(search: Search, groups: list[str], period: Period | None) -> Iterator[StatisticsQuery]:
    """Yield what is asked of all traces, as far as it may be told from the hours."""
    every = dataclasses.replace(search, where=None)
    yield StatisticsQuery(every, tuple(parse_groups(groups)), period, ALL - DISTINCT.keys())
    yield StatisticsQuery(every, (NAME,), period, frozenset())
    yield StatisticsQuery(every, (NAME,), period, ALL, are_weighted=True)


def told(groups: Groups) -> dict[GroupKey, object]:
    """Return what is known of groups, with sums of doubles as they are whatever the order of their addition."""
    return {
        key: (
            each.count, each.errors, each.ended, each.sum_ms, each.least_ms, each.most_ms, each.buckets,
            {name: pytest.approx(value, rel=1e-12) for name, value in each.sums.items()}, each.having,
            each.distinct,
        )
        for key, each in groups.items()
    }  # fmt: skip


def make_search(filter_string: str, order: list[str], page_size: int) -> Search:
    return parse_search(["0", experiment_id("shop")], filter_string, order, page_size)


def all_pages(store: Searched, search: Search) -> list[TraceInfo]:
    found: list[TraceInfo] = []
    while True:
        page = store.search(search)
        assert len(page.traces) <= search.limit
        found += page.traces
        if page.next_cursor is None:
            return found
        search = search.behind(page.next_cursor)


def pages_by_every_path(store: SqliteStore, search: Search) -> Iterator[list[TraceInfo]]:
    """Yield the first page as each path gives it that the filter offers, the chosen one or not."""
    with store._file.reading() as connection:
        words = Words(connection)
        paths: list[AccessPath] = [InOrder(), *find_paths(search.where, functools.partial(read_terms, connection))]
        for each in paths:
            path = each
            if isinstance(path, ByWords):
                path = dataclasses.replace(path, seqs=tuple(words.candidates(path.needles).first(1_000) or ()))
            rows = ask(connection, search_sql(search, Plan(path, time_range(search))), words)
            rows = then_absent(
                rows,
                search,
                path,
                lambda part: ask(connection, search_sql(part, Plan(InOrder(), time_range(part))), words),
            )
            yield [to_info(row[: -1 - len(search.order)]) for row in rows[: search.limit]]


def labels(traces: Sequence[TracePart | Edit], filter_string: str, order: list[str], search: Search) -> set[str]:
    """Return which cases a search of these traces holds; the keys of `SHARES`."""
    memory = MemoryStore()
    memory.write(traces)
    infos = all_pages(memory, dataclasses.replace(search, where=None))
    assert search.where is not None
    whole = {info.trace_id: memory.read_traces([info.trace_id])[info.trace_id] for info in infos}
    found = [info for info in infos if matches(search.where, whole[info.trace_id])]
    tests = list(leaves(search.where))
    of_spans = list(scopes_in(search.where))
    values = [(test, value_of(test.field, info)) for test, _ in tests for info in infos]
    keys = [key for key in search.order[:-2] if order]
    texts = [text for _, text in values if isinstance(text, str)]
    cases = {
        "found none": not found,
        "found some": 0 < len(found) < len(infos),
        "found all": len(found) == len(infos),
        "several pages": len(found) > search.limit,
        "pages of one": search.limit == 1 and len(found) > 1,
        "two experiments": len({info.experiment_id for info in infos}) == 2,
        "order by what is absent": any(value_of(key.field, info) is None for key in keys for info in found),
        "ties in the order": any(len({value_of(key.field, info) for info in found}) < len(found) for key in keys[:1]),
        "absence": any(value is None for _, value in values),
        "NOT over absence": any(
            negated and value_of(test.field, info) is None for test, negated in tests for info in infos
        ),
        "IS NULL": " NULL" in filter_string,
        "a list": " IN (" in filter_string,
        "a pattern": any(test.operator in PATTERNS for test, _ in tests),
        "a pattern with NUL": any(test.operator in PATTERNS and "\0" in str(test.value) for test, _ in tests),
        "not ASCII": not "".join([filter_string, *texts]).isascii(),
        "NUL": "\0" in "".join([filter_string, *texts]),
        "a number in text": any(
            isinstance(test.value, (int, float)) and isinstance(value, str) and number_in(value) is not None
            for test, value in values
        ),
        "an assessment": any(test.field.group in ASSESSED and value is not None for test, value in values),
        "several assessments": any(
            test.field.group in ASSESSED and len(values_of(test.field, info)) > 1 for test, _ in tests for info in infos
        ),
        "TRUE or FALSE": "TRUE" in filter_string or "false" in filter_string,
        "spans": bool(of_spans),
        "spans found": any(is_true_of_spans(scope, each.data.spans) for scope in of_spans for each in whole.values()),
        "several spans": any(scope.steps for scope in of_spans),
        "a count of spans": any(scope.count for scope in of_spans),
        "a step of a name": any(keys_of(each) for scope in of_spans for each in scope.conditions),
        "a text of spans": "trace.text" in filter_string or "attributes.request" in filter_string,
        "words of a text": MAY_HAVE in search_sql(search, Plan(InOrder(), EVER)).text,
        "a number in metadata": any(
            test.field.name in NUMBERS_IN_METADATA and value is not None for test, value in values
        ),
    }
    return {case for case, is_so in cases.items() if is_so}


def scopes_in(node: Checked) -> Iterator[Scope[Test]]:
    """Yield what is asked of spans."""
    if isinstance(node, (And, Or)):
        for child in node.children:
            yield from scopes_in(child)
    elif isinstance(node, Not):
        yield from scopes_in(node.child)
    elif isinstance(node, Scope):
        yield node


def leaves(node: Checked, *, is_negated: bool = False) -> Iterator[tuple[Test, bool]]:
    """Yield each comparison with what a trace has one of, and whether a NOT stands over it."""
    if isinstance(node, (And, Or)):
        for child in node.children:
            yield from leaves(child, is_negated=is_negated)
    elif isinstance(node, Not):
        yield from leaves(node.child, is_negated=True)
    elif isinstance(node, Test) and node.field.kind is not Kind.TEXTS:
        yield node, is_negated
