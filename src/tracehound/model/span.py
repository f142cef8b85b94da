"""A span: one step of a trace, finished or still running, as it was captured and as results return it.

Values are kept as the JSON texts that capture made of them and are decoded when they are read. `to_dict` gives the
form that MLflow's clients exchange: base64 ids, and every attribute value a JSON text.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from tracehound.model.ids import from_base64, to_base64
from tracehound.model.record import Record, from_json, to_json
from tracehound.model.values import decode_value, encode_value

INPUTS: Final = "mlflow.spanInputs"
OUTPUTS: Final = "mlflow.spanOutputs"
SPAN_TYPE: Final = "mlflow.spanType"
TRACE_REQUEST_ID: Final = "mlflow.traceRequestId"
FUNCTION_NAME: Final = "mlflow.spanFunctionName"

UNKNOWN: Final = "UNKNOWN"


class SpanStatusCode(str, Enum):
    """How a span ended; UNSET while nobody said."""

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"

    def __str__(self) -> str:
        return str(self.value)


class SpanStatus(Record, frozen=True, array_like=True, gc=False):
    """How a span ended and, for an error, what went wrong."""

    status_code: SpanStatusCode = SpanStatusCode.UNSET
    description: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the step did not fail, as OpenTelemetry's status says it: UNSET counts as well."""
        return self.status_code is not SpanStatusCode.ERROR

    @property
    def is_unset(self) -> bool:
        """Whether nobody said how the step ended."""
        return self.status_code is SpanStatusCode.UNSET


class SpanEvent(Record, frozen=True, array_like=True, gc=False):
    """Something that happened at one moment of a span, such as an exception."""

    name: str
    timestamp_ns: int
    attributes_json: dict[str, str] = {}

    @property
    def timestamp(self) -> int:
        """The name that MLflow and OpenTelemetry give `timestamp_ns`."""
        return self.timestamp_ns

    @property
    def attributes(self) -> dict[str, Any]:
        """What was said about it, as plain values."""
        return _decoded(self.attributes_json)


class Link(Record, frozen=True, array_like=True, gc=False):
    """A reference from a span to a span of another trace."""

    trace_id: str
    span_id: str
    attributes_json: dict[str, str] = {}

    @property
    def attributes(self) -> dict[str, Any]:
        """What was said about it, as plain values."""
        return _decoded(self.attributes_json)


class Span(Record, frozen=True, array_like=True, gc=False):
    """One step of a trace.

    `trace_id` is `tr-` and 32 hexadecimal digits, `span_id` and `parent_id` are 16; times are nanoseconds since the
    epoch; the fields that end in `_json` hold JSON texts, which `inputs`, `outputs` and `attributes` decode.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_time_ns: int
    end_time_ns: int | None
    status: SpanStatus = SpanStatus()
    span_type: str = UNKNOWN
    inputs_json: str | None = None
    outputs_json: str | None = None
    attributes_json: dict[str, str] = {}
    events: list[SpanEvent] = []
    links: list[Link] = []
    kind: str = "INTERNAL"

    @property
    def inputs(self) -> Any:
        """What went in, as plain values; None when nothing was recorded."""
        return None if self.inputs_json is None else decode_value(self.inputs_json)

    @property
    def outputs(self) -> Any:
        """What came out, as plain values; None when nothing was recorded."""
        return None if self.outputs_json is None else decode_value(self.outputs_json)

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes as plain values, with what MLflow keeps among them: type, inputs, outputs, trace id."""
        return _decoded(_attribute_texts(self))

    def get_attribute(self, key: str) -> Any:
        """Return one attribute as a plain value, or None."""
        text = _attribute_texts(self).get(key)
        return None if text is None else decode_value(text)

    @property
    def duration_ns(self) -> int | None:
        """How long the span took; None while it runs."""
        return None if self.end_time_ns is None else self.end_time_ns - self.start_time_ns

    def to_dict(self) -> dict[str, Any]:
        """Return the span in MLflow's form; `span_from_dict` is the inverse."""
        return {
            "trace_id": to_base64(self.trace_id.removeprefix("tr-")),
            "span_id": to_base64(self.span_id),
            "parent_span_id": None if self.parent_id is None else to_base64(self.parent_id),
            "name": self.name,
            "kind": f"SPAN_KIND_{self.kind}",
            "start_time_unix_nano": self.start_time_ns,
            "end_time_unix_nano": self.end_time_ns,
            "events": [
                {"name": event.name, "time_unix_nano": event.timestamp_ns, "attributes": event.attributes}
                for event in self.events
            ],
            "status": {"code": f"STATUS_CODE_{self.status.status_code.value}", "message": self.status.description},
            "attributes": _attribute_texts(self),
            "links": [
                {
                    "trace_id": to_base64(link.trace_id.removeprefix("tr-")),
                    "span_id": to_base64(link.span_id),
                    "attributes": link.attributes,
                }
                for link in self.links
            ],
        }


def span_from_dict(form: dict[str, Any]) -> Span:
    """Return the span that `Span.to_dict` wrote."""
    texts = dict(form["attributes"])
    texts.pop(TRACE_REQUEST_ID, None)
    parent = form["parent_span_id"]
    return Span(
        trace_id=f"tr-{from_base64(form['trace_id'])}",
        span_id=from_base64(form["span_id"]),
        parent_id=None if parent is None else from_base64(parent),
        name=form["name"],
        start_time_ns=form["start_time_unix_nano"],
        end_time_ns=form["end_time_unix_nano"],
        status=SpanStatus(
            SpanStatusCode(form["status"]["code"].removeprefix("STATUS_CODE_")), form["status"]["message"]
        ),
        span_type=from_json(texts.pop(SPAN_TYPE, '"UNKNOWN"')),
        inputs_json=texts.pop(INPUTS, None),
        outputs_json=texts.pop(OUTPUTS, None),
        attributes_json=texts,
        events=[
            SpanEvent(event["name"], event["time_unix_nano"], _encoded(event["attributes"])) for event in form["events"]
        ],
        links=[
            Link(f"tr-{from_base64(link['trace_id'])}", from_base64(link["span_id"]), _encoded(link["attributes"]))
            for link in form["links"]
        ],
        kind=form["kind"].removeprefix("SPAN_KIND_"),
    )


def _decoded(texts: dict[str, str]) -> dict[str, Any]:
    return {key: decode_value(text) for key, text in texts.items()}


def _encoded(values: dict[str, Any]) -> dict[str, str]:
    return {key: to_json(value).decode() for key, value in values.items()}


def _attribute_texts(span: Span) -> dict[str, str]:
    """Return every attribute as JSON text under MLflow's names."""
    texts = {TRACE_REQUEST_ID: f'"{span.trace_id}"', SPAN_TYPE: encode_value(span.span_type)}
    if span.inputs_json is not None:
        texts[INPUTS] = span.inputs_json
    if span.outputs_json is not None:
        texts[OUTPUTS] = span.outputs_json
    texts.update(span.attributes_json)
    return texts
