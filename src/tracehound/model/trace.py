"""A trace: what the application did for one request, as parts that arrive and as the whole that results return."""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol

from tracehound.model.record import Record
from tracehound.model.span import Span


class TraceState(str, Enum):
    """How a trace ended, or that it has not."""

    STATE_UNSPECIFIED = "STATE_UNSPECIFIED"
    OK = "OK"
    ERROR = "ERROR"
    IN_PROGRESS = "IN_PROGRESS"

    def __str__(self) -> str:
        return str(self.value)


class TracePart(Record, frozen=True, array_like=True, tag="part", gc=False):
    """Some spans of one trace and what was said about the whole, written at one moment by one process.

    Mostly the part is the trace. It is not when children outlive the root, or when two services share a traceparent:
    then the store merges the parts (`model.merge`), in whatever order they arrive.

    A snapshot of a trace that runs is a part too: it names its `owner`, the process (`spool.segment`) that its open
    spans run in. The store sets `has_ended` when that process is gone.
    """

    trace_id: str
    experiment: str
    written_ns: int
    spans: list[Span]
    tags: dict[str, str] = {}
    metadata: dict[str, str] = {}
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    state: TraceState | None = None
    owner: str | None = None
    has_ended: bool = False


class TraceInfo(Record, frozen=True, kw_only=True):
    """What is known of a trace without reading its spans.

    `request_time` is whole milliseconds since the epoch and `execution_duration` whole milliseconds, None while the
    trace runs. The names of MLflow 2 are properties: timestamp_ms, execution_time_ms, status, request_metadata,
    request_id; so are those its documents use: timestamp, metadata.
    """

    trace_id: str
    experiment_id: str
    request_time: int
    execution_duration: int | None
    state: TraceState
    name: str = ""
    request_preview: str | None = None
    response_preview: str | None = None
    client_request_id: str | None = None
    trace_metadata: dict[str, str] = {}
    tags: dict[str, str] = {}

    @property
    def request_id(self) -> str:
        """MLflow 2's name of `trace_id`."""
        return self.trace_id

    @property
    def timestamp_ms(self) -> int:
        """MLflow 2's name of `request_time`."""
        return self.request_time

    @property
    def timestamp(self) -> int:
        """The documents' name of `request_time`."""
        return self.request_time

    @property
    def execution_time_ms(self) -> int | None:
        """MLflow 2's name of `execution_duration`."""
        return self.execution_duration

    @property
    def status(self) -> TraceState:
        """MLflow 2's name of `state`."""
        return self.state

    @property
    def request_metadata(self) -> dict[str, str]:
        """MLflow 2's name of `trace_metadata`."""
        return self.trace_metadata

    @property
    def metadata(self) -> dict[str, str]:
        """The documents' name of `trace_metadata`."""
        return self.trace_metadata


class StoredSpans(Protocol):
    """The spans of a trace as a store keeps them, not yet decoded; two that are equal hold the same spans."""

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        ...

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each, without making spans on the way."""
        ...


class TraceData:
    """The spans of a trace: roots first, then by start time.

    A store may hand them over as it keeps them. They are decoded when they are first asked for, since most results are
    looked through without a look at the spans; what is damaged is told then, as a `StoreError`.
    """

    __slots__ = ("_spans",)

    def __init__(self, spans: list[Span] | StoredSpans) -> None:
        self._spans = spans

    @property
    def spans(self) -> list[Span]:
        """The spans; always the same list."""
        if not isinstance(self._spans, list):
            self._spans = self._spans.read_spans()
        return self._spans

    def span_dicts(self) -> list[dict[str, Any]]:
        """Return the spans in MLflow's form, as new dictionaries."""
        if isinstance(self._spans, list):
            return [span.to_dict() for span in self._spans]
        return self._spans.read_dicts()

    @property
    def request(self) -> str | None:
        """The inputs of the root span as JSON text."""
        return self.spans[0].inputs_json if self.spans else None

    @property
    def response(self) -> str | None:
        """The outputs of the root span as JSON text."""
        return self.spans[0].outputs_json if self.spans else None

    def __eq__(self, other: object) -> bool:
        return self.spans == other.spans if isinstance(other, TraceData) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # its spans are a list

    def __repr__(self) -> str:
        return f"TraceData(spans={self.spans!r})"

    def __reduce__(self) -> tuple[type[TraceData], tuple[list[Span] | StoredSpans]]:
        return TraceData, (self._spans,)


class Trace(Record, frozen=True):
    """A whole trace: `info` without its spans, `data` with them."""

    info: TraceInfo
    data: TraceData

    def _repr_html_(self) -> str:
        """Return what notebooks show of it."""
        from tracehound.model.html import trace_html

        return trace_html(self)


class Experiment(Record, frozen=True):
    """A named set of traces; the id follows from the name (`model.ids.experiment_id`)."""

    experiment_id: str
    name: str
