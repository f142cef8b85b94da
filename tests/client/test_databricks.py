"""What of a table in Databricks needs no Databricks: its name, and the file it is made of. The rest: ./dev spark."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import tracehound
from tests.cli.terminal import piped
from tests.store_contract.test_searching import LEDGER, ledger_traces
from tests.traces import part, span
from tracehound.client.exchange.writing import Tally, export_traces
from tracehound.client.warehouses import add_warehouse, read_warehouses
from tracehound.errors import ArgumentError, MissingExtraError, StoreError
from tracehound.query.databricks import words_with
from tracehound.query.search import parse_search
from tracehound.query.words import pieces_in
from tracehound.store.databricks.address import parse_warehouse, warehouse_of
from tracehound.store.databricks.rows import to_row, to_trace
from tracehound.store.memory import MemoryStore

URI = "databricks-sql://dbc-1.cloud.databricks.com/3f2ea1/main.tracehound"


def test_an_address_is_a_host_a_warehouse_and_a_schema() -> None:
    address = parse_warehouse(URI)
    assert (address.host, address.port, address.http_path) == (
        "dbc-1.cloud.databricks.com",
        443,
        "/sql/1.0/warehouses/3f2ea1",
    )
    assert address.shown() == URI
    assert parse_warehouse("databricks-sql://h:8443/w/a.b").shown() == "databricks-sql://h:8443/w/a.b"
    assert warehouse_of("https://dbc-1.cloud.databricks.com/", "3f2ea1", "main.tracehound") == address
    assert warehouse_of("dbc-1.cloud.databricks.com", "3f2ea1", "main.tracehound") == address


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("databricks-sql://h", "names no SQL warehouse"),
        ("databricks-sql:///w/a.b", "names no SQL warehouse"),
        ("databricks-sql://h/w", "names no schema"),
        ("databricks-sql://h/w/main", "names no schema"),
        ("databricks-sql://h/w/a`b.c", "names no schema"),
        ("databricks-sql://h/w/a.b.c", "names no schema"),
        ("databricks-sql://h/w;x/a.b", "names no SQL warehouse"),
        ("databricks-sql://h/w/a.b?x=1", "names no SQL warehouse"),
        ("databricks-sql://token:secret@h/w/a.b", "holds no token"),
        ("databricks-sql://h:x/w/a.b", "no address of a SQL warehouse"),
    ],
)
def test_an_address_that_is_none_is_refused(uri: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told) as raised:
        add_warehouse("w", uri)
    assert "secret" not in str(raised.value)


def test_a_name_stands_for_a_table_of_databricks() -> None:
    assert add_warehouse("prod", URI) == "PROD"
    assert read_warehouses() == {"PROD": URI}
    listed = piped("warehouse", "list")
    assert listed.stdout.decode().split() == ["PROD", URI]


def test_nothing_is_traced_into_it() -> None:
    with pytest.raises(ArgumentError, match="a SQL warehouse, which is only searched"):
        tracehound.set_tracking_uri(URI)


def test_an_id_is_looked_for_in_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://dbc-1.cloud.databricks.com")
    with pytest.raises(ArgumentError, match="TRACEHOUND_DATABRICKS_SCHEMA says where traces are in the workspace"):
        tracehound.search_traces(sql_warehouse_id="3f2ea1")
    monkeypatch.setenv("TRACEHOUND_DATABRICKS_SCHEMA", "main")
    with pytest.raises(ArgumentError, match=r"'main' names no schema: write CATALOG\.SCHEMA"):
        tracehound.search_traces(sql_warehouse_id="3f2ea1")
    monkeypatch.setenv("TRACEHOUND_DATABRICKS_SCHEMA", "main.tracehound")
    with pytest.raises(ArgumentError, match="'no id' is no id of a SQL warehouse"):
        tracehound.search_traces(sql_warehouse_id="no id")


@pytest.mark.skipif(find_spec("databricks") is not None, reason="the connector is installed")
def test_a_missing_connector_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    add_warehouse("prod", URI)
    with pytest.raises(MissingExtraError, match=r"pip install 'tracehound\[databricks\]'"):
        tracehound.search_traces(sql_warehouse_id="prod")


def test_the_file_has_every_trace_those_that_run_among_them(tmp_path: Path) -> None:
    store = MemoryStore()
    store.write(ledger_traces(LEDGER["traces"]))
    tally = Tally()
    file = tmp_path / "traces.parquet"
    file.write_bytes(b"".join(export_traces(store, parse_search(["0"]), "warehouse", tally)))
    rows = {row["name"]: row for row in pq.read_table(file).to_pylist()}
    assert (rows.keys(), tally.written, tally.running) == (LEDGER["traces"].keys(), 5, 0)
    alpha = rows["alpha"]
    assert dict(alpha["tags_numbers"]) == {"num": 5.0}
    assert alpha["total_tokens"] == 1000.0
    assert [each["text"] for each in alpha["said"] if each["name"] == "quality"] == ["bad", "good", "3"]
    assert [each["name"] for each in alpha["spans"]] == ["alpha"]
    assert json.loads(alpha["info_json"])["client_request_id"] == "C-1"


def test_the_command_writes_it(tmp_path: Path) -> None:
    with tracehound.start_span("greet"):
        pass
    done = piped("export", "--format", "warehouse", "-o", str(tmp_path / "out.parquet"))
    assert done.returncode == 0
    assert pq.read_table(tmp_path / "out.parquet").column("name").to_pylist() == ["greet"]


def test_a_row_is_read_back_as_the_trace_it_was_made_of() -> None:
    store = MemoryStore()
    store.write(ledger_traces(LEDGER["traces"]))
    for trace in store.search_whole(parse_search(["0"])).traces:
        row = to_row(trace, "Default")
        assert to_trace((row["trace_id"], row["info_json"], row["spans_json"]), "here") == trace


def test_a_row_that_somebody_changed_is_an_error_that_names_it() -> None:
    with pytest.raises(StoreError, match=r"here has a row of the trace tr-1 that no export wrote"):
        to_trace(("tr-1", "{}", "[]"), "here")
    good = to_row(trace_of_one_span(), "Default")["info_json"]
    damaged = to_trace(("tr-1", good, "{"), "here")
    with pytest.raises(StoreError, match="here has a row with spans that no export wrote"):
        _ = damaged.data.spans


def trace_of_one_span() -> tracehound.entities.Trace:
    store = MemoryStore()
    store.write([part(span(1, name="Late delivery"))])
    return store.search_whole(parse_search(["0"])).traces[0]


@pytest.mark.parametrize(("text", "has"), [("late", True), ("ate deli", True), ("late del", True), ("elivers", False)])
def test_the_words_of_a_row_hold_what_a_text_is_looked_for_by(text: str, has: bool) -> None:
    words = to_row(trace_of_one_span(), "Default")["words"]
    assert all(each in words for piece in pieces_in(text) for each in words_with(piece)) is has
