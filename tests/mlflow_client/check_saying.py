"""What is said of traces afterwards: tags, feedback, expectations, runs, models."""

from __future__ import annotations

from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Expectation, Feedback, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.prompt.registry_utils import PromptVersion


def traced(name: str = "answer") -> str:
    with mlflow.start_span(name) as span:
        span.set_outputs(name)
    mlflow.flush_trace_async_logging()
    return str(span.trace_id)


def kept(trace_id: str) -> Any:
    found = mlflow.get_trace(trace_id)
    assert found is not None
    return found


def check_tags_are_set_changed_and_removed(experiment: str) -> None:
    trace_id = traced()
    mlflow.set_trace_tag(trace_id, "reviewed", "ja: 日本語")
    mlflow.set_trace_tag(trace_id, "a.b c", "x" * 5_000)
    assert kept(trace_id).info.tags["reviewed"] == "ja: 日本語"
    assert kept(trace_id).info.tags["a.b c"] == "x" * 5_000
    mlflow.set_trace_tag(trace_id, "mlflow.traceName", "renamed")
    assert mlflow.search_traces(filter_string="name = 'renamed'", return_type="list")[0].info.trace_id == trace_id
    mlflow.delete_trace_tag(trace_id, "reviewed")
    assert "reviewed" not in kept(trace_id).info.tags
    with pytest.raises(MlflowException) as raised:
        mlflow.delete_trace_tag(trace_id, "reviewed")
    assert raised.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize("value", [True, False, "good", "", 0.5, {"a": [1.0, None]}, ["x", {}], None])
def check_feedback_comes_back_as_it_was(value: Any, experiment: str) -> None:
    trace_id = traced()
    said = mlflow.log_feedback(
        trace_id=trace_id, name="quality", value=value, rationale="because", metadata={"m": "1"},
        source=AssessmentSource("HUMAN", "bob"),
        error=ValueError("nothing to say") if value is None else None,
    )  # fmt: skip
    (found,) = kept(trace_id).info.assessments
    assert (found.assessment_id, found.name, found.rationale) == (said.assessment_id, "quality", "because")
    assert (found.source.source_type, found.source.source_id, found.metadata) == ("HUMAN", "bob", {"m": "1"})
    assert found.value == value
    assert type(found.value) is type(value)
    assert mlflow.get_assessment(trace_id, said.assessment_id).value == value
    if value is None:
        assert (found.error.error_code, found.error.error_message) == ("ValueError", "nothing to say")


@pytest.mark.parametrize("value", [True, "Paris", {"a": [1, 2], "empty": {}, "none": None}, [2**53 + 1]])
def check_an_expectation_comes_back_as_it_was(value: Any, experiment: str) -> None:
    trace_id = traced()
    mlflow.log_expectation(trace_id=trace_id, name="city", value=value)
    (found,) = kept(trace_id).info.assessments
    assert (found.name, found.value) == ("city", value)


def check_assessments_of_spans_and_of_the_trace_under_way(experiment: str) -> None:
    with mlflow.start_span("answer") as span:
        mlflow.log_feedback(trace_id=span.trace_id, name="inside", value=True)
    mlflow.flush_trace_async_logging()
    mlflow.log_feedback(trace_id=span.trace_id, name="of span", value=1.0, span_id=span.span_id)
    found = {each.name: each for each in kept(span.trace_id).info.assessments}
    assert (found["inside"].value, found["of span"].span_id) == (True, span.span_id)


def check_feedback_is_changed_overridden_and_deleted(experiment: str) -> None:
    trace_id = traced()
    first = mlflow.log_feedback(trace_id=trace_id, name="correct", value=False, metadata={"a": "1"})
    changed = mlflow.update_assessment(
        trace_id, first.assessment_id, Feedback("right", value=True, rationale="looked up", metadata={"b": "2"})
    )
    assert (changed.name, changed.value, changed.rationale, changed.metadata) == (
        "right", True, "looked up", {"a": "1", "b": "2"},
    )  # fmt: skip
    other = mlflow.override_feedback(trace_id=trace_id, assessment_id=first.assessment_id, value=False)
    assert [(each.value, each.valid) for each in kept(trace_id).info.assessments] == [(True, False), (False, True)]
    assert [each.value for each in kept(trace_id).search_assessments("right")] == [False]
    mlflow.delete_assessment(trace_id, other.assessment_id)
    assert [(each.value, each.valid) for each in kept(trace_id).info.assessments] == [(True, True)]
    mlflow.delete_assessment(trace_id, other.assessment_id)
    with pytest.raises(MlflowException) as raised:
        mlflow.update_assessment(trace_id, first.assessment_id, Expectation("right", "x"))
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"


