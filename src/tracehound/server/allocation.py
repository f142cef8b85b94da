"""How the memory of bodies is given back: at once, and not kept for the next one.

glibc maps large blocks one by one and unmaps them when they are freed, but each time one is freed it takes all up to
that size for small, up to 32 MB: then they lie among what is kept, in a heap for each thread, and what is free between
is never given back. A threshold that was set stays as it is.
"""

from __future__ import annotations

import sys
from typing import Final

_LARGE_BYTES: Final = 256 * 1024
_FREE_AT_END_BYTES: Final = 1024 * 1024  # of a heap; twice as much as is large would be glibc's own choice
_M_TRIM_THRESHOLD: Final = -1  # from malloc.h
_M_MMAP_THRESHOLD: Final = -3


def give_back_large_blocks() -> None:
    """Have the C library unmap what is large when it is freed; for a process that is ours alone.

    Other libraries than glibc have no such numbers, and nothing is done there.
    """
    if sys.platform != "linux":
        return
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        set_option(_M_TRIM_THRESHOLD, _FREE_AT_END_BYTES)
