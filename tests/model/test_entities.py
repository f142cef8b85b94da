"""Entities: the names of both generations, searching in a trace, and what is said when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import tracehound
from tests.traces import part, span
from tracehound.entities import (
    AssessmentError,
    AssessmentSource,
    AssessmentSourceType,
    Expectation,
    Feedback,
    IssueReference,
    Link,
    Span,
    SpanEvent,
    SpanStatus,
    SpanType,
    Trace,
    TraceData,
    TraceInfo,
)
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.testing import recorded_traces

TRACE = merge_parts(
    [part(span(1, name="answer"), span(2, parent=1, name="search a"), span(3, parent=1, name="search b"))]
)
HUMAN = AssessmentSource("human", "bob")


def test_both_generations_of_names_say_the_same() -> None:
    info = TRACE.info
    assert (info.request_id, info.timestamp_ms, info.timestamp) == (info.trace_id, info.request_time, info.request_time)
    assert (info.status, info.execution_time_ms) == (info.state, info.execution_duration)
    assert info.request_metadata is info.metadata is info.trace_metadata
    assert (TRACE.trace_id, TRACE.data.spans[0].request_id) == (info.trace_id, info.trace_id)
    assert info.trace_location.to_dict()["mlflow_experiment"] == {"experiment_id": info.experiment_id}


def test_tokens_and_cost_are_read_from_the_metadata_and_absent_where_they_make_no_sense() -> None:
    said = {"mlflow.trace.tokenUsage": '{"total_tokens":5}', "mlflow.trace.cost": '{"total_cost":0.5}'}
    trace = merge_parts([part(span(1), metadata=said)])
    assert (trace.token_usage, trace.cost) == ({"total_tokens": 5}, {"total_cost": 0.5})
    odd = merge_parts([part(span(1), metadata={"mlflow.trace.tokenUsage": "many", "mlflow.trace.cost": "[1]"})])
    assert (odd.token_usage, odd.cost, TRACE.token_usage) == (None, None, None)


def test_spans_are_found_by_type_name_pattern_and_id() -> None:
    first, second, third = TRACE.data.spans
    assert TRACE.search_spans() == [first, second, third]
    assert TRACE.search_spans(name="answer") == [first]
    assert TRACE.search_spans(name=re.compile("^search")) == [second, third]
    assert TRACE.search_spans(SpanType.UNKNOWN, re.compile("b$")) == [third]
    assert TRACE.search_spans(span_id=second.span_id, span_type="TOOL") == []
    with pytest.raises(tracehound.ArgumentError, match="by a pattern too, not by 3"):
        TRACE.search_spans(name=3)  # type: ignore[arg-type] # what is tested


def test_assessments_are_found_by_name_span_and_type_and_replaced_ones_if_asked_for() -> None:
    good, old = Feedback("good", value=True, span_id="1"), Feedback("good", value=False, valid=False)
    fact, issue = Expectation("fact", {"a": 1}), IssueReference("is-1", "slow")
    trace = Trace(replace(TRACE.info, assessments=[good, old, fact, issue]), TRACE.data)
    assert trace.search_assessments() == [good, fact, issue]
    assert trace.search_assessments("good", all=True) == [good, old]
    assert trace.search_assessments(span_id="1") == [good]
    assert trace.search_assessments(type="expectation") == [fact]
    assert trace.search_assessments(type="feedback") == [good]
    with pytest.raises(tracehound.ArgumentError, match="expectation or feedback, not 'issue'"):
        trace.search_assessments(type="issue")  # type: ignore[arg-type] # what is tested


def test_assessments_take_what_mlflows_take() -> None:
    failed = Feedback(error=ValueError("no"))
    assert (failed.name, failed.error_code, failed.error_message) == ("feedback", "ValueError", "no")
    assert Feedback(error="no").error == AssessmentError("ASSESSMENT_ERROR", "no")
    assert (failed.source.source_type, Expectation("e", 1).source.source_type) == ("CODE", "HUMAN")
    assert failed.create_time_ms == failed.last_update_time_ms > 1_700_000_000_000
    assert Feedback(metadata={"mlflow.assessment.sourceRunId": "r"}).run_id == "r"
    assert AssessmentSource(AssessmentSourceType.HUMAN, "bob") == HUMAN
    with pytest.warns(FutureWarning, match="LLM_JUDGE"):
        assert AssessmentSource("ai_judge").source_type == "LLM_JUDGE"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AssessmentSource("robot"), "source is HUMAN, LLM_JUDGE, CODE, .*, not 'robot'"),
        (lambda: Expectation("e", None), "an expectation has a value"),
        (lambda: Feedback(error=3), "an exception, an AssessmentError or a text, not 3"),  # type: ignore[arg-type] # what is tested
        (lambda: Feedback(source="HUMAN"), "is an AssessmentSource, not 'HUMAN'"),  # type: ignore[arg-type] # what is tested
        (lambda: SpanStatus("FINE"), "OK, ERROR or UNSET, not 'FINE'"),  # type: ignore[arg-type] # what is tested
    ],
)
def test_what_makes_no_sense_is_an_argument_error(make: Callable[..., object], message: str) -> None:
    with pytest.raises(tracehound.ArgumentError, match=message):
        make()


def test_a_span_is_no_mapping_and_says_what_to_write() -> None:
    (first, *_) = TRACE.data.spans
    answers: dict[Callable[[Any], object], str] = {
        lambda span: span["inputs"]: "write span.inputs$",
        lambda span: span["mlflow.spanType"]: r"write span.get_attribute\('mlflow.spanType'\)$",
        lambda span: span["nothing"]: r"span.to_dict\(\) gives a dict$",
        list: "cannot be iterated over",
        lambda span: "name" in span: "cannot be iterated over",
    }
    for ask, message in answers.items():
        with pytest.raises(TypeError, match=message):
            ask(first)


def test_what_is_printed_is_short_however_much_there_is() -> None:
    large = [replace(span(number), inputs_json='"' + "x" * 1000 + '"', name="n" * 5000) for number in range(1, 5001)]
    tags = {f"tag {number}": "y" * 1000 for number in range(100)}
    trace = merge_parts([part(*large, tags=tags)])
    for each in (trace, trace.info, trace.data, trace.data.spans[0], Feedback("long", "z" * 10_000)):
        assert 20 < len(repr(each)) < 1_000, type(each)
    assert repr(TRACE).endswith("name='answer', state='OK', spans=3)")


def test_equal_ones_have_equal_hashes_and_different_ones_are_told_apart() -> None:
    other = merge_parts([part(span(1, name="other"))])
    assert {TRACE, Trace.from_dict(TRACE.to_dict()), other} == {TRACE, other}
    assert {TRACE.info, other.info, TRACE.data, other.data, HUMAN, Feedback(value=[1], create_time_ms=1)}
    assert {*TRACE.data.spans, *TRACE.data.spans} == set(TRACE.data.spans)


def test_events_and_links_that_a_program_makes_are_kept_with_plain_values() -> None:
    event = SpanEvent("retry", 1_735_689_600_000_000_123, {"attempt": 2, "why": "5"})
    link = Link("tr-" + "0" * 31 + "1", "0" * 15 + "2", {"n": "5", "m": 5})
    with recorded_traces() as traces, tracehound.start_span("step", links=[link]) as live:
        live.add_event(event)
        live.add_event(SpanEvent.from_exception(KeyError("k")))
        live.set_status(SpanStatus("ERROR", "no"))  # type: ignore[arg-type] # as a text
        assert (live.events[0], live.links) == (event, [link])
    (kept,) = traces.traces()[0].data.spans
    assert (kept.events[0], kept.links) == (event, [link])
    assert (kept.status.status_code, kept.status.description) == ("ERROR", "no")
    assert kept.events[1].attributes["exception.message"] == "'k'"


def form_of(change: Callable[[Any], object]) -> dict[str, Any]:
    form = json.loads(Trace(replace(TRACE.info, assessments=[Feedback("f", 1)]), TRACE.data).to_json())
    change(form)
    return dict(form)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda form: form.pop("info"), "^info is missing; there is 'data'$"),
        (lambda form: form.update(extra=1), "^extra: not known; a newer MLflow may have written it$"),
        (lambda form: form["info"].update(extra=1), "^info.extra: not known"),
        (lambda form: form["info"].pop("state"), "^info.state is missing"),
        (lambda form: form["info"].update(state="FINE"), "^info.state is to be one of .*OK.*, not 'FINE'$"),
        (lambda form: form["info"].update(request_time=5), "^info.request_time is to be a text, not 5$"),
        (lambda form: form["info"].update(request_time="5"), "a time such as 2026-11-21T01:39:54.213Z, not '5'$"),
        (lambda form: form["info"].update(request_time="2026-13-41T01:39:54Z"), "^info.request_time is to be a time"),
        (lambda form: form["info"].update(tags={"a": 1}), "^info.tags.a is to be a text, not 1$"),
        (lambda form: form["info"].update(execution_duration_ms=True), "a whole number, not True$"),
        (
            lambda form: form["info"].update(trace_location={"type": "MOON"}),
            "^info.trace_location.type is to be one of",
        ),
        (lambda form: form["info"]["assessments"][0].pop("source"), r"^info.assessments\[0\].source is missing"),
        (lambda form: form["info"]["assessments"][0].pop("feedback"), r"^info.assessments\[0\].feedback is missing"),
        (
            lambda form: form["info"]["assessments"][0]["source"].update(source_type="X"),
            r"^info.assessments\[0\].source.source_type is to be a source of assessments, not 'X'$",
        ),
        (lambda form: form["data"].update(spans={}), "^data.spans is to be a list, not {}$"),
        (lambda form: form["data"]["spans"].append(1), r"^data.spans\[3\] is to be an object, not 1$"),
        (lambda form: form["data"]["spans"][1].pop("name"), r"^data.spans\[1\].name is missing"),
        (lambda form: form["data"]["spans"][1].update(new=[]), r"^data.spans\[1\].new: not known"),
        (lambda form: form["data"]["spans"][1].update(span_id="xyz"), "an id of 16 hexadecimal digits"),
        (lambda form: form["data"]["spans"][1].update(trace_id="AAA="), "an id of 32 hexadecimal digits"),
        (lambda form: form["data"]["spans"][1]["status"].update(code="BAD"), r"^data.spans\[1\].status.code is to be"),
        (
            lambda form: form["data"]["spans"][1]["attributes"].clear(),
            r"attributes.mlflow.traceRequestId is to be the id",
        ),
        (
            lambda form: form["data"]["spans"][1].update(events=[{"name": "e"}]),
            r"events\[0\].time_unix_nano is missing",
        ),
        (lambda form: form["data"]["spans"][1].update(links=[{"trace_id": "t"}]), r"links\[0\].span_id is missing"),
        (
            lambda form: form["data"]["spans"][1].update(context=1),
            r"^data.spans\[1\].context is to be an object, not 1$",
        ),
    ],
)
def test_an_object_that_is_no_trace_is_an_error_that_names_the_key(
    change: Callable[[Any], object], message: str
) -> None:
    form = form_of(change)
    before = json.dumps(form)
    with pytest.raises(tracehound.ArgumentError, match=message):
        Trace.from_dict(form)
    assert json.dumps(form) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "^not a JSON text: ''"),
        ("{", "^not a JSON text: '{'"),
        (b"\xff\xfe", "^not a JSON text"),
        (None, "^what is to be read is to be a JSON text, not null$"),
        ("[1]", r"^what is to be read is to be an object, not \[1\]$"),
        ("null", "is to be an object, not null$"),
        ("[" * 100_000, "nested too deep"),
        ("x" * 100_000, "^not a JSON text: 'x{60}'…"),
    ],
)
def test_a_text_that_is_no_trace_is_an_argument_error(text: Any, message: str) -> None:
    with pytest.raises(tracehound.ArgumentError, match=message):
        Trace.from_json(text)


def test_parts_are_read_on_their_own_and_reading_changes_nothing_that_was_given() -> None:
    old = {"request_id": "a", "experiment_id": "3", "timestamp_ms": 5, "execution_time_ms": None, "status": "OK"}
    given = dict(old)
    info = TraceInfo.from_dict(given)
    assert (info.trace_id, info.experiment_id, info.request_time, given) == ("a", "3", 5, old)
    assert TraceData.from_dict(TRACE.data.to_dict()) == TRACE.data
    form = {**TRACE.info.to_dict(), "execution_duration": "0.151s"}
    del form["execution_duration_ms"]
    assert TraceInfo.from_dict(form).execution_duration == 151
    assert Span.from_dict(TRACE.data.spans[1].to_dict()) == TRACE.data.spans[1]


def test_a_trace_of_another_place_keeps_its_place() -> None:
    place = {"type": "INFERENCE_TABLE", "inference_table": {"full_table_name": "a.b.c"}}
    form = {**TRACE.info.to_dict(), "trace_location": place}
    info = TraceInfo.from_dict(form)
    assert (info.experiment_id, info.to_dict()) == ("", form)
