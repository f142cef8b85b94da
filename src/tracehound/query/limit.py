"""How long a search may take, and how it is ended from elsewhere."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tracehound.errors import ArgumentError, SearchCancelledError, SearchTimeoutError

NARROW_FILTER: Final = (
    "say when the traces began (attributes.timestamp_ms > now() - INTERVAL '1 day'), or add a condition with = of a"
    " tag, of metadata or of the name, which an index leads to; `tracehound search --explain` shows what a filter costs"
)


class SearchLimit:
    """A search ends with an error when it has taken so many seconds, or when another thread calls `cancel`.

    What counts is the time that the store works, of all pages together, not that of whoever uses what is found. One
    limit may be given to several searches, which then share it.

    >>> limit = SearchLimit(seconds=5)
    >>> limit.cancel()
    >>> limit.is_over()
    True
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = None if seconds is None else _checked(seconds)
        self._spent_s = 0.0
        self._begun_s: dict[int, float] = {}  # by the threads that search just now
        self._is_cancelled = threading.Event()

    def cancel(self) -> None:
        """End the searches that have this limit, soon, and those that are given it later at once."""
        self._is_cancelled.set()

    def shorten(self, seconds: float) -> None:
        """Let it be at most so many seconds from the beginning.

        >>> limit = SearchLimit(seconds=5)
        >>> limit.shorten(2)
        >>> limit.seconds
        2
        """
        checked = _checked(seconds)
        self.seconds = checked if self.seconds is None else min(self.seconds, checked)

    def is_over(self) -> bool:
        """Whether a search that has this limit is to end."""
        if self._is_cancelled.is_set():
            return True
        if self.seconds is None:
            return False
        now_s = time.monotonic()
        return self._spent_s + sum(now_s - begun_s for begun_s in self._begun_s.copy().values()) > self.seconds

    def check(self, looked_at: str = "", narrow: str = NARROW_FILTER) -> None:
        """Raise `SearchTimeoutError` or `SearchCancelledError` if it is over.

        The message tells what was looked at, and how to ask for less.
        """
        if not self.is_over():
            return
        said = f": {looked_at}" if looked_at else ""
        if self._is_cancelled.is_set():
            raise SearchCancelledError(f"the search was cancelled{said}")
        raise SearchTimeoutError(f"the search has taken longer than {self.seconds:g} s{said}. Narrow it: {narrow}")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block; raise as `check` does where there is none left."""
        thread = threading.get_ident()
        if thread in self._begun_s:  # a part of what is counted already
            yield
            return
        self.check()
        self._begun_s[thread] = time.monotonic()
        try:
            yield
        finally:
            self._spent_s += time.monotonic() - self._begun_s.pop(thread)


def _checked(seconds: float) -> float:
    if type(seconds) not in (int, float) or not (seconds > 0 and math.isfinite(seconds)):
        raise ArgumentError(f"a time limit is a number of seconds above 0, not {seconds!r}")
    return seconds


def to_limit(given: float | SearchLimit | None) -> SearchLimit | None:
    """Return the limit that an argument asks for: seconds, a limit, or None for no limit; raise for anything else."""
    return given if given is None or isinstance(given, SearchLimit) else SearchLimit(given)
