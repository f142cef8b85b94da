"""How many finished parts wait in the bytes of a segment: of each only as much is read as tells that."""

from __future__ import annotations

from typing import Final

from tracehound.model.edit import Deletion, Edit, Facts
from tracehound.model.record import DecodeError, Raw, Record, unpacker
from tracehound.model.trace import Origin
from tracehound.wire.frames import Damaged, skim_frames


class _Glance(Record, frozen=True, array_like=True, tag="part"):
    """A `TracePart` up to its owner, whose fields these are, in their order; what is `Raw` is passed over."""

    trace_id: Raw
    experiment: Raw
    written_ns: Raw
    spans: Raw
    tags: Raw
    metadata: Raw
    client_request_id: Raw
    request_preview: Raw
    response_preview: Raw
    state: Raw
    owner: str | None


_unpack: Final = unpacker(_Glance, Edit, Deletion, Facts, Origin)


def count_finished_parts(data: bytes) -> int:
    """Return how many frames hold what a process promised to keep of a trace: no snapshot, no edit, nothing damaged."""
    return sum(
        _is_finished(data[found.start : found.end]) for found in skim_frames(data) if not isinstance(found, Damaged)
    )


def _is_finished(body: bytes) -> bool:
    try:
        frame = _unpack(body)
    except DecodeError:
        return False
    return isinstance(frame, _Glance) and frame.owner is None
