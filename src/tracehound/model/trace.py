"""A trace: what the application did for one request, as parts that arrive and as the whole that results return."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from tracehound.errors import ArgumentError
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.form import Form, read_document, write_time
from tracehound.model.location import TraceLocation
from tracehound.model.record import Record, short_repr, to_json_text
from tracehound.model.span import Span
from tracehound.model.values import decode_value

if TYPE_CHECKING:
    from tracehound.model.stored_spans import StoredSpans

TRACE_NAME: Final = "mlflow.traceName"
_TOKEN_USAGE: Final = "mlflow.trace.tokenUsage"  # noqa: S105 - the name of a metadata key
_COST: Final = "mlflow.trace.cost"


class TraceState(str, Enum):
    """How a trace ended, or that it has not.

    >>> TraceState.OK == "OK", str(TraceState.IN_PROGRESS)
    (True, 'IN_PROGRESS')
    """

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
    spans run in. The store sets `has_ended` when that process is gone. `origin` is metadata that is the same for all
    parts of a process (`capture.origin`): a spool keeps it once, and adds it when it is read.
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
    origin: dict[str, str] = {}


class Origin(Record, frozen=True, array_like=True, tag="origin", gc=False):
    """Metadata of all parts of one process."""

    metadata: dict[str, str]


class TraceInfo(Record, frozen=True, kw_only=True):
    """What is known of a trace without reading its spans.

    `request_time` is whole milliseconds since the epoch and `execution_duration` whole milliseconds, None while the
    trace runs. `experiment_id` is empty for what was read of a file and lies in no experiment; `trace_location` says
    where. The names of MLflow 2 are properties: timestamp_ms, execution_time_ms, status, request_metadata, request_id;
    so are those its documents use: timestamp, metadata.

    It is a snapshot of the moment of the search and cannot be changed: what MLflow lets one assign would change the
    object and not the trace. `set_trace_tag` changes the trace.

    >>> import tracehound
    >>> tracehound.start_span_no_context("answer", tags={"person": "Tom"}).end()
    >>> tracehound.search_traces(return_type="list")[0].info.tags["person"]
    'Tom'
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
    assessments: list[Assessment] = []
    other_location: TraceLocation | None = None

    @property
    def trace_location(self) -> TraceLocation:
        """Where the trace lies: in an experiment, unless it was read of a file that says otherwise."""
        return self.other_location or TraceLocation.from_experiment_id(self.experiment_id)

    @property
    def token_usage(self) -> dict[str, int] | None:
        """How many tokens the models took and gave (`input_tokens`, `output_tokens`, `total_tokens`), if known."""
        return _object_in(self.trace_metadata.get(_TOKEN_USAGE))

    @property
    def cost(self) -> dict[str, float] | None:
        """What the models cost in US dollars (`input_cost`, `output_cost`, `total_cost`), if known."""
        return _object_in(self.trace_metadata.get(_COST))

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

    def to_dict(self) -> dict[str, Any]:
        """Return what is known in MLflow's form, without what is not; `from_dict` is the inverse."""
        form = {
            "trace_id": self.trace_id,
            "client_request_id": self.client_request_id,
            "trace_location": self.trace_location.to_dict(),
            "request_preview": self.request_preview,
            "response_preview": self.response_preview,
            "request_time": write_time(self.request_time),
            "execution_duration_ms": self.execution_duration,
            "state": self.state.value,
            "trace_metadata": self.trace_metadata or None,
            "tags": self.tags or None,
            "assessments": [each.to_dict() for each in self.assessments] or None,
        }
        return {key: value for key, value in form.items() if value is not None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TraceInfo:
        """Return what MLflow (from 2.14 on) or `to_dict` wrote; raise `ArgumentError` for anything else."""
        from tracehound.model.trace_form import read_info

        return read_info(Form(data, ""))

    def __hash__(self) -> int:
        return hash(self.trace_id)

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:  # type: ignore[override] # what rich allows
        yield from (("trace_id", self.trace_id), ("name", self.name), ("state", self.state.value))
        yield from (("request_time", self.request_time), ("execution_duration", self.execution_duration))

    __repr__ = short_repr


class TraceData:
    """The spans of a trace: roots first, then by start time.

    A store may hand them over as it keeps them. They are decoded when they are first asked for, since most results are
    looked through without a look at the spans; what is damaged is told then, as a `StoreError`.

    >>> import tracehound
    >>> tracehound.start_span_no_context("answer", inputs={"question": "why?"}).end()
    >>> tracehound.search_traces(return_type="list")[0].data.request
    '{"question":"why?"}'
    """

    __slots__ = ("_spans",)

    def __init__(self, spans: list[Span] | StoredSpans | None = None) -> None:
        self._spans: list[Span] | StoredSpans = [] if spans is None else spans

    @property
    def spans(self) -> list[Span]:
        """The spans; always the same list."""
        if not isinstance(self._spans, list):
            self._spans = self._spans.read_spans()
        return self._spans

    @property
    def stored(self) -> StoredSpans | None:
        """The spans as a store has handed them over; None where it did not, or somebody has asked for the spans."""
        return None if isinstance(self._spans, list) else self._spans

    def span_dicts(self) -> list[dict[str, Any]]:
        """Return the spans in MLflow's form, as new dictionaries."""
        if isinstance(self._spans, list):
            return [span.to_dict() for span in self._spans]
        return self._spans.read_dicts()

    @property
    def request(self) -> str | None:
        """The inputs of the root span as JSON text."""
        return None if (root := self._root()) is None else root.inputs_json

    @property
    def response(self) -> str | None:
        """The outputs of the root span as JSON text."""
        return None if (root := self._root()) is None else root.outputs_json

    def to_dict(self) -> dict[str, Any]:
        """Return the spans in MLflow's form; `from_dict` is the inverse."""
        return {"spans": self.span_dicts()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TraceData:
        """Return the spans that MLflow or `to_dict` wrote; raise `ArgumentError` for anything else."""
        from tracehound.model.trace_form import read_data

        return read_data(Form(data, ""))

    def __eq__(self, other: object) -> bool:
        return self.spans == other.spans if isinstance(other, TraceData) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.spans))

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        yield "spans", self.spans

    __repr__ = short_repr

    def _root(self) -> Span | None:
        """Return the span without parent or, of a part of a trace that another process began, the first one."""
        return next((span for span in self.spans if span.parent_id is None), self.spans[0] if self.spans else None)

    def __reduce__(self) -> tuple[type[TraceData], tuple[list[Span] | StoredSpans]]:
        return TraceData, (self._spans,)


