"""Deleting what experiments do not keep any longer, while the server runs: a little at a time, so that nobody waits."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from tracehound.client.deletion import STEP
from tracehound.client.retention import delete_old, find_old
from tracehound.errors import TracehoundError
from tracehound.store.api import Store

_STEP_BYTES: Final = 4_000_000  # of space, given back in one transaction
_REST_S: Final = 0.2  # between two steps, each of which keeps writers waiting for about as long

_logger = logging.getLogger("tracehound.server")


def sweep(store: Store, now_ms: int, is_stopped: threading.Event, rest_s: float = _REST_S) -> int:
    """Delete all that is old by the settings of the experiments, unless told to stop; return how many traces."""
    deleted = 0
    old = find_old(store, now_ms)
    while not is_stopped.is_set() and (count := delete_old(store, old, lambda _: None, most=STEP)):
        deleted += count
        is_stopped.wait(rest_s)
    while deleted and not is_stopped.is_set() and store.reclaim(_STEP_BYTES):
        is_stopped.wait(rest_s)
    return deleted


class Sweeper:
    """A thread that looks every so often for what is old, the first time after so long."""

    def __init__(self, store: Store, every_s: float) -> None:
        self._store = store
        self._every_s = every_s
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracehound-retention", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the step that is under way."""
        self._is_stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopped.wait(self._every_s):
            _sweep_and_tell(self._store, self._is_stopped)


def _sweep_and_tell(store: Store, is_stopped: threading.Event) -> None:
    try:
        deleted = sweep(store, time.time_ns() // 1_000_000, is_stopped)
    except TracehoundError as error:  # it is tried again: the disk may have room then
        _logger.warning("old traces could not be deleted: %s", error)
        return
    if deleted:
        _logger.info("%d traces were deleted, as their experiments keep them no longer", deleted)
