"""From the segments of a folder into the store, by whichever process has the time.

Each batch and the new position of its segment are one transaction of the store. When another process was quicker, the
store refuses the batch and says where it stands, and draining goes on from there.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from tracehound.errors import StoreBusyError, StoreError
from tracehound.model.trace import TracePart
from tracehound.spool.lock import try_lock
from tracehound.spool.segment import LOCK_SUFFIX, SUFFIX, age_s, is_ours, lock_path, owner_of
from tracehound.store.api import SegmentRange, Store
from tracehound.wire.frames import Damaged, Good, read_frames

BATCH_BYTES: Final = 4_000_000
_NO_LIMIT: Final = -1
_YIELD_EVERY: Final = 16
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
        self._set_aside_parts: Counter[str] = Counter()
        self._has_tidied = False

    def drain(self) -> None:
        """Apply all that is behind; raise `StoreError` where that cannot be done, with nothing lost."""
        with self._mutex:
            try:
                for owner, segments in self._segments().items():
                    for segment in segments:
                        self._drain_segment(segment)
                    self._remove_done(owner, segments)
                if not self._has_tidied and self._directory.exists():
                    self._has_tidied = True
                    self._tidy()
            except OSError as error:
                raise StoreError(f"the spool {self._directory} cannot be read or tidied: {error}") from error

    def applied(self, segment: str) -> int:
        """Return up to which byte a segment is in the store."""
        return self._open_store().position(segment)

    def pending(self, owners: Collection[str]) -> int:
        """Return how many finished parts in the segments of these owners are not in the store."""
        with self._mutex:
            return sum(
                isinstance(item, Good) and item.frame.owner is None
                for owner, segments in self._segments().items()
                if owner in owners
                for segment in segments
                for item in read_frames(_read(segment, self._applied.get(segment.name, 0), None))
            )

    def set_aside(self, owners: Collection[str]) -> int:
        """Return how many parts of these owners this process has set aside, since no store can hold them."""
        return sum(self._set_aside_parts[owner] for owner in owners)

    def _segments(self) -> dict[str, list[Path]]:
        """Return the segments by owner, the oldest first: names begin with the time. Other files are not ours."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self._directory.glob(f"*{SUFFIX}")):
            if is_ours(path.name):
                found.setdefault(owner_of(path.name), []).append(path)
        return found

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
            except StoreBusyError:
                is_applied = False
                if store.position(name) == position:  # nobody is draining: the lock is somebody else's
                    raise
            except (StoreError, MemoryError):
                raise
            except Exception as fault:  # noqa: BLE001 - one part that no store can take must not hold up the others
                if len(parts) > 1:
                    most = len(parts) // 2
                    continue
                _logger.warning("a trace was set aside, the store cannot hold it: %s", fault)
                self._set_aside_parts[owner_of(name)] += len(parts)
                self._set_aside(segment, position, data[:length])
                is_applied = store.write([], SegmentRange(name, position, position + length))
            position = position + length if is_applied else store.position(name)
            self._applied[name] = position  # each time: where a later batch fails, this one does not wait any more
        self._applied[name] = position

    def _read_batch(self, segment: Path, position: int, data: bytes, most: int) -> tuple[list[TracePart], int]:
        """Return the first parts in the data, at most so many, and how many bytes of it are done with."""
        parts: list[TracePart] = []
        length = 0
        for item in read_frames(data):
            if len(parts) == most:
                break
            if len(parts) % _YIELD_EVERY == 0:
                time.sleep(0)  # a thread of the program that waits for the interpreter lock shall not wait long
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

    def _remove_done(self, owner: str, segments: list[Path]) -> None:
        """Remove the segments that nobody writes to any more and that are in the store to their last whole frame.

        Those are all but the last of an owner that lives. With one that has ended, its running traces end too.
        """
        try:
            lock = try_lock(lock_path(self._directory, owner))
        except FileNotFoundError:
            lock = None  # somebody has removed it: its holder, if it lives, will notice
        except PermissionError:
            return
        else:
            if lock is None:
                self._remove(segments[:-1])
                return
        # The owner may have written between the last read and its end, and to a segment that was not listed.
        segments = self._segments().get(owner, [])
        for segment in segments:
            self._drain_segment(segment)
        self._open_store().end_owner(owner)
        is_gone = self._remove(segments)
        if lock is not None:
            if is_gone:
                lock.release()
            else:
                lock.abandon()

    def _remove(self, segments: list[Path]) -> bool:
        """Remove segments that have been applied; False where one has to stay for now."""
        if not segments:
            return True
        if not self._open_store().make_durable():
            return False
        is_gone = True
        for segment in segments:
            if _remove(segment):
                self._applied.pop(segment.name, None)
            else:
                is_gone = False
        return is_gone

    def _tidy(self) -> None:
        """Clear up, once a process: what others left behind when they ended at an unlucky moment."""
        store = self._open_store()
        for name in store.segments():
            if age_s(name) > _FORGET_AFTER_S and not (self._directory / name).exists():
                store.forget_segment(name)
        for lock_file in self._directory.glob(f"*{LOCK_SUFFIX}"):
            if is_ours(lock_file.name) and age_s(lock_file.name) > _FORGET_AFTER_S:
                _remove_orphan(lock_file)
        for owner in store.running_owners():
            if not lock_path(self._directory, owner).exists():
                store.end_owner(owner)


def _remove_orphan(lock_file: Path) -> None:
    """Remove a lock that nobody holds; the segments of its owner are gone or need it no more."""
    with contextlib.suppress(OSError):
        lock = try_lock(lock_file)
        if lock is not None:
            lock.release()


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