class Trace(Record, frozen=True):
    """A whole trace: `info` without its spans, `data` with them. A snapshot, which does not change.

    >>> import tracehound
    >>> tracehound.start_span_no_context("answer").end(outputs="because")
    >>> [(trace.info.name, trace.data.spans[0].outputs) for trace in tracehound.search_traces(return_type="list")]
    [('answer', 'because')]
    """

    info: TraceInfo
    data: TraceData

    @property
    def trace_id(self) -> str:
        """The id of the trace."""
        return self.info.trace_id

    @property
    def token_usage(self) -> dict[str, int] | None:
        """How many tokens the models took and gave, if known; see `TraceInfo`."""
        return self.info.token_usage

    @property
    def cost(self) -> dict[str, float] | None:
        """What the models cost in US dollars, if known; see `TraceInfo`."""
        return self.info.cost

    def to_dict(self) -> dict[str, Any]:
        """Return the trace in MLflow's form; `from_dict` is the inverse."""
        return {"info": self.info.to_dict(), "data": self.data.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trace:
        """Return the trace that MLflow (from 2.14 on) or `to_dict` wrote.

        Raises `ArgumentError`, which names the key, where one is missing, is not known or holds something else.
        """
        from tracehound.model.trace_form import read_trace

        return read_trace(data)

    def to_json(self, pretty: bool = False) -> str:  # noqa: FBT001, FBT002 - MLflow's signature
        """Return the trace as a JSON text, which MLflow reads as well; `from_json` is the inverse.

        It is always valid JSON: NaN and infinities in events and assessments, which JSON has not, become null.
        """
        return to_json_text(self.to_dict(), pretty=pretty)

    @classmethod
    def from_json(cls, text: str | bytes) -> Trace:
        """Return the trace that MLflow or `to_json` wrote as JSON, also with the NaN that JSON does not have.

        Raises `ArgumentError` for what is no JSON, and as `from_dict` does.
        """
        return cls.from_dict(read_document(text))

    def search_spans(
        self, span_type: str | None = None, name: str | re.Pattern[str] | None = None, span_id: str | None = None
    ) -> list[Span]:
        """Return the spans of a type, with a name or a name that a pattern is found in, with an id; in their order."""
        for given, kinds in ((span_type, str), (span_id, str), (name, (str, re.Pattern))):
            if given is not None and not isinstance(given, kinds):
                raise ArgumentError(f"spans are found by texts, their names by a pattern too, not by {given!r}")
        return [
            span
            for span in self.data.spans
            if (span_type is None or span.span_type == span_type)
            and (span_id is None or span.span_id == span_id)
            and (name is None or (span.name == name if isinstance(name, str) else name.search(span.name) is not None))
        ]

    def search_assessments(
        self,
        name: str | None = None,
        *,
        span_id: str | None = None,
        all: bool = False,  # noqa: A002 - MLflow's signature
        type: Literal["expectation", "feedback"] | None = None,  # noqa: A002 - as above
    ) -> list[Assessment]:
        """Return the assessments with a name, of a span, of a type; those that others replaced only if `all`."""
        kinds = {None: Assessment, "expectation": Expectation, "feedback": Feedback}
        if type not in kinds:
            raise ArgumentError(f"the type of an assessment is expectation or feedback, not {type!r}")
        return [
            each
            for each in self.info.assessments
            if isinstance(each, kinds[type])
            and (name is None or each.name == name)
            and (span_id is None or each.span_id == span_id)
            and (all or each.valid is not False)
        ]

    def __hash__(self) -> int:
        return hash(self.info)

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:  # type: ignore[override] # what rich allows
        yield from (("trace_id", self.info.trace_id), ("name", self.info.name))
        yield from (("state", self.info.state.value), ("spans", len(self.data.spans)))

    __repr__ = short_repr

    def _repr_html_(self) -> str:
        """Return what notebooks show of it."""
        from tracehound.model.notebook import show_trace
        from tracehound.model.viewer import viewer_page

        return show_trace(self, viewer_page())


class Experiment(Record, frozen=True):
    """A named set of traces; the id follows from the name (`model.ids.experiment_id`).

    >>> import tracehound
    >>> tracehound.get_experiment_by_name("Default").experiment_id
    '0'
    """

    experiment_id: str
    name: str
    tags: dict[str, str] = {}
    creation_time: int | None = None  # in milliseconds since the epoch, where it was created before its first trace
    lifecycle_stage: str = "active"

    @property
    def artifact_location(self) -> str:
        """Where files of its traces would be kept; there are none."""
        return f"tracehound:/{self.experiment_id}"


def _object_in(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object that a value of the metadata holds; None where it holds none."""
    found = None if text is None else decode_value(text)
    return found if isinstance(found, dict) else None
