"""What OTLP means here, whether it came as protobuf or as JSON: spans of many traces -> parts of traces.

The attributes of a resource are said of the whole trace: they become metadata, and what is our own, under names that
begin with `WHOLE`, goes where it belongs. Each span keeps the name of its service, for a trace may run through several,
and what its scope says, under the names that exporters without scopes use.

What is not our own export passes through the intake of all that comes in (`wire.intake`). The spans of one trace that
come together are one part. The same request gives the same parts, so that a store takes in once what is sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.errors import TracehoundError
from tracehound.model.limits import MAX_SPAN_ATTRIBUTES
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import replace
from tracehound.model.span import (
    INPUTS,
    OUTPUTS,
    SPAN_TYPE,
    TRACE_REQUEST_ID,
    UNKNOWN,
    Span,
    SpanStatus,
    SpanStatusCode,
)
from tracehound.model.trace import TracePart, TraceState
from tracehound.model.values import clean_text, decode_value, encode_value, to_text
from tracehound.wire.dialects import mlflow

WHOLE: Final = "tracehound.trace."
EXPERIMENT: Final = f"{WHOLE}experiment"  # says as well that it is our own export
NAMED_EXPERIMENT: Final = "tracehound.experiment"  # for others who send
STATE: Final = f"{WHOLE}state"
TEXTS: Final = ("client_request_id", "request_preview", "response_preview")
TAG: Final = f"{WHOLE}tag."
METADATA: Final = f"{WHOLE}metadata."
SERVICE_NAME: Final = "service.name"
OUR_SCOPE: Final = "tracehound"
_SCOPE: Final = "otel.scope."

KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
CODES: Final = (SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR)
_STATUSES: Final = tuple(map(SpanStatus, CODES))  # nearly all spans have one of these
_MAX_NS: Final = 2**63 - 1

# What parts pass through on their way into a store (`wire.intake`).
Intake: TypeAlias = "Callable[[TracePart], TracePart]"

# What reading raises where something is damaged, beside errors of the format.
FAULTS: Final = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)


class DamagedRequestError(TracehoundError):
    """A body that is no request of OTLP; the message says why."""


class TooManyAttributesError(ValueError):
    """A span with more attributes than are indexed for others."""


@dataclass
class Arrived:
    """What a request has brought: parts of traces, and how many spans were refused, with a reason."""

    parts: list[TracePart] = field(default_factory=list)
    refused: int = 0
    reason: str = ""

    @property
    def spans(self) -> int:
        """How many spans are in the parts."""
        return sum(len(part.spans) for part in self.parts)

    def refuse(self, count: int, error: Exception) -> None:
        """Count spans that cannot be kept; the reason is that of the first of them."""
        if count and not self.refused:
            self.reason = _reason(error)
        self.refused += count


def _reason(error: Exception) -> str:
    """Return why spans cannot be kept, in words."""
    if isinstance(error, TooManyAttributesError):
        return str(error)
    if isinstance(error, RecursionError):
        return "the values of a span are nested too deep"
    return "a span has an id, a time, a kind or a value that is none of OTLP"


def said_of_spans(
    resource: Mapping[str, str], name: str | None, version: str | None, attributes: Mapping[str, str]
) -> dict[str, str]:
    """Return what each span of a scope keeps of it, and of the service that it ran in; values are JSON texts."""
    said: dict[str, str] = {}
    if SERVICE_NAME in resource and EXPERIMENT not in resource:  # else it stands for the experiment
        said[SERVICE_NAME] = resource[SERVICE_NAME]
    told = {"name": name, "version": version}
    said.update({f"{_SCOPE}{key}": encode_value(text) for key, text in told.items() if text and text != OUR_SCOPE})
    said.update({f"{_SCOPE}{key}": text for key, text in attributes.items()})
    return said


def to_span(
    *,
    trace_id: str,
    span_id: str,
    parent_id: str | None,
    name: str,
    kind: int,
    start_ns: int,
    end_ns: int,
    code: int,
    message: str,
    texts: dict[str, str],
    events: list[RecordedEvent],
    links: list[RecordedLink],
    is_ours: bool,
) -> Span:
    """Return a span of what a reader has read; `texts` are all its attributes as JSON, and become the span's.

    A time of 0 is none, a kind and a code that are newer than this program are the first of their list. What
    `to_otlp_line` wrote is ours: values under MLflow's names are those that they are, and not JSON in a text.
    """
    if not is_ours:
        if len(texts) > MAX_SPAN_ATTRIBUTES:
            raise TooManyAttributesError(f"a span has more than {MAX_SPAN_ATTRIBUTES:,} attributes")
        texts = mlflow.unwrapped(texts)
    texts.pop(TRACE_REQUEST_ID, None)
    span_type = texts.pop(SPAN_TYPE, None)
    status = _STATUSES[code if 0 <= code < len(CODES) else 0]
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=clean_text(name),
        start_time_ns=_checked_ns(start_ns),
        end_time_ns=_checked_ns(end_ns) or None,
        status=SpanStatus(status.status_code, clean_text(message)) if message else status,
        span_type=UNKNOWN if span_type is None else to_text(decode_value(span_type)),
        inputs_json=texts.pop(INPUTS, None),
        outputs_json=texts.pop(OUTPUTS, None),
        attributes_json=texts,
        event_records=events,
        link_records=links,
        kind=KINDS[kind if 0 <= kind < len(KINDS) else 0],
    )


def to_event(name: str, time_ns: int, texts: dict[str, str]) -> RecordedEvent:
    """Return an event of what a reader has read."""
    return RecordedEvent(clean_text(name), _checked_ns(time_ns), texts)


def to_parts(
    resource: Mapping[str, str], spans: Iterable[Span], experiment: str, intake: Intake
) -> Iterator[TracePart]:
    """Yield a part for each trace that has spans there; the experiment is that of what names none.

    What is not ours passes through `intake`.
    """
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    whole = _Whole.read(resource)
    for trace_id, found in by_trace.items():
        part = whole.to_part(trace_id, found, experiment)
        yield part if EXPERIMENT in resource else intake(part)


@dataclass(frozen=True)
class _Whole:
    """What a resource says of each whole trace."""

    experiment: str | None
    state: TraceState | None
    texts: dict[str, str]
    tags: dict[str, str]
    metadata: dict[str, str]

    @staticmethod
    def read(resource: Mapping[str, str]) -> _Whole:
        said = {key: to_text(decode_value(text)) for key, text in resource.items()}
        experiment = said.pop(NAMED_EXPERIMENT, None)
        if EXPERIMENT in said:
            experiment = said.pop(EXPERIMENT)
            said.pop(SERVICE_NAME, None)
        state = said.pop(STATE, None)
        texts = {name: said.pop(f"{WHOLE}{name}") for name in TEXTS if f"{WHOLE}{name}" in said}
        tags = {key.removeprefix(TAG): value for key, value in said.items() if key.startswith(TAG)}
        metadata = {key.removeprefix(METADATA): value for key, value in said.items() if not key.startswith(TAG)}
        return _Whole(experiment, None if state is None else TraceState(state), texts, tags, metadata)

    def to_part(self, trace_id: str, spans: Sequence[Span], experiment: str) -> TracePart:
        # Parts that are written later win; when these were, only their spans tell.
        written_ns = max(span.end_time_ns or span.start_time_ns for span in spans)
        part = TracePart(
            trace_id, self.experiment or experiment, written_ns, list(spans), self.tags, self.metadata, state=self.state
        )
        return replace(part, **self.texts) if self.texts else part


def _checked_ns(time_ns: int) -> int:
    if not 0 <= time_ns <= _MAX_NS:
        raise ValueError(time_ns)
    return time_ns
