"""The tables of one server and of a cluster, as files that a human reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import check_golden
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.schema import statements

GOLDEN = Path(__file__).with_name("golden")
PLACES = {
    "one_server": ClickHouseAddress(host="db"),
    "cluster": ClickHouseAddress(host="db", cluster="main", retention_days=30),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_tables_are_made_by_these_statements(name: str, update_golden: bool) -> None:
    text = ";\n\n".join(statements(PLACES[name])) + ";\n"
    check_golden(GOLDEN / f"{name}.sql", text, update=update_golden)
