"""Writing to a file without handing over the interpreter lock.

`os.write` gives up the lock around the system call, and beside a busy thread (here: the drainer) gets it back late: a
write of 400 bytes then takes 5 to 9 µs in place of 1 (`docs/adr/0009`). The same system call, called while holding the
lock, takes 1 µs whatever other threads do. Frames that are large enough to make others wait go the usual way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

LARGE_BYTES: Final = 65_536


def _load_write() -> Callable[[int, bytes, int], int] | None:
    """Return C's `write`, called with the lock held; None where this platform does not offer it."""
    try:
        import ctypes

        if sys.platform == "win32":
            function = ctypes.PyDLL("ucrtbase")._write
            function.argtypes, function.restype = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint), ctypes.c_int
        else:
            function = ctypes.PyDLL(None).write
            function.argtypes, function.restype = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t), ctypes.c_ssize_t
    except (AttributeError, ImportError, OSError):
        return None
    else:
        return function


_write_held: Final = _load_write() or (lambda descriptor, data, _length: os.write(descriptor, data))


def write(descriptor: int, data: bytes) -> int:
    """Write to an open file and return how many bytes it took; raise `OSError` where it takes none."""
    length = len(data)
    if length > LARGE_BYTES:
        return os.write(descriptor, data)
    written = _write_held(descriptor, data, length)
    return written if written >= 0 else os.write(descriptor, data)  # which says what is wrong
