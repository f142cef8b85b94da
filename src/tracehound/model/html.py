"""Traces as HTML, for notebooks: a table of them, each of which opens to the tree of its spans.

No script, no style sheet and no address of anything outside, so that it works wherever a notebook is shown, saved or
sent. Everything that comes from a trace is escaped. Colours are those of the page around it, so that it can be read
on dark ground as well; only errors have one of their own, which both grounds bear.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from tracehound.model.record import from_json, to_json

if TYPE_CHECKING:
    from tracehound.model.trace import Trace

SHOWN_TRACES: Final = 20
_SHOWN_SPANS: Final = 200
_DEEPEST: Final = 30
_LONGEST_CELL: Final = 80
_LONGEST_VALUE: Final = 2_000

_CELL: Final = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
_ERROR: Final = "color:#d33;font-weight:bold"
_QUIET: Final = "opacity:.65"
_TREE: Final = "margin:0 0 0 1.2em"
_VALUE: Final = (
    "margin:2px 0 6px 1.2em;white-space:pre-wrap;overflow-wrap:anywhere;background:transparent;color:inherit"
)


def trace_html(trace: Trace) -> str:
    """Return a trace as its first lines and the tree of its spans."""
    head = f"<b>{_short(trace.info.name)}</b> {_state(str(trace.info.state))} {_duration_ms(trace)}"
    about = f'<div style="{_QUIET}">{escape(trace.info.trace_id)}, {_time(trace)}</div>'
    return f"<div>{head}{about}{_tree(trace.data.span_dicts())}</div>"


def quiet_html(text: str) -> str:
    """Return a line that is no louder than it has to be."""
    return f'<div style="{_QUIET}">{escape(text)}</div>'


def traces_html(cells: Sequence[Any], total: int) -> str:
    """Return a table of the first traces of a result; cells that hold no trace are left out."""
    if not total:
        return "<i>no traces</i>"
    shown = [cell for cell in cells if hasattr(cell, "info")]
    head = "".join(
        f'<th style="{_CELL}">{name}</th>' for name in ("time", "name", "state", "duration", "request", "response")
    )
    rows = "".join(map(_row, shown))
    left = total - len(shown)
    more = f'<div style="{_QUIET}">and {left:,} more</div>' if left else ""
    return f'<div><table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>{more}</div>'


def _row(trace: Trace) -> str:
    info = trace.info
    name = _details(_short(info.name), _tree(trace.data.span_dicts()))
    texts = (
        _time(trace), name, _state(str(info.state)), _duration_ms(trace),
        _short(info.request_preview or ""), _short(info.response_preview or ""),
    )  # fmt: skip
    return f"<tr>{''.join(f'<td style={chr(34)}{_CELL}{chr(34)}>{text}</td>' for text in texts)}</tr>"


def _tree(spans: Sequence[dict[str, Any]]) -> str:
    """Return the spans whose parent is not among them, with the others inside, in the order of results."""
    if not spans:
        return f'<div style="{_QUIET}">no spans were read</div>'
    known = {span["span_id"] for span in spans}
    below: defaultdict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for span in spans[:_SHOWN_SPANS]:
        parent = span["parent_span_id"]
        below[parent if parent in known else None].append(span)
    left = len(spans) - _SHOWN_SPANS
    more = f'<div style="{_QUIET}">and {left:,} more spans</div>' if left > 0 else ""
    return _branch(below[None], below, 0) + more


def _branch(spans: Iterable[dict[str, Any]], below: dict[str | None, list[dict[str, Any]]], depth: int) -> str:
    if depth == _DEEPEST:
        return f'<div style="{_QUIET}">…</div>'
    return "".join(
        f'<div style="{_TREE}">{_details(_title(span), _values(span))}'
        f"{_branch(below[span['span_id']], below, depth + 1)}</div>"
        for span in spans
    )


def _title(span: dict[str, Any]) -> str:
    code = str(span["status"]["code"]).removeprefix("STATUS_CODE_")
    end_ns = span["end_time_unix_nano"]
    took = "runs" if end_ns is None else f"{(end_ns - span['start_time_unix_nano']) / 1e6:,.1f} ms"
    kind = _text_of(span["attributes"].get("mlflow.spanType", ""))
    failed = f' <span style="{_ERROR}">ERROR</span>' if code == "ERROR" else ""
    return f'{_short(span["name"])} <span style="{_QUIET}">{_short(kind)} {took}</span>{failed}'


def _values(span: dict[str, Any]) -> str:
    """Return what is known of a span, each thing under its name."""
    attributes = dict(span["attributes"])
    named = {
        "error": span["status"]["message"],
        "inputs": attributes.pop("mlflow.spanInputs", ""),
        "outputs": attributes.pop("mlflow.spanOutputs", ""),
        **{key: text for key, text in attributes.items() if key not in ("mlflow.traceRequestId", "mlflow.spanType")},
        **{f"event {event['name']}": to_json(event["attributes"]).decode() for event in span["events"]},
    }
    return "".join(
        f'<div style="{_QUIET};{_TREE}">{_short(name)}</div><pre style="{_VALUE}">{_cut(text, _LONGEST_VALUE)}</pre>'
        for name, text in named.items()
        if text
    )


def _details(summary: str, inside: str) -> str:
    return f'<details><summary style="cursor:pointer">{summary}</summary>{inside}</details>'


def _state(state: str) -> str:
    return f'<span style="{_ERROR}">{escape(state)}</span>' if state == "ERROR" else escape(state)


def _time(trace: Trace) -> str:
    try:
        begun = datetime.datetime.fromtimestamp(trace.info.request_time / 1000, datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):  # a clock that was far out
        return escape(str(trace.info.request_time))
    return f"{begun:%Y-%m-%d %H:%M:%S} UTC"


def _duration_ms(trace: Trace) -> str:
    duration = trace.info.execution_duration
    return "" if duration is None else f"{duration:,} ms"


def _text_of(text: str) -> str:
    """Return a JSON text as the text that it holds, other values as they are written."""
    value = from_json(text) if text else ""
    return value if isinstance(value, str) else text


def _short(text: str) -> str:
    return _cut(text, _LONGEST_CELL)


def _cut(text: str, most: int) -> str:
    """Return a text escaped, and cut with a word on how much is missing."""
    if len(text) <= most:
        return escape(text)
    return f'{escape(text[:most])}<span style="{_QUIET}">… {len(text) - most:,} characters more</span>'
