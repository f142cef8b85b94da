"""Spans that are made current by callbacks, of which the one at the end may not come."""

from __future__ import annotations

from opentelemetry import trace as otel

import tracehound
from tracehound.capture.attached import attach, detach_ended
from tracehound.testing import recorded_traces

TRACER = tracehound.tracing.get_tracer_provider().get_tracer("callbacks")


def test_an_attached_span_is_the_parent_of_what_begins_until_it_ends() -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent") as agent:
        outer = TRACER.start_span("outer")
        attach(outer)
        inner = TRACER.start_span("inner")
        attach(inner)
        with tracehound.start_span("tool"):
            pass
        inner.end()
        detach_ended()
        TRACER.start_span("second").end()
        outer.end()
        detach_ended()
        assert otel.get_current_span() is agent
    below_outer = [
        {"name": "inner", "status": "OK", "spans": [{"name": "tool", "status": "OK"}]},
        {"name": "second", "status": "OK"},
    ]
    assert recorded.as_dicts()[0]["spans"][0]["spans"] == [{"name": "outer", "status": "OK", "spans": below_outer}]


def test_a_span_that_has_ended_and_was_left_behind_is_no_parent() -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        lost = TRACER.start_span("lost")
        attach(lost)
        lost.end()
        TRACER.start_span("next").end()
        attach(after := TRACER.start_span("after"))
        after.end()
        detach_ended()
    assert [[span["name"] for span in trace["spans"][0]["spans"]] for trace in recorded.as_dicts()] == [
        ["lost", "next", "after"]
    ]


def test_where_nothing_was_current_a_span_left_behind_is_followed_by_traces_of_their_own() -> None:
    def left_behind() -> None:
        attach(lost := TRACER.start_span("lost"))
        lost.end()
        with tracehound.start_span("next"):
            pass

    with recorded_traces() as recorded:
        otel_context_copy(left_behind)
    assert [trace["name"] for trace in recorded.as_dicts()] == ["lost", "next"]


def test_spans_that_end_in_another_order_than_they_began_leave_nothing_behind() -> None:
    with recorded_traces(), tracehound.start_span("agent") as agent:
        outer = TRACER.start_span("outer")
        attach(outer)
        inner = TRACER.start_span("inner")
        attach(inner)
        outer.end()
        detach_ended()
        assert otel.get_current_span().get_span_context() == inner.get_span_context()
        inner.end()
        detach_ended()
        assert otel.get_current_span() is agent


def test_what_is_said_of_the_current_span_and_trace_reaches_them() -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        attach(step := TRACER.start_span("step"))
        otel.get_current_span().set_attribute("a", 1)
        otel.get_current_span().add_event("seen")
        active = tracehound.get_current_active_span()
        assert active is not None
        active.set_attribute("b", 2)
        tracehound.update_current_trace(tags={"team": "sky"})
        step.end()
        detach_ended()
    (trace,) = recorded.traces()
    assert trace.info.tags["team"] == "sky"
    assert {key: trace.data.spans[1].get_attribute(key) for key in "ab"} == {"a": 1, "b": 2}
    assert [event.name for event in trace.data.spans[1].events] == ["seen"]


def otel_context_copy(call: object) -> None:
    """Call a function in a copy of the context, so that what it leaves behind does not stay."""
    import contextvars

    contextvars.copy_context().run(call)  # type: ignore[arg-type]
