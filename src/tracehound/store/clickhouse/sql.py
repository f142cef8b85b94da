"""SQL of the user over documented views."""

from __future__ import annotations

from tracehound.errors import ArgumentError
from tracehound.query.limit import SearchLimit
from tracehound.store.api import Rows, SqlParameters
from tracehound.store.clickhouse.engine import Engine


def run_sql(engine: Engine, text: str, parameters: SqlParameters, limit: SearchLimit | None) -> Rows:
    raise ArgumentError("not yet")
