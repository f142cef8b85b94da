"""OTLP JSON lines: a trace -> one line of a file, in the form of OpenTelemetry's file exporter, and back.

Each line is an `ExportTraceServiceRequest` in OTLP's JSON: ids are hexadecimal, 64-bit numbers texts, enums numbers.
What is said of a whole trace stands among the attributes of its resource, under names that begin with `WHOLE`, for
the resource stays with its spans whatever a collector does with them. What follows from the spans is not said again.

Files of other exporters are read as well: a line may hold pieces of many traces; ids may be base64 and names those of
protobuf; the resource becomes metadata of the trace, the scope attributes of its spans.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tracehound.errors import TracehoundError
from tracehound.model.ids import TRACE_ID_PREFIX, from_base64
from tracehound.model.merge import merge_parts
from tracehound.model.occurrence import RecordedEvent, RecordedLink
from tracehound.model.record import DecodeError, from_json, replace, to_json
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
from tracehound.model.trace import Trace, TracePart, TraceState
from tracehound.model.values import clean_text, decode_value, encode_value, to_text
from tracehound.wire.any_value import MAX_BYTES, from_attributes, to_attributes
from tracehound.wire.dialects import mlflow
from tracehound.wire.dialects.translate import translate_part

WHOLE: Final = "tracehound.trace."
_EXPERIMENT: Final = f"{WHOLE}experiment"
_STATE: Final = f"{WHOLE}state"
_TEXTS: Final = ("client_request_id", "request_preview", "response_preview")
_TAG: Final = f"{WHOLE}tag."
_METADATA: Final = f"{WHOLE}metadata."
_SERVICE_NAME: Final = "service.name"

_KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES: Final = (SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR)
_MAX_NS: Final = 2**63 - 1


class DamagedLineError(TracehoundError):
    """A line that is no OTLP JSON; the message says what is wrong with it."""


def to_otlp_line(trace: Trace, experiment: str) -> bytes:
    """Return a trace as one line; `from_otlp_line` is the inverse. `experiment` is the name of its experiment."""
    scope_spans = {"scope": {"name": "tracehound"}, "spans": [_to_form(span) for span in trace.data.spans]}
    resource = {"attributes": to_attributes(_texts_of_whole(trace, experiment))}
    return to_json({"resourceSpans": [{"resource": resource, "scopeSpans": [scope_spans]}]}) + b"\n"


def from_otlp_line(
    line: bytes, experiment: str, intake: Callable[[TracePart], TracePart] = translate_part
) -> list[TracePart]:
    """Return what a line holds, as parts of traces; raise `DamagedLineError` where it is damaged.

    `experiment` is the name of that which the traces go into where the line names none. What others wrote passes
    through `intake`; what `to_otlp_line` wrote came out of a store and has done so, and comes back as it was. The same
    line gives the same parts, so that a store takes them in once.
    """
    try:
        form = from_json(line)
        return [part for each in _many(form, "resourceSpans") for part in _parts_of(each, experiment, intake)]
    except DecodeError as error:
        raise DamagedLineError("it is not JSON, or cut off") from error
    except RecursionError as error:
        raise DamagedLineError("its values are nested too deep") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedLineError("it is JSON, and no ExportTraceServiceRequest of OTLP") from error


def _texts_of_whole(trace: Trace, experiment: str) -> dict[str, str]:
    """Return what is said of a trace beyond what its spans say, as JSON texts."""
    info = trace.info
    follows = merge_parts([TracePart(info.trace_id, experiment, 0, trace.data.spans)]).info
    told: dict[str, str] = {_SERVICE_NAME: experiment, _EXPERIMENT: experiment}
    if info.state is not follows.state:
        told[_STATE] = info.state.value
    for name in _TEXTS:
        value = getattr(info, name)
        if value is not None and value != getattr(follows, name):
            told[f"{WHOLE}{name}"] = value
    told |= {f"{_TAG}{key}": value for key, value in sorted(info.tags.items()) if follows.tags.get(key) != value}
    derived = follows.trace_metadata
    told |= {
        f"{_METADATA}{key}": value for key, value in sorted(info.trace_metadata.items()) if derived.get(key) != value
    }
    return {key: encode_value(value, MAX_BYTES) for key, value in told.items()}


def _to_form(span: Span) -> dict[str, Any]:
    """Return a span in OTLP's form; what is not there is left out, as protobuf's JSON does."""
    own = {} if span.span_type == UNKNOWN else {SPAN_TYPE: encode_value(span.span_type)}
    own |= {} if span.inputs_json is None else {INPUTS: span.inputs_json}
    own |= {} if span.outputs_json is None else {OUTPUTS: span.outputs_json}
    form: dict[str, Any] = {"traceId": _bare(span.trace_id), "spanId": span.span_id}
    if span.parent_id is not None:
        form["parentSpanId"] = span.parent_id
    form |= {"name": span.name, "kind": _KINDS.index(span.kind), "startTimeUnixNano": str(span.start_time_ns)}
    if span.end_time_ns is not None:
        form["endTimeUnixNano"] = str(span.end_time_ns)
    form["attributes"] = to_attributes({**own, **span.attributes_json})
    if span.event_records:
        form["events"] = [
            {
                "timeUnixNano": str(each.timestamp_ns),
                "name": each.name,
                "attributes": to_attributes(each.attributes_json),
            }
            for each in span.event_records
        ]
    if span.link_records:
        form["links"] = [
            {"traceId": _bare(each.trace_id), "spanId": each.span_id, "attributes": to_attributes(each.attributes_json)}
            for each in span.link_records
        ]
    status = {"message": span.status.description} if span.status.description else {}
    form["status"] = {**status, "code": _CODES.index(span.status.status_code)}
    return form


def _parts_of(
    resource_spans: Mapping[str, Any], experiment: str, intake: Callable[[TracePart], TracePart]
) -> Iterator[TracePart]:
    """Yield a part for each trace that has spans there."""
    resource = resource_spans.get("resource") or {}
    said = from_attributes(_many(resource, "attributes"))
    whole = _read_whole(said, TracePart("", experiment, 0, []))
    is_ours = _EXPERIMENT in said
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for scope_spans in _many(resource_spans, "scopeSpans"):
        scope = _read_scope(scope_spans.get("scope") or {})
        for form in _many(scope_spans, "spans"):
            span = _from_form(form, scope, is_ours=is_ours)
            spans[span.trace_id].append(span)
    for trace_id, found in spans.items():
        # Parts that are written later win; when these were, only their spans tell.
        written_ns = max(span.end_time_ns or span.start_time_ns for span in found)
        part = replace(whole, trace_id=trace_id, written_ns=written_ns, spans=found)
        yield part if is_ours else intake(part)


def _read_whole(resource: Mapping[str, str], blank: TracePart) -> TracePart:
    """Return the blank part with what a resource says of the whole trace."""
    said = {key: to_text(decode_value(text)) for key, text in resource.items()}
    experiment = said.pop(_EXPERIMENT, None)
    if experiment is not None:
        said.pop(_SERVICE_NAME, None)
    state = said.pop(_STATE, None)
    texts = {name: said.pop(f"{WHOLE}{name}", None) for name in _TEXTS}
    tags = {key.removeprefix(_TAG): value for key, value in said.items() if key.startswith(_TAG)}
    metadata = {key.removeprefix(_METADATA): value for key, value in said.items() if not key.startswith(_TAG)}
    return replace(
        blank, experiment=experiment or blank.experiment, state=None if state is None else TraceState(state),
        tags=tags, metadata=metadata, **texts,
    )  # fmt: skip


def _read_scope(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the library that spans come from as attributes, under the names that exporters without scopes use."""
    told = {"otel.scope.name": scope.get("name"), "otel.scope.version": scope.get("version")}
    return {key: encode_value(value) for key, value in told.items() if value and value != "tracehound"}


