"""The tables of one server and of a cluster, as files that a human reads."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.golden import check_golden
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.address import ClickHouseAddress
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


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_chdb_tables_of_an_older_schema_are_brought_up_once() -> None:
    from tracehound.store.clickhouse.engine import Engine

    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        engine.run("TRUNCATE TABLE migration")
        engine.insert("migration", ["number"], [[1]])
        for table in ("said", "head"):
            engine.run(f"ALTER TABLE {table} RESET SETTING min_compress_block_size, max_compress_block_size")
        for table in ("trace", "part"):
            engine.run(f"ALTER TABLE {table} RESET SETTING merge_selector_base")
        for _ in range(2):
            make_tables(engine)
            assert engine.select(Sql("SELECT number FROM migration ORDER BY number")) == [(1,), (2,), (3,)]
        for tables, settings in (
            (("said", "head"), "min_compress_block_size = 2048, max_compress_block_size = 4096"),
            (("trace", "part"), "merge_selector_base = 16"),
        ):
            for table in tables:
                assert settings in engine.select(Sql(f"SHOW CREATE TABLE {table}"))[0][0]
