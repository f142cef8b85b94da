"""Texts of traces in a terminal: on one line, as wide as said, with nothing in them that a terminal would obey.

Width is counted in columns: letters of China, Japan and Korea and most emoji take two, combining marks none.
"""

from __future__ import annotations

import datetime
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console

PIPED_COLUMNS: Final = 120


def open_console() -> Console:
    """Return a console as wide as the terminal, or wide enough for a row where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_COLUMNS)


def line(text: str, columns: int) -> str:
    """Return the beginning of a text on one line, with a mark where it was cut.

    >>> line("what\\nis 日本語?", 11)
    'what is 日…'
    """
    kept = text[: 4 * columns + 4]  # of a long text no more is looked at; of combining marks there are a few a letter
    shown = "".join(character if character.isprintable() else " " for character in kept)
    if len(text) <= len(kept) and cell_len(shown) <= columns:
        return shown
    return f"{set_cell_size(shown, columns - 1).rstrip()}…" if columns > 1 else "…"[:columns]


def fill(text: str, columns: int, *, is_right: bool = False) -> str:
    """Return a text with blanks beside it so that it takes so many columns."""
    blanks = " " * (columns - cell_len(text))
    return blanks + text if is_right else text + blanks


def local_time(milliseconds: int) -> str:
    """Return a time of the machine's zone."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, tz=datetime.timezone.utc).astimezone()
    return moment.strftime("%m-%d %H:%M:%S")
