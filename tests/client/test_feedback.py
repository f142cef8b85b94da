"""Assessments: what is logged is read, searched with its trace, changed, overridden and taken back."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

import tracehound
from tracehound import runtime
from tracehound.entities import Assessment, AssessmentSource, Expectation, Feedback, IssueReference
from tracehound.errors import ArgumentError, NotFoundError, StoreError


@pytest.fixture(params=["sqlite", "memory"])
def anywhere(request: pytest.FixtureRequest) -> None:
    """Both where edits go through the spool and where they do not."""
    if request.param == "memory":
        tracehound.set_tracking_uri("memory://")


def make_trace(name: str = "answer") -> str:
    with tracehound.start_span(name) as span:
        pass
    return span.trace_id


def assessments_of(trace_id: str) -> list[Assessment]:
    trace = tracehound.get_trace(trace_id)
    assert trace is not None
    return trace.info.assessments


def id_of(assessment: Assessment) -> str:
    assert assessment.assessment_id is not None
    return assessment.assessment_id


@pytest.mark.usefixtures("anywhere")
def test_what_is_logged_is_read_with_its_trace_as_it_was_returned() -> None:
    trace_id = make_trace()
    feedback = tracehound.log_feedback(
        trace_id=trace_id, name="correct", value={"score": [1, 2.5, None, True]}, rationale="as in the book",
        source=AssessmentSource("HUMAN", "bob"), metadata={"round": "1"},
    )  # fmt: skip
    expectation = tracehound.log_expectation(trace_id=trace_id, name="city", value=["Paris"])
    issue = tracehound.log_assessment(trace_id, IssueReference("is-1", "wrong language"))
    assert assessments_of(trace_id) == [feedback, expectation, issue]
    for each in (feedback, expectation, issue):
        assert id_of(each).startswith("a-")
        assert len(id_of(each)) == 34
        assert each.trace_id == trace_id
        assert each.valid is True
        assert tracehound.get_assessment(trace_id, id_of(each)) == each
    assert isinstance(feedback, Feedback)
    assert feedback.value == {"score": [1, 2.5, None, True]}
    assert feedback.source == AssessmentSource("HUMAN", "bob")
    assert expectation.source.source_type == "HUMAN"


def test_feedback_without_a_source_is_of_code_and_an_error_says_why_there_is_no_value() -> None:
    trace_id = make_trace()
    kept = tracehound.log_feedback(trace_id=trace_id, error=TimeoutError("the judge was slow"))
    (read,) = assessments_of(trace_id)
    assert read == kept
    assert isinstance(read, Feedback)
    assert (read.name, read.value, read.source.source_type) == ("feedback", None, "CODE")
    assert (read.error_code, read.error_message) == ("TimeoutError", "the judge was slow")


@pytest.mark.usefixtures("anywhere")
def test_what_is_logged_in_one_moment_is_in_the_order_in_which_it_was_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.current(), "clock_ns", lambda: 10**18)
    trace_id = make_trace()
    logged = [tracehound.log_feedback(trace_id=trace_id, name="note", value=number) for number in range(9)]
    assert assessments_of(trace_id) == logged


@pytest.mark.usefixtures("anywhere")
def test_a_trace_that_runs_here_is_assessed_and_its_spans_too() -> None:
    with tracehound.start_span("answer") as root:
        with tracehound.start_span("step") as step:
            pass
        of_root = tracehound.log_feedback(trace_id=root.trace_id, name="a", value=1, span_id=root.span_id)
        of_step = tracehound.log_feedback(trace_id=root.trace_id, name="b", value=2, span_id=step.span_id)
        assert tracehound.get_assessment(root.trace_id, id_of(of_root)) == of_root
        tracehound.delete_assessment(root.trace_id, id_of(of_root))
        with pytest.raises(NotFoundError, match="has no assessment"):
            tracehound.get_assessment(root.trace_id, id_of(of_root))
        with pytest.raises(NotFoundError, match="has no span 00000000000000ff"):
            tracehound.log_feedback(trace_id=root.trace_id, value=3, span_id="00000000000000ff")
    assert assessments_of(root.trace_id) == [of_step]


@pytest.mark.usefixtures("anywhere")
def test_a_trace_or_span_that_is_not_there_is_an_error() -> None:
    trace_id = make_trace()
    calls: list[Callable[[], object]] = [
        lambda: tracehound.log_feedback(trace_id="tr-none", value=1),
        lambda: tracehound.log_expectation(trace_id="tr-none", name="x", value=1),
        lambda: tracehound.get_assessment("tr-none", "a-1"),
        lambda: tracehound.update_assessment("tr-none", "a-1", Feedback("x", 1)),
        lambda: tracehound.delete_assessment("tr-none", "a-1"),
        lambda: tracehound.override_feedback(trace_id="tr-none", assessment_id="a-1", value=1),
        lambda: tracehound.log_feedback(trace_id=trace_id, value=1, span_id="00000000000000ff"),
        lambda: tracehound.get_assessment(trace_id, "a-1"),
        lambda: tracehound.update_assessment(trace_id, "a-1", Feedback("x", 1)),
        lambda: tracehound.log_assessment(trace_id, Feedback("x", 1, overrides="a-1")),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match=r"no trace tr-none|has no span|has no assessment"):
            call()
    assert assessments_of(trace_id) == []


@pytest.mark.usefixtures("anywhere")
def test_an_update_keeps_source_and_span_and_adds_metadata() -> None:
    with tracehound.start_span("answer") as span:
        pass
    kept = tracehound.log_feedback(
        trace_id=span.trace_id, name="correct", value=False, rationale="no", metadata={"a": "1", "b": "1"},
        span_id=span.span_id, source=AssessmentSource("HUMAN", "ann"),
    )  # fmt: skip
    said = Feedback("right", value=True, metadata={"b": "2"}, source=AssessmentSource("CODE"))
    changed = tracehound.update_assessment(span.trace_id, id_of(kept), said)
    assert assessments_of(span.trace_id) == [changed]
    assert isinstance(changed, Feedback)
    assert (changed.name, changed.value, changed.rationale) == ("right", True, "no")
    assert changed.metadata == {"a": "1", "b": "2"}
    assert (changed.source, changed.span_id) == (AssessmentSource("HUMAN", "ann"), span.span_id)
    assert changed.create_time_ms == kept.create_time_ms
    assert changed.last_update_time_ms >= kept.last_update_time_ms


def test_an_update_to_another_kind_is_refused() -> None:
    trace_id = make_trace()
    kept = tracehound.log_expectation(trace_id=trace_id, name="city", value="Paris")
    with pytest.raises(ArgumentError, match="is an expectation and stays one, not a feedback"):
        tracehound.update_assessment(trace_id, id_of(kept), Feedback("city", "Rome"))
    assert assessments_of(trace_id) == [kept]


@pytest.mark.usefixtures("anywhere")
def test_an_override_makes_the_old_feedback_invalid_until_it_is_deleted() -> None:
    trace_id = make_trace()
    first = tracehound.log_feedback(trace_id=trace_id, name="correct", value=False)
    second = tracehound.override_feedback(trace_id=trace_id, assessment_id=id_of(first), value=True, rationale="seen")
    trace = tracehound.get_trace(trace_id)
    assert trace is not None
    assert trace.search_assessments("correct") == [second]
    assert {id_of(each): each.valid for each in trace.info.assessments} == {id_of(first): False, id_of(second): True}
    assert second.overrides == id_of(first)
    tracehound.delete_assessment(trace_id, id_of(second))
    tracehound.delete_assessment(trace_id, id_of(second))
    assert assessments_of(trace_id) == [first]


def test_an_old_feedback_stays_invalid_while_another_override_is_there() -> None:
    trace_id = make_trace()
    first = tracehound.log_feedback(trace_id=trace_id, name="correct", value=1)
    overrides = [
        tracehound.override_feedback(trace_id=trace_id, assessment_id=id_of(first), value=value) for value in (2, 3)
    ]
    tracehound.delete_assessment(trace_id, id_of(overrides[0]))
    assert tracehound.get_assessment(trace_id, id_of(first)).valid is False
    tracehound.delete_assessment(trace_id, id_of(overrides[1]))
    assert tracehound.get_assessment(trace_id, id_of(first)).valid is True


def test_only_a_feedback_is_overridden() -> None:
    trace_id = make_trace()
    kept = tracehound.log_expectation(trace_id=trace_id, name="city", value="Paris")
    with pytest.raises(ArgumentError, match="is an expectation; only a feedback can be overridden"):
        tracehound.override_feedback(trace_id=trace_id, assessment_id=id_of(kept), value="Rome")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name is a text that is not empty"),
    ({"value": {1, 2}}, "made of texts, numbers, booleans, lists and dicts"),
    ({"value": {1: "a"}}, "1 is no key of an object"),
    ({"value": [datetime.datetime(2026, 1, 1)]}, "made of texts"),
    ({"value": "x" * 2_000_000}, "at most 1,000,000 bytes"),
    ({"rationale": 3}, "rationale is a text, not 3"),
    ({"metadata": ["a"]}, "metadata of an assessment are a dict"),
    ({"source": "HUMAN"}, "source of an assessment is an AssessmentSource"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_what_cannot_be_kept_is_refused_and_harms_nothing(arguments: dict[str, Any], message: str) -> None:
    trace_id = make_trace()
    with pytest.raises(ArgumentError, match=message):
        tracehound.log_feedback(trace_id=trace_id, **arguments)
    assert assessments_of(trace_id) == []


def test_an_expectation_needs_a_value_and_an_assessment_has_to_be_one() -> None:
    trace_id = make_trace()
    with pytest.raises(ArgumentError, match="an expectation has a value"):
        tracehound.log_expectation(trace_id=trace_id, name="x", value=None)
    with pytest.raises(ArgumentError, match="is a Feedback, an Expectation or an IssueReference"):
        tracehound.log_assessment(trace_id, {"name": "x"})  # type: ignore[arg-type] # what is refused


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "日本 🐕", "", "true", 1e300, -0.0, 2**53, {"a": {"b": []}}])
def test_odd_values_are_read_as_they_can_be_written(value: object) -> None:
    trace_id = make_trace()
    kept = tracehound.log_feedback(trace_id=trace_id, name="a\0\ud800", value=value, rationale="\ud800")
    assert assessments_of(trace_id) == [kept]
    assert isinstance(kept, Feedback)
    assert kept.value == ("?" if value == "\ud800" else value)


def test_what_is_not_recorded_is_not_assessed() -> None:
    tracehound.tracing.disable()
    try:
        with tracehound.start_span("unseen") as span:
            pass
    finally:
        tracehound.tracing.enable()
    assert tracehound.log_feedback(trace_id=span.trace_id, value=1).assessment_id is None
    tracehound.delete_assessment(span.trace_id, "a-1")


def test_an_assessment_is_kept_when_the_call_returns_whatever_becomes_of_the_process() -> None:
    trace_id = make_trace()
    kept = tracehound.log_expectation(trace_id=trace_id, name="city", value="Paris")
    place = runtime.current().settings.tracking_uri
    tracehound.set_tracking_uri("memory://")  # closes what was open
    tracehound.set_tracking_uri(place)
    assert assessments_of(trace_id) == [kept]
    assert isinstance(kept, Expectation)


def test_where_nothing_can_be_kept_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    trace_id = make_trace()
    spool = runtime.current()._spool
    assert spool is not None

    def fail(*_: object) -> None:
        raise StoreError("no space left")

    monkeypatch.setattr(spool, "append_edit", fail)
    with pytest.raises(StoreError, match="no space left"):
        tracehound.log_feedback(trace_id=trace_id, value=1)
    monkeypatch.undo()
    assert assessments_of(trace_id) == []
