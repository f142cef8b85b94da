"""What OTLP means here, whether it came as protobuf or as JSON: spans of many traces -> parts of traces.

The attributes of a resource are said of the whole trace: they become metadata, and what is our own, under names that
begin with `WHOLE`, goes where it belongs. Each span keeps the name of its service, for a trace may run through several,
and what its scope says, under the names that exporters without scopes use.

What is not our own export passes through the intake of all that comes in (`wire.intake`). The spans of one trace that
come together are one part. The same request gives the same parts, so that a store takes in once what is sent again.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.errors import TracehoundError
from tracehound.model.assessment import Assessment
from tracehound.model.edit import Edit, TraceChange
from tracehound.model.form import read_document
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
from tracehound.model.whole import TEXTS, Whole, written_ns_of
from tracehound.wire.dialects import mlflow

WHOLE: Final = "tracehound.trace."
EXPERIMENT: Final = f"{WHOLE}experiment"  # says as well that it is our own export
NAMED_EXPERIMENT: Final = "tracehound.experiment"  # for others who send
STATE: Final = f"{WHOLE}state"
TAG: Final = f"{WHOLE}tag."
METADATA: Final = f"{WHOLE}metadata."
ASSESSMENT: Final = f"{WHOLE}assessment."  # behind it the id; the value is its JSON
WITHOUT_TAG: Final = f"{WHOLE}without.tag."
WITHOUT_METADATA: Final = f"{WHOLE}without.metadata."
SERVICE_NAME: Final = "service.name"
OUR_SCOPE: Final = "tracehound"
_SCOPE: Final = "otel.scope."

KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
CODES: Final = (SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR)
_STATUSES: Final = tuple(map(SpanStatus, CODES))  # nearly all spans have one of these
_MAX_NS: Final = 2**63 - 1
_LONGEST_KNOWN: Final = 100

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
    """What a request has brought: parts of traces, edits of them, and how many spans were refused, with a reason."""

    parts: list[TracePart] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    refused: int = 0
    reason: str = ""

    @property
    def spans(self) -> int:
        """How many spans are in the parts."""
        return sum(len(part.spans) for part in self.parts)

    @property
    def changes(self) -> list[TraceChange]:
        """All that is to be written."""
        return [*self.parts, *self.edits]

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
    events: Iterable[RecordedEvent],
    links: Iterable[RecordedLink],
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
        span_type=UNKNOWN if span_type is None else _read_type(span_type),
        inputs_json=texts.pop(INPUTS, None),
        outputs_json=texts.pop(OUTPUTS, None),
        attributes_json=texts,
        event_records=tuple(events),
        link_records=tuple(links),
        kind=KINDS[kind if 0 <= kind < len(KINDS) else 0],
    )


def _read_type(text: str) -> str:
    return _read_short_type(text) if len(text) <= _LONGEST_KNOWN else to_text(decode_value(text))


@functools.lru_cache(256)  # there are few, and nearly all spans have one
def _read_short_type(text: str) -> str:
    return to_text(decode_value(text))


def to_event(name: str, time_ns: int, texts: dict[str, str]) -> RecordedEvent:
    """Return an event of what a reader has read."""
    return RecordedEvent(clean_text(name), _checked_ns(time_ns), texts)


def take_spans(
    arrived: Arrived, resource: Mapping[str, str], spans: Iterable[Span], experiment: str, intake: Intake
) -> None:
    """Add a part for each trace that has spans there, with its edits; the experiment is that of what names none.

    What is not ours passes through `intake`.
    """
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    told = _Told.read(resource)
    wholes = [told.to_whole(trace_id, found, experiment) for trace_id, found in by_trace.items()]
    parts = [whole.part if EXPERIMENT in resource else intake(whole.part) for whole in wholes]
    arrived.parts += parts
    if told.is_edited:
        arrived.edits += [edit for whole in wholes for edit in whole.to_edits()]


@dataclass(frozen=True)
class _Told:
    """What a resource says of each whole trace."""

    experiment: str | None
    state: TraceState | None
    texts: dict[str, str]
    tags: dict[str, str]
    metadata: dict[str, str]
    assessments: tuple[Assessment, ...]
    without_tags: tuple[str, ...]
    without_metadata: tuple[str, ...]

    @property
    def is_edited(self) -> bool:
        """Whether a part alone does not say it."""
        return bool(self.assessments or self.without_tags or self.without_metadata)

    @staticmethod
    def read(resource: Mapping[str, str]) -> _Told:
        said = {key: to_text(decode_value(text)) for key, text in resource.items()}
        experiment = said.pop(NAMED_EXPERIMENT, None)
        if EXPERIMENT in said:
            experiment = said.pop(EXPERIMENT)
            said.pop(SERVICE_NAME, None)
        state = said.pop(STATE, None)
        texts = {name: said.pop(f"{WHOLE}{name}") for name in TEXTS if f"{WHOLE}{name}" in said}
        assessments = [_read_assessment(key, text) for key, text in _taken(said, ASSESSMENT).items()]
        without_tags, without_metadata = _taken(said, WITHOUT_TAG), _taken(said, WITHOUT_METADATA)
        tags = _taken(said, TAG)
        metadata = {key.removeprefix(METADATA): value for key, value in said.items()}
        return _Told(
            experiment, None if state is None else TraceState(state), texts, tags, metadata,
            tuple(assessments), tuple(without_tags), tuple(without_metadata),
        )  # fmt: skip

    def to_whole(self, trace_id: str, spans: list[Span], experiment: str) -> Whole:
        # Parts that are written later win; when these were, only their spans tell.
        part = TracePart(
            trace_id, self.experiment or experiment, written_ns_of(spans), spans, self.tags, self.metadata,
            state=self.state,
        )  # fmt: skip
        part = replace(part, **self.texts) if self.texts else part
        return Whole(part, self.assessments, self.without_tags, self.without_metadata)


def _taken(said: dict[str, str], prefix: str) -> dict[str, str]:
    """Take away what stands under names that begin with a prefix, and return it without that."""
    return {key.removeprefix(prefix): said.pop(key) for key in [*said] if key.startswith(prefix)}


def _read_assessment(key: str, text: str) -> Assessment:
    """Return the assessment with that id; raise `ArgumentError` where the text is none."""
    return Assessment.from_dict(read_document(text)).changed(assessment_id=key)


def _checked_ns(time_ns: int) -> int:
    if not 0 <= time_ns <= _MAX_NS:
        raise ValueError(time_ns)
    return time_ns
