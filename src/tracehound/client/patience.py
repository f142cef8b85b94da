"""Writing to a store that others keep locked now and then: for those who write much, and have no spool to wait in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracehound.errors import StoreBusyError
from tracehound.model.edit import Change
from tracehound.store.api import Store

_ATTEMPTS: Final = 30  # a store waits about a second for its lock


def write_patiently(store: Store, changes: Sequence[Change]) -> None:
    """Write changes in one transaction; where others keep the store locked, wait for them for half a minute or so."""
    for attempt in range(_ATTEMPTS):
        try:
            store.write(changes)
        except StoreBusyError:  # noqa: PERF203 - an attempt takes a second
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
