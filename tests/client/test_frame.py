"""`TraceFrame`: a DataFrame of traces that answers to the older names, and to none where they could be wrong."""

from __future__ import annotations

import copy
import io
import json
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

import tracehound
from tests.traces import START_MS, part, span
from tracehound import runtime
from tracehound.client.frame import TraceFrame, TraceRow
from tracehound.client.rows import COLUMNS
from tracehound.model.derive import SIZE_BYTES, SIZE_STATS, TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.trace import Trace

mpl.use("Agg")

# Newest first: four traces of 10, 20, 30, 40 ms; the third failed, the last has no tag `kind`.
DURATIONS = [10, 20, 30, 40]
STATES = ["OK", "OK", "ERROR", "OK"]
ENVS = ["prod", "dev", "prod", "prod"]
TIMES = [START_MS - 1000 * at for at in range(4)]
IDS = [f"tr-{at + 1:032x}" for at in range(4)]


@pytest.fixture
def frame() -> Any:
    """Return the four traces; typed as anything, since pandas' stubs know no older names."""
    runtime.current().drained_store().write(
        [
            part(
                span(
                    1, trace=at + 1, start_ms=-1000 * at, duration_ms=DURATIONS[at], name=f"job{at % 2}",
                    failed=STATES[at] == "ERROR",
                ),
                span(2, trace=at + 1, parent=1, start_ms=1 - 1000 * at, name="inner"),
                tags={"env": ENVS[at], **({"kind": "fast"} if at < 3 else {})},
                metadata={"mlflow.trace.user": f"user-{at}"},
            )
            for at in range(4)
        ]
    )  # fmt: skip
    return tracehound.search_traces()


OLDER: dict[str, list[Any]] = {
    "request_id": IDS,
    "timestamp_ms": TIMES,
    "timestamp": TIMES,
    "status": STATES,
    "execution_time_ms": DURATIONS,
    "request_preview": ['{"question":"why?"}'] * 4,
    "response_preview": ['"because"'] * 4,
    "tags.env": ENVS,
    "tags.kind": ["fast", "fast", "fast", None],
    "tags.mlflow.traceName": ["job0", "job1", "job0", "job1"],
    "metadata.mlflow.trace.user": ["user-0", "user-1", "user-2", "user-3"],
}


@pytest.mark.parametrize("name", OLDER)
def test_an_older_name_is_known_wherever_a_column_is_named(frame: Any, name: str) -> None:
    values = OLDER[name]
    present = [value for value in values if value is not None]
    assert list(frame.columns) == list(COLUMNS)
    assert name in frame
    assert name in frame.columns
    assert frame[name].tolist() == values
    assert frame[name].name == name
    assert frame.get(name).tolist() == values
    assert frame[["trace_id", name]].to_dict("list") == {"trace_id": IDS, name: values}
    assert frame.groupby(name).size().to_dict() == {value: values.count(value) for value in present}
    assert frame.sort_values(name)[name].dropna().tolist() == sorted(present)
    assert list(frame.sort_values([name, "trace_id"]).columns) == list(COLUMNS)
    assert frame.drop_duplicates(name)["trace_id"].tolist() == [
        IDS[values.index(each)] for each in dict.fromkeys(values)
    ]
    assert frame.set_index(name).index.tolist() == values
    assert sorted(frame.set_index(name).reset_index()[name].dropna().tolist()) == sorted(present)
    assert frame.value_counts(name).to_dict() == frame[name].value_counts().to_dict()
    merged = frame.merge(pd.DataFrame({name: present[:1], "score": [5]}), on=name)
    assert merged[name].tolist() == [present[0]] * values.count(present[0])
    for (_, row), value in zip(frame.iterrows(), values, strict=True):
        assert type(row) is TraceRow
        assert row.get(name, None) == value
        assert (name in row) == (value is not None)


def test_columns_are_texts_of_the_type_object(frame: Any) -> None:
    assert frame.columns.dtype == object
    assert type(frame) is TraceFrame
    assert type(frame["state"]) is pd.Series


