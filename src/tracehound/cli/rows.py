"""Rows of any values: a table in a terminal, data for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich.bar import Bar
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from tracehound.cli.outputs import open_output
from tracehound.cli.render import plain_table
from tracehound.cli.text import fill, line, open_console
from tracehound.client.formats import ROW_FORMATS, to_csv, to_json_lines, to_json_list
from tracehound.errors import ArgumentError

_WIDEST: Final = 60
_LEAST: Final = 12  # of a text, or all of it
_GAP: Final = 2
_BAR: Final = 20


@dataclass(frozen=True)
class RowColumn:
    """A column: its heading, how a value is shown, what stands for it in data, and whether it stands to the right.

    `key` is its name in data, where that is another one: times are shown as such, and are milliseconds in data.
    """

    heading: str
    show: Callable[[Any], str]
    to_data: Callable[[Any], Any] = lambda value: value
    is_number: bool = False
    key: str = ""


def write_rows(
    columns: Sequence[RowColumn],
    rows: Sequence[Sequence[Any]],
    form: str | None,
    output: str | None,
    *,
    bars_of: str | None = None,
    show: Callable[[], None] | None = None,
) -> None:
    """Print rows as a table, with a bar for the values of one column if it is named, or write them as data.

    `show` prints them for a terminal in another way.
    """
    suffix = "" if output is None else output.rpartition(".")[2].lower()
    to_terminal = output in (None, "-") and sys.stdout.isatty()
    chosen = form or (suffix if suffix in ROW_FORMATS else "table" if to_terminal else "jsonl")
    if chosen == "table":
        if output not in (None, "-"):
            raise ArgumentError("a table is for a terminal: write a file with --format csv, jsonl or json")
        print_rows(columns, rows, bars_of) if show is None else show()
        return
    keys = [column.key or column.heading for column in columns]
    objects = [
        {key: column.to_data(value) for key, column, value in zip(keys, columns, row, strict=True)} for row in rows
    ]
    with open_output(output) as out:
        if chosen == "csv":
            out.writelines(to_csv(objects, keys))
        else:
            out.writelines((to_json_list if chosen == "json" else to_json_lines)(objects))


def print_rows(columns: Sequence[RowColumn], rows: Sequence[Sequence[Any]], bars_of: str | None = None) -> None:
    """Print rows as a table, with a bar for the values of one column if it is named.

    Numbers are never cut. Where there is no room for them there are no bars, then a line for each value.
    """
    console = open_console()
    if not rows:
        console.print("there is nothing to show")
        return
    shown = [[line(column.show(value), _WIDEST) for column, value in zip(columns, row, strict=True)] for row in rows]
    widths = [
        max(cell_len(column.heading), *(cell_len(cells[at]) for cells in shown)) for at, column in enumerate(columns)
    ]
    least = [width if column.is_number else min(width, _LEAST) for column, width in zip(columns, widths, strict=True)]
    room = console.width - sum(least) - _GAP * len(columns)
    if room < 0:
        _print_lines(console, columns, shown)
        return
    table = plain_table()
    barred = next((at for at, column in enumerate(columns) if column.heading == bars_of and room > _BAR + _GAP), None)
    given = _widen(least, widths, room if barred is None else room - _BAR - _GAP)
    most = max((row[barred] for row in rows if _is_positive(row[barred])), default=1) if barred is not None else 1
    for at, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(column.heading, justify=justify, no_wrap=True, overflow="ellipsis", width=given[at])
        if at == barred:
            table.add_column("", width=_BAR, no_wrap=True)
    for row, texts in zip(rows, shown, strict=True):
        cells: list[RenderableType] = [Text(text) for text in texts]
        if barred is not None:
            cells.insert(barred + 1, Bar(most, 0, row[barred] if _is_positive(row[barred]) else 0, color="cyan"))
        table.add_row(*cells)
    console.print(table)


def _widen(least: Sequence[int], widths: Sequence[int], room: int) -> list[int]:
    """Return the widths of columns that get what they want, from the first on, as long as there is room."""
    given = []
    for narrow, wide in zip(least, widths, strict=True):
        more = min(wide - narrow, room)
        given.append(narrow + more)
        room -= more
    return given


def _print_lines(console: Console, columns: Sequence[RowColumn], shown: Sequence[Sequence[str]]) -> None:
    """Print each value on a line of its own, with a blank line between rows."""
    width = max(cell_len(column.heading) for column in columns)
    for number, texts in enumerate(shown):
        if number:
            console.print()
        for column, text in zip(columns, texts, strict=True):
            left = Text(f"{fill(line(column.heading, width), width)}  ", style="dim")
            console.print(left + Text(line(text, max(_LEAST, console.width - width - _GAP))), soft_wrap=True)


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0
