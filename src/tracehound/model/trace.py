"""A trace: what the application did for one request, as parts that arrive and as the whole that results return."""

from __future__ import annotations

from enum import Enum

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


class TraceData(Record, frozen=True):
    """The spans of a trace: roots first, then by start time."""

    spans: list[Span]

    @property
    def request(self) -> str | None:
        """The inputs of the root span as JSON text."""
        return self.spans[0].inputs_json if self.spans else None

    @property
    def response(self) -> str | None:
        """The outputs of the root span as JSON text."""
        return self.spans[0].outputs_json if self.spans else None


class Trace(Record, frozen=True):
    """A whole trace: `info` without its spans, `data` with them."""

    info: TraceInfo
    data: TraceData


class Experiment(Record, frozen=True):
    """A named set of traces; the id follows from the name (`model.ids.experiment_id`)."""

    experiment_id: str
    name: str
