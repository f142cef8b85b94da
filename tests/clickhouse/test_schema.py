"""The tables of one server and of a cluster, as files that a human reads."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.golden import check_golden
from tests.traces import part, span
from tracehound.query.clickhouse import statistics_sql
from tracehound.query.fields import NAME
from tracehound.query.search import parse_search
from tracehound.query.sql import Sql
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.schema import changes, make_tables, statements

GOLDEN = Path(__file__).with_name("golden")
PLACES = {
    "one_server": ClickHouseAddress(host="db"),
    "cluster": ClickHouseAddress(host="db", cluster="main", retention_days=30),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_tables_are_made_by_these_statements(name: str, update_golden: bool) -> None:
    text = ";\n\n".join(statements(PLACES[name])) + ";\n"
    check_golden(GOLDEN / f"{name}.sql", text, update=update_golden)


def test_a_cluster_is_brought_up_on_all_of_its_servers() -> None:
    assert changes(2, PLACES["cluster"]) == [
        f"ALTER TABLE {table}_local ON CLUSTER main MODIFY SETTING"
        " min_compress_block_size = 2048, max_compress_block_size = 4096"
        for table in ("said", "head")
    ]
    assert changes(3, PLACES["cluster"]) == [
        f"ALTER TABLE {table}_local ON CLUSTER main MODIFY SETTING merge_selector_base = 16"
        for table in ("trace", "part")
    ]
    assert changes(5, PLACES["cluster"]) == [
        "ALTER TABLE trace_local ON CLUSTER main MODIFY SETTING"
        " merge_selector_base = 32, vertical_merge_algorithm_min_rows_to_activate = 1",
        "ALTER TABLE part_local ON CLUSTER main MODIFY SETTING merge_selector_base = 32",
        "ALTER TABLE trace_local ON CLUSTER main MODIFY COLUMN words"
        " MODIFY SETTING min_compress_block_size = 4194304, max_compress_block_size = 4194304",
    ]


def test_a_cluster_gets_the_column_of_pairs_on_each_server_and_over_all() -> None:
    assert [each.split(" Array(")[0] for each in changes(4, PLACES["cluster"])] == [
        "ALTER TABLE trace_local ON CLUSTER main ADD COLUMN IF NOT EXISTS pairs",
        "ALTER TABLE trace_local ON CLUSTER main ADD INDEX IF NOT EXISTS"
        " pairs_index pairs TYPE text(tokenizer = 'array')",
        "ALTER TABLE trace_local ON CLUSTER main MATERIALIZE COLUMN pairs",
        "ALTER TABLE trace_local ON CLUSTER main MATERIALIZE INDEX pairs_index",
        "ALTER TABLE trace ON CLUSTER main ADD COLUMN IF NOT EXISTS pairs",
    ]


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_tables_of_an_older_schema_are_brought_up_once() -> None:
    from tracehound.store.clickhouse.engine import Engine

    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        engine.run("TRUNCATE TABLE migration")
        engine.insert("migration", {"number": "UInt32"}, [[1]])
        for table in ("said", "head"):
            engine.run(f"ALTER TABLE {table} RESET SETTING min_compress_block_size, max_compress_block_size")
        for table in ("trace", "part"):
            engine.run(f"ALTER TABLE {table} RESET SETTING merge_selector_base")
        engine.run("ALTER TABLE trace RESET SETTING vertical_merge_algorithm_min_rows_to_activate")
        large = "min_compress_block_size = 4194304, max_compress_block_size = 4194304"
        engine.run(
            "ALTER TABLE trace MODIFY COLUMN words RESET SETTING min_compress_block_size, max_compress_block_size"
        )
        assert large not in engine.select(Sql("SHOW CREATE TABLE trace"))[0][0]
        for _ in range(2):
            make_tables(engine)
            assert engine.select(Sql("SELECT number FROM migration ORDER BY number")) == [(1,), (2,), (3,), (4,), (5,)]
        for tables, settings in (
            (("said", "head"), "min_compress_block_size = 2048, max_compress_block_size = 4096"),
            (("trace", "part"), "merge_selector_base = 32"),
            (("trace",), "vertical_merge_algorithm_min_rows_to_activate = 1"),
            (("trace",), f"`words` String CODEC(ZSTD(3)) SETTINGS ({large})"),
        ):
            for table in tables:
                assert settings in engine.select(Sql(f"SHOW CREATE TABLE {table}"))[0][0]


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_rows_without_pairs_are_found_beside_those_with_it() -> None:
    from tracehound.store.clickhouse.engine import Engine
    from tracehound.store.clickhouse.store import ClickHouseStore

    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        add_column, add_index, *materialize = changes(4, address)
        engine.run("ALTER TABLE trace DROP INDEX pairs_index")
        engine.run("ALTER TABLE trace DROP COLUMN pairs")
        store = ClickHouseStore(address)
        store.write([part(span(1, trace=1, name="older"), tags={"env": "prod"})])
        engine.run(add_column)
        engine.run(add_index)
        store.write([part(span(1, trace=2, name="newer"), tags={"env": "prod"})])
        search = parse_search(["0"], "tags.env = 'prod'", ["name"])
        for _ in range(2):
            assert [info.name for info in store.search(search).traces] == ["newer", "older"]
            assert store.statistics(StatisticsQuery(search, (NAME,))).keys() == {("newer",), ("older",)}
            for statement in materialize:
                engine.run(f"{statement} SETTINGS mutations_sync = 2")


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_answers_about_a_tag_without_reading_the_tags() -> None:
    from tracehound.store.clickhouse.engine import Engine
    from tracehound.store.clickhouse.store import ClickHouseStore

    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        store = ClickHouseStore(address)
        store.write([part(span(1, trace=each), tags={"env": "prod"}) for each in range(1, 50)])
        search = parse_search(["0"], "tags.env = 'prod' AND metadata.user = 'ann'")
        where = Finder(engine, search).condition()
        sql = statistics_sql(StatisticsQuery(search, wanted=frozenset()), where)
        explained = engine.select(Sql(f"EXPLAIN actions = 1 {sql.text}", sql.parameters))
        text = "\n".join(line for (line,) in explained)
        assert "__text_index_pairs_index" in text
        assert "mapKeys" not in text
