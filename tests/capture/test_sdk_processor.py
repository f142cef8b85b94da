"""Programs that run an OpenTelemetry SDK: its spans and ours are one tree, whichever is above."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, Status, StatusCode

import tracehound
from tracehound import runtime
from tracehound.context.running import RunningTraces
from tracehound.model.trace import Trace, TracePart
from tracehound.runtime import Runtime
from tracehound.settings import Settings
from tracehound.testing import RecordedTraces, recorded_traces

ELSEWHERE = otel.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED))


@pytest.fixture
def provider() -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(tracehound.tracing.get_span_processor())
    return provider


@pytest.fixture
def sdk(provider: TracerProvider) -> Tracer:
    tracer = provider.get_tracer("my.program", "1.2")
    assert isinstance(tracer, Tracer)
    return tracer


def only(recorded: RecordedTraces) -> Trace:
    (trace,) = recorded.traces()
    return trace


def tree(*names: str) -> list[dict[str, Any]]:
    """Return spans of which each is the only child of the one before, all of them OK."""
    name, *below = names
    return [{"name": name, "status": "OK", **({"spans": tree(*below)} if below else {})}]


def test_spans_of_the_sdk_and_of_ours_nest_in_either_order(sdk: Tracer) -> None:
    @tracehound.trace
    def ours() -> None:
        with sdk.start_as_current_span("theirs inside"), tracehound.start_span("innermost"):
            pass

    with recorded_traces() as traces:
        ours()
        with sdk.start_as_current_span("theirs outside"):
            ours()
    assert traces.as_dicts() == [
        {"name": "ours", "state": "OK", "spans": tree("ours", "theirs inside", "innermost")},
        {
            "name": "theirs outside",
            "state": "OK",
            "spans": tree("theirs outside", "ours", "theirs inside", "innermost"),
        },
    ]
    assert runtime.current().open_spans == {}


def test_a_span_of_the_sdk_is_kept_with_all_that_it_says(sdk: Tracer) -> None:
    with recorded_traces() as traces:
        span = sdk.start_span(
            "call",
            kind=SpanKind.CLIENT,
            attributes={"a": 1, "b": ("x", "y")},
            links=[otel.Link(ELSEWHERE, {"n": 1})],
            start_time=1_700_000_000_000_000_000,
        )
        span.add_event("sent", {"bytes": 3}, timestamp=1_700_000_000_000_000_001)
        span.set_status(Status(StatusCode.ERROR, "refused"))
        span.end(1_700_000_000_000_000_002)
    (kept,) = only(traces).data.spans
    ids = span.get_span_context()
    assert (kept.trace_id, kept.span_id) == (f"tr-{ids.trace_id:032x}", f"{ids.span_id:016x}")
    assert (kept.parent_id, kept.name, kept.kind) == (None, "call", "CLIENT")
    assert (kept.start_time_ns, kept.duration_ns) == (1_700_000_000_000_000_000, 2)
    assert (kept.status.status_code, kept.status.description) == ("ERROR", "refused")
    assert (kept.get_attribute("a"), kept.get_attribute("b")) == (1, ["x", "y"])
    assert (kept.get_attribute("otel.scope.name"), kept.get_attribute("otel.scope.version")) == ("my.program", "1.2")
    (event,) = kept.events
    assert (event.name, event.timestamp_ns, event.attributes) == ("sent", 1_700_000_000_000_000_001, {"bytes": 3})
    (link,) = kept.links
    assert (link.trace_id, link.span_id, link.attributes) == (f"tr-{0xABC:032x}", f"{0xDEF:016x}", {"n": 1})


def test_a_trace_that_the_sdk_began_is_the_last_one_and_takes_tags(sdk: Tracer) -> None:
    with recorded_traces() as traces, sdk.start_as_current_span("serve"):
        tracehound.update_current_trace(tags={"env": "prod"})
        trace_id = tracehound.get_active_trace_id()
    assert (only(traces).info.trace_id, only(traces).info.tags["env"]) == (trace_id, "prod")
    assert tracehound.get_last_active_trace_id(thread_local=True) == trace_id


def test_an_exception_fails_the_spans_that_it_leaves(sdk: Tracer) -> None:
    @tracehound.trace
    def lookup() -> None:
        with sdk.start_as_current_span("read"):
            raise KeyError("missing")

    with recorded_traces() as traces:
        with sdk.start_as_current_span("serve"), pytest.raises(KeyError):
            lookup()
        with pytest.raises(ZeroDivisionError), sdk.start_as_current_span("divide"):
            print(1 // 0)
    assert [each["state"] for each in traces.as_dicts()] == ["OK", "ERROR"]
    serve, lookup_span, read = traces.traces()[0].data.spans
    assert [span.status.status_code for span in (serve, lookup_span, read)] == ["OK", "ERROR", "ERROR"]
    (event,) = read.events
    assert event.attributes["exception.message"] == "'missing'"


def test_threads_and_coroutines_keep_their_own_children(sdk: Tracer) -> None:
    @tracehound.trace
    async def answer(number: int) -> None:
        await asyncio.sleep(0)
        with sdk.start_as_current_span(f"read {number}"):
            await asyncio.sleep(0)

    async def serve(number: int) -> None:
        with sdk.start_as_current_span(f"serve {number}"):
            await asyncio.gather(*(answer(number) for _ in range(3)))

    async def serve_all(first: int) -> None:
        await asyncio.gather(*(serve(number) for number in range(first, first + 10)))

    with recorded_traces() as traces, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda first: asyncio.run(serve_all(first)), range(0, 40, 10)))
    assert len(traces.as_dicts()) == 40
    for trace in traces.as_dicts():
        number = trace["name"].removeprefix("serve ")
        below = tree("answer", f"read {number}") * 3
        assert trace["spans"] == [{"name": f"serve {number}", "status": "OK", "spans": below}]
    assert runtime.current().open_spans == {}


def test_a_span_of_the_sdk_that_outlives_its_root_joins_the_trace(sdk: Tracer) -> None:
    with recorded_traces() as traces:
        with tracehound.start_span("ours"):
            late = sdk.start_span("late")
        assert [span.name for span in only(traces).data.spans] == ["ours"]
        late.end()
    assert [each["spans"] for each in traces.as_dicts()] == [tree("ours", "late")]


def test_a_span_of_ours_that_outlives_a_root_of_the_sdk_joins_the_trace(sdk: Tracer) -> None:
    def work() -> None:
        with tracehound.start_span("late"):
            has_begun.set()
            is_root_over.wait()

    has_begun, is_root_over = threading.Event(), threading.Event()
    with recorded_traces() as traces:
        with sdk.start_as_current_span("serve"):
            thread = threading.Thread(target=copy_context().run, args=(work,))
            thread.start()
            has_begun.wait()
        assert [span.name for span in only(traces).data.spans] == ["serve"]
        is_root_over.set()
        thread.join()
    assert [each["spans"] for each in traces.as_dicts()] == [tree("serve", "late")]


def test_a_span_that_begins_below_one_that_has_ended_joins_the_trace(sdk: Tracer) -> None:
    with recorded_traces() as traces:
        with sdk.start_as_current_span("serve") as ended:
            pass
        with otel.use_span(ended), tracehound.start_span("late"), sdk.start_as_current_span("later"):
            pass
    assert [each["spans"] for each in traces.as_dicts()] == [tree("serve", "late", "later")]


def test_a_span_of_the_sdk_below_a_remote_one_is_a_local_root(sdk: Tracer) -> None:
    with recorded_traces() as traces, otel.use_span(otel.NonRecordingSpan(ELSEWHERE)):
        with sdk.start_as_current_span("serve"), tracehound.start_span("answer"):
            pass
        assert runtime.current().open_spans == {}
    serve, answer = only(traces).data.spans
    assert (serve.trace_id, serve.parent_id) == (f"tr-{0xABC:032x}", f"{0xDEF:016x}")
    assert answer.parent_id == serve.span_id


def test_what_the_sdk_does_not_sample_is_not_kept_nor_what_is_below() -> None:
    off = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    off.add_span_processor(tracehound.tracing.get_span_processor())
    tracer = off.get_tracer("my.program")
    with recorded_traces() as traces, tracer.start_as_current_span("serve"), tracehound.start_span("answer") as answer:
        assert not answer.is_recording()
    assert traces.as_dicts() == []


def test_the_sdk_follows_where_we_do_not_keep_a_trace(sdk: Tracer) -> None:
    @tracehound.trace(sampling_ratio_override=0)
    def skipped() -> None:
        with sdk.start_as_current_span("read") as span:
            assert not span.is_recording()

    with recorded_traces() as traces:
        skipped()
    assert traces.as_dicts() == []


def test_spans_of_the_sdk_are_not_kept_while_capture_is_switched_off(sdk: Tracer) -> None:
    with recorded_traces() as traces:
        running = sdk.start_span("running")
        tracehound.tracing.disable()
        try:
            sdk.start_span("unseen").end()
            running.end()
        finally:
            tracehound.tracing.enable()
    assert [each["name"] for each in traces.as_dicts()] == ["running"]


def test_a_trace_that_the_sdk_began_is_seen_while_it_runs(sdk: Tracer) -> None:
    kept: list[TracePart] = []

    def keep(part: TracePart) -> bool:
        kept.append(part)
        return True

    settings = Settings(tracking_uri="memory://", raise_faults=True, snapshot_after_s=0.0)
    own = Runtime(settings)
    runtime.replace(own)
    running = RunningTraces(own.open_spans, keep, own.clock_ns, first_after_s=1.0)
    with sdk.start_as_current_span("serve") as span, tracehound.start_span("answer"):
        span.set_attribute("a", 1)
        with sdk.start_as_current_span("done"):
            pass
        running.take_all()
        records = [shown.to_record() for reference in own.open_spans.values() if (shown := reference()) is not None]
        assert {record.name: record.attributes.get("a") for record in records} == {"serve": 1, "answer": None}
    running.take_all()
    (part,) = kept
    assert [(shown.name, shown.end_time_ns is None) for shown in part.spans] == [
        ("done", False),
        ("serve", True),
        ("answer", True),
    ]


def test_a_running_trace_of_the_sdk_is_watched(sdk: Tracer) -> None:
    with recorded_traces(), sdk.start_as_current_span("serve"):
        assert runtime.current().is_watching


def test_a_span_ends_where_traces_go_by_then(sdk: Tracer, tmp_path: Path) -> None:
    span = sdk.start_span("serve")
    tracehound.set_tracking_uri(str(tmp_path / "other.db"))
    span.end()
    (trace,) = tracehound.search_traces(return_type="list")
    assert trace.info.name == "serve"


def test_a_flush_of_the_provider_brings_what_is_finished_into_the_store(sdk: Tracer, provider: TracerProvider) -> None:
    sdk.start_span("serve").end()
    assert provider.force_flush()
    assert (tracehound.flush().stored, tracehound.flush().pending) == (1, 0)


def test_a_fault_of_ours_does_not_reach_the_program(
    sdk: Tracer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    own = Runtime(Settings(tracking_uri="memory://"))
    runtime.replace(own)
    monkeypatch.setattr(runtime, "faults", Counter())
    monkeypatch.setattr(own, "submit", break_down)
    monkeypatch.setattr(own, "flush", break_down)
    processor = tracehound.tracing.get_span_processor()
    with caplog.at_level(logging.CRITICAL), sdk.start_as_current_span("serve"):
        pass
    monkeypatch.setattr(own, "watch", break_down)
    with caplog.at_level(logging.CRITICAL), sdk.start_as_current_span("serve"):
        pass
    assert not processor.force_flush()
    assert runtime.faults == {"on_end": 1, "on_start": 1, "force_flush": 1}
    assert own.open_spans == {}


def test_without_the_sdk_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tracehound.capture.sdk_processor", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ImportError, match=r"pip install 'tracehound\[otel-sdk\]'"):
        tracehound.tracing.get_span_processor()
