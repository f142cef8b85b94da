"""Apache Spark in this process, in the place of a SQL warehouse: the same language, on tables of the same files."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tracehound.client.exchange.writing import export_traces
from tracehound.model.edit import Change
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.store.databricks.address import WarehouseAddress
from tracehound.store.databricks.session import Row
from tracehound.store.databricks.warehouse import Warehouse
from tracehound.store.memory import MemoryStore

HAS_SPARK = find_spec("pyspark") is not None and shutil.which("java") is not None
# What a test module is marked with; Spark's bridge to Python leaves its sockets to the garbage collector.
NEEDS_SPARK = [
    pytest.mark.engines,
    pytest.mark.skipif(not HAS_SPARK, reason="needs Spark and Java 17: ./dev spark"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
_MEMORY = Path("/dev/shm")
_numbers = itertools.count(1)

# Small statements on small tables: what takes time is everything around them.
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "America/New_York",  # not ours: nothing may depend on it
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
}


@cache
def spark() -> Any:
    """Return Spark, which ends with the process."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.sql.warehouse.dir", str(folder() / "warehouse"))
    for key, value in _SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # errors are ours to tell
    atexit.register(session.stop)
    return session


@cache
def folder() -> Path:
    """Return the folder of the tables, which is gone with the process."""
    found = tempfile.mkdtemp(prefix="tracehound-spark-", dir=_MEMORY if _MEMORY.exists() else None)
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return Path(found)


class LocalSession:
    """Spark as `store.databricks.session` wants it."""

    def select(self, text: str, values: Mapping[str, Any], limit: SearchLimit | None = None) -> list[Row]:
        return [tuple(row) for row in spark().sql(text, args=dict(values)).collect()]

    def close(self) -> None:
        """Leave Spark to the next one."""


@contextlib.contextmanager
def new_table(changes: Sequence[Change], *, is_cached: bool = False) -> Iterator[WarehouseAddress]:
    """Lend a table of what an export of these traces holds: of the file, or read of it once."""
    memory = MemoryStore()
    memory.write(changes)
    name = f"test{next(_numbers)}"
    place = folder() / name
    place.mkdir()
    everything = parse_search([each.experiment_id for each in memory.experiments()])
    (place / "traces.parquet").write_bytes(b"".join(export_traces(memory, everything, "warehouse")))
    spark().sql(f"CREATE SCHEMA spark_catalog.{name}")
    spark().sql(f"CREATE TABLE spark_catalog.{name}.trace USING parquet LOCATION '{place}'")
    if is_cached:
        spark().sql(f"CACHE LAZY TABLE spark_catalog.{name}.trace")
    try:
        yield WarehouseAddress("spark", 443, "local", f"spark_catalog.{name}")
    finally:
        spark().sql(f"DROP SCHEMA spark_catalog.{name} CASCADE")
        shutil.rmtree(place)


@contextlib.contextmanager
def new_warehouse(changes: Sequence[Change], *, is_cached: bool = True) -> Iterator[Warehouse]:
    """Lend a warehouse that Spark answers for."""
    with new_table(changes, is_cached=is_cached) as address:
        yield Warehouse(address, lambda _: LocalSession())