def _from_form(form: Mapping[str, Any], scope: Mapping[str, str], *, is_ours: bool) -> Span:
    texts = {**scope, **from_attributes(_many(form, "attributes"))}
    if not is_ours:
        texts = mlflow.unwrapped(texts)
    texts.pop(TRACE_REQUEST_ID, None)
    span_type = texts.pop(SPAN_TYPE, None)
    status = _get(form, "status") or {}
    code = _number_of(status.get("code", 0), [f"STATUS_CODE_{each.value}" for each in _CODES])
    return Span(
        trace_id=_trace_id(form),
        span_id=_id(_get(form, "spanId"), 16),
        parent_id=_parent_id(_get(form, "parentSpanId")),
        name=clean_text(_get(form, "name") or ""),
        start_time_ns=_time_ns(form, "startTimeUnixNano") or 0,
        end_time_ns=_time_ns(form, "endTimeUnixNano"),
        status=SpanStatus(_CODES[code], clean_text(status.get("message") or "")),
        span_type=UNKNOWN if span_type is None else to_text(decode_value(span_type)),
        inputs_json=texts.pop(INPUTS, None),
        outputs_json=texts.pop(OUTPUTS, None),
        attributes_json=texts,
        event_records=[
            RecordedEvent(
                clean_text(_get(each, "name") or ""),
                _time_ns(each, "timeUnixNano") or 0,
                from_attributes(_many(each, "attributes")),
            )
            for each in _many(form, "events")
        ],
        link_records=[
            RecordedLink(_trace_id(each), _id(_get(each, "spanId"), 16), from_attributes(_many(each, "attributes")))
            for each in _many(form, "links")
        ],
        kind=_KINDS[_number_of(_get(form, "kind") or 0, [f"SPAN_KIND_{each}" for each in _KINDS])],
    )


