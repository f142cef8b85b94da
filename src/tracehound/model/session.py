"""A session: the traces of one conversation, or of whatever a program calls one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import overload

from tracehound.model.record import Record
from tracehound.model.trace import Trace


class Session(Record, frozen=True):
    """The traces of a session, the oldest first; it can be gone through and asked for its length as a list can.

    >>> import tracehound
    >>> for turn in range(2):
    ...     with tracehound.tracing.context(session_id="s-1"), tracehound.start_span("turn"):
    ...         pass
    >>> [session] = tracehound.search_sessions()
    >>> session.id, len(session), [trace.info.name for trace in session]
    ('s-1', 2, ['turn', 'turn'])
    """

    id: str
    traces: list[Trace]

    def __iter__(self) -> Iterator[Trace]:
        return iter(self.traces)

    def __len__(self) -> int:
        return len(self.traces)

    @overload
    def __getitem__(self, index: int) -> Trace: ...

    @overload
    def __getitem__(self, index: slice) -> list[Trace]: ...

    def __getitem__(self, index: int | slice) -> Trace | list[Trace]:
        return self.traces[index]

    def __hash__(self) -> int:
        return hash(self.id)
