"""Lists that are longer than what a parameter holds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tracehound.query.clickhouse import as_list
from tracehound.query.sql import Sql

pytest.importorskip("clickhouse_connect")

COUNT = 20_000
SERVERS_LIMIT = 131_072  # http_max_field_value_size


def plain(number: int) -> str:
    return f"tr-{number:032x}"


def awkward(number: int) -> str:
    return f"it's \\ a trace {number}"


def short_and_long(number: int) -> str:
    return plain(number) if number % 1_000 else awkward(number) + "'" * 50_000


@pytest.mark.parametrize("make", [plain, awkward, short_and_long])
def test_no_parameter_is_longer_than_a_server_takes(make: Callable[[int], str]) -> None:
    from tracehound.store.clickhouse.engine import bind

    texts = [make(number) for number in range(COUNT)]
    statement, values = bind(Sql("SELECT ? IN ?", ("x", as_list(texts))))
    assert len(values) > 2
    assert all(f"{{{name}:" in statement for name in values)
    assert max(len(str(value)) for value in values.values()) < SERVERS_LIMIT
    lists = [value if isinstance(value, list) else str(value).split(" ") for value in values.values()]
    assert [text for each in lists[1:] for text in each] == texts


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
@pytest.mark.parametrize(
    ("make", "expression"),
    [
        (plain, "concat('tr-', leftPad(lower(hex(number)), 32, '0'))"),
        (awkward, r"concat('it\'s \\ a trace ', toString(number))"),
    ],
)
def test_chdb_finds_what_is_in_a_long_list(make: Callable[[int], str], expression: str) -> None:
    from tracehound.store.clickhouse.engine import Engine

    asked = as_list([make(number) for number in range(COUNT)])
    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        found = engine.select(Sql(f"SELECT count() FROM numbers({2 * COUNT}) WHERE {expression} IN ?", (asked,)))
    assert found == [(COUNT,)]
