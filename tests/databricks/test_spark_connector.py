"""`search_traces(sql_warehouse_id=…)` through Databricks' own connector, whose server is played in front of Spark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracehound
from tests.databricks.bridge import FIRST_ROWS, HAS_BRIDGE, TOKEN, WAREHOUSE, Workspace, workspace
from tests.databricks.spark import NEEDS_SPARK, new_table
from tests.traces import part, span
from tracehound.client.warehouses import add_warehouse
from tracehound.errors import ArgumentError, SearchTimeoutError, StoreBusyError, StoreDeniedError, StoreError
from tracehound.query.search import parse_search
from tracehound.store.databricks.address import WarehouseAddress
from tracehound.store.databricks.warehouse import Warehouse

if HAS_BRIDGE:
    from tracehound.store.databricks.connector import ConnectorSession

pytestmark = [*NEEDS_SPARK, pytest.mark.skipif(not HAS_BRIDGE, reason="needs the connector: ./dev spark")]
NAMES = [f"trace {number}" for number in range(5)]


@pytest.fixture(scope="module")
def table() -> Iterator[WarehouseAddress]:
    traces = [
        part(
            span(1, trace=number, start_ms=100 - number, name=name),
            tags={"it's": 'a "quoted" \\ 日本 🐕'},
            metadata={"mlflow.sourceRun": "r-1"},
        )
        for number, name in enumerate(NAMES)
    ]
    with new_table(traces, is_cached=True) as address:
        yield address


@pytest.fixture
def server(tmp_path: Path, table: WarehouseAddress, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    with workspace(tmp_path) as found:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("DATABRICKS_HOST", f"https://127.0.0.1:{found.port}")
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
        monkeypatch.setenv("TRACEHOUND_DATABRICKS_SCHEMA", table.schema)
        yield found


def found(filter_string: str | None = None, warehouse: str = WAREHOUSE, **arguments: object) -> list[str]:
    traces = tracehound.search_traces(
        filter_string=filter_string, sql_warehouse_id=warehouse, return_type="list", **arguments
    )  # type: ignore[call-overload] # what is left out
    return [trace.info.name for trace in traces]


def test_a_warehouse_of_the_workspace_is_searched_by_its_id(server: Workspace) -> None:
    assert len(NAMES) > FIRST_ROWS
    assert found() == NAMES
    assert found("attributes.status = 'OK'", max_results=3) == NAMES[:3]
    assert server.paths == {f"/sql/1.0/warehouses/{WAREHOUSE}"}
    assert all("tracehound" in each for each in server.user_agents)


def test_values_travel_beside_the_statement_and_come_through_as_they_are(server: Workspace) -> None:
    value = 'a "quoted" \\ 日本 🐕'
    assert found(f"tags.`it's` = '{value}' AND attributes.timestamp_ms > 1.5 AND attributes.latency < 1e9") == NAMES
    text, values = server.statements[-1]
    assert value not in text
    assert value in values.values()
    assert 1.5 in values.values()
    assert found("attributes.name IN ('trace 1', 'trace 3')") == ["trace 1", "trace 3"]


def test_spans_and_runs_are_read_of_it(server: Workspace) -> None:
    traces = tracehound.search_traces(sql_warehouse_id=WAREHOUSE, run_id="r-1", return_type="list")
    assert [[each.name for each in trace.data.spans] for trace in traces] == [[name] for name in NAMES]


def test_a_name_stands_for_a_warehouse_and_its_schema(
    server: Workspace, table: WarehouseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRICKS_HOST")
    add_warehouse("prod", f"databricks-sql://127.0.0.1:{server.port}/{WAREHOUSE}/{table.schema}")
    assert found(warehouse="prod") == NAMES


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        (401, StoreDeniedError, "does not know the token in DATABRICKS_TOKEN"),
        (403, StoreDeniedError, "CAN USE is needed"),
        (404, StoreError, "has no warehouse of this id"),
    ],
)
def test_what_the_server_refuses_is_one_clear_error(
    server: Workspace, status: int, error: type[StoreError], told: str
) -> None:
    server.status = status
    with pytest.raises(error, match=told):
        found()


@pytest.mark.parametrize(
    ("message", "error", "told"),
    [
        ("[INSUFFICIENT_PERMISSIONS] User does not have SELECT on SELECT secret", StoreDeniedError, "GRANT"),
        ("[UNRESOLVED_COLUMN.WITH_SUGGESTION] `t`.`said`", StoreError, "with other columns"),
        ("[INTERNAL_ERROR] SELECT secret", StoreError, r"its error INTERNAL_ERROR"),
        ("SELECT secret", StoreError, "its query history says more"),
    ],
)
def test_what_the_engine_says_is_told_without_its_statement(
    server: Workspace, message: str, error: type[StoreError], told: str
) -> None:
    server.message = message
    with pytest.raises(error, match=told) as raised:
        found()
    assert "secret" not in str(raised.value)


def test_a_missing_table_is_named(server: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEHOUND_DATABRICKS_SCHEMA", "spark_catalog.nowhere")
    with pytest.raises(StoreError, match=r"has no table `spark_catalog`.`nowhere`.trace: docs/databricks.md"):
        found()


def test_a_statement_whose_time_is_over_is_cancelled(server: Workspace) -> None:
    server.is_slow = True
    with pytest.raises(SearchTimeoutError, match=r"the search has taken longer than 0\.2 s"):
        found(timeout=0.2)
    assert server.cancelled == 1


def test_a_filter_of_too_many_values_is_refused(server: Workspace) -> None:
    with pytest.raises(ArgumentError, match="at most 250 different values and names, not 602"):
        found(" OR ".join(f"tags.key{number} LIKE 'x{number}%'" for number in range(300)))


def test_a_server_that_goes_on_failing_is_one_clear_error(server: Workspace, table: WarehouseAddress) -> None:
    server.status = 503
    with pytest.raises(StoreBusyError, match="does not answer"):
        search_impatiently(table, server.port)


def test_a_host_that_is_away_is_one_clear_error(server: Workspace, table: WarehouseAddress) -> None:
    with pytest.raises(StoreBusyError, match=r"127\.0\.0\.1:9/3f2ea1/"):
        search_impatiently(table, 9)


def test_a_server_that_nobody_trusts_is_not_told_the_token(
    server: Workspace, table: WarehouseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(StoreBusyError):
        search_impatiently(table, server.port)
    assert server.paths == set()


def search_impatiently(table: WarehouseAddress, port: int) -> None:
    """Search with a session that gives up after two seconds."""
    address = WarehouseAddress("127.0.0.1", port, WAREHOUSE, table.schema)
    Warehouse(address, lambda each: ConnectorSession(each, patience_s=2.0)).search(parse_search(["0"]))
