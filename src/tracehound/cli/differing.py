"""`tracehound diff`: two traces as one tree, with what differs and in which order that came about."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text

from tracehound.analysis.differences import ONLY_LEFT, ONLY_RIGHT, SpanPair, compare_spans, value_differences
from tracehound.cli.options import use
from tracehound.cli.showing import find_trace
from tracehound.cli.text import line, open_console
from tracehound.model.record import to_json
from tracehound.model.span import UNKNOWN, Span
from tracehound.model.trace import Trace
from tracehound.runtime import current

_MOST_VALUES: Final = 8  # of the inputs or the outputs of one span
_MOST_PAIRS: Final = 100  # of more only those are shown that differ, and what is above them
_DEEPEST: Final = 12  # deeper spans stand below each other
_MARKS: Final = {(ONLY_LEFT,): ("-", "red"), (ONLY_RIGHT,): ("+", "green"), (): (" ", "")}
_CHANGED: Final = ("~", "yellow")


def run_diff(left_id: str, right_id: str, store: str | None, form: str | None, *, is_full: bool) -> None:
    """Print two traces side by side: as a tree in a terminal, as JSON elsewhere, unless `form` says what."""
    use(store)
    opened = current().drained_store()
    left, right = find_trace(opened, left_id), find_trace(opened, right_id)
    pairs = compare_spans(left.data.spans, right.data.spans)
    if form == "json" or (form is None and not sys.stdout.isatty()):
        sys.stdout.buffer.write(to_json(_to_dict(left, right, pairs)) + b"\n")
        sys.stdout.buffer.flush()
    else:
        _print_pairs(left, right, pairs, is_full=is_full)


def _to_dict(left: Trace, right: Trace, pairs: list[SpanPair]) -> dict[str, Any]:
    """Return what programs read: the pairs that differ, in the order in which that came about."""
    differing = sorted((pair for pair in pairs if pair.place is not None), key=lambda pair: pair.place or 0)
    return {
        "left": left.trace_id,
        "right": right.trace_id,
        "spans": len(pairs),
        "differences": [
            {
                "name": _either(pair).name,
                "left_span_id": None if pair.left is None else pair.left.span_id,
                "right_span_id": None if pair.right is None else pair.right.span_id,
                "differences": pair.differences,
                "values": {
                    name: [{"path": each.path, "left": each.left, "right": each.right} for each in _values(pair, name)]
                    for name in ("inputs", "outputs")
                    if name in pair.differences
                },
            }
            for pair in differing
        ],
    }


def _print_pairs(left: Trace, right: Trace, pairs: list[SpanPair], *, is_full: bool) -> None:
    console = open_console()
    room = console.width
    count = sum(pair.place is not None for pair in pairs)
    for mark, trace in (("-", left), ("+", right)):
        head = f"{mark} {trace.trace_id}  {line(trace.info.name, max(8, room - 60))}  {trace.info.state}"
        console.print(Text(line(head, room), "bold"), soft_wrap=True)
    differ = f"{count} of {len(pairs)} steps differ; numbers say in which order that came about"
    console.print(Text(f"{differ if count else f'no step of {len(pairs)} differs'}\n", "dim"))
    width = len(str(count))
    for pair in pairs if is_full or len(pairs) <= _MOST_PAIRS else _differing(pairs):
        mark, style = _MARKS.get(pair.differences, _CHANGED)
        before = f"{pair.place or '':>{width}} {mark} {'  ' * min(pair.depth, _DEEPEST)}"
        console.print(_line_of(pair, before, style, room), soft_wrap=True)
        for text in _value_lines(pair):
            console.print(Text(line(" " * cell_len(before) + "  " + text, room), "dim"), soft_wrap=True)


def _line_of(pair: SpanPair, before: str, style: str, room: int) -> Text:
    """Return a pair on one line: what it is, how long it took on either side, and what differs."""
    span, said = _either(pair), ", ".join(_said(pair))
    kind = "" if span.span_type in (None, UNKNOWN) else f"  {span.span_type}"
    parts = (before, style), (span.name, style or "bold"), (kind, "cyan"), (f"  {_durations(pair)}", "dim")
    return _cut(Text.assemble(*parts, (f"  {said}" if said else "", style)), room)


def _differing(pairs: list[SpanPair]) -> Iterator[SpanPair]:
    """Return the pairs that differ, and what is above them."""
    wanted: set[int] = set()
    above: list[int] = []
    for at, pair in enumerate(pairs):
        del above[pair.depth :]
        above.append(at)
        if pair.place is not None:
            wanted.update(above)
    return (pairs[at] for at in sorted(wanted))


def _said(pair: SpanPair) -> list[str]:
    slower = {None: [], True: ["slower"], False: ["faster"]}[pair.is_slower]
    return [*pair.differences, *slower, *(["moved"] if pair.was_moved else [])]


def _value_lines(pair: SpanPair) -> Iterator[str]:
    """Yield a line for each place of the inputs and outputs that differs."""
    for name in ("inputs", "outputs"):
        if name in pair.differences:
            for each in _values(pair, name):
                path = f"{name}.{each.path}" if each.path and not each.path.startswith("[") else name + each.path
                shown = [_short(value) if there else "nothing" for value, there in
                         zip((each.left, each.right), each.is_there, strict=True)]  # fmt: skip
                yield f"{path}: {shown[0]} → {shown[1]}"


def _values(pair: SpanPair, name: str) -> Any:
    return value_differences(getattr(pair.left, name), getattr(pair.right, name), _MOST_VALUES)


def _short(value: object) -> str:
    return line(json.dumps(value, ensure_ascii=False), 48)


def _either(pair: SpanPair) -> Span:
    span = pair.left or pair.right
    assert span is not None  # noqa: S101 - a pair is of at least one span
    return span


def _durations(pair: SpanPair) -> str:
    told = [_duration(span) for span in (pair.left, pair.right) if span is not None]
    return " → ".join(told)


def _duration(span: Span) -> str:
    return "running" if span.duration_ns is None else f"{span.duration_ns / 1e6:,.1f} ms"


def _cut(text: Text, room: int) -> Text:
    text.plain = "".join(character if character.isprintable() else " " for character in text.plain)
    text.truncate(room, overflow="ellipsis")
    return text
