"""The spool of one process: finished traces to disk at once, into the store soon after.

`append` never blocks on the store and never raises into the traced program. What cannot be kept (a full disk, a
folder that cannot be written, too much waiting) is counted and said once.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.errors import StoreError
from tracehound.model.trace import TracePart
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.spool.segment import SegmentWriter
from tracehound.store.api import Store
from tracehound.wire.frames import to_frame

EXIT_TIMEOUT_S: Final = 5.0

_logger = logging.getLogger("tracehound.spool")


@dataclass(frozen=True)
class FlushReport:
    """What became of the traces of this process: `accepted` is the sum of the other three."""

    accepted: int
    stored: int
    pending: int
    dropped: int


class Spool:
    """Takes finished traces and sees to it that they reach the store."""

    def __init__(self, directory: Path, open_store: Callable[[], Store], settings: Settings) -> None:
        self._drainer = Drainer(directory, open_store)
        self._writer = SegmentWriter(directory, settings.max_segment_bytes)
        self._settings = settings
        # Reentrant: a signal handler or a finalizer may trace while its own thread is in `append`.
        self._mutex = threading.RLock()
        self._accepted = 0
        self._dropped = 0
        self._written_bytes = 0
        self._saved_bytes = 0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_troubled = False

    def append(self, part: TracePart) -> None:
        """Keep the part: it is on disk when this returns, or counted as dropped."""
        with self._mutex:
            self._accepted += 1
            try:
                frame = to_frame(part)
            except Exception as fault:
                self._drop(fault)
                raise
            if self._written_bytes - self._saved_bytes + len(frame) > self._settings.max_spool_bytes:
                self._drop(f"more than {self._settings.max_spool_bytes} bytes wait for the store")
                return
            try:
                self._writer.append(frame)
            except OSError as error:
                self._drop(error)
                return
            self._written_bytes += len(frame)
            if self._thread is None:
                self._start()
        if not self._wake.is_set():
            self._wake.set()

    def drain(self) -> None:
        """Bring all that lies in the folder into the store, of this process and of others."""
        written = self._written_bytes
        self._drainer.drain()
        with self._mutex:
            self._saved_bytes = max(self._saved_bytes, written)

    def flush(self) -> FlushReport:
        """Drain, and say what became of the traces; what the store does not take stays pending, and safe."""
        try:
            self.drain()
            pending = 0
        except StoreError as error:
            self._say_trouble(error)
            pending = min(self._drainer.pending(), self._accepted - self._dropped)
        return FlushReport(self._accepted, self._accepted - self._dropped - pending, pending, self._dropped)

    def close(self) -> None:
        """Drain what can be drained and end the segment; what is left is drained by the next process."""
        atexit.unregister(self._exit)
        self._end_thread(timeout_s=None)
        try:
            self.drain()
        except StoreError as error:
            self._say_trouble(error)

    def _exit(self) -> None:
        """End with the interpreter, which does not wait long for a store: what is on disk already is safe."""
        self._end_thread(timeout_s=EXIT_TIMEOUT_S)

    def _end_thread(self, timeout_s: float | None) -> None:
        """End the segment, have the thread drain once more, and wait for it."""
        with self._mutex:
            self._writer.close()
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s)

    def abandon(self) -> None:
        """Leave everything to the parent process, after a fork."""
        atexit.unregister(self._exit)
        self._mutex = threading.RLock()  # another thread of the parent may have held it
        self._writer.close()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="tracehound-drainer", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            return  # the interpreter is going down: the next process drains
        atexit.register(self._exit)

    def _run(self) -> None:
        """Drain whenever something was written, in batches of what an interval brings, and once more at the end."""
        is_over = False
        while not is_over:
            self._wake.wait()
            is_over = self._stop.wait(self._settings.drain_interval_s)
            self._wake.clear()
            try:
                self.drain()
                self._is_troubled = False
            except Exception as error:  # noqa: BLE001 - whatever it is, the next traces are to be drained too
                self._say_trouble(error)
                self._wake.set()

    def _drop(self, reason: Exception | str) -> None:
        self._dropped += 1
        if self._dropped == 1:
            _logger.error("a trace could not be kept, and is counted as dropped (said once): %s", reason)

    def _say_trouble(self, error: Exception) -> None:
        """Say once, until it is over, that traces wait."""
        if not self._is_troubled:
            self._is_troubled = True
            _logger.warning("traces wait in the spool, the store does not take them: %s", error)
