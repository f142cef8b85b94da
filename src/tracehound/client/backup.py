"""A copy of the store in force, with all in it that is finished."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tracehound.client.patience import drain_patiently
from tracehound.errors import TAKES_NOTHING, ArgumentError, StoreError
from tracehound.runtime import current
from tracehound.store.targets import parse_target

_logger: Final = logging.getLogger("tracehound.client")


def back_up(destination: str | Path, tell: Callable[[int, int], None] | None = None) -> int:
    """Copy the store into a new file while it is in use, and return the length of the copy in bytes.

    All that any process of this machine had finished is in the copy, which is a store itself: `client.restoring` puts
    it in the place of another one. Pages are copied as they are: `check_backup` says which are damaged. `tell` is
    called with how many pages are copied and how many there are. Raise `ArgumentError` for a destination that exists
    or a store that is no file, `StoreError` where the copy cannot be made.
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
    try:
        drain_patiently(runtime)
    except TAKES_NOTHING:
        raise
    except StoreError as error:  # a damaged store may take nothing more: its pages can be copied all the same
        _logger.warning("what waits in the spool is not in the copy: %s", error)
    from tracehound.store.sqlite.backup import back_up as copy

    return copy(path, Path(destination).absolute(), tell)


def check_backup(backup: Path) -> list[str]:
    """Return what is damaged of a copy, and so of the store that it was made of: every page and every index entry."""
    from tracehound.store.sqlite.inspection import check_pages

    return check_pages(backup.absolute(), is_full=True)
