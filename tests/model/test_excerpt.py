"""As much of traces as there is room for, and a count of the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.model.trace_strategies import TRACES
from tests.traces import part, span
from tracehound.entities import SpanEvent, SpanStatus, SpanStatusCode, Trace
from tracehound.model.excerpt import take_excerpt
from tracehound.model.merge import merge_parts
from tracehound.model.occurrence import RecordedEvent
from tracehound.model.record import replace

LONG = "x" * 50_000


def one(*spans: object, **said: object) -> Trace:
    return merge_parts([part(*spans, **said)])  # type: ignore[arg-type] # spans, and what `part` takes


@given(st.lists(TRACES, max_size=3))
def test_where_there_is_room_everything_is_there(traces: list[Trace]) -> None:
    found = take_excerpt(traces, 1_000_000)
    assert found.traces == traces
    assert (found.missing_values, found.missing_spans, found.missing_traces) == (0, 0, 0)


@given(st.lists(TRACES, min_size=1, max_size=4), st.integers(0, 4_000))
def test_what_is_kept_is_a_beginning_and_the_rest_is_counted(traces: list[Trace], characters: int) -> None:
    found = take_excerpt(traces, characters)
    assert found.traces
    assert len(found.traces) + found.missing_traces == len(traces)
    spans = 0
    for kept, whole in zip(found.traces, traces, strict=False):
        assert [each.span_id for each in kept.data.spans] == [
            each.span_id for each in whole.data.spans[: len(kept.data.spans)]
        ]
        spans += len(whole.data.spans) - len(kept.data.spans)
    assert found.missing_spans == spans


def test_long_values_are_cut_to_their_beginning_wherever_they_are() -> None:
    status = SpanStatus(SpanStatusCode.ERROR, LONG)
    event = RecordedEvent("event", 1, {"key": f'"{LONG}"'})
    long = replace(
        span(1, name=LONG), inputs_json=f'"{LONG}"', outputs_json=f'["{LONG}"]', status=status,
        attributes_json={"key": f'"{LONG}"', "short": "1"}, event_records=[event],
    )  # fmt: skip
    found = take_excerpt([one(long, tags={"tag": LONG}, metadata={"key": LONG})], 1_000_000)
    [kept] = found.traces[0].data.spans
    assert found.missing_values == 4
    assert kept.inputs == '"' + "x" * 9_999 + "… 40,002 characters more"
    assert kept.outputs == '["' + "x" * 9_998 + "… 40,004 characters more"
    assert kept.attributes["short"] == 1
    assert isinstance(kept.events[0], SpanEvent)
    for text in (kept.name, kept.status.description, kept.attributes["key"], kept.events[0].attributes["key"]):
        assert text.endswith("characters more")
    assert found.traces[0].info.tags["tag"].endswith("characters more")
    assert found.traces[0].info.trace_metadata["key"].endswith("characters more")


def test_a_span_that_there_is_no_room_for_is_there_without_its_values_if_it_is_the_first() -> None:
    many = replace(span(1), attributes_json={f"key {number}": "1" for number in range(1_000)})
    found = take_excerpt([one(many, span(2, parent=1)), one(span(1, 2))], 1_000)
    [kept] = found.traces[0].data.spans
    assert (kept.name, kept.attributes_json, kept.inputs_json) == ("step", {}, None)
    assert (found.missing_values, found.missing_spans, found.missing_traces) == (1_002, 1, 1)


def test_a_trace_of_which_too_much_is_known_is_there_without_that() -> None:
    found = take_excerpt([one(span(1), tags={f"key {number}": "value" for number in range(1_000)})], 3_000)
    assert (found.traces[0].info.tags, found.traces[0].info.name) == ({}, "step")
