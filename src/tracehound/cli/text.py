"""Texts of traces in a terminal: on one line, as wide as said, with nothing in them that a terminal would obey.

Width is counted in columns: letters of China, Japan and Korea and most emoji take two, combining marks none.
"""

from __future__ import annotations

import datetime
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console

PIPED_COLUMNS: Final = 120
_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


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


def counted(number: int, what: str) -> str:
    """Return a number of things, each of which is called so.

    >>> counted(1, "trace"), counted(1_200, "damaged line")
    ('1 trace', '1,200 damaged lines')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size_of(count: int) -> str:
    """Return a number of bytes as one reads it.

    >>> size_of(0), size_of(12_345), size_of(12_345_678), size_of(12_345_678_901)
    ('0 bytes', '12.3 kB', '12.3 MB', '12.3 GB')
    """
    if count < 1_000:
        return counted(count, "byte")
    unit, of_it = next(each for each in _UNITS if count >= each[1])
    return f"{count / of_it:,.1f} {unit}"


def local_time(milliseconds: int) -> str:
    """Return a time of the machine's zone."""
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, tz=datetime.timezone.utc).astimezone()
    return moment.strftime("%m-%d %H:%M:%S")
