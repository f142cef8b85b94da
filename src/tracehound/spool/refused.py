"""What a server refuses to those who show it this token, kept beside the segments until somebody decides about it.

A file of it is a segment in its own right, that waits under a name which no drainer looks at. The name tells by a few
digits of its hash which token was refused, so a drainer with another one puts it back, once, and sends it:

    00001735689600000000-4711-1f2e3d4c.000001-9a8b7c6d5e4f.01234567.refused    some frames, behind their `Origin`
    00001735689600000000-4711-1f2e3d4c.000001.seg.01234567.refused             a whole segment, none of which was taken

Frames that are sent once more change nothing, so what is interrupted here is begun anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.model.edit import Change
from tracehound.model.trace import Origin
from tracehound.spool.counting import count_finished_parts
from tracehound.spool.segment import REFUSED_SUFFIX, SUFFIX, is_ours
from tracehound.wire.frames import Good, read_frames, to_frame

_HASH_DIGITS: Final = 12


@dataclass(frozen=True)
class Refused:
    """A file of what was refused, and the changes in it."""

    name: str
    changes: list[Change]


class RefusedPieces:
    """What was refused, in one spool folder, to one token; it may take so many bytes there."""

    def __init__(self, directory: Path, token: str | None, max_bytes: int) -> None:
        self._directory = directory
        self._mark = hashlib.sha256((token or "").encode()).hexdigest()[:8]
        self._max_bytes = max_bytes
        self._tried: set[str] = set()  # names of what another token was refused, and this one has been tried with
        self.finished_parts: dict[str, int] = {}  # by segment, those that this process has set aside

    def keep_frames(self, segment: str, origin: Mapping[str, str], frames: Sequence[bytes]) -> bool:
        """Keep some frames of a segment; False where there is no room for them."""
        data = to_frame(Origin(dict(origin))) + b"".join(frames)
        stem = f"{segment.removesuffix(SUFFIX).partition('-x')[0]}-{hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]}"
        if not self._has_room(len(data)):
            return False
        own = self._directory / f"{stem}.{os.getpid()}.new"
        own.write_bytes(data)
        own.replace(self._directory / f"{stem}.{self._mark}{REFUSED_SUFFIX}")
        self._count(segment, data)
        return True

    def keep_segment(self, segment: Path, applied: int) -> bool:
        """Keep a whole segment that nobody writes to any more; False where it has to stay, for room or a reader."""
        try:
            data = segment.read_bytes()
            if not self._has_room(len(data)):
                return False
            segment.replace(segment.with_name(f"{segment.name}.{self._mark}{REFUSED_SUFFIX}"))
        except PermissionError:  # on Windows, where somebody reads it
            return False
        self._count(segment.name, data[applied:])
        return True

    def put_back_others(self) -> None:
        """Make segments again of what another token was refused, of each once."""
        for path in find_refused(self._directory):
            if path.name not in self._tried and not path.name.endswith(f".{self._mark}{REFUSED_SUFFIX}"):
                self._tried.add(path.name)
                put_back(path)

    def _has_room(self, length: int) -> bool:
        return length + sum(map(_size, find_refused(self._directory))) <= self._max_bytes

    def _count(self, segment: str, data: bytes) -> None:
        self.finished_parts[segment] = self.finished_parts.get(segment, 0) + count_finished_parts(data)


def find_refused(directory: Path) -> list[Path]:
    """Return the files of what was refused, the oldest first."""
    return [path for path in sorted(directory.glob(f"*{REFUSED_SUFFIX}")) if is_ours(path.name)]


def put_back(path: Path) -> None:
    """Make a segment of what was refused.

    Frames get a new name each time: how far one that was sent before has been applied is known by its old one. A whole
    segment has never been, and keeps its own.
    """
    stem = path.name.removesuffix(REFUSED_SUFFIX).rpartition(".")[0]
    name = stem if stem.endswith(SUFFIX) else f"{stem.rpartition('-')[0]}-x{os.urandom(6).hex()}{SUFFIX}"
    with contextlib.suppress(FileNotFoundError, PermissionError):  # another process has done so, or reads it
        path.replace(path.with_name(name))


def read_refused(directory: Path) -> Iterator[Refused]:
    """Yield what was refused, file by file."""
    for path in find_refused(directory):
        found = [each.frame for each in read_frames(path.read_bytes()) if isinstance(each, Good)]
        yield Refused(path.name, [each for each in found if not isinstance(each, Origin)])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process has put it back
        return 0
