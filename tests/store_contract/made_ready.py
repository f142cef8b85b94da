"""A store in a file to which most parts come as its preparer has made them, as from another process."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence

from tracehound.model.edit import Change
from tracehound.model.record import to_msgpack, unpacker
from tracehound.model.trace import TracePart
from tracehound.store.api import Prepared, SegmentRange
from tracehound.store.sqlite.store import SqliteStore

read_prepared: Callable[[bytes], Prepared] = unpacker(Prepared)


class MadeReadyStore(SqliteStore):
    """Writes the parts of a batch in three ways at once: every third as it is, all others prepared, in two requests."""

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        if source is not None:
            return super().write(changes, source)
        prepare = pkgutil.resolve_name(self.preparer)
        parts = [each for each in changes if isinstance(each, TracePart)]
        prepared = [read_prepared(to_msgpack(prepare(some))) for some in (parts[::3], parts[1::3]) if some]
        others = [each for each in changes if not isinstance(each, TracePart)]
        self.write_prepared([*prepared, *others, *parts[2::3]])
        return True
