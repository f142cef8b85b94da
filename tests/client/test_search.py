"""`search_traces` and `get_trace`: arguments, kinds of results, and where traces are looked for."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

import tracehound
from tracehound.client.rows import COLUMNS
from tracehound.errors import ArgumentError, FilterError, StoreError


@pytest.fixture
def three_traces() -> list[str]:
    ids = []
    for number in range(3):
        with tracehound.start_span(f"step{number}") as span:
            span.set_inputs({"number": number})
            span.set_outputs(number)
            tracehound.update_current_trace(tags={"number": number})
        ids.append(span.trace_id)
    return ids


def test_a_frame_has_the_twelve_columns_and_a_row_for_each_trace(three_traces: list[str]) -> None:
    frame = tracehound.search_traces(order_by=["name DESC"])  # they may have begun in the same millisecond
    assert tuple(frame.columns) == COLUMNS
    assert frame["trace_id"].tolist() == three_traces[::-1]
    assert frame["request"].tolist() == [{"number": 2}, {"number": 1}, {"number": 0}]
    assert frame["response"].tolist() == [2, 1, 0]
    assert frame["state"].tolist() == ["OK"] * 3
    assert frame["tags"][0]["number"] == "2"
    assert frame["spans"][0][0]["name"] == "step2"
    assert frame["trace"][0].info.trace_id == three_traces[2]
    assert frame["execution_duration"].mean() >= 0


def test_no_result_has_the_columns_with_numeric_times() -> None:
    frame = tracehound.search_traces("tags.nowhere = 'x'")
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) == 0
    assert pd.api.types.is_integer_dtype(frame["request_time"])
    assert pd.api.types.is_integer_dtype(frame["execution_duration"])


def test_a_text_in_first_position_is_the_filter(three_traces: list[str]) -> None:
    found = tracehound.search_traces("tags.number = 1", return_type="list")
    assert [trace.info.trace_id for trace in found] == [three_traces[1]]
    with pytest.raises(ArgumentError, match="a text in its place is the filter, and one is given"):
        tracehound.search_traces("tags.number = 1", "tags.number = 2")
    with pytest.raises(ArgumentError, match=r"experiment_ids is a list of ids: \['0'\]"):
        tracehound.search_traces("0")


@pytest.mark.parametrize("uri", ["postgresql://ann:secret@db.example/traces", "http://ann:secret@db.example:port"])
def test_a_password_in_an_address_is_in_no_error(uri: str) -> None:
    with pytest.raises(ArgumentError, match=r"'.*//…@db\.example.*'") as caught:
        tracehound.set_tracking_uri(uri)
    assert "secret" not in str(caught.value)


def test_no_more_than_max_results_come_back_and_without_it_all() -> None:
    for _ in range(250):
        with tracehound.start_span("step"):
            pass
    assert len(tracehound.search_traces()) == 250
    for wanted in (0, 1, 100, 120):
        assert len(tracehound.search_traces(max_results=wanted, return_type="list")) == wanted


def test_results_come_in_the_order_that_is_asked_for(three_traces: list[str]) -> None:
    found = tracehound.search_traces(order_by=["name ASC"], return_type="list")
    assert [trace.info.name for trace in found] == ["step0", "step1", "step2"]


def test_the_active_experiment_is_searched_unless_others_are_named(three_traces: list[str]) -> None:
    shop = tracehound.set_experiment("shop")
    assert len(tracehound.search_traces()) == 0
    with tracehound.start_span("sale"):
        pass
    assert len(tracehound.search_traces()) == 1
    assert len(tracehound.search_traces(["0"])) == 3
    assert len(tracehound.search_traces(experiment_ids=["0", shop.experiment_id])) == 4


def test_traces_are_looked_for_where_the_tracking_uri_says(three_traces: list[str], tmp_path: Path) -> None:
    tracehound.set_tracking_uri(f"sqlite:///{tmp_path / 'other.db'}")
    assert len(tracehound.search_traces()) == 0
    tracehound.set_tracking_uri(str(tmp_path / "tracehound.db"))
    assert len(tracehound.search_traces()) == 3


def test_a_trace_that_does_not_exist_is_none_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert tracehound.get_trace("tr-none", silent=True) is None
    assert not caplog.records
    assert tracehound.get_trace("tr-none") is None
    assert "there is no trace 'tr-none'" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter_string": 5}, "filter_string is a text, not 5"),
        ({"order_by": "name"}, "order_by is a list of texts: \\['name'\\]"),
        ({"return_type": "rows"}, "return_type is .pandas., .list., .polars., .arrow. or .iterator., not .rows."),
        ({"max_results": -1}, "max_results is a whole number from 0 up, not -1"),
        ({"order_by": [5]}, "order_by is a list of texts such as 'latency DESC', not \\[5\\]"),
        ({"experiment_ids": ["00"]}, "experiment_ids holds '00'"),
        ({"experiment_ids": ["9" * 5000]}, "an id is a number in a string"),
        ({"experiment_ids": ["shop"]}, "experiment_ids holds 'shop'; an id is a number in a string"),
    ],
)
def test_a_wrong_argument_is_refused_with_those_that_are_right(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tracehound.search_traces(**arguments)  # type: ignore[call-overload] # the mistakes under test


@pytest.mark.parametrize("order", ["nme", "name SIDEWAYS", "name, status", "", "tags", "name ASC ASC"])
def test_an_order_that_cannot_be_answered_is_refused(order: str) -> None:
    with pytest.raises(FilterError):
        tracehound.search_traces(order_by=[order])


def test_a_file_that_is_no_store_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be looked at" * 100)
    tracehound.set_tracking_uri(str(tmp_path / "notes.txt"))
    with pytest.raises(StoreError, match=r"notes\.txt is not a database of Tracehound; name another file"):
        tracehound.search_traces()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    tracehound.set_tracking_uri(str(tmp_path / "nowhere" / "t.db"))
    with pytest.raises(StoreError, match="cannot be opened: there is no folder"):
        tracehound.search_traces()


@pytest.mark.parametrize("uri", ["", "/", ".", "sqlite:///", "sqlite://x.db"])
def test_a_uri_without_a_file_is_refused(uri: str) -> None:
    with pytest.raises(ArgumentError, match="names no store"):
        tracehound.set_tracking_uri(uri)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text TEXT)")
    other.execute("PRAGMA user_version = 1")
    other.close()
    before = path.read_bytes()
    tracehound.set_tracking_uri(str(path))
    with pytest.raises(StoreError, match="a database of another program"):
        tracehound.search_traces()
    assert path.read_bytes() == before


def test_halves_of_surrogate_pairs_are_refused_in_a_filter_and_found_nowhere() -> None:
    with pytest.raises(FilterError, match="half of a surrogate pair"):
        tracehound.search_traces("tags.a = '\ud800'")
    assert tracehound.get_trace("\ud800", silent=True) is None


def test_naming_another_place_first_makes_no_file_in_the_default_one(tmp_path: Path) -> None:
    tracehound.set_tracking_uri("memory://")
    assert not list(tmp_path.iterdir())


def test_a_uri_that_names_no_store_is_refused() -> None:
    with pytest.raises(ArgumentError, match="names no store: write the path of a file"):
        tracehound.set_tracking_uri("postgresql://localhost/x")
