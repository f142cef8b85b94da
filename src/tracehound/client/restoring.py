"""A backup in the place of a store.

The spool beside the store has what programs have finished and the store had not taken in. That belongs to what is
replaced, and goes there first; then nothing is left that would change the restored store. Where what is replaced cannot
be read, or is gone, the spool holds what happened since the backup: it stays, and comes into the restored store from
the position of each segment that the backup knows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracehound.errors import ArgumentError, StoreBusyError, StoreError
from tracehound.runtime import Runtime
from tracehound.settings import Settings
from tracehound.spool.inspection import inspect_spool
from tracehound.store.filesystem import refuse_network
from tracehound.store.sqlite.inspection import read_facts
from tracehound.store.sqlite.restore import check_copy, put_copy
from tracehound.store.targets import Target


@dataclass(frozen=True)
class Restored:
    """What has been restored: how long it is, about how many traces it has, and how much waits for it in the spool."""

    length_bytes: int
    traces: int
    waiting_bytes: int


def restore(
    backup: Path, target: Target, settings: Settings, *, is_forced: bool, tell: Callable[[str, int, int], None]
) -> Restored:
    """Put a backup in the place of a store, which may be there only if that is forced.

    Raise `ArgumentError` for a backup that is not there or a store that is, `StoreBusyError` for one that is in use,
    `StoreError` for a backup that is damaged or of a newer Tracehound, and where it cannot be written.
    """
    path, spool = target.path, target.spool_directory
    if path is None or spool is None:
        raise ArgumentError("a backup is restored into a file: name its path, where the server runs")
    if os.path.lexists(path):
        if backup.exists() and backup.samefile(path):
            raise ArgumentError(f"{path} is the backup itself: name where to restore it")
        if not is_forced:
            raise ArgumentError(f"{path} exists, and is not overwritten: name another file, or give --force")
    if not settings.allow_network_filesystem:
        refuse_network(path)
    tell("checking the backup", 0, 0)
    traces = check_copy(backup)
    if any(segment.is_alive for segment in inspect_spool(spool, {}).segments):
        raise StoreBusyError(f"{path} is in use: end the programs that trace into it")
    if path.exists():
        _drain(path, settings)
    length = put_copy(backup, path, lambda done, total: tell("copying", done, total))
    waiting = inspect_spool(spool, read_facts(path).positions)
    return Restored(length, traces, waiting.behind_bytes)


def _drain(path: Path, settings: Settings) -> None:
    """Bring what waits for the store that is replaced into it, if it can be read at all."""
    runtime = Runtime(dataclasses.replace(settings, tracking_uri=str(path)))
    with contextlib.suppress(StoreError):
        try:
            runtime.drain(must_succeed=True)
        finally:
            runtime.close()
