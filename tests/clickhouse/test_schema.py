"""The tables of one server and of a cluster, as files that a human reads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clickhouse.opened import HAS_ENGINE, engine_directory, new_address
from tests.golden import check_golden
from tests.traces import part, span
from tracehound.model.edit import Deletion, Edit
from tracehound.model.record import replace
from tracehound.query.clickhouse_statistics import statistics_sql
from tracehound.query.fields import NAME
from tracehound.query.search import parse_search
from tracehound.query.sql import Sql
from tracehound.query.statistics import StatisticsQuery
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.schema import changes, make_tables, statements

GOLDEN = Path(__file__).with_name("golden")
YEAR_NS = 365 * 86_400 * 10**9
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


def test_a_cluster_learns_what_was_revised_on_all_of_its_servers_at_once() -> None:
    blocks = "min_compress_block_size = 2048, max_compress_block_size = 4096"
    assert changes(6, PLACES["cluster"]) == [
        "ALTER TABLE trace_local ON CLUSTER main MODIFY COLUMN duration_ms Nullable(Int64) CODEC(T64, LZ4)",
        "ALTER TABLE trace_local ON CLUSTER main MODIFY COLUMN duration_bucket Nullable(Int16) CODEC(T64, LZ4)",
        "INSERT INTO revised SELECT trace_id, experiment, start_ms, version FROM trace WHERE version > 1",
        "ALTER TABLE part_local ON CLUSTER main MODIFY COLUMN payload"
        " MODIFY SETTING min_compress_block_size = 32768, max_compress_block_size = 1048576",
        f"ALTER TABLE part_local ON CLUSTER main MODIFY SETTING {blocks}",
        f"ALTER TABLE trace_local ON CLUSTER main MODIFY COLUMN part_ns MODIFY SETTING {blocks}",
    ]


def test_a_cluster_packs_words_and_payloads_otherwise_on_all_of_its_servers() -> None:
    assert changes(8, PLACES["cluster"]) == [
        "ALTER TABLE trace_local ON CLUSTER main MODIFY COLUMN words CODEC(ZSTD(2, 22))",
        "ALTER TABLE part_local ON CLUSTER main MODIFY COLUMN payload"
        " MODIFY SETTING min_compress_block_size = 32768, max_compress_block_size = 1048576",
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


def test_a_cluster_gets_the_column_of_keys_of_spans_on_each_server_and_over_all() -> None:
    assert [each.split(" Array(")[0] for each in changes(7, PLACES["cluster"])] == [
        "ALTER TABLE trace_local ON CLUSTER main ADD COLUMN IF NOT EXISTS span_keys",
        "ALTER TABLE trace_local ON CLUSTER main ADD INDEX IF NOT EXISTS"
        " keys_index span_keys TYPE text(tokenizer = 'array')",
        "ALTER TABLE trace_local ON CLUSTER main MATERIALIZE COLUMN span_keys",
        "ALTER TABLE trace_local ON CLUSTER main MATERIALIZE INDEX keys_index",
        "ALTER TABLE trace ON CLUSTER main ADD COLUMN IF NOT EXISTS span_keys",
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
        blocks = "min_compress_block_size = 4194304, max_compress_block_size = 4194304"
        large = f"`words` String CODEC(ZSTD(3)) SETTINGS ({blocks})"
        engine.run(
            "ALTER TABLE trace MODIFY COLUMN words RESET SETTING min_compress_block_size, max_compress_block_size"
        )
        engine.run("ALTER TABLE trace MODIFY COLUMN duration_ms Nullable(Int64) CODEC(ZSTD(1))")
        engine.run("ALTER TABLE trace MODIFY COLUMN words CODEC(ZSTD(3))")
        assert large not in engine.select(Sql("SHOW CREATE TABLE trace"))[0][0]
        for _ in range(2):
            make_tables(engine)
            numbers = engine.select(Sql("SELECT number FROM migration ORDER BY number"))
            assert numbers == [(each,) for each in range(1, 9)]
        for tables, settings in (
            (("said", "head"), "min_compress_block_size = 2048, max_compress_block_size = 4096"),
            (("part",), "min_compress_block_size = 2048, max_compress_block_size = 4096"),
            (("trace", "part"), "merge_selector_base = 32"),
            (("trace",), "vertical_merge_algorithm_min_rows_to_activate = 1"),
            (("trace",), "`duration_ms` Nullable(Int64) CODEC(T64, LZ4)"),
            (("trace",), f"`words` String CODEC(ZSTD(2, 22)) SETTINGS ({blocks})"),
        ):
            for table in tables:
                assert settings in engine.select(Sql(f"SHOW CREATE TABLE {table}"))[0][0]


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_what_was_revised_before_there_was_a_table_of_it_is_known_afterwards() -> None:
    from tracehound.store.clickhouse.engine import Engine
    from tracehound.store.clickhouse.store import ClickHouseStore

    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        for view in ("revised_trace", "revised"):
            engine.run(f"DROP TABLE {view} SYNC")
        engine.run("SYSTEM STOP MERGES trace")
        try:
            with contextlib.closing(ClickHouseStore(address)) as store:
                store.experiments()  # which opens it, and makes the tables again
                engine.run("DROP TABLE revised_trace SYNC")
                store.write([part(span(1, trace=each), tags={"n": "old"}) for each in (1, 2)])
                store.write([Edit(span(1, trace=1).trace_id, "n", "new", 5), Deletion(span(1, trace=2).trace_id, 5)])
            engine.run("TRUNCATE TABLE migration")
            engine.insert("migration", {"number": "UInt32"}, [[number] for number in (1, 2, 3, 4, 5, 7)])
            with contextlib.closing(ClickHouseStore(address)) as store:
                found = [
                    store.search_whole(parse_search(["0"], f"tags.n = '{each}'")).traces for each in ("old", "new")
                ]
                assert [[trace.info.trace_id for trace in each] for each in found] == [[], [span(1, trace=1).trace_id]]
                assert engine.select(Sql("SELECT count() FROM trace WHERE version = 1")) == [(2,)]
        finally:
            engine.run("SYSTEM START MERGES trace")


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


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
@pytest.mark.parametrize(("days", "kept"), [(30, ["2150", "now"]), (36_500, ["2150", "now", "1999"])])
def test_chdb_removes_what_is_too_old_and_nothing_that_is_not(days: int, kept: list[str]) -> None:
    from tracehound.store.clickhouse.engine import Engine
    from tracehound.store.clickhouse.store import ClickHouseStore

    address = ClickHouseAddress(directory=engine_directory(), database=f"removing{days}", retention_days=days)
    now_ns = time.time_ns()
    starts_ns = {"now": now_ns, "1999": 29 * YEAR_NS, "1899": -71 * YEAR_NS, "2150": 180 * YEAR_NS}
    with (
        new_address(),
        contextlib.closing(Engine(address)) as engine,
        contextlib.closing(ClickHouseStore(address)) as store,
    ):
        for number, (name, start_ns) in enumerate(starts_ns.items()):
            named = replace(span(1, trace=number), name=name, start_time_ns=start_ns, end_time_ns=start_ns)
            store.write([part(named, written_ns=now_ns)])
        for table in ("trace", "part", "said", "head"):
            engine.run(f"OPTIMIZE TABLE {table} FINAL")
        assert [trace.info.name for trace in store.search_whole(parse_search(["0"])).traces] == kept
        engine.run(f"DROP DATABASE {address.database}")


class EndedError(Exception):
    """What a program is ended by."""


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_who_comes_behind_one_that_ended_over_its_tables_makes_the_others_and_changes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tracehound.store.clickhouse.engine import Engine

    address = ClickHouseAddress(directory=engine_directory(), database="ended_over")
    with contextlib.closing(Engine(address)) as engine:
        run, done = engine.run, list[str]()

        def noted(text: str, values: Mapping[str, Any] | None = None) -> None:
            done.append(text)
            run(text, values)

        def ended(text: str, values: Mapping[str, Any] | None = None) -> None:
            if text.startswith("CREATE TABLE IF NOT EXISTS part"):
                raise EndedError
            run(text, values)

        monkeypatch.setattr(engine, "run", ended)
        with pytest.raises(EndedError):
            make_tables(engine)
        monkeypatch.setattr(engine, "run", noted)
        make_tables(engine)
        assert len([text for text in done if text.startswith("CREATE")]) == len(statements(address))
        assert not [text for text in done if text.startswith(("ALTER", "INSERT"))]
        run("DROP DATABASE ended_over")
