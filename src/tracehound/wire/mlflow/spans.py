"""Spans in the JSON of MLflow's REST API: OTLP's spans, with ids in base64.

An attribute is a value of OTLP there, which knows no whole numbers of more than 64 bits: such a number is written as a
text, since as a double it would be another one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from tracehound.model.ids import TRACE_ID_PREFIX, to_base64
from tracehound.model.record import to_json_text
from tracehound.model.span import Span
from tracehound.model.values import clean_text, decode_value

# Protobuf reads messages that lie 100 deep in each other; a list in another value is two of them, a map is three.
_MOST_MESSAGES: Final = 84
_TRACE_ID: Final = re.compile(r"tr-([0-9a-f]{32})")
_ODD_DOUBLES: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}  # as protobuf's JSON writes them


def to_span_message(span: Span) -> dict[str, Any]:
    """Return a span as MLflow's client reads it, which makes the name of the trace of the id that it finds here."""
    form = span.to_dict()
    named = _TRACE_ID.fullmatch(span.trace_id)
    message = {
        "trace_id": form["trace_id"] if named is None else to_base64(named[1]),
        "span_id": form["span_id"],
        "parent_span_id": form["parent_span_id"],
        "name": form["name"],
        "kind": form.get("kind"),
        "start_time_unix_nano": form["start_time_unix_nano"],
        "end_time_unix_nano": form["end_time_unix_nano"],
        "attributes": _attributes({key: decode_value(text) for key, text in form["attributes"].items()}),
        "events": [{**each, "attributes": _attributes(each["attributes"])} for each in form["events"]] or None,
        "links": [_link(each) for each in form["links"]] or None,
        "status": {key: value for key, value in form["status"].items() if value},
    }
    return {key: value for key, value in message.items() if value is not None}


def _link(link: Mapping[str, Any]) -> dict[str, Any]:
    ids = {"trace_id": to_base64(link["trace_id"].removeprefix(TRACE_ID_PREFIX)), "span_id": to_base64(link["span_id"])}
    return {**ids, "attributes": _attributes(link["attributes"])} if link["attributes"] else ids


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": to_any_value(value)} for key, value in values.items()]


def to_any_value(value: Any, messages_left: int = _MOST_MESSAGES) -> dict[str, Any]:
    """Return a plain value as one of OTLP; what lies deeper than a client reads becomes JSON text.

    >>> to_any_value({"n": [1, None]})
    {'kvlist_value': {'values': [{'key': 'n', 'value': {'array_value': {'values': [{'int_value': '1'}, {}]}}}]}}
    """
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"bool_value": value}
    if isinstance(value, int):
        return {"int_value": str(value)} if -(2**63) <= value < 2**63 else {"string_value": str(value)}
    if isinstance(value, float):
        return {"double_value": value if math.isfinite(value) else _ODD_DOUBLES[str(value)]}
    if isinstance(value, str):
        return {"string_value": clean_text(value)}
    if messages_left <= 0:
        return {"string_value": clean_text(to_json_text(value))}
    if isinstance(value, dict):
        items = [
            {"key": clean_text(key), "value": to_any_value(each, messages_left - 3)} for key, each in value.items()
        ]
        return {"kvlist_value": {"values": items}}
    return {"array_value": {"values": [to_any_value(each, messages_left - 2) for each in value]}}
