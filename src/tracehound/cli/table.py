"""Traces as a table in a terminal: one line each, however narrow it is.

The widths follow from the first rows and stay, so that long results are printed as they are read. What is too wide is
cut with a mark; numbers and times are never cut. Where columns would become too narrow to be read, each value gets a
line of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text

from tracehound.cli.text import fill, line, local_time
from tracehound.client.named_columns import Column, Shape
from tracehound.model.record import to_json
from tracehound.model.trace import Trace, TraceState

STYLES: Final = {TraceState.OK: "green", TraceState.ERROR: "bold red", TraceState.IN_PROGRESS: "yellow"}
_LOOKED_AT: Final = 200  # rows from which the widths follow
_GAP: Final = 2
_SHORT_ID: Final = 14  # tr-, ten digits and the mark of the cut: `show` takes them
_NUMBERS: Final = (Shape.NUMBER, Shape.AMOUNT)
_WIDEST: Final = {Shape.TEXT: 200, Shape.JSON: 200, Shape.MAP: 200}
_WIDEST_NAME: Final = 24
_COMFORTABLE: Final = 24  # what texts get before ids are shown whole
_LEAST: Final = 8  # below that a text is not worth a column


@dataclass(frozen=True)
class Layout:
    """How wide each column is; None where each value has a line of its own."""

    columns: Sequence[Column]
    widths: Sequence[int] | None
    room: int

    def heading(self) -> list[Text]:
        """Return the line above the table."""
        if self.widths is None:
            return []
        return [_joined([(column.heading, "dim") for column in self.columns], self.columns, self.widths)]

    def row(self, trace: Trace) -> list[Text]:
        """Return the lines of a trace."""
        shown = [(cell(column, trace), _style(column, trace)) for column in self.columns]
        if self.widths is not None:
            return [_joined(shown, self.columns, self.widths)]
        label = min(max(len(column.heading) for column in self.columns), self.room // 3)
        return [
            *(
                Text.assemble((fill(line(column.heading, label), label + _GAP), "dim"),
                              (line(text, self.room - label - _GAP), style))
                for column, (text, style) in zip(self.columns, shown, strict=True)
            ),
            Text(""),
        ]  # fmt: skip


def to_lines(traces: Iterable[Trace], columns: Sequence[Column], room: int) -> Iterator[Text]:
    """Yield the lines of a table, none where there are no traces."""
    rest = iter(traces)
    first = list(itertools.islice(rest, _LOOKED_AT))
    if first:
        layout = lay_out([column.for_table() for column in columns], first, room)
        yield from layout.heading()
        for trace in itertools.chain(first, rest):
            yield from layout.row(trace)


def lay_out(columns: Sequence[Column], traces: Sequence[Trace], room: int) -> Layout:
    """Return the widths that show most of these traces in the room there is."""
    widths = [_natural(column, traces) for column in columns]
    left = room - _GAP * (len(columns) - 1)
    texts = [at for at, column in enumerate(columns) if column.shape in _WIDEST]
    ids = [at for at, column in enumerate(columns) if column.shape is Shape.ID]
    comfortable = sum(widths) - sum(max(0, widths[at] - _COMFORTABLE) for at in texts)
    if comfortable > left:
        for at in ids:
            widths[at] = min(widths[at], _SHORT_ID)
    while texts and sum(widths) > left and max(widths[at] for at in texts) > _LEAST:
        widest = max(texts, key=lambda at: widths[at])
        others = max((widths[at] for at in texts if at != widest and widths[at] < widths[widest]), default=_LEAST)
        widths[widest] -= max(1, min(sum(widths) - left, widths[widest] - max(others, _LEAST)))
    if sum(widths) <= left:
        return Layout(columns, widths, room)
    needed = [column for column in columns if not column.is_optional]
    return Layout(columns, None, room) if len(needed) == len(columns) else lay_out(needed, traces, room)


def cell(column: Column, trace: Trace) -> str:
    """Return a value as a table shows it."""
    value = column.value(trace)
    if value is None:
        return ""
    if column.shape is Shape.TIME:
        return local_time(value)
    if column.shape in _NUMBERS:
        return f"{value:,}"
    if column.shape is Shape.MAP:
        return "  ".join(f"{key}={text}" for key, text in sorted(value.items()))
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    return to_json(value).decode()


def _natural(column: Column, traces: Sequence[Trace]) -> int:
    """Return how wide a column would like to be."""
    most = _WIDEST_NAME if column.heading == "name" else _WIDEST.get(column.shape, 1000)
    return max(cell_len(column.heading), *(cell_len(line(cell(column, trace), most)) for trace in traces))


def _style(column: Column, trace: Trace) -> str:
    if column.shape is Shape.STATE:
        return STYLES.get(trace.info.state, "")
    return "dim" if column.shape is Shape.ID else ""


def _joined(cells: Sequence[tuple[str, str]], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    joined = Text()
    for (text, style), column, width in zip(cells, columns, widths, strict=True):
        is_number = column.shape in _NUMBERS
        shown = text if is_number or column.shape is Shape.TIME else line(text, width)
        joined.append(fill(shown, width, is_right=is_number), style)
        joined.append(" " * _GAP)
    joined.rstrip()
    return joined
