"""`MlflowClient`: pages, another place than the active one, links to runs, and capture by ids."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tracehound
from tests.traces import part, span
from tracehound import MlflowClient, runtime
from tracehound.entities import Feedback, PagedList, Trace
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.ids import experiment_id
from tracehound.settings import child_environment


def trace(name: str, **tags: str) -> str:
    with tracehound.start_span(name) as opened:
        tracehound.update_current_trace(tags=tags)
    return opened.trace_id


def names(traces: list[Trace]) -> list[str]:
    return [each.info.name for each in traces]


@pytest.fixture
def many() -> None:
    """Ten traces, a second apart."""
    runtime.current().drained_store().write(
        [part(span(1, trace=at + 1, start_ms=1000 * at, name=f"t{at}")) for at in range(10)]
    )


@pytest.mark.usefixtures("many")
def test_pages_follow_each_other_whatever_is_written_meanwhile() -> None:
    client = MlflowClient()
    filter_string = "attributes.status = 'OK' AND attributes.timestamp_ms < now()"
    pages: list[PagedList[Trace]] = []
    token = None
    while token is not None or not pages:
        page = client.search_traces(["0"], filter_string, max_results=4, page_token=token, model_id=None)
        trace("meanwhile")
        pages.append(page)
        token = page.token
    assert [names(page) for page in pages] == [["t9", "t8", "t7", "t6"], ["t5", "t4", "t3", "t2"], ["t1", "t0"]]
    assert isinstance(pages[0], list)


@pytest.mark.usefixtures("many")
def test_pages_of_a_run_or_model_follow_each_other_too() -> None:
    client = MlflowClient()
    run = client.create_run("0")
    ids = [each.info.trace_id for each in client.search_traces(order_by=["timestamp ASC"], max_results=3)]
    client.link_traces_to_run(ids, run.info.run_id)
    first = client.search_traces(run_id=run.info.run_id, max_results=2, order_by=["timestamp ASC"])
    assert names(first) == ["t0", "t1"]
    rest = client.search_traces(
        run_id=run.info.run_id, max_results=2, order_by=["timestamp ASC"], page_token=first.token
    )
    assert (names(rest), rest.token) == (["t2"], None)
    with pytest.raises(ArgumentError, match="page_token belongs to another search"):
        client.search_traces(max_results=2, page_token=first.token)


@pytest.mark.usefixtures("many")
def test_a_search_of_the_client_has_a_hundred_traces_unless_more_are_wanted() -> None:
    client = MlflowClient()
    store = runtime.current().drained_store()
    store.write([part(span(1, trace=100 + at, start_ms=-at)) for at in range(100)])
    assert len(client.search_traces()) == 100
    everything = client.search_traces(max_results=1000)
    assert (len(everything), everything.token) == (110, None)
    assert client.search_traces(max_results=0) == []
    assert client.search_traces(locations=[]) == []
    assert client.search_traces(max_results=1, include_spans=False)[0].data.spans == []


def test_without_experiments_the_active_one_is_searched() -> None:
    trace("elsewhere")
    tracehound.set_experiment("shop")
    trace("here")
    assert names(MlflowClient().search_traces(filter_string="attributes.status = 'OK'")) == ["here"]


def test_bad_arguments_of_a_search_are_told() -> None:
    client = MlflowClient()
    bad: list[tuple[Callable[[], object], str]] = [
        (lambda: client.search_traces("0", "attributes.status = 'OK'"), "a text in its place is the filter"),
        (lambda: client.search_traces(max_results=None), "max_results is a whole number"),  # type: ignore[arg-type] # bad
        (lambda: client.search_traces(max_results=-1), "max_results is a whole number"),
        (lambda: client.search_traces(page_token="abc"), "page_token 'abc' is not one that a search returned"),
        (lambda: client.search_traces(page_token=3), "page_token is a text"),  # type: ignore[arg-type] # bad
        (lambda: client.search_traces(flush="yes"), "flush is True or False"),  # type: ignore[arg-type] # bad
        (lambda: client.search_runs("0"), "experiment_ids is a list of ids"),
        (lambda: client.search_runs(["0"], page_token="x"), "page_token 'x' is not one"),
        (lambda: MlflowClient("databricks"), "is a server of Databricks"),
    ]
    for call, message in bad:
        with pytest.raises(ArgumentError, match=message):
            call()


def test_a_trace_is_read_edited_and_deleted_by_its_id() -> None:
    client = MlflowClient()
    trace_id = trace("answer")
    client.set_trace_tag(trace_id, "reviewed", value=True)
    assert client.get_trace(trace_id).info.tags["reviewed"] == "true"
    client.delete_trace_tag(trace_id, "reviewed")
    assert "reviewed" not in client.get_trace(trace_id).info.tags
    kept = client.log_feedback(trace_id, "correct", value=False)
    assert kept.assessment_id is not None
    client.update_assessment(trace_id, kept.assessment_id, Feedback("correct", value=True))
    changed = client.get_assessment(trace_id, kept.assessment_id)
    assert isinstance(changed, Feedback)
    assert changed.value is True
    client.delete_assessment(trace_id, kept.assessment_id)
    client.log_expectation(trace_id, "city", "Paris")
    assert [each.name for each in client.get_trace(trace_id).info.assessments] == ["city"]
    assert client.delete_traces("0", trace_ids=[trace_id]) == 1
    with pytest.raises(NotFoundError, match=f"no trace {trace_id}"):
        client.get_trace(trace_id)


def test_traces_are_linked_to_a_run_and_those_of_another_run_stay_of_it_too() -> None:
    client = MlflowClient()
    with tracehound.start_run() as first:
        within = trace("within")
    outside = trace("outside")
    second = client.create_run("0", run_name="evaluation", tags={"n": 1}).info.run_id
    client.link_traces_to_run([within, outside], second)
    assert sorted(names(client.search_traces(run_id=second))) == ["outside", "within"]
    assert names(client.search_traces(run_id=first.info.run_id)) == ["within"]
    assert client.get_trace(outside).info.trace_metadata["mlflow.sourceRun"] == second
    assert client.get_trace(within).info.trace_metadata["mlflow.sourceRun"] == first.info.run_id


def test_links_that_cannot_be_made_make_none() -> None:
    client = MlflowClient()
    trace_id = trace("answer")
    run_id = client.create_run("0").info.run_id
    with pytest.raises(NotFoundError, match="no trace tr-none"):
        client.link_traces_to_run([trace_id, "tr-none"], run_id)
    with pytest.raises(NotFoundError, match="no run 'nowhere'"):
        client.link_traces_to_run([trace_id], "nowhere")
    with pytest.raises(ArgumentError, match="at most 100 traces"):
        client.link_traces_to_run([trace_id] * 101, run_id)
    with pytest.raises(ArgumentError, match="trace_ids is a list of ids"):
        client.link_traces_to_run(trace_id, run_id)
    assert client.search_traces(run_id=run_id) == []


def test_a_run_of_the_client_is_described_and_ended_by_its_id() -> None:
    client = MlflowClient()
    number = client.create_experiment("shop", tags={"team": "a"})
    client.set_experiment_tag(number, "team", "b")
    assert client.get_experiment(number).tags == {"team": "b"}
    assert [each.name for each in client.search_experiments(filter_string="tags.team = 'b'")] == ["shop"]
    run_id = client.create_run(number, start_time=5, run_name="nightly").info.run_id
    client.set_tag(run_id, "team", "a")
    client.log_param(run_id, "k", 3)
    client.log_metric(run_id, "loss", 0.5, timestamp=1, step=2)
    client.set_terminated(run_id, "FAILED", end_time=9)
    run = client.get_run(run_id)
    assert (run.info.start_time, run.info.end_time, run.info.status) == (5, 9, "FAILED")
    assert (run.data.params, run.data.metrics, run.data.tags["team"]) == ({"k": "3"}, {"loss": 0.5}, "a")
    others = [client.create_run(number, start_time=at).info.run_id for at in (6, 7)]
    first = client.search_runs([number], max_results=2)
    assert [each.info.run_id for each in first] == [others[1], others[0]]
    rest = client.search_runs([number], max_results=2, page_token=first.token)
    assert ([each.info.run_id for each in rest], rest.token) == ([run_id], None)
    calls: list[Callable[[], object]] = [
        lambda: client.set_tag("x", "k", 1),
        lambda: client.log_metric("x", "k", 1),
        lambda: client.log_param("x", "k", 1),
        lambda: client.set_terminated("x"),
        lambda: client.get_run("x"),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match="no run 'x'"):
            call()


def test_a_client_of_another_place_reads_and_writes_there(tmp_path: Path) -> None:
    here = trace("here")
    program = "import tracehound\nwith tracehound.start_span('there'): pass\n"
    there = tmp_path / "there.db"
    environment = {**child_environment(runtime.current().settings), "TRACEHOUND_TRACKING_URI": str(there)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=120)
    client = MlflowClient(tracking_uri=f"sqlite:///{there}")
    (found,) = client.search_traces()
    assert found.info.name == "there"
    client.set_trace_tag(found.info.trace_id, "seen", "yes")
    assert names(client.search_traces(filter_string="tags.seen = 'yes'")) == ["there"]
    client.create_experiment("shop")
    assert MlflowClient().get_experiment_by_name("shop") is None
    with pytest.raises(NotFoundError, match="no trace"):
        client.get_trace(here)
    with pytest.raises(ArgumentError, match="traces go into the active store"):
        client.start_trace("answer")
    assert names(MlflowClient(str(runtime.current().settings.tracking_uri)).search_traces()) == ["here"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_uses_a_client_of_another_place_anew(tmp_path: Path) -> None:
    client = MlflowClient(str(tmp_path / "there.db"))
    client.create_experiment("parent")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            client.create_experiment("child")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {each.name for each in client.search_experiments()} == {"Default", "child", "parent"}


def test_a_trace_is_begun_and_ended_by_its_ids() -> None:
    client = MlflowClient()
    root = client.start_trace("answer", "AGENT", {"question": "why?"}, {"k": 1}, {"env": "test"}, start_time_ns=10**18)
    ids = root.trace_id, root.span_id
    del root  # a program may keep the ids alone
    step = client.start_span("look up", ids[0], ids[1], span_type="TOOL", inputs="x", attributes={"n": 2})
    client.end_span(ids[0], step.span_id, outputs=[1], attributes={"m": 3})
    client.end_trace(ids[0], outputs="because", status="ERROR", end_time_ns=10**18 + 5 * 10**6)
    found = client.get_trace(ids[0])
    assert (found.info.state, found.info.execution_duration, found.info.tags["env"]) == ("ERROR", 5, "test")
    answer, look_up = found.data.spans
    assert (answer.name, answer.span_type, answer.inputs, answer.outputs) == (
        "answer", "AGENT", {"question": "why?"}, "because"
    )  # fmt: skip
    assert (look_up.parent_id, look_up.outputs, look_up.get_attribute("n"), look_up.get_attribute("m")) == (
        answer.span_id, [1], 2, 3
    )  # fmt: skip
    assert tracehound.get_current_active_span() is None


def test_what_has_ended_is_not_ended_again() -> None:
    client = MlflowClient()
    root = client.start_trace("answer")
    step = client.start_span("step", request_id=root.trace_id, parent_id=root.span_id)
    client.end_span(request_id=root.trace_id, span_id=step.span_id)
    with pytest.raises(ArgumentError, match=f"the span {step.span_id} .* has ended already"):
        client.end_span(root.trace_id, step.span_id)
    client.end_trace(request_id=root.trace_id)
    with pytest.raises(ArgumentError, match="has ended already"):
        client.end_trace(root.trace_id)
    with pytest.raises(ArgumentError, match="has ended already"):
        client.start_span("late", root.trace_id, root.span_id)
    with pytest.raises(NotFoundError, match="no trace tr-none"):
        client.end_trace("tr-none")
    with pytest.raises(NotFoundError, match="no trace tr-none"):
        client.end_span("tr-none", step.span_id)
    with pytest.raises(ArgumentError, match="trace_id is a text, not None"):
        client.end_trace()


def test_a_trace_that_another_call_began_is_ended_by_its_id() -> None:
    root = tracehound.start_span_no_context("answer")
    MlflowClient().end_trace(root.trace_id, outputs="because")
    assert MlflowClient().get_trace(root.trace_id).data.spans[0].outputs == "because"


def test_a_span_that_outlives_its_trace_is_added_when_it_ends() -> None:
    client = MlflowClient()
    root = client.start_trace("answer")
    step = client.start_span("step", root.trace_id, root.span_id)
    client.end_trace(root.trace_id)
    client.end_span(root.trace_id, step.span_id)
    assert [each.name for each in client.get_trace(root.trace_id).data.spans] == ["answer", "step"]


def test_a_trace_goes_into_the_experiment_and_the_run_that_are_named() -> None:
    client = MlflowClient()
    number = client.create_experiment("shop")
    run_id = client.create_run(number).info.run_id
    client.end_trace(client.start_trace("answer", experiment_id=number).trace_id)
    client.end_trace(client.start_trace("answer", run_id=run_id).trace_id)
    assert len(client.search_traces([experiment_id("shop")])) == 2
    assert len(client.search_traces(run_id=run_id)) == 1
    assert client.search_traces(["0"]) == []


def test_within_a_trace_no_other_is_begun_and_its_spans_can_be_used_by_id() -> None:
    client = MlflowClient()
    with tracehound.start_span("outer") as outer:
        with pytest.raises(ArgumentError, match="begin a span of it with start_span"):
            client.start_trace("answer")
        step = client.start_span("step", outer.trace_id, outer.span_id)
        client.end_span(outer.trace_id, step.span_id)
    assert [each.name for each in client.get_trace(outer.trace_id).data.spans] == ["outer", "step"]


def test_what_is_not_recorded_is_begun_and_ended_without_a_trace() -> None:
    client = MlflowClient()
    tracehound.tracing.disable()
    try:
        root = client.start_trace("unseen")
        step = client.start_span("step", root.trace_id, root.span_id)
        client.end_span(root.trace_id, step.span_id)
        client.end_trace(root.trace_id)
    finally:
        tracehound.tracing.enable()
    assert client.search_traces() == []
