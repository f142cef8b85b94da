"""Any trace, for properties: as capture makes them, with all that can be said of one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tracehound.entities import (
    Assessment,
    AssessmentError,
    AssessmentSource,
    Expectation,
    Feedback,
    IssueReference,
    Span,
    SpanStatus,
    SpanStatusCode,
    Trace,
    TraceData,
    TraceInfo,
    TraceState,
)
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.span import INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID
from tracehound.model.trace import TRACE_NAME
from tracehound.model.values import encode_value

TIMES_NS = st.integers(1, 2**62)
TIMES_MS = st.integers(0, 4_000_000_000_000)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)  # lone surrogates never pass capture; NUL does
MAX_DURATION_MS = 315_576_000_000_000  # ten thousand years, all that protobuf's JSON can write
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1) | st.just(2**53 + 1)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
JSON = VALUES.map(encode_value)
RESERVED = {INPUTS, OUTPUTS, SPAN_TYPE, TRACE_REQUEST_ID}
ATTRIBUTES = st.dictionaries(TEXTS.filter(lambda key: key not in RESERVED), JSON, max_size=3)
# OpenTelemetry, through which MLflow reads events, knows plain values only, and no mixed lists of them.
FLAT = st.dictionaries(
    TEXTS.filter(bool), (st.booleans() | TEXTS | st.integers(0, 2**53)).map(encode_value), max_size=2
)
TRACE_IDS = st.integers(1, 2**128 - 1).map("tr-%032x".__mod__)
SPAN_IDS = st.integers(1, 2**64 - 1).map("%016x".__mod__)
STATUSES = st.builds(SpanStatus, st.sampled_from([SpanStatusCode.OK, SpanStatusCode.UNSET])) | st.builds(
    SpanStatus, st.just(SpanStatusCode.ERROR), TEXTS
)
NAMES = st.dictionaries(TEXTS, TEXTS, max_size=3)


def spans(trace_id: str) -> st.SearchStrategy[Span]:
    return st.builds(
        Span,
        trace_id=st.just(trace_id),
        span_id=SPAN_IDS,
        parent_id=st.none() | SPAN_IDS,
        name=TEXTS,
        start_time_ns=TIMES_NS,
        end_time_ns=st.none() | TIMES_NS,
        status=STATUSES,
        span_type=st.none() | TEXTS,
        inputs_json=st.none() | JSON,
        outputs_json=st.none() | JSON,
        attributes_json=ATTRIBUTES,
        event_records=st.lists(st.builds(RecordedEvent, TEXTS, TIMES_NS, FLAT), max_size=2).map(tuple),
        link_records=st.lists(st.builds(RecordedLink, TRACE_IDS, SPAN_IDS, FLAT), max_size=2).map(tuple),
        kind=st.sampled_from(["INTERNAL", "CLIENT", "SERVER"]),
    )


def assessments(trace_id: str) -> st.SearchStrategy[Assessment]:
    common: dict[str, Any] = {
        "source": st.builds(AssessmentSource, st.sampled_from(["HUMAN", "CODE", "LLM_JUDGE"]), TEXTS),
        "trace_id": st.none() | st.just(trace_id),
        "metadata": st.none() | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2),
        "span_id": st.none() | SPAN_IDS,
        "create_time_ms": TIMES_MS,
        "last_update_time_ms": TIMES_MS,
        "rationale": st.none() | TEXTS,
        "assessment_id": st.none() | TEXTS.filter(bool),
        "overrides": st.none() | TEXTS,
    }
    errors = st.none() | st.builds(AssessmentError, TEXTS, st.none() | TEXTS, st.none() | TEXTS)
    some = VALUES.filter(lambda value: value is not None)
    return st.one_of(
        st.builds(Feedback, TEXTS, VALUES, errors, valid=st.booleans(), **common),
        st.builds(Expectation, TEXTS, some, valid=st.none() | st.booleans(), **common),
        st.builds(IssueReference, TEXTS, TEXTS, valid=st.none() | st.booleans(), **common),
    )


@st.composite
def infos(draw: st.DrawFn, trace_id: str) -> TraceInfo:
    tags = draw(NAMES) | ({TRACE_NAME: draw(TEXTS)} if draw(st.booleans()) else {})
    return TraceInfo(
        trace_id=trace_id,
        experiment_id=str(draw(st.integers(0, 2**63))),
        request_time=draw(TIMES_MS),
        execution_duration=draw(st.none() | st.integers(0, MAX_DURATION_MS)),
        state=draw(st.sampled_from(TraceState)),
        name=tags.get(TRACE_NAME, ""),
        request_preview=draw(st.none() | TEXTS),
        response_preview=draw(st.none() | TEXTS),
        client_request_id=draw(st.none() | TEXTS),
        trace_metadata=draw(NAMES),
        tags=tags,
        assessments=draw(st.lists(assessments(trace_id), max_size=2)),
    )


TRACES = TRACE_IDS.flatmap(
    lambda trace_id: st.builds(Trace, infos(trace_id), st.builds(TraceData, st.lists(spans(trace_id), max_size=3)))
)
