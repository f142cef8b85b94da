"""Traces of a request and its response, traces of other services below one that runs, and where traces go."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import tracehound
from tracehound.entities import MlflowExperimentLocation, Trace, TraceLocation
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.record import replace
from tracehound.model.trace import TraceState

START_MS = 1_735_689_600_000


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    tracehound.tracing.reset()


def read(trace_id: str) -> Trace:
    found = tracehound.get_trace(trace_id)
    assert found is not None
    return found


def remote(name: str = "there") -> Trace:
    with tracehound.start_span(name) as outer:
        outer.set_inputs({"question": "why?"})
        tracehound.update_current_trace(tags={"team": "far", "both": "far"}, user="ann", session_id="s-1")
        with tracehound.start_span("inner", attributes={"k": [1]}) as inner:
            inner.add_link(tracehound.entities.Link(trace_id=outer.trace_id, span_id=outer.span_id))
        outer.set_outputs("because")
    return read(outer.trace_id)


# log_trace


def test_a_request_and_its_response_are_a_trace_of_one_span() -> None:
    found = read(
        tracehound.log_trace(
            "answer", {"q": "why?"}, "because", {"documents": ["a"]}, {"k": 1}, {"env": "prod"}, START_MS, 250
        )
    )
    [span] = found.data.spans
    assert (span.name, span.inputs, span.outputs) == ("answer", {"q": "why?"}, "because")
    assert (span.attributes["k"], span.attributes["mlflow.trace.intermediate_outputs"]) == (1, {"documents": ["a"]})
    assert (found.info.tags["env"], found.info.state) == ("prod", "OK")
    assert (found.info.request_time, found.info.execution_duration) == (START_MS, 250)


def test_times_that_are_not_given_are_now() -> None:
    short = read(tracehound.log_trace()).info
    assert (short.name, short.execution_duration) == ("Task", 0)
    assert read(tracehound.log_trace(execution_time_ms=70)).info.execution_duration == 70
    lasting = read(tracehound.log_trace(start_time_ms=START_MS)).info
    assert lasting.execution_duration is not None
    assert lasting.execution_duration >= short.request_time - START_MS


def test_it_is_a_trace_of_its_own_whatever_runs() -> None:
    with tracehound.start_span("outer") as outer:
        logged = tracehound.log_trace("logged")
        assert tracehound.get_current_active_span() is outer
    assert logged != outer.trace_id
    assert len(read(outer.trace_id).data.spans) == len(read(logged).data.spans) == 1


def test_nothing_is_logged_while_capture_is_off() -> None:
    tracehound.tracing.disable()
    trace_id = tracehound.log_trace("unseen", tags={"k": "v"})
    tracehound.tracing.enable()
    assert tracehound.get_trace(trace_id, silent=True) is None


def test_tags_that_are_no_mapping_are_an_error() -> None:
    with pytest.raises(ArgumentError, match="tags"):
        tracehound.log_trace(tags=["k"])  # type: ignore[arg-type] # which is the point


# add_trace


def test_the_spans_of_another_service_stand_below_the_current_one() -> None:
    far = remote()
    with tracehound.start_span("here") as here:
        tracehound.update_current_trace(tags={"both": "near"}, session_id="s-2")
        tracehound.add_trace(far.to_dict())
    found = read(here.trace_id)
    shape = {span.name: span.parent_id for span in found.data.spans}
    ids = {span.name: span.span_id for span in found.data.spans}
    assert shape == {"here": None, "there": ids["here"], "inner": ids["there"]}
    assert {span.trace_id for span in found.data.spans} == {here.trace_id}
    inner = found.data.spans[-1]
    assert (inner.attributes["k"], len(inner.links)) == ([1], 1)
    assert (found.info.name, found.info.tags["team"], found.info.tags["both"]) == ("here", "far", "near")
    metadata = found.info.trace_metadata
    assert (metadata["mlflow.trace.user"], metadata["mlflow.trace.session"]) == ("ann", "s-2")
    assert read(far.info.trace_id) == far, "the other trace stays what it is"


def test_adding_it_again_or_below_a_span_that_has_ended_changes_or_adds_to_the_same_trace() -> None:
    far = remote()
    outer = tracehound.start_span_no_context("outer")
    tracehound.add_trace(far, target=outer)
    tracehound.add_trace(far, target=outer)
    outer.end()
    assert len(read(outer.trace_id).data.spans) == 3
    tracehound.add_trace(remote("late"), target=outer)
    assert len(read(outer.trace_id).data.spans) == 5


def test_without_a_span_that_runs_it_gets_a_root_of_its_own() -> None:
    far = remote()
    tracehound.add_trace(far)
    trace_id = tracehound.get_last_active_trace_id()
    assert trace_id is not None
    found = read(trace_id)
    assert [span.name for span in found.data.spans] == ["Remote Trace <there>", "there", "inner"]
    root = found.data.spans[0]
    assert (root.inputs, root.outputs, root.start_time_ns) == (
        {"question": "why?"}, "because", far.data.spans[0].start_time_ns,
    )  # fmt: skip
    assert found.info.tags["team"] == "far"


def test_a_part_of_a_trace_whose_parent_is_elsewhere_stands_below_the_target() -> None:
    far = remote().to_dict()
    far["data"]["spans"] = far["data"]["spans"][1:]
    with tracehound.start_span("here") as here:
        tracehound.add_trace(far)
    spans = read(here.trace_id).data.spans
    assert [(span.name, span.parent_id) for span in spans] == [("here", None), ("inner", spans[0].span_id)]


def test_what_is_no_finished_trace_is_an_error() -> None:
    far = remote()
    running = Trace(replace(far.info, state=TraceState.IN_PROGRESS), far.data)
    mistakes = [
        (running, "has not ended"),
        ({"info": {}}, "is missing"),
        ("tr-1", "takes a Trace"),
        (Trace(remote().info, tracehound.entities.TraceData([])), "without its spans"),
    ]
    for given, told in mistakes:
        with pytest.raises(ArgumentError, match=told):
            tracehound.add_trace(given)  # type: ignore[arg-type] # which is the point
    with pytest.raises(ArgumentError, match="target"):
        tracehound.add_trace(remote(), target="span")  # type: ignore[arg-type] # which is the point


def test_nothing_is_added_while_capture_is_off() -> None:
    far = remote()
    before = len(tracehound.search_traces(return_type="list"))
    tracehound.tracing.disable()
    tracehound.add_trace(far)
    with tracehound.start_span("off"):
        tracehound.add_trace(far)
    tracehound.tracing.enable()
    assert len(tracehound.search_traces(return_type="list")) == before


# Destinations


def place(name: str) -> MlflowExperimentLocation:
    return MlflowExperimentLocation(tracehound.create_experiment(name))


def traced() -> str:
    with tracehound.start_span("answer") as span:
        pass
    return read(span.trace_id).info.experiment_id


def test_a_destination_goes_before_the_active_run_and_experiment_until_it_is_reset() -> None:
    shop, bank = place("shop"), place("bank")
    tracehound.tracing.set_destination(shop)
    tracehound.set_experiment("other")
    with tracehound.start_run():
        assert traced() == shop.experiment_id
        assert read(tracehound.log_trace()).info.experiment_id == shop.experiment_id
    tracehound.tracing.set_destination(TraceLocation.from_experiment_id(bank.experiment_id))
    assert traced() == bank.experiment_id
    tracehound.tracing.reset()
    assert traced() == tracehound.set_experiment("other").experiment_id


def test_a_destination_of_this_context_counts_in_no_other_thread() -> None:
    shop, bank = place("shop"), place("bank")
    tracehound.tracing.set_destination(bank)
    tracehound.tracing.set_destination(shop, context_local=True)
    found = [traced()]
    thread = threading.Thread(target=lambda: found.append(traced()))
    thread.start()
    thread.join()
    assert found == [shop.experiment_id, bank.experiment_id]


def test_reset_forgets_processors_and_captures_again() -> None:
    tracehound.tracing.configure(span_processors=[lambda span: span.set_outputs("changed")])
    tracehound.tracing.disable()
    tracehound.tracing.reset()
    assert read(tracehound.log_trace(response="as it was")).data.spans[0].outputs == "as it was"


def test_reset_keeps_what_keeps_secrets_out() -> None:
    with tracehound.tracing.configure(mask=lambda _value: "masked"):
        tracehound.tracing.reset()
        assert read(tracehound.log_trace(response="secret")).data.spans[0].outputs == "masked"


def test_a_place_that_is_no_experiment_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="traces are kept in experiments"):
        tracehound.tracing.set_destination("main.traces")  # type: ignore[arg-type] # which is the point
    with pytest.raises(NotFoundError):
        tracehound.tracing.set_destination(MlflowExperimentLocation("123"))


@pytest.mark.parametrize("tools", ["add", [{"name": "add"}], [{"type": "function", "function": {}}], [1]])
def test_what_describes_no_tools_is_an_error(tools: object) -> None:
    with tracehound.start_span("ask") as span, pytest.raises(ArgumentError, match="tools are a list such as"):
        tracehound.tracing.set_span_chat_tools(span, tools)  # type: ignore[arg-type] # which is the point
