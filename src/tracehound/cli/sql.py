"""`tracehound sql`: what a SELECT selects, as a table or as data."""

from __future__ import annotations

import base64
import sys
from typing import Any

from tracehound import runtime
from tracehound.cli.options import use
from tracehound.cli.rows import RowColumn, write_rows
from tracehound.query.limit import to_limit


def run_sql(query: str, store: str | None, form: str | None, output: str | None, timeout: float | None) -> None:
    """Print or write what a statement selects; `-` reads it from the standard input."""
    use(store)
    text = sys.stdin.read() if query == "-" else query
    found = runtime.current().drained_store().sql(text, (), to_limit(timeout))
    are_numbers = [
        any(row[at] is not None for row in found.rows)
        and all(isinstance(row[at], (int, float, type(None))) for row in found.rows)
        for at in range(len(found.columns))
    ]
    columns = [
        RowColumn(name, _show, _plain, is_number) for name, is_number in zip(found.columns, are_numbers, strict=True)
    ]
    write_rows(columns, found.rows, form, output)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: bytes as base64."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _show(value: object) -> str:
    return "" if value is None else str(_plain(value))
