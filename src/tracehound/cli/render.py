"""What a terminal shows besides one trace: tables of traces, of latencies, of how a search went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tracehound.cli.table import to_lines
from tracehound.cli.text import open_console
from tracehound.client.named_columns import Column, table_columns
from tracehound.model.trace import Trace
from tracehound.store.explain import Explanation


def print_search(traces: Iterable[Trace], columns: Sequence[Column] | None = None) -> None:
    """Print a table with a line for each trace."""
    console = open_console()
    is_empty = True
    for row in to_lines(traces, columns or table_columns(), console.width):
        console.print(row, soft_wrap=True)
        is_empty = False
    if is_empty:
        console.print("no trace matches")


def print_explanation(explanation: Explanation) -> None:
    """Print what was done for a search step by step, and what left its answer empty if it is."""
    console = open_console()
    console.print(f"driven by {explanation.driver or 'no index: the traces are looked at one by one'}", markup=False)
    table = plain_table()
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


def print_heading(text: str) -> None:
    """Print a line that begins a part of the output."""
    open_console().print(f"\n[bold]{escape(text)}[/bold]")


def print_line(text: str) -> None:
    """Print a line as it is."""
    open_console().print(Text(text), soft_wrap=True)


def plain_table() -> Table:
    """Return a table without lines."""
    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