def test_a_name_that_nothing_has_is_an_error(frame: Any) -> None:
    for name in ("nothing", "tags.nothing", "tags.", "metadata.env"):
        assert name not in frame
        assert name not in frame.columns
        assert frame.get(name, "none") == "none"
        with pytest.raises(KeyError):
            frame[name]
        with pytest.raises(KeyError):
            frame.iloc[0][name]


def test_rows_are_chosen_by_masks_positions_and_labels(frame: Any) -> None:
    slow = frame[frame["execution_time_ms"] > 15]
    assert type(slow) is TraceFrame
    assert slow["request_id"].tolist() == IDS[1:]
    assert frame.loc[frame["status"] == "ERROR", "execution_time_ms"].tolist() == [30]
    assert frame.loc[1, "status"] == frame.iloc[1]["status"] == frame.iloc[1].status == "OK"
    assert frame.head(2)["timestamp_ms"].tolist() == TIMES[:2]
    assert frame.nlargest(2, "execution_time_ms")["trace_id"].tolist() == [IDS[3], IDS[2]]
    assert [row.state for row in frame.itertuples()] == STATES
    assert frame.status.tolist() == STATES


def test_filters_are_written_as_queries_with_older_names_and_local_variables(frame: Any) -> None:
    wanted = "OK"  # noqa: F841 - the query asks for it
    found = frame.query("status == @wanted and `tags.env` == 'prod' and execution_time_ms > 15")
    assert found["trace_id"].tolist() == [IDS[3]]
    assert list(found.columns) == list(COLUMNS)
    assert frame.eval("execution_time_ms * 2").tolist() == [20, 40, 60, 80]
    assert list(frame.eval("double = execution_time_ms * 2").columns) == [*COLUMNS, "double"]


def test_groups_are_aggregated_by_older_names(frame: Any) -> None:
    groups = frame.groupby("tags.env")
    assert groups["execution_time_ms"].mean().to_dict() == {"dev": 20.0, "prod": pytest.approx(80 / 3)}
    assert groups[["execution_time_ms"]].max().to_dict() == {"execution_time_ms": {"dev": 20, "prod": 40}}
    told = groups.agg(count=("request_id", "count"), slowest=("execution_time_ms", "max"))
    assert told.to_dict("index") == {"dev": {"count": 1, "slowest": 20}, "prod": {"count": 3, "slowest": 40}}
    assert groups.agg({"execution_time_ms": "min"})["execution_time_ms"].to_dict() == {"dev": 20, "prod": 10}
    assert frame.groupby(["status", "tags.env"]).size().to_dict() == {
        ("ERROR", "prod"): 1, ("OK", "dev"): 1, ("OK", "prod"): 2
    }  # fmt: skip
    assert frame.agg({"execution_time_ms": ["min", "max"]})["execution_time_ms"].tolist() == [10, 40]
    table = frame.pivot_table(values="execution_time_ms", index="tags.env", columns="status", aggfunc="sum")
    assert table.loc["prod"].to_dict() == {"ERROR": 30, "OK": 50}


def test_statistics_are_those_of_the_numbers(frame: Any) -> None:
    described = frame["execution_time_ms"].describe(percentiles=[0.5])
    assert (described["mean"], described["50%"], described["max"]) == (25.0, 25.0, 40.0)
    assert frame.describe()["execution_duration"]["mean"] == 25.0
    assert frame["execution_time_ms"].quantile(0.5) == 25.0
    assert frame.dtypes["timestamp_ms"] == "int64"
    assert frame.apply(lambda row: f"{row['status']} {row['tags.env']}", axis=1).tolist() == [
        "OK prod", "OK dev", "ERROR prod", "OK prod"
    ]  # fmt: skip


