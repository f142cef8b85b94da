"""The spool of one process: finished traces to disk at once, into the store soon after.

`append` never blocks on the store and never raises into the traced program. What cannot be kept (a full disk, a
folder that cannot be written, too much waiting) is counted and said once.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.errors import StoreBusyError, StoreDeniedError, StoreError
from tracehound.model.edit import Deletion, Edit, Facts
from tracehound.model.limits import fit_part
from tracehound.model.record import replace
from tracehound.model.trace import Origin, TracePart
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer, SetAsideError
from tracehound.spool.segment import RemovedError, SegmentWriter, SpoolFullError
from tracehound.store.api import Store
from tracehound.wire.frames import Good, read_frames, to_frame

EXIT_TIMEOUT_S: Final = 5.0

_logger = logging.getLogger("tracehound.spool")


@dataclass(frozen=True)
class FlushReport:
    """What became of the finished traces of this process: `accepted` is the sum of the other three.

    Those that a server has refused for good are among the dropped: `tracehound refused` has them.
    """

    accepted: int
    stored: int
    pending: int
    dropped: int


class Spool:
    """Takes finished traces and sees to it that they reach the store."""

    def __init__(
        self,
        directory: Path,
        open_store: Callable[[], Store],
        settings: Settings,
        origin: Callable[[], dict[str, str]] = dict,
        longest_wait_s: float = 2.0,
    ) -> None:
        self._drainer = Drainer(directory, open_store, settings.prices, settings.token, settings.max_spool_bytes)
        self._writer = SegmentWriter(directory, settings.max_segment_bytes, lambda: to_frame(Origin(origin())))
        self._waits_s = (settings.drain_interval_s, longest_wait_s)
        self._max_trace_bytes = settings.max_trace_bytes
        self._max_bytes = settings.max_spool_bytes
        self._saved_bytes = self._yield_from_bytes = 0
        self._note_saved(0)
        # Reentrant: a signal handler or a finalizer may trace while its own thread is in `append`.
        self._mutex = threading.RLock()
        self._accepted = 0
        self._dropped = 0
        self._is_writing = False
        self._inside: list[TracePart] = []
        # A queue and no event: a finalizer may wake the thread while that thread waits, which an event does not bear.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_awake = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_troubled = False
        self._is_refusal_told = self._is_denial_told = False

    def append(self, part: TracePart) -> None:
        """Keep the part: it is on disk when this returns, or counted as dropped."""
        with self._mutex:
            if self._is_writing:  # a signal handler or a finalizer, inside of another append: that one goes on with it
                self._inside.append(part)
                return
            try:
                self._is_writing = True
                self._accepted += 1
                frame = to_frame(part)
                if len(frame) > self._max_trace_bytes:
                    frame = self._to_fitting_frame(part)
                self._writer.append(frame)
            except RemovedError:
                self._append_to_new(frame)
            except (OSError, SpoolFullError) as error:
                self._drop(error)
            except Exception as error:
                self._drop(error)
                raise
            finally:
                self._is_writing = False
        if self._inside:
            self._append_those_inside()
        if not self._is_awake:
            self._wake_drainer()
        if self._writer.written_bytes > self._yield_from_bytes:
            time.sleep(0)  # before anything has to be dropped, the drainer may have the interpreter lock

    def append_snapshot(self, part: TracePart) -> bool:
        """Keep what is known of a trace that runs, under the name of this process; False where it found no room.

        Finished traces come first: snapshots get a quarter of the room.
        """
        with self._mutex:
            if self._is_writing:
                return False
            try:
                self._is_writing = True
                frame = self._to_fitting_frame(replace(part, owner=self._writer.owner()))
                if self._writer.written_bytes + len(frame) > self._yield_from_bytes:
                    return False
                self._writer.append(frame)
            except (OSError, SpoolFullError, RemovedError):
                return False
            finally:
                self._is_writing = False
                self._append_those_inside()
        self._wake_drainer()
        return True

    def owners(self) -> set[str]:
        """Return all names that this process has had in the folder, one at least where it can be written."""
        with self._mutex, contextlib.suppress(OSError):
            self._writer.owner()
        return set(self._writer.owners)

    def append_edit(self, edit: Edit | Deletion | Facts) -> None:
        """Keep an edit, a deletion or facts: on disk when this returns; raise `StoreError` where that cannot be."""
        with self._mutex:
            if self._is_writing:  # a signal handler or a finalizer: what returns here has to be kept, so it cannot wait
                raise StoreBusyError("this thread is in the midst of keeping a trace; edit it when that is done")
            try:
                self._is_writing = True
                self._write_edit(to_frame(edit))
            except (OSError, SpoolFullError, RemovedError) as error:
                raise StoreError(f"the edit of {_subject_of(edit)} cannot be kept: {error}") from error
            finally:
                self._is_writing = False
                self._append_those_inside()
        self._wake_drainer()

    def _write_edit(self, frame: bytes) -> None:
        try:
            self._writer.append(frame)
        except RemovedError:
            self._keep_removed(0)
            self._writer.append(frame)

    def _append_to_new(self, frame: bytes) -> None:
        """Append behind what was written again of the segments that somebody removed; or count it as dropped."""
        try:
            self._keep_removed(0)
            self._writer.append(frame)
        except (OSError, SpoolFullError, RemovedError) as error:
            self._drop(error)

    def _append_those_inside(self) -> None:
        """Append what came while this thread was in the midst of an append."""
        while self._inside:
            with contextlib.suppress(IndexError):  # another thread was quicker
                self.append(self._inside.pop())

    def _to_fitting_frame(self, part: TracePart) -> bytes:
        """Return the part as a frame that is not larger than a trace may be."""
        frame = to_frame(part)
        return frame if len(frame) <= self._max_trace_bytes else to_frame(fit_part(part, self._max_trace_bytes))

    def drain(self) -> None:
        """Bring all that lies in the folder into the store, of this process and of others.

        Raise `SetAsideError`, which is said here, where a server has refused some of it for good. What it lets nobody
        send with this token is told once, and not at each search.
        """
        self._recover_removed()
        written = self._writer.written_bytes
        try:
            self._drain_all()
        except SetAsideError as error:
            self._note_drained(written)
            if not self._is_refusal_told:
                _logger.warning("%s (said once)", error)
            self._is_refusal_told = error.is_told = True
            raise
        except StoreDeniedError as error:
            error.is_told, self._is_denial_told = self._is_denial_told, True
            raise
        self._note_drained(written)

    def _drain_all(self) -> None:
        """Drain; where the server takes nothing of this process, and no trace of it waits, set aside what does.

        Those are edits of who may only read. Traces wait: a program that finishes many would leave a file each time.
        """
        try:
            self._drainer.drain()
        except StoreDeniedError:
            with self._mutex:
                own = self._drainer.held_back & self._writer.owners
                if not own or self._drainer.pending(own):
                    raise
                self._writer.close()
            self._drainer.drain()

    def _note_drained(self, written_bytes: int) -> None:
        with self._mutex:
            self._note_saved(max(self._saved_bytes, written_bytes))

    def _note_saved(self, saved_bytes: int) -> None:
        """Note how much of what was written does not wait any more, and so how much more may be."""
        self._saved_bytes = saved_bytes
        self._writer.limit(saved_bytes + self._max_bytes)
        self._yield_from_bytes = saved_bytes + self._max_bytes // 4

    def flush(self) -> FlushReport:
        """Drain, and say what became of the traces; what the store does not take stays pending, and safe."""
        try:
            self.drain()
            pending = 0
        except StoreError as error:
            self._say_trouble(error)
            pending = self._drainer.pending(self._writer.owners)
        dropped = self._dropped + self._drainer.set_aside(self._writer.owners)
        return FlushReport(self._accepted, self._accepted - dropped - pending, pending, dropped)

    def close(self) -> None:
        """Drain what can be drained and end the segment; what is left is drained by the next process."""
        self._end_thread(timeout_s=None)
        try:
            self.drain()
        except StoreError as error:
            self._say_trouble(error)

    def exit(self) -> None:
        """End with the interpreter, which does not wait long for a store: what is on disk already is safe."""
        self._end_thread(timeout_s=EXIT_TIMEOUT_S)

    def _end_thread(self, timeout_s: float | None) -> None:
        """End the segment, have the thread drain once more, and wait for it."""
        with self._mutex:
            if not self._writer.is_in_place():
                self._keep_removed(0)  # the store is not asked how far it is: it may be busy for long
            self._writer.close()
            self._stop.set()
        self._wake.put(None)
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s)

    def abandon(self) -> None:
        """Leave everything to the parent process, after a fork."""
        self._mutex = threading.RLock()  # another thread of the parent may have held it
        self._writer.close()

    def _recover_removed(self) -> None:
        """Notice that somebody removed files of the spool under way, and write again what was not stored yet."""
        with self._mutex:
            if self._writer.is_in_place():
                return
            segment = self._writer.name()
            self._keep_removed(0 if segment is None else self._drainer.applied(segment))

    def _keep_removed(self, position: int) -> None:
        """Write again what the open file holds behind a position; what the store has of it already changes nothing."""
        _logger.warning("files of the spool were removed while they were in use; what was not stored is kept")
        was_writing, self._is_writing = self._is_writing, True
        rest = self._writer.end_removed(position)
        try:
            if rest:
                self._note_saved(self._saved_bytes + len(rest))  # these bytes are counted once more
                self._writer.append(rest)
        except OSError as error:
            for item in read_frames(rest):
                if isinstance(item, Good) and item.is_finished_part:
                    self._drop(error)
        finally:
            self._is_writing = was_writing

    def _wake_drainer(self) -> None:
        """Have what was written drained soon.

        Where no thread can be started, the next trace tries again, or the next process.
        """
        if self._thread is None and self._writer.name() is not None:
            self._start_thread()
        if self._thread is not None:
            self._is_awake = True
            self._wake.put(None)

    def _start_thread(self) -> None:
        """Start the thread, once: of two, the end would wake one and wait for the other."""
        with self._mutex:
            if self._thread is None:
                # Of one kind with the thread, which gevent may have made another since this spool was: waiting for one
                # of the other kind keeps all of the program from running.
                self._wake, stop = queue.SimpleQueue(), threading.Event()
                if self._stop.is_set():
                    stop.set()
                self._stop = stop
                self._thread = threading.Thread(target=self._run, name="tracehound-drainer", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    self._thread = None

    def _run(self) -> None:
        """Drain whenever something was written, in batches of what an interval brings, and once more at the end.

        Where the store does not take it, that is tried again, less and less often.
        """
        from tracehound.spool.backoff import Backoff  # for this thread alone

        is_over = False
        backoff = Backoff(*self._waits_s)
        wait_s = backoff.succeed()
        while not is_over:
            self._wake.get()
            is_over = self._stop.wait(wait_s)
            self._is_awake = False
            try:
                self.drain()
                self._is_troubled = False
                wait_s = backoff.succeed()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next traces are to be drained too
                self._say_trouble(error)
                self._wake.put(None)
                wait_s = backoff.fail(error)

    def _drop(self, reason: Exception) -> None:
        self._dropped += 1
        if self._dropped == 1:
            _logger.error("a trace could not be kept, and is counted as dropped (said once): %s", reason)

    def _say_trouble(self, error: Exception) -> None:
        """Say once, until it is over, that traces wait."""
        if isinstance(error, SetAsideError):
            return  # which is said, and none of it waits
        if not self._is_troubled:
            self._is_troubled = True
            _logger.warning("traces wait in the spool, the store does not take them: %s", error)


def _subject_of(edit: Edit | Deletion | Facts) -> str:
    return f"the {edit.kind} {edit.subject}" if isinstance(edit, Facts) else edit.trace_id
