"""Spans in MLflow's form and back; previews; buckets."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.model.buckets import bucket_of, percentiles, value_of
from tracehound.model.ids import RandomIds
from tracehound.model.merge import effective_parts, merge_parts
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.span import Span, SpanStatus, SpanStatusCode, span_from_dict
from tracehound.model.trace import TracePart, TraceState


def test_a_span_in_mlflows_form_comes_back_as_it_was() -> None:
    full = Span(
        trace_id="tr-" + "ab" * 16,
        span_id="cd" * 8,
        parent_id="ef" * 8,
        name="call",
        start_time_ns=1,
        end_time_ns=2,
        status=SpanStatus(SpanStatusCode.ERROR, "ValueError: no"),
        span_type="TOOL",
        inputs_json='{"x":1}',
        outputs_json="null",
        attributes_json={"model": '"gpt"'},
        event_records=(RecordedEvent("exception", 1, {"exception.type": '"ValueError"'}),),
        link_records=(RecordedLink("tr-" + "01" * 16, "23" * 8, {}),),
        kind="CLIENT",
    )
    form = full.to_dict()
    assert form["attributes"] == {
        "mlflow.traceRequestId": f'"{full.trace_id}"',
        "mlflow.spanType": '"TOOL"',
        "mlflow.spanInputs": '{"x":1}',
        "mlflow.spanOutputs": "null",
        "model": '"gpt"',
    }
    assert form["span_id"] == "zc3Nzc3Nzc0="
    assert span_from_dict(form) == full
    assert (full.inputs, full.outputs, full.get_attribute("model")) == ({"x": 1}, None, "gpt")


SPANS = st.lists(
    st.builds(
        span,
        st.integers(1, 5),
        parent=st.none() | st.integers(1, 5),
        start_ms=st.integers(0, 3),
        duration_ms=st.none() | st.integers(0, 3),
        failed=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)
PARTS = st.lists(
    st.builds(
        lambda spans, written_ns, tags: part(*spans, written_ns=written_ns, tags=tags),
        SPANS,
        st.integers(1, 3),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz")),
    ),
    min_size=1,
    max_size=5,
)


@given(PARTS, st.randoms(use_true_random=False))
def test_any_parts_in_any_order_make_the_same_trace(parts: list[TracePart], shuffle: random.Random) -> None:
    expected = merge_parts(parts)
    shuffle.shuffle(parts)
    assert merge_parts(parts) == expected


def test_a_trace_without_its_root_takes_the_earliest_span_for_it() -> None:
    trace = merge_parts([part(span(3, parent=2, start_ms=4, failed=True), span(2, parent=1, start_ms=1, name="local"))])
    assert (trace.info.name, trace.info.state) == ("local", TraceState.OK)


def test_a_long_input_is_previewed_with_dots() -> None:
    long = part(Span("tr-1", "1", None, "n", 1, 2, inputs_json='"' + "x" * 5000 + '"'))
    preview = merge_parts([long]).info.request_preview
    assert preview is not None
    assert (len(preview), preview[-4:]) == (1000, "x...")


@given(st.integers(0, 10**9))
def test_a_bucket_stands_for_its_durations_within_one_percent(duration_ms: int) -> None:
    assert value_of(bucket_of(duration_ms)) == pytest.approx(duration_ms, rel=0.01)


@given(st.lists(st.integers(0, 10**6), min_size=1), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_bucket_of_the_nearest_rank(durations: list[int], fraction: float) -> None:
    rank = max(1, -int(-fraction * len(durations) // 1))
    exact = sorted(durations)[min(rank, len(durations)) - 1]
    (found,) = percentiles(Counter(map(bucket_of, durations)), [fraction])
    assert found == value_of(bucket_of(exact))


def test_ids_do_not_follow_the_seed_of_the_program() -> None:
    random.seed(1)
    first = [RandomIds().trace_id(), RandomIds().span_id()]
    random.seed(1)
    assert [RandomIds().trace_id(), RandomIds().span_id()] != first


PARTS = st.lists(
    st.builds(
        lambda spans, written_ns, owner, tags: part(*spans, written_ns=written_ns, owner=owner, tags=tags),
        SPANS,
        st.integers(1, 4),
        st.sampled_from([None, None, "A", "B"]),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=1),
    ),
    min_size=1,
    max_size=6,
)


@given(PARTS, st.randoms(use_true_random=False))
def test_a_store_may_forget_snapshots_that_were_overtaken(parts: list[TracePart], order: random.Random) -> None:
    arrived = [*parts]
    order.shuffle(arrived)
    kept: list[TracePart] = []
    for each in arrived:
        kept = effective_parts([*kept, each])
    assert merge_parts(kept) == merge_parts(parts)
