"""A line that tells how far a long read is: for a person at a terminal or in a notebook, and for nobody else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, Final, TypeVar

_AFTER_S: Final = 1.0

T = TypeVar("T")


def with_progress(pages: Iterator[list[T]], total: int | None) -> Iterator[list[T]]:
    """Yield the pages; from the first second on, say how many results there are so far.

    How many there will be is not counted, which could take as long as reading them: `total` is the most that was
    asked for. Ctrl-C ends the read as it ends any other.
    """
    begun = time.monotonic()
    shown: Any = None
    done = 0
    try:
        for page in pages:
            yield page
            done += len(page)
            if shown is None and time.monotonic() - begun > _AFTER_S:
                shown = _open(total)
                begun = float("inf")  # asked once
            if shown is not None:
                shown.update(0, completed=done)
    finally:
        if shown is not None:
            shown.stop()


def _open(total: int | None) -> Any:
    """Return the line, None where nobody would see it: what is piped or logged stays as it is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not (console.is_jupyter or sys.stderr.isatty()):
        return None
    columns = (TextColumn("reading traces"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)
    progress.add_task("", total=total)
    progress.start()
    return progress
