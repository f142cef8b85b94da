"""OTLP JSON lines: a trace -> one line of a file, in the form of OpenTelemetry's file exporter, and back.

Each line is an `ExportTraceServiceRequest` in OTLP's JSON: ids are hexadecimal, 64-bit numbers texts, enums numbers.
What is said of a whole trace stands among the attributes of its resource, under names that begin with `WHOLE`, for
the resource stays with its spans whatever a collector does with them. What follows from the spans is not said again.

Files of other exporters are read as well: a line may hold pieces of many traces; ids may be base64 and names those of
protobuf. What it all means stands in `wire.otlp`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from tracehound.errors import TracehoundError
from tracehound.model.ids import TRACE_ID_PREFIX, from_base64
from tracehound.model.occurrence import RecordedLink
from tracehound.model.record import DecodeError, from_json, to_json, to_json_text
from tracehound.model.span import INPUTS, OUTPUTS, SPAN_TYPE, UNKNOWN, Span
from tracehound.model.trace import Trace
from tracehound.model.values import encode_value
from tracehound.model.whole import TEXTS, Whole, to_whole
from tracehound.wire.any_value import MAX_BYTES, from_attributes, to_attributes
from tracehound.wire.dialects.translate import translate_part
from tracehound.wire.otlp import (
    ASSESSMENT,
    CODES,
    EXPERIMENT,
    FAULTS,
    KINDS,
    METADATA,
    OUR_SCOPE,
    SERVICE_NAME,
    STATE,
    TAG,
    WHOLE,
    WITHOUT_METADATA,
    WITHOUT_TAG,
    Arrived,
    DamagedRequestError,
    Intake,
    said_of_spans,
    take_spans,
    to_event,
    to_span,
)


class DamagedLineError(TracehoundError):
    """A line that is no OTLP JSON; the message says what is wrong with it."""


def to_otlp_line(trace: Trace, experiment: str) -> bytes:
    """Return a trace as one line; `from_otlp_line` is the inverse. `experiment` is the name of its experiment."""
    whole = to_whole(trace, experiment)
    scope_spans = {"scope": {"name": OUR_SCOPE}, "spans": [_to_form(span) for span in whole.part.spans]}
    resource = {"attributes": to_attributes(_texts_of_whole(whole))}
    return to_json({"resourceSpans": [{"resource": resource, "scopeSpans": [scope_spans]}]}) + b"\n"


def from_otlp_line(line: bytes, experiment: str, intake: Intake = translate_part) -> Arrived:
    """Return what a line holds: parts of traces, and edits; raise `DamagedLineError` where any of it is damaged.

    `experiment` is the name of that which the traces go into where the line names none. What others wrote passes
    through `intake`; what `to_otlp_line` wrote came out of a store and has done so, and comes back as it was. The same
    line gives the same parts, so that a store takes them in once.
    """
    try:
        form = from_json(line)
        arrived = _read_request(form, experiment, intake)
        if _get(form, "resourceSpans") is None or arrived.refused:
            raise ValueError(arrived.reason)
    except DecodeError as error:
        raise DamagedLineError("it is not JSON, or cut off") from error
    except RecursionError as error:
        raise DamagedLineError("its values are nested too deep") from error
    except FAULTS as error:
        raise DamagedLineError("it is JSON, and no ExportTraceServiceRequest of OTLP") from error
    return arrived


def _texts_of_whole(whole: Whole) -> dict[str, str]:
    """Return what is said of a trace beyond what its spans say, as JSON texts."""
    part = whole.part
    told: dict[str, str] = {SERVICE_NAME: part.experiment, EXPERIMENT: part.experiment}
    if part.state is not None:
        told[STATE] = part.state.value
    told |= {f"{WHOLE}{name}": value for name in TEXTS if (value := getattr(part, name)) is not None}
    told |= {f"{TAG}{key}": value for key, value in part.tags.items()}
    told |= {f"{METADATA}{key}": value for key, value in part.metadata.items()}
    told |= {f"{ASSESSMENT}{each.assessment_id}": to_json_text(each.to_dict()) for each in whole.assessments}
    told |= dict.fromkeys((f"{WITHOUT_TAG}{key}" for key in whole.without_tags), "")
    told |= dict.fromkeys((f"{WITHOUT_METADATA}{key}" for key in whole.without_metadata), "")
    return {key: encode_value(value, MAX_BYTES) for key, value in told.items()}


def _to_form(span: Span) -> dict[str, Any]:
    """Return a span in OTLP's form; what is not there is left out, as protobuf's JSON does."""
    own = {} if span.span_type == UNKNOWN else {SPAN_TYPE: encode_value(span.span_type)}
    own |= {} if span.inputs_json is None else {INPUTS: span.inputs_json}
    own |= {} if span.outputs_json is None else {OUTPUTS: span.outputs_json}
    form: dict[str, Any] = {"traceId": _bare(span.trace_id), "spanId": span.span_id}
    if span.parent_id is not None:
        form["parentSpanId"] = span.parent_id
    form |= {"name": span.name, "kind": KINDS.index(span.kind), "startTimeUnixNano": str(span.start_time_ns)}
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
    form["status"] = {**status, "code": CODES.index(span.status.status_code)}
    return form


def read_otlp_json(data: bytes, experiment: str, intake: Intake = translate_part) -> Arrived:
    """Return what a request in OTLP's JSON brings, without the spans that are damaged.

    `experiment` is the name of that which the traces go into where the request names none; each part passes through
    `intake`. Raise `DamagedRequestError` for what is no request at all.
    """
    try:
        return _read_request(from_json(data), experiment, intake)
    except (DecodeError, UnicodeDecodeError) as error:
        raise DamagedRequestError("the body is no JSON, or cut off") from error
    except RecursionError as error:
        raise DamagedRequestError("the values in the body are nested too deep") from error
    except FAULTS as error:
        raise DamagedRequestError("the body is JSON, and no ExportTraceServiceRequest of OTLP") from error


def _read_request(form: Any, experiment: str, intake: Intake) -> Arrived:
    arrived = Arrived()
    for resource_spans in _many(form, "resourceSpans"):
        scopes = _many(resource_spans, "scopeSpans")
        forms = [(each.get("scope") or {}, span) for each in scopes for span in _many(each, "spans")]
        spans: list[Span] = []
        try:
            resource = _texts_in(resource_spans.get("resource") or {})
            spans = _read_spans(resource, forms, arrived)
            forms = []
            take_spans(arrived, resource, spans, experiment, intake)
        except FAULTS as error:
            arrived.refuse(len(forms) or len(spans), error)
    return arrived


def _read_spans(resource: Mapping[str, str], forms: Sequence[tuple[Any, Any]], arrived: Arrived) -> list[Span]:
    """Return the spans of a resource, each given with its scope; those that are damaged are counted."""
    spans: list[Span] = []
    scope, said, is_ours = None, {}, EXPERIMENT in resource
    for each, form in forms:
        try:
            if each is not scope:
                scope, said = each, said_of_spans(resource, each.get("name"), each.get("version"), _texts_in(each))
            spans.append(_from_form(form, said, is_ours=is_ours))
        except FAULTS as error:  # noqa: PERF203 - one span among others
            arrived.refuse(1, error)
    return spans


def _from_form(form: Mapping[str, Any], scope: Mapping[str, str], *, is_ours: bool) -> Span:
    status = _get(form, "status") or {}
    return to_span(
        trace_id=_trace_id(form),
        span_id=_id(_get(form, "spanId"), 16),
        parent_id=_parent_id(_get(form, "parentSpanId")),
        name=_get(form, "name") or "",
        kind=_number_of(_get(form, "kind") or 0, [f"SPAN_KIND_{each}" for each in KINDS]),
        start_ns=int(_get(form, "startTimeUnixNano") or 0),
        end_ns=int(_get(form, "endTimeUnixNano") or 0),
        code=_number_of(status.get("code", 0), [f"STATUS_CODE_{each.value}" for each in CODES]),
        message=status.get("message") or "",
        texts={**scope, **from_attributes(_many(form, "attributes"))},
        is_ours=is_ours,
        events=[
            to_event(_get(each, "name") or "", int(_get(each, "timeUnixNano") or 0), _texts_in(each))
            for each in _many(form, "events")
        ],
        links=[
            RecordedLink(
                f"{TRACE_ID_PREFIX}{_id_of_link(each, 'traceId', 32)}", _id_of_link(each, "spanId", 16), _texts_in(each)
            )
            for each in _many(form, "links")
        ],
    )


def _texts_in(form: Mapping[str, Any]) -> dict[str, str]:
    return from_attributes(_many(form, "attributes"))


def _get(form: Mapping[str, Any], name: str) -> Any:
    """Return what stands under a name, in the letters of JSON (`spanId`) or of protobuf (`span_id`)."""
    if name in form:
        return form[name]
    return form.get("".join(f"_{each.lower()}" if each.isupper() else each for each in name))


def _many(form: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list; what is empty may be missing."""
    found = _get(form, name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise TypeError(name)
    return found


def _number_of(value: Any, names: list[str]) -> int:
    """Return the number of an enum, which may be written as a name; 0 for a newer one."""
    number = names.index(value) if value in names else int(value)
    return number if 0 <= number < len(names) else 0


def _trace_id(form: Mapping[str, Any]) -> str:
    return f"{TRACE_ID_PREFIX}{_id(_get(form, 'traceId'), 32)}"


def _id_of_link(form: Mapping[str, Any], name: str, digits: int) -> str:
    """Return an id of what a link refers to; zeros where it says none, which OpenTelemetry allows."""
    return _hexadecimal(_get(form, name) or "0" * digits, digits)


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
