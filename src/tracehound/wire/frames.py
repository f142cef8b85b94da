"""Frames: how records lie in the segments of the spool.

    mark (4 bytes) | length of the body (u32) | CRC-32 of the body (u32) | body (MessagePack)     little-endian

The mark lets a reader find the next frame behind a damaged one; the checksum tells damage from data. A frame that is
cut off at the end of a segment is a write that never finished: nothing that was promised is in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from tracehound.model.edit import Change, Deletion, Edit, Facts
from tracehound.model.record import DecodeError, to_msgpack, unpacker
from tracehound.model.trace import Origin, TracePart

MARK: Final = b"\xf1TH\x01"
_HEADER: Final = struct.Struct("<4sII")

Frame: TypeAlias = Change | Origin
_unpack: Final[Callable[[bytes], Frame]] = unpacker(TracePart, Edit, Deletion, Facts, Origin)


class Good(NamedTuple):
    """A frame that was read whole; `end` is the offset behind it."""

    frame: Frame
    end: int

    @property
    def is_finished_part(self) -> bool:
        """Whether it holds what a process promised to keep of a trace: no snapshot, no edit."""
        return isinstance(self.frame, TracePart) and self.frame.owner is None


class Whole(NamedTuple):
    """Where the body of a frame stands, which its checksum fits."""

    start: int
    end: int


class Damaged(NamedTuple):
    """Bytes that are no frame, up to the next mark or the end of the data; `end` is the offset behind them."""

    data: bytes
    end: int


def to_frame(record: Frame) -> bytes:
    """Return the record as a frame; `read_frames` is the inverse."""
    body = to_msgpack(record)
    return _HEADER.pack(MARK, len(body), zlib.crc32(body)) + body


def read_frames(data: bytes) -> Iterator[Good | Damaged]:
    """Yield what the data holds, up to a last frame that is cut off."""
    for found in skim_frames(data):
        if isinstance(found, Damaged):
            yield found
            continue
        try:
            yield Good(_unpack(data[found.start : found.end]), found.end)
        except DecodeError:
            yield Damaged(data[found.start - _HEADER.size : found.end], found.end)


def skim_frames(data: bytes) -> Iterator[Whole | Damaged]:
    """Yield where whole frames stand in the data, whatever is in them, and what is none."""
    offset = 0
    while offset < len(data):
        outcome = _find_frame(data, offset)
        if outcome is None:
            return
        yield outcome
        offset = outcome.end


def read_origin(data: bytes) -> dict[str, str]:
    """Return what the first frame of a segment says of all parts in it; nothing where it is of another kind."""
    first = next(read_frames(data), None)
    return first.frame.metadata if isinstance(first, Good) and isinstance(first.frame, Origin) else {}


def _find_frame(data: bytes, offset: int) -> Whole | Damaged | None:
    """Return what stands at the offset; None for the beginning of a frame whose end is not there."""
    if not data.startswith(MARK[: len(data) - offset], offset):
        return _skip(data, offset)
    if len(data) - offset < _HEADER.size:
        return None
    _, length, checksum = _HEADER.unpack_from(data, offset)
    start = offset + _HEADER.size
    if start + length > len(data):
        # A frame that is still being written, or a damaged length: a whole frame behind it tells which.
        following = _find_whole_frame(data, start)
        return None if following is None else Damaged(data[offset:following], following)
    if zlib.crc32(data[start : start + length]) != checksum:
        return _skip(data, offset)
    return Whole(start, start + length)


def _skip(data: bytes, offset: int) -> Damaged:
    """Return the bytes from the offset to the next mark."""
    following = data.find(MARK, offset + 1)
    end = following
    if following == -1:  # the data may end inside of a mark
        end = next(
            (at for at in range(max(offset + 1, len(data) - 3), len(data)) if MARK.startswith(data[at:])), len(data)
        )
    return Damaged(data[offset:end], end)


def _find_whole_frame(data: bytes, start: int) -> int | None:
    """Return where the next frame that is whole begins; the mark is not UTF-8, so no text contains it."""
    at = data.find(MARK, start)
    while at != -1 and len(data) - at >= _HEADER.size:
        _, length, checksum = _HEADER.unpack_from(data, at)
        body = at + _HEADER.size
        if body + length <= len(data) and zlib.crc32(data[body : body + length]) == checksum:
            return at
        at = data.find(MARK, at + 1)
    return None
