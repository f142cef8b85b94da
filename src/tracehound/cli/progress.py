"""A bar on stderr, which is shown in a terminal only and gone at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def following(what: str, total: int | None) -> Iterator[Callable[[str, int], None]]:
    """Show a bar meanwhile; yield what is told what there is to say of it, and how much of the total is done."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    rest = () if total is None else (TimeRemainingColumn(),)
    with Progress(*columns, *rest, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda said, done: progress.update(task, description=said, completed=done)
