"""A copy of the store in force, with all in it that is finished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tracehound.client.patience import drain_patiently
from tracehound.errors import ArgumentError
from tracehound.runtime import current
from tracehound.store.targets import parse_target


def back_up(destination: str | Path, tell: Callable[[int, int], None] | None = None) -> int:
    """Copy the store into a new file while it is in use, and return the length of the copy in bytes.

    All that any process of this machine had finished is in the copy, which is a store itself: `client.restoring` puts
    it in the place of another one. `tell` is called with how many pages are copied and how
    many there are. Raise `ArgumentError` for a destination that exists or a store that is no file, `StoreError` where
    the copy cannot be made.
    """
    runtime = current()
    target = parse_target(runtime.settings.tracking_uri)
    path = target.path
    if target.clickhouse is not None:
        raise ArgumentError(
            f"traces in {target.url} are backed up by ClickHouse itself: BACKUP DATABASE, as docs/clickhouse.md shows"
        )
    if path is None:
        where = "in memory" if target.url is None else f"of the server {target.url}"
        what = "keep them in" if target.url is None else "do that where it runs, with the path of"
        raise ArgumentError(f"traces {where} cannot be backed up: {what} a file, by set_tracking_uri or --store")
    drain_patiently(runtime)
    from tracehound.store.sqlite.backup import back_up as copy

    return copy(path, Path(destination).absolute(), tell)
