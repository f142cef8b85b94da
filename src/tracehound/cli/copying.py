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
from tracehound.errors import ArgumentError
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.settings import Settings
from tracehound.store.api import Store
from tracehound.store.targets import Target, parse_target

_TOLD = 20  # traces that are told one by one


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
        with _opened(settings, source) as old, _opened(settings, target) as new:
            total = count_traces(old, parse_search([each.experiment_id for each in old.experiments()]))
            with following("copying", total) as tell:
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
def _opened(settings: Settings, uri: str) -> Iterator[Store]:
    """Yield a store, with all that any process of this machine has finished for it."""
    runtime = Runtime(dataclasses.replace(settings, tracking_uri=uri))
    try:
        yield drain_patiently(runtime)
    finally:
        runtime.close()


def _tell(copied: Copied, target: str, *, is_done: bool) -> None:
    since = f", {copied.continued_at:,} of them before" if copied.continued_at else ""
    rest = "" if is_done else "; not all of it: the same command goes on from here"
    print_line(f"{counted(copied.traces, 'trace')} copied into {target}{since}{rest}")
    for ids, what in ((copied.damaged, "is damaged and was left out"), (copied.refused, "is not taken there")):
        for trace_id in ids[:_TOLD]:
            click.echo(f"{trace_id} {what}", err=True)
        if len(ids) > _TOLD:
            click.echo(f"and {len(ids) - _TOLD:,} more", err=True)
