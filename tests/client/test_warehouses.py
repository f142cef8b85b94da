"""Warehouses: other stores that a search names, and that it only reads."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracehound
from tests.cli.terminal import piped
from tests.traces import part, span
from tracehound.client.warehouses import add_warehouse, read_warehouses, remove_warehouse
from tracehound.errors import ArgumentError, FilterError, NotFoundError, StoreError
from tracehound.model.edit import Facts
from tracehound.store.sqlite.store import SqliteStore


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A store of its own, with one trace of a run."""
    path = tmp_path / "big.db"
    store = SqliteStore(path)
    store.write(
        [
            part(span(1, name="in the warehouse"), metadata={"mlflow.sourceRun": "r-1"}),
            Facts("run", "r-1", {"experiment": "Default"}, 1),
        ]
    )
    store.make_durable()
    store.close()
    return path


def found(**arguments: str) -> list[str]:
    traces = tracehound.search_traces("attributes.status = 'OK'", return_type="list", **arguments)  # type: ignore[call-overload] # what is left out
    return [trace.info.name for trace in traces]


def test_a_warehouse_of_the_environment_is_searched_in_place_of_the_store(
    big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_YOUR_WAREHOUSE_ID", str(big))
    with tracehound.start_span("in the store"):
        pass
    assert found(sql_warehouse_id="your-warehouse-id") == ["in the warehouse"]
    assert found(sql_warehouse_id="your-warehouse-id", run_id="r-1") == ["in the warehouse"]
    assert found() == ["in the store"]
    lazily = tracehound.search_traces(sql_warehouse_id="Your_Warehouse.Id", return_type="iterator")
    assert [trace.info.name for trace in lazily] == ["in the warehouse"]


def test_a_search_leaves_a_warehouse_as_it_is(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_BIG", str(big))
    before = big.read_bytes()
    assert found(sql_warehouse_id="big") == ["in the warehouse"]
    assert big.read_bytes() == before
    assert not big.with_name("big.db-spool").exists()


def test_the_active_store_can_be_a_warehouse_and_goes_on_being_used(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_OWN", f"sqlite:///{store_path}")
    for names in (["first"], ["first", "second"]):
        with tracehound.start_span(names[-1]):
            pass
        assert sorted(found(sql_warehouse_id="own")) == names


def test_an_unknown_warehouse_is_told_with_those_there_are(big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match="sql_warehouse_id='w' names no warehouse; there are none"):
        found(sql_warehouse_id="w")
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_BIG", str(big))
    add_warehouse("other", str(big))
    with pytest.raises(ArgumentError, match="names no warehouse; there are BIG, OTHER"):
        found(sql_warehouse_id="w")
    with pytest.raises(FilterError):
        tracehound.search_traces("status =", sql_warehouse_id="big")
    with pytest.raises(ArgumentError, match="sql_warehouse_id=3 names no warehouse"):
        tracehound.search_traces(sql_warehouse_id=3)  # type: ignore[call-overload] # what is refused


def test_a_warehouse_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    add_warehouse("gone", str(tmp_path / "gone.db"))
    with pytest.raises(StoreError, match=r"gone\.db, which is not there"):
        found(sql_warehouse_id="gone")
    assert not (tmp_path / "gone.db").exists()


def test_the_command_adds_lists_and_removes_warehouses(big: Path) -> None:
    assert piped("warehouse", "add", "prod-eu", big.name).returncode == 0
    assert piped("warehouse", "list").stdout.decode().split() == ["PROD_EU", str(big)]
    assert found(sql_warehouse_id="Prod.EU") == ["in the warehouse"]
    assert piped("warehouse", "remove", "PROD_EU").returncode == 0
    assert read_warehouses() == {}
    gone = piped("warehouse", "remove", "PROD_EU")
    assert gone.returncode == 1
    assert b"names no warehouse" in gone.stderr


def test_the_command_shows_no_password() -> None:
    added = piped("warehouse", "add", "house", "clickhouse://ann:secret@db.example/traces")
    listed = piped("warehouse", "list")
    assert (added.returncode, listed.stdout.split()[1:]) == (0, ["clickhouse://…@db.example/traces".encode()])
    assert b"secret" not in added.stdout + added.stderr + listed.stderr
    assert read_warehouses() == {"HOUSE": "clickhouse://ann:secret@db.example/traces"}


def test_the_environment_goes_before_the_file(big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_warehouse("big", str(tmp_path / "elsewhere.db"))
    monkeypatch.setenv("TRACEHOUND_WAREHOUSE_BIG", str(big))
    assert found(sql_warehouse_id="big") == ["in the warehouse"]


@pytest.mark.parametrize("text", ["{", "[]", '{"warehouses": []}'])
def test_a_damaged_configuration_is_told_and_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ArgumentError, match=r"the configuration .*config\.json"):
        add_warehouse("big", "big.db")
    assert path.read_text("utf-8") == text


def test_what_else_the_configuration_says_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"colour": "blue"}', "utf-8")
    add_warehouse("big", "memory://")
    assert '"colour": "blue"' in path.read_text("utf-8")
    assert found(sql_warehouse_id="big") == []


def test_bad_names_and_places_are_told() -> None:
    with pytest.raises(ArgumentError, match="has letters or digits"):
        add_warehouse("--", "big.db")
    with pytest.raises(ArgumentError, match="is a server of Databricks"):
        add_warehouse("big", "databricks")
    assert read_warehouses() == {}
    with pytest.raises(NotFoundError, match="names no warehouse 'big'; there are none"):
        remove_warehouse("big")
