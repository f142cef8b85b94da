"""How often the processes of a server look for garbage.

Nearly all that they make is gone when nothing refers to it any more. What is looked for are cycles, and by default that
is done for every 700 objects that are new: for each request many times, through all that was imported as well.
"""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 10, 10)


def collect_seldom() -> None:
    """Look for garbage less often, and never again through what is there now; for a process that is ours alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
