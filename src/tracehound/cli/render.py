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
from tracehound.model.trace import Trace, TraceInfo, TraceState
from tracehound.store.explain import Explanation

_STYLES: Final = {TraceState.OK: "green", TraceState.ERROR: "bold red", TraceState.IN_PROGRESS: "yellow"}
_VALUE_CHARACTERS: Final = 120
_NAME_CHARACTERS: Final = 24
_BRIEF: Final = ("time", "state", "name", "ms", "trace")
_LEAST_ROOM: Final = 10
_PIPED_COLUMNS: Final = 120


def print_search(traces: Sequence[Trace]) -> None:
    """Print a table with a row for each trace; the requests take what room the other columns leave."""
    console = _console()
    if not traces:
        console.print("no trace matches")
        return
    rows = [(trace.info, _brief(trace.info)) for trace in traces]
    widths = [max(len(heading), *(len(row[at]) for _, row in rows)) for at, heading in enumerate(_BRIEF)]
    room = console.width - sum(widths) - 2 * len(_BRIEF)
    headings = _BRIEF if room < _LEAST_ROOM else (*_BRIEF[:-1], "request", _BRIEF[-1])
    table = _table()
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right" if heading == "ms" else "left")
    for info, (time, state, name, duration, trace_id) in rows:
        request = [] if room < _LEAST_ROOM else [Text(_line(info.request_preview or "", room))]
        styled = Text(state, _STYLES.get(info.state, ""))
        table.add_row(time, styled, Text(name), duration, *request, Text(trace_id, "dim"))
    console.print(table)


def print_explanation(explanation: Explanation) -> None:
    """Print what was done for a search step by step, and what left its answer empty if it is."""
    console = _console()
    console.print(f"driven by {explanation.driver or 'no index: the traces are looked at one by one'}", markup=False)
    table = _table()
    table.add_column("step", overflow="fold")
    for heading in ("rows read", "ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in explanation.steps:
        table.add_row(Text(step.what), f"{step.rows_read:,}", f"{step.time_ms:,.1f}")
    console.print(table)
    if explanation.emptied_by is None:
        console.print(f"{explanation.found:,} found on the first page" if explanation.found else "there are no traces")
    elif explanation.emptied_after:
        before = " AND ".join(explanation.emptied_after)
        console.print(f"nothing found: {explanation.emptied_by} is true of none of those with {before}", markup=False)
    else:
        console.print(f"nothing found: no trace has {explanation.emptied_by}", markup=False)


def print_latency(summaries: Iterable[LatencySummary]) -> None:
    """Print a table of counts, errors and percentiles by name."""
    table = _table()
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
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_COLUMNS)


def _brief(info: TraceInfo) -> tuple[str, str, str, str, str]:
    """Return what a row says of a trace, under the headings of `_BRIEF`."""
    duration = "" if info.execution_duration is None else f"{info.execution_duration:,}"
    return (
        _time(info.request_time),
        str(info.state),
        _line(info.name, _NAME_CHARACTERS),
        duration,
        _line(info.trace_id),
    )


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))


def _line(text: str, characters: int = _VALUE_CHARACTERS) -> str:
    """Return the text on one line, cut, with nothing in it that a terminal would obey."""
    cut = text if len(text) <= characters else f"{text[: characters - 1]}…"
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