def check_traces_belong_to_the_run_they_began_in_or_were_linked_to(experiment: str) -> None:
    with mlflow.start_run(run_name="nightly") as run:
        inside = traced("inside")
    outside = traced("outside")
    MlflowClient().link_traces_to_run([outside], run.info.run_id)
    found = mlflow.search_traces(run_id=run.info.run_id, return_type="list")
    assert {each.info.trace_id for each in found} == {inside, outside}
    assert kept(inside).info.trace_metadata["mlflow.sourceRun"] == run.info.run_id


def check_a_run_has_parameters_metrics_and_tags(experiment: str) -> None:
    client = MlflowClient()
    with mlflow.start_run(run_name="nightly", tags={"team": "a"}, description="all of it") as run:
        mlflow.log_params({"k": 3, "text": "ü"})
        mlflow.log_metrics({"accuracy": 0.9, "loss": 1e-9})
        mlflow.log_metric("accuracy", 0.95)
        mlflow.log_param("single", "x")
        mlflow.set_tag("later", "yes")
        client.log_batch(run.info.run_id, [Metric("m", 1.0, 0, 0)], [Param("p", "1")], [RunTag("t", "2")])
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.run_name, found.info.status, found.info.experiment_id) == ("nightly", "FINISHED", experiment)
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"k": "3", "text": "ü", "single": "x", "p": "1"}
    assert found.data.metrics == {"accuracy": 0.95, "loss": 1e-9, "m": 1.0}
    assert found.data.tags.items() >= {"team": "a", "later": "yes", "t": "2"}.items()
    client.delete_tag(run.info.run_id, "later")
    assert "later" not in mlflow.get_run(run.info.run_id).data.tags
    with pytest.raises(MlflowException) as raised:
        client.log_param(run.info.run_id, "k", 4)
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as failed:
        _ = 1 / 0
    assert mlflow.get_run(failed.info.run_id).info.status == "FAILED"


def check_runs_are_found_in_pages(experiment: str) -> None:
    client = MlflowClient()
    made = [client.create_run(experiment, start_time=1000 + each, run_name=f"r{each}").info.run_id for each in range(5)]
    client.log_metric(made[2], "accuracy", 0.9)
    (found,) = client.search_runs([experiment], 'metrics.accuracy > 0.5 and attributes.run_name = "r2"')
    assert found.info.run_id == made[2]
    names: list[str] = []
    token = None
    while True:
        page = client.search_runs([experiment], max_results=2, order_by=["attributes.start_time ASC"], page_token=token)
        names += [each.info.run_name for each in page]
        client.create_run(experiment, start_time=1)  # before all others
        token = page.token
        if not token:
            break
    assert names == ["r0", "r1", "r2", "r3", "r4"]


def check_traces_name_the_active_model(experiment: str) -> None:
    model = mlflow.set_active_model(name="agent")
    trace_id = traced()
    assert mlflow.set_active_model(name="agent").model_id == model.model_id
    assert [each.info.trace_id for each in mlflow.search_traces(model_id=model.model_id, return_type="list")] == [
        trace_id
    ]
    found = mlflow.get_logged_model(model.model_id)
    assert (found.name, found.status, found.experiment_id) == ("agent", "READY", experiment)


def check_models_have_parameters_and_tags(experiment: str) -> None:
    client = MlflowClient()
    model = mlflow.create_external_model("v2", params={"temperature": "0.2"}, tags={"team": "a"}, model_type="agent")
    mlflow.log_model_params({"k": "3"}, model_id=model.model_id)
    client.set_logged_model_tags(model.model_id, {"later": "yes"})
    client.delete_logged_model_tag(model.model_id, "team")
    found = mlflow.get_logged_model(model.model_id)
    assert (found.params, found.model_type) == ({"temperature": "0.2", "k": "3"}, "agent")
    assert (found.tags.get("later"), found.tags.get("team")) == ("yes", None)
    others = mlflow.search_logged_models(
        [experiment], "params.k = '3'", order_by=[{"field_name": "creation_time", "ascending": False}],
        output_format="list",
    )  # fmt: skip
    assert [each.model_id for each in others] == [model.model_id]


def check_prompts_are_linked(experiment: str) -> None:
    trace_id = traced()
    versions = [PromptVersion("greeting", 1, "hi"), PromptVersion("greeting", 2, "hello")]
    store = mlflow.tracing.client.TracingClient().store
    store.link_prompts_to_trace(trace_id, versions[:1])
    store.link_prompts_to_trace(trace_id, versions)
    linked = '[{"name":"greeting","version":"1"},{"name":"greeting","version":"2"}]'
    assert kept(trace_id).info.tags["mlflow.linkedPrompts"] == linked
