"""What lies in the folder of a spool, and how far the store is behind it. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tracehound.spool.lock import try_lock
from tracehound.spool.segment import LOCK_SUFFIX, REFUSED_SUFFIX, SUFFIX, is_ours, owner_of

_DAMAGED_SUFFIX = ".damaged"


@dataclass(frozen=True)
class SegmentFacts:
    """A segment: how long it is, up to where it is in the store, and whether the process that wrote it lives."""

    name: str
    bytes: int
    applied: int
    is_alive: bool

    @property
    def behind_bytes(self) -> int:
        """How much of it is not in the store."""
        return max(0, self.bytes - self.applied)


@dataclass(frozen=True)
class SpoolFacts:
    """What lies in a spool folder."""

    directory: Path
    exists: bool
    segments: list[SegmentFacts] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    locks: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def behind_bytes(self) -> int:
        """How much waits for the store."""
        return sum(segment.behind_bytes for segment in self.segments)


def inspect_spool(directory: Path, positions: Mapping[str, int]) -> SpoolFacts:
    """Return what lies in the folder, beside the positions that the store knows."""
    if not directory.is_dir():
        return SpoolFacts(directory, exists=False)
    try:
        names = sorted(entry.name for entry in directory.iterdir() if is_ours(entry.name))
    except OSError as error:
        return SpoolFacts(directory, exists=True, faults=[f"{directory} cannot be read: {error.strerror}"])
    locks = {owner_of(name): name for name in names if name.endswith(LOCK_SUFFIX)}
    alive = {owner for owner, name in locks.items() if _is_held(directory / name)}
    segments = [
        SegmentFacts(name, _size(directory / name), positions.get(name, 0), owner_of(name) in alive)
        for name in names
        if name.endswith(SUFFIX)
    ]
    return SpoolFacts(
        directory,
        exists=True,
        segments=segments,
        set_aside=[name for name in names if name.endswith(_DAMAGED_SUFFIX)],
        refused=[name for name in names if name.endswith(REFUSED_SUFFIX)],
        locks=len(locks),
    )


def _is_held(lock_file: Path) -> bool:
    """Whether a process holds a lock; one that this user may not open counts as held."""
    try:
        lock = try_lock(lock_file)
    except OSError:
        return lock_file.exists()
    if lock is None:
        return True
    lock.abandon()
    return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
