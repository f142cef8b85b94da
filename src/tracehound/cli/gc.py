"""`tracehound gc`: old traces are deleted, and the space that they took is given back. `tracehound retention`."""

from __future__ import annotations

import sys
import time
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tracehound import runtime
from tracehound.cli.options import use
from tracehound.cli.progress import following
from tracehound.cli.render import plain_table, print_line
from tracehound.cli.text import counted, open_console, size_of
from tracehound.client.retention import (
    Old,
    count_old,
    delete_old,
    find_old,
    measure_old,
    old_of,
    read_retention,
    set_retention,
)
from tracehound.errors import NotFoundError
from tracehound.model.ids import experiment_id
from tracehound.model.record import to_json
from tracehound.store.api import Store
from tracehound.store.experiments import read_experiments

_STEP_BYTES: Final = 4_000_000  # given back in one transaction
_FOR_GOOD: Final = "forever"


def run_gc(older_than: str | None, experiment: str | None, *, is_dry: bool) -> None:
    """Delete what is older than said, or than the experiments keep it. Ctrl-C keeps what is done.

    A dry run says how many traces there are, and how many bytes they have.
    """
    store = runtime.current().drained_store()
    console = Console(stderr=True)
    old = _find(store, older_than, experiment)
    if is_dry:
        with following("counting", None) as tell:
            count, size_bytes = measure_old(store, old, lambda done: tell(f"{done:,} traces", done))
        print_line(f"{counted(count, 'trace')} would be deleted, whose spans are {size_of(size_bytes)} of JSON")
        return
    deleted: list[int] = []
    freed: list[int] = []
    is_done = False
    try:
        _delete(store, old, console, deleted)
        _reclaim(store, console, freed)
        is_done = True
    finally:
        if is_done or deleted:
            print_line(f"{counted(sum(deleted), 'trace')} deleted, {size_of(sum(freed))} given back")


def _find(store: Store, older_than: str | None, experiment: str | None) -> list[Old]:
    """Return what is old: by the age that is said, or by the settings of the experiments."""
    now_ms = time.time_ns() // 1_000_000
    wanted = None if experiment is None else experiment_id(experiment)
    if older_than is not None:
        numbers = [each.experiment_id for each in store.experiments()] if wanted is None else [wanted]
        return old_of(dict.fromkeys(numbers, older_than), now_ms)
    old = [each for each in find_old(store, now_ms) if wanted in (None, each.experiment_id)]
    if not old:
        whose = "no experiment keeps" if experiment is None else f"the experiment {experiment!r} does not keep"
        raise NotFoundError(
            f"{whose} its traces for a limited time: name an age by --older-than, or set one by `tracehound retention`"
        )
    return old


def _delete(store: Store, old: list[Old], console: Console, deleted: list[int]) -> None:
    """Delete traces and note how many at each step."""
    columns = (TextColumn("deleting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=count_old(store, old))

        def note(count: int) -> None:
            deleted.append(count)
            progress.advance(task, count)

        delete_old(store, old, note)


def _reclaim(store: Store, console: Console, freed: list[int]) -> None:
    """Give free space back and note how many bytes at each step. How much there is, is not known before."""
    columns = (TextColumn("giving space back"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        while count := store.reclaim(_STEP_BYTES):
            freed.append(count)
            progress.advance(task, count)
    store.make_durable()


def run_retention(store: str | None, experiment: str | None, age: str | None) -> None:
    """Show for how long the experiments keep their traces, or set it for one of them."""
    use(store)
    if experiment is not None and age is not None:
        set_retention(runtime.current(), experiment, None if age == _FOR_GOOD else age)
        return
    opened = runtime.current().drained_store()
    ages = read_retention(opened)
    known = {each.name: ages.get(number, _FOR_GOOD) for number, each in read_experiments(opened).items()}
    if experiment is not None:
        if experiment not in known:
            raise NotFoundError(f"there is no experiment {experiment!r}; there are {', '.join(map(repr, known))}")
        known = {experiment: known[experiment]}
    if not sys.stdout.isatty():
        print_line(to_json(dict(sorted(known.items()))).decode())
        return
    table = plain_table()
    for heading in ("experiment", "kept"):
        table.add_column(heading)
    for name, kept in sorted(known.items()):
        table.add_row(name, kept)
    open_console().print(table)
