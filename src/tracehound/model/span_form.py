"""Spans as any MLflow since 2.14 wrote them: checked, brought into the newest form, and then read as our own are.

The newest form has base64 ids and, from 3.18 on, a kind; MLflow 3.5.0 wrote hexadecimal ids, and MLflow 2 had other
names, with the ids in a `context`.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from tracehound.model.form import Form
from tracehound.model.ids import to_base64
from tracehound.model.occurrence import Link
from tracehound.model.span import TRACE_REQUEST_ID, Span, span_from_dict
from tracehound.model.values import decode_value, encode_exactly

_STATUS: Final = {
    f"{prefix}{code}": f"STATUS_CODE_{code}" for prefix in ("STATUS_CODE_", "") for code in ("UNSET", "OK", "ERROR")
}
_PREFIX: Final = re.compile(r"trace:/.*/|tr-|0x")


def read_span(form: Form) -> Span:
    """Return the span that an object holds, in any of the forms."""
    attributes = _read_attributes(form)
    span = _read_v2(form) if "context" in form else _read_v3(form)
    form.end()
    return span_from_dict({**span, "attributes": attributes})


def read_link(form: Form) -> Link:
    """Return the link that an object holds."""
    link = Link(form.text("trace_id"), form.text("span_id"), form.values("attributes") or None)
    form.end()
    return link


def _read_v3(form: Form) -> dict[str, Any]:
    form.has("trace_state")  # MLflow 3.4 and some before it wrote one that says nothing
    status = form.form("status")
    told = {"code": status.one_of("code", _STATUS), "message": status.text_or_none("message") or ""}
    status.end()
    span = {
        "trace_id": _read_id(form, "trace_id", 32),
        "span_id": _read_id(form, "span_id", 16),
        "parent_span_id": _read_parent(form, "parent_span_id"),
        "name": form.text("name"),
        "start_time_unix_nano": form.integer("start_time_unix_nano"),
        "end_time_unix_nano": form.integer_or_none("end_time_unix_nano") or None,
        "events": [_read_event(each, "time_unix_nano") for each in form.forms("events")],
        "status": told,
        "links": [read_link(each).to_dict() for each in form.forms("links")],
    }
    return {**span, "kind": form.text("kind")} if "kind" in form else span


def _read_v2(form: Form) -> dict[str, Any]:
    context = form.form("context")
    span = {
        "trace_id": _read_id(context, "trace_id", 32),
        "span_id": _read_id(context, "span_id", 16),
        "parent_span_id": _read_parent(form, "parent_id"),
        "name": form.text("name"),
        "start_time_unix_nano": form.integer("start_time"),
        "end_time_unix_nano": form.integer_or_none("end_time") or None,
        "events": [_read_event(each, "timestamp") for each in form.forms("events")],
        "status": {
            "code": form.one_of("status_code", _STATUS),
            "message": form.text_or_none("status_message") or "",
        },
        "kind": "SPAN_KIND_INTERNAL",
        "links": [read_link(each).to_dict() for each in form.forms("links")],
    }
    context.end()
    return span


def _read_attributes(form: Form) -> dict[str, str]:
    """Return the attributes as texts. MLflow keeps what was set beside it as it was set: numbers, too."""
    texts = {
        key: value if isinstance(value, str) else encode_exactly(value)
        for key, value in form.values("attributes").items()
    }
    trace_id = decode_value(texts.get(TRACE_REQUEST_ID, "null"))
    if not isinstance(trace_id, str) or not trace_id:
        raise form.wrong(f"attributes.{TRACE_REQUEST_ID}", "the id of the trace, as a JSON text", trace_id)
    return texts


def _read_event(form: Form, time: str) -> dict[str, Any]:
    event = {
        "name": form.text("name"),
        "time_unix_nano": form.integer(time),
        "attributes": form.values("attributes"),
    }
    form.end()
    return event


def _read_parent(form: Form, key: str) -> str | None:
    return _read_id(form, key, 16) if form.has(key) else None


def _read_id(form: Form, key: str, digits: int) -> str:
    """Return an id in base64, whichever way it is written."""

    def parse(text: str) -> str:
        if text.endswith("="):
            hexadecimal = base64.b64decode(text, validate=True).hex()
        else:
            hexadecimal = _PREFIX.sub("", text, count=1).zfill(digits)
        if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", hexadecimal):
            raise ValueError(text)
        return to_base64(hexadecimal)

    return form.parsed(key, parse, f"an id of {digits} hexadecimal digits, or that in base64")
