"""Writing to a store that others keep locked now and then: for those who do much, and can wait for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tracehound.errors import StoreBusyError
from tracehound.model.edit import Change
from tracehound.runtime import Runtime
from tracehound.store.api import Store

Done = TypeVar("Done")

_ATTEMPTS: Final = 30  # a store waits about a second for its lock


def write_patiently(store: Store, changes: Sequence[Change]) -> None:
    """Write changes in one transaction; where others keep the store locked, wait for them for half a minute or so."""
    _patiently(lambda: store.write(changes))


def drain_patiently(runtime: Runtime) -> Store:
    """Return the store with all in it that any process of this machine has finished, waiting as `write_patiently`."""
    return _patiently(lambda: runtime.drain(must_succeed=True))[0]


def _patiently(work: Callable[[], Done]) -> Done:
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(StoreBusyError):
            return work()
    return work()
