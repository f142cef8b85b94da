"""Traces for tests, made without running anything."""

from __future__ import annotations

from tracehound.model.derive import COST, SIZE_BYTES, SIZE_STATS, TOKEN_USAGE, TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import TraceInfo, TracePart

START_MS = 1_735_689_600_000
DERIVED = (TRACE_INPUTS, TRACE_OUTPUTS, TOKEN_USAGE, COST, SIZE_BYTES, SIZE_STATS)


def said_tags(info: TraceInfo) -> dict[str, str]:
    """Return the tags without what the store says of itself."""
    return {key: value for key, value in info.tags.items() if key != ARTIFACT_LOCATION}


def said_metadata(info: TraceInfo) -> dict[str, str]:
    """Return the metadata without what follows from the spans, and without where the trace comes from."""
    filled_in = ("mlflow.source.", "mlflow.user", *DERIVED)
    return {key: value for key, value in info.trace_metadata.items() if not key.startswith(filled_in)}


def span(number: int, trace: int = 1, *, parent: int | None = None, start_ms: int = 0, duration_ms: int | None = 10,
         name: str = "step", failed: bool = False) -> Span:  # fmt: skip
    """Return a span of a trace; its start counts from START_MS."""
    start_ns = (START_MS + start_ms) * 1_000_000
    return Span(
        trace_id=f"tr-{trace:032x}",
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name,
        start_time_ns=start_ns,
        end_time_ns=None if duration_ms is None else start_ns + duration_ms * 1_000_000,
        status=SpanStatus(SpanStatusCode.ERROR if failed else SpanStatusCode.OK),
        inputs_json='{"question":"why?"}',
        outputs_json='"because"',
    )


def part(*spans: Span, experiment: str = "Default", written_ns: int = 1, tags: dict[str, str] | None = None,
         metadata: dict[str, str] | None = None, client_request_id: str | None = None,
         owner: str | None = None) -> TracePart:  # fmt: skip
    """Return a part with the spans, which are all of one trace; with an owner it is a snapshot."""
    return TracePart(
        trace_id=spans[0].trace_id,
        experiment=experiment,
        written_ns=written_ns,
        spans=list(spans),
        tags=tags or {},
        metadata=metadata or {},
        client_request_id=client_request_id,
        owner=owner,
    )