def test_new_columns_go_with_the_older_names(frame: Any) -> None:
    frame["date"] = pd.to_datetime(frame["timestamp_ms"], unit="ms").dt.date
    assert sum(frame.groupby("date").size()) == 4
    longer = frame.assign(seconds=frame["execution_time_ms"] / 1000)
    assert longer["seconds"].tolist() == [0.01, 0.02, 0.03, 0.04]
    assert longer["status"].tolist() == STATES
    exploded = frame.explode("spans")
    assert [each["name"] for each in exploded["spans"][:2]] == ["job0", "inner"]
    assert exploded["status"].tolist() == ["OK", "OK", "OK", "OK", "ERROR", "ERROR", "OK", "OK"]


def test_what_is_said_of_an_older_name_is_said_of_the_column(frame: Any) -> None:
    frame["status"] = "DONE"
    assert frame["state"].tolist() == ["DONE"] * 4
    del frame["status"]
    assert "state" not in frame
    assert "status" not in frame
    renamed = frame.rename(columns={"execution_time_ms": "ms"})
    assert renamed["ms"].tolist() == DURATIONS
    assert "execution_time_ms" not in renamed
    assert "timestamp_ms" not in frame.drop(columns=["timestamp_ms"])
    assert frame.drop(columns="timestamp_ms")["request_id"].tolist() == IDS


def test_columns_are_chosen_by_older_names_with_rows_and_without(frame: Any) -> None:
    failed = frame.loc[frame["status"] == "ERROR", ["request_id", "status", "tags.env"]]
    assert failed.to_dict("list") == {"request_id": [IDS[2]], "status": ["ERROR"], "tags.env": ["prod"]}
    assert frame.loc[:, "tags.env"].tolist() == ENVS
    assert (frame.loc[1, "tags.env"], frame.at[1, "tags.env"], frame.at[2, "status"]) == ("dev", "dev", "ERROR")
    wanted = {"status": STATES, "tags.env": ENVS}
    assert frame.filter(items=["status", "tags.env"]).to_dict("list") == wanted
    assert frame.reindex(columns=["status", "tags.env"]).to_dict("list") == wanted
    assert frame.reindex(["status", "tags.env"], axis=1).to_dict("list") == wanted
    assert frame.reindex([3, 9])["status"].tolist()[:1] == ["OK"]
    assert pd.read_csv(io.StringIO(frame.to_csv(index=False, columns=["status", "tags.env"]))).to_dict("list") == wanted
    assert frame.to_string(columns=["status"], index=False, header=False).split() == STATES


def test_what_is_written_under_a_name_leaves_the_other_rows_as_they_are(frame: Any) -> None:
    frame.loc[frame["tags.kind"].isna(), "tags.kind"] = "slow"
    assert frame["tags.kind"].tolist() == ["fast", "fast", "fast", "slow"]
    frame.loc[frame["status"] == "ERROR", ["status"]] = "BAD"
    frame.loc[0, "status"] = "DONE"
    frame.at[1, "tags.env"] = "stage"
    frame.at[3, "status"] = "LAST"
    assert frame["state"].tolist() == ["DONE", "OK", "BAD", "LAST"]
    assert frame["tags.env"].tolist() == ["prod", "stage", "prod", "prod"]
    assert (type(frame), frame["request_id"].tolist()) == (TraceFrame, IDS)
    frame.loc[frame["status"] == "BAD", "flag"] = 1.0
    assert frame["flag"].dropna().index.tolist() == [2]


def test_a_mapping_says_of_older_names_what_is_done_with_each(frame: Any) -> None:
    assert frame.astype({"execution_time_ms": "float64"})["execution_time_ms"].dtype == "float64"
    assert frame.astype({"execution_time_ms": "float64"})["tags.env"].tolist() == ENVS
    assert frame.fillna({"tags.kind": "none"})["tags.kind"].tolist() == ["fast", "fast", "fast", "none"]
    assert frame.isin({"status": ["ERROR"]})["state"].tolist() == [False, False, True, False]
    frame["execution_time_ms"] = frame["execution_time_ms"] / 7
    assert frame.round({"execution_time_ms": 1})["execution_time_ms"].tolist() == [1.4, 2.9, 4.3, 5.7]
    frame.fillna({"tags.kind": "none"}, inplace=True)
    assert frame["tags.kind"].tolist()[-1] == "none"


