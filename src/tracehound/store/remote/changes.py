"""What a store keeps, as it goes from a server to a client: the frames that a spool would have of it, compressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracehound.model.edit import Change
from tracehound.model.trace import Origin
from tracehound.store.api import Changes
from tracehound.store.remote.forms import Form, Operation
from tracehound.wire.compression import DamagedBodyError, compress, decompress
from tracehound.wire.frames import Good, read_frames, to_frame

_MAX_BYTES: Final = 2_000_000_000  # of one page, whose traces may be large


class CursorForm(Form, frozen=True):
    """A place in what a store keeps, or its beginning, and about how much is wanted."""

    after: str | None
    limit: int


class ChangesForm(Form, frozen=True):
    """What a store keeps, as frames that are compressed; the cursor behind it; what cannot be read, and why."""

    frames: bytes
    next_cursor: str | None
    damaged: list[str]
    reasons: dict[str, str] = {}  # noqa: RUF012 - of a record, which copies it


CHANGES: Final = Operation("changes", CursorForm, ChangesForm)


def form_of_changes(found: Changes) -> ChangesForm:
    """Return a page of what a store keeps; `to_changes` is the inverse."""
    frames = compress(b"".join(map(to_frame, found.changes)))
    return ChangesForm(frames, found.next_cursor, list(found.damaged), dict(found.reasons))


def to_changes(form: ChangesForm) -> Changes:
    """Return what a form says; raise `DamagedBodyError` where that cannot be read."""
    changes = list(_read(decompress(form.frames, "zstd", _MAX_BYTES)))
    return Changes(changes, form.next_cursor, tuple(form.damaged), form.reasons)


def _read(data: bytes) -> Iterator[Change]:
    for item in read_frames(data):
        if not isinstance(item, Good) or isinstance(item.frame, Origin):
            raise DamagedBodyError("a frame cannot be read")
        yield item.frame
