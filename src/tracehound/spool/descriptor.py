"""Writing to a file without handing over the interpreter lock.

`os.write` gives up the lock around the system call, and beside a busy thread (here: the drainer) gets it back late: a
write of 400 bytes then takes 5 to 9 µs in place of 1 (`docs/adr/0009`). The same system call, called while holding the
lock, takes less than 1 µs whatever other threads do. Frames that are large enough to make others wait go the usual way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

LARGE_BYTES: Final = 65_536

# Writes so many bytes to an open file and returns how many it took; -1, or fewer than there are, where it fails.
Write: TypeAlias = Callable[[int, bytes, int], int]


def write_large(descriptor: int, data: bytes, length: int) -> int:  # noqa: ARG001 - the form of a `Write`
    """Write as Python does, so that other threads go on meanwhile."""
    try:
        return os.write(descriptor, data)
    except OSError:
        return -1


def _load_write() -> Write:
    """Return C's `write`, called with the lock held; Python's where this platform does not offer it.

    The types of its arguments are not declared: ctypes then passes small integers and bytes as they are, where
    checking them takes a quarter of a microsecond of each call. Descriptors and lengths up to `LARGE_BYTES` fit into
    the int that ctypes makes of them, and libffi widens an int to the register that C reads a `size_t` from.
    """
    try:
        import ctypes

        function: Write = ctypes.PyDLL("ucrtbase")._write if sys.platform == "win32" else ctypes.PyDLL(None).write
    except (AttributeError, ImportError, OSError):
        return write_large
    else:
        return function


# For up to `LARGE_BYTES`.
write_held: Final = _load_write()
