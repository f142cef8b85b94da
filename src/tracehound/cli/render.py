"""Traces in a terminal: tables of many, a tree of one."""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from tracehound.analysis.latency import LatencySummary
from tracehound.model.span import UNKNOWN, Span, SpanStatusCode
from tracehound.model.trace import Trace, TraceState

_STYLES: Final = {TraceState.OK: "green", TraceState.ERROR: "bold red", TraceState.IN_PROGRESS: "yellow"}
_VALUE_CHARACTERS: Final = 120
_ROOM_FOR_REQUESTS: Final = 100
_PIPED_COLUMNS: Final = 120


def print_search(traces: Sequence[Trace], title: str | None = None) -> None:
    """Print a table with a row for each trace."""
    console = _console()
    has_room = console.width >= _ROOM_FOR_REQUESTS
    table = _table(title)
    table.add_column("time", no_wrap=True, min_width=14)
    table.add_column("state", no_wrap=True, min_width=5)
    table.add_column("name", no_wrap=True, overflow="ellipsis")
    table.add_column("ms", justify="right", no_wrap=True, min_width=6)
    if has_room:
        table.add_column("request", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("trace", no_wrap=True, min_width=35)
    for trace in traces:
        info = trace.info
        request = [Text(_line(info.request_preview or ""))] if has_room else []
        table.add_row(
            _time(info.request_time),
            Text(str(info.state), _STYLES.get(info.state, "")),
            Text(_line(info.name)),
            "" if info.execution_duration is None else f"{info.execution_duration:,}",
            *request,
            Text(info.trace_id, "dim"),
        )
    console.print(table if traces else "no trace matches")


def print_latency(summaries: Iterable[LatencySummary], title: str | None = None) -> None:
    """Print a table of counts, errors and percentiles by name."""
    table = _table(title)
    table.add_column("name", no_wrap=True, overflow="ellipsis")
    for heading in ("traces", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in summaries:
        share = f"{each.errors} ({each.errors / each.count:.0%})" if each.errors else "0"
        times = [_milliseconds(value) for value in (each.p50_ms, each.p95_ms, each.p99_ms, each.max_ms)]
        table.add_row(Text(_line(each.name)), f"{each.count:,}", Text(share, "red" if each.errors else ""), *times)
    _console().print(table)


def print_trace(trace: Trace) -> None:
    """Print what is known of a trace, and its spans as a tree."""
    info = trace.info
    console = _console()
    head = Text.assemble(
        (_line(info.name), "bold"), "  ", (str(info.state), _STYLES.get(info.state, "")), f"  {_span_time(trace)}  ",
        (f"{_time(info.request_time)}  {info.trace_id}", "dim"),
    )  # fmt: skip
    console.print(head, soft_wrap=True)
    for label, pairs in (("tags", info.tags), ("metadata", info.trace_metadata)):
        if pairs:
            shown = "  ".join(f"{key}={value}" for key, value in sorted(pairs.items()))
            console.print(Text.assemble((f"{label:9}", "dim"), _line(shown)), no_wrap=True, overflow="ellipsis")
    below: defaultdict[str | None, list[Span]] = defaultdict(list)
    known = {span.span_id for span in trace.data.spans}
    for span in trace.data.spans:
        below[span.parent_id if span.parent_id in known else None].append(span)
    for root in below[None]:
        console.print(_tree(root, below), no_wrap=True, overflow="ellipsis", crop=False)


def print_heading(text: str) -> None:
    """Print a line that begins a part of the output."""
    _console().print(f"\n[bold]{escape(text)}[/bold]")


def print_line(text: str) -> None:
    """Print a line as it is."""
    _console().print(Text(text), soft_wrap=True)


def _tree(span: Span, below: defaultdict[str | None, list[Span]]) -> Tree:
    failed = span.status.status_code is SpanStatusCode.ERROR
    label = Text.assemble(
        (_line(span.name), "bold red" if failed else "bold"),
        ("" if span.span_type == UNKNOWN else f"  {_line(span.span_type)}", "cyan"),
        (f"  {_duration(span)}", "dim"),
    )  # fmt: skip
    if failed:
        label.append(f"\n✗ {_line(span.status.description)}", "red")
    if span.inputs_json is not None:
        label.append(f"\n→ {_line(span.inputs_json)}", "dim")
    if span.outputs_json is not None:
        label.append(f"\n← {_line(span.outputs_json)}", "dim")
    tree = Tree(label)
    for child in below[span.span_id]:
        tree.add(_tree(child, below))
    return tree


def _console() -> Console:
    """Return a console as wide as the terminal, or wide enough for a row where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_COLUMNS)


def _table(title: str | None) -> Table:
    return Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))


def _line(text: str) -> str:
    """Return the text on one line, cut, with nothing in it that a terminal would obey."""
    cut = text if len(text) <= _VALUE_CHARACTERS else f"{text[: _VALUE_CHARACTERS - 1]}…"
    return "".join(character if character.isprintable() else " " for character in cut)


def _time(milliseconds: int) -> str:
    """Return a time of the machine's zone."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, tz=datetime.timezone.utc).astimezone()
    return moment.strftime("%m-%d %H:%M:%S")


def _span_time(trace: Trace) -> str:
    duration = trace.info.execution_duration
    return "still running" if duration is None else f"{duration:,} ms"


def _duration(span: Span) -> str:
    return "still running" if span.duration_ns is None else f"{span.duration_ns / 1e6:,.1f} ms"


def _milliseconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.0f}"