def test_an_axis_says_that_older_names_are_those_of_columns(frame: Any) -> None:
    assert frame.rename({"status": "s"}, axis=1)["s"].tolist() == STATES
    assert "state" not in frame.drop("status", axis=1)
    assert "state" not in frame.drop(["status", "timestamp_ms"], axis="columns")
    assert frame.rename({0: "first"}).drop(["first", 1])["request_id"].tolist() == IDS[2:]


def test_another_frame_is_merged_with_traces_by_an_older_name(frame: Any) -> None:
    scores = pd.DataFrame({"request_id": IDS[:2], "score": [5, 4]})
    merged = scores.merge(frame, on="request_id")
    assert merged[["request_id", "trace_id", "score", "state"]].to_dict("list") == {
        "request_id": IDS[:2], "trace_id": IDS[:2], "score": [5, 4], "state": ["OK", "OK"]
    }  # fmt: skip


KEPT: dict[str, Callable[[Any], Any]] = {
    "copy": lambda frame: frame.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda frame: pickle.loads(pickle.dumps(frame)),
    "concat of rows": lambda frame: pd.concat([frame[:2], frame[2:]]),
    "concat of columns": lambda frame: pd.concat([frame, pd.DataFrame({"score": range(4)})], axis=1),
    "merge": lambda frame: frame.merge(pd.DataFrame({"trace_id": IDS, "score": range(4)}), on="trace_id"),
    "join": lambda frame: frame.join(pd.DataFrame({"score": range(4)})),
    "rename": lambda frame: frame.rename(columns={"request": "question"}),
    "drop": lambda frame: frame.drop(columns=["request", "response"]),
    "some columns": lambda frame: frame[["trace_id", "state"]],
    "columns by position": lambda frame: frame.iloc[:, :6],
    "reset_index": lambda frame: frame.set_index("tags.env").reset_index(),
    "sort_index": lambda frame: frame.sort_index(),
    "astype": lambda frame: frame.astype({"execution_duration": "float64"}),
    "reindex": lambda frame: frame.reindex([0, 1, 2, 3]),
}


@pytest.mark.parametrize("operation", KEPT)
def test_older_names_are_known_behind(frame: Any, operation: str) -> None:
    result = KEPT[operation](frame)
    assert type(result) is TraceFrame
    assert result["status"].tolist() == STATES
    assert result["request_id"].tolist() == IDS


FOREIGN: dict[str, tuple[Callable[[Any], Any], list[Any] | None]] = {
    # What has the older name is what is asked for …
    "merge with a real one": (
        lambda frame: frame.merge(pd.DataFrame({"trace_id": IDS, "status": ["new"] * 4}), on="trace_id"), ["new"] * 4
    ),
    "rename to it": (lambda frame: frame.rename(columns={"request": "status"}), [{"question": "why?"}] * 4),
    "insert": (lambda frame: with_a_real_one(frame), ["real"] * 4)  ,  # noqa: PLW0108 - it stands below
    # … and a column of the newer name that came from elsewhere is not.
    "merge with another state": (
        lambda frame: frame.drop(columns="state").merge(
            pd.DataFrame({"trace_id": IDS, "state": ["Ohio"] * 4}), on="trace_id"
        ), None
    ),
    "both have a state": (
        lambda frame: frame.merge(pd.DataFrame({"trace_id": IDS, "state": ["Ohio"] * 4}), on="trace_id"), None
    ),
    "rename another to state": (
        lambda frame: frame.drop(columns="state").rename(columns={"request": "state"}), None
    ),
    "dropped and made anew": (lambda frame: frame.drop(columns="state").assign(state="Ohio"), None),
    "two of them": (lambda frame: pd.concat([frame, pd.DataFrame({"state": ["Ohio"] * 4})], axis=1), None),
    "all named anew": (lambda frame: frame.set_axis(["state", *(f"c{at}" for at in range(11))], axis=1), None),
    "an ordinary frame": (lambda frame: frame.wide().drop(columns="status"), None),
}  # fmt: skip


