"""What is kept and what is not: sampling, and capture switched off and on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

import tracehound
from tracehound import runtime
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.errors import ArgumentError
from tracehound.model.ids import NO_OP_TRACE_ID
from tracehound.settings import read_settings
from tracehound.testing import recorded_traces


def set_ratio(ratio: float) -> None:
    here = runtime.current()
    here.settings = dataclasses.replace(here.settings, sampling_ratio=ratio)


@pytest.fixture(autouse=True)
def switched_on() -> Iterator[None]:
    yield
    tracehound.tracing.enable()


def names() -> list[str]:
    return sorted(trace.info.name for trace in tracehound.search_traces(return_type="list"))


@tracehound.trace
def leaf() -> str:
    return "leaf"


@tracehound.trace
def root() -> str:
    return leaf()


def test_the_ratio_decides_for_whole_traces() -> None:
    set_ratio(0.0)
    assert root() == "leaf"
    set_ratio(1.0)
    root()
    (trace,) = tracehound.search_traces(return_type="list")
    assert [span.name for span in trace.data.spans] == ["root", "leaf"]


def test_about_the_share_that_was_asked_for_is_kept_and_the_id_decides() -> None:
    set_ratio(0.25)
    for _ in range(2000):
        leaf()
    kept = tracehound.search_traces(return_type="list")
    assert 400 < len(kept) < 600  # six standard deviations
    assert all(int(trace.info.trace_id[-16:], 16) < 2**62 for trace in kept)


def test_a_function_may_have_a_ratio_of_its_own() -> None:
    never = tracehound.trace(leaf, name="never", sampling_ratio_override=0)
    always = tracehound.trace(leaf, name="always", sampling_ratio_override=1.0)
    never()
    set_ratio(0.0)
    always()
    assert names() == ["always"]


def test_the_own_ratio_of_a_function_counts_only_where_it_begins_a_trace() -> None:
    never = tracehound.trace(leaf, name="never", sampling_ratio_override=0)
    with tracehound.start_span("outer"):
        never()
    (trace,) = tracehound.search_traces(return_type="list")
    assert [span.name for span in trace.data.spans] == ["outer", "never", "leaf"]


@pytest.mark.parametrize("ratio", [-0.1, 1.5, "often", float("nan")])
def test_a_ratio_that_is_none_is_refused(ratio: object) -> None:
    with pytest.raises(ArgumentError, match=r"sampling_ratio_override is a number from 0 .* to 1"):
        tracehound.trace(leaf, sampling_ratio_override=ratio)  # type: ignore[call-overload] # the mistake under test


def test_the_environment_sets_the_ratio() -> None:
    assert read_settings({"TRACEHOUND_SAMPLING_RATIO": "0.5"}).sampling_ratio == 0.5
    with pytest.raises(ArgumentError, match="TRACEHOUND_SAMPLING_RATIO is a number from 0"):
        read_settings({"TRACEHOUND_SAMPLING_RATIO": "half"})


def test_a_span_that_is_not_kept_takes_everything_and_keeps_nothing() -> None:
    set_ratio(0.0)
    with tracehound.start_span("unseen") as span:
        span.set_inputs({"a": 1})
        span.set_attribute("b", 2)
        span.set_status("ERROR")
        span.add_event("c")
        tracehound.update_current_trace(tags={"d": "e"})  # and no warning: it is not kept on purpose
        assert tracehound.get_current_active_span() is None
        assert tracehound.get_active_trace_id() is None
    assert isinstance(span, NoOpSpan)
    assert span.trace_id == NO_OP_TRACE_ID
    assert (span.inputs, span.attributes, span.events, span.parent) == (None, {}, [], None)
    assert names() == []


def test_what_is_not_kept_says_so_to_other_services() -> None:
    set_ratio(0.0)
    with tracehound.start_span("unseen") as span:
        inside = otel.get_current_span().get_span_context()
    assert inside.is_valid
    assert not inside.trace_flags.sampled
    assert span.get_span_context() == inside


@pytest.mark.parametrize("flags", [0, 1])
def test_a_remote_parent_decides_whether_its_trace_is_kept(flags: int) -> None:
    above = otel.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=otel.TraceFlags(flags))
    token = otel_context.attach(otel.set_span_in_context(otel.NonRecordingSpan(above)))
    set_ratio(1.0 - flags)
    root()
    otel_context.detach(token)
    assert names() == ["root"] * flags


def test_generators_and_coroutines_that_are_not_kept_behave_as_without(recwarn: pytest.WarningsRecorder) -> None:
    @tracehound.trace
    def count() -> Iterator[int]:
        yield from (1, 2)

    set_ratio(0.0)
    assert list(count()) == [1, 2]
    tracehound.tracing.disable()
    assert list(count()) == [1, 2]
    assert names() == []


def test_capture_stays_off_until_it_is_switched_on_again() -> None:
    tracehound.tracing.disable()
    root()
    tracehound.set_experiment("shop")
    root()
    tracehound.set_tracking_uri("other.db")
    root()
    with tracehound.start_span("block") as span:
        assert not span.is_recording()
        assert tracehound.get_current_active_span() is None
    tracehound.start_span_no_context("manual").end()
    tracehound.tracing.get_tracer_provider().get_tracer("library").start_span("theirs").end()
    assert names() == []
    tracehound.tracing.enable()
    root()
    assert names() == ["root"]


def test_what_runs_when_capture_is_switched_off_is_kept_without_what_begins_then() -> None:
    with recorded_traces() as traces, tracehound.start_span("outer"):
        tracehound.tracing.disable()
        leaf()
        with tracehound.start_span("unseen"):
            tracehound.tracing.enable()
            leaf()
    assert traces.as_dicts() == [
        {
            "name": "outer",
            "state": "OK",
            "spans": [{"name": "outer", "status": "OK", "spans": [{"name": "leaf", "status": "OK"}]}],
        }
    ]


def test_suppressed_instrumentation_is_not_recorded() -> None:
    token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    assert root() == "leaf"
    otel_context.detach(token)
    assert names() == []
