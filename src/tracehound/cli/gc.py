"""`tracehound gc`: old traces are deleted, and the space that they took is given back."""

from __future__ import annotations

import time
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tracehound import runtime
from tracehound.cli.render import print_line
from tracehound.client.deletion import count_older_than, delete_older_than
from tracehound.errors import ArgumentError
from tracehound.query.times import parse_interval_ms
from tracehound.store.api import Store

_STEP_BYTES: Final = 4_000_000  # given back in one transaction


def run_gc(older_than: str, experiment_ids: list[str] | None) -> None:
    """Delete the traces that began longer ago than that, and say how many there were. Ctrl-C keeps what is done."""
    age_ms = parse_interval_ms(older_than)
    if age_ms is None:
        raise ArgumentError(f"--older-than is a length of time such as 12h, 30d or 8w, not {older_than!r}")
    store = runtime.current().drained_store()
    before_ms = int(time.time() * 1000) - age_ms
    console = Console(stderr=True)
    deleted: list[int] = []
    freed: list[int] = []
    try:
        _delete(store, before_ms, experiment_ids, console, deleted)
        _reclaim(store, console, freed)
    finally:
        print_line(f"{sum(deleted):,} traces deleted, {sum(freed) / 1e6:,.1f} MB given back")


def _delete(
    store: Store, before_ms: int, experiment_ids: list[str] | None, console: Console, deleted: list[int]
) -> None:
    """Delete traces and note how many at each step."""
    columns = (TextColumn("deleting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count_older_than(store, before_ms, experiment_ids))

        def note(count: int) -> None:
            deleted.append(count)
            progress.advance(task, count)

        delete_older_than(store, before_ms, experiment_ids, note)


def _reclaim(store: Store, console: Console, freed: list[int]) -> None:
    """Give free space back and note how many bytes at each step. How much there is, is not known before."""
    columns = (TextColumn("giving space back"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        while count := store.reclaim(_STEP_BYTES):
            freed.append(count)
            progress.advance(task, count)
    store.make_durable()
