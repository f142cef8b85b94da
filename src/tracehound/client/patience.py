"""Writing to a store that others keep locked now and then: for those who do much, and can wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from tracehound.errors import StoreBusyError
from tracehound.model.edit import Change
from tracehound.store.api import Store

_ATTEMPTS: Final = 30  # a store waits about a second for its lock


def write_patiently(store: Store, changes: Sequence[Change]) -> None:
    """Write changes in one transaction; where others keep the store locked, wait for them for half a minute or so."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(StoreBusyError):
            store.write(changes)
            return
    store.write(changes)
