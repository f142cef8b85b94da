"""From the segments of a folder into the store, by whichever process has the time.

Each batch and the new position of its segment are one transaction of the store. When another process was quicker, the
store refuses the batch and says where it stands, and draining goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tracehound.errors import StoreError
from tracehound.model.trace import TracePart
from tracehound.spool.lock import try_lock
from tracehound.spool.segment import SUFFIX, lock_path, segment_age_s
from tracehound.store.api import SegmentRange, Store
from tracehound.wire.frames import Damaged, Good, read_frames

BATCH_BYTES: Final = 4_000_000
_NO_LIMIT: Final = -1
# A process that read a segment just before it was removed may still offer it; its position is remembered for so long.
_FORGET_AFTER_S: Final = 86_400.0

_logger = logging.getLogger("tracehound.spool")


class Drainer:
    """Applies what lies in a spool folder. The store is opened when there is something for it, or at the first read."""

    def __init__(self, directory: Path, open_store: Callable[[], Store]) -> None:
        self._directory = directory
        self._open_store = open_store
        self._mutex = threading.RLock()
        self._applied: dict[str, int] = {}
        self._has_tidied = False

    def drain(self) -> None:
        """Apply all that is behind; raise `StoreError` where that cannot be done, with nothing lost."""
        with self._mutex:
            try:
                for segment in self._segments():
                    self._drain_segment(segment)
                    self._remove_if_done(segment)
                if not self._has_tidied and self._directory.exists():
                    self._has_tidied = True
                    self._forget_removed()
            except OSError as error:
                raise StoreError(f"the spool {self._directory} cannot be read or tidied: {error}") from error

    def pending(self) -> int:
        """Return how many whole frames of all segments are not in the store."""
        with self._mutex:
            return sum(
                isinstance(item, Good)
                for segment in self._segments()
                for item in read_frames(_read(segment, self._applied.get(segment.name, 0), None))
            )

    def _segments(self) -> list[Path]:
        """Return the segments, the oldest first: their names begin with the time. Other files are not ours."""
        return sorted(path for path in self._directory.glob(f"*{SUFFIX}") if path.name[:20].isdecimal())

    def _drain_segment(self, segment: Path) -> None:
        name = segment.name
        # What is written while this runs is for the next time: a busy writer must not keep a search from its answer.
        end = _size(segment)
        if self._applied.get(name, 0) >= end:
            return
        store = self._open_store()
        position = store.position(name)
        batch_bytes = BATCH_BYTES
        most = _NO_LIMIT
        while position < end and (data := _read(segment, position, batch_bytes)):
            parts, length = self._read_batch(segment, position, data, most)
            if length == 0:
                if len(data) < batch_bytes:
                    break
                batch_bytes *= 2  # one frame is larger than the batch
                continue
            try:
                is_applied = store.write(parts, SegmentRange(name, position, position + length))
            except StoreError:
                raise
            except Exception as fault:  # noqa: BLE001 - one part that no store can take must not hold up the others
                if len(parts) > 1:
                    most = len(parts) // 2
                    continue
                _logger.warning("a trace was set aside, the store cannot hold it: %s", fault)
                self._set_aside(segment, position, data[:length])
                is_applied = store.write([], SegmentRange(name, position, position + length))
            position = position + length if is_applied else store.position(name)
        self._applied[name] = position

    def _read_batch(self, segment: Path, position: int, data: bytes, most: int) -> tuple[list[TracePart], int]:
        """Return the first parts in the data, at most so many, and how many bytes of it are done with."""
        parts: list[TracePart] = []
        length = 0
        for item in read_frames(data):
            if len(parts) == most:
                break
            if isinstance(item, Damaged):
                self._set_aside(segment, position + length, item.data)
            else:
                parts.append(item.frame)
            length = item.end
        return parts, length

    def _set_aside(self, segment: Path, offset: int, data: bytes) -> None:
        """Keep the bytes that are no frame for whoever wants to look at them; what is good goes on."""
        aside = self._directory / f"{segment.name}.{offset}.damaged"
        aside.write_bytes(data)
        _logger.warning("%d damaged bytes of the spool were set aside as %s", len(data), aside)

    def _remove_if_done(self, segment: Path) -> None:
        """Remove a segment that has no owner any more and is in the store to its last whole frame."""
        lock = try_lock(lock_path(segment))
        if lock is None:
            return
        # Its owner may have written between the last read and its end.
        self._drain_segment(segment)
        if self._open_store().make_durable() and _remove(segment):
            self._applied.pop(segment.name, None)
            lock.release()
        else:
            lock.abandon()

    def _forget_removed(self) -> None:
        """Drop the positions of segments that were removed long ago."""
        store = self._open_store()
        for name in store.segments():
            if segment_age_s(name) > _FORGET_AFTER_S and not (self._directory / name).exists():
                store.forget_segment(name)


def _read(segment: Path, position: int, length: int | None) -> bytes:
    """Return bytes of a segment from a position on; none where another process has removed it."""
    try:
        with segment.open("rb") as file:
            file.seek(position)
            return file.read(-1 if length is None else length)
    except FileNotFoundError:
        return b""


def _remove(segment: Path) -> bool:
    """Remove the file; False where somebody reads it, which on Windows keeps it in place."""
    try:
        segment.unlink(missing_ok=True)
    except PermissionError:
        return False
    return True


def _size(segment: Path) -> int:
    try:
        return segment.stat().st_size
    except FileNotFoundError:
        return 0
