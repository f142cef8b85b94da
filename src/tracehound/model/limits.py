"""How much a trace may hold: what is more loses its largest values, and says so in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracehound.model.record import replace, to_msgpack
from tracehound.model.span import Span
from tracehound.model.trace import TracePart
from tracehound.model.values import encode_value

# Of a tag, and of a key of the metadata: lists show them, and every search of a trace reads them.
MAX_TAG_CHARACTERS: Final = 65_536

# Of a span that comes from elsewhere: each is indexed.
MAX_SPAN_ATTRIBUTES: Final = 10_000

# Where a value stands: the number of its span, the name of the field, and for an attribute its key.
_Place = tuple[int, str, str]


def fit_part(part: TracePart, max_bytes: int) -> TracePart:
    """Return the part with as many of its inputs, outputs and attributes as fit; the largest are left out first.

    What else a trace holds (names, times, events) is kept.
    """
    excess = len(to_msgpack(part)) - max_bytes
    spans = list(part.spans)
    for size, (number, name, key) in sorted(_sizes(spans), reverse=True):
        note = encode_value(f"… [left out: {size} bytes, the trace is larger than the limit of {max_bytes}]")
        saved = size - len(note.encode())
        if excess <= 0 or saved <= 0:
            break
        span = spans[number]
        value = {**span.attributes_json, key: note} if key else note
        spans[number] = replace(span, **{name: value})
        excess -= saved
    return replace(part, spans=spans)


def _sizes(spans: list[Span]) -> Iterator[tuple[int, _Place]]:
    """Yield how large each value is, and where it stands."""
    for number, span in enumerate(spans):
        for name, text in (("inputs_json", span.inputs_json), ("outputs_json", span.outputs_json)):
            if text is not None:
                yield len(text.encode()), (number, name, "")
        for key, text in span.attributes_json.items():
            if key:
                yield len(text.encode()), (number, "attributes_json", key)
