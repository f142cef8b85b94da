"""One trace in a terminal: what is known of the whole, and its spans as a tree.

The tree is walked with a list of what is to come and not by recursion, as agents that call themselves nest a thousand
deep. Where the guides of a deep span would leave no room for it, only the last of them are shown behind its depth.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from tracehound.cli.table import STYLES
from tracehound.cli.text import line, local_time, open_console
from tracehound.model.assessment import Assessment, Expectation, Feedback, IssueReference
from tracehound.model.derive import SIZE_BYTES, SIZE_STATS, TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.span import UNKNOWN, Span, SpanStatusCode
from tracehound.model.trace import Trace
from tracehound.model.values import decode_value

_VALUE_COLUMNS: Final = 120
_INDENT: Final = 4
# What was said of a trace, by what it is called in front of it.
_KINDS: Final = (("feedback", Feedback), ("expected", Expectation), ("issues", IssueReference))
# What the tree shows in its own way, or nobody looks for in it.
_TOLD_ELSEWHERE: Final = (TRACE_INPUTS, TRACE_OUTPUTS, SIZE_BYTES, SIZE_STATS, ARTIFACT_LOCATION)


@dataclass(frozen=True)
class Node:
    """A span in the tree: how deep it is, and of it and each span above whether it is the last child there."""

    span: Span
    is_last: tuple[bool, ...]  # of the nearest levels only, the span itself last
    depth: int
    has_children: bool


def print_trace(trace: Trace, *, is_full: bool = False) -> None:
    """Print what is known of a trace, and its spans as a tree; `is_full` shows whole values and all attributes."""
    console = open_console()
    _print_head(console, trace, is_full=is_full)
    most = max(1, console.width // 3 // _INDENT)
    for node in walk(trace.data.spans, most):
        first, rest = _guides(node, most)
        room = max(8, console.width - cell_len(rest))
        for at, (text, style) in enumerate(_span_lines(node.span, room, is_full=is_full)):
            guide = Text(first if at == 0 else rest, "dim")
            _print(console, guide + (text if isinstance(text, Text) else Text(text, style)))


def walk(spans: Sequence[Span], levels: int) -> Iterator[Node]:
    """Yield every span once: roots in their order, children below their parent. `levels` bounds `is_last`.

    A span whose parent is not here is a root, and so is one of those that are below each other in a circle.
    """
    below: defaultdict[str | None, list[Span]] = defaultdict(list)
    known = {span.span_id for span in spans}
    for span in spans:
        below[span.parent_id if span.parent_id in known else None].append(span)
    seen: set[str] = set()
    for root in [*below[None], *spans]:
        coming: list[tuple[Span, tuple[bool, ...], int]] = [(root, (), 0)]
        while coming:
            span, is_last, depth = coming.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            children = [child for child in below[span.span_id] if child.span_id not in seen]
            yield Node(span, is_last, depth, bool(children))
            last = len(children) - 1
            coming += [
                (child, (*is_last, at == last)[-levels:], depth + 1) for at, child in reversed([*enumerate(children)])
            ]


def _guides(node: Node, levels: int) -> tuple[str, str]:
    """Return what stands left of the first line of a span, and of its other lines."""
    if node.depth == 0:
        return "", "│   " if node.has_children else ""
    skipped = node.depth - len(node.is_last)
    before = f"{skipped}⋯ " if skipped else ""
    above = "".join("    " if each else "│   " for each in node.is_last[:-1])
    own = "└── " if node.is_last[-1] else "├── "
    below = ("    " if node.is_last[-1] else "│   ") + ("│   " if node.has_children else "")
    kept = above[-_INDENT * levels :]
    return before + kept + own, " " * len(before) + kept + below


def _span_lines(span: Span, room: int, *, is_full: bool) -> Iterator[tuple[str | Text, str]]:
    failed = span.status.status_code is SpanStatusCode.ERROR
    kind = "" if span.span_type in (None, UNKNOWN) else f"  {line(span.span_type, max(4, room // 4))}"
    duration = f"  {_duration(span)}"
    name = line(span.name, max(8, room - cell_len(kind) - len(duration)))
    yield Text.assemble((name, "bold red" if failed else "bold"), (kind, "cyan"), (duration, "dim")), ""
    if failed:
        yield from _value_lines("✗ ", span.status.description or "ERROR", room, "red", is_full=is_full)
    for mark, text in (("→ ", span.inputs_json), ("← ", span.outputs_json)):
        if text is not None:
            yield from _value_lines(mark, _pretty(text, room) if is_full else text, room, "dim", is_full=is_full)
    if is_full:
        for key, text in sorted(span.attributes_json.items()):
            yield from _value_lines(f"{line(key, room // 2)} = ", _pretty(text, room), room, "dim", is_full=True)
        for event in span.events:
            yield from _value_lines("! ", event.name, room, "dim", is_full=True)
            for key, value in event.attributes.items():
                yield from _value_lines(f"  {line(key, room // 2)} = ", _shown(value, room), room, "dim", is_full=True)


def _value_lines(mark: str, text: str, room: int, style: str, *, is_full: bool) -> Iterator[tuple[str, str]]:
    """Yield a value in one line, or the whole of it in as many as it takes."""
    left = max(4, room - cell_len(mark))
    if not is_full:
        yield mark + line(text, min(left, _VALUE_COLUMNS)), style
        return
    blank = " " * cell_len(mark)
    for number, whole in enumerate(text.removesuffix("\n").split("\n")):
        plain = line(whole, 2 * len(whole) + 2)
        for part, piece in enumerate(chop_cells(plain, left) or [""]):
            yield (mark if number == part == 0 else blank) + piece, style


def _pretty(text: str, room: int) -> str:
    """Return what a JSON text says, as it is read."""
    return _shown(decode_value(text), room)


def _shown(value: Any, room: int) -> str:
    """Return a text without quotes and with its own lines, anything else as JSON: on one line where it is short."""
    if isinstance(value, str):
        return value
    short = json.dumps(value, ensure_ascii=False)
    return short if cell_len(short) <= room * 3 // 4 else json.dumps(value, indent=2, ensure_ascii=False)


def _print_head(console: Console, trace: Trace, *, is_full: bool) -> None:
    info = trace.info
    duration = "still running" if info.execution_duration is None else f"{info.execution_duration:,} ms"
    facts = [(str(info.state), STYLES.get(info.state, "")), (duration, ""), (local_time(info.request_time), "dim")]
    left = console.width - sum(len(text) + 2 for text, _ in facts)
    head = Text.assemble((line(info.name, max(8, left)), "bold"))
    for text, style in facts:
        head.append("  ").append(text, style)
    if cell_len(head.plain) + len(info.trace_id) + 2 > console.width:
        _print(console, head)
        _print(console, Text(info.trace_id, "dim"))
    else:
        _print(console, head.append("  ").append(info.trace_id, "dim"))
    for label, short, whole in _facts(trace):
        if is_full:
            for at, text in enumerate(whole):
                for told, _ in _value_lines(f"{'' if at else label:9}", text, console.width, "", is_full=True):
                    _print(console, Text(told))
        elif short:
            shown = line("  ".join(short), min(console.width - 9, _VALUE_COLUMNS))
            _print(console, Text.assemble((f"{label:9}", "dim"), shown))


def _facts(trace: Trace) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield what is known and what was said of a trace, by kind: what is worth a line, and all of it."""
    info = trace.info
    for label, pairs in (("tags", info.tags), ("metadata", info.trace_metadata)):
        own = sorted((_place(key), key) for key in pairs if key not in _TOLD_ELSEWHERE)
        yield label, [f"{key}={pairs[key]}" for _, key in own], [f"{key}={pairs[key]}" for key in sorted(pairs)]
    for label, kind in _KINDS:
        said = [each for each in info.assessments if isinstance(each, kind)]
        counts = [_opinion(each) for each in said if each.valid is not False]
        yield label, counts, [f"{_opinion(each)}  {_source(each)}" for each in said]


def _opinion(said: Assessment) -> str:
    """Return what somebody says of the trace: a name, and a value or why there is none."""
    if isinstance(said, IssueReference):
        return f"{said.name} {said.issue_name}"
    if isinstance(said, Feedback) and said.error is not None:
        return f"{said.name} ✗ {said.error.error_code}: {said.error.error_message or ''}"
    value = said.value if isinstance(said, (Feedback, Expectation)) else None
    return f"{said.name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _source(said: Assessment) -> str:
    """Return who says it, why, and whether it counts."""
    who = f"{said.source.source_type} {said.source.source_id or ''}".rstrip()
    why = f": {said.rationale}" if said.rationale else ""
    return f"({who}{', replaced later' if said.valid is False else ''}){why}"


def _place(key: str) -> int:
    """Return where a key stands in a line that may be cut: the program's own first, where the trace comes from last."""
    return key.startswith("mlflow.") + key.startswith(("mlflow.source.", "mlflow.user"))


def _print(console: Console, text: Text) -> None:
    """Print a line that is as long as it should be."""
    console.print(text, soft_wrap=True)


def _duration(span: Span) -> str:
    return "still running" if span.duration_ns is None else f"{span.duration_ns / 1e6:,.1f} ms"
