"""Inserting many rows with few statements.

Every step of SQLite gives up the interpreter lock and has to get it back, which beside a busy program takes up to 5 ms.
With a statement for every row the store would fall behind the program that it traces; with one for hundreds of rows
nearly all of its work happens while the program runs.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

Row: TypeAlias = tuple[Any, ...]

# SQLite takes 32,766 from version 3.32 on; a statement of a power of two of rows stays below, and is compiled once.
_MAX_VARIABLES: Final = 16_384


def insert_rows(connection: sqlite3.Connection, head: str, rows: Sequence[Row]) -> None:
    """Insert rows, which are all of one width; the head is the statement up to their values."""
    if rows:
        insert_values(connection, head, list(itertools.chain.from_iterable(rows)), len(rows[0]))


def insert_values(connection: sqlite3.Connection, head: str, values: Sequence[Any], width: int) -> None:
    """Insert rows whose values stand one behind the other, so many in each row."""
    row = f"({', '.join('?' * width)})"
    for some in chunks(values, width):
        connection.execute(f"{head} VALUES {', '.join([row] * (len(some) // width))}", some)


def chunks(values: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    """Yield the values of so many rows that their number is a power of two, so that there are few statements."""
    at = 0
    while at < len(values):
        most = min(len(values) - at, _MAX_VARIABLES) // width
        size = width << (most.bit_length() - 1)
        yield values[at : at + size]
        at += size
