"""The statements of docs/databricks.md run on Spark, but for what only Databricks has; and its columns are those."""

from __future__ import annotations

import re
from pathlib import Path

from tests.databricks.spark import NEEDS_SPARK, LocalSession, folder, spark
from tests.store_contract.test_searching import LEDGER, ledger_traces
from tracehound.client.exchange.writing import export_traces
from tracehound.query.search import parse_search
from tracehound.store.databricks.address import WarehouseAddress
from tracehound.store.databricks.rows import COLUMNS
from tracehound.store.databricks.warehouse import Warehouse
from tracehound.store.memory import MemoryStore

pytestmark = NEEDS_SPARK
PAGE = Path(__file__).parents[2] / "docs" / "databricks.md"
FILE = "/Volumes/main/tracehound/files/traces.parquet"


def test_the_page_makes_a_table_that_is_searched() -> None:
    memory = MemoryStore()
    memory.write(ledger_traces(LEDGER["traces"]))
    file = folder() / "page.parquet"
    file.write_bytes(b"".join(export_traces(memory, parse_search(["0"]), "warehouse")))
    making, _, counting = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    making = making.replace(" CLUSTER BY (experiment, start_ms)", "").replace(FILE, str(file))
    try:
        spark().sql("CREATE SCHEMA spark_catalog.page")
        spark().sql(making.replace("main.tracehound", "spark_catalog.page"))
        assert spark().table("spark_catalog.page.trace").columns == list(COLUMNS)
        counted = spark().sql(counting.replace("main.tracehound", "spark_catalog.page")).collect()
        assert [tuple(row) for row in counted] == [("Beta", 1, 5.0)]
        warehouse = Warehouse(WarehouseAddress("h", 443, "w", "spark_catalog.page"), lambda _: LocalSession())
        search = parse_search(["0"], "attributes.status = 'ERROR'")
        assert warehouse.search_whole(search) == memory.search_whole(search)
    finally:
        spark().sql("DROP SCHEMA spark_catalog.page CASCADE")


def test_the_page_names_every_column() -> None:
    told = PAGE.read_text("utf-8").partition("## The columns")[2].partition("Your own SQL")[0]
    named = [name for line in told.splitlines() for name in re.split(r", ", line.partition("|")[2].partition("|")[0])]
    assert {name.strip() for name in named} >= COLUMNS.keys()
