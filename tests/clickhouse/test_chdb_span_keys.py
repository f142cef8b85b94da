"""Spans of a name that took long, or have an attribute, are found by lists; what came without keys is found as well."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.query.fields import NAME
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.query.span_keys import EDGES, HASHES, terms_and_keys_of
from tracehound.query.span_terms import attribute_terms_of, durations_of_spans
from tracehound.query.sql import Sql
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.clickhouse.engine import Rows
from tracehound.store.clickhouse.recent import Recent
from tracehound.store.clickhouse.rows import PartKey, Version, to_row
from tracehound.store.clickhouse.schema import TRACE, changes
from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

SLOW = "span.name = 'call' AND span.duration_ms > 1000"
CLAUDE = "span.name = 'call' AND span.attributes.model = 'claude'"
SLOW_CLAUDE = f"{SLOW} AND span.attributes.model = 'claude'"
FOUND = {
    SLOW: [2, 4, 6, 8, 10, 12],
    SLOW_CLAUDE: [6, 12],
    CLAUDE: [3, 6, 9, 12],
    f"NOT ({SLOW})": [1, 3, 5, 7, 9, 11],
    f"NOT ({SLOW_CLAUDE})": [1, 2, 3, 4, 5, 7, 8, 9, 10, 11],
    f"{SLOW_CLAUDE} AND span.status = 'OK'": [6, 12],
    "span.name = 'call' AND span.duration_ms > 1000.5": [2, 4, 6, 8, 10, 12],
}


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as opened:
        yield opened


def write(store: ClickHouseStore, numbers: Sequence[int]) -> None:
    """Write traces: each second call is slow, each third one is Claude's, and the check of others is."""
    parts = []
    for number in numbers:
        make = partial(span, trace=number, start_ms=number * 1_000)
        call = make(2, parent=1, name="call", duration_ms=1001 if number % 2 == 0 else 1000)
        check = make(3, parent=1, name="check", duration_ms=2000)
        models = ('"claude"', '"gpt"') if number % 3 == 0 else ('"gpt"', '"claude"')
        made = [
            replace(one, attributes_json={"model": model}) for one, model in zip((call, check), models, strict=True)
        ]
        parts.append(part(make(1, duration_ms=3000), *made, written_ns=number))
    store.write(parts)


def found(store: ClickHouseStore, text: str) -> list[int]:
    infos = store.search(parse_search(["0"], text)).traces
    return sorted(int(info.trace_id.removeprefix("tr-"), 16) for info in infos)


def test_slow_spans_of_a_name_are_found_without_a_look_at_the_arrays(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, range(1, 13))
    asked = statements_of(store._engine(), monkeypatch)
    for text in (SLOW, SLOW_CLAUDE, CLAUDE, f"NOT ({SLOW})"):
        assert found(store, text) == FOUND[text]
    assert not [text for text in asked if "arrayExists" in text]


def test_the_index_answers_for_the_keys(store: ClickHouseStore) -> None:
    write(store, range(1, 13))
    both = "hasAny(span_keys, ['1000 call']) AND hasAny(span_keys, ['2000 x', '1500 check'])"
    text = f"SELECT count() FROM trace WHERE {both}"
    plan = "\n".join(line for (line,) in store._engine().select(Sql(f"EXPLAIN actions = 1 {text}")))
    assert plan.count("__text_index_keys_index") >= 2
    assert store._engine().select(Sql(text)) == [(6,)]


def test_no_trace_is_read_that_has_the_attribute_in_another_span(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, range(1, 13))
    read: list[int] = []
    select = store._engine().select

    def counted(sql: Sql, limit: SearchLimit | None = None) -> Rows:
        rows = select(sql, limit)
        read.extend([len(rows)] if "payload" in sql.text else [])
        return rows

    monkeypatch.setattr(store._engine(), "select", counted)
    assert len(store.search_whole(parse_search(["0"], SLOW_CLAUDE)).traces) == 2
    assert read == [2]


@pytest.mark.parametrize("text", FOUND)
def test_what_lies_behind_the_first_window_is_found(store: ClickHouseStore, text: str) -> None:
    write(store, range(1, 13))
    among = ClickHouseStore(store._address, Recent(2, known_s=0))
    with contextlib.closing(among):
        assert found(among, text) == FOUND[text]


def test_what_was_stored_before_there_were_keys_is_found_beside_what_has_them(store: ClickHouseStore) -> None:
    engine = store._engine()
    add_column, add_index, *materialize = changes(7, engine.address)
    write(store, range(1, 7))
    engine.run("ALTER TABLE trace DROP INDEX keys_index")
    engine.run("ALTER TABLE trace DROP COLUMN span_keys")
    engine.run(add_column)
    engine.run(add_index)
    write(store, range(7, 13))
    own = engine.select(Sql("SELECT trace_id, span_keys FROM trace WHERE has(span_keys, '=' || ?)", (_hash("gpt"),)))
    assert len(own) == 6  # nobody knows of which span the attribute is
    for _ in range(2):
        for text, numbers in FOUND.items():
            assert found(store, text) == numbers, text
        slow = store.statistics(StatisticsQuery(parse_search(["0"], SLOW), (NAME,)))
        assert [summary.count for summary in slow.values()] == [6]
        for statement in materialize:
            engine.run(f"{statement} SETTINGS mutations_sync = 2")
    kept = engine.select(Sql("SELECT count() FROM trace WHERE has(span_keys, '=' || ?)", (_hash("gpt"),)))
    assert kept == [(6,)]  # keys that came with a row stay as they are
    engine.run("OPTIMIZE TABLE trace FINAL")
    assert found(store, SLOW_CLAUDE) == FOUND[SLOW_CLAUDE]


def _hash(model: str) -> str:
    one = replace(span(1, name="call", duration_ms=None), attributes_json={"model": f'"{model}"'})
    _, (key,) = terms_and_keys_of([one], [None])
    return key.removeprefix("=").removesuffix(" call")


def test_of_rows_that_come_without_keys_the_engine_makes_those_that_it_can(store: ClickHouseStore) -> None:
    lengths = sorted({max(0, edge + near) for edge in EDGES for near in (0, 1)} | {3 * EDGES[-1]})
    names = ["call", "日本 🐕", "it's", "a\0b", "", "\\n", "ä" * 300]
    spans = [span(at, duration_ms=length, name=names[at % len(names)]) for at, length in enumerate(lengths, 1)]
    spans += [span(900, duration_ms=None, name="runs"), replace(span(901, name="x"), attributes_json={"k": '"v"'})]
    row = to_row(merge_parts([part(*spans)]), Version(1, 0, [PartKey(1, 2)], []))
    columns = dict(zip(TRACE.names, row, strict=True))
    own = set(columns.pop("span_keys"))
    kinds = {name: kind for name, kind in TRACE.kinds.items() if name in columns}
    store._engine().insert("trace", kinds, [tuple(columns.values())])
    ((made,),) = store._engine().select(Sql("SELECT span_keys FROM trace"))
    numbers, keys = terms_and_keys_of(spans, durations_of_spans(spans))
    of_attributes = {f"={number % HASHES}" for number in numbers}
    assert own == set(keys)
    assert numbers == attribute_terms_of(spans)
    assert set(made) == {key for key in own if not key.startswith("=")} | of_attributes
