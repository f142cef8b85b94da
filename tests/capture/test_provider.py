"""OpenTelemetry's API over our tracer provider, as other people's instrumentation uses it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.trace import SpanKind, Status, StatusCode

import tracehound
from tracehound import runtime
from tracehound.capture.live_span import LiveSpan
from tracehound.capture.no_op_span import NoOpSpan
from tracehound.capture.sdk_view import InstrumentationScope
from tracehound.model.span import Span, SpanStatusCode
from tracehound.settings import read_settings
from tracehound.testing import RecordedTraces, recorded_traces

PROVIDER = tracehound.tracing.get_tracer_provider()
TRACER = PROVIDER.get_tracer("my.library", "1.2")
ELSEWHERE = otel.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED))


def spans(recorded: RecordedTraces) -> list[Span]:
    (trace,) = recorded.traces()
    return trace.data.spans


def test_no_provider_is_made_global_unless_the_program_asks_for_it() -> None:
    with recorded_traces(), TRACER.start_as_current_span("fetch"):
        assert otel.get_tracer_provider() is not PROVIDER


def test_spans_of_the_api_and_of_traced_functions_nest_in_either_order() -> None:
    @tracehound.trace
    def middle() -> None:
        with TRACER.start_as_current_span("inner"):
            pass

    with recorded_traces() as traces, TRACER.start_as_current_span("outer"):
        middle()
    assert traces.as_dicts() == [
        {
            "name": "outer",
            "state": "OK",
            "spans": [
                {
                    "name": "outer",
                    "status": "OK",
                    "spans": [{"name": "middle", "status": "OK", "spans": [{"name": "inner", "status": "OK"}]}],
                }
            ],
        }
    ]


def test_a_span_carries_the_library_that_it_comes_from() -> None:
    with recorded_traces() as traces:
        TRACER.start_span("fetch").end()
    (span,) = spans(traces)
    assert span.get_attribute("otel.scope.name") == "my.library"
    assert span.get_attribute("otel.scope.version") == "1.2"


def test_start_as_current_span_decorates_functions() -> None:
    @TRACER.start_as_current_span("double")
    def double(number: int) -> int:
        otel.get_current_span().set_attribute("number", number)
        return 2 * number

    with recorded_traces() as traces:
        assert [double(2), double(3)] == [4, 6]
    assert [trace.data.spans[0].get_attribute("number") for trace in traces.traces()] == [2, 3]


def test_start_as_current_span_decorates_coroutine_functions() -> None:
    @TRACER.start_as_current_span("double")
    async def double(number: int) -> int:
        with tracehound.start_span("wait"):
            await asyncio.sleep(0)
        return 2 * number

    async def main() -> list[int]:
        return list(await asyncio.gather(double(2), double(3)))

    with recorded_traces() as traces:
        assert asyncio.run(main()) == [4, 6]
    assert [[span.name for span in trace.data.spans] for trace in traces.traces()] == [["double", "wait"]] * 2


@pytest.mark.parametrize("kind", SpanKind)
def test_a_span_says_which_side_of_a_call_it_is_while_it_runs_and_behind(kind: SpanKind) -> None:
    with recorded_traces() as traces, TRACER.start_as_current_span("call", kind=kind) as span:
        assert getattr(span, "kind", None) is kind
    assert [span.kind for span in spans(traces)] == [kind.name]


def test_links_and_events_are_kept_with_their_attributes_and_times() -> None:
    with recorded_traces() as traces:
        span = TRACER.start_span("batch", links=[otel.Link(ELSEWHERE, {"n": 1})])
        span.add_link(ELSEWHERE, {"n": 2})
        span.add_event("read", {"rows": [1, 2]}, timestamp=1_735_689_600_000_000_001)
        span.end()
    (ended,) = spans(traces)
    assert [(link.trace_id, link.span_id, link.attributes) for link in ended.links] == [
        (f"tr-{0xABC:032x}", f"{0xDEF:016x}", {"n": 1}),
        (f"tr-{0xABC:032x}", f"{0xDEF:016x}", {"n": 2}),
    ]
    assert [(event.name, event.timestamp_ns, event.attributes) for event in ended.events] == [
        ("read", 1_735_689_600_000_000_001, {"rows": [1, 2]})
    ]


def test_times_that_are_given_count() -> None:
    with recorded_traces() as traces:
        TRACER.start_span("call", start_time=1_700_000_000_000_000_000).end(1_700_000_000_000_000_005)
    (span,) = spans(traces)
    assert (span.start_time_ns, span.end_time_ns) == (1_700_000_000_000_000_000, 1_700_000_000_000_000_005)


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_an_exception_is_recorded_and_fails_the_span_as_the_library_chose(records: bool, fails: bool) -> None:
    chosen: Any = {"record_exception": records, "set_status_on_exception": fails}
    with recorded_traces() as traces:
        with pytest.raises(KeyError), TRACER.start_as_current_span("current", **chosen):
            raise KeyError("missing")
        with pytest.raises(KeyError), TRACER.start_span("plain", **chosen):
            raise KeyError("missing")
    for trace in traces.traces():
        (span,) = trace.data.spans
        assert [event.name for event in span.events] == ["exception"] * records
        assert span.status.status_code == ("ERROR" if fails else "OK")
        assert span.status.description == ("KeyError: 'missing'" if fails else "")


def test_a_span_may_outlive_the_block_in_which_it_is_current() -> None:
    with recorded_traces() as traces:
        with TRACER.start_as_current_span("stream", end_on_exit=False) as span:
            pass
        assert span.is_recording()
        assert traces.as_dicts() == []
        span.end()
    assert [each["name"] for each in traces.as_dicts()] == ["stream"]


def test_nothing_is_recorded_where_instrumentation_is_suppressed() -> None:
    with recorded_traces() as traces:
        token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        try:
            with TRACER.start_as_current_span("export") as span:
                assert not span.is_recording()
        finally:
            otel_context.detach(token)
    assert traces.as_dicts() == []


def test_a_context_that_is_given_decides_in_place_of_the_current_one() -> None:
    with recorded_traces() as traces, TRACER.start_as_current_span("current"):
        TRACER.start_span("apart", context=Context()).end()
        TRACER.start_span("remote", context=otel.set_span_in_context(otel.NonRecordingSpan(ELSEWHERE))).end()
    found = {trace.info.name: (trace.info.trace_id, trace.data.spans[0].parent_id) for trace in traces.traces()}
    assert found["remote"] == (f"tr-{0xABC:032x}", f"{0xDEF:016x}")
    assert (len(found), found["apart"][1]) == (3, None)


def test_a_span_answers_what_instrumentations_read_of_the_sdks_span() -> None:
    with recorded_traces(), TRACER.start_as_current_span("outer"):
        with TRACER.start_as_current_span("call", kind=SpanKind.CLIENT, attributes={"a": 1}) as span:
            assert isinstance(span, LiveSpan)
            outer = span.parent
            assert outer is not None
            assert (outer.trace_id, outer.is_remote) == (span.context.trace_id, False)
            assert (span.name, span.kind, span.context) == ("call", SpanKind.CLIENT, span.get_span_context())
            assert span.attributes["a"] == span._attributes["a"] == 1
            assert (list(span.events), list(span.links), span.status.is_unset) == ([], [], True)
            assert span.resource.attributes["service.name"]
            assert span.instrumentation_scope == InstrumentationScope("my.library", "1.2")
            assert span.end_time is None
        assert span.end_time is not None
        assert span.end_time > span.start_time
        assert span.status.status_code is SpanStatusCode.OK


def test_a_span_below_a_remote_one_answers_with_its_context() -> None:
    with recorded_traces(), otel.use_span(otel.NonRecordingSpan(ELSEWHERE)):
        span = TRACER.start_span("serve")
        assert span.parent == ELSEWHERE
        span.end()
        alone = TRACER.start_span("alone", context=Context())
        assert alone.parent is None
        alone.end()


def test_a_second_end_and_what_is_set_behind_the_first_count_no_more() -> None:
    with recorded_traces() as traces:
        span = TRACER.start_span("call")
        span.end()
        end = span.end_time
        span.set_attribute("late", value=True)
        span.set_attributes({"late": True})
        span.add_event("late")
        span.add_link(ELSEWHERE)
        span.record_exception(ValueError("late"))
        span.set_status(StatusCode.ERROR)
        span.update_name("late")
        span.end()
        assert (span.is_recording(), span.end_time) == (False, end)
    (ended,) = spans(traces)
    assert (ended.name, ended.status.status_code, ended.events, ended.links) == ("call", "OK", [], [])
    assert "late" not in ended.attributes


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([], ("OK", "")),
        ([Status(StatusCode.OK), Status(StatusCode.ERROR, "no")], ("OK", "")),
        ([Status(StatusCode.ERROR, "no"), Status(StatusCode.OK)], ("OK", "")),
        ([Status(StatusCode.ERROR, "no"), Status(StatusCode.ERROR, "never")], ("ERROR", "never")),
        ([Status(StatusCode.ERROR, "no"), Status(StatusCode.UNSET)], ("ERROR", "no")),
    ],
)
def test_ok_is_final_and_unset_takes_nothing_back(said: list[Status], kept: tuple[str, str]) -> None:
    with recorded_traces() as traces, TRACER.start_as_current_span("call") as span:
        for status in said:
            span.set_status(status)
    (ended,) = spans(traces)
    assert (ended.status.status_code, ended.status.description) == kept


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let faults of capture be logged and counted, as in a user's program."""
    own = runtime.Runtime(read_settings({"TRACEHOUND_TRACKING_URI": "memory://"}))
    before = runtime.replace(own)
    monkeypatch.setattr(runtime, "faults", Counter())
    yield
    runtime.replace(before)
    own.close()


def test_a_span_with_a_beginning_that_makes_no_sense_is_kept_as_far_as_it_does(
    quiet: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        TRACER.start_span("call", kind=None).end()  # type: ignore[arg-type] # the mistake under test
    assert runtime.faults == {"start_span": 1}
    assert runtime.current().open_spans == {}
    (trace,) = tracehound.search_traces(return_type="list")
    assert trace.info.name == "call"


def test_spans_go_to_the_store_and_to_no_processors() -> None:
    with pytest.raises(NotImplementedError, match="an OpenTelemetry SDK"):
        PROVIDER.add_span_processor(object())


def test_a_span_of_what_is_not_kept_answers_as_well() -> None:
    span = NoOpSpan("nothing")
    assert (span.name, span.kind, span.parent, span.attributes) == ("nothing", SpanKind.INTERNAL, None, {})
    assert not span.is_recording()
