"""Frames of a segment -> what is written to the store at a time.

A store in this process is given the records; one that is elsewhere reads the frames itself, and is given the bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from tracehound.model.edit import Change
from tracehound.model.record import replace
from tracehound.model.trace import Origin, TracePart
from tracehound.store.api import FrameStore, SegmentRange, Store
from tracehound.wire.frames import Damaged, read_frames, skim_frames

_YIELD_EVERY: Final = 16

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """Some frames: how many bytes of the segment they and damaged ones take, and what writes all but some of them.

    `frames` are those of a store that may refuse some.
    """

    count: int
    length: int
    write: Callable[[SegmentRange, Collection[int]], bool]
    frames: Sequence[bytes] = ()


def read_batch(
    store: Store,
    data: bytes,
    origin: Mapping[str, str],
    most: int | None,
    set_aside: Callable[[int, bytes], None],
    intake: Callable[[TracePart], TracePart],
    *,
    has_own_intake: bool,
) -> Batch:
    """Return the first frames in the data, at most so many; `set_aside` is told what is damaged, and where.

    Parts pass through the intake: here, or where the store is, unless ours does what that one would not.
    """
    if isinstance(store, FrameStore) and not has_own_intake:
        return _skim_batch(store, data, origin, most, set_aside)
    changes: list[Change] = []
    frames: list[bytes] = []
    length = 0
    own = dict(origin)
    may_refuse = isinstance(store, FrameStore)
    for item in read_frames(data):
        if len(changes) == most:
            break
        _let_others_run(len(changes))
        if isinstance(item, Damaged):
            set_aside(length, item.data)
        elif isinstance(item.frame, TracePart):
            changes.append(replace(intake(item.frame), origin=own))
        elif not isinstance(item.frame, Origin):
            changes.append(item.frame)
        if may_refuse and len(frames) < len(changes):
            frames.append(data[length : item.end])
        length = item.end
    return Batch(
        len(changes), length, lambda source, but: store.write(_without(changes, but), source), frames
    )  # fmt: skip


def _skim_batch(
    store: FrameStore,
    data: bytes,
    origin: Mapping[str, str],
    most: int | None,
    set_aside: Callable[[int, bytes], None],
) -> Batch:
    pieces: list[bytes] = []
    length = 0
    for item in skim_frames(data):
        if len(pieces) == most:
            break
        _let_others_run(len(pieces))
        if isinstance(item, Damaged):
            set_aside(length, item.data)
        else:
            pieces.append(data[length : item.end])
        length = item.end
    return Batch(
        len(pieces),
        length,
        lambda source, but: store.write_frames(b"".join(_without(pieces, but)), origin, source),
        pieces,
    )


def _without(items: Sequence[T], but: Collection[int]) -> Sequence[T]:
    return [each for number, each in enumerate(items) if number not in but] if but else items


def _let_others_run(count: int) -> None:
    """Let a thread of the program go on that waits for the interpreter lock: it shall not wait long."""
    if count % _YIELD_EVERY == 0:
        time.sleep(0)
