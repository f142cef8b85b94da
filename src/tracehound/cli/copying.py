"""`tracehound copy`: all that one store keeps, into another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tracehound.cli.options import chosen_settings, refuse_missing
from tracehound.cli.progress import following
from tracehound.cli.render import print_line
from tracehound.cli.text import counted
from tracehound.client.copying import Copied, copy_store
from tracehound.client.counting import count_traces
from tracehound.client.patience import drain_patiently
from tracehound.errors import TAKES_NOTHING, ArgumentError, StoreError
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.settings import Settings
from tracehound.store.api import Store
from tracehound.store.targets import Target, open_store, parse_target


def run_copy(source: str, target: str) -> int:
    """Copy a store; return the exit code, 1 where some of it could not be. Ctrl-C keeps what is copied."""
    settings = chosen_settings(None)
    there, here = parse_target(source), parse_target(target)
    if name_of(there) == name_of(here):
        raise ArgumentError(f"{source} and {target} are one store")
    refuse_missing(there)
    copied = Copied()
    is_done = False
    try:
        with (
            _opened(settings, source, may_be_damaged=True) as old,
            _opened(settings, target) as new,
            following("copying", _count(old)) as tell,
        ):
            copy_store(old, new, name_of(there), copied, lambda traces: tell(f"{traces:,} traces", traces))
        is_done = True
    finally:
        if is_done or copied != Copied():
            _tell(copied, target, is_done=is_done)
    return 1 if copied.damaged or copied.refused else 0


def name_of(target: Target) -> str:
    """Return what a store is called whoever asks, however it was written."""
    return target.url or ("memory" if target.path is None else str(target.path.resolve()))


@contextmanager
def _opened(settings: Settings, uri: str, *, may_be_damaged: bool = False) -> Iterator[Store]:
    """Yield a store, with all that any process of this machine has finished for it, where it can take that."""
    runtime = Runtime(dataclasses.replace(settings, tracking_uri=uri))
    beside: Store | None = None
    try:
        try:
            store = drain_patiently(runtime)
        except TAKES_NOTHING:
            raise
        except StoreError as error:
            if not may_be_damaged:
                raise
            click.echo(f"what waits in its spool is not copied: {error}", err=True)
            store = beside = open_store(parse_target(uri), token=settings.token)
        yield store
    finally:
        if beside is not None:
            beside.close()
        runtime.close()


def _count(store: Store) -> int:
    """Return how many traces there are; 0 where that cannot be read."""
    try:
        return count_traces(store, parse_search([each.experiment_id for each in store.experiments()]))
    except StoreError:
        return 0


def _tell(copied: Copied, target: str, *, is_done: bool) -> None:
    since = f", {copied.continued_at:,} of them before" if copied.continued_at else ""
    rest = "" if is_done else "; not all of it: the same command goes on from here"
    print_line(f"{counted(copied.traces, 'trace')} copied into {target}{since}{rest}")
    for name in copied.damaged:
        click.echo(f"{name} is damaged: {copied.reasons.get(name, 'it cannot be read')}", err=True)
    for name in copied.refused:
        click.echo(f"{name} is not taken there", err=True)