def _get(form: Mapping[str, Any], name: str) -> Any:
    """Return what stands under a name, in the letters of JSON (`spanId`) or of protobuf (`span_id`)."""
    if name in form:
        return form[name]
    return form.get("".join(f"_{each.lower()}" if each.isupper() else each for each in name))


def _many(form: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list; what is empty may be missing, but not where the line begins."""
    found = _get(form, name)
    if found is None and name != "resourceSpans":
        return []
    if not isinstance(found, list):
        raise TypeError(name)
    return found


def _time_ns(form: Mapping[str, Any], name: str) -> int | None:
    """Return a time; None for 0, which is none."""
    time_ns = int(_get(form, name) or 0)
    if not 0 <= time_ns <= _MAX_NS:
        raise ValueError(name)
    return time_ns or None


def _number_of(value: Any, names: list[str]) -> int:
    """Return the number of an enum, which may be written as a name; 0 for a newer one."""
    number = names.index(value) if value in names else int(value)
    return number if 0 <= number < len(names) else 0


def _trace_id(form: Mapping[str, Any]) -> str:
    return f"{TRACE_ID_PREFIX}{_id(_get(form, 'traceId'), 32)}"


def _parent_id(text: Any) -> str | None:
    """Return the id of a parent; None for an empty one, and for one of zeros."""
    return _id(text, 16) if text and _hexadecimal(text, 16).strip("0") else None


def _id(text: Any, digits: int) -> str:
    """Return an id of so many hexadecimal digits; raise for zeros, which are no id."""
    found = _hexadecimal(text, digits)
    if not found.strip("0"):
        raise ValueError(text)
    return found


def _hexadecimal(text: Any, digits: int) -> str:
    """Return the digits of an id that is written in them or in protobuf's base64; raise for anything else."""
    found = str(text).lower() if len(text) == digits else from_base64(text)
    if len(found) != digits or not set(found) <= set(string.hexdigits):
        raise ValueError(text)
    return found


def _bare(trace_id: str) -> str:
    return trace_id.removeprefix(TRACE_ID_PREFIX)
