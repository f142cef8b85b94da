"""Experiments and runs: begun, described, ended, found; and the traces that belong to them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import tracehound
from tests.cli.terminal import piped
from tracehound.entities import Run
from tracehound.errors import ArgumentError, FilterError, NotFoundError
from tracehound.model.ids import experiment_id


def traces_of(run: Run) -> list[str]:
    return [each.info.name for each in tracehound.search_traces(run_id=run.info.run_id, return_type="list")]


def trace(name: str) -> str:
    with tracehound.start_span(name) as span:
        pass
    return span.trace_id


def test_an_experiment_exists_when_it_was_created_or_has_a_trace() -> None:
    number = tracehound.create_experiment("shop", tags={"team": "a", "year": 2026})
    tracehound.set_experiment("farm")
    trace("answer")
    assert number == experiment_id("shop")
    assert {each.name for each in tracehound.search_experiments()} == {"Default", "farm", "shop"}
    created = tracehound.get_experiment(number)
    assert (created.name, created.tags) == ("shop", {"team": "a", "year": "2026"})
    assert tracehound.get_experiment_by_name("shop") == created
    farm = tracehound.get_experiment_by_name("farm")
    assert farm is not None
    assert farm.creation_time is None
    assert tracehound.get_experiment_by_name("nowhere") is None
    with pytest.raises(NotFoundError, match="no experiment with the id '77'"):
        tracehound.get_experiment("77")


def test_an_experiment_is_created_once() -> None:
    tracehound.create_experiment("shop")
    for name in ("shop", "Default"):
        with pytest.raises(ArgumentError, match="already; set_experiment makes it the active one"):
            tracehound.create_experiment(name)
    for bad in ("", "  ", None, 3):
        with pytest.raises(ArgumentError, match="name is a text that is not empty"):
            tracehound.create_experiment(bad)  # type: ignore[arg-type] # what is refused
    with pytest.raises(ArgumentError, match="tags is a mapping"):
        tracehound.create_experiment("new", tags=["a"])  # type: ignore[arg-type] # as above


def test_tags_of_the_active_experiment_are_set_and_searched() -> None:
    tracehound.set_experiment("shop")
    tracehound.set_experiment_tag("team", "a")
    tracehound.set_experiment_tags({"year": 2026, "team": "b"})
    (found,) = tracehound.search_experiments(filter_string="tags.team = 'b' AND tags.year > 2025 AND name LIKE 'sh%'")
    assert found.name == "shop"
    assert tracehound.search_experiments(filter_string="tags.team = 'a' OR name = 'nothing'") == []
    with pytest.raises(FilterError, match="'nmae' is no field here"):
        tracehound.search_experiments(filter_string="nmae = 'x'")


def test_the_command_shows_experiments_without_traces_too() -> None:
    tracehound.create_experiment("shop")
    trace("answer")
    tracehound.flush()
    told = piped("experiments").stdout.decode()
    assert '"name":"shop"' in told
    assert '"name":"Default"' in told


def test_traces_that_begin_in_a_run_belong_to_it() -> None:
    trace("before")
    with tracehound.start_run(run_name="nightly", tags={"n": 3}, description="all of it") as run:
        trace("within")
        assert tracehound.active_run() == run
    trace("after")
    assert traces_of(run) == ["within"]
    known = tracehound.get_run(run.info.run_id)
    assert (known.info.run_name, known.info.status, known.info.experiment_id) == ("nightly", "FINISHED", "0")
    assert known.info.end_time is not None
    assert known.info.end_time >= known.info.start_time
    assert known.data.tags.items() >= {
        "n": "3", "mlflow.runName": "nightly", "mlflow.note.content": "all of it"
    }.items()  # fmt: skip
    assert len(run.info.run_id) == 32
    assert tracehound.active_run() is None
    last = tracehound.last_active_run()
    assert last is not None
    assert last.info.run_id == run.info.run_id


def test_an_exception_that_leaves_the_block_makes_the_run_failed() -> None:
    with pytest.raises(KeyError), tracehound.start_run() as run:
        raise KeyError("x")
    assert tracehound.get_run(run.info.run_id).info.status == "FAILED"


def test_a_run_without_a_block_ends_with_end_run() -> None:
    run = tracehound.start_run()
    trace("within")
    assert tracehound.get_run(run.info.run_id).info.status == "RUNNING"
    tracehound.end_run("KILLED")
    tracehound.end_run()
    trace("after")
    assert traces_of(run) == ["within"]
    assert tracehound.get_run(run.info.run_id).info.status == "KILLED"


def test_a_status_that_is_none_ends_nothing() -> None:
    with tracehound.start_run() as run:
        with pytest.raises(ArgumentError, match="status is RUNNING, SCHEDULED, FINISHED, FAILED, KILLED, not 'DONE'"):
            tracehound.end_run("DONE")
        assert tracehound.active_run() == run


def test_a_second_run_has_to_be_nested_and_the_first_counts_again_behind_it() -> None:
    with tracehound.start_run() as outer:
        with pytest.raises(ArgumentError, match="is under way: end it with end_run"):
            tracehound.start_run()
        with tracehound.start_run(nested=True) as inner:
            trace("inside")
        trace("outside")
    assert traces_of(inner) == ["inside"]
    assert traces_of(outer) == ["outside"]
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id


def test_a_run_is_resumed_by_its_id() -> None:
    with tracehound.start_run(run_name="nightly") as run:
        trace("first")
    with tracehound.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as again:
        trace("second")
        assert tracehound.get_run(run.info.run_id).info.end_time is None
        with pytest.raises(ArgumentError, match="under way here already"):
            tracehound.start_run(run_id=run.info.run_id, nested=True)
    assert again.info.run_name == "nightly"
    assert sorted(traces_of(run)) == ["first", "second"]
    known = tracehound.get_run(run.info.run_id)
    assert (known.info.status, known.data.tags["again"]) == ("FINISHED", "yes")
    with pytest.raises(NotFoundError, match="no run 'nowhere'"):
        tracehound.start_run(run_id="nowhere")
    assert tracehound.active_run() is None


def test_the_traces_of_a_run_go_into_its_experiment_and_are_searched_there() -> None:
    number = tracehound.create_experiment("shop")
    with tracehound.start_run(experiment_id=number) as run:
        trace("within")
    assert run.info.experiment_id == number
    assert tracehound.search_traces(return_type="list") == []
    assert traces_of(run) == ["within"]
    assert len(tracehound.search_traces(experiment_ids=["0"], run_id=run.info.run_id)) == 0
    with pytest.raises(NotFoundError, match="there is no run 'nowhere'"):
        tracehound.search_traces(run_id="nowhere")


def test_the_experiment_of_a_run_exists_with_the_run() -> None:
    tracehound.set_experiment("shop")
    with tracehound.start_run() as run:
        pass
    assert tracehound.get_experiment(run.info.experiment_id).name == "shop"


def test_threads_that_a_program_starts_belong_to_the_only_run() -> None:
    with tracehound.start_run() as run:
        thread = threading.Thread(target=trace, args=("in a thread",))
        thread.start()
        thread.join()
    assert traces_of(run) == ["in a thread"]


def test_two_threads_with_runs_of_their_own_do_not_mix_their_traces() -> None:
    both = threading.Barrier(2)
    runs: dict[str, Run] = {}

    def work(name: str) -> None:
        with tracehound.start_run(run_name=name) as run:
            both.wait()
            trace(name)
            both.wait()
            runs[name] = run

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: traces_of(run) for name, run in runs.items()} == {"a": ["a"], "b": ["b"]}


def test_parameters_metrics_and_tags_of_a_run() -> None:
    with tracehound.start_run() as run:
        assert tracehound.log_param("k", 3) == 3
        tracehound.log_params({"k": 3, "name": "small"})
        tracehound.log_metric("loss", 0.5, step=1)
        tracehound.log_metric("loss", 0.25, step=2)
        tracehound.log_metrics({"accuracy": 1, "odd": float("inf")})
        tracehound.set_tag("team", "a")
        tracehound.set_tags({"mlflow.runName": "better"})
        with pytest.raises(ArgumentError, match="the parameter 'k' of the run is '3' and cannot become '4'"):
            tracehound.log_param("k", 4)
        with pytest.raises(ArgumentError, match="the metric 'loss' is a number, not 'low'"):
            tracehound.log_metric("loss", "low")  # type: ignore[arg-type] # what is refused
    known = tracehound.get_run(run.info.run_id)
    assert known.data.params == {"k": "3", "name": "small"}
    assert known.data.metrics == {"loss": 0.25, "accuracy": 1.0, "odd": float("inf")}
    assert known.data.tags["team"] == "a"
    assert known.info.run_name == "better"


def test_what_is_logged_without_a_run_begins_one() -> None:
    tracehound.log_metric("loss", 0.5)
    run = tracehound.active_run()
    tracehound.end_run()
    assert run is not None
    assert tracehound.get_run(run.info.run_id).data.metrics == {"loss": 0.5}


def test_runs_are_searched_by_what_was_said_of_them_and_ordered() -> None:
    for loss in (0.5, 0.1, 0.9):
        with tracehound.start_run(run_name=f"loss {loss}", tags={"team": "a"}):
            tracehound.log_metric("loss", loss)
            tracehound.log_param("size", "small" if loss < 0.3 else "large")
    with tracehound.start_run(run_name="other"):
        pass

    def names(filter_string: str = "", **arguments: Any) -> list[str]:
        found = tracehound.search_runs(filter_string=filter_string, output_format="list", **arguments)
        named = [run.info.run_name for run in found]
        return named if "order_by" in arguments else sorted(named)  # two may begin in the same millisecond

    assert names() == ["loss 0.1", "loss 0.5", "loss 0.9", "other"]
    assert names("metrics.loss > 0.3 AND params.size = 'large'") == ["loss 0.5", "loss 0.9"]
    assert names("tags.team IS NULL OR metrics.loss < 0.2") == ["loss 0.1", "other"]
    assert names("attributes.run_name LIKE 'loss%' AND NOT metrics.loss IN (0.1, 0.9)") == ["loss 0.5"]
    assert names("metrics.loss BETWEEN 0.1 AND 0.5", order_by=["metrics.loss DESC"]) == ["loss 0.5", "loss 0.1"]
    assert names(order_by=["metrics.loss ASC"], max_results=2) == ["loss 0.1", "loss 0.5"]
    assert names("status = 'FINISHED' AND start_time > 0", order_by=["metrics.loss DESC"])[-1] == "other"
    assert names(experiment_names=["nowhere"]) == []
    assert len(names(search_all_experiments=True)) == 4
    frame = tracehound.search_runs(filter_string="metrics.loss > 0", order_by=["metrics.loss"])
    assert frame["metrics.loss"].tolist() == [0.1, 0.5, 0.9]
    assert frame["params.size"].tolist() == ["small", "large", "large"]
    assert str(frame["end_time"].dtype).startswith("datetime64")
    with pytest.raises(ArgumentError, match="output_format is 'pandas' or 'list'"):
        tracehound.search_runs(output_format="dict")
    with pytest.raises(FilterError, match="'los' is no field here"):
        tracehound.search_runs(filter_string="los > 3")


def test_a_run_can_be_found_by_another_process_when_the_call_has_returned() -> None:
    with tracehound.start_run(run_name="nightly") as run:
        found = tracehound.MlflowClient().get_run(run.info.run_id)
    assert found.info.run_name == "nightly"
    assert found.to_dictionary()["info"]["status"] == "RUNNING"
