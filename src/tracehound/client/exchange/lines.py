"""Our own JSON lines: a trace a line, in the form of `Trace.to_json`, which MLflow reads, and its experiment."""

from __future__ import annotations

import re
from typing import Final

from tracehound.errors import ArgumentError
from tracehound.model.form import read_document
from tracehound.model.record import replace, to_json_text
from tracehound.model.span import UNKNOWN
from tracehound.model.trace import Trace, TraceData
from tracehound.model.whole import Whole, to_whole

_EXPERIMENT: Final = "experiment"
_OUR_ID: Final = re.compile(r"tr-[0-9a-f]{32}")


def to_trace_line(trace: Trace, experiment: str) -> bytes:
    """Return a trace as one line; `from_trace_line` is the inverse.

    The same trace gives the same line. Values of events and links are those of JSON, not the letters of what was kept.
    """
    form = trace.to_dict()
    form["info"] |= {key: dict(sorted(form["info"].get(key, {}).items())) for key in ("trace_metadata", "tags")}
    return to_json_text({_EXPERIMENT: experiment, **form}).encode() + b"\n"


def from_trace_line(line: bytes, experiment: str) -> Whole:
    """Return the trace of a line, which may be of MLflow's `Trace.to_json` too; `experiment` is for one without.

    Raise `ArgumentError`, which says what is wrong, for anything else.
    """
    form = read_document(line)
    if not isinstance(form, dict):
        raise ArgumentError("a line is a JSON object, with the info and the data of a trace")
    name = form.pop(_EXPERIMENT, experiment)
    if not isinstance(name, str):
        raise ArgumentError(f"{_EXPERIMENT} is a text, not {name!r}")
    return to_whole(_checked(Trace.from_dict(form)), name)


def _checked(trace: Trace) -> Trace:
    """Return the trace with spans as a store has them; raise `ArgumentError` for one that no store can hold."""
    trace_id, spans = trace.info.trace_id, trace.data.spans
    if _OUR_ID.fullmatch(trace_id) is None:
        raise ArgumentError(f"{trace_id!r} is no id of a trace here, which is tr- and 32 hexadecimal digits")
    if not spans or {span.trace_id for span in spans} != {trace_id}:
        raise ArgumentError(f"the trace {trace_id} has no spans, or some of other traces")
    whole = [
        replace(span, span_type=UNKNOWN if span.span_type is None else span.span_type, kind=span.kind or "INTERNAL")
        for span in spans
    ]
    return replace(trace, data=TraceData(whole))
