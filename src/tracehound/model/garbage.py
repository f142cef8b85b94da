"""Decoding much at once without a search for garbage in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python from looking for garbage while one page, one large trace or the rows of a table are made.

    All that is made is kept. With five spans a trace the search for garbage took two thirds of the time. What was made
    is then put among what is old: frozen and let go again it is there without having been looked at. Else the first
    search behind each page would go through all of it, for another two fifths of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_freeze_count() == 0:  # what the program itself has frozen stays so
                gc.freeze()
                gc.unfreeze()
            gc.enable()
