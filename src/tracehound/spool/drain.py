"""From the segments of a folder into the store, by whichever process has the time.

Each batch and the new position of its segment are one transaction of the store. When another process was quicker, the
store refuses the batch and says where it stands, and draining goes on from there.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tracehound.errors import StoreBusyError, StoreDeniedError, StoreError
from tracehound.spool.lock import FileLock, spare_descriptors
from tracehound.spool.segment import (
    LOCK_SUFFIX,
    REFUSED_SUFFIX,
    SUFFIX,
    NoLock,
    age_s,
    begun_ns,
    is_ours,
    lock_of_ended,
    lock_path,
    names_in,
    owner_of,
    read_bytes,
    remove,
    remove_orphan,
    size_of,
)
from tracehound.store.api import BulkStore, SegmentRange, Store
from tracehound.wire.frames import read_origin

if TYPE_CHECKING:
    from tracehound.spool.batch import Batch
    from tracehound.spool.refused import RefusedPieces
    from tracehound.wire.intake import Intake

BATCH_BYTES: Final = 4_000_000
_ORIGIN_BYTES: Final = 65_536  # at most, of a segment
_PATIENCE_S: Final = 10.0  # with another thread that drains, until it is looked whether it gets on
_MAX_ENDED: Final = 200  # owners whose end is looked after in one drain
# A process that read a segment just before it was removed may still offer it; its position is remembered for so long.
_FORGET_AFTER_S: Final = 86_400.0

# Nothing written so long before the oldest process of the folder began is on its way any more: the margin is for clocks
# that are set, and for processes that traced before they had something to write.
_SETTLED_AFTER_NS: Final = 86_400 * 10**9

_logger = logging.getLogger("tracehound.spool")


class SetAsideError(StoreDeniedError):
    """A server has refused some of what was sent for good: it is kept, and all else went on."""


class Drainer:
    """Applies what lies in a spool folder. The store is opened when there is something for it, or at the first read."""

    def __init__(
        self,
        directory: Path,
        open_store: Callable[[], Store],
        prices: str | None = None,
        token: str | None = None,
        max_refused_bytes: int = sys.maxsize,
    ) -> None:
        """`token` is what the store, where it is a server, is shown; as much of what it refuses is kept."""
        self._directory = directory
        self._open_store = open_store
        self._prices = prices
        self._token = token
        self._max_refused_bytes = max_refused_bytes
        self._refusal: SetAsideError | None = None  # of what was set aside while this is draining
        self.held_back: set[str] = set()  # owners of whom the store took nothing when it was last asked
        self._mutex = threading.RLock()
        self._steps = 0  # of whoever drains: by these others see that it gets on
        self._applied: dict[str, int] = {}
        self._origins: dict[str, dict[str, str]] = {}  # of the segments, where the parts in them come from
        self._incarnation = 0  # of the store that they were applied to
        self._aside: set[tuple[str, int]] = set()  # segment and offset of what was set aside
        self._unreadable: set[str] = set()  # owners whose files this user may not read
        self._has_tidied = False

    @functools.cached_property
    def _intake(self) -> Intake:
        from tracehound.wire.intake import Intake  # a program that only traces does without

        return Intake(self._prices)

    @functools.cached_property
    def _refused(self) -> RefusedPieces:
        from tracehound.spool.refused import RefusedPieces  # for those whose server refuses something

        return RefusedPieces(self._directory, self._token, self._max_refused_bytes)

    def drain(self) -> None:
        """Apply all that is behind; raise `StoreError` where that cannot be done, with nothing lost.

        What a server does not take of this program may be another program's: it keeps back nothing but itself. What it
        never will is set aside (`spool.refused`); that is raised when all else is done.
        """
        with self._turn():
            try:
                if any(name.endswith(REFUSED_SUFFIX) for name in names_in(self._directory)):
                    self._refused.put_back_others()
                found = self._segments()
                self._look_back(found)
                denied: StoreDeniedError | None = None
                self._refusal = None
                self.held_back.clear()
                for owner, segments in list(found.items()):
                    try:
                        for segment in segments:
                            self._drain_segment(segment)
                    except StoreDeniedError as error:  # noqa: PERF203 - a request each takes longer
                        if not self._set_aside_ended(owner, error):
                            denied = error
                            self.held_back.add(owner)
                        del found[owner]
                self._remove_done(found)
                denied = denied or self._refusal
                if denied is not None:
                    raise denied
                if not self._has_tidied and self._directory.exists():
                    self._has_tidied = True
                    with contextlib.suppress(StoreDeniedError):  # whoever may will see to it
                        self._tidy()
            except OSError as error:
                raise StoreError(f"the spool {self._directory} cannot be read or tidied: {error}") from error

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other thread drains, as long as that one gets on.

        It does not where it waits for this one: a signal handler has come in between a read of the store, which keeps
        others from reading it, and drains as well.
        """
        steps = -1
        while not self._mutex.acquire(timeout=_PATIENCE_S):
            if self._steps == steps:
                raise StoreBusyError("another thread of this program drains the spool, and does not get on")
            steps = self._steps
        try:
            yield
        finally:
            self._mutex.release()

    def _look_back(self, found: Mapping[str, list[Path]]) -> None:
        """Forget how far segments were applied, where the store is not the one any more that they were applied to.

        And of those that others have removed, which in a program that runs for long are many.
        """
        if found and (incarnation := self._open_store().incarnation()) != self._incarnation:
            self._incarnation = incarnation
            self._applied.clear()
        there = {segment.name for segments in found.values() for segment in segments}
        for name in (self._applied.keys() | self._origins.keys()) - there:
            self._applied.pop(name, None)
            self._origins.pop(name, None)

    def applied(self, segment: str) -> int:
        """Return up to which byte a segment is in the store."""
        return self._open_store().position(segment)

    def pending(self, owners: Collection[str]) -> int:
        """Return how many finished parts in the segments of these owners are not in the store.

        While another thread drains, what that one is about to store is among them: it is not waited for.
        """
        from tracehound.spool.counting import count_finished_parts  # for this question alone

        return sum(
            count_finished_parts(read_bytes(segment, self._applied.get(segment.name, 0), None))
            for owner, segments in self._segments().items()
            if owner in owners
            for segment in segments
        )

    def set_aside(self, owners: Collection[str]) -> int:
        """Return how many pieces of these owners this process has set aside: damaged, or more than a store can hold.

        And how many finished parts of theirs were refused.
        """
        refused = sum(count for segment, count in self._refused.finished_parts.items() if owner_of(segment) in owners)
        return refused + sum(owner_of(segment) in owners for segment, _ in self._aside)

    def _segments(self) -> dict[str, list[Path]]:
        """Return the segments by owner, the oldest first: names begin with the time. Other files are not ours."""
        found: dict[str, list[Path]] = {}
        for name in sorted(names_in(self._directory)):
            if name.endswith(SUFFIX) and is_ours(name):
                found.setdefault(owner_of(name), []).append(self._directory / name)
        return found

    def _drain_segment(self, segment: Path) -> None:
        name = segment.name
        # What is written while this runs is for the next time: a busy writer must not keep a search from its answer.
        end = size_of(segment)
        if self._applied.get(name, 0) >= end:
            return
        from tracehound.spool.batch import read_batch  # a program that only traces does without

        store = self._open_store()
        position = store.position(name)
        batch_bytes = store.batch_bytes if isinstance(store, BulkStore) else BATCH_BYTES
        most: int | None = None
        self._steps += 1
        while position < end and (data := self._read(segment, position, batch_bytes)):
            batch = read_batch(
                store, data, self._origin(segment), most, functools.partial(self._set_aside_of, segment, position),
                lambda part: self._intake(part),  # noqa: PLW0108 - which is not loaded for stores that are elsewhere
                has_own_intake=self._prices is not None,
            )  # fmt: skip
            length = batch.length
            if length == 0:
                if len(data) < batch_bytes:
                    break
                batch_bytes *= 2  # one frame is larger than the batch
                continue
            try:
                is_applied = self._write(segment, batch, SegmentRange(name, position, position + length))
            except StoreBusyError:
                is_applied = False
                if store.position(name) == position:  # nobody is draining: the lock is somebody else's
                    raise
            except (StoreError, MemoryError):
                raise
            except Exception as fault:  # noqa: BLE001 - one part that no store can take must not hold up the others
                if batch.count > 1:
                    most = batch.count // 2
                    continue
                _logger.warning("a trace was set aside, the store cannot hold it: %s", fault)
                self._set_aside(segment, position, data[:length])
                is_applied = store.write([], SegmentRange(name, position, position + length))
            most = None
            position = position + length if is_applied else store.position(name)
            self._steps += 1
            self._applied[name] = position  # each time: where a later batch fails, this one does not wait any more
        self._applied[name] = position

    def _write(self, segment: Path, batch: Batch, source: SegmentRange) -> bool:
        """Write a batch, without what the store refuses of it, which is set aside first; False as the store says."""
        but: set[int] = set()
        while True:
            try:
                return batch.write(source, but)
            except StoreDeniedError as error:  # noqa: PERF203 - a request each takes longer
                left = [number for number in range(len(batch.frames)) if number not in but]
                refused = [left[number] for number in error.refused if number < len(left)]
                frames = [batch.frames[number] for number in refused]
                if not frames or not self._refused.keep_frames(segment.name, self._origin(segment), frames):
                    raise
                but.update(refused)
                self._note_refusal(error)

    def _set_aside_ended(self, owner: str, error: StoreDeniedError) -> bool:
        """Set all aside of an owner that has ended, where the server takes nothing of it; False where it stays."""
        if not error.is_final or error.refused or (lock := lock_of_ended(self._directory, owner)) is None:
            return False
        segments = self._segments().get(owner, [])
        is_kept = all(self._refused.keep_segment(each, self._applied.get(each.name, 0)) for each in segments)
        if is_kept:
            lock.release()
            self._note_refusal(error)
        else:
            lock.abandon()
        return is_kept

    def _note_refusal(self, error: StoreDeniedError) -> None:
        self._refusal = SetAsideError(f"{error}; it was set aside: `tracehound refused` shows it")

    def _read(self, segment: Path, position: int, length: int) -> bytes:
        """Return bytes of a segment; none of one that another user has left to himself, which is said once."""
        try:
            return read_bytes(segment, position, length)
        except PermissionError as error:
            owner = owner_of(segment.name)
            if owner not in self._unreadable:
                self._unreadable.add(owner)
                _logger.warning("traces of another user wait in the spool, and are left to that user: %s", error)
            return b""

    def _origin(self, segment: Path) -> dict[str, str]:
        found = self._origins.get(segment.name)
        if found is None:
            found = self._origins[segment.name] = read_origin(self._read(segment, 0, _ORIGIN_BYTES))
        return found

    def _set_aside_of(self, segment: Path, position: int, offset: int, data: bytes) -> None:
        self._set_aside(segment, position + offset, data)

    def _set_aside(self, segment: Path, offset: int, data: bytes) -> None:
        """Keep the bytes that are no frame for whoever wants to look at them; what is good goes on."""
        self._aside.add((segment.name, offset))
        aside = self._directory / f"{segment.name}.{offset}.damaged"
        aside.write_bytes(data)
        _logger.warning("%d damaged bytes of the spool were set aside as %s", len(data), aside)

    def _remove_done(self, found: dict[str, list[Path]]) -> None:
        """Remove the segments that nobody writes to any more and that are in the store to their last whole frame.

        Those are all but the last of an owner that lives. With one that has ended, its running traces end too.
        """
        readable = {owner: segments for owner, segments in found.items() if owner not in self._unreadable}
        self._remove([segment for segments in readable.values() for segment in segments[:-1]])
        owners, most = iter(readable), min(_MAX_ENDED, spare_descriptors())
        looked_after = 0
        while looked_after < _MAX_ENDED and (count := self._remove_ended(owners, most)):
            looked_after += count

    def _remove_ended(self, owners: Iterator[str], most: int) -> int:
        """Remove what the next of the owners have left who have ended; return how many that were.

        Each takes a descriptor meanwhile.
        """
        done: list[Path] = []
        with contextlib.ExitStack() as locks:
            ended: dict[str, FileLock | NoLock] = {}
            for owner in owners:
                lock = lock_of_ended(self._directory, owner)
                if lock is not None:
                    ended[owner] = lock
                    locks.callback(lock.abandon)
                if len(ended) == most:
                    break
            # An owner may have written between the last read and its end, and to a segment that was not listed.
            last = self._segments() if ended else {}
            for owner in ended:
                for segment in last.get(owner, []):
                    self._drain_segment(segment)
                    done.append(segment)
                self._open_store().end_owner(owner)
            if self._remove(done):
                locks.pop_all()
                for lock in ended.values():
                    lock.release()
        return len(ended)

    def _remove(self, segments: list[Path]) -> bool:
        """Remove segments that have been applied; False where one has to stay for now."""
        if not segments:
            return True
        store = self._open_store()
        # Where the file was replaced since this began, another one has what was applied before; the next drain looks.
        if not store.make_durable() or store.incarnation() != self._incarnation:
            return False
        is_gone = True
        for segment in segments:
            self._steps += 1
            if remove(segment):
                self._applied.pop(segment.name, None)
                self._origins.pop(segment.name, None)
            else:
                is_gone = False
        return is_gone

    def _tidy(self) -> None:
        """Clear up, once a process: what others left behind when they ended at an unlucky moment."""
        store = self._open_store()
        for name in store.segments():
            if is_ours(name) and age_s(name) > _FORGET_AFTER_S and not (self._directory / name).exists():
                store.forget_segment(name)
        in_use = [path.name for suffix in (SUFFIX, LOCK_SUFFIX) for path in self._directory.glob(f"*{suffix}")]
        begun = [begun_ns(name) for name in in_use if is_ours(name)]
        store.settle(min([time.time_ns(), *begun]) - _SETTLED_AFTER_NS)
        for lock_file in self._directory.glob(f"*{LOCK_SUFFIX}"):
            if is_ours(lock_file.name) and age_s(lock_file.name) > _FORGET_AFTER_S:
                remove_orphan(lock_file)
        for owner in store.running_owners():
            if is_ours(owner) and not lock_path(self._directory, owner).exists():
                store.end_owner(owner)
