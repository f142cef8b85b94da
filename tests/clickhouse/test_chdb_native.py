"""Blocks of rows: what is written in the engine's own format is what the engine then has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.native import to_block
from tracehound.store.clickhouse.schema import TABLES

if HAS_ENGINE:
    from tracehound.store.clickhouse.engine import Engine

SMALL = "LowCardinality(String)"
VALUES: dict[str, list[Any]] = {
    "Int64": [-(2**63), 0, 2**63 - 1],
    "UInt32": [0, 1, 2**32 - 1],
    "Int16": [-5, 0, 5],
    "Float64": [-0.5, 0, 1e300],
    "String": ["", "naïve \0 \U0001f600", "x" * 127],
    SMALL: ["a", "a", "x" * 65],
    "Nullable(String)": [None, "", "x" * 128],
    "Nullable(Int64)": [None, None, None],
    "Nullable(Int16)": [3, None, 0],
    "Nullable(Float64)": [1.5, 2.5, 3.5],
    "Array(Int64)": [[], [1], [1, 2, 3]],
    f"Array({SMALL})": [["a", "b"], [], ["a"]],
    "Array(Nullable(String))": [[None, "a"], [], [None]],
    "Array(LowCardinality(Nullable(String)))": [["LLM", None], ["LLM"], []],
    "Array(Nullable(Float64))": [[], [None, None], [None]],
    "Array(Nullable(UInt8))": [[1, 0], [None], []],
    f"Map({SMALL}, String)": [{}, {"env": "prod", "long": "x" * 300}, {"env": "prod"}],
    f"Map({SMALL}, Float64)": [{"a": 1.0}, {}, {"a": 2.0, "b": -1.0}],
}
LENGTHS = (0, 1, 127, 128, 4095, 4096, 16_383, 16_384, 2_097_151, 2_097_152)


@pytest.fixture
def engine() -> Iterator[Any]:
    with new_address() as address, contextlib.closing(Engine(address)) as opened:
        yield opened
        opened.run("DROP TABLE IF EXISTS things")


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_values_of_all_types_come_back_as_they_were(engine: Any) -> None:
    columns = {f"c{at}": kind for at, kind in enumerate(VALUES)}
    told = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    engine.run(f"CREATE TABLE things (number UInt8, {told}) ENGINE = MergeTree ORDER BY number")
    rows = list(zip(range(3), *VALUES.values(), strict=True))
    engine.insert("things", {"number": "UInt8", **columns}, rows)
    assert [tuple(row) for row in engine.select(Sql("SELECT * FROM things ORDER BY number"))] == rows


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_texts_of_all_lengths_come_back_as_they_were(engine: Any) -> None:
    engine.run("CREATE TABLE things (number UInt64, told String) ENGINE = MergeTree ORDER BY number")
    engine.insert("things", {"number": "Int64", "told": "String"}, [(each, b"\xff" * each) for each in LENGTHS])
    found = engine.select(Sql("SELECT number, length(told), hex(told) FROM things ORDER BY number"))
    assert found == [(each, each, "FF" * each) for each in LENGTHS]


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_statements_at_the_same_time_have_a_client_each_and_it_is_used_again(engine: Any) -> None:
    clients = engine._clients
    with clients.lent() as one, clients.lent() as another:
        assert one is not another
    with clients.lent() as one, clients.lent() as another:
        assert one is not another
    assert len(clients._all) == 2


def test_every_column_has_a_type_that_can_be_written() -> None:
    for table in TABLES:
        assert set(table.names) == set(table.kinds)
        for name, kind in table.kinds.items():
            values: Any = "" if kind in ("String", SMALL) else {} if kind.startswith("Map") else ()
            nothing = 0 if "(" not in kind and kind != "String" else None if kind.startswith("Nullable") else values
            assert to_block({name: kind}, [(nothing,)])


def test_a_number_that_has_no_place_is_refused() -> None:
    with pytest.raises(OverflowError):
        to_block({"at": "Int64"}, [(2**63,)])
