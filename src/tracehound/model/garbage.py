"""Decoding much at once without a search for garbage in between."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class Ageing:
    """Puts what was made among what is old, unless the program itself has frozen something, which then stays so.

    To ask whether it has goes through all that is frozen: 13 ms for the modules of an application, more than most pages
    take. It is asked until there is some, and not again.
    """

    def __init__(self) -> None:
        self._is_refused = False
        self._lock = threading.Lock()  # what one thread freezes for a moment no other takes for the program's

    def age(self) -> None:
        """Freeze everything and let it go again; leave it where another thread is about to, or was when we forked."""
        if self._is_refused or not self._lock.acquire(blocking=False):
            return
        try:
            self._is_refused = gc.get_freeze_count() > 0
            if not self._is_refused:
                gc.freeze()
                gc.unfreeze()
        finally:
            self._lock.release()


_AGEING: Final = Ageing()


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
            _AGEING.age()
            gc.enable()
