"""What is so in the whole process, whatever the context: whether capture is off, and which trace finished last."""

from __future__ import annotations

import threading


class Switch:
    """Whether capture is switched off. It stays so when settings change, and in forked children."""

    def __init__(self) -> None:
        self.is_off = False


class LastTrace:
    """The trace that finished last, in the process and in each thread."""

    def __init__(self) -> None:
        self.anywhere: str | None = None
        self.here = threading.local()  # its `trace_id`

    def set(self, trace_id: str) -> None:
        """Note a trace that has finished now, in this thread."""
        self.anywhere = self.here.trace_id = trace_id

    def in_this_thread(self) -> str | None:
        """Return the trace that finished last in this thread."""
        return getattr(self.here, "trace_id", None)
