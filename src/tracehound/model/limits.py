"""A part that is larger than a trace may be loses its largest values, and says so in their place."""

from __future__ import annotations

from tracehound.model.record import replace, to_msgpack
from tracehound.model.span import Span
from tracehound.model.trace import TracePart
from tracehound.model.values import encode_value


def fit_part(part: TracePart, max_bytes: int) -> TracePart:
    """Return the part with as many of its inputs and outputs as fit; the largest are left out first."""
    excess = len(to_msgpack(part)) - max_bytes
    sizes = sorted(
        (
            (len(text.encode()), number, name)
            for number, span in enumerate(part.spans)
            for name, text in (("inputs_json", span.inputs_json), ("outputs_json", span.outputs_json))
            if text is not None
        ),
        reverse=True,
    )
    spans = list(part.spans)
    for size, number, name in sizes:
        if excess <= 0:
            break
        note = encode_value(f"… [left out: {size} bytes, the trace is larger than the limit of {max_bytes}]")
        spans[number] = _with_value(spans[number], name, note)
        excess -= size - len(note.encode())
    return replace(part, spans=spans)


def _with_value(span: Span, name: str, text: str) -> Span:
    return replace(span, **{name: text})