def with_a_real_one(frame: Any) -> Any:
    frame.insert(0, "status", "real")
    return frame


@pytest.mark.parametrize("operation", FOREIGN)
def test_an_older_name_never_means_what_is_not_of_the_search(frame: Any, operation: str) -> None:
    change, expected = FOREIGN[operation]
    result = change(frame)
    if expected is None:
        assert "status" not in result.columns
        with pytest.raises(KeyError):
            result["status"]
    else:
        assert result["status"].tolist() == expected


def test_a_series_whose_labels_look_like_columns_has_no_older_names(frame: Any) -> None:
    frame["kind"] = ["state", "tags", "state", "state"]
    sizes = frame.groupby("kind").size()
    assert sizes["state"] == 3
    with pytest.raises(KeyError):
        sizes["status"]


def test_wide_is_an_ordinary_frame_with_everything(frame: Any) -> None:
    wide = frame.wide()
    assert type(wide) is pd.DataFrame
    filled_in = {f"metadata.{key}" for key in (TRACE_INPUTS, TRACE_OUTPUTS, SIZE_BYTES, SIZE_STATS)}
    filled_in.add(f"tags.{ARTIFACT_LOCATION}")
    assert set(wide.columns) == {*COLUMNS, *OLDER, *filled_in, "request_metadata", "metadata"}
    assert {name: wide[name].tolist() for name in OLDER} == OLDER


def test_traces_and_spans_in_the_cells_are_whole(frame: Any) -> None:
    trace = frame["trace"][2]
    assert isinstance(trace, Trace)
    assert [each.name for each in trace.data.spans] == ["job0", "inner"]
    assert isinstance(frame["spans"][2], list)
    assert frame["spans"][2] == [each.to_dict() for each in trace.data.spans]
    frame["spans"][2].clear()
    assert len(trace.data.spans) == 2
    assert pickle.loads(pickle.dumps(frame))["trace"][2] == trace


def test_json_holds_all_values_and_traces_as_text(frame: Any) -> None:
    rows = json.loads(frame.to_json(orient="records"))
    assert [row["state"] for row in rows] == STATES
    assert rows[0]["spans"] == frame["spans"][0]
    assert rows[0]["tags"] == frame["tags"][0]
    assert json.loads(rows[0]["trace"])["data"]["spans"] == rows[0]["spans"]


def test_files_and_tables_hold_what_is_no_text_or_number_as_json(frame: Any, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    database = sqlite3.connect(tmp_path / "t.sqlite")
    frame.to_sql("traces", database, index=False)
    for read in (
        pd.read_csv(tmp_path / "t.csv"),
        pd.read_parquet(tmp_path / "t.parquet"),
        pd.read_sql("SELECT * FROM traces", database),
    ):
        assert list(read.columns) == list(COLUMNS)
        assert read["execution_duration"].tolist() == DURATIONS
        assert read["state"].tolist() == STATES
        assert [json.loads(cell) for cell in read["tags"]] == frame["tags"].tolist()
        assert [json.loads(cell) for cell in read["spans"]] == frame["spans"].tolist()
        assert [json.loads(cell) for cell in read["request"]] == [{"question": "why?"}] * 4
        assert json.loads(read["trace"][0])["info"]["trace_id"] == IDS[0]
    database.close()


def test_frames_can_be_plotted_by_older_names(frame: Any) -> None:
    axes = frame.plot(x="timestamp_ms", y="execution_time_ms")
    assert axes.lines[0].get_ydata().tolist() == DURATIONS


def test_no_traces_make_an_empty_frame_that_is_used_in_the_same_way(frame: Any) -> None:
    none: Any = tracehound.search_traces("tags.env = 'nowhere'")
    assert none["execution_time_ms"].sum() == 0
    assert pd.api.types.is_integer_dtype(none["timestamp_ms"])
    assert none.groupby("tags.mlflow.traceName").size().to_dict() == {}
    assert (none["status"] == "ERROR").sum() == 0
    assert list(pd.concat([none, frame])["status"]) == STATES
