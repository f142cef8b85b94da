"""Rows of any values: a table in a terminal, data for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.bar import Bar
from rich.text import Text

from tracehound.cli.formats import ROW_FORMATS, write_csv, write_json, write_json_lines
from tracehound.cli.outputs import open_output
from tracehound.cli.render import plain_table
from tracehound.cli.text import line, open_console
from tracehound.errors import ArgumentError

_WIDEST = 60
_BAR_COLUMNS = 20


@dataclass(frozen=True)
class RowColumn:
    """A column: its heading, how a value is shown in a table, and whether it stands to the right."""

    heading: str
    show: Callable[[Any], str]
    is_number: bool = False


def write_rows(
    columns: Sequence[RowColumn],
    rows: Sequence[Sequence[Any]],
    form: str | None,
    output: str | None,
    *,
    bars_of: str | None = None,
) -> None:
    """Print rows as a table, with a bar for the values of one column if it is named, or write them as data."""
    suffix = "" if output is None else output.rpartition(".")[2].lower()
    to_terminal = output in (None, "-") and sys.stdout.isatty()
    chosen = form or (suffix if suffix in ROW_FORMATS else "table" if to_terminal else "jsonl")
    if chosen == "table":
        if output not in (None, "-"):
            raise ArgumentError("a table is for a terminal: write a file with --format csv, jsonl or json")
        print_rows(columns, rows, bars_of)
        return
    headings = [column.heading for column in columns]
    objects = [dict(zip(headings, row, strict=True)) for row in rows]
    with open_output(output) as out:
        if chosen == "csv":
            write_csv(objects, headings, out)
        else:
            (write_json if chosen == "json" else write_json_lines)(objects, out)


def print_rows(columns: Sequence[RowColumn], rows: Sequence[Sequence[Any]], bars_of: str | None = None) -> None:
    """Print rows as a table, with a bar for the values of one column if it is named."""
    console = open_console()
    table = plain_table()
    barred = next((at for at, column in enumerate(columns) if column.heading == bars_of), None)
    greatest = max((row[barred] for row in rows if _is_positive(row[barred])), default=0) if barred is not None else 0
    for at, column in enumerate(columns):
        justify = "right" if column.is_number else "left"
        table.add_column(column.heading, justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
        if at == barred:
            table.add_column("", width=_BAR_COLUMNS, no_wrap=True)
    for row in rows:
        cells: list[Any] = []
        for at, (column, value) in enumerate(zip(columns, row, strict=True)):
            cells.append(Text(line(column.show(value), _WIDEST)))
            if at == barred:
                cells.append(Bar(greatest or 1, 0, value if _is_positive(value) else 0, color="cyan"))
        table.add_row(*cells)
    console.print(table if rows else "there is nothing to show")


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0
