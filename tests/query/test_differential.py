"""SQLite answers as the memory store does: random traces, filters, orders and pages.

The memory store is the definition (`store.memory`); every difference found here is a fault of the SQL.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.traces import START_MS, part, span
from tracehound.model.ids import experiment_id
from tracehound.model.trace import TraceInfo, TracePart
from tracehound.query.check import parse_filter
from tracehound.query.printer import print_filter
from tracehound.query.search import Search, parse_search
from tracehound.query.tokens import quote
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore

# Few keys and values, so that filters hit; the odd ones are those that engines disagree about.
KEYS = st.sampled_from(["env", "a.b", "n", "日本", 'q"k', "k\0z", "k"])
VALUES = st.sampled_from(
    ["", "prod", "Prod", "5", "5.0", "05", "-1e3", "5 ", " 5", "٥", "日本語", "🐕", "a\0b", "a", "5\0", "x" * 300]
)
NUMBERS = st.sampled_from(["5", "-1", "0", "5.0", "2.5e3", "99999999999999999999"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALITY = st.sampled_from(["=", "!="])
PATTERNS = st.lists(st.sampled_from(["%", "_", "a", "5", "P", "ro", "日", "\0", "it's"]), max_size=4).map("".join)
REGULAR = st.sampled_from(["^5", "(?i)prod", "日.", "a\\x00b", "", "[^a-z]$", "^.{2,}$"])
TEXTS = st.sampled_from(["a", "C-1", "it's", span(1).trace_id])
MILLISECONDS = st.integers(0, 4)


@st.composite
def parts(draw: st.DrawFn, trace: int) -> TracePart:
    tags = draw(st.dictionaries(KEYS, VALUES, max_size=3))
    duration = draw(st.none() | MILLISECONDS)
    root = span(
        1,
        trace=trace,
        start_ms=draw(MILLISECONDS),
        duration_ms=duration,
        name=draw(st.sampled_from(["a", "b", "it's"])),
        failed=draw(st.booleans()),
    )
    return part(
        root,
        experiment=draw(st.sampled_from(["Default", "shop"])),
        tags=tags,
        metadata=draw(st.dictionaries(KEYS, VALUES, max_size=2)),
        client_request_id=draw(st.none() | st.just("C-1")),
    )


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["tags", "metadata", "status", "text", "time", "null"]))
    if kind in ("tags", "metadata"):
        return f"{kind}.`{draw(KEYS)}` {draw(operations(OPERATORS, NUMBERS | VALUES.map(quote), has_patterns=True))}"
    if kind == "status":
        states = st.sampled_from(["'OK'", "'ERROR'", "'IN_PROGRESS'"])
        return f"attributes.status {draw(operations(EQUALITY, states))}"
    if kind == "text":
        name = draw(st.sampled_from(["name", "client_request_id", "trace_id", "user"]))
        return f"attributes.{name} {draw(operations(EQUALITY, TEXTS.map(quote), has_patterns=True, has_ranges=False))}"
    if kind == "null":
        name = draw(
            st.sampled_from(["attributes.latency", "attributes.client_request_id", "attributes.user", "tags.n"])
        )
        return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    name = draw(st.sampled_from(["timestamp_ms", "execution_time_ms", "end_time_ms"]))
    base = 0 if name == "execution_time_ms" else START_MS
    values = st.tuples(MILLISECONDS, st.sampled_from(["", ".5", ".0"])).map(lambda pair: f"{base + pair[0]}{pair[1]}")
    return f"attributes.{name} {draw(operations(OPERATORS, values))}"


@st.composite
def operations(
    draw: st.DrawFn,
    operators: st.SearchStrategy[str],
    values: st.SearchStrategy[str],
    *,
    has_patterns: bool = False,
    has_ranges: bool = True,
) -> str:
    """An operator that is allowed for a field, and its values."""
    shape = draw(st.sampled_from(["one", "list", "range", "pattern"]))
    negation = draw(st.sampled_from(["", "NOT "]))
    if shape == "list":
        return f"{negation}IN ({', '.join(draw(st.lists(values, min_size=1, max_size=3)))})"
    if shape == "range" and has_ranges and operators is OPERATORS:
        return f"{negation}BETWEEN {draw(values)} AND {draw(values)}"
    if shape == "pattern" and has_patterns:
        word = draw(st.sampled_from(["LIKE", "ILIKE", "RLIKE", "CONTAINS"]))
        pattern = draw(REGULAR if word == "RLIKE" else PATTERNS)
        return f"{negation if word != 'CONTAINS' else ''}{word} {quote(pattern)}"
    return f"{draw(operators)} {draw(values)}"


FILTERS = st.recursive(
    comparisons(),
    lambda inner: (
        inner.map(lambda found: f"NOT ({found})")
        | st.lists(inner, min_size=2, max_size=3).flatmap(
            lambda found: st.sampled_from([" AND ", " OR "]).map(lambda word: "(" + word.join(found) + ")")
        )
    ),
    max_leaves=6,
)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["timestamp", "latency", "end_time", "status", "name", "trace_id", "client_request_id"]),
        st.sampled_from(["", " ASC", " DESC"]),
    ).map("".join),
    max_size=3,
)
TRACES = st.integers(1, 12).flatmap(lambda count: st.tuples(*(parts(trace=number) for number in range(1, count + 1))))

IN_MEMORY = Path("/dev/shm")  # where there is one: hundreds of stores are made, and none has to last


@settings(max_examples=200)
@given(TRACES, FILTERS, ORDERS, st.integers(1, 5))
def test_sqlite_answers_as_the_memory_store_does(
    traces: tuple[TracePart, ...], filter_string: str, order: list[str], page_size: int
) -> None:
    experiments = ["0", experiment_id("shop")]
    search = parse_search(experiments, filter_string, order, page_size)
    assert search.where is not None
    assert parse_filter(print_filter(search.where)) == search.where
    memory = MemoryStore()
    memory.write(traces)
    expected = all_pages(memory, search)
    event(f"found: {'none' if not expected else 'all' if len(expected) == len(traces) else 'some'}")
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.exists() else None) as folder:
        sqlite = SqliteStore(Path(folder, "differential.db"))
        sqlite.write(traces)
        assert all_pages(sqlite, search) == expected
        assert sorted(map(repr, sqlite.latency(search))) == sorted(map(repr, memory.latency(search)))
        sqlite.close()


def all_pages(store: Store, search: Search) -> list[TraceInfo]:
    found: list[TraceInfo] = []
    while True:
        page = store.search(search)
        assert len(page.traces) <= search.limit
        found += page.traces
        if page.next_cursor is None:
            return found
        search = search.behind(page.next_cursor)
