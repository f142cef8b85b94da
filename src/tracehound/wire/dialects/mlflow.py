"""MLflow's own attributes, which are ours too, as they come over OTLP: there every value is JSON in a text.

Its clients write all attributes of a span as JSON, texts with their quotes, and the trace id among them shows it. Other
programs that know its names write plain texts, and JSON where the value is an object or a list.
"""

from __future__ import annotations

from typing import Final

from tracehound.model.reserved import SPAN_COST, SPAN_TOOLS, SPAN_USAGE
from tracehound.model.span import INPUTS, OUTPUTS, TRACE_REQUEST_ID
from tracehound.model.values import decode_value

_STRUCTURED: Final[tuple[str, ...]] = (INPUTS, OUTPUTS, SPAN_USAGE, SPAN_COST, SPAN_TOOLS)

# How a JSON text begins that holds JSON of an object or a list; blanks before it may be escaped.
_MAY_HOLD_OBJECT: Final = ('"{', '"[', '" ', '"\\')


def unwrapped(texts: dict[str, str]) -> dict[str, str]:
    """Return the attributes of a span that came over OTLP, with MLflow's values as the values that they stand for.

    >>> unwrapped({"mlflow.spanInputs": '"{\\\\"a\\\\":1}"', "note": '"{}"'})
    {'mlflow.spanInputs': '{"a":1}', 'note': '"{}"'}
    """
    trace_id = texts.get(TRACE_REQUEST_ID)
    if trace_id is not None and str(decode_value(trace_id)).startswith('"'):
        return {key: _json_in(text) for key, text in texts.items()}
    plain = {key: _json_in(texts[key]) for key in _STRUCTURED if key in texts and _holds_object(texts[key])}
    return {**texts, **plain} if plain else texts


def _json_in(text: str) -> str:
    """Return the JSON that a text holds, as it was written there; a value that holds none is itself."""
    value = decode_value(text)
    return value if isinstance(value, str) and decode_value(value) is not value else text


def _holds_object(text: str) -> bool:
    if not text.startswith(_MAY_HOLD_OBJECT):  # which says it of most without decoding a long text
        return False
    value = decode_value(text)
    return isinstance(value, str) and isinstance(decode_value(value), (dict, list))
