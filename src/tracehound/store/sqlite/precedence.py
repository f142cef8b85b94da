"""Searches go first: what adds up for seconds stands still while one of them runs in this process.

Both need the interpreter lock, which the one that adds up takes for each trace whose spans it looks at: a search of a
millisecond would wait for it a hundred times.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# What adds up goes on now and then all the same, however many searches there are.
_LONGEST_S: Final = 0.1


class Precedence:
    """Who goes first and who waits, of all threads that read one store.

    >>> precedence = Precedence()
    >>> with precedence.going_first():
    ...     precedence.is_free()
    False
    >>> precedence.is_free()
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self._count = 0

    @contextmanager
    def going_first(self) -> Iterator[None]:
        """Have the others stand still during the block."""
        with self._lock:
            self._count += 1
            self._free.clear()
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                if self._count == 0:
                    self._free.set()

    def is_free(self) -> bool:
        """Whether nobody goes first just now."""
        return self._free.is_set()

    def wait(self) -> None:
        """Stand still while somebody goes first, but not for long."""
        self._free.wait(_LONGEST_S)
